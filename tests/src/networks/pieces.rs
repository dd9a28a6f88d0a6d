//! Engines with what they compute, for streams that grow: values drawn, parameters at random.

use super::{Bare, Draw, Growing, Loose, Words, width_steps};
use dataflow::{Dot, EngineKind, MemoryStyle, Mvu, ParallelWindow, SlidingWindow, Threshold};
use engines::full_rate_credits;
use ndarray::Array2;
use streamline::{Conv, Dense, LayerOp, Padding, Thresholds};
use tensor::{Axis, ElementType, Map, Surround, Window};

const STYLES: [MemoryStyle; 2] = [MemoryStyle::Block, MemoryStyle::Lut];

/// Wide enough for the sums of all these matrices.
const ACCUMULATOR_BITS: u32 = 16;

/// A design that grows with random engines.
#[derive(Debug)]
pub struct Pieces {
    /// Where they go.
    pub growing: Growing,
    /// Where their values and parameters come from.
    pub draw: Draw,
}

impl Pieces {
    /// A FIFO.
    pub fn fifo(&mut self, from: Loose, depth: usize) -> Loose {
        let output = self.growing.words(from);
        let kind = EngineKind::Fifo { depth };
        self.growing.add(from, &Bare { kind, layer: None, output })
    }

    /// Width converters to words of `lanes` elements.
    pub fn width(&mut self, mut from: Loose, lanes: usize) -> Loose {
        let words = self.growing.words(from);
        for lanes in width_steps(words.lanes, lanes) {
            let output = Words { lanes, ..words };
            from = self.growing.add(from, &Bare { kind: EngineKind::Width, layer: None, output });
        }
        from
    }

    /// A threshold unit with levels of a type.
    pub fn threshold(&mut self, from: Loose, to: ElementType) -> Loose {
        let words = self.growing.words(from);
        let range = (words.element.min() - 1, words.element.max() + 1);
        let values = self.levels(words.map.channels, to, range);
        let memory = self.draw.pick(&STYLES);
        let thresholds = values.values.ncols();
        let mut unit = Threshold { thresholds, shared: false, memory, credits: 1 };
        unit.credits = self.credits(engines::threshold::latency(&unit), 1);
        let (kind, layer) = (EngineKind::Threshold(unit), Some(LayerOp::Threshold(values)));
        self.growing.add(from, &Bare { kind, layer, output: Words { element: to, ..words } })
    }

    /// A matrix over the channels of each pixel, as a convolution of a single tap: the same words
    /// come out.
    pub fn matrix(&mut self, from: Loose, to: ElementType) -> Loose {
        self.convolution(from, Window::of([1, 1]), to)
    }

    /// A convolution behind a sliding window unit (or none, or a parallel one), with as many
    /// windows as there are pixels: the same words come out.
    pub fn convolution(&mut self, from: Loose, window: Window, to: ElementType) -> Loose {
        let from = self.readable(from);
        let words = self.growing.words(from);
        let rows = words.map.channels;
        let around = Surround::of(vec![words.element.decode(self.draw.bits() >> 8)]);
        let padding = Padding::Value(around.clone());
        let weight = self.draw.pick(&[ElementType::Bipolar, ElementType::Int(2)]);
        let dense = self.dense((rows, window.taps() * rows), weight, words.element, to);
        let mut pe = words.lanes;
        if rows.is_multiple_of(pe) && self.draw.chance(0.3) {
            pe = rows;
        }
        let passes = rows.div_ceil(pe);
        let whole = window.taps() == 1 || !rows.is_multiple_of(words.lanes);
        let way = if whole { 0 } else { self.draw.size(0, 2) };
        let feed = match way {
            0 if window.taps() == 1 => from,
            0 | 1 => self.windows(from, window, &around, if way == 0 { 1 } else { passes }),
            _ => self.parallel_windows(from, window, &around),
        };
        let replayed = way == 1 && passes > 1;
        let op = Conv { input: words.map, window, groups: 1, padding, dense };
        let fed = self.growing.words(feed);
        let taps = if way == 2 { window.taps() } else { 1 };
        let mut unit = self.unit(fed, &op.dense, (pe, taps));
        unit.replayed = replayed;
        if passes > 1 && !replayed {
            unit.buffer_words = unit.synapse_fold() * self.draw.size(1, 3);
        }
        let latency = engines::mvu::latency(&unit, words.element);
        unit.credits = self.credits(latency, unit.synapse_fold());
        let output = Words { element: to, lanes: pe, map: words.map };
        let (kind, layer) = (EngineKind::Mvu(unit), Some(LayerOp::Conv(op)));
        let sums = self.growing.add(feed, &Bare { kind, layer, output });
        self.width(sums, words.lanes)
    }

    /// The largest of each window: the same words come out.
    pub fn pool(&mut self, from: Loose, window: Window) -> Loose {
        let words = self.growing.words(from);
        let around = Surround::of(vec![words.element.min()]);
        let groups = words.map.channels / words.lanes;
        let fed = self.sliding(from, window, &around, (groups, 1));
        let taps = window.taps();
        let mut unit =
            dataflow::Pool { words: taps, taps: 1, windows: 1, smallest: false, credits: 1 };
        unit.credits = self.credits(engines::pool::latency(&unit), taps);
        let pool = streamline::Pool { input: words.map, window, smallest: false };
        let (kind, layer) = (EngineKind::Pool(unit), Some(LayerOp::Pool(pool)));
        self.growing.add(fed, &Bare { kind, layer, output: words })
    }

