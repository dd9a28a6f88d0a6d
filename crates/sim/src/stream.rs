//! One stream: what its two ends allow, and when its words move.

use crate::grants::{self, Grants};
use crate::moves::{self, Moves};
use crate::stall::Waits;

/// A rising edge of the clock.
pub(crate) type Cycle = u64;

/// The moves of a stream, words counted over all frames.
///
/// The writer brings the earliest cycle of each word (an *offer*); the reader has said before how
/// many words may move (*grants*), and of some of them not before which cycle (*bounds*). A word moves
/// in the first cycle that suits both and comes after the word before it.
#[derive(Debug)]
pub(crate) struct Stream {
    moves: Moves,
    grants: Grants,
    /// What the outside waits before each word, at the two ends of the design.
    outside: Option<(Side, Waits)>,
    /// How each word was waited for, if that is recorded: of the latest frame that was moved word by
    /// word, and of the one before it, to come back to.
    record: Option<[Vec<Handshake>; 2]>,
    place: Place,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The first cycle after the last move.
    after: Cycle,
    /// The fewest cycles that a word moved behind its bound: of the latest frame that has ended, and
    /// of this one so far.
    slack: Cycle,
    least: Cycle,
    /// Which of the records is the latest.
    latest: usize,
    /// So far, as this frame began, and what the latest frame that has ended added.
    handshake: Handshake,
    before: Handshake,
    of_frame: Handshake,
}

/// A point that a stream can go back to.
#[derive(Debug)]
pub(crate) struct Mark {
    moves: moves::Mark,
    grants: grants::Mark,
    outside: Option<(Side, Waits)>,
    place: Place,
}

/// Which end of a stream lies outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Sink,
}

/// How the cycles of a stream were spent, in all or in front of the move of one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Handshake {
    /// Cycles with a word that nobody took: valid high, ready low.
    pub stalled: u64,
    /// Cycles with a place that nobody filled: ready high, valid low.
    pub starved: u64,
}

impl Handshake {
    fn plus(self, times: u64, other: Self) -> Self {
        Self {
            stalled: self.stalled + times * other.stalled,
            starved: self.starved + times * other.starved,
        }
    }
}

/// What goes with the moves of a stream, where bounds are known without being listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tally {
    after: Cycle,
    least: Cycle,
    waits: Handshake,
}

impl Tally {
    /// The first cycle after the last move.
    pub(crate) fn after(&self) -> Cycle {
        self.after
    }

    /// The cycle of the next move: of a word that is offered in a cycle and bounded by another, which is
    /// 0 if there is no bound.
    #[inline]
    pub(crate) fn moves(&mut self, offer: Cycle, bound: Cycle) -> Cycle {
        let offer = offer.max(self.after);
        let ready = bound.max(self.after);
        let at = offer.max(ready);
        let slack = if bound == 0 { Cycle::MAX } else { at - bound };
        self.least = self.least.min(slack);
        self.waits = self.waits.plus(1, Handshake { stalled: at - offer, starved: at - ready });
        self.after = at + 1;
        at
    }
}

impl Stream {
    /// A stream of frames of `words` words before the first of them.
    pub(crate) fn new(words: usize) -> Self {
        Self {
            moves: Moves::new(words),
            grants: Grants::new(words),
            outside: None,
            record: None,
            place: Place::default(),
        }
    }

    /// Joins the stream to the outside. A sink takes every word, after its wait.
    pub(crate) fn lead_outside(&mut self, side: Side, waits: Waits) {
        if side == Side::Sink {
            self.grants.add(usize::MAX / 2, None);
        }
        self.outside = Some((side, waits));
    }

    /// When the words moved.
    pub(crate) fn moves(&self) -> &Moves {
        &self.moves
    }

    /// What the reader has granted.
    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Lets at least so many of the latest moves be asked for.
    pub(crate) fn keep(&mut self, moves: usize) {
        self.moves.keep(moves);
    }

    /// Takes the memory for what is kept.
    pub(crate) fn reserve(&mut self) {
        self.moves.reserve();
    }

    /// Records how each word is waited for, from the next frame on.
    pub(crate) fn record(&mut self) {
        self.record = Some(Default::default());
    }

    /// How the words of the latest frame were waited for, if that is recorded.
    pub(crate) fn recorded(&self) -> Option<&[Handshake]> {
        self.record.as_ref().map(|record| &record[self.place.latest][..])
    }

    pub(crate) fn handshake(&self) -> Handshake {
        self.place.handshake
    }

    /// Words that have moved.
    pub(crate) fn len(&self) -> usize {
        self.moves.len()
    }

