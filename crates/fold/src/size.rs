//! Buffer depths, found by the simulator.

use crate::search::is_mvu;
use dataflow::{Dataflow, EngineKind};
use diagnostic::Result;
use engines::cycles_per_frame;
use sim::{Stalls, interval, timing};

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

/// The interval in steady state, without stalls.
pub(crate) fn steady_interval(dataflow: &Dataflow) -> Result<u64> {
    let times = timing(dataflow, settled_frames(dataflow), &Stalls::none())?;
    Ok(interval(dataflow, &times))
}

/// Gives every input buffer in `free` (engine indices) the fewest words that keep the full rate,
/// one after another, then rounds up to what LUT RAM makes free.
pub(crate) fn size_buffers(dataflow: &mut Dataflow, free: &[usize]) -> Result<()> {
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
