//! Each engine as registers: what it offers and accepts in a cycle, and what an edge makes of it.
//!
//! Written from the words of [`engines::Timing`], as one would write hardware: counters, queues of
//! which only the fill is kept, and pipelines that are shifted by a place at every edge. Valid and
//! ready of a cycle depend on the registers alone, never on each other.

use engines::{Compute, Shifting, Sliding, Timing};
use std::collections::VecDeque;

/// The registers of an engine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Engine {
    /// One queue.
    Fifo { depth: usize, fill: usize },
    /// A queue for each output, filled together.
    Fork { depth: usize, fills: Vec<usize> },
    /// A queue for each input, taken from together.
    Join { depth: usize, fills: [usize; 2], sums: Pipeline },
    /// The parts that came of the next output word, and the register of a whole one.
    Pack { ratio: usize, pixel: usize, word: usize, full: bool },
    /// Two input words, and the parts that went of the first.
    Split { ratio: usize, pixel: usize, word: usize, held: usize },
    /// A pipeline whose steps are the moves of its input words.
    Direct { words: usize, word: usize, results: Pipeline },
    /// A pipeline whose steps read a buffer.
    Buffered(Buffered),
    /// A pipeline whose steps read a ring, along a walk.
    Ring(Ring),
    /// A pipeline whose steps shift a map through.
    Shifter { shifting: Shifting, step: usize, results: Pipeline },
}

/// A pipeline that never stalls, with the queue at its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pipeline {
    /// Output words that may still be begun.
    credits: usize,
    /// For each register, first to last, whether an output word is in it.
    stages: VecDeque<bool>,
    /// Output words in the queue.
    waiting: usize,
}

impl Pipeline {
    /// A word begun at an edge is in the queue `latency` cycles later: one of them is the queue's.
    fn new(credits: usize, latency: u64) -> Self {
        let stages = (1..latency).map(|_| false).collect();
        Self { credits, stages, waiting: 0 }
    }

    fn may_begin(&self) -> bool {
        self.credits > 0
    }

    fn edge(&mut self, begun: bool, went: bool) {
        self.credits = self.credits + usize::from(went) - usize::from(begun);
        self.stages.push_back(begun);
        let arrives = self.stages.pop_front() == Some(true);
        self.waiting = self.waiting + usize::from(arrives) - usize::from(went);
    }
}

/// An input buffer that is read once for each pass, and the pipeline behind it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Buffered {
    compute: Compute,
    /// Words that hold a place.
    used: usize,
    /// Words that came, of the vector that is read and of later ones.
    came: usize,
    word: usize,
    pass: usize,
    results: Pipeline,
}

impl Buffered {
    fn completes(&self) -> bool {
        self.word + 1 == self.compute.words
    }

    fn steps(&self) -> bool {
        self.word < self.came && (!self.completes() || self.results.may_begin())
    }

    fn edge(&mut self, came: bool, went: bool) {
        let (steps, completes) = (self.steps(), self.completes());
        let last_pass = self.pass + 1 == self.compute.passes;
        self.results.edge(steps && completes, went);
        self.used = self.used + usize::from(came) - usize::from(steps && last_pass);
        self.came += usize::from(came);
        if steps {
            self.word += 1;
        }
        if steps && completes {
            self.word = 0;
            self.pass += 1;
        }
        if steps && completes && last_pass {
            self.pass = 0;
            self.came -= self.compute.words;
        }
    }
}

/// A ring of words that windows are read from, and the pipeline behind it. Words and windows are
/// counted over all frames.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ring {
    sliding: Sliding,
    came: usize,
    window: usize,
    step: usize,
    results: Pipeline,
}

impl Ring {
    /// Whether there is a place for the next word: none that a window still needs.
    fn has_room(&self) -> bool {
        (self.came as i64) < self.sliding.walk.base(self.window) + self.sliding.depth as i64
    }

    fn steps(&self) -> bool {
        let walk = self.sliding.walk;
        let frame = self.window / walk.windows() * walk.words_per_frame();
        let read = walk.step(self.window % walk.windows(), self.step).word;
        // The padding of a frame is there with its first word.
        let needed = frame + read.unwrap_or(0);
        assert!(
            read.is_none() || walk.base(self.window) <= needed as i64,
            "window {} reads word {needed}, whose place is free already",
            self.window
        );
        needed < self.came && self.results.may_begin()
    }

    fn edge(&mut self, came: bool, went: bool) {
        let steps = self.steps();
        self.results.edge(steps, went);
        self.came += usize::from(came);
        if steps {
            self.step += 1;
        }
        if self.step == self.sliding.walk.steps() {
            self.step = 0;
            self.window += 1;
        }
    }
}

/// Whether word `word` of a pixel of `pixel` words ends a group of `ratio`, the last of which may
/// be smaller.
fn ends_group(word: usize, ratio: usize, pixel: usize) -> bool {
    (word + 1).is_multiple_of(ratio) || word + 1 == pixel
}

