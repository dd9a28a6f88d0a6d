//! When a design without waits repeats itself, and its pace.

use crate::run::Run;
use crate::stall::Stalls;
use dataflow::{Dataflow, Engine};
use diagnostic::Result;
use engines::Timing;

/// Interval and latency in cycles, without waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Cycles between frames in steady state.
    pub interval: u64,
    /// Cycles of the first frame, from its first input word to its last output word, both included.
    pub latency: u64,
}

/// Frames after which a design is taken as settled although it does not repeat frame by frame: each
/// engine holds at most two frames and a few results.
fn settled_frames(dataflow: &Dataflow) -> usize {
    let computing = dataflow.engines.iter().filter(|e| !e.layer.is_empty()).count();
    4 * computing + 12
}

/// The pace of a design, simulated until it is proven to repeat. One that does not repeat frame by
/// frame (branches can take turns) is given the mean interval of its later frames, rounded up.
///
/// # Errors
/// `deadlock`.
pub fn pace(dataflow: &Dataflow) -> Result<Pace> {
    let most = settled_frames(dataflow);
    let mut run = Run::new(dataflow, &Stalls::None);
    let last = dataflow.streams.len() - 1;
    let first = run.frame()?;
    let mut before = first.moves(last).last();
    let latency = before - first.moves(0).first() + 1;
    let (mut interval, mut half) = (0, None);
    loop {
        let ended = run.frame()?.moves(last).last();
        if run.is_steady() {
            return Ok(Pace { interval: ended - before, latency });
        }
        match half {
            None if run.simulated() >= most / 2 => half = Some((run.frames(), ended)),
            Some((frames, then)) if run.simulated() >= most => {
                let frames = (run.frames() - frames) as u64;
                let mean = (ended - then).div_ceil(frames);
                let interval = if ended - before == interval { interval } else { mean };
                return Ok(Pace { interval, latency });
            }
            _ => {}
        }
        interval = ended - before;
        before = ended;
    }
}

/// How many frames ago a move can be that another one waits for.
pub(crate) fn memory(dataflow: &Dataflow, timings: &[Timing]) -> usize {
    let frames = |(engine, &timing): (&Engine, &Timing)| {
        let [i, o] =
            [engine.input(), engine.output()].map(|s| dataflow.streams[s].words_per_frame());
        match timing {
            Timing::Fifo { depth } | Timing::Fork { depth } => depth.div_ceil(i),
            Timing::Join { depth, credits } => depth.max(credits).div_ceil(i),
            Timing::Pack { .. } | Timing::Split { .. } => 1,
            Timing::Compute(c) => c.buffer.div_ceil(i).max(c.credits.div_ceil(o)),
            Timing::Sliding(s) => s.depth.div_ceil(i).max(s.credits.div_ceil(o)),
            Timing::Shifting(s) => s.credits.div_ceil(o),
        }
    };
    dataflow.engines.iter().zip(timings).map(frames).max().unwrap_or(0) + 2
}

/// Output words of an engine that its later words may wait for.
pub(crate) fn credits(timing: Timing) -> usize {
    match timing {
        Timing::Fifo { depth } | Timing::Fork { depth } => depth,
        Timing::Join { credits, .. } => credits,
        Timing::Pack { .. } => 1,
        Timing::Split { ratio, .. } => 2 * ratio,
        Timing::Compute(c) => c.credits,
        Timing::Sliding(s) => s.credits,
        Timing::Shifting(s) => s.credits,
    }
}
