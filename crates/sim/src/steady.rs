//! The pace of a design without waits.

use crate::run::Run;
use crate::stall::Stalls;
use dataflow::Dataflow;
use diagnostic::Result;

/// Interval and latency in cycles, without waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Cycles between frames in steady state; their mean, rounded up, where branches take turns.
    pub interval: u64,
    /// Cycles of the first frame, from its first input word to its last output word, both included.
    pub latency: u64,
    /// Whether it is proven that the design goes on at this interval for ever.
    pub proven: bool,
}

/// The pace of a design, simulated until it is proven to repeat: frame by frame, or, where branches take
/// turns, in periods of a few frames.
///
/// # Errors
/// `deadlock`.
pub fn pace(dataflow: &Dataflow) -> Result<Pace> {
    let mut run = Run::new(dataflow, &Stalls::None);
    let first = run.frame()?;
    let latency = first.last() - first.moves(0).first() + 1;
    let mut ends = Vec::new();
    for frames in FRAMES {
        if let Some(interval) = settle(&mut run, frames, &mut ends)? {
            return Ok(Pace { interval, latency, proven: true });
        }
        let Some(period) = period(&ends).filter(|&period| period > 1) else { continue };
        let mut periods = Run::of_periods(dataflow, &Stalls::None, period);
        if let Some(cycles) = settle(&mut periods, frames, &mut Vec::new())? {
            let interval = cycles.div_ceil(period as u64);
            return Ok(Pace { interval, latency, proven: true });
        }
    }
    let later = &ends[ends.len() / 2..];
    let frames = later.len().saturating_sub(1).max(1) as u64;
    let last = |ends: &Vec<u64>| ends[ends.len() - 1];
    let interval = (last(&later[later.len() - 1]) - last(&later[0])).div_ceil(frames);
    Ok(Pace { interval, latency, proven: false })
}

/// Frames that are simulated before a period of several is looked for, and again later.
const FRAMES: [usize; 5] = [32, 64, 128, 256, 512];

/// Simulates up to so many frames in all, until it is proven how the run goes on: then it gives the
/// interval. `ends` holds the last moves of each stream, of the frames behind the last that were passed
/// over.
fn settle(run: &mut Run<'_>, frames: usize, ends: &mut Vec<Vec<u64>>) -> Result<Option<u64>> {
    while run.simulated() < frames {
        match run.lead() {
            0 => {}
            usize::MAX => return Ok(run.interval()),
            lead => {
                run.pass(lead);
                ends.clear();
            }
        }
        ends.push(run.frame()?.ends());
    }
    Ok(None)
}

/// The fewest frames after which the intervals between the ends follow each other again, as far as the
/// later half of them shows.
fn period(ends: &[Vec<u64>]) -> Option<usize> {
    let interval = |pair: &[Vec<u64>]| -> Vec<u64> {
        pair[1].iter().zip(&pair[0]).map(|(now, then)| now - then).collect()
    };
    let intervals: Vec<Vec<u64>> = ends[ends.len() / 2..].windows(2).map(interval).collect();
    let repeats = |&period: &usize| intervals.iter().zip(&intervals[period..]).all(|(a, b)| a == b);
    (1..=intervals.len() / 3).find(repeats)
}
