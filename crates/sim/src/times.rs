//! The moves of several frames in one place.

use crate::run::Run;
use crate::stall::Stalls;
use dataflow::Dataflow;
use diagnostic::Result;

/// For each stream the cycles in which its words move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// One list for each stream of the dataflow, in its order.
    pub streams: Vec<Vec<u64>>,
}

impl Times {
    /// Cycles until the last word has left.
    pub fn cycles(&self) -> u64 {
        self.streams.iter().filter_map(|s| s.last()).max().map_or(0, |last| last + 1)
    }
}

/// Computes when every word of `frames` frames moves on every stream. [`Run`] does the same frame by
/// frame, without keeping them all.
///
/// # Errors
/// `deadlock` when the design waits for itself, naming the ring of waiting engines.
pub fn timing(dataflow: &Dataflow, frames: usize, stalls: &Stalls) -> Result<Times> {
    let list = |s: &dataflow::Stream| Vec::with_capacity(s.words_per_frame() * frames);
    let mut streams: Vec<Vec<u64>> = dataflow.streams.iter().map(list).collect();
    let mut run = Run::new(dataflow, stalls);
    for _ in 0..frames {
        let frame = run.frame()?;
        for (index, list) in streams.iter_mut().enumerate() {
            list.extend(frame.moves(index).iter());
        }
    }
    Ok(Times { streams })
}

/// The steady-state initiation interval: cycles between the last output words of the last two
/// frames; 0 with fewer than two frames.
pub fn interval(dataflow: &Dataflow, times: &Times) -> u64 {
    let words = dataflow.output().words_per_frame();
    let output = times.streams.last().map_or(&[][..], Vec::as_slice);
    match output.len() / words {
        0 | 1 => 0,
        n => output[n * words - 1] - output[(n - 1) * words - 1],
    }
}

/// Cycles of the first frame, from its first input word to its last output word, both included.
pub fn latency(dataflow: &Dataflow, times: &Times) -> u64 {
    let first = times.streams.first().and_then(|s| s.first());
    let last = times.streams.last().and_then(|s| s.get(dataflow.output().words_per_frame() - 1));
    first.zip(last).map_or(0, |(a, b)| b - a + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataflow::{Engine, EngineKind, OUTSIDE, Stream};
    use tensor::ElementType;

    fn chain(kinds: Vec<(EngineKind, usize)>, lanes: usize) -> Dataflow {
        let count = kinds.len();
        let mut widths = vec![lanes];
        widths.extend(kinds.iter().map(|(_, lanes)| *lanes));
        let stream = |i: usize| Stream {
            name: format!("s{i}"),
            element: ElementType::Bipolar,
            lanes: widths[i],
            elements: 12,
            pixel: 12,
            from: i.checked_sub(1).unwrap_or(OUTSIDE),
            to: if i < count { i } else { OUTSIDE },
        };
        let streams = (0..=count).map(stream).collect();
        let engine = |(i, (kind, _)): (usize, (EngineKind, usize))| Engine {
            name: format!("e{i}"),
            layer: String::new(),
            inputs: vec![i],
            outputs: vec![i + 1],
            kind,
        };
        let engines = kinds.into_iter().enumerate().map(engine).collect();
        let dataflow = Dataflow { name: "chain".into(), streams, engines };
        dataflow.check().unwrap();
        dataflow
    }

    #[test]
    fn a_fifo_of_one_word_halves_the_rate_and_one_of_two_keeps_it() {
        for (depth, interval_of_frame) in [(1, 24), (2, 12)] {
            let d = chain(vec![(EngineKind::Fifo { depth }, 1)], 1);
            let times = timing(&d, 3, &Stalls::none()).unwrap();
            assert_eq!(interval(&d, &times), interval_of_frame);
        }
    }

    #[test]
    fn width_converters_keep_the_rate_of_their_narrow_side() {
        let d = chain(vec![(EngineKind::Width, 4), (EngineKind::Width, 2)], 1);
        let times = timing(&d, 4, &Stalls::none()).unwrap();
        assert_eq!(interval(&d, &times), 12);
        let d = chain(vec![(EngineKind::Width, 1), (EngineKind::Width, 3)], 3);
        let times = timing(&d, 4, &Stalls::none()).unwrap();
        assert_eq!(interval(&d, &times), 12);
    }

    #[test]
    fn stalls_delay_but_never_lose_words() {
        let d = chain(vec![(EngineKind::Fifo { depth: 2 }, 1)], 1);
        let stalls = Stalls::random(0.5, 1);
        let times = timing(&d, 3, &stalls).unwrap();
        assert!(times.streams[1].windows(2).all(|w| w[0] < w[1]));
        assert!(times.cycles() > 36);
    }
}
