//! The depths of a dataflow: how many words may wait at an engine, how few suffice to run at all, and
//! what more costs nothing.

use crate::file::MOST_FIFO_WORDS;
use crate::map_units::default_ring;
use dataflow::{Dataflow, EngineKind, MemoryStyle};
use engines::{full_block_ram, full_lut_ram, full_rate_credits};

/// The depth of an engine, if it has any: that of the FIFO, of the queues of a fork or an adder, of
/// the input buffer or of the ring.
pub(crate) fn words(kind: &EngineKind) -> Option<usize> {
    match kind {
        EngineKind::Fifo { depth } | EngineKind::Fork { depth } => Some(*depth),
        EngineKind::Add(add) => Some(add.depth),
        EngineKind::Mvu(mvu) => Some(mvu.buffer_words).filter(|&words| words > 0),
        EngineKind::Window(unit) => Some(unit.depth),
        EngineKind::Input
        | EngineKind::Output
        | EngineKind::Width
        | EngineKind::Threshold(_)
        | EngineKind::ParallelWindow(_)
        | EngineKind::Depthwise(_)
        | EngineKind::Pool(_)
        | EngineKind::ChannelAffine(_)
        | EngineKind::LabelSelect(_) => None,
    }
}

/// Sets the depth of an engine that has one.
pub(crate) fn set(kind: &mut EngineKind, words: usize) {
    match kind {
        EngineKind::Fifo { depth } | EngineKind::Fork { depth } => *depth = words,
        EngineKind::Add(add) => add.depth = words,
        EngineKind::Mvu(mvu) => mvu.buffer_words = words,
        EngineKind::Window(unit) => {
            unit.depth = words;
            unit.credits = full_rate_credits(engines::window::latency(unit), 1);
        }
        other => unreachable!("{} engines have no depth", other.name()),
    }
}

/// The fewest words with which an engine with a depth can run.
pub(crate) fn least(dataflow: &Dataflow, engine: usize) -> usize {
    let engine = &dataflow.engines[engine];
    match &engine.kind {
        EngineKind::Mvu(mvu) => mvu.synapse_fold(),
        EngineKind::Window(unit) => unit.shortest_ring(dataflow.streams[engine.input()].lanes),
        _ => 1,
    }
}

/// A depth with which an engine seldom limits the rate, and `frames` frames more.
pub(crate) fn generous(dataflow: &Dataflow, engine: usize, frames: usize) -> usize {
    let engine = &dataflow.engines[engine];
    let input = &dataflow.streams[engine.input()];
    let more = frames * input.words_per_frame();
    match &engine.kind {
        EngineKind::Fifo { .. } if evens_out(dataflow, engine.output()) => {
            (frames.max(1) * input.words_per_frame()).min(MOST_FIFO_WORDS)
        }
        EngineKind::Fifo { .. } => more.min(MOST_FIFO_WORDS),
        EngineKind::Mvu(mvu) => mvu.buffer_words.max(2 * mvu.synapse_fold()) + more,
        EngineKind::Window(unit) => default_ring(unit, input.lanes) + more,
        _ => 2 + more,
    }
}

/// Whether words of a stream wait for others by nature: in front of an adder for those of the other
/// branch, in front of a parallel window unit while it walks beside the map.
fn evens_out(dataflow: &Dataflow, stream: usize) -> bool {
    let Some(reader) = dataflow.engines.get(dataflow.streams[stream].to) else { return false };
    match &reader.kind {
        EngineKind::Add(_) | EngineKind::ParallelWindow(_) => true,
        EngineKind::Width => evens_out(dataflow, reader.output()),
        _ => false,
    }
}

/// Bits that a frame takes in the memories of an engine's depth: what a cycle of waiting costs there.
pub(crate) fn bits_of_frame(dataflow: &Dataflow, engine: usize) -> usize {
    let engine = &dataflow.engines[engine];
    let bits = |s: &usize| dataflow.streams[*s].bits() * dataflow.streams[*s].words_per_frame();
    match &engine.kind {
        EngineKind::Fork { .. } => engine.outputs.iter().map(bits).sum(),
        _ => engine.inputs.iter().map(bits).sum(),
    }
}

/// The most words that cost no more than `words` in the memory that an engine keeps them in.
pub(crate) fn at_no_cost(dataflow: &Dataflow, engine: usize) -> usize {
    let engine = &dataflow.engines[engine];
    let words = words(&engine.kind).unwrap_or(0);
    match &engine.kind {
        EngineKind::Fifo { depth: 0 } => 0,
        EngineKind::Window(unit) if unit.memory == MemoryStyle::Block => {
            full_block_ram(words, dataflow.streams[engine.input()].bits())
        }
        _ => full_lut_ram(words),
    }
}
