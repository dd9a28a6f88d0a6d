//! Streams joined: the cycle of every move.

use crate::engine::Machine;
use crate::stall::Stalls;
use dataflow::Dataflow;
use diagnostic::{Code, Diagnostic, Result};

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

/// Computes when every word of `frames` frames moves on every stream.
///
/// # Errors
/// `deadlock` when the design waits for itself, naming the stream that stands still.
pub fn timing(dataflow: &Dataflow, frames: usize, stalls: &Stalls) -> Result<Times> {
    let mut run = Run::new(dataflow);
    run.extend(frames, stalls)?;
    Ok(run.times)
}

/// A simulation that can go on.
pub struct Run<'d> {
    dataflow: &'d Dataflow,
    machines: Vec<Machine>,
    times: Times,
    frames: usize,
}

impl<'d> Run<'d> {
    /// A design out of reset, before its first word.
    pub fn new(dataflow: &'d Dataflow) -> Self {
        let machine = |e| Machine::new(engines::timing(dataflow, e));
        let machines = (0..dataflow.engines.len()).map(machine).collect();
        let times = Times { streams: vec![Vec::new(); dataflow.streams.len()] };
        Self { dataflow, machines, times, frames: 0 }
    }

    /// The moves so far.
    pub fn times(&self) -> &Times {
        &self.times
    }

    /// Frames so far.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Runs `frames` further frames. `stalls` count from the first frame of all.
    ///
    /// # Errors
    /// `deadlock` when the design waits for itself, naming the stream that stands still.
    pub fn extend(&mut self, frames: usize, stalls: &Stalls) -> Result<()> {
        self.frames += frames;
        let streams = &self.dataflow.streams;
        let words: Vec<usize> = streams.iter().map(|s| s.words_per_frame() * self.frames).collect();
        for (times, words) in self.times.streams.iter_mut().zip(&words) {
            times.reserve(words - times.len());
        }
        // Only streams next to one that moved can move: a worklist, seeded with all of them.
        let count = streams.len();
        let mut waiting: Vec<usize> = (0..count).rev().collect();
        let mut listed = vec![true; count];
        while let Some(stream) = waiting.pop() {
            listed[stream] = false;
            if self.move_words(stream, words[stream], stalls) {
                for neighbour in [stream.wrapping_sub(1), stream + 1] {
                    if neighbour < count && !listed[neighbour] {
                        listed[neighbour] = true;
                        waiting.push(neighbour);
                    }
                }
            }
        }
        let moved = self.times.streams.iter().map(Vec::len);
        match moved.enumerate().find(|&(s, moved)| moved < words[s]) {
            None => Ok(()),
            Some((s, moved)) => {
                let name = &streams[s].name;
                let text = format!("stream `{name}` stands still after {moved} words");
                Err(Diagnostic::new(Code::Deadlock, text).node(name.clone()))
            }
        }
    }

    /// Moves the words of a stream, up to `words`, that known moves decide; whether there were any.
    fn move_words(&mut self, stream: usize, words: usize, stalls: &Stalls) -> bool {
        let times = &mut self.times.streams[stream];
        let before = times.len();
        let (writers, readers) = self.machines.split_at_mut(stream);
        let (mut writer, mut reader) = (writers.last_mut(), readers.first_mut());
        let mut after = times.last().map_or(0, |t| t + 1);
        while times.len() < words {
            let n = times.len();
            let wait = |waits: &[u32]| Some(after + u64::from(waits.get(n).copied().unwrap_or(0)));
            let offer = writer.as_ref().map_or_else(|| wait(&stalls.gaps), |m| m.offer());
            let accept = reader.as_ref().map_or_else(|| wait(&stalls.stalls), |m| m.accept());
            let (Some(offer), Some(accept)) = (offer, accept) else { break };
            let at = offer.max(accept).max(after);
            times.push(at);
            after = at + 1;
            if let Some(machine) = &mut writer {
                machine.moved_out(at);
            }
            if let Some(machine) = &mut reader {
                machine.moved_in(at);
            }
        }
        times.len() > before
    }
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
            input: i,
            output: i + 1,
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
        let stalls = Stalls::random(0.5, 1, 36, 36);
        assert_eq!(stalls, Stalls::random(0.5, 1, 36, 36));
        let times = timing(&d, 3, &stalls).unwrap();
        assert!(times.streams[1].windows(2).all(|w| w[0] < w[1]));
        assert!(times.cycles() > 36);
    }
}
