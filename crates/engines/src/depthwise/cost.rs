//! Estimated resources of the depthwise convolution unit.

use crate::{Resources, lut_ram, rom, threshold};
use dataflow::{Depthwise, MemoryStyle, Stream};
use tensor::ElementType;

/// LUTs, flip-flops and block RAM.
pub fn cost(unit: &Depthwise, input: &Stream, output: &Stream) -> Resources {
    let pe = input.lanes;
    let (lanes, sum) = (pe as f64, f64::from(unit.accumulator_bits));
    let groups = unit.channels / pe;
    let word = Resources::logic(0.0, input.bits() as f64);
    let products = unit.weight.map_or(Resources::default(), |weight| {
        let depth = if unit.weight_memory == MemoryStyle::Block { 2.0 } else { 1.0 };
        let weights = rom(
            groups * unit.taps,
            pe * weight.bits() as usize,
            unit.weight_memory == MemoryStyle::Block,
        );
        let (luts, bits) = product(weight, input.element);
        let waits = (depth - 1.0) * input.bits() as f64;
        weights + Resources::logic(lanes * luts, lanes * bits + waits)
    });
    let sums = Resources::logic(if unit.taps > 1 { lanes * sum } else { 0.0 }, lanes * sum);
    let decide = if unit.thresholds > 0 {
        threshold::unit_cost(
            pe,
            unit.accumulator_bits as usize,
            unit.thresholds,
            groups,
            unit.threshold_memory == MemoryStyle::Block,
        )
    } else {
        Resources::logic(0.0, lanes * sum)
    };
    let queue = Resources::logic(lut_ram(unit.credits, output.bits()) + 8.0, 8.0);
    word + products + sums + decide + queue + Resources::logic(14.0, 20.0)
}

/// LUTs and bits of a product, as synthesis makes it: little more than the sign where one operand is a
/// bit, else a little less than a LUT for each pair of bits.
fn product(weight: ElementType, input: ElementType) -> (f64, f64) {
    let (w, x) = (f64::from(weight.bits()), f64::from(input.bits()));
    let (narrow, wide) = (w.min(x), w.max(x));
    let luts = if narrow > 1.0 { 0.85 * wide * narrow } else { 1.5 };
    (luts, w + x + 1.0)
}
