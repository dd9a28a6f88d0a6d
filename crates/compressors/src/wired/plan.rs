//! The tree of one group of neurons, as numbers of bits: which classes exist on each level, and which
//! counters compress them.

use std::collections::BTreeMap;

use super::Neuron;
use super::recipe::Recipe;
use crate::schedule::{COST_LUT, COST_REGISTER, Stage, one_stage};

/// Which neurons of the group count a class up, and which count it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    up: u8,
    down: u8,
}

impl Pattern {
    fn within(self, neurons: u8) -> Self {
        Self { up: self.up & neurons, down: self.down & neurons }
    }

    fn is_empty(self) -> bool {
        self.up | self.down == 0
    }

    /// Whether its first neuron counts down.
    fn is_flipped(self) -> bool {
        let first = (self.up | self.down).trailing_zeros();
        self.down >> first & 1 == 1
    }

    fn flip(self, flipped: bool) -> Self {
        if flipped { Self { up: self.down, down: self.up } } else { self }
    }
}

/// The bits of a class behind a row of registers. They stand for a number of ones among `total`
/// literals: the weighted sum of the bits, and `offset`.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) total: i64,
    pub(super) offset: i64,
    pub(super) counts: Vec<usize>,
}

impl State {
    /// The same when ones are zeros: each bit is inverted.
    fn flip(&self, flipped: bool) -> Self {
        let bits: i64 = self.counts.iter().enumerate().map(|(c, n)| (*n as i64) << c).sum();
        let offset = if flipped { self.total - self.offset - bits } else { self.offset };
        Self { offset, ..self.clone() }
    }
}

/// A state that is part of a class, and whether its ones count as zeros there.
pub(super) type Part = (usize, bool);

/// What one stage does with one class.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) parts: Vec<Part>,
    pub(super) stage: Stage,
}

/// The tree up to where each neuron has a heap of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// Literals of the first classes, which are the first states.
    pub(super) classes: Vec<Vec<(usize, bool)>>,
    /// The stages; their steps make the further states, in order.
    pub(super) stages: Vec<Vec<Step>>,
    pub(super) states: Vec<State>,
    /// What each neuron of the group adds up in the end.
    pub(super) heaps: Vec<Vec<Part>>,
    /// Tables and registers, as [`crate::schedule`] counts cost.
    pub(super) cost: u64,
}

/// A node of the tree: the neurons below it, and its classes.
struct Node {
    neurons: std::ops::Range<usize>,
    classes: Vec<(Pattern, Vec<Part>)>,
}

impl Plan {
    /// The tree of at most eight neurons.
    pub(super) fn new(neurons: &[&Neuron], recipe: &Recipe) -> Self {
        let mut plan = Self::default();
        let mut nodes = vec![plan.root(neurons)];
        for (size, rules) in recipe.levels() {
            nodes = nodes.iter().flat_map(|node| plan.split(node, size)).collect();
            for rule in rules {
                let mut known: BTreeMap<Vec<Part>, usize> = BTreeMap::new();
                let mut steps = Vec::new();
                for (_, parts) in nodes.iter_mut().flat_map(|node| &mut node.classes) {
                    let state = *known.entry(parts.clone()).or_insert_with(|| {
                        let whole = plan.whole(parts);
                        let (stage, luts, counts) =
                            one_stage(&whole.counts, rule.least, rule.adders);
                        plan.cost += luts * COST_LUT;
                        plan.cost += counts.iter().sum::<usize>() as u64 * COST_REGISTER;
                        plan.states.push(State { counts, ..whole });
                        steps.push(Step { parts: parts.clone(), stage });
                        plan.states.len() - 1
                    });
                    *parts = vec![(state, false)];
                }
                plan.stages.push(steps);
            }
        }
        plan.heaps = nodes
            .iter()
            .flat_map(|node| plan.split(node, 1))
            .map(|node| {
                let parts = node.classes.into_iter().flat_map(|(pattern, parts)| {
                    parts.into_iter().map(move |(s, flip)| (s, flip ^ pattern.is_flipped()))
                });
                parts.collect()
            })
            .collect();
        plan
    }

