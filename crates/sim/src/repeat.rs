//! Proving that an engine does in a frame what it did in the one before, so many cycles later.
//!
//! Every move is a maximum of earlier moves, bounds and steps plus constants. Where all that an engine
//! looks back to has grown by one number of cycles from frame to frame, its next frame grows by it as
//! well, and needs no simulation: it is enough to say so. Three terms may grow otherwise. Words that
//! come in may grow less: had one of them decided a maximum, the words that go out would have grown
//! less too, and from frame to frame they fall further behind. So may the bounds of the words that go
//! out. Bounds may also grow more, behind an engine that is faster than those behind it, until the
//! places between are full: the smallest *slack* of a move over its bound says for how many frames.
//!
//! So a frame costs what is new in it. In a design with waits that is what they disturb: the engines
//! in front of the first that is never short of words, and those behind the last.

use crate::memory;
use crate::regular::Regular;
use crate::stream::{Cycle, Stream};
use crate::units::Unit;
use dataflow::{Dataflow, Engine, OUTSIDE};
use engines::Timing;

/// What is known of the engines' steps, frame by frame.
pub(crate) struct Repeats<'d> {
    dataflow: &'d Dataflow,
    /// How many frames ago something can be that a word out of an engine waits for; the last is that of
    /// the outside.
    memory: Vec<usize>,
    /// The next step of each engine that has any, and how it has grown.
    steps: Vec<(Option<Cycle>, Regular)>,
    /// Of this frame: the cycles by which each engine repeats the frame before, and the source.
    growths: Vec<Option<Cycle>>,
    source: Option<Cycle>,
}

impl<'d> Repeats<'d> {
    /// Nothing observed yet; `period` frames count as one.
    pub(crate) fn new(dataflow: &'d Dataflow, timings: &[Timing], period: usize) -> Self {
        let words = |s: usize| dataflow.streams[s].words_per_frame() * period;
        let own = |engine: usize| {
            let e = &dataflow.engines[engine];
            memory::frames(timings[engine], words(e.input()), words(e.output()))
        };
        let behind = |s: &usize| match dataflow.streams[*s].to {
            OUTSIDE => 0,
            reader => own(reader),
        };
        let memory = |(index, engine): (usize, &Engine)| {
            2 + engine.outputs.iter().map(behind).fold(own(index), usize::max)
        };
        let engines = dataflow.engines.len();
        let mut memory: Vec<usize> = dataflow.engines.iter().enumerate().map(memory).collect();
        memory.push(2 + behind(&0));
        let steps = vec![(None, Regular::default()); engines];
        Self { dataflow, memory, steps, growths: vec![None; engines], source: None }
    }

    /// Begins a frame, or begins it again.
    pub(crate) fn begin(&mut self) {
        self.growths.fill(None);
        self.source = None;
    }

    /// By how many cycles the source, which has brought none of the frame's words yet, repeats the frame
    /// before in this one.
    pub(crate) fn of_source(&mut self, streams: &[Stream], alike: bool) -> Option<Cycle> {
        self.source = streams[0].goes_on(*self.memory.last()?, alike);
        self.source
    }

    /// By how many cycles an engine whose input is complete repeats the frame before in this one, the
    /// latest of so many; `alike` if waits have to repeat as well.
    pub(crate) fn of_engine(
        &mut self,
        engine: usize,
        streams: &mut [Stream],
        frames: usize,
        alike: bool,
    ) -> Option<Cycle> {
        let (of, memory) = (&self.dataflow.engines[engine], self.memory[engine]);
        let growth = streams[of.output()].goes_on(memory, alike)?;
        let steps = &self.steps[engine];
        if steps.0.is_some() && steps.1.over(memory) != Some(growth) {
            return None;
        }
        if of.outputs.iter().any(|&s| streams[s].goes_on(memory, alike) != Some(growth)) {
            return None;
        }
        for &s in &of.inputs {
            let stream = &mut streams[s];
            if stream.grants().regular().over(memory) != Some(growth)
                || !stream.moves().has_moved(frames)
            {
                return None;
            }
            stream.observe(frames);
            let moves = stream.moves().regular().over(memory)?;
            if moves > growth || alike && moves < growth {
                return None;
            }
        }
        self.growths[engine] = Some(growth);
        Some(growth)
    }

    /// By how many cycles an engine, or the outside as a source, was found to repeat the frame before.
    pub(crate) fn growth(&self, engine: usize) -> Option<Cycle> {
        self.growths.get(engine).map_or(self.source, |&growth| growth)
    }

    /// Ends the frame of an engine that was simulated.
    pub(crate) fn end(&mut self, engine: usize, unit: &dyn Unit) {
        let (before, regular) = &mut self.steps[engine];
        let now = unit.next_step();
        regular.observe(now.zip(*before).map(|(now, before)| now - before));
        *before = now;
    }

    /// Notes further frames of an engine that repeats, so many cycles later each.
    pub(crate) fn go_on(&mut self, engine: usize, frames: usize, growth: Cycle) {
        let (step, regular) = &mut self.steps[engine];
        if let Some(step) = step {
            *step += frames as u64 * growth;
        }
        regular.go_on(frames);
    }
}
