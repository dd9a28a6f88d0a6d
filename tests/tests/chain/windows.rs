//! The grids that the FINN compiler tests its sliding window, padding and pool units on
//! (tests/fpgadataflow): exact here in values *and* in cycles. Kernels, maps, strides and dilations
//! of FINN's tests are all in; so are the combinations that FINN leaves out.

use crate::all_agree;
use dataflow::{EngineKind, MemoryStyle, SlidingWindow};
use golden::Golden;
use std::collections::BTreeSet;
use streamline::LayerOp;
use tensor::{Axis, ElementType, Map, Surround, Window};
use tests::networks::{Bare, Case, Draw, Timed, Words, bare};

const BIPOLAR: ElementType = ElementType::Bipolar;
const INT2: ElementType = ElementType::Int(2);
const INT4: ElementType = ElementType::Int(4);
const INT8: ElementType = ElementType::Int(8);
const UINT4: ElementType = ElementType::Uint(4);

/// A map with a window over it.
#[derive(Debug, Clone)]
struct Point {
    element: ElementType,
    map: Map,
    window: Window,
    /// Lanes: SIMD of FINN's sliding window unit, PE of its pools.
    lanes: usize,
    /// Channels word by word, each with all taps (`depthwise`), or all channels tap by tap.
    depthwise: bool,
    /// What stands around the map.
    padding: Surround,
}

impl Point {
    fn groups(&self) -> usize {
        if self.depthwise { self.map.channels / self.lanes } else { 1 }
    }

    /// The sliding window unit, with the ring that a folding gives it.
    fn engine(&self, memory: MemoryStyle) -> Bare {
        let mut unit = SlidingWindow {
            map: self.map,
            window: self.window,
            groups: self.groups(),
            repeats: 1,
            padding: self.padding.clone(),
            depth: 0,
            memory,
            credits: 1,
        };
        unit.depth = fold::default_ring(&unit, self.lanes);
        unit.credits = engines::full_rate_credits(engines::window::latency(&unit), 1);
        let map = self.window.over(self.map, unit.columns() * unit.groups).unwrap();
        let output = Words { element: self.element, lanes: self.lanes, map };
        Bare { kind: EngineKind::Window(unit), layer: None, output }
    }

    /// The maximum of each window, behind its sliding window unit.
    fn pool(&self) -> Bare {
        let taps = self.window.taps();
        let mut unit =
            dataflow::Pool { words: taps, taps: 1, windows: 1, smallest: false, credits: 1 };
        unit.credits = engines::full_rate_credits(engines::pool::latency(&unit), taps);
        let pool = streamline::Pool { input: self.map, window: self.window, smallest: false };
        let map = self.window.over(self.map, self.map.channels).unwrap();
        Bare {
            kind: EngineKind::Pool(unit),
            layer: Some(LayerOp::Pool(pool)),
            output: Words { element: self.element, lanes: self.lanes, map },
        }
    }

    /// The elements of all windows, written down once more.
    fn expected(&self, frame: &[i64]) -> Vec<i64> {
        let (map, w) = (self.map, self.window);
        let out = w.over(map, 1).unwrap();
        let channels = map.channels / self.groups();
        let over = (map, w, &self.padding);
        let mut values = Vec::new();
        for (y, x) in (0..out.height).flat_map(|y| (0..out.width).map(move |x| (y, x))) {
            for group in 0..self.groups() {
                for (ky, kx) in
                    (0..w.kernel[0]).flat_map(|ky| (0..w.kernel[1]).map(move |kx| (ky, kx)))
                {
                    let all = group * channels..(group + 1) * channels;
                    values.extend(all.map(|c| at_tap(over, frame, [y, x], [ky, kx], c)));
                }
            }
        }
        values
    }

    fn case(&self, name: &str, index: usize, pooled: bool) -> Case {
        let memory = Draw::new(index as u64).pick(&[MemoryStyle::Lut, MemoryStyle::Block]);
        let mut engines = vec![self.engine(memory)];
        engines.extend(pooled.then(|| self.pool()));
        let input = Words { element: self.element, lanes: self.lanes, map: self.map };
        let expected = |frame: &[i64]| self.expected(frame);
        checked(
            &format!("{name}_{index}"),
            index as u64,
            input,
            &engines,
            format!("{self:?}"),
            &expected,
        )
    }
}

/// A design that begins with a window unit, whose words are those that `expected` gives for a frame.
pub(crate) fn checked(
    name: &str,
    seed: u64,
    input: Words,
    engines: &[Bare],
    origin: String,
    expected: &dyn Fn(&[i64]) -> Vec<i64>,
) -> Case {
    let design = bare(name, input, engines).unwrap();
    let golden = Golden::new(&design.network);
    for frame in emit::seeded_frames(&design.network.input, seed, 3).iter() {
        let values = sim::values::frame_values(&design.dataflow, &design.network, &golden, frame);
        // Behind the adapter and the window unit.
        assert_eq!(values[2], expected(frame), "{origin}");
    }
    Case { name: name.into(), origin, design, timed: Timed::ClosedForm, seed }
}

