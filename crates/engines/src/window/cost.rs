//! Estimated resources of the sliding window unit.

use crate::{Resources, lut_ram, rom};
use dataflow::{MemoryStyle, SlidingWindow, Stream};

/// LUTs, flip-flops and block RAM.
pub fn cost(unit: &SlidingWindow, input: &Stream) -> Resources {
    let bits = input.bits();
    let ring = match unit.memory {
        MemoryStyle::Block => rom(unit.depth, bits, true) + Resources::logic(0.0, bits as f64),
        MemoryStyle::Lut => Resources::logic(lut_ram(unit.depth, bits), bits as f64),
    };
    let address = f64::from(usize::BITS - unit.depth.leading_zeros());
    // Counters, the address's adders, the compare of places with what has come.
    let control = Resources::logic(45.0 + 7.0 * address, 30.0 + 4.0 * address);
    let queue = Resources::logic(lut_ram(unit.credits, bits) + 8.0, 8.0);
    let padding = if unit.window.is_padded() { 12.0 + bits as f64 / 2.0 } else { 0.0 };
    ring + control + queue + Resources::logic(padding, padding / 2.0)
}
