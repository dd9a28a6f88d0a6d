//! Reference vectors: words and cycles of every stream.

use crate::Design;
use diagnostic::Result;
use ndarray::{Array1, Array2};
use sim::{Frame, Run, Stalls, Times, Words};
use streamline::{Frames, InputSpec};
use tensor::{ElementType, npy};

/// What every stream carries and when, for some frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// For each stream its name, the bytes of a word, and all words.
    pub words: Vec<(String, usize, Vec<u8>)>,
    /// For each stream the cycles of its moves.
    pub times: Times,
    /// The waits at the two ends.
    pub stalls: Stalls,
}

impl Expected {
    /// Runs the simulator: values from the golden model, cycles from the timing model.
    ///
    /// # Errors
    /// `deadlock`.
    pub fn new(design: &Design, frames: &Frames, stalls: &Stalls) -> Result<Self> {
        let mut expected = Self::of_no_frame(design, stalls);
        let mut words = Words::new(&design.dataflow, &design.network);
        let mut run = Run::new(&design.dataflow, stalls);
        for frame in frames.iter() {
            let moved = run.frame()?;
            words.run(frame);
            expected.add(&moved, &words);
        }
        Ok(expected)
    }

    /// Before the first frame.
    pub fn of_no_frame(design: &Design, stalls: &Stalls) -> Self {
        let streams = &design.dataflow.streams;
        Self {
            words: streams.iter().map(|s| (s.name.clone(), s.bytes(), Vec::new())).collect(),
            times: Times { streams: vec![Vec::new(); streams.len()] },
            stalls: stalls.clone(),
        }
    }

    /// Adds the next frame of a run, and its words.
    pub fn add(&mut self, frame: &Frame<'_>, words: &Words<'_>) {
        let streams = self.words.iter_mut().zip(&mut self.times.streams).enumerate();
        for (index, ((_, _, all), times)) in streams {
            all.extend_from_slice(&words.stream(index));
            times.extend(frame.moves(index).iter());
        }
    }

    /// The files that the harness reads: inputs and waits, and what to expect of each stream.
    pub fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for ((name, bytes, words), cycles) in self.words.iter().zip(&self.times.streams) {
            let rows = words.len() / bytes;
            let array = Array2::from_shape_vec((rows, *bytes), words.clone())
                .expect("words are whole bytes");
            files.push((format!("{name}.words.npy"), npy::to_bytes(&array.into_dyn())));
            let cycles = Array1::from(cycles.clone()).into_dyn();
            files.push((format!("{name}.cycles.npy"), npy::to_bytes(&cycles)));
        }
        if !self.stalls.is_none() {
            let words = |end: Option<&Vec<u64>>| end.map_or(0, Vec::len);
            let gaps = self.stalls.gaps(words(self.times.streams.first()));
            let stalls = self.stalls.stalls(words(self.times.streams.last()));
            for (name, waits) in [("gaps", gaps), ("stalls", stalls)] {
                let waits = Array1::from(waits).into_dyn();
                files.push((format!("{name}.npy"), npy::to_bytes(&waits)));
            }
        }
        files
    }
}

/// Random frames from a seed: every value of the input's type equally likely.
pub fn seeded_frames(input: &InputSpec, seed: u64, count: usize) -> Frames {
    Seeded::new(input, seed).frames(count)
}

/// [`seeded_frames`], some at a time.
#[derive(Debug, Clone)]
pub struct Seeded {
    element: ElementType,
    elements: usize,
    /// Of SplitMix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
    state: u64,
}

impl Seeded {
    /// Before the first frame.
    pub fn new(input: &InputSpec, seed: u64) -> Self {
        Self { element: input.element, elements: input.elements(), state: seed }
    }

    /// The next frames.
    pub fn frames(&mut self, count: usize) -> Frames {
        let (element, elements) = (self.element, self.elements);
        let values = (0..count * elements).map(|_| element.decode(self.next() >> 16)).collect();
        Frames { values, elements }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
