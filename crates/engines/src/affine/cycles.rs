//! Pipeline of the fixed-point channel unit: the input and its constants, the product, the sum,
//! the output FIFO.

/// Cycles from taking a word to offering its result.
pub const LATENCY: u64 = 4;
