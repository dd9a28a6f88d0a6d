//! Random engines that fit a stream.

use crate::draw::Draw;
use crate::random::{Grower, Head, Shape};
use dataflow::{
    ChannelAffine, Depthwise, Dot, EngineKind, LabelSelect, MemoryStyle, Mvu, ParallelWindow, Pool,
    SlidingWindow, Threshold, Trees,
};
use engines::full_rate_credits;
use tensor::{ElementType, Map, Surround, Window};

const STYLES: [MemoryStyle; 2] = [MemoryStyle::Block, MemoryStyle::Lut];

/// Types of what thresholds put out.
const LEVELS: [ElementType; 4] =
    [ElementType::Bipolar, ElementType::Uint(2), ElementType::Int(2), ElementType::Uint(4)];

/// Neighbouring pixels seen as one, or a pixel seen as several, where words allow it.
fn relabelled(draw: &mut Draw, shape: Shape) -> Shape {
    if !shape.is_full() || draw.chance(0.6) {
        return shape;
    }
    let Map { height, width, channels } = shape.map;
    let map = if draw.chance(0.5) {
        let together = draw.divisor(width);
        Map { height, width: width / together, channels: channels * together }
    } else {
        let parts = draw.divisor(channels / shape.lanes);
        Map { height, width: width * parts, channels: channels / parts }
    };
    Shape { map, ..shape }
}

/// A window, and the map of its places over `map`.
fn window(draw: &mut Draw, map: Map) -> Option<(Window, Map)> {
    let mut two = |low, high| [draw.size(low, high), draw.size(low, high)];
    let (kernel, padded, spread) = (two(1, 3), two(0, 1), two(0, 3));
    let (stride, before, after) = (two(1, 3), two(0, 2), two(0, 2));
    let dilation = spread.map(|n| if n == 0 { 2 } else { 1 });
    let mut window = Window { stride, dilation, ..Window::of(kernel) };
    if padded == [1, 1] {
        window = Window { before, after, ..window };
    }
    Some((window, window.over(map, 1)?))
}

/// A window of which there is one at every place of the map.
fn same_window(draw: &mut Draw) -> Window {
    let kernel = [draw.size(1, 3), draw.size(1, 3)];
    let before = kernel.map(|n| (n - 1) / 2);
    let after = [kernel[0] - 1 - before[0], kernel[1] - 1 - before[1]];
    Window { before, after, ..Window::of(kernel) }
}

impl Grower {
    /// Any engine that fits.
    pub(crate) fn grow(&mut self, head: Head) -> Head {
        for _ in 0..20 {
            let grown = match self.draw.size(0, 19) {
                0 => Some(self.fifo(head)),
                1 | 2 => self.width(head),
                3 => Some(self.threshold(head)),
                4 => Some(self.affine(head)),
                5 | 6 => self.mvu(head),
                7 | 8 => self.windows(head, None),
                9..=12 => self.convolution(head),
                13..=16 => self.parallel_windows(head, None),
                17 => self.pool(head),
                18 => self.depthwise(head),
                _ => self.label_select(head),
            };
            if let Some(grown) = grown {
                return grown;
            }
        }
        self.fifo(head)
    }

    /// One or more engines behind which words and pixels are the same.
    pub(crate) fn grow_alike(&mut self, head: Head) -> Head {
        let Shape { lanes, map, element } = head.shape;
        let full = head.shape.is_full();
        match self.draw.size(0, 8) {
            0 if element.bits() <= 4 => {
                return self.matrix(head, (map.channels, lanes), 1);
            }
            1 if full && element.bits() <= 4 => {
                let window = same_window(&mut self.draw);
                if let Some(head) = self.windows(head, Some((window, 1, 1))) {
                    return self.matrix(head, (map.channels, lanes), 1);
                }
            }
            2 if full => {
                let window = same_window(&mut self.draw);
                let groups = map.channels / lanes;
                if let Some(head) = self.windows(head, Some((window, groups, 1))) {
                    let shape = Shape { element, lanes, map };
                    return self.pooled(head, (window.taps(), 1), shape);
                }
            }
            3 if full && element.bits() <= 4 => {
                let window = same_window(&mut self.draw);
                if let Some(head) = self.parallel_windows(head, Some(window)) {
                    return self.matrix(head, (map.channels, lanes), 1);
                }
            }
            4 => {
                let narrow = self.draw.divisor(lanes);
                if narrow < lanes {
                    let shape = Shape { lanes: narrow, ..head.shape };
                    let narrow = self.add(head, EngineKind::Width, shape);
                    return self.add(narrow, EngineKind::Width, head.shape);
                }
            }
            5 => return self.threshold(head),
            6 => return self.affine(head),
            _ => {}
        }
        let depth = self.draw.shallow(2 * head.shape.words_per_frame());
        self.add(head, EngineKind::Fifo { depth }, head.shape)
    }

