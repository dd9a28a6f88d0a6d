//! When the words of a stream moved.

use crate::regular::Regular;
use crate::stream::Cycle;

/// The moves of a stream, words counted over all frames. Old ones are forgotten.
#[derive(Debug)]
pub(crate) struct Moves {
    /// Words of a frame.
    words: usize,
    /// How many of the latest somebody may ask for.
    keep: usize,
    /// Cycles of the latest moves, less `place.shift`.
    cycles: Vec<Cycle>,
    place: Place,
}

/// What changes when a frame goes on as the one before.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The word of the first listed cycle, and what to add to each.
    first: usize,
    shift: Cycle,
    /// Frames that were compared with the one before them.
    observed: usize,
    regular: Regular,
}

/// A point that moves can go back to.
#[derive(Debug)]
pub(crate) struct Mark(usize, Place);

impl Moves {
    /// None yet, of frames of so many words; those of the latest frame can be asked for.
    pub(crate) fn new(words: usize) -> Self {
        Self { words, keep: words, cycles: Vec::new(), place: Place::default() }
    }

    /// Lets at least so many of the latest moves be asked for.
    pub(crate) fn keep(&mut self, moves: usize) {
        self.keep = self.keep.max(moves);
    }

    /// Words of a frame.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Words that have moved.
    pub(crate) fn len(&self) -> usize {
        self.place.first + self.cycles.len()
    }

    /// Whether the words of so many frames have moved, and no more.
    pub(crate) fn has_moved(&self, frames: usize) -> bool {
        self.len() == frames * self.words
    }

    /// When a word moved. Words of long ago moved in cycle 0: nobody waits for them any more.
    pub(crate) fn at(&self, word: usize) -> Cycle {
        word.checked_sub(self.place.first).map_or(0, |place| self.cycles[place] + self.place.shift)
    }

    /// Takes the memory that frame after frame needs, at once.
    pub(crate) fn reserve(&mut self) {
        self.cycles.reserve_exact(2 * self.keep + 2 * self.words);
    }

    /// Adds the next.
    pub(crate) fn push(&mut self, at: Cycle) {
        self.cycles.push(at - self.place.shift);
    }

    /// Adds some that follow each other from a cycle on.
    pub(crate) fn push_run(&mut self, from: Cycle, count: usize) {
        let from = from - self.place.shift;
        self.cycles.extend(from..from + count as u64);
    }

    /// Those of the latest frame, which is complete: what to add to each, and one for each word.
    pub(crate) fn latest(&self) -> (Cycle, &[Cycle]) {
        (self.place.shift, &self.cycles[self.cycles.len() - self.words..])
    }

    /// Looks at the latest of so many frames, once it is complete, unless that was done.
    pub(crate) fn observe(&mut self, frames: usize) {
        if self.place.observed < frames {
            self.place.observed = frames;
            self.place.regular.observe(self.growth());
        }
    }

    /// How the frames that were observed have grown.
    pub(crate) fn regular(&self) -> &Regular {
        &self.place.regular
    }

    /// The cycles from the frame before to the latest, if all its words have the same.
    fn growth(&self) -> Option<Cycle> {
        let both = &self.cycles[self.cycles.len().checked_sub(2 * self.words)?..];
        let (then, now) = both.split_at(self.words);
        let growth = now[0] - then[0];
        // Without a branch for each word, for many at a time.
        let differs = |(now, then): (&[Cycle], &[Cycle])| {
            let pairs = now.iter().zip(then);
            pairs.fold(0, |differs, (now, then)| differs | (now - then) ^ growth) != 0
        };
        let mut parts = now.chunks(64).zip(then.chunks(64));
        (!parts.any(differs)).then_some(growth)
    }

    /// Goes on by frames that each come `growth` cycles after the one before.
    pub(crate) fn go_on(&mut self, frames: usize, growth: Cycle) {
        self.place.first += frames * self.words;
        self.place.shift += frames as u64 * growth;
        self.place.observed += frames;
        self.place.regular.go_on(frames);
    }

    /// Forgets what nobody asks for.
    pub(crate) fn forget(&mut self) {
        let old = self.cycles.len().saturating_sub(self.keep);
        if old > self.keep {
            self.cycles.drain(..old);
            self.place.first += old;
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.cycles.len(), self.place)
    }

    /// Goes back to a point behind which nothing was forgotten.
    pub(crate) fn reset(&mut self, mark: &Mark) {
        self.cycles.truncate(mark.0);
        self.place = mark.1;
    }
}