/// What is at a tap of a window, written down once more: an element of the map, or what stands
/// around it.
pub(crate) fn at_tap(
    (map, w, padding): (Map, Window, &Surround),
    frame: &[i64],
    [y, x]: [usize; 2],
    [ky, kx]: [usize; 2],
    channel: usize,
) -> i64 {
    let row = y * w.stride[0] + ky * w.dilation[0];
    let column = x * w.stride[1] + kx * w.dilation[1];
    let rows = w.before[0]..w.before[0] + map.height;
    let columns = w.before[1]..w.before[1] + map.width;
    if rows.contains(&row) && columns.contains(&column) {
        let pixel = (row - rows.start) * map.width + column - columns.start;
        frame[pixel * map.channels + channel]
    } else {
        padding.at([row, column], channel)
    }
}

fn cases(name: &str, points: &[Point], pooled: bool) -> Vec<Case> {
    points.iter().enumerate().map(|(i, point)| point.case(name, i, pooled)).collect()
}

pub(crate) fn map([height, width]: [usize; 2], channels: usize) -> Map {
    Map { height, width, channels }
}

/// Channels, lanes and order of the channels; with all channels in a word there is but one order.
const CHANNELS: [(usize, usize, bool); 8] = [
    (2, 1, false),
    (2, 1, true),
    (2, 2, false),
    (4, 1, false),
    (4, 1, true),
    (4, 2, false),
    (4, 2, true),
    (4, 4, false),
];

/// `test_fpgadataflow_convinputgenerator.py`: kernels and maps of one and two axes, both ways round.
const SHAPES: [([usize; 2], [usize; 2]); 6] = [
    ([2, 2], [8, 8]),
    ([3, 3], [8, 8]),
    ([1, 5], [8, 8]),
    ([5, 1], [8, 8]),
    ([1, 5], [1, 21]),
    ([5, 1], [21, 1]),
];
const STEPS: [[usize; 2]; 3] = [[1, 1], [2, 2], [2, 1]];

/// Windows that differ and fit: a kernel of one tap has no dilation, a map of one row no stride.
pub(crate) fn windows() -> Vec<(Window, [usize; 2])> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (kernel, extents) in SHAPES {
        for stride in STEPS {
            for dilation in STEPS {
                let along = |axis: usize| {
                    let stride = if extents[axis] == 1 { 1 } else { stride[axis] };
                    (stride, if kernel[axis] == 1 { 1 } else { dilation[axis] })
                };
                let (rows, columns) = (along(0), along(1));
                let (stride, dilation) = ([rows.0, columns.0], [rows.1, columns.1]);
                let window = Window { stride, dilation, ..Window::of(kernel) };
                let fits = window.over(map(extents, 1), 1).is_some();
                if fits && seen.insert((kernel, extents, stride, dilation)) {
                    all.push((window, extents));
                }
            }
        }
    }
    all
}

fn sliding(elements: [ElementType; 2], windows: &[(Window, [usize; 2])]) -> Vec<Point> {
    let mut points = Vec::new();
    for element in elements {
        for &(window, extents) in windows {
            for (channels, lanes, depthwise) in CHANNELS {
                let map = map(extents, channels);
                let padding = Surround::of(vec![element.max()]);
                points.push(Point { element, map, window, lanes, depthwise, padding });
            }
        }
    }
    points
}

#[test]
fn sliding_windows() {
    let points = sliding([INT2, UINT4], &windows());
    assert_eq!(points.len(), 2 * 32 * 8);
    for (i, part) in points.chunks(64).enumerate() {
        all_agree(&format!("sliding_{i}"), &cases("sliding", part, false));
    }
}

/// `test_fpgadataflow_slidingwindow`, the older grid: what it has besides the newer one.
#[test]
fn sliding_windows_of_small_maps() {
    let window = |k, s| (Window { stride: [s, s], ..Window::of([k, k]) }, [6, 6]);
    let windows = [window(2, 1), window(2, 2), window(3, 1), window(3, 2)];
    let points = sliding([BIPOLAR, INT2], &windows);
    all_agree("sliding_small", &cases("sliding_small", &points, false));
}

