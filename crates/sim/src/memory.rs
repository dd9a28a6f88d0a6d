//! How far back the engines look.

use engines::Timing;

/// How many frames ago a word can be that an engine waits for, its frames of so many words each.
pub(crate) fn frames(timing: Timing, input: usize, output: usize) -> usize {
    match timing {
        Timing::Fifo { depth } | Timing::Fork { depth } => depth.div_ceil(input),
        Timing::Join { depth, credits } => depth.max(credits).div_ceil(input),
        Timing::Pack { .. } | Timing::Split { .. } => 1,
        Timing::Compute(c) => c.buffer.div_ceil(input).max(c.credits.div_ceil(output)),
        Timing::Sliding(s) => s.depth.div_ceil(input).max(s.credits.div_ceil(output)),
        Timing::Shifting(s) => s.credits.div_ceil(output),
    }
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
