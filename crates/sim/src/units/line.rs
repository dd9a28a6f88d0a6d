//! Units in a row behind the input that hold only a few words.
//!
//! What the outside waits makes their moves irregular, so nothing is known of what will be granted.
//! But when a word comes in, all that its move waits for has moved: the words in front of it and, for
//! its place, one that left the unit some words ago. So each word of the input goes down the whole
//! line before the next comes in, and what it grants is listed afterwards.

use super::Unit;
use super::gather::Gather;
use crate::moves::Moves;
use crate::stream::{Cycle, Stream, Tally};

/// A unit of the line, with the moves of the stream that it reads.
struct Joint<'u> {
    unit: &'u mut Gather,
    moves: Moves,
    tally: Tally,
    /// Words that have moved in.
    word: usize,
    /// The cycles behind the latest moves out, as many as there are credits, and the place of the first
    /// of them.
    freed: Vec<Cycle>,
    first: usize,
    /// Words that had moved out before.
    made: usize,
}

/// Moves words of the input, up to so many in all, as long as they can go down to the end of the line;
/// whether anything moved.
pub(crate) fn flow(units: &mut [Box<dyn Unit>], streams: &mut [Stream], words: usize) -> bool {
    let mut any = false;
    // What stands in the line goes first.
    while units.iter_mut().fold(false, |any, unit| any | unit.advance(streams)) {
        any = true;
    }
    let gathers: Vec<&mut Gather> = units.iter_mut().filter_map(|unit| unit.as_gather()).collect();
    let Some(end) = gathers.last().map(|unit| unit.ends.output) else { return any };
    let flows = |unit: &&mut Gather| {
        let input = &streams[unit.ends.input];
        input.is_plain() && input.len() < unit.end.word
    };
    if streams[end].room() == 0 || !gathers.iter().all(flows) {
        return any;
    }
    let mut joints: Vec<Joint> =
        gathers.into_iter().map(|unit| Joint::new(unit, streams)).collect();
    while joints[0].word < words && streams[end].room() > 0 {
        any = true;
        let wait = streams[0].draw();
        go_down(&mut joints, wait, &mut streams[end]);
    }
    joints.into_iter().rev().for_each(|joint| joint.put_back(streams));
    any
}

/// Moves the next word of the input after its wait, and all words that it completes.
#[inline]
fn go_down(joints: &mut [Joint<'_>], wait: Cycle, end: &mut Stream) {
    let mut offer = joints[0].tally.after() + wait;
    for place in 0..joints.len() {
        let (at, completes) = joints[place].take(offer);
        if place > 0 {
            joints[place - 1].free(at);
        }
        if !completes {
            return;
        }
        offer = at + joints[place].unit.latency;
    }
    let at = end.push(offer);
    joints[joints.len() - 1].free(at);
}

impl<'u> Joint<'u> {
    /// Borrows the moves of a unit's input; its output's are in their place yet.
    fn new(unit: &'u mut Gather, streams: &mut [Stream]) -> Self {
        let (input, output) = unit.ends.of(streams);
        let (word, made) = (input.len(), output.len());
        let behind = |word| output.at(word) + 1;
        let credits = made..made + unit.credits;
        let freed = credits.map(|word| word.checked_sub(unit.credits).map_or(0, behind)).collect();
        let (moves, tally) = input.lend();
        Self { unit, moves, tally, word, freed, first: 0, made }
    }

    /// Moves the next word in, which is offered in a cycle: when, and whether that completes a group.
    #[inline]
    fn take(&mut self, offer: Cycle) -> (Cycle, bool) {
        self.word += 1;
        let completes = self.word == self.unit.end.word;
        let bound = if completes { self.freed[self.first] } else { 0 };
        let at = self.tally.moves(offer, bound);
        self.moves.push(at);
        (at, completes)
    }

    /// Notes that the word of the complete group has moved out.
    #[inline]
    fn free(&mut self, at: Cycle) {
        self.freed[self.first] = at + 1;
        self.first += 1;
        if self.first == self.freed.len() {
            self.first = 0;
        }
        self.unit.completes();
    }

    /// Gives the moves back, with grants for all that has moved out; its output's are in their place.
    fn put_back(self, streams: &mut [Stream]) {
        let (input, output) = self.unit.ends.of(streams);
        let (unit, made) = (self.unit, self.made..output.len());
        let grants = made.map(|word| (unit.grants(), output.at(word) + 1));
        input.put_back((self.moves, self.tally), grants);
    }
}
