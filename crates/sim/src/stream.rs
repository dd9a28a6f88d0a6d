//! One stream: what its two ends allow, and when its words move.

use crate::grants::Grants;
use crate::stall::Waits;
use std::collections::VecDeque;

/// A rising edge of the clock.
pub(crate) type Cycle = u64;

/// The moves of a stream, words counted over all frames.
///
/// The writer brings the earliest cycle of each word (an *offer*); the reader has said before how
/// many words may move (*grants*), and of some of them not before which cycle. A word moves in the
/// first cycle that suits both and comes after the word before it.
pub(crate) struct Stream {
    /// Words of a frame.
    words: usize,
    /// Cycles of the moves from word `first` on.
    moves: Vec<Cycle>,
    first: usize,
    /// How many of the latest moves somebody may ask for.
    keep: usize,
    /// Words that may move, by the reader's grants or by the forecast of them.
    granted: usize,
    /// Those of them that may not move before a cycle.
    bounds: VecDeque<Bound>,
    /// What the reader has granted in truth.
    grants: Grants,
    /// The first cycle after the last move.
    after: Cycle,
    /// What the outside waits before each word, at the two ends of the design.
    outside: Option<(Side, Waits)>,
    /// The fewest cycles that a word of this frame moved behind its bound.
    slack: Cycle,
    handshake: Handshake,
}

/// A point that a stream can go back to.
pub(crate) struct Mark {
    words: usize,
    granted: usize,
    claimed: usize,
    bounds: VecDeque<Bound>,
    after: Cycle,
    outside: Option<(Side, Waits)>,
    handshake: Handshake,
}

/// A word and the first cycle in which it may move.
pub(crate) type Bound = (usize, Cycle);

/// Which end of a stream lies outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Sink,
}

/// How the cycles of a stream were spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handshake {
    /// Cycles with a word that nobody took: valid high, ready low.
    pub stalled: u64,
    /// Cycles with a place that nobody filled: ready high, valid low.
    pub starved: u64,
}

impl Stream {
    /// A stream of frames of `words` words before the first of them; the latest frame can be asked for.
    pub(crate) fn new(words: usize) -> Self {
        Self {
            words,
            moves: Vec::new(),
            first: 0,
            keep: words,
            granted: 0,
            bounds: VecDeque::new(),
            grants: Grants::default(),
            after: 0,
            outside: None,
            slack: Cycle::MAX,
            handshake: Handshake::default(),
        }
    }

    /// Joins the stream to the outside. A sink takes every word, after its wait.
    pub(crate) fn lead_outside(&mut self, side: Side, waits: Waits) {
        if side == Side::Sink {
            self.granted = usize::MAX / 2;
        }
        self.outside = Some((side, waits));
    }

    /// Lets at least so many of the latest moves be asked for.
    pub(crate) fn keep(&mut self, moves: usize) {
        self.keep = self.keep.max(moves);
    }

    pub(crate) fn handshake(&self) -> Handshake {
        self.handshake
    }

    /// Words that have moved.
    pub(crate) fn len(&self) -> usize {
        self.first + self.moves.len()
    }

    /// How far both ends have come: it grows with every move and every grant.
    pub(crate) fn progress(&self) -> usize {
        self.granted + self.len()
    }

    /// Words that may move.
    pub(crate) fn room(&self) -> usize {
        self.granted - self.len()
    }

    /// When a word moved. Words of long ago moved in cycle 0: nobody waits for them any more.
    pub(crate) fn at(&self, word: usize) -> Cycle {
        word.checked_sub(self.first).map_or(0, |place| self.moves[place])
    }

    /// The moves of the latest frame, which is complete.
    pub(crate) fn latest(&self) -> &[Cycle] {
        &self.moves[self.moves.len() - self.words..]
    }

    /// Whether the words of so many frames have moved.
    pub(crate) fn has_moved(&self, frames: usize) -> bool {
        self.len() == frames * self.words
    }

    /// Grants words without a bound.
    pub(crate) fn grant(&mut self, words: usize) {
        self.grants.add(words, None);
        self.granted = self.granted.max(self.grants.words());
    }

    /// Grants a word from a cycle on.
    pub(crate) fn grant_from(&mut self, cycle: Cycle) {
        if !self.grants.is_forecast() {
            self.bounds.push_back((self.grants.words(), cycle));
        }
        self.grants.add(1, Some(cycle));
        self.granted = self.granted.max(self.grants.words());
    }

    /// Begins a frame, with a forecast of its grants if one `may` be made; whether there is one.
    pub(crate) fn begin(&mut self, may: bool) -> bool {
        self.slack = Cycle::MAX;
        if matches!(self.outside, Some((Side::Sink, _))) {
            return false;
        }
        match self.grants.begin(self.words, may) {
            None => false,
            Some(bounds) => {
                self.bounds.extend(bounds);
                self.granted += self.words;
                true
            }
        }
    }