    /// A window of which there is one at every pixel.
    pub fn same_window(&mut self) -> Window {
        let kernel = [self.draw.size(1, 3), self.draw.size(1, 3)];
        let before = kernel.map(|n| (n - 1) / 2);
        let after = [kernel[0] - 1 - before[0], kernel[1] - 1 - before[1]];
        Window { before, after, ..Window::of(kernel) }
    }

    /// A stream of the type that a matrix can read.
    fn readable(&mut self, from: Loose) -> Loose {
        let element = self.growing.words(from).element;
        if self.growing.reads() == element && element.bits() <= 4 {
            return from;
        }
        let to = self.draw.pick(&[ElementType::Bipolar, ElementType::Uint(2)]);
        self.threshold(from, to)
    }

    fn credits(&mut self, latency: u64, steps: usize) -> usize {
        let enough = full_rate_credits(latency, steps);
        if self.draw.chance(0.7) { enough } else { self.draw.size(1, enough) }
    }

    /// Ascending thresholds of each row.
    fn levels(&mut self, rows: usize, to: ElementType, (low, high): (i64, i64)) -> Thresholds {
        let bipolar = to == ElementType::Bipolar;
        let count = if bipolar { 1 } else { (to.max() - to.min()) as usize };
        let mut values = Array2::zeros((rows, count));
        for mut row in values.rows_mut() {
            let mut sorted: Vec<i64> = (0..count).map(|_| self.draw.integer(low, high)).collect();
            sorted.sort_unstable();
            row.assign(&ndarray::Array1::from(sorted));
        }
        Thresholds { values, base: to.min(), bipolar }
    }

    fn dense(
        &mut self,
        (rows, columns): (usize, usize),
        weight: ElementType,
        input: ElementType,
        to: ElementType,
    ) -> Dense {
        let weights =
            Array2::from_shape_simple_fn((rows, columns), || weight.decode(self.draw.bits() >> 9));
        let most = columns as i64 * weight.max().max(-weight.min()) * input.max().max(-input.min());
        let thresholds = Some(self.levels(rows, to, (-most / 3 - 1, most / 3 + 1)));
        Dense { weights, negated: Vec::new(), weight, accumulator: (-most, most), thresholds }
    }

    fn unit(&mut self, input: Words, dense: &Dense, (pe, taps): (usize, usize)) -> Mvu {
        let (rows, columns) = dense.weights.dim();
        let element = input.element;
        let takes = |dot: &Dot| *dot != Dot::Wired && dot.takes(dense.weight, element);
        let possible: Vec<Dot> = Dot::ALL.into_iter().filter(takes).collect();
        Mvu {
            rows,
            columns,
            pe,
            simd: input.lanes,
            taps,
            vectors: 1,
            weight: dense.weight,
            dot: self.draw.pick(&possible),
            levels: (element.min().min(0), element.max()),
            accumulator_bits: ACCUMULATOR_BITS,
            from_threshold: false,
            trees: None,
            thresholds: dense.thresholds.as_ref().map_or(0, |t| t.values.ncols()),
            weight_memory: self.draw.pick(&STYLES),
            threshold_memory: self.draw.pick(&STYLES),
            replayed: false,
            buffer_words: 0,
            credits: 1,
        }
    }

    fn windows(&mut self, from: Loose, window: Window, around: &Surround, passes: usize) -> Loose {
        self.sliding(from, window, around, (1, passes))
    }

    fn sliding(
        &mut self,
        from: Loose,
        window: Window,
        around: &Surround,
        (groups, repeats): (usize, usize),
    ) -> Loose {
        let words = self.growing.words(from);
        let mut unit = SlidingWindow {
            map: words.map,
            window,
            groups,
            repeats,
            padding: around.clone(),
            depth: 0,
            memory: self.draw.pick(&STYLES),
            credits: 1,
        };
        unit.depth = match self.draw.chance(0.5) {
            true => fold::default_ring(&unit, words.lanes),
            false => unit.shortest_ring(words.lanes),
        };
        unit.credits = self.credits(engines::window::latency(&unit), 1);
        let map = Map { channels: unit.columns() * groups * repeats, ..words.map };
        let kind = EngineKind::Window(unit);
        self.growing.add(from, &Bare { kind, layer: None, output: Words { map, ..words } })
    }

    fn parallel_windows(&mut self, from: Loose, window: Window, around: &Surround) -> Loose {
        let words = self.growing.words(from);
        let (map, padding) = (words.map, around.clone());
        let memory = MemoryStyle::Lut;
        let mut unit = ParallelWindow { map, window, pixels: 1, padding, memory, credits: 1 };
        unit.credits = self.credits(engines::parallel_window::latency(&unit), 1);
        debug_assert!(window.outputs(Axis::Rows, map.height) == Some(map.height));
        let taps = window.taps();
        let map = Map { channels: map.channels * taps, ..map };
        let output = Words { lanes: words.lanes * taps, map, ..words };
        let kind = EngineKind::ParallelWindow(unit);
        self.growing.add(from, &Bare { kind, layer: None, output })
    }
}