    /// Words that may move.
    pub(crate) fn room(&self) -> usize {
        self.grants.allowed() - self.len()
    }

    /// When a word moved.
    pub(crate) fn at(&self, word: usize) -> Cycle {
        self.moves.at(word)
    }

    /// Grants words without a bound.
    pub(crate) fn grant(&mut self, words: usize) {
        self.grants.add(words, None);
    }

    /// Grants words, the first of them from a cycle on.
    pub(crate) fn grant_from(&mut self, words: usize, cycle: Cycle) {
        self.grants.add(words, Some(cycle));
    }

    /// Moves the next word, which is granted.
    #[inline]
    pub(crate) fn push(&mut self, offer: Cycle) -> Cycle {
        let after = self.place.after;
        let (bounded, bound) = self.grants.front();
        let is_bounded = bounded == self.len();
        let mut ready = if is_bounded { bound.max(after) } else { after };
        let mut offer = offer.max(after);
        if self.outside.is_some() {
            (offer, ready) = self.with_waits(offer, ready);
        }
        let at = offer.max(ready);
        if is_bounded {
            self.place.least = self.place.least.min(at - bound);
            self.grants.take();
        }
        let waits = Handshake { stalled: at - offer, starved: at - ready };
        self.wait(waits, 1);
        self.moves.push(at);
        self.place.after = at + 1;
        at
    }

    /// Whether moves, grants and tally are all there is: nothing is recorded, no grants are forecast.
    pub(crate) fn is_plain(&self) -> bool {
        self.record.is_none() && !self.grants.is_forecast()
    }

    /// Draws the outside's next wait.
    pub(crate) fn draw(&mut self) -> Cycle {
        self.outside.as_mut().map_or(0, |(_, waits)| waits.next())
    }

    /// Lends out the moves, and what goes with them, until they are [put back](Self::put_back).
    pub(crate) fn lend(&mut self) -> (Moves, Tally) {
        let Place { after, least, handshake, .. } = self.place;
        let moves = std::mem::replace(&mut self.moves, Moves::new(0));
        (moves, Tally { after, least, waits: handshake })
    }

    /// Takes the moves back with more of them, and grants words: some, the first of them from a cycle on,
    /// each time.
    pub(crate) fn put_back(
        &mut self,
        (moves, tally): (Moves, Tally),
        grants: impl Iterator<Item = (usize, Cycle)>,
    ) {
        self.moves = moves;
        self.place.after = tally.after;
        self.place.least = tally.least;
        self.place.handshake = tally.waits;
        self.grants.add_each(grants);
        self.grants.take_up_to(self.moves.len());
    }

    /// Notes the waits in front of the first of some words, which move without further ones.
    fn wait(&mut self, waits: Handshake, words: usize) {
        self.place.handshake = self.place.handshake.plus(1, waits);
        if let Some(record) = &mut self.record {
            if self.moves.len().is_multiple_of(self.moves.words()) {
                self.place.latest ^= 1;
                record[self.place.latest].clear();
            }
            let list = &mut record[self.place.latest];
            list.push(waits);
            list.resize(list.len() + words - 1, Handshake::default());
        }
    }

    /// Both sides' cycles with the outside's wait.
    #[cold]
    fn with_waits(&mut self, offer: Cycle, ready: Cycle) -> (Cycle, Cycle) {
        let after = self.place.after;
        match &mut self.outside {
            None => (offer, ready),
            Some((Side::Source, waits)) => (offer.max(after + waits.next()), ready),
            Some((Side::Sink, waits)) => (offer, ready.max(after + waits.next())),
        }
    }

    /// Moves up to `count` words that are offered in `offer` and the cycles that follow, as long as
    /// each moves when it is offered; how many did.
    pub(crate) fn push_run(&mut self, offer: Cycle, count: usize) -> usize {
        if self.outside.is_some() || offer < self.place.after {
            return 0;
        }
        let word = self.len();
        let mut count = count.min(self.room());
        let (bounded, bound) = self.grants.front();
        let ready = if bounded == word { bound } else { 0 };
        if count == 0 || ready > offer {
            return 0;
        }
        let starved = offer - ready.max(self.place.after);
        loop {
            let (bounded, bound) = self.grants.front();
            if bounded >= word + count {
                break;
            }
            let at = offer + (bounded - word) as u64;
            if bound > at {
                count = bounded - word;
                break;
            }
            self.place.least = self.place.least.min(at - bound);
            self.grants.take();
        }
        // Behind the first word every place is ready just when its word comes.
        self.wait(Handshake { stalled: 0, starved }, count);
        self.moves.push_run(offer, count);
        self.place.after = offer + count as u64;
        count
    }

