//! All foldings of each layer, with their cost and their cycles.

use crate::depthwise;
use crate::file::{LayerFold, divisors};
use crate::map_units::{Order, needs_window, sliding};
use crate::search::stream;
use crate::windows::{self, pixels_at_once};
use dataflow::{Dot, MemoryStyle, Mvu, SlidingWindow};
use engines::Resources;
use engines::parallel_window::Raster;
use streamline::{Conv, Dense, Layer, LayerOp, Pool, Streamlined};
use tensor::{ElementType, Map, Surround, Window};

/// One way to fold a layer.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// Lanes that it takes.
    pub(crate) input: usize,
    /// Lanes that it puts out.
    pub(crate) output: usize,
    /// Elements that its input words must not straddle: a pixel, or several.
    pub(crate) pixel: usize,
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
    pub(crate) choices: Vec<Choice>,
}

/// The layers that can be folded, in order.
pub(crate) fn candidates(network: &Streamlined) -> Vec<Candidate<'_>> {
    let (mut element, mut elements) = (network.input.element, network.input.elements());
    let mut candidates = Vec::new();
    for layer in &network.layers {
        let of = |dense, columns| {
            let levels = network.levels(layer);
            Matrix { layer, dense, input: element, levels, columns }
        };
        let choices = match &layer.op {
            LayerOp::Dense(dense) => Some(of(dense, elements).foldings(elements)),
            LayerOp::Conv(conv) if conv.is_depthwise() => {
                Some(depthwise::choices(layer, conv, element))
            }
            LayerOp::Conv(conv) => {
                let columns = conv.dense.weights.ncols();
                Some(conv_choices(&of(&conv.dense, columns), conv))
            }
            LayerOp::Pool(pool) => Some(pool_choices(layer, pool, element)),
            LayerOp::Threshold(_) | LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => None,
        };
        if let Some(choices) = choices {
            candidates.push(Candidate { name: &layer.name, element, choices });
        }
        (element, elements) = (layer.element, layer.elements());
    }
    candidates
}

fn conv_choices(matrix: &Matrix<'_>, conv: &Conv) -> Vec<Choice> {
    let (rows, input) = (conv.dense.weights.nrows(), matrix.input);
    let channels = conv.input.channels;
    let mut choices = Vec::new();
    for simd in divisors(conv.group_channels()) {
        for pe in divisors(rows / conv.groups) {
            let arrivals = (conv.input.elements() / simd) as u64;
            let replayed = needs_window(conv);
            let window = replayed.then(|| {
                let order = Order { groups: conv.groups, repeats: rows / pe / conv.groups };
                let unit = candidate_window(conv.input, conv.window, order, simd);
                engines::window::cost(&unit, &stream(input, simd, channels))
            });
            let all = matrix.mvus(Feed { replayed, ..Feed::new(pe, simd) });
            choices.extend(all.into_iter().map(|choice| Choice {
                pixel: channels,
                cycles: choice.cycles.max(arrivals),
                resources: choice.resources + window.unwrap_or_default(),
                ..choice
            }));
        }
    }
    if conv.groups == 1 {
        choices.extend(parallel_convs(matrix, conv));
    }
    choices
}

/// Whole windows at once, and several pixels at once where that is faster still.
fn parallel_convs(matrix: &Matrix<'_>, conv: &Conv) -> Vec<Choice> {
    let (rows, columns) = conv.dense.weights.dim();
    let (channels, taps) = (conv.input.channels, conv.window.taps());
    let whole = |pixels: usize| (pixels, columns, vec![rows]);
    let mut ways: Vec<(usize, usize, Vec<usize>)> = Vec::new();
    let at_once = pixels_at_once(conv.input, conv.window);
    if needs_window(conv) && at_once.contains(&1) {
        ways.extend(divisors(channels).into_iter().map(|l| (1, l * taps, divisors(rows))));
    }
    ways.extend(at_once.into_iter().filter(|&p| p > 1).map(whole));
    let mut choices = Vec::new();
    for (pixels, simd, pes) in ways {
        let lanes = simd / taps * pixels;
        let from = stream(matrix.input, lanes, channels * pixels);
        let (window, steps, vectors) = if needs_window(conv) {
            let around = windows::around(conv, matrix.input);
            let unit = windows::unit(conv.input, conv.window, pixels, around, lanes);
            let to = stream(
                matrix.input,
                lanes / pixels * taps * unit.windows(),
                columns * unit.windows(),
            );
            let cost = engines::parallel_window::cost(&unit, &from, &to);
            (cost, Raster::of(&unit, lanes).steps(), unit.windows())
        } else {
            (Resources::default(), conv.input.elements() / lanes, pixels)
        };
        for pe in pes {
            let feed = Feed { taps, vectors, ..Feed::new(pe, simd) };
            choices.extend(matrix.mvus(feed).into_iter().map(|choice| Choice {
                input: lanes,
                pixel: channels * pixels,
                cycles: choice.cycles.max(steps as u64),
                resources: choice.resources + window,
                fold: LayerFold {
                    parallel_window: needs_window(conv),
                    pixels: (pixels > 1).then_some(pixels),
                    ..choice.fold
                },
                ..choice
            }));
        }
    }
    choices
}

