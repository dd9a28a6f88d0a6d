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

/// The fewest 36-kbit block RAMs (in halves) of one shape that hold `words` by `bits`.
fn block_rams(words: usize, bits: usize) -> f64 {
    // Shapes of an 18-kbit block: depth by width.
    const SHAPES: [(usize, usize); 6] =
        [(512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1)];
    let halves = SHAPES.iter().map(|&(d, w)| words.div_ceil(d) * bits.div_ceil(w)).min();
    halves.unwrap_or(0) as f64 / 2.0
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
}
