//! All foldings of each layer, with what they take and their cycles.
//!
//! A folding is priced by building it: the engines of the layer alone, behind words as it takes them.

use crate::build::{Chain, taken};
use crate::file::{LayerFold, divisors};
use crate::map_units::needs_window;
use crate::widths::Widths;
use crate::windows::pixels_at_once;
use dataflow::{Dot, MemoryStyle, OUTSIDE, Stream};
use engines::Resources;
use std::collections::BTreeMap;
use streamline::{Conv, Dense, Layer, LayerOp, Pool, Streamlined};
use tensor::ElementType;

/// Memories with fewer words are not worth a block RAM.
const SHALLOWEST_BLOCK: usize = 16;

/// Deepest weight memory that is tried in LUTs.
const DEEPEST_LUT: usize = 4096;

/// How words lie in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Words {
    /// Elements of a word.
    pub(crate) lanes: usize,
    /// Elements that words do not straddle: a pixel, or several.
    pub(crate) pixel: usize,
}

impl Words {
    pub(crate) fn of(stream: &Stream) -> Self {
        Self { lanes: stream.lanes, pixel: stream.pixel }
    }
}

/// Elements of a stream, however they lie in words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Elements {
    pub(crate) element: ElementType,
    /// In a frame.
    pub(crate) count: usize,
}

impl Elements {
    pub(crate) fn stream(self, words: Words) -> Stream {
        let Self { element, count: elements } = self;
        let Words { lanes, pixel } = words;
        Stream { name: String::new(), element, lanes, elements, pixel, from: OUTSIDE, to: 0 }
    }
}

/// One way to fold a layer.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// What it takes.
    pub(crate) input: Words,
    /// What it puts out.
    pub(crate) output: Words,
    /// Empty for layers that have nothing to choose.
    pub(crate) fold: LayerFold,
    /// Cycles of a frame.
    pub(crate) cycles: u64,
    pub(crate) resources: Resources,
}

/// A layer with all its foldings.
pub(crate) struct Candidate<'n> {
    pub(crate) layer: &'n Layer,
    /// Its input.
    pub(crate) input: Elements,
    /// None where the layer takes words as they come.
    pub(crate) choices: Vec<Choice>,
}

/// All layers, in order.
pub(crate) fn candidates<'n>(network: &'n Streamlined, widths: &Widths) -> Vec<Candidate<'n>> {
    let mut input = Elements { element: network.input.element, count: network.input.elements() };
    let mut candidates = Vec::new();
    for layer in &network.layers {
        let folds = match &layer.op {
            LayerOp::Dense(dense) => dense_folds(layer, dense, input),
            LayerOp::Conv(conv) if conv.is_depthwise() => depthwise_folds(layer, conv),
            LayerOp::Conv(conv) => conv_folds(conv, input),
            LayerOp::Pool(pool) => pool_folds(pool),
            LayerOp::Threshold(_) | LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => {
                Vec::new()
            }
        };
        let priced = folds.into_iter().map(|fold| priced(network, widths, layer, input, fold));
        candidates.push(Candidate { layer, input, choices: best(priced) });
        input = Elements { element: layer.element, count: layer.elements() };
    }
    candidates
}

/// The engines of a layer behind words as a folding takes them.
fn priced(
    network: &Streamlined,
    widths: &Widths,
    layer: &Layer,
    input: Elements,
    fold: LayerFold,
) -> Choice {
    // Which pixels the words lie in follows from the layer; their lanes are looked up afterwards.
    let channels = match &layer.op {
        LayerOp::Conv(conv) => conv.input.channels,
        LayerOp::Pool(pool) => pool.input.channels,
        LayerOp::Dense(_)
        | LayerOp::Threshold(_)
        | LayerOp::ChannelAffine(_)
        | LayerOp::LabelSelect { .. } => input.count,
    };
    let any = input.stream(Words { lanes: 1, pixel: channels });
    let (lanes, pixel) = taken(layer, &fold, &any);
    let words = Words { lanes, pixel };
    let mut chain = Chain::from(network, widths, input.stream(words));
    // Input buffers are priced with the fewest words that they can have; most are not deeper.
    let serial = matches!(&layer.op, LayerOp::Conv(conv) if !fold.parallel_window && needs_window(conv))
        || matches!(&layer.op, LayerOp::Pool(_));
    let buffer = (!serial).then_some(1);
    chain.layer(layer, &LayerFold { buffer, ..fold.clone() });
    let output = Words::of(chain.last());
    let (resources, cycles) = chain.cost();
    Choice { input: words, output, fold, cycles, resources }
}

/// The choices that no other with the same words is better than in every respect.
fn best(choices: impl Iterator<Item = Choice>) -> Vec<Choice> {
    let mut groups: BTreeMap<(Words, Words), Vec<Choice>> = BTreeMap::new();
    for choice in choices {
        let group = groups.entry((choice.input, choice.output)).or_default();
        if group.iter().any(|known| known.is_as_good_as(&choice)) {
            continue;
        }
        group.retain(|known| !choice.is_as_good_as(known));
        group.push(choice);
    }
    groups.into_values().flatten().collect()
}

impl Choice {
    fn is_as_good_as(&self, other: &Choice) -> bool {
        let (a, b) = (&self.resources, &other.resources);
        self.cycles <= other.cycles
            && a.luts <= b.luts
            && a.ffs <= b.ffs
            && a.bram36 <= b.bram36
            && a.dsps <= b.dsps
    }
}

