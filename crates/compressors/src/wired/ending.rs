//! The end of a tree: the heap of one neuron.

use super::plan::{Part, Plan};
use super::{Neuron, Output};
use crate::schedule::{COST_REGISTER, COST_STAGE, Schedule, Search, schedules};

/// Stages that a heap may take, its last chain among them.
pub(super) const MOST_STAGES: usize = 12;

/// What no heap should cost: it cannot be compressed in so few stages.
const IMPOSSIBLE: u64 = 1 << 40;

/// The heap of one neuron, as numbers of bits.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    /// Bits of each column without those of the constant.
    bits: Vec<usize>,
    /// What is added, modulo the width.
    pub(super) constant: u64,
    /// Columns of the sum.
    pub(super) width: usize,
    pub(super) output: Output,
}

impl Ending {
    pub(super) fn new(plan: &Plan, parts: &[Part], neuron: &Neuron, output: Output) -> Self {
        let whole = plan.whole(parts);
        let (width, shift) = (neuron.width(output), output.shift());
        let mut bits = vec![0; width];
        let columns = bits.iter_mut().skip(shift);
        columns.zip(&whole.counts).for_each(|(column, count)| *column = *count);
        let constant = neuron.start(output).wrapping_add(whole.offset << shift);
        Self { bits, constant: constant as u64 & ((1 << width) - 1), width, output }
    }

    /// Bits of each column that need to be added up: columns of one bit at the low end decide
    /// nothing where only the sign counts.
    pub(super) fn counts(&self) -> Vec<usize> {
        let constant = (0..self.width).map(|column| (self.constant >> column & 1) as usize);
        let mut counts: Vec<usize> = self.bits.iter().zip(constant).map(|(b, c)| b + c).collect();
        if self.output == Output::Sign {
            let low = counts.iter().take(self.width - 1).take_while(|count| **count <= 1).count();
            counts[..low].fill(0);
        }
        counts
    }

    /// The best schedules with 1, 2, ... stages.
    pub(super) fn schedules(&self, search: &Search) -> Vec<Option<Schedule>> {
        schedules(&self.counts(), MOST_STAGES, search)
    }

    /// What it costs at most to have the result of one of these behind 1, 2, ... stages.
    pub(super) fn costs(&self, all: &[Option<Schedule>]) -> Vec<u64> {
        let outputs = if self.output == Output::Sign { 1 } else { self.width as u64 };
        let mut best = IMPOSSIBLE;
        let costs = all.iter().map(|schedule| {
            let cost = schedule.as_ref().map_or(IMPOSSIBLE, |schedule| schedule.cost);
            best = (best + outputs * COST_REGISTER + COST_STAGE).min(cost);
            best
        });
        costs.collect()
    }
}

/// The number of stages with which all endings together cost least.
pub(super) fn stages(costs: impl Iterator<Item = Vec<u64>>) -> usize {
    let mut all = [0u64; MOST_STAGES];
    for costs in costs {
        all.iter_mut().zip(costs).for_each(|(all, more)| *all += more);
    }
    let best = (0..MOST_STAGES).min_by_key(|number| all[*number]).unwrap_or(0);
    best + 1
}
