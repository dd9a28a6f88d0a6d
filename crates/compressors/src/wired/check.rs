//! The proof of wired layers by composition.
//!
//! Every counter gives bits with the weighted sum of those that it takes, found by trying all values
//! of these, and reads nothing but what is there in its stage. So the sum of a neuron, which has one
//! bit for each column, can be followed back through the tree: where the bits that a counter gives
//! weigh as its columns say, they are the bits that it takes. What is left in the end are the inputs,
//! each with the weight of the matrix, and the constant. No vector needs to be tried.

use std::collections::BTreeSet;

use super::{Group, Neuron, Output, Wired};
use crate::bit::{Bit, Wire};
use crate::counter::Counter;
use crate::netlist::Netlist;

/// What is wrong with a wired layer. Neurons are counted as in the matrix, stages from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miswired {
    /// A neuron is in no group, or more than once.
    #[error("neuron {0} is not computed exactly once")]
    Neurons(usize),
    /// A neuron is said to be decided, and an input can change it.
    #[error("neuron {0} is not decided as it is said to be")]
    Decided(usize),
    /// Groups differ in latency.
    #[error("group {0} has another latency")]
    Latency(usize),
    /// A wire is read in a stage where it is not there.
    #[error("wire {} is not there in stage {stage}", .wire.index())]
    Absent {
        /// The wire.
        wire: Wire,
        /// The stage.
        stage: usize,
    },
    /// A wire has two drivers.
    #[error("wire {} has two drivers", .0.index())]
    Driven(Wire),
    /// A counter does not keep the sum, reads what it does not take, or does not fit into its chain.
    #[error("a counter of stage {stage} that takes {takes:?} is broken")]
    Counter {
        /// The stage.
        stage: usize,
        /// What it takes.
        takes: Vec<(Bit, usize)>,
    },
    /// The bits that a counter gives are not used as its sum.
    #[error("neuron {neuron} uses the counter that takes {takes:?} not as a sum")]
    Torn {
        /// The neuron.
        neuron: usize,
        /// What it takes.
        takes: Vec<(Bit, usize)>,
    },
    /// An input has another weight.
    #[error("neuron {neuron} has another weight at input {input}")]
    Weight {
        /// The neuron.
        neuron: usize,
        /// The input.
        input: usize,
    },
    /// Something else is added.
    #[error("neuron {0} adds another constant")]
    Constant(usize),
    /// The sum has too few columns, or the output is not what is wanted of it.
    #[error("the output of neuron {0} is not that of its sum")]
    Output(usize),
}

impl Wired {
    /// Proves that the trees compute these neurons.
    pub fn check(&self, neurons: &[Neuron]) -> Result<(), Miswired> {
        let all = self.groups.iter().flat_map(|group| group.neurons.iter().copied());
        let mut all: Vec<usize> = all.chain(self.decided.iter().map(|(n, _)| *n)).collect();
        all.sort_unstable();
        if let Some(odd) = (0..neurons.len().max(all.len())).find(|n| all.get(*n) != Some(n)) {
            return Err(Miswired::Neurons(odd));
        }
        for (number, value) in &self.decided {
            if neurons[*number].decided(self.output) != Some(*value) {
                return Err(Miswired::Decided(*number));
            }
        }
        for (number, group) in self.groups.iter().enumerate() {
            if group.netlist.latency() != self.latency {
                return Err(Miswired::Latency(number));
            }
            let exact = group.netlist.check_cells()?;
            let outputs = group.netlist.outputs.chunks(self.output.bits());
            for (number, (sum, outputs)) in group.neurons.iter().zip(group.sums.iter().zip(outputs))
            {
                group.check_neuron(
                    *number,
                    &neurons[*number],
                    self.output,
                    (sum, outputs),
                    &exact,
                )?;
            }
        }
        Ok(())
    }
}

impl Netlist {
    /// Checks all cells and when wires are there. Gives, for each counter, the power of two modulo
    /// which it keeps the sum.
    fn check_cells(&self) -> Result<Vec<u32>, Miswired> {
        let mut exact = Vec::new();
        let mut driven: BTreeSet<Wire> = (0..self.inputs as u32).map(Wire).collect();
        let mut there = driven.clone();
        for (stage, content) in self.stages.iter().enumerate() {
            let needs = |there: &BTreeSet<Wire>, wire: Wire| {
                there.contains(&wire).then_some(()).ok_or(Miswired::Absent { wire, stage })
            };
            for chain in &content.chains {
                let mut below = None;
                for counter in chain {
                    let broken = || Miswired::Counter { stage, takes: counter.takes.clone() };
                    let wires = counter.takes.iter().filter_map(|(bit, _)| bit.wire);
                    wires.into_iter().try_for_each(|wire| needs(&there, wire))?;
                    let difference = counter.difference().ok().flatten().ok_or_else(broken)?;
                    exact.push(difference.trailing_zeros());
                    if !counter.fits_chain(below) {
                        return Err(broken());
                    }
                    below = counter.carry_out().or(below);
                    for wire in counter.drives() {
                        if !driven.insert(wire) {
                            return Err(Miswired::Driven(wire));
                        }
                        there.insert(wire);
                    }
                }
            }
            let mut behind = BTreeSet::new();
            for (from, to) in &content.registers {
                needs(&there, *from)?;
                if !driven.insert(*to) {
                    return Err(Miswired::Driven(*to));
                }
                behind.insert(*to);
            }
            there = behind;
        }
        for wire in self.outputs.iter().filter_map(|bit| bit.wire) {
            if !there.contains(&wire) {
                return Err(Miswired::Absent { wire, stage: self.stages.len() });
            }
        }
        Ok(exact)
    }

