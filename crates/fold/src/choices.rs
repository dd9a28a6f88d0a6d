//! All foldings of each layer, with their cost and their cycles.

use crate::build::{default_ring, needs_window, ring_memory};
use crate::file::{LayerFold, divisors};
use crate::search::stream;
use dataflow::{Dot, MemoryStyle, Mvu, SlidingWindow};
use engines::Resources;
use streamline::{Conv, Dense, Layer, LayerOp, Pool, Streamlined};
use tensor::{ElementType, Window};

/// One way to fold a layer.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// Lanes that it takes.
    pub(crate) input: usize,
    /// Lanes that it puts out.
    pub(crate) output: usize,
    pub(crate) fold: LayerFold,
    /// Cycles of a frame.
    pub(crate) cycles: u64,
    pub(crate) resources: Resources,
}

/// A layer that can be folded, with all its foldings.
pub(crate) struct Candidate<'n> {
    pub(crate) name: &'n str,
    /// The type of its input.
    pub(crate) element: ElementType,
    /// Elements of a pixel of its input.
    pub(crate) pixel: usize,
    pub(crate) choices: Vec<Choice>,
}

/// The layers that can be folded, in order.
pub(crate) fn candidates(network: &Streamlined) -> Vec<Candidate<'_>> {
    let (mut element, mut elements) = (network.input.element, network.input.elements());
    let mut candidates = Vec::new();
    for layer in &network.layers {
        let levels = network.levels(layer);
        let pixel_and_choices = match &layer.op {
            LayerOp::Dense(dense) => {
                let shape = Shape { rows: layer.elements(), columns: elements, vectors: 1, levels };
                Some((elements, dense_choices(layer, dense, element, shape)))
            }
            LayerOp::Conv(conv) => {
                Some((conv.input.channels, conv_choices(layer, conv, element, levels)))
            }
            LayerOp::Pool(pool) => Some((pool.input.channels, pool_choices(layer, pool, element))),
            LayerOp::Threshold(_) | LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => None,
        };
        if let Some((pixel, choices)) = pixel_and_choices {
            candidates.push(Candidate { name: &layer.name, element, pixel, choices });
        }
        (element, elements) = (layer.element, layer.elements());
    }
    candidates
}

/// Rows and columns of a matrix, how many vectors it meets in a frame, and what integers they hold.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    columns: usize,
    vectors: usize,
    levels: (i64, i64),
}

fn dense_choices(layer: &Layer, dense: &Dense, input: ElementType, shape: Shape) -> Vec<Choice> {
    let mut choices = Vec::new();
    for pe in divisors(shape.rows) {
        for simd in divisors(shape.columns) {
            choices.extend(mvus(layer, dense, input, shape, pe, simd, false));
        }
    }
    choices
}

fn conv_choices(layer: &Layer, conv: &Conv, input: ElementType, levels: (i64, i64)) -> Vec<Choice> {
    let (rows, columns) = conv.dense.weights.dim();
    let shape = Shape { rows, columns, vectors: layer.map.pixels(), levels };
    let needs_window = needs_window(conv);
    let mut choices = Vec::new();
    for pe in divisors(rows / conv.groups) {
        for simd in divisors(conv.group_channels()) {
            let all = mvus(layer, &conv.dense, input, shape, pe, simd, needs_window);
            let arrivals = (conv.input.elements() / simd) as u64;
            let window = needs_window.then(|| {
                let repeats = rows / pe / conv.groups;
                let unit = sliding(conv.input, conv.window, conv.groups, repeats, simd);
                engines::window::cost(&unit, &stream(input, simd, conv.input.channels))
            });
            choices.extend(all.into_iter().map(|choice| Choice {
                cycles: choice.cycles.max(arrivals),
                resources: choice.resources + window.unwrap_or_default(),
                ..choice
            }));
        }
    }
    choices
}

fn pool_choices(layer: &Layer, pool: &Pool, input: ElementType) -> Vec<Choice> {
    let channels = pool.input.channels;
    let choice = |lanes: usize| {
        let unit = sliding(pool.input, pool.window, channels / lanes, 1, lanes);
        let stream = stream(input, lanes, channels);
        let taps = pool.window.taps();
        let best = dataflow::Pool { taps, smallest: pool.smallest, credits: 4 };
        let steps = layer.map.pixels() * taps * channels / lanes;
        Choice {
            input: lanes,
            output: lanes,
            fold: LayerFold { lanes: Some(lanes), ..LayerFold::default() },
            cycles: steps.max(pool.input.elements() / lanes) as u64,
            resources: engines::window::cost(&unit, &stream) + engines::pool::cost(&best, &stream),
        }
    };
    divisors(channels).into_iter().map(choice).collect()
}

fn sliding(
    map: tensor::Map,
    window: Window,
    groups: usize,
    repeats: usize,
    lanes: usize,
) -> SlidingWindow {
    let mut unit = SlidingWindow {
        map,
        window,
        groups,
        repeats,
        padding: vec![0],
        depth: 0,
        memory: MemoryStyle::Lut,
        credits: 4,
    };
    unit.depth = default_ring(&unit, lanes);
    unit.memory = ring_memory(unit.depth);
    unit
}

/// The matrix-vector units with given PE and SIMD.
fn mvus(
    layer: &Layer,
    dense: &Dense,
    input: ElementType,
    shape: Shape,
    pe: usize,
    simd: usize,
    replayed: bool,
) -> Vec<Choice> {
    let Shape { rows, columns, vectors, levels } = shape;
    let (sf, nf) = (columns / simd, rows / pe);
    let bits = ElementType::smallest(dense.accumulator.0.min(-1), dense.accumulator.1).bits();
    let mut choices = Vec::new();
    let dots = Dot::ALL.into_iter().filter(|dot| dot.takes(input));
    let memories = [MemoryStyle::Lut, MemoryStyle::Block];
    for (dot, weights) in dots.flat_map(|dot| memories.map(|weights| (dot, weights))) {
        let useless = weights == MemoryStyle::Block && sf * nf <= 16
            || weights == MemoryStyle::Lut && sf * nf > 4096;
        if useless {
            continue;
        }
        let mvu = Mvu {
            rows,
            columns,
            pe,
            simd,
            weight: dense.weight,
            dot,
            levels,
            accumulator_bits: bits,
            thresholds: dense.thresholds.as_ref().map_or(0, |t| t.values.ncols()),
            weight_memory: weights,
            threshold_memory: if nf > 128 { MemoryStyle::Block } else { MemoryStyle::Lut },
            replayed,
            buffer_words: if nf > 1 && !replayed { 2 * sf } else { 0 },
            credits: 8,
        };
        let (from, to) = (stream(input, simd, columns), stream(layer.element, pe, rows));
        choices.push(Choice {
            input: simd,
            output: pe,
            fold: LayerFold {
                pe: Some(pe),
                simd: Some(simd),
                dot: Some(dot),
                weights: Some(weights),
                ..LayerFold::default()
            },
            cycles: (sf * nf * vectors) as u64,
            resources: engines::mvu::cost(&mvu, &from, &to),
        });
    }
    choices
}
