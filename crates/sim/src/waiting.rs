//! Who may have something to do: the outside, which brings the words, and the engines.

use dataflow::{Dataflow, OUTSIDE};
use engines::Timing;
use std::ops::Range;

/// The number of a party: 0 for the outside, 1 for the first engine and so on.
pub(crate) fn party(engine: usize) -> usize {
    if engine == OUTSIDE { 0 } else { engine + 1 }
}

/// A set of parties, given out from the input on: so an engine comes when those in front of it have
/// done all they can, and finds many words at once.
pub(crate) struct Waiting {
    bits: Vec<u64>,
}

impl Waiting {
    /// Nobody of the outside and so many engines.
    pub(crate) fn new(engines: usize) -> Self {
        Self { bits: vec![0; (engines + 1).div_ceil(64)] }
    }

    pub(crate) fn add(&mut self, party: usize) {
        self.bits[party / 64] |= 1 << (party % 64);
    }

    pub(crate) fn remove(&mut self, parties: Range<usize>) {
        parties.for_each(|party| self.bits[party / 64] &= !(1 << (party % 64)));
    }

    /// The first.
    pub(crate) fn next(&self) -> Option<usize> {
        let (index, bits) = self.bits.iter().enumerate().find(|(_, bits)| **bits != 0)?;
        Some(index * 64 + bits.trailing_zeros() as usize)
    }
}

/// For each party the line that it stands in: the outside and the engines behind it, up to the first
/// that holds more than a few words. What the outside waits makes their moves irregular, so nothing is
/// known of what will be granted, and they go on by a word or two at a time: they are visited together.
pub(crate) fn lines(dataflow: &Dataflow, timings: &[Timing]) -> Vec<Range<usize>> {
    let mut lines: Vec<Range<usize>> = (0..=timings.len()).map(|party| party..party + 1).collect();
    let holds_few = |(&timing, engine): (&Timing, usize)| {
        let follows = dataflow.streams[dataflow.engines[engine].input()].from;
        party(follows) == engine
            && match timing {
                Timing::Fifo { .. } | Timing::Pack { .. } => true,
                Timing::Compute(c) => c.buffer == 0,
                _ => false,
            }
    };
    let engines = timings.iter().zip(0..).take_while(|&engine| holds_few(engine)).count();
    lines[..=engines].fill(0..engines + 1);
    lines
}