    fn fifo(&mut self, head: Head) -> Head {
        let kind = EngineKind::Fifo { depth: self.draw.depth(8) };
        let shape = relabelled(&mut self.draw, head.shape);
        self.add(head, kind, shape)
    }

    fn width(&mut self, head: Head) -> Option<Head> {
        let Shape { lanes, map, .. } = head.shape;
        let most = map.channels;
        let fits = |n: &usize| n.is_multiple_of(lanes) || lanes.is_multiple_of(*n);
        let all: Vec<usize> = (1..=most).filter(|n| *n != lanes).filter(fits).collect();
        if all.is_empty() {
            return None;
        }
        let shape = Shape { lanes: self.draw.pick(&all), ..head.shape };
        Some(self.add(head, EngineKind::Width, shape))
    }

    pub(crate) fn threshold(&mut self, head: Head) -> Head {
        let (thresholds, shared) = (self.draw.size(1, 15), self.draw.chance(0.5));
        let memory = self.draw.pick(&STYLES);
        let mut unit = Threshold { thresholds, shared, memory, credits: 1 };
        let latency = engines::threshold::latency(&unit);
        unit.credits = self.draw.depth(full_rate_credits(latency, 1));
        let element = self.draw.pick(&LEVELS);
        let shape = relabelled(&mut self.draw, Shape { element, ..head.shape });
        // Where branches meet, pixels stay what they are.
        let shape = Shape { map: head.shape.map, ..shape };
        self.add(head, EngineKind::Threshold(unit), shape)
    }

    fn affine(&mut self, head: Head) -> Head {
        let (multiplier, addend) = (ElementType::Int(8), ElementType::Int(8));
        let credits = self.draw.depth(full_rate_credits(engines::affine::LATENCY, 1));
        let kind = EngineKind::ChannelAffine(ChannelAffine { multiplier, addend, credits });
        self.add(head, kind, Shape { element: ElementType::Int(9), ..head.shape })
    }

    /// A matrix-vector unit with any rows, on several vectors at once where words allow it.
    fn mvu(&mut self, head: Head) -> Option<Head> {
        let Shape { element, lanes, map } = head.shape;
        if element.bits() > 8 {
            return None;
        }
        let rows = self.draw.size(1, 10);
        if lanes == map.channels && self.draw.chance(0.5) {
            let vectors = self.draw.divisor(lanes);
            return Some(self.matrix(head, (rows, rows), vectors));
        }
        let pe = self.draw.size(1, rows);
        let passes = rows.div_ceil(pe);
        let many = head.shape.words_per_frame() * passes > 4 * 360;
        (!many).then(|| self.matrix(head, (rows, pe), 1))
    }

    fn matrix(&mut self, head: Head, (rows, pe): (usize, usize), vectors: usize) -> Head {
        let mut unit = self.matrix_unit(head, (rows, pe), vectors);
        unit.columns = head.shape.map.channels / vectors;
        if unit.neuron_fold() > 1 {
            let vector = unit.synapse_fold();
            unit.buffer_words = vector + self.draw.pick(&[0, 0, 1, vector, 3 * vector]);
        }
        self.end_matrix(head, unit)
    }

    /// A matrix-vector unit with bipolar results, and so many places more than it needs in its
    /// input buffer and of credits.
    pub(crate) fn dense(
        &mut self,
        head: Head,
        (rows, pe): (usize, usize),
        buffer: usize,
        credits: usize,
    ) -> Head {
        let mut unit = Mvu { thresholds: 1, credits, ..self.matrix_unit(head, (rows, pe), 1) };
        if unit.neuron_fold() > 1 {
            unit.buffer_words = unit.synapse_fold() + buffer;
        }
        let map = Map { channels: rows, ..head.shape.map };
        let shape = Shape { element: ElementType::Bipolar, lanes: pe, map };
        self.add(head, EngineKind::Mvu(unit), shape)
    }

