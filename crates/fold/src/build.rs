//! From a complete folding to the chain of engines and streams.

use crate::depthwise;
use crate::file::{Fold, LayerFold};
use crate::windows;
use dataflow::{
    ChannelAffine, Dataflow, Dot, Engine, EngineKind, LabelSelect, MemoryStyle, Mvu, OUTSIDE,
    SlidingWindow, Stream, Threshold, windows_at_once,
};
use engines::mvu::{Encoding, Group, groups};
use engines::{full_rate_credits, parallel_window::Raster, window::Walk};
use streamline::{Conv, Dense, Layer, LayerOp, Pool, Streamlined, Thresholds};
use tensor::{ElementType, Map, Surround, Window};

/// Depth up to which a memory is kept in LUTs when the folding does not say.
const LARGEST_LUT_DEPTH: usize = 128;

/// Builds the dataflow of a folding that was [checked](Fold::check) against the network. Where a
/// layer's buffer is not set it is two frames.
pub fn dataflow(name: &str, network: &Streamlined, fold: &Fold) -> Dataflow {
    let elements = network.input.elements();
    let mut chain = Chain {
        network,
        streams: vec![Stream {
            name: "s_axis".into(),
            element: network.input.element,
            lanes: fold.input_lanes.unwrap_or(1),
            elements,
            pixel: input_pixel(network, fold),
            from: OUTSIDE,
            to: 0,
        }],
        engines: Vec::new(),
    };
    chain.same("axis_in", EngineKind::Input);
    let default = LayerFold::default();
    for layer in &network.layers {
        let folding = fold.layers.get(&layer.name).unwrap_or(&default);
        let pixels = folding.pixels.unwrap_or(1);
        let pixel = input_pixel_of(layer, chain.last()) * pixels;
        chain.in_pixels(&layer.name, pixel);
        let simd = folding.simd.unwrap_or(1);
        let lanes = match (&layer.op, folding.lanes) {
            (LayerOp::Dense(_), _) => simd,
            (LayerOp::Conv(conv), _) if conv.is_depthwise() => folding.pe.unwrap_or(1),
            (LayerOp::Conv(conv), _) if folding.parallel_window => {
                simd / conv.window.taps() * pixels
            }
            (LayerOp::Conv(_), _) => simd * pixels,
            (LayerOp::LabelSelect { k: 2.., .. }, _) => 1,
            (LayerOp::Pool(_), _) if pixels > 1 => pixel,
            (LayerOp::Pool(_), None) => gcd(chain.last().lanes, pixel),
            (_, lanes) => lanes.unwrap_or(chain.last().lanes),
        };
        chain.width(&layer.name, lanes);
        if let Some(&depth) = fold.fifos.get(&layer.name) {
            chain.same(&format!("{}_fifo", layer.name), EngineKind::Fifo { depth });
        }
        chain.layer(layer, folding);
    }
    chain.same("axis_out", EngineKind::Output);
    let last = chain.streams.last_mut().expect("streams were pushed");
    last.name = "m_axis".into();
    last.to = OUTSIDE;
    Dataflow { name: name.into(), streams: chain.streams, engines: chain.engines }
}

/// Elements of a pixel of the input stream: words do not straddle pixels where the first layer with
/// more than one element works pixel by pixel.
pub(crate) fn input_pixel(network: &Streamlined, fold: &Fold) -> usize {
    let pixels = |name: &str| fold.layers.get(name).and_then(|l| l.pixels).unwrap_or(1);
    first_pixelwise(network)
        .map_or(network.input.elements(), |name| network.input.map.channels * pixels(name))
}

/// The layer whose pixels the input comes in, if the first with more than one element has pixels.
pub(crate) fn first_pixelwise(network: &Streamlined) -> Option<&str> {
    let pixelwise = |layer: &Layer| match &layer.op {
        LayerOp::Conv(_) | LayerOp::Pool(_) => Some(true),
        LayerOp::Dense(_) | LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => Some(false),
        LayerOp::Threshold(_) => None,
    };
    let first = network.layers.iter().find_map(|l| Some((l, pixelwise(l)?)));
    first.filter(|(_, pixelwise)| *pixelwise).map(|(layer, _)| layer.name.as_str())
}

/// Elements of a pixel of the stream that a layer reads.
fn input_pixel_of(layer: &Layer, input: &Stream) -> usize {
    match &layer.op {
        LayerOp::Conv(conv) => conv.input.channels,
        LayerOp::Pool(pool) => pool.input.channels,
        LayerOp::Dense(_) | LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => {
            input.elements
        }
        // One row of thresholds for each element of the frame.
        LayerOp::Threshold(t) if t.values.nrows() > layer.map.channels => input.elements,
        LayerOp::Threshold(_) => input.pixel,
    }
}

