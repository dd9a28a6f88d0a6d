//! Estimated resources of label select.

use crate::{Resources, lut_ram};
use dataflow::{LabelSelect, Stream};

/// A comparator and two multiplexers for each match of the tournament, or each rank of the list.
pub fn cost(l: &LabelSelect, input: &Stream, output: &Stream) -> Resources {
    let value = f64::from(input.element.bits());
    let index = f64::from(output.element.bits());
    let matches = input.lanes as f64 + l.k as f64 - 1.0;
    let luts = matches * (value / 2.0 + (value + index) * 0.6) + 20.0;
    let ffs = matches * (value + index) + input.bits() as f64 + 20.0;
    Resources::logic(luts + lut_ram(l.credits, output.bits()) + 8.0, ffs + 8.0)
}
