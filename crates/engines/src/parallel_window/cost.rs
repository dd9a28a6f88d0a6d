//! Estimated resources of the parallel window unit.

use super::Raster;
use crate::{Resources, lut_ram, rom};
use dataflow::{MemoryStyle, ParallelWindow, Stream};

/// LUTs, flip-flops and block RAM.
pub fn cost(unit: &ParallelWindow, input: &Stream, output: &Stream) -> Resources {
    let raster = Raster::of(unit, input.lanes);
    let bits = input.bits();
    let lines = (unit.window.kernel[0] - 1) * bits;
    let delays = match (lines, unit.memory) {
        (0, _) => Resources::default(),
        (_, MemoryStyle::Block) => {
            rom(raster.delay(), lines, true) + Resources::logic(0.0, lines as f64)
        }
        (_, MemoryStyle::Lut) => Resources::logic(lut_ram(raster.delay(), lines), lines as f64),
    };
    let [_, _, words] = raster.counts();
    let column = unit.window.kernel[1] - 1;
    let slots = (0..unit.windows()).map(|w| raster.tap(w, [0, 0]).slots).max().unwrap_or(column);
    let history = (unit.window.kernel[0] * slots * words * bits) as f64;
    // Where words of a slot follow each other the history is shift registers of LUTs.
    let history = match words {
        1 => Resources::logic(0.0, history),
        _ => Resources::logic(history / words as f64 * words.div_ceil(16) as f64, 0.0),
    };
    let queue = Resources::logic(lut_ram(unit.credits, output.bits()) + 8.0, 8.0);
    let padding = if unit.window.is_padded() { output.bits() as f64 } else { 0.0 };
    let control = Resources::logic(40.0 + padding, 36.0);
    delays + history + queue + control
}
