//! Pipeline of the matrix-vector-threshold unit.
//!
//! A step in cycle c is followed by these registers, one a cycle:
//! 1. the input word, and the weight memory's output;
//! 2. with weights in block RAM: the memory's output register, the input word again;
//! 3. the dot product: the popcount tree of each weight plane with each group of input bits (groups
//!    of six products, then pairs) and the weighted sum of several, by pairs; or a tree of adders, by
//!    pairs of products with a weight plane;
//! 4. the accumulator;
//! 5. thresholds by bisection: the first compare takes one register, each further bit two (the
//!    threshold looked up, the compare); or without thresholds one register for the start value;
//!    none for a threshold that the accumulator starts from;
//!
//! then the output FIFO, written one cycle and readable the next.
//!
//! With `dot = "carries"` the input word has two registers whatever the memory (its parities are
//! between them), and the dot product and the accumulator are one tree ([`compressors::Row`]), whose
//! last register is the accumulator. With `dot = "wired"` the trees behind the input word give the
//! results ([`dataflow::Trees`]).

use super::groups;
use compressors::Row;
use dataflow::{Dot, MemoryStyle, Mvu};
use std::sync::Arc;
use tensor::ElementType;

/// Registers of trees of wires before they are planted.
const TREES_LATENCY: u64 = 10;

/// Bit planes of an operand: one for each bit.
pub fn planes(element: ElementType) -> usize {
    element.bits() as usize
}

/// Registers of a popcount of `inputs` bits: one for groups of six, one for each level of pairs.
pub fn popcount_latency(inputs: usize) -> u64 {
    1 + u64::from(inputs.div_ceil(6).next_power_of_two().ilog2())
}

/// Bits of a level among `thresholds` + 1: steps of the bisection.
pub fn level_bits(thresholds: usize) -> u32 {
    usize::BITS - thresholds.leading_zeros()
}

/// Registers of a bisection over `thresholds` thresholds, at least 1.
pub fn bisection_latency(thresholds: usize) -> u64 {
    1 + 2 * u64::from(level_bits(thresholds) - 1)
}

/// Registers of a tree that adds `terms` terms by pairs.
fn pairs_latency(terms: usize) -> u64 {
    u64::from(terms.next_power_of_two().ilog2())
}

/// Registers in front of a row's dot product.
pub fn operand_latency(mvu: &Mvu) -> u64 {
    match (mvu.weight_memory, mvu.dot) {
        (_, Dot::Wired) => 1,
        (MemoryStyle::Block, _) | (_, Dot::Carries) => 2,
        (MemoryStyle::Lut, _) => 1,
    }
}

/// Registers of a row's dot product and its accumulator.
pub fn sum_latency(mvu: &Mvu, input: ElementType) -> u64 {
    let groups = groups(mvu.dot, input, mvu.levels);
    match mvu.dot {
        Dot::Planes | Dot::Thermometer => {
            let widest = groups.iter().map(|g| g.bits).max().unwrap_or(1);
            let counts = planes(mvu.weight) * groups.len();
            popcount_latency(mvu.simd * widest) + pairs_latency(counts) + 1
        }
        Dot::Add => pairs_latency(planes(mvu.weight) * mvu.simd).max(1) + 1,
        Dot::Carries => row(mvu).latency() as u64,
        Dot::Wired => mvu.trees.map_or(TREES_LATENCY, |trees| trees.latency),
    }
}

/// The counter of a row with `dot = "carries"`.
pub fn row(mvu: &Mvu) -> Arc<Row> {
    Row::of(mvu.simd, mvu.accumulator_bits as usize, mvu.synapse_fold() > 1)
}

/// Cycles from a completing step to the offer of its output word.
pub fn latency(mvu: &Mvu, input: ElementType) -> u64 {
    let end = match mvu.thresholds {
        _ if mvu.from_threshold || mvu.dot == Dot::Wired => 0,
        0 => 1,
        thresholds => bisection_latency(thresholds),
    };
    operand_latency(mvu) + sum_latency(mvu, input) + end + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipeline_depths() {
        assert_eq!([1, 6, 7, 12, 13, 784].map(popcount_latency), [1, 1, 2, 2, 3, 9]);
        assert_eq!([1, 2, 3, 4, 7, 255].map(level_bits), [1, 2, 2, 3, 3, 8]);
        assert_eq!([1, 3, 255].map(bisection_latency), [1, 3, 15]);
    }
}
