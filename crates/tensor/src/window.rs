//! Maps of pixels, and windows that slide over them.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// The shape of a frame: rows by columns of pixels with channels. A vector is one pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Map {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Elements of a pixel.
    pub channels: usize,
}

impl Map {
    /// A vector of `channels` elements.
    pub fn vector(channels: usize) -> Self {
        Self { height: 1, width: 1, channels }
    }

    /// The map of a tensor `[batch, channels, rows, columns]`, or `[batch, channels, rows]` with one
    /// column; `None` for another number of axes.
    pub fn of_shape(shape: &[usize]) -> Option<Self> {
        match *shape {
            [_, channels, height] => Some(Self { height, width: 1, channels }),
            [_, channels, height, width] => Some(Self { height, width, channels }),
            _ => None,
        }
    }

    /// Pixels of a frame.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Elements of a frame.
    pub fn elements(self) -> usize {
        self.pixels() * self.channels
    }

    /// Rows and columns.
    pub fn extents(self) -> [usize; 2] {
        [self.height, self.width]
    }
}

/// Rows or columns of a [`Window`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Along the rows, from top to bottom.
    Rows = 0,
    /// Along the columns, from left to right.
    Columns = 1,
}

/// A window that slides over rows and columns, as in convolution and pooling. Arrays are rows first.
///
/// ```
/// use tensor::{Axis, Window};
/// let same = Window { kernel: [3, 3], before: [1, 1], after: [1, 1], ..Window::of([1, 1]) };
/// assert_eq!(same.outputs(Axis::Rows, 8), Some(8));
/// assert_eq!(same.valid(Axis::Columns, 0, 8), 1..3);
/// assert_eq!(same.place(Axis::Columns, 7, 2, 8), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Taps.
    pub kernel: [usize; 2],
    /// Places between neighbouring windows.
    pub stride: [usize; 2],
    /// Places between neighbouring taps.
    pub dilation: [usize; 2],
    /// Padding at the top and at the left.
    pub before: [usize; 2],
    /// Padding at the bottom and at the right.
    pub after: [usize; 2],
}

impl Window {
    /// A window of a kernel at every place, without padding.
    pub fn of(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: [1, 1], dilation: [1, 1], before: [0, 0], after: [0, 0] }
    }

    /// Taps of a window.
    pub fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Places from the first to the last tap, both included.
    pub fn reach(&self, axis: Axis) -> usize {
        (self.kernel[axis as usize] - 1) * self.dilation[axis as usize] + 1
    }

    /// Windows along an axis of `extent` places; `None` when not even one fits.
    pub fn outputs(&self, axis: Axis, extent: usize) -> Option<usize> {
        let a = axis as usize;
        let padded = extent + self.before[a] + self.after[a];
        Some(padded.checked_sub(self.reach(axis))? / self.stride[a] + 1)
    }

    /// The map of windows over `map`, each with `channels` elements; `None` when none fits.
    pub fn over(&self, map: Map, channels: usize) -> Option<Map> {
        let height = self.outputs(Axis::Rows, map.height)?;
        let width = self.outputs(Axis::Columns, map.width)?;
        Some(Map { height, width, channels })
    }

    /// Where a tap of window `output` lies among `extent` places; `None` in the padding.
    pub fn place(&self, axis: Axis, output: usize, tap: usize, extent: usize) -> Option<usize> {
        let a = axis as usize;
        let padded = output * self.stride[a] + tap * self.dilation[a];
        padded.checked_sub(self.before[a]).filter(|&place| place < extent)
    }

    /// The taps of window `output` that do not lie in the padding.
    pub fn valid(&self, axis: Axis, output: usize, extent: usize) -> Range<usize> {
        let inside = |tap: &usize| self.place(axis, output, *tap, extent).is_some();
        let taps = 0..self.kernel[axis as usize];
        let first = taps.clone().find(inside).unwrap_or(taps.end);
        let end = taps.clone().rev().find(inside).map_or(first, |tap| tap + 1);
        first..end
    }

    /// Whether there is any padding.
    pub fn is_padded(&self) -> bool {
        self.before != [0, 0] || self.after != [0, 0]
    }

    /// Whether a tap of any window over a map lies in the padding: strides and dilations can step
    /// over it.
    pub fn reads_padding(&self, map: Map) -> bool {
        let misses = |axis: Axis, extent: usize| {
            let outputs = self.outputs(axis, extent).unwrap_or(0);
            let mut places = (0..outputs)
                .flat_map(|output| (0..self.kernel[axis as usize]).map(move |tap| (output, tap)));
            places.any(|(output, tap)| self.place(axis, output, tap, extent).is_none())
        };
        misses(Axis::Rows, map.height) || misses(Axis::Columns, map.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strides_and_dilation_skip_places() {
        let w = Window { stride: [2, 1], dilation: [2, 1], before: [1, 0], ..Window::of([2, 3]) };
        assert_eq!((w.reach(Axis::Rows), w.reach(Axis::Columns), w.taps()), (3, 3, 6));
        let map = Map { height: 6, width: 5, channels: 2 };
        assert_eq!(w.over(map, 4), Some(Map { height: 3, width: 3, channels: 4 }));
        assert_eq!(w.place(Axis::Rows, 0, 0, 6), None);
        assert_eq!(w.place(Axis::Rows, 2, 1, 6), Some(5));
        assert_eq!(w.valid(Axis::Rows, 0, 6), 1..2);
        assert_eq!(Window::of([3, 3]).outputs(Axis::Rows, 2), None);
    }
}
