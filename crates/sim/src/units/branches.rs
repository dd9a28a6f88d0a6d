//! Fork and join.

use super::{Offers, Skip, Unit, credit};
use crate::stream::{Cycle, Stream};
use dataflow::Engine;

/// Each branch is a FIFO of `depth` words; a word comes in when all have room.
#[derive(Clone)]
pub(crate) struct Fork {
    input: usize,
    outputs: Vec<usize>,
    depth: usize,
    /// Words that have left on every branch.
    left: usize,
}

impl Fork {
    pub(crate) fn new(engine: &Engine, depth: usize, streams: &mut [Stream]) -> Self {
        streams[engine.input()].grant(depth);
        Self { input: engine.input(), outputs: engine.outputs.clone(), depth, left: 0 }
    }
}

impl Unit for Fork {
    fn advance(&mut self, streams: &mut [Stream]) -> bool {
        let mut any = false;
        for &branch in &self.outputs {
            let [input, output] = streams
                .get_disjoint_mut([self.input, branch])
                .expect("checked: an engine's streams differ");
            while output.room() > 0 && output.len() < input.len() {
                output.push(input.at(output.len()) + 1);
                any = true;
            }
        }
        let slowest = self.outputs.iter().map(|&s| streams[s].len()).min().unwrap_or(0);
        while self.left < slowest {
            let last = self.outputs.iter().map(|&s| streams[s].at(self.left)).max();
            streams[self.input].grant_from(1, last.unwrap_or(0) + 1);
            self.left += 1;
        }
        any
    }

    fn starving(&self, streams: &[Stream]) -> Vec<usize> {
        let all = streams[self.input].len();
        let empty = self.outputs.iter().all(|&s| streams[s].len() == all);
        if empty { vec![self.input] } else { Vec::new() }
    }

    fn looks_back(&self) -> usize {
        self.depth
    }

    fn skip(&mut self, skip: Skip<'_>) {
        self.left += skip.words(self.input);
    }

    fn boxed(&self) -> Box<dyn Unit> {
        Box::new(self.clone())
    }
}

/// A step takes a word of each input; each input has a queue of `depth` words.
#[derive(Clone)]
pub(crate) struct Join {
    inputs: Vec<usize>,
    output: usize,
    depth: usize,
    credits: usize,
    /// Steps so far, and the first cycle of the next.
    steps: usize,
    next_step: Cycle,
    /// Offers of output words that have not moved.
    offers: Offers,
}

impl Join {
    pub(crate) fn new(
        engine: &Engine,
        depth: usize,
        credits: usize,
        streams: &mut [Stream],
    ) -> Self {
        engine.inputs.iter().for_each(|&s| streams[s].grant(depth));
        Self {
            inputs: engine.inputs.clone(),
            output: engine.output(),
            depth,
            credits,
            steps: 0,
            next_step: 0,
            offers: Offers::default(),
        }
    }

    /// The cycle of the next step, if known moves decide it.
    fn next(&self, streams: &[Stream]) -> Option<Cycle> {
        let mut at = self.next_step;
        for &s in &self.inputs {
            if self.steps >= streams[s].len() {
                return None;
            }
            at = at.max(streams[s].at(self.steps) + 1);
        }
        credit(&streams[self.output], self.steps, self.credits).map(|credit| at.max(credit))
    }
}

impl Unit for Join {
    fn advance(&mut self, streams: &mut [Stream]) -> bool {
        let mut any = false;
        loop {
            let before = self.steps;
            while let Some(at) = self.next(streams) {
                self.offers.add(at + 1);
                self.next_step = at + 1;
                self.steps += 1;
                self.inputs.iter().for_each(|&s| streams[s].grant_from(1, at + 1));
            }
            if !self.offers.leave(&mut streams[self.output]) && self.steps == before {
                return any;
            }
            any = true;
        }
    }

    fn starving(&self, streams: &[Stream]) -> Vec<usize> {
        if !self.offers.is_empty() {
            return Vec::new();
        }
        self.inputs.iter().copied().filter(|&s| streams[s].len() == self.steps).collect()
    }

    fn looks_back(&self) -> usize {
        self.depth
    }

    fn next_step(&self) -> Option<Cycle> {
        Some(self.next_step)
    }

    fn skip(&mut self, skip: Skip<'_>) {
        self.steps += skip.words(self.output);
        self.next_step += skip.cycles;
    }

    fn boxed(&self) -> Box<dyn Unit> {
        Box::new(self.clone())
    }
}
