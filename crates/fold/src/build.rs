//! From a complete folding to the chain of engines and streams.

use crate::depthwise;
use crate::file::{Fold, LayerFold};
use crate::map_units::needs_window;
use crate::mvu::Feed;
use crate::widths::Widths;
use crate::{windows, wired};
use dataflow::{
    ChannelAffine, Dataflow, Engine, EngineKind, LabelSelect, MemoryStyle, OUTSIDE, Stream,
    Threshold, windows_at_once,
};
use engines::{Resources, cycles_per_frame, full_rate_credits};
use std::mem::take;
use streamline::{Layer, LayerOp, Streamlined, Thresholds};
use tensor::ElementType;

/// Depth up to which a memory is kept in LUTs when the folding does not say.
const LARGEST_LUT_DEPTH: usize = 128;

/// Builds the dataflow of a folding that was [checked](Fold::check) against the network. Where a
/// layer's buffer is not set it is two vectors or more, and there is no FIFO that is not set.
pub fn dataflow(name: &str, network: &Streamlined, fold: &Fold) -> Dataflow {
    let mut dataflow = sketch(name, network, fold);
    wired::plant(&mut dataflow, network);
    dataflow
}

/// The same without the trees of layers whose weights are wires: these take time.
pub(crate) fn sketch(name: &str, network: &Streamlined, fold: &Fold) -> Dataflow {
    let widths = Widths::default();
    let pixel = input_pixel(network, fold);
    let mut chain = Chain::of_input(network, &widths, fold.input_lanes.unwrap_or(1), pixel);
    let default = LayerFold::default();
    for layer in &network.layers {
        let folding = fold.layers.get(&layer.name).unwrap_or(&default);
        chain.lead(layer, folding, fold.fifos.get(&layer.name).copied());
        chain.layer(layer, folding);
    }
    chain.end();
    let last = chain.streams.last_mut().expect("streams were pushed");
    last.name = "m_axis".into();
    last.to = OUTSIDE;
    Dataflow { name: name.into(), streams: chain.streams, engines: chain.engines }
}

/// The words that a layer takes: their lanes, and the elements of a pixel that they do not straddle.
pub(crate) fn taken(layer: &Layer, folding: &LayerFold, input: &Stream) -> (usize, usize) {
    let pixels = folding.pixels.unwrap_or(1);
    let pixel = input_pixel_of(layer, input) * pixels;
    let narrow = within_pixels(input, pixel);
    let simd = folding.simd.unwrap_or(1);
    let lanes = match (&layer.op, folding.lanes) {
        (LayerOp::Dense(_), _) => simd,
        (LayerOp::Conv(conv), _) if conv.is_depthwise() => folding.pe.unwrap_or(1),
        (LayerOp::Conv(conv), _) if folding.parallel_window => simd / conv.window.taps() * pixels,
        (LayerOp::Conv(_), _) => simd * pixels,
        (LayerOp::LabelSelect { k: 2.., .. }, _) => 1,
        (LayerOp::Pool(_), _) if pixels > 1 => pixel,
        (LayerOp::Pool(_), None) => gcd(narrow, pixel),
        (_, lanes) => lanes.unwrap_or(narrow),
    };
    (lanes, pixel)
}

/// Elements of a pixel of the input stream: words do not straddle pixels where the first layer with
/// more than one element works pixel by pixel.
pub(crate) fn input_pixel(network: &Streamlined, fold: &Fold) -> usize {
    let pixels = |name: &str| fold.layers.get(name).and_then(|l| l.pixels).unwrap_or(1);
    first_pixelwise(network)
        .map_or(network.input.elements(), |name| network.input.map.channels * pixels(name))
}

/// The layer whose pixels the input comes in, if the first with more than one element has pixels.
fn first_pixelwise(network: &Streamlined) -> Option<&str> {
    let first = network.layers.iter().find_map(|l| Some((l, is_pixelwise(l)?)));
    first.filter(|(_, pixelwise)| *pixelwise).map(|(layer, _)| layer.name.as_str())
}

/// Whether a layer works pixel by pixel; `None` for those that take words as they come.
pub(crate) fn is_pixelwise(layer: &Layer) -> Option<bool> {
    match &layer.op {
        LayerOp::Conv(_) | LayerOp::Pool(_) => Some(true),
        LayerOp::Dense(_) | LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => Some(false),
        LayerOp::Threshold(_) => None,
    }
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

/// The lanes of the words of a stream, or of narrower ones that stay within pixels of `pixel` elements.
fn within_pixels(stream: &Stream, pixel: usize) -> usize {
    let Stream { lanes, pixel: from, .. } = *stream;
    if from == pixel { lanes } else { gcd(lanes, gcd(from, pixel)) }
}

/// The engines and streams so far.
pub(crate) struct Chain<'n> {
    pub(crate) network: &'n Streamlined,
    pub(crate) widths: &'n Widths,
    streams: Vec<Stream>,
    engines: Vec<Engine>,
}

