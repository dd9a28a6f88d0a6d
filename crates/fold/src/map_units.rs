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
    pub(crate) fn parallel(
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
