//! Units that make one output word of a group of input words: FIFOs (groups of one), wide width
//! converters and pipelines whose step is the move of their input word.

use super::{Ends, Skip, Unit};
use crate::stream::Stream;
use engines::Compute;

/// Output word j is offered `latency` cycles after the last input word of group j moved, which may
/// be one cycle after output word j - `credits` did.
#[derive(Clone)]
pub(crate) struct Gather {
    pub(super) ends: Ends,
    /// Words of a group, but for the last of a pixel, and words of a pixel.
    ratio: usize,
    pixel: usize,
    pub(super) latency: u64,
    pub(super) credits: usize,
    /// Input word behind the group of the next output word, and its place in the pixel.
    pub(super) end: Place,
    /// The same of the group that is granted next; all its words but the last are granted.
    granted: Place,
}

/// A place between two groups.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) word: usize,
    in_pixel: usize,
}

impl Gather {
    /// A FIFO.
    pub(crate) fn fifo(ends: Ends, depth: usize, streams: &mut [Stream]) -> Self {
        Self::new(ends, (1, 1), 1, depth, streams)
    }

    /// A width converter to wider words: it has one output register.
    pub(crate) fn pack(ends: Ends, ratio: usize, pixel: usize, streams: &mut [Stream]) -> Self {
        Self::new(ends, (ratio, pixel), 1, 1, streams)
    }

    /// A pipeline without an input buffer.
    pub(crate) fn compute(ends: Ends, compute: Compute, streams: &mut [Stream]) -> Self {
        let Compute { words, latency, credits, .. } = compute;
        Self::new(ends, (words, words), latency, credits, streams)
    }

    fn new(
        ends: Ends,
        (ratio, pixel): (usize, usize),
        latency: u64,
        credits: usize,
        streams: &mut [Stream],
    ) -> Self {
        let start = Place { word: 0, in_pixel: 0 };
        let mut unit = Self { ends, ratio, pixel, latency, credits, end: start, granted: start };
        unit.end = unit.behind(start);
        for _ in 0..credits {
            unit.granted = unit.behind(unit.granted);
        }
        unit.granted = unit.behind(unit.granted);
        // Up to the last word of the first group that has to wait for an output word.
        streams[ends.input].grant(unit.granted.word - 1);
        unit
    }

    /// Goes on to the next output word.
    pub(super) fn completes(&mut self) {
        self.end = self.behind(self.end);
    }

    /// Grants the words of a further group; how many.
    pub(super) fn grants(&mut self) -> usize {
        let next = self.behind(self.granted);
        let words = next.word - self.granted.word;
        self.granted = next;
        words
    }

    /// The place behind the group that begins at one.
    fn behind(&self, place: Place) -> Place {
        let group = self.ratio.min(self.pixel - place.in_pixel);
        let in_pixel = place.in_pixel + group;
        Place {
            word: place.word + group,
            in_pixel: if in_pixel == self.pixel { 0 } else { in_pixel },
        }
    }
}

impl Unit for Gather {
    fn advance(&mut self, streams: &mut [Stream]) -> bool {
        let (input, output) = self.ends.of(streams);
        let moved = input.len();
        let before = output.len();
        let mut room = output.room();
        while room > 0 && self.end.word <= moved {
            let at = output.push(input.at(self.end.word - 1) + self.latency);
            room -= 1;
            self.completes();
            input.grant_from(self.grants(), at + 1);
        }
        output.len() > before
    }

    fn starving(&self, streams: &[Stream]) -> Vec<usize> {
        let input = self.ends.input;
        if self.end.word > streams[input].len() { vec![input] } else { Vec::new() }
    }

    fn looks_back(&self) -> usize {
        self.granted.word
    }

    fn skip(&mut self, skip: Skip<'_>) {
        let words = skip.words(self.ends.input);
        self.end.word += words;
        self.granted.word += words;
    }

    fn as_gather(&mut self) -> Option<&mut Gather> {
        Some(self)
    }

    fn boxed(&self) -> Box<dyn Unit> {
        Box::new(self.clone())
    }
}
