//! Pipeline of label select: the input register, one register for each round of the tournament
//! between lanes, the best so far (or the sorted list), the output FIFO.

/// Cycles from taking the last word of a frame to offering its result.
pub fn latency(lanes: usize, k: usize) -> u64 {
    let rounds = if k == 1 { u64::from(lanes.next_power_of_two().ilog2()) } else { 0 };
    1 + rounds + 1 + 1
}