    /// Begins a frame, with a forecast of its grants if one `may` be made; whether there is one.
    pub(crate) fn begin(&mut self, may: bool) -> bool {
        self.place.before = self.place.handshake;
        self.place.least = Cycle::MAX;
        !self.is_last() && self.grants.begin(may)
    }

    fn is_last(&self) -> bool {
        matches!(self.outside, Some((Side::Sink, _)))
    }

    /// Whether the forecast of the frame was right, or none was made.
    pub(crate) fn is_right(&self) -> bool {
        self.grants.is_right()
    }

    /// Notes that the forecast was wrong.
    pub(crate) fn doubt(&mut self) {
        self.grants.doubt();
    }

    /// How the moves have grown over so many frames, if the next goes on as they did: neither what the
    /// outside waits nor the grants that are expected change it. `alike` if the grants have to grow as
    /// the moves do.
    pub(crate) fn goes_on(&self, frames: usize, alike: bool) -> Option<Cycle> {
        let growth = self.moves.regular().over(frames)?;
        // What grew from the frame before the last to the last, and will, has been without waits.
        let words = 2 * self.moves.words();
        if self.outside.as_ref().is_some_and(|(_, waits)| !waits.is_over(words)) {
            return None;
        }
        if self.is_last() {
            return Some(growth);
        }
        let bounds = self.grants.forecast(frames)?;
        let suits = bounds == growth || !alike && self.lead_over(growth, bounds) > 0;
        suits.then_some(growth)
    }

    /// Frames that can go on until a bound wins.
    fn lead_over(&self, moves: Cycle, bounds: Cycle) -> usize {
        match bounds.checked_sub(moves) {
            None | Some(0) => usize::MAX,
            Some(faster) => (self.place.slack / faster) as usize,
        }
    }

    /// Frames to come whose words still move in front of their bounds, when moves and bounds grow
    /// as in the latest frames.
    pub(crate) fn lead(&self) -> usize {
        let growths = self.moves.regular().over(1).zip(self.grants.regular().over(1));
        match growths {
            _ if self.is_last() => usize::MAX,
            None => 0,
            Some((moves, bounds)) => self.lead_over(moves, bounds),
        }
    }

    /// Moves the words of further frames as those of the frames before, so many cycles later each.
    pub(crate) fn move_frames(&mut self, frames: usize, growth: Cycle) {
        let bounds = self.grants.regular().over(1).unwrap_or(growth);
        let later = frames as u64 * growth;
        self.moves.go_on(frames, growth);
        self.grants.take_frames(frames);
        let place = &mut self.place;
        place.after += later;
        place.slack -= frames as u64 * bounds.saturating_sub(growth);
        place.handshake = place.handshake.plus(frames as u64, place.of_frame);
    }

    /// Grants the words of further frames as those of the frames before, so many cycles later each.
    pub(crate) fn grant_frames(&mut self, frames: usize, growth: Cycle) {
        self.grants.go_on(frames, growth);
    }

    /// Moves and grants the words of further frames as those of the frames before.
    pub(crate) fn pass(&mut self, frames: usize) {
        if let Some(growth) = self.moves.regular().over(1) {
            self.move_frames(frames, growth);
        }
        if let Some(growth) = self.grants.regular().over(1).filter(|_| !self.is_last()) {
            self.grant_frames(frames, growth);
        }
    }

    /// Looks at the moves of the latest of so many frames, which are complete.
    pub(crate) fn observe(&mut self, frames: usize) {
        self.moves.observe(frames);
    }

    /// Ends a frame whose words were moved one by one.
    pub(crate) fn end_moves(&mut self, frames: usize) {
        self.observe(frames);
        let place = &mut self.place;
        place.slack = place.least;
        place.of_frame = Handshake {
            stalled: place.handshake.stalled - place.before.stalled,
            starved: place.handshake.starved - place.before.starved,
        };
    }

    /// Ends a frame whose words were granted one by one.
    pub(crate) fn end_grants(&mut self) {
        self.grants.end();
    }

    /// Forgets what nobody asks for.
    pub(crate) fn forget(&mut self) {
        self.moves.forget();
        self.grants.forget();
    }

    /// What brings the stream back to this point.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            moves: self.moves.mark(),
            grants: self.grants.mark(),
            outside: self.outside.clone(),
            place: self.place,
        }
    }

    /// Goes back to a point behind which nothing was forgotten.
    pub(crate) fn reset(&mut self, mark: Mark) {
        self.moves.reset(&mark.moves);
        self.grants.reset(&mark.grants);
        self.outside = mark.outside;
        self.place = mark.place;
    }
}