struct Chain<'n> {
    network: &'n Streamlined,
    streams: Vec<Stream>,
    engines: Vec<Engine>,
}

impl Chain<'_> {
    fn last(&self) -> &Stream {
        self.streams.last().expect("the chain starts with a stream")
    }

    /// An engine whose output words are as its input words.
    fn same(&mut self, name: &str, kind: EngineKind) {
        let last = self.last().clone();
        self.push(name, "", kind, last);
    }

    /// An engine with its output stream, whose name and ends are filled in.
    fn push(&mut self, name: &str, layer: &str, kind: EngineKind, output: Stream) {
        let index = self.engines.len();
        self.engines.push(Engine {
            name: name.into(),
            layer: layer.into(),
            input: index,
            output: index + 1,
            kind,
        });
        let name = format!("{name}_out");
        self.streams.push(Stream { name, from: index, to: index + 1, ..output });
    }

    /// Looks at the elements as pixels of `pixel` elements. Where words would straddle them, they
    /// are made narrower first.
    fn in_pixels(&mut self, layer: &str, pixel: usize) {
        let Stream { lanes, pixel: from, .. } = *self.last();
        if from == pixel {
            return;
        }
        let narrow = gcd(lanes, gcd(from, pixel));
        if narrow < lanes {
            let output = Stream { lanes: narrow, ..self.last().clone() };
            self.push(&format!("{layer}_narrow"), "", EngineKind::Width, output);
        }
        self.streams.last_mut().expect("the chain starts with a stream").pixel = pixel;
    }

    /// Width converters to `lanes`: one where a lane count divides the other, else two.
    fn width(&mut self, layer: &str, lanes: usize) {
        let last = self.last().clone();
        for (i, &step) in conversion(last.lanes, lanes, last.pixel).iter().enumerate() {
            let name = if i == 0 { format!("{layer}_width") } else { format!("{layer}_width2") };
            self.push(&name, "", EngineKind::Width, Stream { lanes: step, ..last.clone() });
        }
    }

    fn layer(&mut self, layer: &Layer, folding: &LayerFold) {
        match &layer.op {
            LayerOp::Threshold(t) => self.threshold(layer, folding, t),
            LayerOp::Dense(dense) => self.mvu(layer, folding, dense, Feed::default()),
            LayerOp::Conv(conv) => {
                let mut feed = Feed { pixels: folding.pixels.unwrap_or(1), ..Feed::default() };
                if folding.parallel_window {
                    let padding = windows::around(conv, self.last().element);
                    let raster =
                        self.parallel(layer, conv.input, conv.window, padding, feed.pixels);
                    feed.taps = conv.window.taps();
                    feed.pixels = windows_at_once(feed.pixels, conv.window.stride[1]);
                    feed.gap = raster.longest_gap();
                } else if needs_window(conv) {
                    self.window(layer, folding, conv);
                    feed.replayed = true;
                }
                if conv.is_depthwise() {
                    let input = self.last().clone();
                    let unit = depthwise::engine(conv, &input, folding);
                    let (elements, pixel) = (layer.map.elements(), layer.map.channels);
                    let output = Stream { element: layer.element, elements, pixel, ..input };
                    self.push(&layer.name, &layer.name, EngineKind::Depthwise(unit), output);
                } else {
                    self.mvu(layer, folding, &conv.dense, feed);
                }
            }
            LayerOp::Pool(pool) => self.pool(layer, folding, pool),
            LayerOp::ChannelAffine(a) => {
                let smallest = |v: &[i64]| {
                    let low = v.iter().copied().min().unwrap_or(0).min(-1);
                    ElementType::smallest(low, v.iter().copied().max().unwrap_or(0))
                };
                let kind = EngineKind::ChannelAffine(ChannelAffine {
                    multiplier: smallest(&a.multipliers),
                    addend: smallest(&a.addends),
                    credits: full_rate_credits(engines::affine::LATENCY, 1),
                });
                let output = Stream { element: layer.element, ..self.last().clone() };
                self.push(&layer.name, &layer.name, kind, output);
            }
            LayerOp::LabelSelect { k, smallest } => {
                let input = self.last();
                let latency = engines::label_select::latency(input.lanes, *k);
                let credits = full_rate_credits(latency, input.words_per_frame());
                let kind = LabelSelect { k: *k, smallest: *smallest, credits };
                let (element, lanes) = (layer.element, *k);
                let output = Stream { element, lanes, elements: *k, pixel: *k, ..input.clone() };
                self.push(&layer.name, &layer.name, EngineKind::LabelSelect(kind), output);
            }
        }
    }

    fn threshold(&mut self, layer: &Layer, folding: &LayerFold, t: &Thresholds) {
        let input = self.last().clone();
        let shared = t.values.nrows() == 1;
        let memory = if shared {
            MemoryStyle::Lut
        } else {
            style(folding.thresholds, input.words_per_pixel())
        };
        let mut unit = Threshold { thresholds: t.values.ncols(), shared, memory, credits: 1 };
        unit.credits = full_rate_credits(engines::threshold::latency(&unit), 1);
        let output = Stream { element: layer.element, ..input };
        self.push(&layer.name, &layer.name, EngineKind::Threshold(unit), output);
    }

    /// The sliding window unit of a convolution, which puts out each window for every pass.
    fn window(&mut self, layer: &Layer, folding: &LayerFold, conv: &Conv) {
        let input = self.last().clone();
        let pe = folding.pe.unwrap_or(1);
        let passes = layer.map.channels.div_ceil(pe);
        let groups = if conv.is_depthwise() { passes } else { conv.groups };
        let unit = SlidingWindow {
            map: conv.input,
            window: conv.window,
            groups,
            repeats: passes / groups,
            padding: windows::around(conv, input.element),
            depth: 0,
            memory: MemoryStyle::Lut,
            credits: 1,
        };
        let pixels = layer.map.pixels();
        self.sliding(&format!("{}_window", layer.name), layer, folding, unit, pixels);
    }

    /// The sliding window unit with a ring of a default depth, if none is set.
    fn sliding(
        &mut self,
        name: &str,
        layer: &Layer,
        folding: &LayerFold,
        mut unit: SlidingWindow,
        windows: usize,
    ) {
        let input = self.last().clone();
        let shortest = unit.shortest_ring(input.lanes);
        unit.depth =
            folding.buffer.unwrap_or_else(|| default_ring(&unit, input.lanes)).max(shortest);
        unit.memory = ring_memory(unit.depth);
        unit.credits = full_rate_credits(engines::window::latency(&unit), 1);
        let pixel = unit.columns() * unit.groups * unit.repeats;
        let output = Stream { elements: windows * pixel, pixel, ..input };
        self.push(name, &layer.name, EngineKind::Window(unit), output);
    }

    /// The parallel window unit of a layer.
    fn parallel(
        &mut self,
        layer: &Layer,
        map: Map,
        window: Window,
        padding: Surround,
        pixels: usize,
    ) -> Raster {
        let input = self.last().clone();
        let unit = windows::unit(map, window, pixels, padding, input.lanes);
        let raster = Raster::of(&unit, input.lanes);
        let taps = window.taps() * unit.windows();
        let output = Stream {
            lanes: input.lanes / pixels * taps,
            elements: layer.map.pixels() * window.taps() * map.channels,
            pixel: taps * map.channels,
            ..input
        };
        let name = format!("{}_window", layer.name);
        self.push(&name, &layer.name, EngineKind::ParallelWindow(unit), output);
        raster
    }

    fn pool(&mut self, layer: &Layer, folding: &LayerFold, pool: &Pool) {
        let input = self.last().clone();
        let lowest = if pool.smallest { input.element.max() } else { input.element.min() };
        let taps = pool.window.taps();
        let mut unit = dataflow::Pool {
            words: taps,
            taps: 1,
            windows: 1,
            smallest: pool.smallest,
            credits: 1,
        };
        if folding.parallel_window {
            let pixels = folding.pixels.unwrap_or(1);
            self.parallel(layer, pool.input, pool.window, Surround::of(vec![lowest]), pixels);
            (unit.words, unit.taps) = (1, taps);
            unit.windows = windows_at_once(pixels, pool.window.stride[1]);
        } else {
            self.pool_window(layer, folding, pool, lowest);
        }
        unit.credits = full_rate_credits(engines::pool::latency(&unit), unit.words);
        let output = Stream {
            element: layer.element,
            lanes: self.last().lanes / unit.taps,
            elements: layer.map.elements(),
            pixel: layer.map.channels * unit.windows,
            ..input
        };
        self.push(&layer.name, &layer.name, EngineKind::Pool(unit), output);
    }

    /// The sliding window unit of a pool.
    fn pool_window(&mut self, layer: &Layer, folding: &LayerFold, pool: &Pool, lowest: i64) {
        let input = self.last().clone();
        let unit = SlidingWindow {
            map: pool.input,
            window: pool.window,
            groups: pool.input.channels / input.lanes,
            repeats: 1,
            padding: Surround::of(vec![lowest]),
            depth: 0,
            memory: MemoryStyle::Lut,
            credits: 1,
        };
        let name = format!("{}_window", layer.name);
        self.sliding(&name, layer, folding, unit, layer.map.pixels());
    }

    fn mvu(&mut self, layer: &Layer, folding: &LayerFold, dense: &Dense, feed: Feed) {
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
            let accumulator_bits = accumulator_bits(dense, input.element, &groups, gaps);
            Mvu { dot, accumulator_bits, ..mvu.clone() }
        };
        let mut mvu = match folding.dot {
            Some(dot) => with(dot),
            None => {
                let all = Dot::ALL.into_iter().filter(|dot| dot.takes(input.element)).map(with);
                let cost = |mvu: &Mvu| engines::mvu::cost(mvu, &input, &output).luts;
                all.min_by(|a, b| cost(a).total_cmp(&cost(b))).expect("planes are always possible")
            }
        };
        mvu.credits = full_rate_credits(engines::mvu::latency(&mvu, input.element), sf);
        self.push(&layer.name, &layer.name, EngineKind::Mvu(mvu), output);
    }
}