    /// A unit that is not folded yet.
    fn matrix_unit(&mut self, head: Head, (rows, pe): (usize, usize), vectors: usize) -> Mvu {
        let Shape { element, lanes, map } = head.shape;
        let weight = self.draw.pick(&[ElementType::Bipolar, ElementType::Int(2)]);
        // Wires come when it is known what is done at once.
        let suits = |dot: &Dot| *dot != Dot::Wired && dot.takes(weight, element);
        let possible: Vec<Dot> = Dot::ALL.into_iter().filter(suits).collect();
        Mvu {
            rows,
            columns: map.channels,
            pe,
            simd: lanes / vectors,
            taps: 1,
            vectors,
            weight,
            dot: self.draw.pick(&possible),
            levels: (element.min().min(0), element.max().max(1)),
            accumulator_bits: 12,
            thresholds: self.draw.pick(&[0, 1, 2, 3, 15]),
            from_threshold: false,
            trees: None,
            weight_memory: self.draw.pick(&STYLES),
            threshold_memory: self.draw.pick(&STYLES),
            replayed: false,
            buffer_words: 0,
            credits: 1,
        }
    }

    fn end_matrix(&mut self, head: Head, mut unit: Mvu) -> Head {
        let trees = Some(Trees { latency: self.draw.size(1, 9) as u64, luts: 0, ffs: 0 });
        let wired = Mvu { dot: Dot::Wired, trees, ..unit.clone() };
        let suits = Dot::Wired.takes(unit.weight, head.shape.element) && wired.can_be_wired();
        if suits && self.draw.chance(0.5) {
            unit = wired;
        }
        let latency = engines::mvu::latency(&unit, head.shape.element);
        unit.credits = self.draw.depth(full_rate_credits(latency, unit.synapse_fold()));
        let element = match unit.thresholds {
            0 => ElementType::Int(12),
            _ => self.draw.pick(&LEVELS),
        };
        let channels = unit.rows * unit.vectors;
        let map = Map { channels, ..head.shape.map };
        let shape = Shape { element, lanes: unit.pe * unit.vectors, map };
        self.add(head, EngineKind::Mvu(unit), shape)
    }

    /// A sliding window unit and a matrix-vector unit behind it, for which each window may come
    /// several times.
    fn convolution(&mut self, head: Head) -> Option<Head> {
        if head.shape.element.bits() > 8 {
            return None;
        }
        let rows = self.draw.size(1, 6);
        let pe = self.draw.size(1, rows);
        let repeats = if self.draw.chance(0.6) { rows.div_ceil(pe) } else { 1 };
        let (window, _) = window(&mut self.draw, head.shape.map)?;
        let taps = window.taps();
        let head = self.windows(head, Some((window, 1, repeats)))?;
        if repeats == 1 {
            return Some(self.matrix(head, (rows, pe), 1));
        }
        let mut unit = self.matrix_unit(head, (rows, pe), 1);
        unit.columns = head.shape.map.channels / repeats;
        unit.taps = if unit.simd.is_multiple_of(taps) { taps } else { 1 };
        unit.replayed = true;
        Some(self.end_matrix(head, unit))
    }

    /// A sliding window unit: a window, groups and repeats that are given, or any.
    fn windows(&mut self, head: Head, given: Option<(Window, usize, usize)>) -> Option<Head> {
        let Shape { lanes, map, element } = head.shape;
        if !head.shape.is_full() {
            return None;
        }
        let (window, groups, repeats) = match given {
            Some(given) => given,
            None => {
                let (window, _) = window(&mut self.draw, map)?;
                (window, self.draw.divisor(map.channels / lanes), self.draw.pick(&[1, 1, 2, 3]))
            }
        };
        let out = window.over(map, window.taps() * map.channels * repeats)?;
        let shape = Shape { map: out, ..head.shape };
        let mut unit = SlidingWindow {
            map,
            window,
            groups,
            repeats,
            padding: Surround::of(vec![element.max()]),
            depth: 0,
            memory: self.draw.pick(&STYLES),
            credits: 1,
        };
        let shortest = unit.shortest_ring(lanes);
        let row = map.width * map.channels / lanes;
        unit.depth = shortest + self.draw.pick(&[0, 0, 1, 2, row, 3 * row]);
        let latency = engines::window::latency(&unit);
        unit.credits = self.draw.depth(full_rate_credits(latency, 1));
        self.is_small(shape).then(|| self.add(head, EngineKind::Window(unit), shape))
    }

