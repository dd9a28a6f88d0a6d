//! The parallel window unit.

use super::{Ends, Offers, Skip, Steps, Unit, credit};
use crate::stream::{Cycle, Stream};
use engines::Shifting;
use std::sync::Arc;

/// The steps of a parallel window unit; see [`Shifting`].
#[derive(Clone)]
pub(crate) struct Shifter {
    ends: Ends,
    latency: u64,
    credits: usize,
    /// The steps of a frame.
    steps: Arc<[Step]>,
    /// The next step to be taken, and the next to be granted: the same or a later one.
    step: usize,
    granted: usize,
    /// Steps between the two.
    ahead: usize,
    /// The first cycle in which the next step may be taken, as far as steps go.
    next_step: Cycle,
    /// Input words that were taken.
    taken: usize,
    /// Output words of granted steps.
    made: usize,
    /// Offers of output words that have not moved.
    offers: Offers,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    /// It is the move of an input word.
    takes: bool,
    /// It completes an output word.
    makes: bool,
}

impl Shifter {
    pub(crate) fn new(ends: Ends, shifting: Shifting) -> Self {
        let place = |step| shifting.raster.place(step);
        let steps = (0..shifting.raster.steps()).map(place);
        Self {
            ends,
            latency: shifting.latency,
            credits: shifting.credits,
            steps: steps
                .map(|place| Step { takes: place.on_map, makes: place.completes.is_some() })
                .collect(),
            step: 0,
            granted: 0,
            ahead: 0,
            next_step: 0,
            taken: 0,
            made: 0,
            offers: Offers::default(),
        }
    }

    /// The step behind one; the frames follow each other.
    fn behind(&self, step: usize) -> usize {
        if step + 1 == self.steps.len() { 0 } else { step + 1 }
    }

    /// Takes the next step in a cycle.
    fn take(&mut self, at: Cycle) {
        if self.steps[self.step].makes {
            self.offers.add(at + self.latency);
        }
        self.next_step = at + 1;
        self.step = self.behind(self.step);
    }
}

impl Steps for Shifter {
    /// Takes and grants as many steps as known moves decide; whether there were any.
    fn take_steps(&mut self, input: &mut Stream, output: &mut Stream) -> bool {
        let mut any = false;
        loop {
            while self.ahead > 0 && self.taken < input.len() {
                self.take(input.at(self.taken));
                self.taken += 1;
                self.ahead -= 1;
                any = true;
            }
            let Step { takes, makes } = self.steps[self.granted];
            // A step off the map comes behind all in front of it.
            if !takes && self.ahead > 0 {
                return any;
            }
            let credit = if makes { credit(output, self.made, self.credits) } else { Some(0) };
            let Some(credit) = credit else { return any };
            any = true;
            self.made += usize::from(makes);
            self.granted = self.behind(self.granted);
            if !takes {
                self.take(self.next_step.max(credit));
                continue;
            }
            let floor = if self.ahead == 0 { self.next_step.max(credit) } else { credit };
            if floor == 0 {
                input.grant(1);
            } else {
                input.grant_from(1, floor);
            }
            self.ahead += 1;
        }
    }

    fn offers(&mut self) -> &mut Offers {
        &mut self.offers
    }
}

impl Unit for Shifter {
    fn advance(&mut self, streams: &mut [Stream]) -> bool {
        self.advance_by_steps(self.ends, streams)
    }

    fn starving(&self, _: &[Stream]) -> Vec<usize> {
        if self.offers.is_empty() && self.ahead > 0 { vec![self.ends.input] } else { Vec::new() }
    }

    fn looks_back(&self) -> usize {
        1
    }

    fn next_step(&self) -> Option<Cycle> {
        Some(self.next_step)
    }

    fn skip(&mut self, skip: Skip<'_>) {
        self.taken += skip.words(self.ends.input);
        self.made += skip.words(self.ends.output);
        self.next_step += skip.cycles;
    }

    fn boxed(&self) -> Box<dyn Unit> {
        Box::new(self.clone())
    }
}
