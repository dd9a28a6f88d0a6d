//! Pipeline of the pool.

/// Cycles from a completing step to the offer of its output word: the running maximum's register,
/// then the output FIFO.
pub const LATENCY: u64 = 2;
