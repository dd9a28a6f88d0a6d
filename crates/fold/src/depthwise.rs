//! Depthwise convolutions and average pools: the engine of a folding.

use crate::build::style;
use crate::file::LayerFold;
use crate::mvu::row_sums;
use dataflow::{Depthwise, Stream};
use engines::full_rate_credits;
use streamline::Conv;
use tensor::ElementType;

/// The engine behind a stream of windows, with as many channels in parallel as the stream has lanes.
pub(crate) fn engine(conv: &Conv, input: &Stream, folding: &LayerFold) -> Depthwise {
    let dense = &conv.dense;
    let (channels, taps) = dense.weights.dim();
    let groups = channels / input.lanes;
    let mut unit = Depthwise {
        channels,
        taps,
        weight: (!conv.is_sum()).then_some(dense.weight),
        accumulator_bits: accumulator_bits(conv, input.element),
        thresholds: dense.thresholds.as_ref().map_or(0, |t| t.values.ncols()),
        weight_memory: style(folding.weights, groups * taps),
        threshold_memory: style(folding.thresholds, groups * conv.borders().count()),
        credits: 1,
    };
    unit.credits = full_rate_credits(engines::depthwise::latency(&unit), taps);
    unit
}

/// Two's complement bits that hold every sum, and one more above for thresholds that are never
/// reached.
fn accumulator_bits(conv: &Conv, input: ElementType) -> u32 {
    let (mut low, mut high) = conv.dense.accumulator;
    if conv.borders().has_gaps(&conv.window) {
        // All taps count in hardware, those that stand in the padding too.
        for row in conv.dense.weights.rows() {
            let full = row_sums(row.iter(), input);
            (low, high) = (low.min(full.0), high.max(full.1));
        }
    }
    ElementType::smallest(low.min(0) - 1, high.max(0) + 1).bits()
}
