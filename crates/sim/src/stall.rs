//! Gaps at the input and stalls at the output: what simulator and Verilator both wait.

use rand::SeedableRng;
use rand::distr::{Bernoulli, Distribution};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Cycles of waiting before each word at the two ends of a design.
///
/// The source offers word n `gaps[n]` cycles later than it could: in cycle `gaps[0]` at first, then
/// `1 + gaps[n]` cycles after word n-1 moved. The sink is not ready for `stalls[n]` cycles after
/// word n-1 moved (for `stalls[0]` cycles at first), then ready until word n moves.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Stalls {
    /// No waits.
    #[default]
    None,
    /// Drawn word by word: each further cycle is a wait with `probability` (0 up to, not including,
    /// 1). The same seed draws the same waits, however many words there are.
    Random {
        /// Of one more cycle.
        probability: f64,
        /// Of both ends.
        seed: u64,
    },
    /// As listed. Words beyond the end of a list wait for nothing.
    Trace {
        /// Gaps before input words.
        gaps: Vec<u32>,
        /// Stalls before output words.
        stalls: Vec<u32>,
    },
}

/// The longest single wait that is drawn.
const LONGEST: u32 = 1 << 16;

impl Stalls {
    /// No gaps and no stalls.
    pub fn none() -> Self {
        Self::None
    }

    /// Waits from a seed; none where the probability is 0.
    pub fn random(probability: f64, seed: u64) -> Self {
        if probability > 0.0 { Self::Random { probability, seed } } else { Self::None }
    }

    /// Whether nothing ever waits.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    /// The waits in front of the first `words` input words.
    pub fn gaps(&self, words: usize) -> Vec<u32> {
        self.waits(0).take(words)
    }

    /// The waits in front of the first `words` output words.
    pub fn stalls(&self, words: usize) -> Vec<u32> {
        self.waits(1).take(words)
    }

    /// The waits of the input (0) or output (1), word by word.
    pub(crate) fn waits(&self, end: u64) -> Waits {
        match self {
            Self::None => Waits::listed(&[]),
            Self::Random { probability, seed } => {
                let mut random = ChaCha8Rng::seed_from_u64(*seed);
                random.set_stream(end);
                Waits::Drawn(further(*probability), Box::new(random))
            }
            Self::Trace { gaps, stalls } => {
                let list = if end == 0 { gaps } else { stalls };
                Waits::listed(list)
            }
        }
    }
}

/// Whether there is one more cycle of waiting.
fn further(probability: f64) -> Bernoulli {
    Bernoulli::new(probability).expect("a probability is between 0 and 1")
}

/// The waits of one end, word by word.
#[derive(Debug, Clone)]
pub(crate) enum Waits {
    Listed { list: Arc<[u32]>, next: usize },
    Drawn(Bernoulli, Box<ChaCha8Rng>),
}

impl Waits {
    fn listed(list: &[u32]) -> Self {
        Waits::Listed { list: list.into(), next: 0 }
    }

    pub(crate) fn next(&mut self) -> u64 {
        match self {
            Waits::Listed { list, next } => {
                *next += 1;
                list.get(*next - 1).copied().unwrap_or(0).into()
            }
            Waits::Drawn(probability, random) => {
                (0..LONGEST).take_while(|_| probability.sample(random)).count() as u64
            }
        }
    }

    /// Whether no word waits any more, and the latest `words` words have not.
    pub(crate) fn is_over(&self, words: usize) -> bool {
        match self {
            Waits::Listed { list, next } => list.is_empty() || *next >= list.len() + words,
            Waits::Drawn(..) => false,
        }
    }

    fn take(mut self, words: usize) -> Vec<u32> {
        match self {
            Waits::Listed { list, .. } => list.iter().copied().take(words).collect(),
            Waits::Drawn(..) => (0..words).map(|_| self.next() as u32).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_draws_the_same_for_any_number_of_words() {
        let stalls = Stalls::random(0.5, 7);
        let (gaps, waits) = (stalls.gaps(100), stalls.stalls(100));
        assert_eq!(gaps[..40], stalls.gaps(40)[..]);
        assert_ne!(gaps, waits);
        assert!((60..140).contains(&gaps.iter().sum::<u32>()));
        assert!(Stalls::random(0.0, 7).is_none());
    }
}
