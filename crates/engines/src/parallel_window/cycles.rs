//! The walk of the parallel window unit over a map.

use dataflow::{MemoryStyle, ParallelWindow};
use std::ops::Range;
use tensor::{Axis, Map, Window};

/// Cycles from a step to the offer of its output word: the delays' memory, then the output FIFO.
pub fn latency(unit: &ParallelWindow) -> u64 {
    match unit.memory {
        MemoryStyle::Block => 3,
        MemoryStyle::Lut => 2,
    }
}

/// The order of steps: lines of slots, each slot with the words of a pixel (or one word of several
/// pixels). Each step shifts the delays by a word. Lines and slots are those of the map, and further
/// ones where windows reach into the padding below or on the right; there no word is taken. The
/// padding above and on the left needs no steps: taps that lie there are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raster {
    map: Map,
    window: Window,
    pixels: usize,
    /// Words of a slot.
    words: usize,
    lines: Course,
    slots: Course,
}

/// Lines of a frame, or slots of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Course {
    /// How many there are.
    count: usize,
    /// How many lie on the map.
    on_map: usize,
    /// The first one that completes windows.
    first: usize,
    /// From one that completes windows to the next.
    every: usize,
    /// How many complete windows.
    windows: usize,
}

impl Course {
    fn new(on_map: usize, first: usize, every: usize, windows: usize) -> Self {
        let count = on_map.max(first + (windows - 1) * every + 1);
        Self { count, on_map, first, every, windows }
    }

    /// The window (or group of windows) that `place` completes.
    fn completes(&self, place: usize) -> Option<usize> {
        let behind = place.checked_sub(self.first)?;
        let window = behind / self.every;
        (behind.is_multiple_of(self.every) && window < self.windows).then_some(window)
    }
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whether it takes a word of the map.
    pub on_map: bool,
    /// The row of windows and the group of windows in it that it completes.
    pub completes: Option<[usize; 2]>,
    /// The word of its slot.
    pub word: usize,
}

/// Where a tap of a window is found when the window is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tap {
    /// Lines ago.
    pub lines: usize,
    /// Slots ago, in its line.
    pub slots: usize,
    /// The pixel of the word.
    pub pixel: usize,
}

impl Raster {
    /// The walk of a unit whose input has `lanes` elements in a word.
    ///
    /// # Panics
    /// If no window fits: the dataflow was checked.
    pub fn of(unit: &ParallelWindow, lanes: usize) -> Self {
        let ParallelWindow { map, window, pixels, .. } = unit;
        let outputs = window.over(*map, 1).expect("checked: a window fits").extents();
        let at_once = unit.windows();
        let first_line = window.reach(Axis::Rows) - 1 - window.before[0];
        let last_column = (at_once - 1) * window.stride[1] + window.reach(Axis::Columns) - 1;
        let first_slot = (last_column - window.before[1]) / pixels;
        let every = (window.stride[1] / pixels).max(1);
        Self {
            map: *map,
            window: *window,
            pixels: *pixels,
            words: map.channels * pixels / lanes,
            lines: Course::new(map.height, first_line, window.stride[0], outputs[0]),
            slots: Course::new(map.width / pixels, first_slot, every, outputs[1] / at_once),
        }
    }

    /// Lines, slots of a line and words of a slot.
    pub fn counts(&self) -> [usize; 3] {
        [self.lines.count, self.slots.count, self.words]
    }

    /// Lines and slots that lie on the map.
    pub fn on_map(&self) -> [usize; 2] {
        [self.lines.on_map, self.slots.on_map]
    }

    /// First line and slot that complete windows, and how far apart those that do so are.
    pub fn completing(&self) -> [(usize, usize, usize); 2] {
        [self.lines, self.slots].map(|c| (c.first, c.every, c.windows))
    }

    /// Steps of a frame.
    pub fn steps(&self) -> usize {
        self.lines.count * self.slots.count * self.words
    }

    /// Words that a line delay holds.
    pub fn delay(&self) -> usize {
        self.window.dilation[0] * self.slots.count * self.words
    }

    /// Where step `step` of a frame stands.
    pub fn place(&self, step: usize) -> Place {
        let (word, slot) = (step % self.words, step / self.words);
        let (line, slot) = (slot / self.slots.count, slot % self.slots.count);
        Place {
            on_map: line < self.lines.on_map && slot < self.slots.on_map,
            completes: self
                .lines
                .completes(line)
                .and_then(|row| Some([row, self.slots.completes(slot)?])),
            word,
        }
    }