/// `test_fpgadataflow_fmpadding.py`. Here padding is made in the sliding window unit: each place on
/// its own, as in FINN's unit, and under the smallest kernel that reaches across it.
fn paddings() -> Vec<Point> {
    let mut points = Vec::new();
    let pads = [[1, 1, 1, 1], [1, 1, 2, 2], [1, 3, 2, 3], [7, 0, 8, 0]];
    for element in [INT2, INT4] {
        for extents in [[8, 8], [10, 8]] {
            for [top, left, bottom, right] in pads {
                for (channels, lanes) in [(2, 1), (2, 2), (4, 1), (4, 2)] {
                    let i = points.len() / 2;
                    let each = |sign| (0..channels as i64).map(|c| sign * (1 - c % 3)).collect();
                    let padding = match (i + i / 4) % 5 {
                        0 => Surround::of(vec![0]),
                        1 => Surround::of(vec![element.min()]),
                        2 => Surround::of(each(1)),
                        3 => Surround::checkered(vec![1], vec![-1]),
                        _ => Surround::checkered(each(1), each(-1)),
                    };
                    let across = [1 + top.max(bottom), 1 + left.max(right)];
                    let stride = if i.is_multiple_of(2) { [1, 1] } else { across };
                    for (kernel, stride) in [([1, 1], [1, 1]), (across, stride)] {
                        let (before, after) = ([top, left], [bottom, right]);
                        let window = Window { before, after, stride, ..Window::of(kernel) };
                        let (map, padding) = (map(extents, channels), padding.clone());
                        let depthwise = (i / 2).is_multiple_of(2);
                        points.push(Point { element, map, window, lanes, depthwise, padding });
                    }
                }
            }
        }
    }
    points
}

#[test]
fn paddings_of_maps() {
    let points = paddings();
    assert_eq!(points.len(), 2 * 64);
    for (i, part) in points.chunks(64).enumerate() {
        all_agree(&format!("padding_{i}"), &cases("padding", part, false));
    }
}

fn pool(element: ElementType, map: Map, window: Window, lanes: usize) -> Point {
    Point {
        element,
        map,
        window,
        lanes,
        depthwise: true,
        padding: Surround::of(vec![element.min()]),
    }
}

/// The padding behind the map with which the last window is as ONNX's `ceil_mode` has it.
fn rounded_up(mut window: Window, extents: [usize; 2]) -> Window {
    for axis in [Axis::Rows, Axis::Columns] {
        let a = axis as usize;
        let padded = extents[a] + window.before[a] + window.after[a];
        let rest = (padded - window.reach(axis)) % window.stride[a];
        // A window that begins behind the map does not count.
        let begins = padded - window.reach(axis) - rest + window.stride[a];
        if rest > 0 && begins < extents[a] + window.before[a] {
            window.after[a] += window.stride[a] - rest;
        }
    }
    window
}

/// `test_fpgadataflow_streamingmaxpool.py`, in both dimensions for both types and any lanes.
fn streaming_pools() -> Vec<Point> {
    let mut points = Vec::new();
    for element in [BIPOLAR, INT4] {
        for flat in [false, true] {
            for k in [2, 4] {
                for extent in [4, 10] {
                    for (channels, lanes) in [(1, 1), (3, 1), (3, 3)] {
                        let (kernel, extents) =
                            if flat { ([k, 1], [extent, 1]) } else { ([k, k], [extent, extent]) };
                        let window = Window { stride: kernel, ..Window::of(kernel) };
                        let window = rounded_up(window, extents);
                        points.push(pool(element, map(extents, channels), window, lanes));
                    }
                }
            }
        }
    }
    points
}

/// `test_convert_to_hw_pool_batch.py`: kernel, stride, padding and extent; signed maps too.
fn pools_in_networks() -> Vec<Point> {
    let mut points = Vec::new();
    let square = |k, s, p| {
        let mut window = Window { stride: [s, s], ..Window::of([k, k]) };
        (window.before, window.after) = ([p, p], [p, p]);
        window
    };
    for element in [UINT4, INT4, INT8] {
        for (k, s, p, extent) in [(7, 7, 0, 7), (3, 2, 1, 5)] {
            for (channels, lanes) in [(2, 1), (2, 2), (4, 1), (4, 2), (4, 4)] {
                points.push(pool(element, map([extent; 2], channels), square(k, s, p), lanes));
                let mut row = square(k, s, p);
                (row.kernel[0], row.stride[0]) = (1, 1);
                (row.before[0], row.after[0]) = (0, 0);
                points.push(pool(element, map([1, extent], channels), row, lanes));
            }
        }
    }
    for (k, s, p, extent) in [(2, 2, 0, 8), (2, 2, 1, 9), (2, 2, 0, 7)] {
        let window = rounded_up(square(k, s, p), [extent; 2]);
        points.push(pool(UINT4, map([extent; 2], 4), window, 2));
    }
    points
}

#[test]
fn max_pools() {
    let points = [streaming_pools(), pools_in_networks()].concat();
    assert_eq!(points.len(), 48 + 63);
    for (i, part) in points.chunks(64).enumerate() {
        all_agree(&format!("pool_{i}"), &cases("pool", part, true));
    }
}
