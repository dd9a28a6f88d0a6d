//! When words move: the few kinds of timing that all engines share.
//!
//! "Moved in cycle c" means that valid and ready were both high at the rising edge c. Every rule
//! below is a maximum of earlier moves plus constants; none depends on data.

use crate::parallel_window::Raster;
use crate::window::Walk;
use crate::{affine, depthwise, label_select, mvu, parallel_window, pool, threshold, window};
use dataflow::{Dataflow, EngineKind, Stream};

/// The timing of one engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Word n is offered one cycle after it came in; word n is accepted one cycle after word
    /// n - depth went out.
    Fifo {
        /// Words that it holds.
        depth: usize,
    },
    /// On every output stream word n is offered one cycle after it came in; word n is accepted one
    /// cycle after word n - depth went out on the last of them.
    Fork {
        /// Words that it holds.
        depth: usize,
    },
    /// Step n takes word n of both input streams, no earlier than one cycle after they came in and
    /// one cycle after output word n - `credits` went out; at most one step is taken in a cycle, in
    /// order. Output word n is offered one cycle after step n. Word n is accepted at an input one
    /// cycle after step n - `depth`.
    Join {
        /// Words of each input queue.
        depth: usize,
        /// Output words on their way at once.
        credits: usize,
    },
    /// `ratio` input words make an output word (the last of a pixel fewer). An output word is
    /// offered one cycle after its last input word; that last input word is accepted one cycle
    /// after the output word before it went out.
    Pack {
        /// Input words of an output word.
        ratio: usize,
        /// Input words of a pixel.
        input_words: usize,
    },
    /// An input word makes `ratio` output words (the last of a pixel fewer). Its first is offered
    /// one cycle after it came in; it is accepted one cycle after the last output word of the
    /// input word two before it went out.
    Split {
        /// Output words of an input word.
        ratio: usize,
        /// Output words of a pixel.
        output_words: usize,
    },
    /// Steps through a pipeline; see [`Compute`].
    Compute(Compute),
    /// Steps over windows of a ring of words; see [`Sliding`].
    Sliding(Sliding),
    /// Steps over a map that is shifted through; see [`Shifting`].
    Shifting(Shifting),
}

/// Steps along a [`Raster`].
///
/// At most one step is taken in a cycle. A step on the map *is* the move of its input word; the
/// others need none. A step that completes output word n is taken no earlier than one cycle after
/// word n - `credits` went out, and offers word n `latency` cycles later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shifting {
    /// Which steps lie on the map, and which complete windows.
    pub raster: Raster,
    /// Cycles from a completing step to the offer of its output word.
    pub latency: u64,
    /// Output words on their way at once.
    pub credits: usize,
}

/// A ring of input words that windows are read from, a word a step.
///
/// At most one step is taken in a cycle. The step of output word n reads one input word of the
/// frame, no earlier than one cycle after it came in, or padding, no earlier than one cycle after
/// the first word of the frame came in; it is taken no earlier than one cycle after word n - `credits` went out, and offers word n `latency`
/// cycles later. Input word m is accepted one cycle after the step that ended the last window
/// whose first place is at least `depth` words in front of m.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sliding {
    /// Which words are read, in order.
    pub walk: Walk,
    /// Words of the ring.
    pub depth: usize,
    /// Cycles from a step to the offer of its output word.
    pub latency: u64,
    /// Output words on their way at once.
    pub credits: usize,
}

/// A pipeline that never stalls, fed by steps that are taken only against credit.
///
/// Each step takes one input word; `words` steps make an output word; with a `buffer` every input
/// frame of `words` words is replayed for `passes` passes. At most one step is taken in a cycle.
/// The step that completes output word j is taken no earlier than one cycle after word
/// j - `credits` went out, and offers word j `latency` cycles later.
///
/// Without a buffer the step *is* the move of the input word. With one, a word can be read by a
/// step one cycle after it came in, and word m is accepted one cycle after the step of the last
/// pass that read word m - `buffer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compute {
    /// Input words, and steps, of an output word.
    pub words: usize,
    /// Output words made of an input frame.
    pub passes: usize,
    /// Words of the input buffer; 0 for none, which needs `passes` = 1.
    pub buffer: usize,
    /// Cycles from a completing step to the offer of its output word.
    pub latency: u64,
    /// Output words on their way at once.
    pub credits: usize,
}

