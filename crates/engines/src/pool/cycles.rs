//! Pipeline of the pool.

use dataflow::Pool;

/// Registers of the tree that finds the best of `taps` elements of a word: four at a time.
pub fn tree_latency(taps: usize) -> u64 {
    u64::from(taps.next_power_of_two().ilog2().div_ceil(2))
}

/// Cycles from a completing step to the offer of its output word: the tree, the running maximum's
/// register, then the output FIFO.
pub fn latency(pool: &Pool) -> u64 {
    tree_latency(pool.taps) + 2
}