    /// Whether the forecast of the frame was right, or none was made.
    pub(crate) fn is_right(&self) -> bool {
        self.grants.is_right(self.words, self.granted)
    }

    /// Ends a frame.
    pub(crate) fn end(&mut self) {
        self.grants.end(self.words);
    }

    /// What brings the stream back to this point.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            words: self.len(),
            granted: self.granted,
            claimed: self.grants.words(),
            bounds: self.bounds.clone(),
            after: self.after,
            outside: self.outside.clone(),
            handshake: self.handshake,
        }
    }

    /// Goes back to a point behind which nothing was forgotten.
    pub(crate) fn reset(&mut self, mark: Mark) {
        self.moves.truncate(mark.words - self.first);
        self.granted = mark.granted;
        self.grants.reset(mark.claimed);
        self.bounds = mark.bounds;
        self.after = mark.after;
        self.outside = mark.outside;
        self.handshake = mark.handshake;
    }

    /// Moves the next word, which is granted.
    #[inline]
    pub(crate) fn push(&mut self, offer: Cycle) -> Cycle {
        let word = self.len();
        let mut ready = 0;
        let bounded = self.bounds.front().is_some_and(|bound| bound.0 == word);
        if bounded && let Some((_, cycle)) = self.bounds.pop_front() {
            ready = cycle;
        }
        let bound = ready;
        let (mut offer, mut ready) = (offer.max(self.after), ready.max(self.after));
        if self.outside.is_some() {
            (offer, ready) = self.with_waits(offer, ready);
        }
        let at = offer.max(ready);
        if bounded {
            self.slack = self.slack.min(at - bound);
        }
        self.handshake.stalled += at - offer;
        self.handshake.starved += at - ready;
        self.moves.push(at);
        self.after = at + 1;
        at
    }

    /// Both sides' cycles with the outside's wait.
    #[cold]
    fn with_waits(&mut self, offer: Cycle, ready: Cycle) -> (Cycle, Cycle) {
        match &mut self.outside {
            None => (offer, ready),
            Some((Side::Source, waits)) => (offer.max(self.after + waits.next()), ready),
            Some((Side::Sink, waits)) => (offer, ready.max(self.after + waits.next())),
        }
    }

    /// Moves up to `count` words that are offered in `offer` and the cycles that follow, as long as
    /// each moves when it is offered; how many did.
    pub(crate) fn push_run(&mut self, offer: Cycle, count: usize) -> usize {
        if self.outside.is_some() || offer < self.after {
            return 0;
        }
        let word = self.len();
        let mut count = count.min(self.room());
        let ready = self.bounds.front().filter(|bound| bound.0 == word).map_or(0, |bound| bound.1);
        if count == 0 || ready > offer {
            return 0;
        }
        // Behind the first word every place is ready just when its word comes.
        self.handshake.starved += offer - ready.max(self.after);
        while let Some(&(bounded, cycle)) = self.bounds.front() {
            let behind = bounded - word;
            if behind >= count {
                break;
            }
            if cycle > offer + behind as u64 {
                count = behind;
                break;
            }
            self.slack = self.slack.min(offer + behind as u64 - cycle);
            self.bounds.pop_front();
        }
        self.moves.extend(offer..offer + count as u64);
        self.after = offer + count as u64;
        count
    }

    /// The cycles that the latest frame's moves came after those of the frame before, if all by the
    /// same; at least two frames were simulated.
    pub(crate) fn growth(&self) -> Option<Cycle> {
        let both = &self.moves[self.moves.len() - 2 * self.words..];
        let (then, now) = both.split_at(self.words);
        let growth = now[0] - then[0];
        now.iter().zip(then).all(|(now, then)| now - then == growth).then_some(growth)
    }

    /// The same of the bounds; `None` also where they were not compared.
    pub(crate) fn growth_of_bounds(&self) -> Option<Cycle> {
        self.grants.growth()
    }

    /// The fewest cycles that a word of the latest frame moved behind its bound.
    pub(crate) fn slack(&self) -> Cycle {
        self.slack
    }

    /// Goes on to the state after further frames, whose moves and bounds come so many cycles later.
    pub(crate) fn skip(&mut self, frames: usize, moves: Cycle, bounds: Cycle) {
        let words = frames * self.words;
        self.first += words;
        self.moves.iter_mut().for_each(|cycle| *cycle += moves);
        self.after += moves;
        if !matches!(self.outside, Some((Side::Sink, _))) {
            self.granted += words;
        }
        for bound in &mut self.bounds {
            *bound = (bound.0 + words, bound.1 + bounds);
        }
        self.grants.skip(words, bounds);
    }

    /// Forgets moves that nobody asks for.
    pub(crate) fn forget(&mut self) {
        let old = self.moves.len().saturating_sub(self.keep);
        if old > 8 * self.keep {
            self.moves.drain(..old);
            self.first += old;
        }
    }
}