fn change(fill: &mut usize, came: bool, went: bool) {
    *fill = *fill + usize::from(came) - usize::from(went);
}

impl Engine {
    /// Out of reset.
    pub(crate) fn new(timing: Timing, outputs: usize) -> Self {
        match timing {
            Timing::Fifo { depth } => Engine::Fifo { depth, fill: 0 },
            Timing::Fork { depth } => Engine::Fork { depth, fills: vec![0; outputs] },
            Timing::Join { depth, credits } => {
                Engine::Join { depth, fills: [0; 2], sums: Pipeline::new(credits, 1) }
            }
            Timing::Pack { ratio, input_words } => {
                Engine::Pack { ratio, pixel: input_words, word: 0, full: false }
            }
            Timing::Split { ratio, output_words } => {
                Engine::Split { ratio, pixel: output_words, word: 0, held: 0 }
            }
            Timing::Compute(compute) => {
                let results = Pipeline::new(compute.credits, compute.latency);
                if compute.buffer == 0 {
                    Engine::Direct { words: compute.words, word: 0, results }
                } else {
                    let (used, came, word, pass) = (0, 0, 0, 0);
                    Engine::Buffered(Buffered { compute, used, came, word, pass, results })
                }
            }
            Timing::Sliding(sliding) => {
                let results = Pipeline::new(sliding.credits, sliding.latency);
                Engine::Ring(Ring { sliding, came: 0, window: 0, step: 0, results })
            }
            Timing::Shifting(shifting) => {
                let results = Pipeline::new(shifting.credits, shifting.latency);
                Engine::Shifter { shifting, step: 0, results }
            }
        }
    }

    /// Whether it offers a word at an output.
    pub(crate) fn valid(&self, output: usize) -> bool {
        match self {
            Engine::Fifo { fill, .. } => *fill > 0,
            Engine::Fork { fills, .. } => fills[output] > 0,
            Engine::Pack { full, .. } => *full,
            Engine::Split { held, .. } => *held > 0,
            Engine::Join { sums: results, .. }
            | Engine::Direct { results, .. }
            | Engine::Buffered(Buffered { results, .. })
            | Engine::Ring(Ring { results, .. })
            | Engine::Shifter { results, .. } => results.waiting > 0,
        }
    }

    /// Whether it accepts a word at an input.
    pub(crate) fn ready(&self, input: usize) -> bool {
        match self {
            Engine::Fifo { depth, fill } => fill < depth,
            Engine::Fork { depth, fills } => fills.iter().all(|fill| fill < depth),
            Engine::Join { depth, fills, .. } => fills[input] < *depth,
            Engine::Pack { ratio, pixel, word, full } => {
                !ends_group(*word, *ratio, *pixel) || !full
            }
            Engine::Split { held, .. } => *held < 2,
            Engine::Direct { words, word, results } => word + 1 < *words || results.may_begin(),
            Engine::Buffered(b) => b.used < b.compute.buffer,
            Engine::Ring(ring) => ring.has_room(),
            Engine::Shifter { shifting, step, results } => {
                let place = shifting.raster.place(*step);
                place.on_map && (place.completes.is_none() || results.may_begin())
            }
        }
    }

    /// A rising edge, with what moved at it at each input and output.
    pub(crate) fn edge(&mut self, came: &[bool], went: &[bool]) {
        match self {
            Engine::Fifo { fill, .. } => change(fill, came[0], went[0]),
            Engine::Fork { fills, .. } => {
                for (fill, &went) in fills.iter_mut().zip(went) {
                    change(fill, came[0], went);
                }
            }
            Engine::Join { fills, sums, .. } => {
                let steps = fills.iter().all(|&fill| fill > 0) && sums.may_begin();
                sums.edge(steps, went[0]);
                for (fill, &came) in fills.iter_mut().zip(came) {
                    change(fill, came, steps);
                }
            }
            Engine::Pack { ratio, pixel, word, full } => {
                *full &= !went[0];
                if came[0] {
                    *full |= ends_group(*word, *ratio, *pixel);
                    *word = (*word + 1) % *pixel;
                }
            }
            Engine::Split { ratio, pixel, word, held } => {
                change(held, came[0], went[0] && ends_group(*word, *ratio, *pixel));
                if went[0] {
                    *word = (*word + 1) % *pixel;
                }
            }
            Engine::Direct { words, word, results } => {
                results.edge(came[0] && *word + 1 == *words, went[0]);
                if came[0] {
                    *word = (*word + 1) % *words;
                }
            }
            Engine::Buffered(buffered) => buffered.edge(came[0], went[0]),
            Engine::Ring(ring) => ring.edge(came[0], went[0]),
            Engine::Shifter { shifting, step, results } => {
                let place = shifting.raster.place(*step);
                let completes = place.completes.is_some();
                let steps = came[0] || !place.on_map && (!completes || results.may_begin());
                results.edge(steps && completes, went[0]);
                if steps {
                    *step = (*step + 1) % shifting.raster.steps();
                }
            }
        }
    }
}
