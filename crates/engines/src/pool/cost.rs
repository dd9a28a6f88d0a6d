//! Estimated resources of the pool.

use crate::{Resources, lut_ram};
use dataflow::{Pool, Stream};

/// LUTs and flip-flops.
pub fn cost(pool: &Pool, input: &Stream) -> Resources {
    let (lanes, bits) = (input.lanes as f64, f64::from(input.element.bits()));
    // A bit needs one gate; more bits a compare and a choice.
    let per_lane = if bits > 1.0 { 1.5 * bits } else { 1.0 };
    let queue = lut_ram(pool.credits, input.bits()) + 8.0;
    Resources::logic(lanes * per_lane + queue + 10.0, lanes * bits + 16.0)
}
