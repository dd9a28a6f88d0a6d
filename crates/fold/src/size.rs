//! Buffer depths, found by the simulator.

use crate::search::is_mvu;
use dataflow::{Dataflow, EngineKind};
use diagnostic::Result;
use engines::{Timing, cycles_per_frame};
use sim::{Stalls, Times, interval, timing};

/// The initiation interval that the slowest engine or edge allows: the closed form.
pub(crate) fn closed_form_interval(dataflow: &Dataflow) -> u64 {
    (0..dataflow.engines.len()).map(|e| cycles_per_frame(dataflow, e)).max().unwrap_or(1)
}

/// Frames after which a design without stalls repeats itself: each engine holds at most two frames
/// and a few results.
fn settled_frames(dataflow: &Dataflow) -> usize {
    let computing = dataflow.engines.iter().filter(|e| !e.layer.is_empty()).count();
    4 * computing + 12
}

/// How many frames ago a move can be that another one waits for.
fn memory(dataflow: &Dataflow) -> usize {
    let frames = |index: usize| {
        let engine = &dataflow.engines[index];
        let [i, o] = [engine.input, engine.output].map(|s| dataflow.streams[s].words_per_frame());
        match engines::timing(dataflow, index) {
            Timing::Fifo { depth } => depth.div_ceil(i),
            Timing::Pack { .. } | Timing::Split { .. } => 1,
            Timing::Compute(c) => c.buffer.div_ceil(i).max(c.credits.div_ceil(o)),
            Timing::Sliding(s) => s.depth.div_ceil(i).max(s.credits.div_ceil(o)),
        }
    };
    (0..dataflow.engines.len()).map(frames).max().unwrap_or(0) + 2
}

/// The interval in steady state, without stalls.
///
/// Every move is a maximum of earlier moves plus constants, none of them more than [`memory`] frames
/// ago. So when all moves of that many frames are those of one frame before plus one and the same
/// number, all later ones are too.
pub(crate) fn steady_interval(dataflow: &Dataflow) -> Result<u64> {
    let most = settled_frames(dataflow);
    let memory = memory(dataflow);
    let mut frames = (memory + 3).min(most);
    loop {
        let times = timing(dataflow, frames, &Stalls::none())?;
        let interval = interval(dataflow, &times);
        if frames == most || repeats(dataflow, &times, memory, interval) {
            return Ok(interval);
        }
        frames = (2 * frames).min(most);
    }
}

/// Whether the last frames are all `interval` cycles apart on all streams.
fn repeats(dataflow: &Dataflow, times: &Times, memory: usize, interval: u64) -> bool {
    dataflow.streams.iter().zip(&times.streams).all(|(stream, times)| {
        let words = stream.words_per_frame();
        let last = times.len().saturating_sub(memory * words).max(words);
        (last..times.len()).all(|n| times[n] - times[n - words] == interval)
    })
}

/// Gives every input buffer in `free` (engine indices) the fewest words that keep the full rate,
/// one after another, then rounds up to what LUT RAM makes free.
pub(crate) fn size_buffers(dataflow: &mut Dataflow, free: &[usize]) -> Result<()> {
    if free.is_empty() {
        return Ok(());
    }
    let goal = steady_interval(dataflow)?.max(closed_form_interval(dataflow));
    for &engine in free {
        let Some(mvu) = is_mvu(&dataflow.engines[engine].kind) else { continue };
        let (mut low, mut high) = (mvu.synapse_fold(), mvu.buffer_words);
        while low < high {
            let middle = low + (high - low) / 2;
            set_buffer(dataflow, engine, middle);
            if steady_interval(dataflow)? <= goal {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        set_buffer(dataflow, engine, high);
    }
    for &engine in free {
        if let Some(mvu) = is_mvu(&dataflow.engines[engine].kind) {
            let words = round_up(mvu.buffer_words);
            set_buffer(dataflow, engine, words);
        }
    }
    Ok(())
}

/// Words that a LUT RAM holds at no further cost.
fn round_up(words: usize) -> usize {
    if words <= 32 { words.next_power_of_two() } else { words.div_ceil(64) * 64 }
}

fn set_buffer(dataflow: &mut Dataflow, engine: usize, words: usize) {
    if let EngineKind::Mvu(mvu) = &mut dataflow.engines[engine].kind
        && mvu.buffer_words > 0
    {
        mvu.buffer_words = words;
    }
}