impl<'n> Chain<'n> {
    /// A chain that takes a stream from outside.
    pub(crate) fn from(network: &'n Streamlined, widths: &'n Widths, stream: Stream) -> Self {
        let input = Stream { from: OUTSIDE, to: 0, ..stream };
        Self { network, widths, streams: vec![input], engines: Vec::new() }
    }

    /// A chain that begins with the adapter of the network's input.
    pub(crate) fn of_input(
        network: &'n Streamlined,
        widths: &'n Widths,
        lanes: usize,
        pixel: usize,
    ) -> Self {
        let (name, element) = ("s_axis".into(), network.input.element);
        let (elements, from, to) = (network.input.elements(), OUTSIDE, 0);
        let input = Stream { name, element, lanes, elements, pixel, from, to };
        let mut chain = Self::from(network, widths, input);
        chain.same("axis_in", EngineKind::Input);
        chain
    }

    /// The adapter of the network's output.
    pub(crate) fn end(&mut self) {
        self.same("axis_out", EngineKind::Output);
    }

    /// What all engines take together, and the cycles of the slowest one.
    pub(crate) fn cost(mut self) -> (Resources, u64) {
        let (streams, engines) = (take(&mut self.streams), take(&mut self.engines));
        let piece = Dataflow { name: String::new(), streams, engines };
        let all = 0..piece.engines.len();
        let cycles = all.clone().map(|e| cycles_per_frame(&piece, e)).max();
        (all.map(|e| engines::cost(&piece, e)).sum(), cycles.unwrap_or(0))
    }

    pub(crate) fn last(&self) -> &Stream {
        self.streams.last().expect("the chain starts with a stream")
    }

    /// An engine whose output words are as its input words.
    fn same(&mut self, name: &str, kind: EngineKind) {
        let last = self.last().clone();
        self.push(name, "", kind, last);
    }

    /// An engine with its output stream, whose name and ends are filled in.
    pub(crate) fn push(&mut self, name: &str, layer: &str, kind: EngineKind, output: Stream) {
        let index = self.engines.len();
        self.engines.push(Engine {
            name: name.into(),
            layer: layer.into(),
            inputs: vec![index],
            outputs: vec![index + 1],
            kind,
        });
        let name = format!("{name}_out");
        self.streams.push(Stream { name, from: index, to: index + 1, ..output });
    }

    /// What is in front of a layer: width converters to lanes with which words stay within pixels,
    /// and from there to those that the layer takes; and its FIFO, where the words are widest: behind a
    /// converter that waits while they wait, in front of one that makes many of one.
    pub(crate) fn lead(&mut self, layer: &Layer, folding: &LayerFold, fifo: Option<usize>) {
        let (lanes, pixel) = taken(layer, folding, self.last());
        self.lead_to(&layer.name, pixel, lanes, fifo);
    }

    /// The same, to words of so many lanes.
    pub(crate) fn lead_to(&mut self, layer: &str, pixel: usize, lanes: usize, fifo: Option<usize>) {
        let narrow = within_pixels(self.last(), pixel);
        let mut way = vec![("", self.last().lanes), ("narrow", narrow)];
        way.extend(["width", "width2"].into_iter().zip(conversion(narrow, lanes, pixel)));
        let widest = way.iter().map(|&(_, lanes)| lanes).max();
        let place = way.iter().rposition(|&(_, lanes)| Some(lanes) == widest);
        for (index, (name, lanes)) in way.into_iter().enumerate() {
            if lanes != self.last().lanes {
                let output = Stream { lanes, ..self.last().clone() };
                self.push(&format!("{layer}_{name}"), "", EngineKind::Width, output);
            }
            if index > 0 {
                self.streams.last_mut().expect("the chain starts with a stream").pixel = pixel;
            }
            if let Some(depth) = fifo.filter(|_| Some(index) == place) {
                self.same(&format!("{layer}_fifo"), EngineKind::Fifo { depth });
            }
        }
    }

    pub(crate) fn layer(&mut self, layer: &Layer, folding: &LayerFold) {
        match &layer.op {
            LayerOp::Threshold(t) => self.threshold(layer, folding, t),
            LayerOp::Dense(dense) => self.mvu(layer, folding, dense, Feed::default()),
            LayerOp::Conv(conv) => {
                let mut feed = Feed { pixels: folding.pixels.unwrap_or(1), ..Feed::default() };
                if folding.parallel_window {
                    let padding = windows::around(conv, self.last().element);
                    let raster = self.parallel(layer, folding, conv.input, conv.window, padding);
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
}

/// Where a memory is kept.
pub(crate) fn style(asked: Option<MemoryStyle>, depth: usize) -> MemoryStyle {
    let by_depth = if depth > LARGEST_LUT_DEPTH { MemoryStyle::Block } else { MemoryStyle::Lut };
    asked.unwrap_or(by_depth)
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

pub(crate) fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
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
