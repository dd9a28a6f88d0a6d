//! One engine's side of the handshakes: when it would offer and accept its next words.

use crate::shifting::Shifter;
use crate::sliding::Ring;
use engines::{Compute, Timing};
use std::collections::VecDeque;

/// A rising edge of the clock.
pub(crate) type Cycle = u64;

/// The timing state of an engine. `accept` and `offer` give the earliest cycle of the next word at
/// the input and output, as soon as earlier moves decide it.
pub(crate) enum Machine {
    Fifo(Queue),
    Pack(Pack),
    Split(Split),
    Compute(Box<Pipeline>),
    Sliding(Box<Ring>),
    Shifting(Box<Shifter>),
}

impl Machine {
    pub(crate) fn new(timing: Timing) -> Self {
        match timing {
            Timing::Fifo { depth } => Machine::Fifo(Queue::new(depth)),
            Timing::Pack { ratio, input_words } => Machine::Pack(Pack {
                ratio,
                input_words,
                position: 0,
                ready: VecDeque::new(),
                last_out: Some(0),
            }),
            Timing::Split { ratio, output_words } => {
                Machine::Split(Split { ratio, output_words, position: 0, words: Queue::new(2) })
            }
            Timing::Compute(compute) => Machine::Compute(Box::new(Pipeline::new(compute))),
            Timing::Sliding(sliding) => Machine::Sliding(Box::new(Ring::new(sliding))),
            Timing::Shifting(shifting) => Machine::Shifting(Box::new(Shifter::new(shifting))),
        }
    }

    pub(crate) fn accept(&self) -> Option<Cycle> {
        match self {
            Machine::Fifo(q) => q.accept(),
            Machine::Pack(p) => p.accept(),
            Machine::Split(s) => s.words.accept(),
            Machine::Compute(p) => p.accept(),
            Machine::Sliding(r) => r.accept(),
            Machine::Shifting(s) => s.accept(),
        }
    }

    pub(crate) fn offer(&self) -> Option<Cycle> {
        match self {
            Machine::Fifo(q) => q.offer(),
            Machine::Pack(p) => p.ready.front().copied(),
            Machine::Split(s) => s.words.offer(),
            Machine::Compute(p) => p.offers.front().copied(),
            Machine::Sliding(r) => r.offer(),
            Machine::Shifting(s) => s.offer(),
        }
    }

    pub(crate) fn moved_in(&mut self, at: Cycle) {
        match self {
            Machine::Fifo(q) => q.push(at),
            Machine::Pack(p) => p.push(at),
            Machine::Split(s) => s.words.push(at),
            Machine::Compute(p) => p.push(at),
            Machine::Sliding(r) => r.push(at),
            Machine::Shifting(s) => s.push(at),
        }
    }

    pub(crate) fn moved_out(&mut self, at: Cycle) {
        match self {
            Machine::Fifo(q) => q.pop(at),
            Machine::Pack(p) => p.pop(at),
            Machine::Split(s) => s.pop(at),
            Machine::Compute(p) => p.pop(at),
            Machine::Sliding(r) => r.pop(at),
            Machine::Shifting(s) => s.pop(at),
        }
    }
}

/// Words that wait in a queue of bounded depth.
pub(crate) struct Queue {
    /// When each of the words inside came in.
    inside: VecDeque<Cycle>,
    /// When each free place becomes usable.
    free: VecDeque<Cycle>,
}

impl Queue {
    fn new(depth: usize) -> Self {
        Self { inside: VecDeque::new(), free: std::iter::repeat_n(0, depth).collect() }
    }

    fn accept(&self) -> Option<Cycle> {
        self.free.front().copied()
    }

    fn offer(&self) -> Option<Cycle> {
        self.inside.front().map(|at| at + 1)
    }

    fn push(&mut self, at: Cycle) {
        self.free.pop_front();
        self.inside.push_back(at);
    }

    fn pop(&mut self, at: Cycle) {
        self.inside.pop_front();
        self.free.push_back(at + 1);
    }
}

pub(crate) struct Pack {
    ratio: usize,
    input_words: usize,
    /// Input word of the frame that comes next.
    position: usize,
    /// Offers of output words that are complete: at most one.
    ready: VecDeque<Cycle>,
    /// When the output register was last emptied; `None` while it is full.
    last_out: Option<Cycle>,
}

