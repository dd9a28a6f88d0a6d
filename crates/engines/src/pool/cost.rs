//! Estimated resources of the pool.

use crate::{Resources, lut_ram};
use dataflow::{Pool, Stream};

/// LUTs and flip-flops.
pub fn cost(pool: &Pool, input: &Stream, output: &Stream) -> Resources {
    let (lanes, bits) = (output.lanes as f64, f64::from(input.element.bits()));
    let taps = pool.taps as f64;
    // A bit needs a gate for six taps; more bits a compare and a choice for each two.
    let tree = if bits > 1.0 { 1.5 * bits * (taps - 1.0) } else { (taps / 5.0).floor() };
    let running = match (pool.words, bits > 1.0) {
        (1, _) => 0.0,
        (_, true) => 1.5 * bits,
        (_, false) => 1.0,
    };
    let queue = lut_ram(pool.credits, output.bits()) + 8.0;
    let registers = lanes * bits * (1.0 + (taps - 1.0) / 3.0);
    Resources::logic(lanes * (tree + running) + queue + 10.0, registers + 16.0)
}
