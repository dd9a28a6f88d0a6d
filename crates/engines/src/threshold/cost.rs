//! Estimated resources of threshold units.

use crate::mvu::level_bits;
use crate::{Resources, lut_ram, rom};
use dataflow::{MemoryStyle, Stream, Threshold};

/// The bisection for `lanes` values of `bits` bits, with `words` sets of thresholds.
pub fn unit_cost(
    lanes: usize,
    bits: usize,
    thresholds: usize,
    words: usize,
    block: bool,
) -> Resources {
    let n = lanes as f64;
    (0..level_bits(thresholds) as usize)
        .map(|stage| {
            let memory = if stage == 0 {
                rom(words, lanes * bits, block && words > 1)
            } else {
                let one = rom(words << stage, bits, block && words << stage > 64);
                Resources {
                    luts: one.luts * n,
                    ffs: one.ffs * n,
                    bram36: one.bram36 * n,
                    dsps: 0.0,
                }
            };
            let registers = if stage == 0 { 1.0 } else { 2.0 * bits as f64 + 2.0 };
            memory + Resources::logic(n * bits as f64 / 2.0, n * registers)
        })
        .sum()
}

/// The whole stand-alone engine.
pub fn cost(t: &Threshold, input: &Stream, output: &Stream) -> Resources {
    let words = if t.shared { 1 } else { input.words_per_frame() };
    let bits = input.element.bits() as usize + 2;
    let unit = unit_cost(input.lanes, bits, t.thresholds, words, t.memory == MemoryStyle::Block);
    let fifo = Resources::logic(lut_ram(t.credits, output.bits()) + 8.0, 16.0);
    unit + fifo + Resources::logic(10.0, input.bits() as f64)
}
