//! The words of a sliding window unit: in which order those of its input come.

use dataflow::{SlidingWindow, Stream};
use engines::window::Walk;
use tensor::words;

/// Where the words of a window unit are in the memory of its input. A vector, which is a group of
/// channels of a window, is carried some times in a row. It consists of pieces of one length.
#[derive(Debug)]
pub(super) struct Windows {
    /// Where each piece starts, in the order of the vectors.
    starts: Vec<u32>,
    /// Bytes of a piece: of a row of the kernel where its taps always lie together, else of a tap.
    length: usize,
    /// Bytes of a vector, and how often each comes.
    vector: usize,
    repeats: usize,
    /// Taps in the padding: what has to lie in the memory behind a frame.
    pub(super) padding: Vec<u8>,
}

impl Windows {
    /// For a unit whose input takes `frame` bytes.
    pub(super) fn new(unit: &SlidingWindow, input: &Stream, frame: usize) -> Self {
        let walk = Walk::of(unit, input.lanes);
        let taps = unit.window.taps();
        // Words of a group of channels.
        let words = walk.words_per_pixel() / unit.groups;
        let length = words * input.bytes();
        let (mut starts, mut padding) = (Vec::new(), Vec::new());
        for window in 0..walk.windows() {
            for tap in (0..unit.groups).flat_map(|group| (0..taps).map(move |tap| (group, tap))) {
                let first = (tap.0 * unit.repeats * taps + tap.1) * words;
                let step = walk.step(window, first);
                let start = match step.word {
                    Some(word) => word * input.bytes(),
                    None => {
                        let channels = step.part * input.lanes..(step.part + words) * input.lanes;
                        let values = channels.map(|c| unit.padding.at(step.place, c));
                        let values: Vec<i64> = values.collect();
                        let tap = words::pack(input.element, input.lanes, &values);
                        frame + place_of(&tap, &mut padding)
                    }
                };
                starts.push(u32::try_from(start).expect("a frame has less than 2^32 bytes"));
            }
        }
        let (vector, repeats) = (taps * length, unit.repeats);
        Self { starts, length, vector, repeats, padding }.joined(unit.window.kernel[1])
    }

    /// With `count` pieces as one each, if they always lie together.
    fn joined(self, count: usize) -> Self {
        let together = |pieces: &[u32]| {
            let places = (pieces[0]..).step_by(self.length);
            pieces.iter().zip(places).all(|(&piece, place)| piece == place)
        };
        if !self.starts.chunks(count).all(together) {
            return self;
        }
        let starts = self.starts.iter().copied().step_by(count).collect();
        Self { starts, length: count * self.length, ..self }
    }

    /// Whether words of so many bytes do not reach across pieces.
    pub(super) fn has(&self, word: usize) -> bool {
        self.length.is_multiple_of(word)
    }

    /// Where byte `at` of what is carried is in the memory.
    pub(super) fn place(&self, at: usize) -> usize {
        let (carried, at) = (at / self.vector, at % self.vector);
        let first = carried / self.repeats * (self.vector / self.length);
        self.starts[first + at / self.length] as usize + at % self.length
    }

    /// All that is carried.
    pub(super) fn all(&self, memory: &[u8]) -> Vec<u8> {
        let vectors = self.starts.chunks(self.vector / self.length);
        let carried = vectors.flat_map(|starts| std::iter::repeat_n(starts, self.repeats));
        let mut all = Vec::with_capacity(self.starts.len() * self.length * self.repeats);
        for &start in carried.flatten() {
            all.extend_from_slice(&memory[start as usize..][..self.length]);
        }
        all
    }
}

/// Where some bytes are among those that are known, from now on.
fn place_of(bytes: &[u8], known: &mut Vec<u8>) -> usize {
    let place = known.chunks(bytes.len()).position(|known| known == bytes);
    place.map_or_else(
        || {
            known.extend(bytes);
            known.len() - bytes.len()
        },
        |place| place * bytes.len(),
    )
}
