//! Layers whose weights are wires: class trees.
//!
//! Inputs of a group of up to eight neurons are sorted into classes by the pattern of their weights,
//! up to complement: what is +1 for some neurons and -1 for the others counts up here and down there,
//! and how many of a class are 1 needs to be counted once. Each class is compressed for some stages;
//! then the group is split in halves, classes that have become equal are joined, and so on down to
//! single neurons, where minus the threshold is added and the sign is what is wanted. Complements are
//! free: `n - c` is the same bits inverted, and a constant.

mod check;
mod ending;
mod grow;
mod matching;
mod plan;
mod recipe;

pub use check::Miswired;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::bit::Bit;
use crate::netlist::Netlist;
use crate::schedule::Search;
use ending::Ending;
use grow::grow;
use plan::Plan;
use recipe::{Recipe, groups};

/// The search for the last heaps: there is one for each neuron.
const SEARCH: Search = Search { runs: 100, seed: 0 };

/// One row of a matrix of weights -1, 0 and 1, on inputs of one bit.
///
/// Its count is that of the ones among inputs of weight 1 and of the zeros among those of -1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neuron {
    /// A weight for each input.
    pub weights: Vec<i8>,
    /// Added to the scaled count.
    pub constant: i64,
}

/// What is wanted of each neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Output {
    /// One bit: whether `count + constant` is not negative.
    Sign,
    /// `count * 2^shift + constant` in this many bits, in two's complement, lowest first.
    Sum {
        /// Columns of the sum.
        bits: usize,
        /// What a count is multiplied with.
        shift: usize,
    },
}

impl Output {
    fn shift(self) -> usize {
        match self {
            Self::Sign => 0,
            Self::Sum { shift, .. } => shift,
        }
    }

    /// Bits of each neuron.
    pub fn bits(self) -> usize {
        match self {
            Self::Sign => 1,
            Self::Sum { bits, .. } => bits,
        }
    }
}

impl Neuron {
    /// The smallest and the largest `count + constant`.
    fn range(&self) -> (i64, i64) {
        let most = self.weights.iter().filter(|weight| **weight != 0).count() as i64;
        (self.constant, most + self.constant)
    }

    /// The sign, where no input can change it.
    fn decided(&self, output: Output) -> Option<bool> {
        let (low, high) = self.range();
        match output {
            Output::Sign if low >= 0 => Some(true),
            Output::Sign if high < 0 => Some(false),
            Output::Sign | Output::Sum { .. } => None,
        }
    }

    /// Columns of the sum: for the sign, of two's complement.
    fn width(&self, output: Output) -> usize {
        let (low, high) = self.range();
        match output {
            Output::Sign => {
                (1..63).find(|w| low >= -1 << (w - 1) && high < 1 << (w - 1)).unwrap_or(63)
            }
            Output::Sum { bits, .. } => bits,
        }
    }

    /// What the sum starts from: of a sign, the complement comes out, so that 1 is not negative.
    fn start(&self, output: Output) -> i64 {
        match output {
            Output::Sign => self.constant.wrapping_add(1 << (self.width(output) - 1)),
            Output::Sum { .. } => self.constant,
        }
    }
}

/// A layer of hard-wired neurons; a vector goes in with every cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wired {
    /// What is wanted of each neuron.
    pub output: Output,
    /// Neurons that share classes.
    pub groups: Vec<Group>,
    /// Neurons whose output does not depend on any input, and what it is.
    pub decided: Vec<(usize, bool)>,
    latency: usize,
}

/// Neurons that share classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Their numbers.
    pub neurons: Vec<usize>,
    /// The tree. It takes all inputs of the layer; its outputs are those of the neurons, one after
    /// another.
    pub netlist: Netlist,
    /// The sum of each neuron, a bit for each column: wherever in the tree it is known.
    sums: Vec<Vec<Bit>>,
}

/// Layers that are asked for more than once.
type Known = BTreeMap<(Vec<Neuron>, Output), Arc<Wired>>;

