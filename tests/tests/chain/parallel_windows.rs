//! Whole windows at once: the `parallel_window` axis of FINN's grid of sliding window units, with
//! padding on any side and with several pixels at once, which FINN does not have.

use crate::all_agree;
use crate::windows::{at_tap, checked, map, windows};
use dataflow::{EngineKind, MemoryStyle, ParallelWindow};
use tensor::{Axis, ElementType, Map, Surround, Window};
use tests::networks::{Bare, Case, Draw, Words};

/// Padding on top, left, below and right, as places that are left of what the kernel reaches.
const PADS: [[usize; 4]; 4] = [[0, 0, 0, 0], [1, 1, 1, 1], [2, 0, 1, 2], [0, 2, 2, 1]];

/// A parallel window unit over a map, with the channels of a word.
#[derive(Debug, Clone)]
struct Point {
    unit: ParallelWindow,
    channels: usize,
}

impl Point {
    fn outputs(&self) -> Map {
        self.unit.window.over(self.unit.map, 1).unwrap()
    }

    /// The elements of all words, written down once more.
    fn expected(&self, frame: &[i64]) -> Vec<i64> {
        let ParallelWindow { map, window: w, .. } = self.unit;
        let (out, at_once) = (self.outputs(), self.unit.windows());
        let over = (map, w, &self.unit.padding);
        let mut values = Vec::new();
        for place in (0..out.pixels()).step_by(at_once) {
            for first in (0..map.channels).step_by(self.channels) {
                for (y, x) in (place..place + at_once).map(|p| (p / out.width, p % out.width)) {
                    for tap in 0..w.taps() {
                        let tap = [tap / w.kernel[1], tap % w.kernel[1]];
                        let all = first..first + self.channels;
                        values.extend(all.map(|c| at_tap(over, frame, [y, x], tap, c)));
                    }
                }
            }
        }
        values
    }

    fn case(&self, name: &str, index: usize) -> Case {
        let ParallelWindow { map, window, pixels, .. } = self.unit;
        let (element, at_once) = (ElementType::Int(2), self.unit.windows());
        // Pixels that come together stand as one.
        let together = |map: Map, n: usize, channels: usize| Map {
            width: map.width / n,
            channels: channels * n,
            ..map
        };
        let lanes = self.channels * pixels;
        let input = Words { element, lanes, map: together(map, pixels, map.channels) };
        let lanes = self.channels * window.taps() * at_once;
        let out = together(self.outputs(), at_once, map.channels * window.taps());
        let kind = EngineKind::ParallelWindow(self.unit.clone());
        let output = Words { element, lanes, map: out };
        let engines = [Bare { kind, layer: None, output }];
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

/// FINN's windows, each with some padding, words of some channels, or several pixels.
fn points() -> Vec<Point> {
    let mut points = Vec::new();
    for (i, (window, extents)) in windows().into_iter().enumerate() {
        for (k, (channels, lanes, pixels)) in
            [(2, 1, 1), (4, 2, 1), (2, 2, 1), (2, 2, 2), (1, 1, 4)].into_iter().enumerate()
        {
            let mut draw = Draw::new((8 * i + k) as u64);
            let pads = PADS[(i + k) % PADS.len()];
            let most = |axis| window.reach(axis) - 1;
            let [top, left, below, right] = pads;
            let rows = [top, below].map(|n| n.min(most(Axis::Rows)));
            let columns = [left, right].map(|n| n.min(most(Axis::Columns)));
            let (before, after) = ([rows[0], columns[0]], [rows[1], columns[1]]);
            let window = Window { before, after, ..window };
            let padding = match draw.size(0, 2) {
                0 => Surround::of(vec![0]),
                1 => Surround::of((0..channels as i64).map(|c| 1 - c % 3).collect()),
                _ => Surround::checkered(vec![1], vec![-1]),
            };
            let map = map(extents, channels);
            let memory = MemoryStyle::Lut;
            let mut unit = ParallelWindow { map, window, pixels, padding, memory, credits: 1 };
            if !unit.is_possible() {
                continue;
            }
            let raster = engines::parallel_window::Raster::of(&unit, lanes * pixels);
            if raster.delay() > 2 {
                unit.memory = draw.pick(&[MemoryStyle::Lut, MemoryStyle::Block]);
            }
            let latency = engines::parallel_window::latency(&unit);
            unit.credits = engines::full_rate_credits(latency, 1);
            points.push(Point { unit, channels: lanes });
        }
    }
    points
}

#[test]
fn windows_at_once() {
    let points = points();
    assert!(points.len() > 100, "{} points", points.len());
    for (i, part) in points.chunks(64).enumerate() {
        let cases = part.iter().enumerate().map(|(k, p)| p.case("parallel", 64 * i + k));
        all_agree(&format!("parallel_{i}"), &cases.collect::<Vec<_>>());
    }
}
