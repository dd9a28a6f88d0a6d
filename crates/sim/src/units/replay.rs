//! A pipeline with an input buffer, which replays every vector for several passes.

use super::{Ends, Offers, Skip, Steps, Unit, credit};
use crate::stream::{Cycle, Stream};
use engines::Compute;

/// See [`Compute`].
#[derive(Clone)]
pub(crate) struct Replay {
    ends: Ends,
    compute: Compute,
    /// The first cycle in which the next step may be taken, as far as steps go.
    next_step: Cycle,
    /// Step of the output word that comes next.
    word: usize,
    /// Pass over the vector that comes next.
    pass: usize,
    /// Input words that a first pass has read.
    read: usize,
    /// Output words that have been made.
    made: usize,
    /// Offers of those that have not moved.
    offers: Offers,
}

impl Replay {
    pub(crate) fn new(ends: Ends, compute: Compute, streams: &mut [Stream]) -> Self {
        streams[ends.input].grant(compute.buffer);
        Self {
            ends,
            compute,
            next_step: 0,
            word: 0,
            pass: 0,
            read: 0,
            made: 0,
            offers: Offers::default(),
        }
    }
}

impl Steps for Replay {
    /// Takes as many steps as known moves decide; whether it took any.
    fn take_steps(&mut self, input: &mut Stream, output: &mut Stream) -> bool {
        let Compute { words, passes, credits, latency, .. } = self.compute;
        let mut any = false;
        loop {
            let completes = self.word + 1 == words;
            let (first, last) = (self.pass == 0, self.pass + 1 == passes);
            if !completes && !first && !last {
                // Steps of a middle pass wait for nothing before the last one.
                self.next_step += (words - 1 - self.word) as u64;
                self.word = words - 1;
                continue;
            }
            let mut at = self.next_step;
            if first {
                if self.read == input.len() {
                    return any;
                }
                at = at.max(input.at(self.read) + 1);
            }
            if completes {
                let Some(credit) = credit(output, self.made, credits) else { return any };
                at = at.max(credit);
            }
            any = true;
            self.read += usize::from(first);
            if last {
                input.grant_from(1, at + 1);
            }
            self.next_step = at + 1;
            self.word += 1;
            if completes {
                self.word = 0;
                self.pass = if last { 0 } else { self.pass + 1 };
                self.made += 1;
                self.offers.add(at + latency);
            }
        }
    }

    fn offers(&mut self) -> &mut Offers {
        &mut self.offers
    }
}

impl Unit for Replay {
    fn advance(&mut self, streams: &mut [Stream]) -> bool {
        self.advance_by_steps(self.ends, streams)
    }

    fn starving(&self, streams: &[Stream]) -> Vec<usize> {
        let input = self.ends.input;
        let waits = self.offers.is_empty() && self.pass == 0 && self.read == streams[input].len();
        if waits { vec![input] } else { Vec::new() }
    }

    fn looks_back(&self) -> usize {
        self.compute.buffer
    }

    fn next_step(&self) -> Option<Cycle> {
        Some(self.next_step)
    }

    fn skip(&mut self, skip: Skip<'_>) {
        self.read += skip.words(self.ends.input);
        self.made += skip.words(self.ends.output);
        self.next_step += skip.cycles;
    }

    fn boxed(&self) -> Box<dyn Unit> {
        Box::new(self.clone())
    }
}