impl Wired {
    /// The trees of a layer, made when they are asked for first.
    pub fn of(neurons: Vec<Neuron>, output: Output) -> Arc<Self> {
        static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (neurons, output);
        if let Some(wired) = known.get(&key) {
            return wired.clone();
        }
        let wired = Arc::new(Self::new(&key.0, output));
        known.insert(key, wired.clone());
        wired
    }

    /// The trees of a layer. The same neurons give the same trees.
    ///
    /// # Panics
    /// If the neurons differ in their numbers of inputs.
    pub fn new(neurons: &[Neuron], output: Output) -> Self {
        let inputs = neurons.first().map_or(0, |neuron| neuron.weights.len());
        assert!(neurons.iter().all(|n| n.weights.len() == inputs), "rows of one matrix");
        let decision = |(n, neuron): (usize, &Neuron)| Some((n, neuron.decided(output)?));
        let decided: Vec<(usize, bool)> = neurons.iter().enumerate().filter_map(decision).collect();
        let open: Vec<usize> =
            (0..neurons.len()).filter(|n| neurons[*n].decided(output).is_none()).collect();
        let weights: Vec<&[i8]> = open.iter().map(|n| neurons[*n].weights.as_slice()).collect();
        let order: Vec<usize> = matching::order(&weights).into_iter().map(|o| open[o]).collect();
        let members: Vec<&Neuron> = order.iter().map(|n| &neurons[*n]).collect();
        let recipe = Recipe::find(&members, output);
        let groups = groups(members.len(), recipe.sizes[0]);
        let planned: Vec<(Plan, Vec<Ending>)> = groups
            .iter()
            .map(|group| {
                let members = &members[group.clone()];
                let plan = Plan::new(members, &recipe);
                let ending = |(neuron, parts): (&&Neuron, &Vec<_>)| {
                    Ending::new(&plan, parts, neuron, output)
                };
                let endings = members.iter().zip(&plan.heaps).map(ending).collect();
                (plan, endings)
            })
            .collect();
        let schedules: Vec<Vec<_>> = planned
            .iter()
            .map(|(_, endings)| endings.iter().map(|ending| ending.schedules(&SEARCH)).collect())
            .collect();
        let costs = planned.iter().zip(&schedules).flat_map(|((_, endings), all)| {
            endings.iter().zip(all).map(|(ending, schedules)| ending.costs(schedules))
        });
        let stages = ending::stages(costs);
        let grown = groups.iter().zip(planned.iter().zip(schedules)).map(
            |(group, ((plan, endings), schedules))| {
                let (netlist, sums) = grow(inputs, plan, endings, schedules, stages);
                Group { neurons: order[group.clone()].to_vec(), netlist, sums }
            },
        );
        let groups: Vec<Group> = grown.collect();
        let latency = groups.first().map_or(1, |group| group.netlist.latency());
        Self { output, groups, decided, latency }
    }

    /// Cycles from the inputs to the outputs, the same for all groups.
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// Sites of look-up tables.
    pub fn luts(&self) -> usize {
        self.groups.iter().map(|group| group.netlist.luts()).sum()
    }

    /// Flip-flops, those that groups could share counted for each.
    pub fn registers(&self) -> usize {
        self.groups.iter().map(|group| group.netlist.registers()).sum()
    }

    /// The outputs over 64 vectors: a word for each bit, neuron by neuron.
    pub fn evaluate(&self, inputs: &[u64]) -> Vec<u64> {
        let bits = self.output.bits();
        let mut outputs: Vec<(usize, Vec<u64>)> = Vec::new();
        for (neuron, decided) in &self.decided {
            outputs.push((*neuron, vec![u64::from(*decided).wrapping_neg()]));
        }
        for group in &self.groups {
            let values = group.netlist.evaluate(inputs);
            let of = group.neurons.iter().copied().zip(values.chunks(bits).map(<[u64]>::to_vec));
            outputs.extend(of);
        }
        outputs.sort_unstable();
        outputs.into_iter().flat_map(|(_, bits)| bits).collect()
    }
}
