//! Where the cycles go: how busy each engine is, how full each FIFO, how long each frame takes.

use crate::run::{Frame, Run};
use dataflow::{Dataflow, EngineKind};
use engines::cycles_per_frame;
use std::collections::VecDeque;

/// Collects frame by frame what a run shows; what it holds does not grow with the frames.
pub struct Activity<'d> {
    dataflow: &'d Dataflow,
    frames: u64,
    cycles: u64,
    latency: Spread,
    interval: Spread,
    last_end: Option<u64>,
    fifos: Vec<Fill>,
}

/// Smallest, largest and mean of some numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spread {
    /// How many numbers.
    pub count: u64,
    /// The first.
    pub first: u64,
    /// The latest.
    pub last: u64,
    /// The smallest.
    pub least: u64,
    /// The largest.
    pub most: u64,
    /// All together.
    pub sum: u64,
}

impl Spread {
    fn add(&mut self, number: u64) {
        if self.count == 0 {
            *self = Self { first: number, least: number, most: number, ..*self };
        }
        self.count += 1;
        self.last = number;
        self.least = self.least.min(number);
        self.most = self.most.max(number);
        self.sum += number;
    }

    /// The mean; 0 of none.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }
}

/// How an engine spent the cycles of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineActivity {
    /// Cycles with a step.
    pub busy: u64,
    /// Cycles with an input that was ready for a word and had none.
    pub starved: u64,
    /// Cycles with an output word that nobody took.
    pub stalled: u64,
}

/// How full a FIFO was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FifoActivity {
    /// The engine, by index.
    pub engine: usize,
    /// Words that it holds.
    pub depth: usize,
    /// The most words at a time.
    pub most: usize,
    /// Words at a time, over all cycles.
    pub mean: f64,
}

/// The words in a FIFO over time.
struct Fill {
    engine: usize,
    depth: usize,
    most: usize,
    /// Cycles that all words together spent inside, and those of the latest frame.
    inside: u64,
    of_frame: u64,
    /// When those that still count as inside leave, in order.
    leaving: VecDeque<u64>,
}

impl<'d> Activity<'d> {
    /// Nothing seen yet.
    pub fn new(dataflow: &'d Dataflow) -> Self {
        let fifo = |(engine, e): (usize, &dataflow::Engine)| match e.kind {
            EngineKind::Fifo { depth } => Some(Fill::new(engine, depth)),
            _ => None,
        };
        Self {
            dataflow,
            frames: 0,
            cycles: 0,
            latency: Spread::default(),
            interval: Spread::default(),
            last_end: None,
            fifos: dataflow.engines.iter().enumerate().filter_map(fifo).collect(),
        }
    }

    /// Adds the next frame of a run.
    pub fn observe(&mut self, frame: &Frame<'_>) {
        let last = self.dataflow.streams.len() - 1;
        let (start, end) = (frame.moves(0).first(), frame.moves(last).last());
        self.frames += 1;
        let moves = |s: usize| frame.moves(s).last();
        self.cycles = (0..=last).map(moves).max().unwrap_or(0) + 1;
        self.latency.add(end - start + 1);
        if let Some(before) = self.last_end.replace(end) {
            self.interval.add(end - before);
        }
        for fifo in &mut self.fifos {
            fifo.observe(self.dataflow, frame);
        }
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Cycles until the last word has moved.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// Cycles from each frame's first input word to its last output word, both included.
    pub fn latency(&self) -> Spread {
        self.latency
    }

    /// Cycles between the last output words of neighbouring frames.
    pub fn interval(&self) -> Spread {
        self.interval
    }

    /// How an engine spent the cycles of the run, which is [counting](Run::counting).
    pub fn engine(&self, run: &Run<'_>, engine: usize) -> EngineActivity {
        let of = &self.dataflow.engines[engine];
        EngineActivity {
            busy: cycles_per_frame(self.dataflow, engine) * self.frames,
            starved: of.inputs.iter().map(|&s| run.handshake(s).starved).sum(),
            stalled: of.outputs.iter().map(|&s| run.handshake(s).stalled).sum(),
        }
    }

    /// How full each FIFO was.
    pub fn fifos(&self) -> Vec<FifoActivity> {
        let mean = |inside: u64| inside as f64 / self.cycles.max(1) as f64;
        let fifo = |f: &Fill| FifoActivity {
            engine: f.engine,
            depth: f.depth,
            most: f.most,
            mean: mean(f.inside),
        };
        self.fifos.iter().map(fifo).collect()
    }
}

impl Fill {
    fn new(engine: usize, depth: usize) -> Self {
        Self { engine, depth, most: 0, inside: 0, of_frame: 0, leaving: VecDeque::new() }
    }

    fn observe(&mut self, dataflow: &Dataflow, frame: &Frame<'_>) {
        if let Some(cycles) = frame.repeats(self.engine) {
            self.inside += self.of_frame;
            self.leaving.iter_mut().for_each(|leaves| *leaves += cycles);
            return;
        }
        let engine = &dataflow.engines[self.engine];
        let (ins, outs) = (frame.moves(engine.input()), frame.moves(engine.output()));
        self.of_frame = 0;
        for (came, left) in ins.iter().zip(outs.iter()) {
            while self.leaving.front().is_some_and(|&leaves| leaves <= came) {
                self.leaving.pop_front();
            }
            self.leaving.push_back(left);
            self.most = self.most.max(self.leaving.len());
            self.of_frame += left - came;
        }
        self.inside += self.of_frame;
    }
}
