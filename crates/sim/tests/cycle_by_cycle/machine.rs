//! All engines of a dataflow, cycle by cycle.

use crate::registers::Engine;
use dataflow::{Dataflow, OUTSIDE};
use sim::{Handshake, Stalls};

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// For each stream the cycles in which its words moved.
    pub(crate) streams: Vec<Vec<u64>>,
    /// How the cycles of each stream were spent until its last word moved.
    pub(crate) handshakes: Vec<Handshake>,
    /// Whether words were left that can never move.
    pub(crate) stuck: bool,
}

/// The source or the sink: waits before each word, then offers or accepts it until it moves.
#[derive(Debug, Clone)]
struct End<'w> {
    waits: &'w [u32],
    word: usize,
    /// Cycles of waiting that are left.
    wait: u32,
}

impl<'w> End<'w> {
    fn new(waits: &'w [u32]) -> Self {
        Self { waits, word: 0, wait: waits.first().copied().unwrap_or(0) }
    }

    fn edge(&mut self, moved: bool) {
        if moved {
            self.word += 1;
            self.wait = self.waits.get(self.word).copied().unwrap_or(0);
        } else {
            self.wait = self.wait.saturating_sub(1);
        }
    }
}

/// One end of a stream.
#[derive(Debug, Clone, Copy)]
enum Port {
    Outside,
    Of { engine: usize, port: usize },
}

impl Port {
    fn new(engine: usize, stream: usize, streams: impl Fn(usize) -> Vec<usize>) -> Self {
        if engine == OUTSIDE {
            return Port::Outside;
        }
        let port = streams(engine).iter().position(|&s| s == stream);
        Port::Of { engine, port: port.expect("checked: streams and engines name each other") }
    }
}

/// Runs `frames` frames until all words of all streams have moved, or nothing can change.
pub(crate) fn run(dataflow: &Dataflow, frames: usize, stalls: &Stalls) -> Outcome {
    let count = dataflow.streams.len();
    let words: Vec<usize> = dataflow.streams.iter().map(|s| s.words_per_frame() * frames).collect();
    let ends: Vec<(Port, Port)> = dataflow
        .streams
        .iter()
        .enumerate()
        .map(|(s, stream)| {
            let from = Port::new(stream.from, s, |e| dataflow.engines[e].outputs.clone());
            (from, Port::new(stream.to, s, |e| dataflow.engines[e].inputs.clone()))
        })
        .collect();
    let mut engines: Vec<Engine> = dataflow
        .engines
        .iter()
        .enumerate()
        .map(|(e, engine)| Engine::new(engines::timing(dataflow, e), engine.outputs.len()))
        .collect();
    let (gaps, stalls) = (stalls.gaps(words[0]), stalls.stalls(words[count - 1]));
    let (mut source, mut sink) = (End::new(&gaps), End::new(&stalls));
    let mut streams: Vec<Vec<u64>> = vec![Vec::new(); count];
    let mut handshakes = vec![Handshake::default(); count];
    let mut moved = vec![false; count];
    let (mut came, mut went) = (Vec::new(), Vec::new());
    for cycle in 0.. {
        for (s, (from, to)) in ends.iter().enumerate() {
            let valid = match *from {
                Port::Outside => source.word < words[s] && source.wait == 0,
                Port::Of { engine, port } => engines[engine].valid(port),
            };
            let ready = match *to {
                Port::Outside => sink.wait == 0,
                Port::Of { engine, port } => engines[engine].ready(port),
            };
            moved[s] = valid && ready;
            if streams[s].len() < words[s] {
                handshakes[s].stalled += u64::from(valid && !ready);
                handshakes[s].starved += u64::from(ready && !valid);
            }
            if moved[s] {
                streams[s].push(cycle);
                assert!(streams[s].len() <= words[s], "a word too many on stream {s}");
            }
        }
        let idle = source.wait == 0 && sink.wait == 0 && !moved.contains(&true);
        let before = idle.then(|| engines.clone());
        for (engine, e) in engines.iter_mut().zip(&dataflow.engines) {
            came.clear();
            came.extend(e.inputs.iter().map(|&s| moved[s]));
            went.clear();
            went.extend(e.outputs.iter().map(|&s| moved[s]));
            engine.edge(&came, &went);
        }
        source.edge(moved[0]);
        sink.edge(moved[count - 1]);
        if streams.iter().zip(&words).all(|(times, &words)| times.len() == words) {
            return Outcome { streams, handshakes, stuck: false };
        }
        // Every later cycle is like this one.
        if before.is_some_and(|before| before == engines) {
            return Outcome { streams, handshakes, stuck: true };
        }
    }
    unreachable!("a run ends")
}
