//! Window units and pools in the chain.

use crate::build::{Chain, style};
use crate::file::LayerFold;
use crate::windows;
use dataflow::{EngineKind, MemoryStyle, SlidingWindow, Stream, windows_at_once};
use engines::{full_rate_credits, parallel_window::Raster, window::Walk};
use streamline::{Conv, Layer, Pool};
use tensor::{Map, Surround, Window};

impl Chain<'_> {
    /// The sliding window unit of a convolution, which puts out each window for every pass.
    pub(crate) fn window(&mut self, layer: &Layer, folding: &LayerFold, conv: &Conv) {
        let input = self.last().clone();
        let pe = folding.pe.unwrap_or(1);
        let passes = layer.map.channels.div_ceil(pe);
        let groups = if conv.is_depthwise() { passes } else { conv.groups };
        let order = Order { groups, repeats: passes / groups };
        let around = windows::around(conv, input.element);
        let unit = sliding(conv.input, conv.window, order, around, input.lanes, folding);
        self.sliding_window(layer, unit);
    }

    /// A sliding window unit of a layer.
    fn sliding_window(&mut self, layer: &Layer, unit: SlidingWindow) {
        let input = self.last().clone();
        let pixel = unit.columns() * unit.groups * unit.repeats;
        let output = Stream { elements: layer.map.pixels() * pixel, pixel, ..input };
        let name = format!("{}_window", layer.name);
        self.push(&name, &layer.name, EngineKind::Window(unit), output);
    }

    /// The parallel window unit of a layer.
    pub(crate) fn parallel(
        &mut self,
        layer: &Layer,
        folding: &LayerFold,
        map: Map,
        window: Window,
        padding: Surround,
    ) -> Raster {
        let input = self.last().clone();
        let pixels = folding.pixels.unwrap_or(1);
        let unit = windows::unit(map, window, pixels, padding, input.lanes, folding.lines);
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

    pub(crate) fn pool(&mut self, layer: &Layer, folding: &LayerFold, pool: &Pool) {
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
            self.parallel(layer, folding, pool.input, pool.window, Surround::of(vec![lowest]));
            (unit.words, unit.taps) = (1, taps);
            unit.windows = windows_at_once(pixels, pool.window.stride[1]);
        } else {
            let order = Order { groups: pool.input.channels / input.lanes, repeats: 1 };
            let around = Surround::of(vec![lowest]);
            let unit = sliding(pool.input, pool.window, order, around, input.lanes, folding);
            self.sliding_window(layer, unit);
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
}

/// In which order a sliding window unit puts out the words of a window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Order {
    /// Groups that the channels are taken in.
    pub(crate) groups: usize,
    /// How often each group is put out.
    pub(crate) repeats: usize,
}

/// The sliding window unit for words of `lanes` elements, with a ring as deep as the folding says, or of
/// the default depth; never one that is too short for a window.
pub(crate) fn sliding(
    map: Map,
    window: Window,
    order: Order,
    padding: Surround,
    lanes: usize,
    folding: &LayerFold,
) -> SlidingWindow {
    let Order { groups, repeats } = order;
    let memory = MemoryStyle::Lut;
    let mut unit =
        SlidingWindow { map, window, groups, repeats, padding, depth: 0, memory, credits: 1 };
    let shortest = unit.shortest_ring(lanes);
    let depth = folding.buffer.unwrap_or_else(|| default_ring(&unit, lanes)).max(shortest);
    unit.depth = depth;
    unit.memory = style(folding.lines, depth);
    unit.credits = full_rate_credits(engines::window::latency(&unit), 1);
    unit
}

/// Whether a convolution needs a sliding window unit: a single tap without stride does not, unless
/// groups of channels are taken one after another.
pub(crate) fn needs_window(conv: &Conv) -> bool {
    conv.window != Window::of([1, 1]) || conv.groups > 1 && !conv.is_depthwise()
}

/// A ring that seldom limits the rate: a window, what the next one needs besides while the first is
/// read, and rows that come in ahead of the jump from one row of windows to the next.
pub fn default_ring(unit: &SlidingWindow, lanes: usize) -> usize {
    let walk = Walk::of(unit, lanes);
    let ahead = |window| walk.base(window + 1) - walk.base(window);
    let next = (0..walk.windows()).map(ahead).max().unwrap_or(0) as usize;
    let row = unit.map.width * walk.words_per_pixel();
    let rows = (unit.window.stride[0] * row).min(walk.words_per_frame());
    unit.shortest_ring(lanes) + next + rows + 2
}
