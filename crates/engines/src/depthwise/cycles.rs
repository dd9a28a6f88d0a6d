//! Pipeline of the depthwise convolution unit.
//!
//! A step in cycle c is followed by these registers, one a cycle:
//! 1. the input word, and the weight memory's output;
//! 2. with weights in block RAM: the memory's output register, the input word again;
//! 3. the products, unless all weights are 1;
//! 4. the sums;
//! 5. thresholds by bisection (see the matrix-vector-threshold unit), or without thresholds one
//!    register for what is taken off at borders;
//!
//! then the output FIFO, written one cycle and readable the next.

use crate::mvu::bisection_latency;
use dataflow::{Depthwise, MemoryStyle};

/// Cycles from a completing step to the offer of its output word.
pub fn latency(unit: &Depthwise) -> u64 {
    let products = match (unit.weight, unit.weight_memory) {
        (None, _) => 1,
        (Some(_), MemoryStyle::Lut) => 2,
        (Some(_), MemoryStyle::Block) => 3,
    };
    let end = if unit.thresholds > 0 { bisection_latency(unit.thresholds) } else { 1 };
    products + 1 + end + 1
}