    /// The bit in front of all registers in a row that end in this one.
    fn before_registers(&self, bit: Bit) -> Bit {
        self.stages.iter().rev().fold(bit, |bit, stage| {
            let from = bit.wire.and_then(|w| stage.registers.iter().find(|(_, to)| *to == w));
            from.map_or(bit, |(from, _)| Bit { wire: Some(*from), ..bit })
        })
    }
}

impl Group {
    /// Follows the sum of a neuron back to the inputs.
    fn check_neuron(
        &self,
        number: usize,
        neuron: &Neuron,
        output: Output,
        (sum, outputs): (&[Bit], &[Bit]),
        exact: &[u32],
    ) -> Result<(), Miswired> {
        let width = sum.len();
        let holds = match output {
            Output::Sign => {
                let (low, high) = neuron.range();
                (1..63).contains(&width) && low >= -1 << (width - 1) && high < 1 << (width - 1)
            }
            Output::Sum { bits, .. } => width == bits,
        };
        let wanted = if output == Output::Sign { &sum[width.saturating_sub(1)..] } else { sum };
        let before = |bit: &Bit| self.netlist.before_registers(*bit);
        if !holds || !wanted.iter().map(before).eq(outputs.iter().map(before)) {
            return Err(Miswired::Output(number));
        }
        let mut form = Form { weights: vec![0; self.netlist.wires], constant: 0 };
        sum.iter().enumerate().for_each(|(column, bit)| form.add(*bit, 1 << column));
        let mut exact = exact.iter().rev();
        for stage in self.netlist.stages.iter().rev() {
            for (from, to) in &stage.registers {
                let weight = std::mem::take(&mut form.weights[to.index()]);
                form.add((*from).into(), weight);
            }
            for counter in stage.chains.iter().rev().flat_map(|chain| chain.iter().rev()) {
                let exact = exact.next().copied().unwrap_or(0);
                if !form.replace(counter, exact, width) {
                    return Err(Miswired::Torn { neuron: number, takes: counter.takes.clone() });
                }
            }
        }
        let modulus = (1i64 << width) - 1;
        let scale = 1i64 << output.shift();
        for (input, weight) in neuron.weights.iter().enumerate() {
            if (form.weights[input] - scale * i64::from(*weight)) & modulus != 0 {
                return Err(Miswired::Weight { neuron: number, input });
            }
        }
        let inverted = neuron.weights.iter().filter(|weight| **weight < 0).count() as i64;
        let mut constant = neuron.constant + scale * inverted;
        if output == Output::Sign {
            constant += 1 << (width - 1);
        }
        if (form.constant - constant) & modulus != 0 {
            return Err(Miswired::Constant(number));
        }
        Ok(())
    }
}

/// A weighted sum of wires, and a constant.
struct Form {
    weights: Vec<i64>,
    constant: i64,
}

impl Form {
    fn add(&mut self, bit: Bit, weight: i64) {
        let Some(wire) = bit.wire else {
            self.constant += if bit.inverted { weight } else { 0 };
            return;
        };
        let place = &mut self.weights[wire.index()];
        if bit.inverted {
            self.constant += weight;
            *place -= weight;
        } else {
            *place += weight;
        }
    }

    /// Puts what a counter takes in the place of what it gives, if this is used as a sum: `exact`
    /// columns of it are.
    fn replace(&mut self, counter: &Counter, exact: u32, width: usize) -> bool {
        let Some((first, column)) = counter.gives.first() else {
            return counter.drives().all(|wire| self.weights[wire.index()] == 0);
        };
        let factor = self.weights[first.index()] >> column;
        for (wire, column) in &counter.gives {
            if std::mem::take(&mut self.weights[wire.index()]) != factor << column {
                return false;
            }
        }
        if counter.drives().any(|wire| self.weights[wire.index()] != 0) {
            return false;
        }
        if factor != 0 && ((exact + factor.trailing_zeros()) as usize) < width {
            return false;
        }
        counter.takes.iter().for_each(|(bit, column)| self.add(*bit, factor << column));
        true
    }
}