/// How vectors come to a matrix-vector unit.
#[derive(Debug, Clone, Copy)]
struct Feed {
    /// Anew for every pass.
    replayed: bool,
    /// Taps of a word.
    taps: usize,
    /// Vectors of a word.
    pixels: usize,
    /// The longest time in which none comes though nothing holds it up, in cycles.
    gap: usize,
}

impl Default for Feed {
    fn default() -> Self {
        Self { replayed: false, taps: 1, pixels: 1, gap: 0 }
    }
}

pub(crate) fn style(asked: Option<MemoryStyle>, depth: usize) -> MemoryStyle {
    let by_depth = if depth > LARGEST_LUT_DEPTH { MemoryStyle::Block } else { MemoryStyle::Lut };
    asked.unwrap_or(by_depth)
}

/// Whether a convolution needs a sliding window unit: a single tap without stride does not, unless
/// groups of channels are taken one after another.
pub(crate) fn needs_window(conv: &Conv) -> bool {
    conv.window != Window::of([1, 1]) || conv.groups > 1 && !conv.is_depthwise()
}

/// Where a ring is kept.
pub(crate) fn ring_memory(depth: usize) -> MemoryStyle {
    style(None, depth)
}

/// A ring that never limits the rate: a window, what the next one needs besides while the first is
/// read, and rows that come in ahead of the jump from one row of windows to the next.
pub fn default_ring(unit: &SlidingWindow, lanes: usize) -> usize {
    let walk = Walk::of(unit, lanes);
    let ahead = |window| walk.base(window + 1) - walk.base(window);
    let next = (0..walk.windows()).map(ahead).max().unwrap_or(0) as usize;
    let row = unit.map.width * walk.words_per_pixel();
    let rows = (unit.window.stride[0] * row).min(walk.words_per_frame());
    unit.shortest_ring(lanes) + next + rows + 2
}

