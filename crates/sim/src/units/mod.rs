//! The engines: each turns what moved at its inputs, and what it may move at its outputs, into
//! offers at the outputs and grants at the inputs. One file for each kind of [`Timing`].

mod branches;
mod gather;
mod line;
mod replay;
mod shifting;
mod sliding;
mod split;

use crate::stream::{Cycle, Stream};
use dataflow::{Dataflow, Engine};
use engines::Timing;
use std::collections::VecDeque;

pub(crate) use line::flow;

/// An engine in a simulation.
pub(crate) trait Unit {
    /// Makes every move and every grant that known moves and grants decide; whether there were any.
    fn advance(&mut self, streams: &mut [Stream]) -> bool;

    /// Of its inputs, those that it waits for when it makes no move; none when it waits for its
    /// outputs alone.
    fn starving(&self, streams: &[Stream]) -> Vec<usize>;

    /// Words of an input that it may look up, counted back from the latest move.
    fn looks_back(&self) -> usize;

    /// The first cycle of its next step, as far as steps go, where steps are not moves themselves: a
    /// step can wait for the one before it, and so for moves of any time ago.
    fn next_step(&self) -> Option<Cycle> {
        None
    }

    /// Goes on to the state after further frames that come later by their number of cycles.
    fn skip(&mut self, skip: Skip<'_>);

    /// As a unit that can stand in a line.
    fn as_gather(&mut self) -> Option<&mut gather::Gather> {
        None
    }

    /// The same unit, to come back to.
    fn boxed(&self) -> Box<dyn Unit>;
}

/// Frames that are not simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skip<'d> {
    pub(crate) dataflow: &'d Dataflow,
    pub(crate) frames: usize,
    /// Cycles that all of them take.
    pub(crate) cycles: Cycle,
}

impl Skip<'_> {
    /// Their words on a stream.
    fn words(&self, stream: usize) -> usize {
        self.dataflow.streams[stream].words_per_frame() * self.frames
    }
}

/// The unit of an engine; grants its first words.
pub(crate) fn unit(engine: &Engine, timing: Timing, streams: &mut [Stream]) -> Box<dyn Unit> {
    let ends = Ends { input: engine.input(), output: engine.output() };
    match timing {
        Timing::Fifo { depth } => Box::new(gather::Gather::fifo(ends, depth, streams)),
        Timing::Pack { ratio, input_words } => {
            Box::new(gather::Gather::pack(ends, ratio, input_words, streams))
        }
        Timing::Split { ratio, output_words } => {
            Box::new(split::Split::new(ends, ratio, output_words, streams))
        }
        Timing::Compute(c) if c.buffer > 0 => Box::new(replay::Replay::new(ends, c, streams)),
        Timing::Compute(c) => Box::new(gather::Gather::compute(ends, c, streams)),
        Timing::Sliding(s) => Box::new(sliding::Ring::new(ends, s, streams)),
        Timing::Shifting(s) => Box::new(shifting::Shifter::new(ends, s)),
        Timing::Fork { depth } => Box::new(branches::Fork::new(engine, depth, streams)),
        Timing::Join { depth, credits } => {
            Box::new(branches::Join::new(engine, depth, credits, streams))
        }
    }
}

/// When the step that makes output word `made` may be taken, as far as credits go: one cycle after the
/// word so many credits before it moved. `None` while that is not known.
fn credit(output: &Stream, made: usize, credits: usize) -> Option<Cycle> {
    match made.checked_sub(credits) {
        None => Some(0),
        Some(freed) if freed < output.len() => Some(output.at(freed) + 1),
        Some(_) => None,
    }
}

/// Offers of output words that were made and have not moved.
#[derive(Debug, Clone, Default)]
struct Offers(VecDeque<Cycle>);

impl Offers {
    fn add(&mut self, offer: Cycle) {
        self.0.push_back(offer);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Moves as many as are granted; whether there were any, for each gives credit for a further step.
    fn leave(&mut self, output: &mut Stream) -> bool {
        let before = self.0.len();
        while output.room() > 0
            && let Some(offer) = self.0.pop_front()
        {
            output.push(offer);
        }
        self.0.len() < before
    }
}

/// A unit with one stream on each side whose steps make words that leave later.
trait Steps {
    /// Takes steps that known moves decide; whether there were any.
    fn take_steps(&mut self, input: &mut Stream, output: &mut Stream) -> bool;

    /// Words that were made and have not moved.
    fn offers(&mut self) -> &mut Offers;

    /// Takes steps and lets words leave by turns until nothing more is decided; whether anything was.
    fn advance_by_steps(&mut self, ends: Ends, streams: &mut [Stream]) -> bool {
        let (input, output) = ends.of(streams);
        let mut any = false;
        loop {
            let took = self.take_steps(input, output);
            if !self.offers().leave(output) && !took {
                return any;
            }
            any = true;
        }
    }
}

/// The streams of an engine that has one on each side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    input: usize,
    output: usize,
}

impl Ends {
    /// Input and output.
    fn of<'s>(&self, streams: &'s mut [Stream]) -> (&'s mut Stream, &'s mut Stream) {
        let [input, output] = streams
            .get_disjoint_mut([self.input, self.output])
            .expect("checked: an engine's streams differ");
        (input, output)
    }
}
