//! Random choices, and the waits of a run.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sim::Stalls;

/// A generator of its own for each seed.
#[derive(Debug)]
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// One of `low..=high`.
    pub(crate) fn size(&mut self, low: usize, high: usize) -> usize {
        self.0.random_range(low..=high)
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.size(0, choices.len() - 1)]
    }

    /// One of the numbers that divide `whole`.
    pub(crate) fn divisor(&mut self, whole: usize) -> usize {
        let divisors: Vec<usize> = (1..=whole).filter(|n| whole.is_multiple_of(*n)).collect();
        self.pick(&divisors)
    }

    /// Words of a buffer of which `enough` keep the full rate: often fewer, sometimes more.
    pub(crate) fn depth(&mut self, enough: usize) -> usize {
        match self.size(0, 3) {
            0 => self.size(1, 2),
            1 => self.size(1, enough),
            2 => enough,
            _ => enough + self.size(0, 4),
        }
    }

    /// Words of a queue where streams part or meet: mostly too few for what a branch holds back.
    pub(crate) fn shallow(&mut self, frame: usize) -> usize {
        match self.size(0, 5) {
            0 => self.size(1, 2 + frame),
            1 => 2 + frame,
            _ => self.size(1, 4),
        }
    }
}

/// Kinds of waits at the two ends of a design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// None at all.
    None,
    /// Drawn for each cycle.
    Random,
    /// One end is much slower than the other, which never waits.
    OneSided,
    /// A few, long enough that everything fills up or runs empty.
    Long,
}

impl Waits {
    pub(crate) const ALL: [Waits; 4] = [Waits::None, Waits::Random, Waits::OneSided, Waits::Long];

    /// Waits for so many words at the two ends.
    pub(crate) fn draw(self, draw: &mut Draw, inputs: usize, outputs: usize) -> Stalls {
        let seed = draw.size(0, 1 << 30) as u64;
        match self {
            Waits::None => Stalls::none(),
            Waits::Random => Stalls::random(draw.pick(&[0.1, 0.3, 0.5, 0.8]), seed),
            Waits::OneSided => {
                let drawn = Stalls::random(0.7, seed);
                // Sometimes they end before the run does.
                let part = draw.pick(&[1, 1, 2, 4]);
                let (inputs, outputs) = (inputs / part, outputs / part);
                if draw.chance(0.5) {
                    Stalls::Trace { gaps: Vec::new(), stalls: drawn.stalls(outputs) }
                } else {
                    Stalls::Trace { gaps: drawn.gaps(inputs), stalls: Vec::new() }
                }
            }
            Waits::Long => {
                let mut some = |words: usize| {
                    let mut waits = vec![0; words];
                    for _ in 0..draw.size(0, 3) {
                        let word = draw.size(0, words - 1);
                        waits[word] = draw.size(0, 800) as u32;
                    }
                    waits
                };
                Stalls::Trace { gaps: some(inputs), stalls: some(outputs) }
            }
        }
    }

    /// Frames of a run: mostly a few, or enough that a design settles and old moves are forgotten.
    pub(crate) fn frames(self, draw: &mut Draw) -> usize {
        let long = match self {
            Waits::None => 0.6,
            Waits::Random => 0.4,
            Waits::OneSided | Waits::Long => 0.3,
        };
        if draw.chance(long) { draw.size(10, 40) } else { draw.size(1, 5) }
    }
}