/// The lane counts that a conversion goes through, the last one included.
pub(crate) fn conversion(from: usize, to: usize, elements: usize) -> Vec<usize> {
    if from == to {
        return Vec::new();
    }
    if from.is_multiple_of(to) || to.is_multiple_of(from) {
        return vec![to];
    }
    let gcd = gcd(from, to);
    let lcm = from / gcd * to;
    if lcm <= elements { vec![lcm, to] } else { vec![gcd, to] }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Two's complement bits that hold every count of the unit, and one more above for thresholds that
/// are never reached.
fn accumulator_bits(dense: &Dense, input: ElementType, groups: &[Group], gaps: bool) -> u32 {
    let mut range = (-1, 1);
    for row in dense.weights.rows() {
        let row = row.to_vec();
        let (mut low, mut high) = dense.accumulator;
        if gaps {
            // All columns count in hardware, those that stand in the padding too.
            let bounds = row.iter().map(|w| (w * input.min(), w * input.max()));
            let full = bounds.fold((0, 0), |(l, h), (a, b)| (l + a.min(b), h + a.max(b)));
            (low, high) = (low.min(full.0), high.max(full.1));
        }
        let encoding = Encoding::of(&row, dense.weight, input, groups);
        range.0 = range.0.min(encoding.count_threshold(low) - 1);
        range.1 = range.1.max(encoding.count_threshold(high + 1));
    }
    ElementType::smallest(range.0, range.1).bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_go_through_the_least_common_multiple() {
        assert_eq!(conversion(4, 4, 64), Vec::<usize>::new());
        assert_eq!(conversion(4, 16, 64), [16]);
        assert_eq!(conversion(16, 49, 784), [784, 49]);
        assert_eq!(conversion(16, 49, 700), [1, 49]);
    }
}
