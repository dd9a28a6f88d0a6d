//! Timing of the parallel window unit.

use crate::engine::Cycle;
use engines::Shifting;
use std::collections::VecDeque;

/// The steps of a parallel window unit; see [`Shifting`].
pub(crate) struct Shifter {
    latency: u64,
    /// Whether each step of a frame takes a word, and whether it makes one.
    steps: Vec<(bool, bool)>,
    /// When each free credit becomes usable.
    credits: VecDeque<Cycle>,
    /// Offers of output words.
    offers: VecDeque<Cycle>,
    /// Step of the frame that comes next.
    step: usize,
    /// The first cycle in which it may be taken, as far as steps go.
    next_step: Cycle,
}

impl Shifter {
    pub(crate) fn new(shifting: Shifting) -> Self {
        let place = |step| shifting.raster.place(step);
        let steps = (0..shifting.raster.steps()).map(place);
        Self {
            latency: shifting.latency,
            steps: steps.map(|place| (place.on_map, place.completes.is_some())).collect(),
            credits: std::iter::repeat_n(0, shifting.credits).collect(),
            offers: VecDeque::new(),
            step: 0,
            next_step: 0,
        }
    }

    pub(crate) fn accept(&self) -> Option<Cycle> {
        let (takes, _) = self.steps[self.step];
        if takes { self.earliest() } else { None }
    }

    pub(crate) fn offer(&self) -> Option<Cycle> {
        self.offers.front().copied()
    }

    pub(crate) fn push(&mut self, at: Cycle) {
        self.take(at);
        self.advance();
    }

    pub(crate) fn pop(&mut self, at: Cycle) {
        self.offers.pop_front();
        self.credits.push_back(at + 1);
        self.advance();
    }

    /// When the next step may be taken, apart from its word.
    fn earliest(&self) -> Option<Cycle> {
        let (_, makes) = self.steps[self.step];
        let credit = if makes { *self.credits.front()? } else { 0 };
        Some(self.next_step.max(credit))
    }

    fn take(&mut self, at: Cycle) {
        let (_, makes) = self.steps[self.step];
        if makes {
            self.credits.pop_front();
            self.offers.push_back(at + self.latency);
        }
        self.next_step = at + 1;
        self.step = (self.step + 1) % self.steps.len();
    }

    /// Takes the steps that need no word.
    fn advance(&mut self) {
        while !self.steps[self.step].0 {
            let Some(at) = self.earliest() else { return };
            self.take(at);
        }
    }
}
