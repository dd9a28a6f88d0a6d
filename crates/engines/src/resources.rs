//! Counts of FPGA resources, and the memories that all engines share.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// Resources of a 7-series device.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Resources {
    /// LUT sites, LUT RAM and shift registers included.
    pub luts: f64,
    /// Flip-flops.
    pub ffs: f64,
    /// Block RAMs of 36 kbit; a half is one of 18 kbit.
    pub bram36: f64,
    /// DSP slices.
    pub dsps: f64,
}

impl Resources {
    /// LUTs and flip-flops only.
    pub fn logic(luts: f64, ffs: f64) -> Self {
        Self { luts, ffs, bram36: 0.0, dsps: 0.0 }
    }
}

impl Add for Resources {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            luts: self.luts + other.luts,
            ffs: self.ffs + other.ffs,
            bram36: self.bram36 + other.bram36,
            dsps: self.dsps + other.dsps,
        }
    }
}

impl AddAssign for Resources {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Resources {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::default(), Add::add)
    }
}

/// A RAM in LUTs with one write and one asynchronous read port: 6 bits by 32 words in 4 LUTs, or
/// 3 bits by 64 words in 4 LUTs and so on, with a multiplexer above 64 words.
pub fn lut_ram(words: usize, bits: usize) -> f64 {
    if words <= 32 {
        4.0 * bits.div_ceil(6) as f64
    } else {
        let blocks = words.div_ceil(64) as f64;
        blocks * 4.0 * bits.div_ceil(3) as f64 + (blocks - 1.0) * bits as f64 / 2.0
    }
}

/// Constants of `words` by `bits`, in block RAM or in LUTs, the output registered.
pub fn rom(words: usize, bits: usize, block: bool) -> Resources {
    let (w, b) = (words as f64, bits as f64);
    if !block {
        // One LUT6 holds 64 words of a bit; small ones share sites; logic optimisation saves some.
        let luts = match words {
            0 | 1 => 0.0,
            2..=32 => b * 0.55 * (w / 32.0).sqrt().max(0.35),
            _ => b * (w / 64.0).ceil() * 1.05,
        };
        return Resources::logic(luts, if words > 1 { b } else { 0.0 });
    }
    Resources { luts: 0.0, ffs: 0.0, bram36: block_rams(words, bits), dsps: 0.0 }
}

/// Shapes of an 18-kbit block RAM: depth by width.
const SHAPES: [(usize, usize); 6] =
    [(512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)];

/// The fewest 18-kbit block RAMs of one shape that hold `words` by `bits`.
fn block_halves(words: usize, bits: usize) -> usize {
    SHAPES.iter().map(|&(d, w)| words.div_ceil(d) * bits.div_ceil(w)).min().unwrap_or(0)
}

/// The same in 36-kbit block RAMs.
fn block_rams(words: usize, bits: usize) -> f64 {
    block_halves(words, bits) as f64 / 2.0
}

/// The words that a queue in LUT RAM can hold at the cost of `words`: its RAMs are full, and up to 64
/// words its places count in a power of two.
pub fn full_lut_ram(words: usize) -> usize {
    if words <= 64 { words.next_power_of_two() } else { words.next_multiple_of(64) }
}

/// The words of `bits` bits that a queue in block RAM can hold at the cost of `words`.
pub fn full_block_ram(words: usize, bits: usize) -> usize {
    let halves = block_halves(words, bits);
    let full = SHAPES.iter().map(|&(d, w)| d * (halves / bits.div_ceil(w)));
    full.max().unwrap_or(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_rams_take_the_best_shape() {
        assert_eq!(block_rams(512, 36), 0.5);
        assert_eq!(block_rams(1024, 36), 1.0);
        assert_eq!(block_rams(64, 512), 7.5);
        assert_eq!(block_rams(16384, 1), 0.5);
    }

    #[test]
    fn full_memories_cost_no_more() {
        for bits in [1, 4, 8, 32, 36, 37, 64, 576] {
            for words in 1..3000 {
                let (lut, block) = (full_lut_ram(words), full_block_ram(words, bits));
                assert!(lut >= words && block >= words);
                assert_eq!(lut_ram(lut, bits), lut_ram(words, bits));
                assert_eq!(block_rams(block, bits), block_rams(words, bits));
                assert!(block_rams(block + 1, bits) > block_rams(words, bits));
            }
        }
        assert_eq!([1, 3, 32, 33, 65, 300].map(full_lut_ram), [1, 4, 32, 64, 128, 320]);
        assert_eq!(full_block_ram(300, 32), 512);
    }
}
