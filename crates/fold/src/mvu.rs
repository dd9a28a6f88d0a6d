//! Matrix-vector units in the chain.

use crate::build::{Chain, style};
use crate::file::LayerFold;
use crate::wired;
use dataflow::{Dot, EngineKind, MemoryStyle, Mvu, Stream};
use engines::full_rate_credits;
use engines::mvu::{Encoding, Group, groups};
use streamline::{Dense, Layer, LayerOp};
use tensor::ElementType;

/// How vectors come to a matrix-vector unit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Feed {
    /// Anew for every pass.
    pub(crate) replayed: bool,
    /// Taps of a word.
    pub(crate) taps: usize,
    /// Vectors of a word.
    pub(crate) pixels: usize,
    /// The longest time in which none comes though nothing holds it up, in cycles.
    pub(crate) gap: usize,
}

impl Default for Feed {
    fn default() -> Self {
        Self { replayed: false, taps: 1, pixels: 1, gap: 0 }
    }
}

impl Chain<'_> {
    pub(crate) fn mvu(&mut self, layer: &Layer, folding: &LayerFold, dense: &Dense, feed: Feed) {
        let input = self.last().clone();
        let (rows, columns) = dense.weights.dim();
        let pe = folding.pe.unwrap_or(1);
        let thresholds = dense.thresholds.as_ref().map_or(0, |t| t.values.ncols());
        let (classes, gaps) = match &layer.op {
            LayerOp::Conv(conv) => {
                let borders = conv.borders();
                (borders.count(), borders.has_gaps(&conv.window))
            }
            _ => (1, false),
        };
        let mut mvu = Mvu {
            rows,
            columns,
            pe,
            simd: input.lanes / feed.pixels,
            taps: feed.taps,
            vectors: feed.pixels,
            weight: dense.weight,
            dot: folding.dot.unwrap_or(Dot::Planes),
            levels: self.network.levels(layer),
            accumulator_bits: 1,
            thresholds,
            from_threshold: false,
            trees: None,
            weight_memory: MemoryStyle::Lut,
            threshold_memory: MemoryStyle::Lut,
            replayed: feed.replayed,
            buffer_words: 0,
            credits: 1,
        };
        let (sf, nf) = (mvu.synapse_fold(), mvu.neuron_fold());
        mvu.weight_memory = style(folding.weights, sf * nf);
        mvu.threshold_memory = style(folding.thresholds, nf * classes);
        if nf > 1 && !feed.replayed {
            // Two vectors, and those that are worked on while none comes.
            let vectors = 2 + feed.gap.div_ceil(sf * nf);
            mvu.buffer_words = folding.buffer.unwrap_or(vectors * sf).max(sf);
        }
        let output = Stream {
            element: layer.element,
            lanes: pe * feed.pixels,
            elements: layer.map.elements(),
            pixel: rows * feed.pixels,
            ..input.clone()
        };
        let with = |dot: Dot| {
            let groups = groups(dot, input.element, mvu.levels);
            let bits = || accumulator_bits(dense, input.element, &groups, gaps);
            let accumulator_bits = self.widths.of(&layer.name, (dot, false), bits);
            let mut unit = Mvu { dot, accumulator_bits, ..mvu.clone() };
            if classes == 1 && unit.can_start_from_threshold() {
                unit.from_threshold = true;
                let bits = || starting_bits(dense, input.element, &groups);
                unit.accumulator_bits = self.widths.of(&layer.name, (dot, true), bits);
            }
            unit
        };
        let mut mvu = match folding.dot {
            Some(dot) => with(dot),
            None => {
                let possible = |dot: &Dot| {
                    dot.takes(dense.weight, input.element)
                        && (*dot != Dot::Wired || wired::is_possible(&mvu, layer))
                };
                let all = Dot::ALL.into_iter().filter(possible).map(with);
                let cost = |mvu: &Mvu| engines::mvu::cost(mvu, &input, &output).luts;
                all.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("planes are always possible")
            }
        };
        mvu.credits = full_rate_credits(engines::mvu::latency(&mvu, input.element), sf);
        self.push(&layer.name, &layer.name, EngineKind::Mvu(mvu), output);
    }
}

/// The smallest and the largest sum of a row when all of its columns count.
pub(crate) fn row_sums<'r>(row: impl Iterator<Item = &'r i64>, input: ElementType) -> (i64, i64) {
    let bounds = row.map(|w| (w * input.min(), w * input.max()));
    bounds.fold((0, 0), |(l, h), (a, b)| (l + a.min(b), h + a.max(b)))
}

/// Two's complement bits of accumulators that start at minus their threshold.
fn starting_bits(dense: &Dense, input: ElementType, groups: &[Group]) -> u32 {
    let columns = dense.weights.ncols() as i64;
    let mut range = (-1, 0);
    for (row, thresholds) in
        dense.weights.rows().into_iter().zip(dense.thresholds.iter().flat_map(|t| t.values.rows()))
    {
        let encoding = Encoding::of(&row.to_vec(), dense.weight, input, groups);
        let start = encoding.start(thresholds[0], columns);
        range = (range.0.min(start), range.1.max(start + columns));
    }
    ElementType::smallest(range.0, range.1).bits()
}

/// Two's complement bits that hold every count of the unit, and one more above for thresholds that
/// are never reached.
fn accumulator_bits(dense: &Dense, input: ElementType, groups: &[Group], gaps: bool) -> u32 {
    let mut range = (-1, 1);
    for row in dense.weights.rows() {
        let (mut low, mut high) = dense.accumulator;
        if gaps {
            // All columns count in hardware, those that stand in the padding too.
            let full = row_sums(row.iter(), input);
            (low, high) = (low.min(full.0), high.max(full.1));
        }
        let encoding = Encoding::of(&row.to_vec(), dense.weight, input, groups);
        range.0 = range.0.min(encoding.count_threshold(low) - 1);
        range.1 = range.1.max(encoding.count_threshold(high + 1));
    }
    ElementType::smallest(range.0, range.1).bits()
}