    /// A parallel window unit: a window that is given over single pixels, or any.
    fn parallel_windows(&mut self, head: Head, given: Option<Window>) -> Option<Head> {
        let Shape { lanes, map, element } = head.shape;
        if !head.shape.is_full() {
            return None;
        }
        let whole = given.is_none() && lanes == map.channels;
        let pixels = if whole { self.draw.divisor(lanes) } else { 1 };
        let over = Map { width: map.width * pixels, channels: map.channels / pixels, ..map };
        let (window, outputs) = match given {
            Some(window) => (window, window.over(over, 1)?),
            None => window(&mut self.draw, over)?,
        };
        let mut unit = ParallelWindow {
            map: over,
            window,
            pixels,
            padding: Surround::of(vec![element.max()]),
            memory: self.draw.pick(&STYLES),
            credits: 1,
        };
        if !unit.is_possible() {
            return None;
        }
        let latency = engines::parallel_window::latency(&unit);
        unit.credits = self.draw.depth(full_rate_credits(latency, 1));
        let (at_once, taps) = (unit.windows(), window.taps());
        let channels = over.channels * taps * at_once;
        let out = Map { width: outputs.width / at_once, channels, ..outputs };
        let shape = Shape { element, lanes: lanes / pixels * taps * at_once, map: out };
        self.is_small(shape).then(|| self.add(head, EngineKind::ParallelWindow(unit), shape))
    }

    /// A pool of any words and taps.
    fn pool(&mut self, head: Head) -> Option<Head> {
        let Shape { lanes, element, .. } = head.shape;
        let words = self.draw.divisor(head.shape.words_per_frame());
        let taps = self.draw.divisor(lanes);
        let map = self.regrouped(head.shape.words_per_frame() / words, lanes / taps);
        let shape = Shape { element, lanes: lanes / taps, map };
        Some(self.pooled(head, (words, taps), shape))
    }

    fn pooled(&mut self, head: Head, (words, taps): (usize, usize), shape: Shape) -> Head {
        let windows = self.draw.divisor(shape.lanes);
        let mut unit = Pool { words, taps, windows, smallest: false, credits: 1 };
        let latency = engines::pool::latency(&unit);
        unit.credits = self.draw.depth(full_rate_credits(latency, words));
        self.add(head, EngineKind::Pool(unit), shape)
    }

    fn depthwise(&mut self, head: Head) -> Option<Head> {
        let lanes = head.shape.lanes;
        let taps = self.draw.divisor(head.shape.words_per_frame());
        let map = self.regrouped(head.shape.words_per_frame() / taps, lanes);
        let mut unit = Depthwise {
            channels: map.channels,
            taps,
            weight: self.draw.pick(&[None, Some(ElementType::Bipolar)]),
            accumulator_bits: 12,
            thresholds: self.draw.pick(&[0, 1, 3]),
            weight_memory: self.draw.pick(&STYLES),
            threshold_memory: self.draw.pick(&STYLES),
            credits: 1,
        };
        let latency = engines::depthwise::latency(&unit);
        unit.credits = self.draw.depth(full_rate_credits(latency, taps));
        let shape = Shape { element: self.draw.pick(&LEVELS), lanes, map };
        Some(self.add(head, EngineKind::Depthwise(unit), shape))
    }

    /// A row of pixels that full words make.
    fn regrouped(&mut self, words: usize, lanes: usize) -> Map {
        let together = self.draw.divisor(words);
        Map { height: 1, width: words / together, channels: together * lanes }
    }

    fn label_select(&mut self, head: Head) -> Option<Head> {
        let Shape { lanes, map, .. } = head.shape;
        if map.pixels() > 1 {
            return None;
        }
        let elements = map.channels;
        let k = if lanes == 1 { self.draw.size(1, elements.min(4)) } else { 1 };
        let latency = engines::label_select::latency(lanes, k);
        let words = head.shape.words_per_frame();
        let credits = self.draw.depth(full_rate_credits(latency, words));
        let element = ElementType::smallest(0, elements as i64 - 1);
        let shape = Shape { element, lanes: k, map: Map::vector(k) };
        let kind = EngineKind::LabelSelect(LabelSelect { k, smallest: false, credits });
        Some(self.add(head, kind, shape))
    }
}
