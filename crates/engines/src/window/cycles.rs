//! Which word of the map each step of the sliding window unit reads.

use dataflow::{Frees, MemoryStyle, SlidingWindow};
use tensor::{Axis, Map, Window};

/// Cycles from a step to the offer of its output word: the memory's registers, then the output FIFO.
pub fn latency(window: &SlidingWindow) -> u64 {
    match window.memory {
        MemoryStyle::Block => 3,
        MemoryStyle::Lut => 2,
    }
}

/// The order in which a sliding window unit reads the words of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Walk {
    map: Map,
    window: Window,
    groups: usize,
    repeats: usize,
    /// Words of a group of channels.
    words: usize,
    /// Windows in a column and in a row.
    outputs: [usize; 2],
    frees: Frees,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The word of the frame that is read; `None` in the padding.
    pub word: Option<usize>,
    /// The word of the pixel that it is (or would be).
    pub part: usize,
    /// Row and column of the place, from the first one of the padding.
    pub place: [usize; 2],
}

impl Walk {
    /// The walk of a unit whose streams have `lanes` elements in a word.
    ///
    /// # Panics
    /// If no window fits: the dataflow was checked.
    pub fn of(unit: &SlidingWindow, lanes: usize) -> Self {
        let outputs = unit.window.over(unit.map, 1).expect("checked: a window fits").extents();
        let words = unit.map.channels / unit.groups / lanes;
        Self {
            map: unit.map,
            window: unit.window,
            groups: unit.groups,
            repeats: unit.repeats,
            words,
            outputs,
            frees: unit.frees(),
        }
    }

    /// Words of a pixel of the map.
    pub fn words_per_pixel(&self) -> usize {
        self.groups * self.words
    }

    /// Words of a frame of the map.
    pub fn words_per_frame(&self) -> usize {
        self.map.pixels() * self.words_per_pixel()
    }

    /// Windows of a frame.
    pub fn windows(&self) -> usize {
        self.outputs[0] * self.outputs[1]
    }

    /// Whether windows reach over the edge of the map.
    pub fn is_padded(&self) -> bool {
        [self.window.before, self.window.after] != [[0; 2]; 2]
    }

    /// Steps of a window.
    pub fn steps(&self) -> usize {
        self.window.taps() * self.words_per_pixel() * self.repeats
    }

    /// Step `step` of window `window` of a frame.
    pub fn step(&self, window: usize, step: usize) -> Step {
        let (word, rest) = (step % self.words, step / self.words);
        let (kx, rest) = (rest % self.window.kernel[1], rest / self.window.kernel[1]);
        let (ky, rest) = (rest % self.window.kernel[0], rest / self.window.kernel[0]);
        let part = rest / self.repeats * self.words + word;
        let (y, x) = (window / self.outputs[1], window % self.outputs[1]);
        let row = self.window.place(Axis::Rows, y, ky, self.map.height);
        let column = self.window.place(Axis::Columns, x, kx, self.map.width);
        let pixel = row.zip(column).map(|(row, column)| row * self.map.width + column);
        let word = pixel.map(|pixel| pixel * self.words_per_pixel() + part);
        let Window { stride, dilation, .. } = self.window;
        let place = [y * stride[0] + ky * dilation[0], x * stride[1] + kx * dilation[1]];
        Step { word, part, place }
    }

    /// The word at the first place that is still held for a window: its own first place, or that of
    /// its row of windows or frame; it never falls. It counts from the first word of the frame; below 0 in the padding. One
    /// window further than the last is the first of the next frame.
    pub fn base(&self, window: usize) -> i64 {
        let (frame, window) = (window / self.windows(), window % self.windows());
        let (y, x) = (window / self.outputs[1], window % self.outputs[1]);
        let place = |axis: usize, output: usize| {
            (output * self.window.stride[axis]) as i64 - self.window.before[axis] as i64
        };
        let (y, x) = match self.frees {
            Frees::Window => (y, x),
            Frees::Row => (y, 0),
            Frees::Frame => (0, 0),
        };
        let pixel = place(0, y) * self.map.width as i64 + place(1, x);
        pixel * self.words_per_pixel() as i64 + (frame * self.words_per_frame()) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tensor::Surround;

    #[test]
    fn windows_are_walked_group_by_group() {
        let unit = SlidingWindow {
            map: Map { height: 2, width: 3, channels: 4 },
            window: Window { before: [0, 1], ..Window::of([1, 2]) },
            groups: 2,
            repeats: 1,
            padding: Surround::of(vec![0]),
            depth: 8,
            memory: MemoryStyle::Lut,
            credits: 2,
        };
        let walk = Walk::of(&unit, 1);
        assert_eq!((walk.windows(), walk.steps(), walk.words_per_frame()), (6, 8, 24));
        let words = |window| (0..8).map(|s| walk.step(window, s).word).collect::<Vec<_>>();
        let first = [None, None, Some(0), Some(1), None, None, Some(2), Some(3)];
        assert_eq!(words(0), first);
        assert_eq!(words(4)[..4], [Some(12), Some(13), Some(16), Some(17)]);
        assert_eq!((walk.base(0), walk.base(3), walk.base(6)), (-4, 8, 20));
    }
}
