//! Pipeline of the stand-alone threshold unit: the input register, the bisection (see the
//! matrix-vector-threshold unit), the output FIFO.

use crate::mvu::bisection_latency;
use dataflow::Threshold;

/// Cycles from taking a word to offering its result.
pub fn latency(threshold: &Threshold) -> u64 {
    1 + bisection_latency(threshold.thresholds) + 1
}