/// Where memories of a depth can be kept.
fn styles(depth: usize) -> &'static [MemoryStyle] {
    if depth <= SHALLOWEST_BLOCK {
        &[MemoryStyle::Lut]
    } else if depth <= DEEPEST_LUT {
        &[MemoryStyle::Lut, MemoryStyle::Block]
    } else {
        &[MemoryStyle::Block]
    }
}

/// A folding with every way to add its products and to keep its weights and thresholds.
fn with_memories(dense: &Dense, input: Elements, sets: usize, fold: &LayerFold) -> Vec<LayerFold> {
    let (rows, columns) = dense.weights.dim();
    let (pe, simd) = (fold.pe.unwrap_or(1), fold.simd.unwrap_or(1));
    let passes = rows / pe;
    let mut folds = Vec::new();
    let takes = |dot: &Dot| *dot != Dot::Wired && dot.takes(dense.weight, input.element);
    let mut dots: Vec<Option<Dot>> = Dot::ALL.into_iter().filter(takes).map(Some).collect();
    // Where the whole matrix is in parallel its weights can be wires, if nothing speaks against it.
    dots.extend(((pe, simd) == (rows, columns)).then_some(None));
    for dot in dots {
        for &weights in styles(passes * columns / simd) {
            for &thresholds in styles(passes * sets) {
                let (weights, thresholds) = (Some(weights), Some(thresholds));
                folds.push(LayerFold { dot, weights, thresholds, ..fold.clone() });
            }
        }
    }
    folds
}

/// A folding with every way to keep the lines of its windows.
fn with_lines(folds: Vec<LayerFold>) -> Vec<LayerFold> {
    let lines = [MemoryStyle::Lut, MemoryStyle::Block].map(Some);
    folds.into_iter().flat_map(|f| lines.map(|lines| LayerFold { lines, ..f.clone() })).collect()
}

fn dense_folds(layer: &Layer, dense: &Dense, input: Elements) -> Vec<LayerFold> {
    let mut folds = Vec::new();
    for pe in divisors(layer.elements()) {
        for simd in divisors(input.count) {
            let fold = LayerFold { pe: Some(pe), simd: Some(simd), ..LayerFold::default() };
            folds.extend(with_memories(dense, input, 1, &fold));
        }
    }
    folds
}

fn conv_folds(conv: &Conv, input: Elements) -> Vec<LayerFold> {
    let (rows, columns) = conv.dense.weights.dim();
    let (sets, windows) = (conv.borders().count(), needs_window(conv));
    let mut folds = Vec::new();
    let mut with = |fold: LayerFold| {
        let all = with_memories(&conv.dense, input, sets, &fold);
        folds.extend(if windows { with_lines(all) } else { all });
    };
    for simd in divisors(conv.group_channels()) {
        for pe in divisors(rows / conv.groups) {
            with(LayerFold { pe: Some(pe), simd: Some(simd), ..LayerFold::default() });
        }
    }
    if conv.groups > 1 {
        return folds;
    }
    for pixels in pixels_at_once(conv.input, conv.window) {
        let parallel = LayerFold { parallel_window: windows, ..LayerFold::default() };
        if pixels > 1 {
            let (pe, simd, pixels) = (Some(rows), Some(columns), Some(pixels));
            with(LayerFold { pe, simd, pixels, ..parallel });
        } else if windows {
            for lanes in divisors(conv.input.channels) {
                let simd = Some(lanes * conv.window.taps());
                for pe in divisors(rows) {
                    with(LayerFold { pe: Some(pe), simd, ..parallel.clone() });
                }
            }
        }
    }
    folds
}

fn depthwise_folds(layer: &Layer, conv: &Conv) -> Vec<LayerFold> {
    let (channels, taps) = conv.dense.weights.dim();
    let sets = conv.borders().count();
    let mut folds = Vec::new();
    for pe in divisors(layer.map.channels) {
        let groups = channels / pe;
        let weights: Vec<Option<MemoryStyle>> = match conv.is_sum() {
            true => vec![None],
            false => styles(groups * taps).iter().copied().map(Some).collect(),
        };
        for weights in weights {
            for &thresholds in styles(groups * sets) {
                let (pe, thresholds) = (Some(pe), Some(thresholds));
                folds.push(LayerFold { pe, weights, thresholds, ..LayerFold::default() });
            }
        }
    }
    if needs_window(conv) { with_lines(folds) } else { folds }
}

fn pool_folds(pool: &Pool) -> Vec<LayerFold> {
    let channels = pool.input.channels;
    let all = divisors(channels);
    let of = |lanes: usize| LayerFold { lanes: Some(lanes), ..LayerFold::default() };
    let mut folds: Vec<LayerFold> = all.iter().map(|&lanes| of(lanes)).collect();
    for pixels in pixels_at_once(pool.input, pool.window) {
        let lanes = if pixels == 1 { &all[..] } else { &[channels] };
        let pixels = (pixels > 1).then_some(pixels);
        let parallel = |&l: &usize| LayerFold { parallel_window: true, pixels, ..of(l) };
        folds.extend(lanes.iter().map(parallel));
    }
    with_lines(folds)
}
