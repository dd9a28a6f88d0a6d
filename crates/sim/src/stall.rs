//! Gaps at the input and stalls at the output, drawn once and given to simulator and Verilator.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Cycles of waiting before each word at the two ends of a design.
///
/// The source offers word n `gaps[n]` cycles later than it could: in cycle `gaps[0]` at first, then
/// `1 + gaps[n]` cycles after word n-1 moved. The sink is not ready for `stalls[n]` cycles after
/// word n-1 moved (for `stalls[0]` cycles at first), then ready until word n moves. Words beyond
/// the end of a list wait for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stalls {
    /// Gaps before input words.
    pub gaps: Vec<u32>,
    /// Stalls before output words.
    pub stalls: Vec<u32>,
}

/// The longest single wait that is drawn.
const LONGEST: u32 = 1 << 16;

impl Stalls {
    /// No gaps and no stalls.
    pub fn none() -> Self {
        Self::default()
    }

    /// Draws waits for `inputs` and `outputs` words: each further cycle is a wait with probability
    /// `probability` (0 up to, not including, 1).
    pub fn random(probability: f64, seed: u64, inputs: usize, outputs: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |count: usize| -> Vec<u32> {
            let one = |random: &mut ChaCha8Rng| {
                (0..LONGEST).take_while(|_| random.random_bool(probability)).count() as u32
            };
            (0..count).map(|_| one(&mut random)).collect()
        };
        Self { gaps: draw(inputs), stalls: draw(outputs) }
    }
}
