//! Estimated resources of the fixed-point channel unit.

use crate::{Resources, lut_ram, rom};
use dataflow::{ChannelAffine, Stream};

/// One multiplier for each lane, in DSP slices.
pub fn cost(a: &ChannelAffine, input: &Stream, output: &Stream) -> Resources {
    let lanes = input.lanes as f64;
    let (x, m) = (input.element.bits() as usize, a.multiplier.bits() as usize);
    let dsps = lanes * (x.div_ceil(18) * m.div_ceil(25)).max(1) as f64;
    let constants = (m + a.addend.bits() as usize) * input.lanes;
    let memory = rom(input.words_per_frame(), constants, false);
    let out = f64::from(output.element.bits());
    let fifo = Resources::logic(lut_ram(a.credits, output.bits()) + 8.0, 16.0);
    let mut total = memory + fifo + Resources::logic(10.0 + lanes * out, lanes * (out + x as f64));
    total.dsps = dsps;
    total
}