fn pool_choices(layer: &Layer, pool: &Pool, input: ElementType) -> Vec<Choice> {
    let (channels, taps) = (pool.input.channels, pool.window.taps());
    let serial = |lanes: usize| {
        let order = Order { groups: channels / lanes, repeats: 1 };
        let unit = candidate_window(pool.input, pool.window, order, lanes);
        let stream = stream(input, lanes, channels);
        let (words, smallest) = (taps, pool.smallest);
        let best = dataflow::Pool { words, taps: 1, windows: 1, smallest, credits: 4 };
        let steps = layer.map.pixels() * taps * channels / lanes;
        Choice {
            input: lanes,
            output: lanes,
            pixel: channels,
            fold: LayerFold { lanes: Some(lanes), ..LayerFold::default() },
            cycles: steps.max(pool.input.elements() / lanes) as u64,
            resources: engines::window::cost(&unit, &stream)
                + engines::pool::cost(&best, &stream, &stream),
        }
    };
    let parallel = |lanes: usize, pixels: usize| {
        let unit =
            windows::unit(pool.input, pool.window, pixels, Surround::of(vec![0]), lanes * pixels);
        let from = stream(input, lanes * pixels, channels * pixels);
        let (windows, smallest) = (unit.windows(), pool.smallest);
        let between = stream(input, lanes * taps * windows, channels * taps * windows);
        let to = stream(input, lanes * windows, channels * windows);
        let best = dataflow::Pool { words: 1, taps, windows, smallest, credits: 4 };
        Choice {
            input: from.lanes,
            output: to.lanes,
            pixel: from.pixel,
            fold: LayerFold {
                lanes: Some(lanes),
                parallel_window: true,
                pixels: (pixels > 1).then_some(pixels),
                ..LayerFold::default()
            },
            cycles: Raster::of(&unit, from.lanes).steps() as u64,
            resources: engines::parallel_window::cost(&unit, &from, &between)
                + engines::pool::cost(&best, &between, &to),
        }
    };
    let lanes = divisors(channels);
    let mut choices: Vec<Choice> = lanes.iter().map(|&l| serial(l)).collect();
    for pixels in pixels_at_once(pool.input, pool.window) {
        let lanes = if pixels == 1 { &lanes[..] } else { &[channels] };
        choices.extend(lanes.iter().map(|&l| parallel(l, pixels)));
    }
    choices
}

/// The sliding window unit of a candidate: what stands around the map costs the same.
pub(crate) fn candidate_window(
    map: Map,
    window: Window,
    order: Order,
    lanes: usize,
) -> SlidingWindow {
    sliding(map, window, order, Surround::of(vec![0]), lanes, None)
}

/// A linear layer.
struct Matrix<'n> {
    layer: &'n Layer,
    dense: &'n Dense,
    input: ElementType,
    /// The smallest and largest integer of its input.
    levels: (i64, i64),
    columns: usize,
}

/// How vectors come to a matrix-vector unit, and how many rows and columns it takes at once.
#[derive(Clone, Copy)]
struct Feed {
    pe: usize,
    simd: usize,
    taps: usize,
    vectors: usize,
    replayed: bool,
}

impl Feed {
    fn new(pe: usize, simd: usize) -> Self {
        Self { pe, simd, taps: 1, vectors: 1, replayed: false }
    }
}

impl Matrix<'_> {
    /// All foldings of a matrix that is applied to the whole input.
    fn foldings(&self, pixel: usize) -> Vec<Choice> {
        let rows = self.layer.map.channels;
        let pairs = divisors(rows)
            .into_iter()
            .flat_map(|pe| divisors(self.columns).into_iter().map(move |simd| Feed::new(pe, simd)));
        let choices = pairs.flat_map(|feed| self.mvus(feed));
        choices.map(|choice| Choice { pixel, ..choice }).collect()
    }

    /// The matrix-vector units with given PE and SIMD.
    fn mvus(&self, feed: Feed) -> Vec<Choice> {
        let (layer, dense, columns) = (self.layer, self.dense, self.columns);
        let Feed { pe, simd, taps, vectors, replayed } = feed;
        let rows = layer.map.channels;
        let (sf, nf) = (columns / simd, rows / pe);
        let bits = ElementType::smallest(dense.accumulator.0.min(-1), dense.accumulator.1).bits();
        let mut choices = Vec::new();
        let dots = Dot::ALL.into_iter().filter(|dot| dot.takes(self.input));
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
                taps,
                vectors,
                weight: dense.weight,
                dot,
                levels: self.levels,
                accumulator_bits: bits,
                thresholds: dense.thresholds.as_ref().map_or(0, |t| t.values.ncols()),
                weight_memory: weights,
                threshold_memory: if nf > 128 { MemoryStyle::Block } else { MemoryStyle::Lut },
                replayed,
                buffer_words: if nf > 1 && !replayed { 2 * sf } else { 0 },
                credits: 8,
            };
            let from = stream(self.input, simd * vectors, columns * vectors);
            let to = stream(layer.element, pe * vectors, rows * vectors);
            choices.push(Choice {
                input: simd,
                output: to.lanes,
                pixel: columns,
                fold: LayerFold {
                    pe: Some(pe),
                    simd: Some(simd),
                    dot: Some(dot),
                    weights: Some(weights),
                    ..LayerFold::default()
                },
                cycles: (sf * nf * layer.map.pixels() / vectors) as u64,
                resources: engines::mvu::cost(&mvu, &from, &to),
            });
        }
        choices
    }
}
