//! Buffer depths, found by the simulator.

use crate::file::{Fold, MOST_FIFO_WORDS};
use crate::windows::generous_fifo;
use dataflow::{Dataflow, EngineKind};
use diagnostic::Result;
use engines::{Timing, cycles_per_frame};
use sim::{Run, Stalls, Times, interval, latency};

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
            Timing::Shifting(s) => s.credits.div_ceil(o),
        }
    };
    (0..dataflow.engines.len()).map(frames).max().unwrap_or(0) + 2
}

/// Interval and latency in cycles, without stalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Cycles between frames in steady state.
    pub(crate) interval: u64,
    /// Cycles of the first frame.
    pub(crate) latency: u64,
}

/// The pace of a design.
///
/// Every move is a maximum of earlier moves plus constants, none of them more than [`memory`] frames
/// ago. So when all moves of that many frames are those of one frame before plus one and the same
/// number, all later ones are too.
pub(crate) fn pace(dataflow: &Dataflow) -> Result<Pace> {
    let (most, memory) = (settled_frames(dataflow), memory(dataflow));
    let mut run = Run::new(dataflow);
    let mut more = memory + 3;
    loop {
        run.extend(more, &Stalls::none())?;
        let interval = interval(dataflow, run.times());
        if run.frames() >= most || repeats(dataflow, run.times(), memory, interval) {
            return Ok(Pace { interval, latency: latency(dataflow, run.times()) });
        }
        more = memory;
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

/// A depth that is found by simulation.
enum Depth {
    /// Of the input buffer of a layer's matrix-vector unit.
    Buffer(String),
    /// Of the FIFO in front of a layer, which may do without.
    Fifo(String),
}

impl Depth {
    fn set(&self, fold: &mut Fold, words: usize) {
        match self {
            Depth::Buffer(layer) => {
                fold.layers.entry(layer.clone()).or_default().buffer = Some(words);
            }
            Depth::Fifo(layer) if words == 0 => {
                fold.fifos.remove(layer);
            }
            Depth::Fifo(layer) => {
                fold.fifos.insert(layer.clone(), words);
            }
        }
    }
}

/// Sets every depth that the folding leaves open to the fewest words that keep the full rate, of
/// those that fill their LUT RAM, one after another.
///
/// # Errors
/// `deadlock` when a depth that the folding sets is too small.
pub(crate) fn size_buffers(fold: &mut Fold, build: &dyn Fn(&Fold) -> Dataflow) -> Result<()> {
    let mut open = Vec::new();
    let dataflow = build(fold);
    for engine in &dataflow.engines {
        let layer = &engine.layer;
        match &engine.kind {
            EngineKind::Mvu(mvu) if mvu.buffer_words > 0 => {
                if fold.layers.get(layer).is_none_or(|l| l.buffer.is_none()) {
                    let sizes = full_rams(mvu.synapse_fold(), mvu.buffer_words);
                    open.push((Depth::Buffer(layer.clone()), sizes));
                }
            }
            EngineKind::ParallelWindow(unit) if !fold.fifos.contains_key(layer) => {
                let most = generous_fifo(unit, dataflow.streams[engine.input].lanes);
                let sizes = [0].into_iter().chain(full_rams(32, most.min(MOST_FIFO_WORDS)));
                open.push((Depth::Fifo(layer.clone()), sizes.collect()));
            }
            EngineKind::Mvu(_)
            | EngineKind::ParallelWindow(_)
            | EngineKind::Input
            | EngineKind::Output
            | EngineKind::Fifo { .. }
            | EngineKind::Width
            | EngineKind::Threshold(_)
            | EngineKind::Window(_)
            | EngineKind::Depthwise(_)
            | EngineKind::Pool(_)
            | EngineKind::ChannelAffine(_)
            | EngineKind::LabelSelect(_) => {}
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    for (depth, sizes) in &open {
        depth.set(fold, sizes[sizes.len() - 1]);
    }
    let goal = pace(&build(fold))?.interval.max(closed_form_interval(&dataflow));
    for (depth, sizes) in &open {
        // The largest is known to do.
        let (mut low, mut high) = (0, sizes.len() - 1);
        while low < high {
            let middle = low + (high - low) / 2;
            depth.set(fold, sizes[middle]);
            if pace(&build(fold))?.interval <= goal {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        depth.set(fold, sizes[high]);
    }
    Ok(())
}

/// The depths from `least` words on that fill a LUT RAM, up to the first that holds `most`.
fn full_rams(least: usize, most: usize) -> Vec<usize> {
    let mut sizes = vec![round_up(least)];
    while let Some(&last) = sizes.last().filter(|&&last| last < most) {
        sizes.push(round_up(last + 1));
    }
    sizes
}

/// Words that a LUT RAM holds at no further cost.
fn round_up(words: usize) -> usize {
    if words <= 32 { words.next_power_of_two() } else { words.div_ceil(64) * 64 }
}
