//! Buffer depths, found by the simulator.

use crate::file::{Fold, MOST_FIFO_WORDS};
use crate::windows::generous_fifo;
use dataflow::{Dataflow, EngineKind};
use diagnostic::Result;
use engines::cycles_per_frame;
use sim::pace;

/// The initiation interval that the slowest engine or edge allows: the closed form.
pub(crate) fn closed_form_interval(dataflow: &Dataflow) -> u64 {
    (0..dataflow.engines.len()).map(|e| cycles_per_frame(dataflow, e)).max().unwrap_or(1)
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
                let most = generous_fifo(unit, dataflow.streams[engine.input()].lanes);
                let sizes = [0].into_iter().chain(full_rams(32, most.min(MOST_FIFO_WORDS)));
                open.push((Depth::Fifo(layer.clone()), sizes.collect()));
            }
            EngineKind::Mvu(_)
            | EngineKind::ParallelWindow(_)
            | EngineKind::Input
            | EngineKind::Output
            | EngineKind::Fifo { .. }
            | EngineKind::Fork { .. }
            | EngineKind::Add(_)
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