    /// Columns from the first pixel of the completing slot to a tap.
    fn offset(&self, window: usize, column: usize) -> i64 {
        let Window { stride, dilation, before, .. } = self.window;
        let from_start = window * stride[1] + column * dilation[1];
        from_start as i64 - before[1] as i64 - (self.slots.first * self.pixels) as i64
    }

    /// Where tap `[row, column]` of the word's window `window` is.
    pub fn tap(&self, window: usize, [row, column]: [usize; 2]) -> Tap {
        let offset = self.offset(window, column);
        Tap {
            lines: (self.window.kernel[0] - 1 - row) * self.window.dilation[0],
            slots: -offset.div_euclid(self.pixels as i64) as usize,
            pixel: offset.rem_euclid(self.pixels as i64) as usize,
        }
    }

    /// The completing lines at which a tap's row lies on the map.
    pub fn lines_inside(&self, row: usize) -> Range<usize> {
        let ago = (self.window.kernel[0] - 1 - row) * self.window.dilation[0];
        ago..self.map.height + ago
    }

    /// The completing slots at which a tap's column lies on the map.
    pub fn slots_inside(&self, window: usize, column: usize) -> Range<usize> {
        let offset = self.offset(window, column);
        let from = |place: i64| {
            let pixels = self.pixels as i64;
            (place + pixels - 1).div_euclid(pixels).max(0) as usize
        };
        from(-offset)..from(self.map.width as i64 - offset)
    }

    /// The longest run of steps, over frames back to back, that complete no window: how long a
    /// reader waits while nothing holds the unit up.
    pub fn longest_gap(&self) -> usize {
        let around = |c: &Course| c.count - 1 - (c.windows - 1) * c.every;
        let [line, slot] = [self.lines, self.slots];
        let next_line = around(&slot) + (line.every - 1) * slot.count;
        let next_frame = around(&slot) + around(&line) * slot.count;
        (slot.every - 1).max(next_line).max(next_frame) * self.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(map: Map, window: Window, pixels: usize) -> ParallelWindow {
        let (padding, memory) = (tensor::Surround::of(vec![0]), MemoryStyle::Lut);
        ParallelWindow { map, window, pixels, padding, memory, credits: 2 }
    }

    #[test]
    fn every_tap_is_found_where_the_window_has_it() {
        let map = Map { height: 5, width: 6, channels: 1 };
        for kernel in [[1, 1], [2, 3], [3, 2]] {
            for (stride, dilation) in [([1, 1], [1, 1]), ([2, 2], [1, 2]), ([1, 3], [2, 1])] {
                for (before, after) in [([0, 0], [0, 0]), ([1, 1], [0, 1]), ([0, 1], [1, 0])] {
                    for pixels in [1, 2, 3] {
                        let mut window = Window::of(kernel);
                        window = Window { stride, dilation, before, after, ..window };
                        let unit = unit(map, window, pixels);
                        if unit.is_possible() {
                            check(&unit);
                        }
                    }
                }
            }
        }
    }

    fn check(unit: &ParallelWindow) {
        let ParallelWindow { map, window, pixels, .. } = *unit;
        let raster = Raster::of(unit, pixels);
        let [_, slots, _] = raster.counts();
        let mut seen = 0;
        for step in 0..raster.steps() {
            let Some([y, group]) = raster.place(step).completes else { continue };
            for within in 0..unit.windows() {
                let x = group * unit.windows() + within;
                for ky in 0..window.kernel[0] {
                    for kx in 0..window.kernel[1] {
                        let tap = raster.tap(within, [ky, kx]);
                        let (line, slot) = (step / slots, step % slots);
                        let row = window.place(Axis::Rows, y, ky, map.height);
                        assert_eq!(row.is_some(), raster.lines_inside(ky).contains(&line));
                        assert!(row.is_none_or(|row| row + tap.lines == line));
                        let column = window.place(Axis::Columns, x, kx, map.width);
                        let inside = raster.slots_inside(within, kx).contains(&slot);
                        assert_eq!(column.is_some(), inside, "{unit:?} {step} {kx}");
                        let found = (slot - tap.slots.min(slot)) * pixels + tap.pixel;
                        assert!(column.is_none_or(|column| column == found));
                    }
                }
                seen += 1;
            }
        }
        assert_eq!(seen, window.over(map, 1).unwrap().pixels());
    }
}