impl Pack {
    fn completes(&self) -> bool {
        (self.position + 1).is_multiple_of(self.ratio) || self.position + 1 == self.input_words
    }

    fn accept(&self) -> Option<Cycle> {
        if self.completes() { self.last_out } else { Some(0) }
    }

    fn push(&mut self, at: Cycle) {
        if self.completes() {
            self.ready.push_back(at + 1);
            self.last_out = None;
        }
        self.position = (self.position + 1) % self.input_words;
    }

    fn pop(&mut self, at: Cycle) {
        self.ready.pop_front();
        self.last_out = Some(at + 1);
    }
}

pub(crate) struct Split {
    ratio: usize,
    output_words: usize,
    /// Output word of the frame that comes next.
    position: usize,
    words: Queue,
}

impl Split {
    fn pop(&mut self, at: Cycle) {
        let last = (self.position + 1).is_multiple_of(self.ratio)
            || self.position + 1 == self.output_words;
        if last {
            self.words.pop(at);
        }
        self.position = (self.position + 1) % self.output_words;
    }
}

/// A credited pipeline; see [`Compute`].
pub(crate) struct Pipeline {
    compute: Compute,
    /// Offers of completed output words.
    offers: VecDeque<Cycle>,
    /// When each free credit becomes usable.
    credits: VecDeque<Cycle>,
    /// The first cycle in which the next step may be taken, as far as steps go.
    next_step: Cycle,
    /// Step of the output word that comes next.
    word: usize,
    /// Pass over the input frame that comes next.
    pass: usize,
    /// With a buffer: when each word that no step has read yet came in.
    unread: VecDeque<Cycle>,
    /// With a buffer: when each free place becomes usable.
    free: VecDeque<Cycle>,
}

impl Pipeline {
    fn new(compute: Compute) -> Self {
        Self {
            compute,
            offers: VecDeque::new(),
            credits: std::iter::repeat_n(0, compute.credits).collect(),
            next_step: 0,
            word: 0,
            pass: 0,
            unread: VecDeque::new(),
            free: std::iter::repeat_n(0, compute.buffer).collect(),
        }
    }

    fn accept(&self) -> Option<Cycle> {
        if self.compute.buffer > 0 {
            return self.free.front().copied();
        }
        if self.word + 1 == self.compute.words { self.credits.front().copied() } else { Some(0) }
    }

    fn push(&mut self, at: Cycle) {
        if self.compute.buffer > 0 {
            self.free.pop_front();
            self.unread.push_back(at);
            self.advance();
            return;
        }
        self.word += 1;
        if self.word == self.compute.words {
            self.word = 0;
            self.credits.pop_front();
            self.offers.push_back(at + self.compute.latency);
        }
    }

    fn pop(&mut self, at: Cycle) {
        self.offers.pop_front();
        self.credits.push_back(at + 1);
        if self.compute.buffer > 0 {
            self.advance();
        }
    }

    /// Takes as many steps as known moves decide.
    fn advance(&mut self) {
        let Compute { words, passes, .. } = self.compute;
        loop {
            let completes = self.word + 1 == words;
            if !completes && self.pass > 0 && self.pass + 1 < passes {
                // Steps of a middle pass wait for nothing before the last one.
                self.next_step += (words - 1 - self.word) as u64;
                self.word = words - 1;
                continue;
            }
            let data = if self.pass == 0 {
                let Some(&came) = self.unread.front() else { return };
                came + 1
            } else {
                0
            };
            let credit = if completes {
                let Some(&free) = self.credits.front() else { return };
                free
            } else {
                0
            };
            let at = self.next_step.max(data).max(credit);
            self.step(at, completes);
        }
    }

    fn step(&mut self, at: Cycle, completes: bool) {
        let Compute { passes, latency, .. } = self.compute;
        if self.pass == 0 {
            self.unread.pop_front();
        }
        if self.pass + 1 == passes {
            self.free.push_back(at + 1);
        }
        self.next_step = at + 1;
        self.word += 1;
        if completes {
            self.word = 0;
            self.pass = (self.pass + 1) % passes;
            self.credits.pop_front();
            self.offers.push_back(at + latency);
        }
    }
}
