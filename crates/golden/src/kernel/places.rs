//! Where windows lie in a map.

use std::ops::Range;

/// Where each window starts in the memory of a map, and where its words (or fours of bytes) lie from
/// there.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    starts: Vec<u32>,
    offsets: Vec<u32>,
    /// The last place of all windows.
    last: usize,
}

impl Places {
    /// All windows have the same offsets.
    pub(crate) fn new(starts: Vec<u32>, offsets: Vec<u32>) -> Self {
        let last = |of: &[u32]| of.iter().max().map_or(0, |&n| n as usize);
        let last = last(&starts) + last(&offsets);
        // The kernels add in 32 bits.
        assert!(u32::try_from(last).is_ok(), "a map has less than 2^32 places");
        Self { starts, offsets, last }
    }

    /// Where the words of a window lie, from its first one.
    pub(super) fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// Where some windows start.
    pub(super) fn starts(&self, windows: &Range<usize>) -> &[u32] {
        &self.starts[windows.clone()]
    }

    /// No window leaves a map of `length` units, of which each place takes `width`: the kernels read
    /// without looking.
    pub(super) fn check(&self, windows: &Range<usize>, width: usize, length: usize) {
        assert!(windows.end <= self.starts.len(), "there are fewer windows");
        assert!(self.last + width <= length, "a window leaves the map");
    }
}
