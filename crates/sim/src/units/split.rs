//! The width converter to narrower words.

use super::{Ends, Skip, Unit};
use crate::stream::Stream;

/// An input word makes `ratio` output words, the last of a pixel fewer; two words are held.
#[derive(Clone)]
pub(crate) struct Split {
    ends: Ends,
    ratio: usize,
    /// Output words of a pixel.
    pixel: usize,
    /// The input word of the next output word.
    word: usize,
    /// The next output word's place in its input word, and in the pixel.
    part: usize,
    in_pixel: usize,
}

impl Split {
    pub(crate) fn new(ends: Ends, ratio: usize, pixel: usize, streams: &mut [Stream]) -> Self {
        streams[ends.input].grant(2);
        Self { ends, ratio, pixel, word: 0, part: 0, in_pixel: 0 }
    }
}

impl Unit for Split {
    fn advance(&mut self, streams: &mut [Stream]) -> bool {
        let (input, output) = self.ends.of(streams);
        let before = output.len();
        while output.room() > 0 && self.word < input.len() {
            let at = output.push(input.at(self.word) + 1);
            self.part += 1;
            self.in_pixel += 1;
            if self.part == self.ratio || self.in_pixel == self.pixel {
                input.grant_from(1, at + 1);
                self.word += 1;
                self.part = 0;
                if self.in_pixel == self.pixel {
                    self.in_pixel = 0;
                }
            }
        }
        output.len() > before
    }

    fn starving(&self, streams: &[Stream]) -> Vec<usize> {
        let input = self.ends.input;
        if self.word == streams[input].len() { vec![input] } else { Vec::new() }
    }

    fn looks_back(&self) -> usize {
        2
    }

    fn skip(&mut self, skip: Skip<'_>) {
        self.word += skip.words(self.ends.input);
    }

    fn boxed(&self) -> Box<dyn Unit> {
        Box::new(self.clone())
    }
}