/// The timing of an engine.
pub fn timing(dataflow: &Dataflow, engine: usize) -> Timing {
    let e = &dataflow.engines[engine];
    let (input, output) = (&dataflow.streams[e.input()], &dataflow.streams[e.output()]);
    match &e.kind {
        EngineKind::Input | EngineKind::Output => Timing::Fifo { depth: 2 },
        EngineKind::Fifo { depth } => Timing::Fifo { depth: *depth },
        EngineKind::Fork { depth } => Timing::Fork { depth: *depth },
        EngineKind::Add(a) => Timing::Join { depth: a.depth, credits: a.credits },
        EngineKind::Width => width(input, output),
        EngineKind::Threshold(t) => Timing::Compute(Compute {
            words: 1,
            passes: 1,
            buffer: 0,
            latency: threshold::latency(t),
            credits: t.credits,
        }),
        EngineKind::Window(w) => Timing::Sliding(Sliding {
            walk: Walk::of(w, input.lanes),
            depth: w.depth,
            latency: window::latency(w),
            credits: w.credits,
        }),
        EngineKind::ParallelWindow(w) => Timing::Shifting(Shifting {
            raster: Raster::of(w, input.lanes),
            latency: parallel_window::latency(w),
            credits: w.credits,
        }),
        EngineKind::Depthwise(d) => Timing::Compute(Compute {
            words: d.taps,
            passes: 1,
            buffer: 0,
            latency: depthwise::latency(d),
            credits: d.credits,
        }),
        EngineKind::Pool(p) => Timing::Compute(Compute {
            words: p.words,
            passes: 1,
            buffer: 0,
            latency: pool::latency(p),
            credits: p.credits,
        }),
        EngineKind::Mvu(m) => Timing::Compute(Compute {
            words: m.synapse_fold(),
            passes: if m.replayed { 1 } else { m.neuron_fold() },
            buffer: m.buffer_words,
            latency: mvu::latency(m, input.element),
            credits: m.credits,
        }),
        EngineKind::ChannelAffine(a) => Timing::Compute(Compute {
            words: 1,
            passes: 1,
            buffer: 0,
            latency: affine::LATENCY,
            credits: a.credits,
        }),
        EngineKind::LabelSelect(l) => Timing::Compute(Compute {
            words: input.words_per_frame(),
            passes: 1,
            buffer: 0,
            latency: label_select::latency(input.lanes, l.k),
            credits: l.credits,
        }),
    }
}

fn width(input: &Stream, output: &Stream) -> Timing {
    if output.lanes > input.lanes {
        let ratio = output.lanes / input.lanes;
        Timing::Pack { ratio, input_words: input.words_per_pixel() }
    } else {
        let ratio = input.lanes / output.lanes;
        Timing::Split { ratio, output_words: input.pixel.div_ceil(output.lanes) }
    }
}

/// The cycles that an engine needs for a frame when nothing makes it wait: the closed form.
pub fn cycles_per_frame(dataflow: &Dataflow, engine: usize) -> u64 {
    let e = &dataflow.engines[engine];
    let words = |s: usize| dataflow.streams[s].words_per_frame() as u64;
    let edges = words(e.input()).max(words(e.output()));
    match &e.kind {
        EngineKind::Mvu(m) => {
            let vectors = dataflow.streams[e.output()].elements / m.rows / m.vectors;
            (m.synapse_fold() * m.neuron_fold() * vectors) as u64
        }
        // A last group of a pixel that is a single word waits a cycle for the output register.
        EngineKind::Width => {
            match width(&dataflow.streams[e.input()], &dataflow.streams[e.output()]) {
                Timing::Pack { ratio, input_words }
                    if input_words % ratio == 1 && input_words > 1 =>
                {
                    edges + dataflow.streams[e.input()].pixels() as u64
                }
                Timing::Pack { .. }
                | Timing::Split { .. }
                | Timing::Fifo { .. }
                | Timing::Fork { .. }
                | Timing::Join { .. }
                | Timing::Compute(_)
                | Timing::Sliding(_)
                | Timing::Shifting(_) => edges,
            }
        }
        EngineKind::ParallelWindow(w) => {
            Raster::of(w, dataflow.streams[e.input()].lanes).steps() as u64
        }
        EngineKind::Input
        | EngineKind::Output
        | EngineKind::Fifo { .. }
        | EngineKind::Fork { .. }
        | EngineKind::Add(_)
        | EngineKind::Threshold(_)
        | EngineKind::Window(_)
        | EngineKind::Depthwise(_)
        | EngineKind::Pool(_)
        | EngineKind::ChannelAffine(_)
        | EngineKind::LabelSelect(_) => edges,
    }
}

/// The fewest credits that keep a pipeline full: a credit is used for `latency` + 1 cycles, and an
/// output word is made every `steps` cycles.
pub fn full_rate_credits(latency: u64, steps: usize) -> usize {
    ((latency as usize + 1).div_ceil(steps)).max(2)
}