    /// All inputs in classes by their weights.
    fn root(&mut self, neurons: &[&Neuron]) -> Node {
        let inputs = neurons.first().map_or(0, |neuron| neuron.weights.len());
        let mut classes: BTreeMap<Pattern, Vec<(usize, bool)>> = BTreeMap::new();
        for input in 0..inputs {
            let with = |weight: i8| {
                let at =
                    |(n, neuron): (usize, &&Neuron)| u8::from(neuron.weights[input] == weight) << n;
                neurons.iter().enumerate().fold(0, |mask, neuron| mask | at(neuron))
            };
            let pattern = Pattern { up: with(1), down: with(-1) };
            if !pattern.is_empty() {
                let flipped = pattern.is_flipped();
                classes.entry(pattern.flip(flipped)).or_default().push((input, flipped));
            }
        }
        let classes = classes.into_iter().map(|(pattern, mut literals)| {
            // As few inverted literals as can be: some pins take plain bits only.
            let inverted = literals.iter().filter(|(_, inverted)| *inverted).count();
            let flipped = 2 * inverted > literals.len();
            literals.iter_mut().for_each(|(_, inverted)| *inverted ^= flipped);
            let total = literals.len();
            self.classes.push(literals);
            self.states.push(State { total: total as i64, offset: 0, counts: vec![total] });
            (pattern.flip(flipped), vec![(self.states.len() - 1, false)])
        });
        Node { neurons: 0..neurons.len(), classes: classes.collect() }
    }

    /// The nodes of at most `size` neurons each below a node; classes that become equal are joined.
    fn split(&self, node: &Node, size: usize) -> Vec<Node> {
        let starts = node.neurons.clone().step_by(size);
        let child = |start: usize| {
            let neurons = start..(start + size).min(node.neurons.end);
            let mask = neurons.clone().fold(0u8, |mask, n| mask | 1 << n);
            let mut joined: BTreeMap<Pattern, Vec<Part>> = BTreeMap::new();
            for (pattern, parts) in &node.classes {
                let pattern = pattern.within(mask);
                if !pattern.is_empty() {
                    let flipped = pattern.is_flipped();
                    let parts = parts.iter().map(|(state, flip)| (*state, flip ^ flipped));
                    joined.entry(pattern.flip(flipped)).or_default().extend(parts);
                }
            }
            let classes = joined.into_iter().map(|(pattern, parts)| self.upright(pattern, parts));
            Node { neurons, classes: classes.collect() }
        };
        starts.map(child).collect()
    }

    /// The class with the fewest inverted bits: of two opposite ones always the same.
    fn upright(&self, pattern: Pattern, mut parts: Vec<Part>) -> (Pattern, Vec<Part>) {
        parts.sort_unstable();
        let bits = |flipped: bool| -> usize {
            let these = parts.iter().filter(|(_, flip)| *flip == flipped);
            these.map(|(state, _)| self.states[*state].counts.iter().sum::<usize>()).sum()
        };
        let (plain, inverted) = (bits(false), bits(true));
        let flipped = inverted > plain || inverted == plain && parts[0].1;
        parts.iter_mut().for_each(|(_, flip)| *flip ^= flipped);
        (pattern.flip(flipped), parts)
    }

    /// The joined heap of a class.
    pub(super) fn whole(&self, parts: &[Part]) -> State {
        let empty = State { total: 0, offset: 0, counts: Vec::new() };
        parts.iter().fold(empty, |mut whole, (state, flipped)| {
            let part = self.states[*state].flip(*flipped);
            whole.total += part.total;
            whole.offset += part.offset;
            whole.counts.resize(whole.counts.len().max(part.counts.len()), 0);
            whole.counts.iter_mut().zip(&part.counts).for_each(|(all, more)| *all += more);
            whole
        })
    }
}
