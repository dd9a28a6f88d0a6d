//! Proving how a run without waits goes on.
//!
//! Once every stream's moves of one frame come so many cycles after those of the frame before, frame
//! after frame, and the hidden steps and bounds with them, nothing changes before some maximum is won
//! by another of its terms. Behind the slowest engine all is driven by it; in front of it streams may
//! be faster until the places between are full: their moves lead the bounds that it sets by a *slack*
//! that shrinks from frame to frame. As long as it lasts, and for ever where there is none, the frames
//! to come need no simulation.

use crate::stream::{Cycle, Stream};
use crate::units::Unit;
use dataflow::{Dataflow, OUTSIDE};

/// What has been observed of the latest frames.
pub(crate) struct Pattern {
    /// How many frames ago a move can be that another one waits for.
    memory: usize,
    /// From one frame to the next, in cycles.
    growth: Growth,
    /// How many frames in a row grew so.
    frames: usize,
    next_steps: Vec<Option<Cycle>>,
}

/// Cycles from one frame to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Growth {
    /// Of the moves of each stream.
    pub(crate) moves: Vec<Cycle>,
    /// Of the bounds of each stream.
    pub(crate) bounds: Vec<Cycle>,
    /// Of the steps of each unit that has any.
    pub(crate) steps: Vec<Option<Cycle>>,
}

impl Pattern {
    /// Nothing observed yet; moves wait for moves of up to `memory` frames ago.
    pub(crate) fn new(memory: usize) -> Self {
        Self { memory, growth: Growth::default(), frames: 0, next_steps: Vec::new() }
    }

    /// The growth of the latest frames.
    pub(crate) fn growth(&self) -> &Growth {
        &self.growth
    }

    /// Looks at the latest frame, which was simulated. How many frames to come grow as it did:
    /// `usize::MAX` for all.
    pub(crate) fn observe(
        &mut self,
        dataflow: &Dataflow,
        streams: &[Stream],
        units: &[Box<dyn Unit>],
    ) -> usize {
        let next_steps = units.iter().map(|unit| unit.next_step()).collect();
        let before = std::mem::replace(&mut self.next_steps, next_steps);
        // The first frame has none before it.
        let growth = match before.is_empty() {
            true => None,
            false => growth(dataflow, streams, &before, &self.next_steps),
        };
        let Some(growth) = growth else {
            self.frames = 0;
            return 0;
        };
        self.frames = if growth == self.growth { self.frames + 1 } else { 1 };
        self.growth = growth;
        if self.frames < self.memory { 0 } else { self.lead(dataflow, streams) }
    }

    /// Notes that so many frames more grew as those before.
    pub(crate) fn skip(&mut self, frames: usize) {
        for (next, growth) in self.next_steps.iter_mut().zip(&self.growth.steps) {
            if let (Some(next), Some(growth)) = (next, growth) {
                *next += growth * frames as u64;
            }
        }
    }

    /// How many frames to come grow as the last.
    fn lead(&self, dataflow: &Dataflow, streams: &[Stream]) -> usize {
        let Growth { moves, bounds, steps } = &self.growth;
        // All terms that can win a maximum of a unit grow alike: what it does, and what it grants. The
        // words that come in may grow less, for then they fall behind.
        let alike = |(engine, step): (&dataflow::Engine, &Option<Cycle>)| {
            let out = moves[engine.output()];
            engine.outputs.iter().all(|&s| moves[s] == out)
                && engine.inputs.iter().all(|&s| moves[s] <= out && bounds[s] == out)
                && step.is_none_or(|step| step == out)
        };
        if !dataflow.engines.iter().zip(steps).all(alike) {
            return 0;
        }
        let lead = |s: usize| match bounds[s].checked_sub(moves[s]) {
            None | Some(0) => usize::MAX,
            Some(faster) => (streams[s].slack() / faster) as usize,
        };
        (0..streams.len())
            .filter(|&s| dataflow.streams[s].to != OUTSIDE)
            .map(lead)
            .min()
            .unwrap_or(0)
    }
}

fn growth(
    dataflow: &Dataflow,
    streams: &[Stream],
    before: &[Option<Cycle>],
    next_steps: &[Option<Cycle>],
) -> Option<Growth> {
    let moves: Vec<Cycle> = streams.iter().map(Stream::growth).collect::<Option<_>>()?;
    let of_bounds = |(index, stream): (usize, &Stream)| match dataflow.streams[index].to {
        OUTSIDE => Some(moves[index]),
        _ => stream.growth_of_bounds(),
    };
    let bounds = streams.iter().enumerate().map(of_bounds).collect::<Option<_>>()?;
    let step = |(now, then): (&Option<Cycle>, &Option<Cycle>)| match (now, then) {
        (Some(now), Some(then)) => Some(now - then),
        _ => None,
    };
    let steps = next_steps.iter().zip(before).map(step).collect();
    Some(Growth { moves, bounds, steps })
}
