//! The inner loops, once for each instruction set, behind one enum.
//!
//! Every kernel computes the same integers; `tests` holds them against plain sums. In all of them
//! the lanes of a register are rows of the matrix, so a sum never has to be added up across a
//! register, and a word of the map is loaded once for all of them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lines;
mod portable;
mod rows;

pub(crate) use lines::Lines;
pub(crate) use rows::{BitRows, ByteRows};

use std::fmt;

/// The instructions that the inner loops are made of. All give the same integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Plain Rust, one 64-bit word at a time.
    Portable,
    /// AVX2: 32 rows at a time; four bits of the map choose a table of 16 counts, in which
    /// `vpshufb` looks four bits of each row up (after Muła's popcount).
    Avx2,
    /// AVX-512 with VPOPCNTDQ and VNNI: 16 rows at a time, 32 bits of each.
    Avx512,
}

impl Kernel {
    /// All of them, slowest first.
    pub const ALL: [Kernel; 3] = [Kernel::Portable, Kernel::Avx2, Kernel::Avx512];

    /// The fastest that this processor has.
    pub fn best() -> Self {
        let available = Self::ALL.into_iter().rev().find(|kernel| kernel.is_available());
        available.unwrap_or(Kernel::Portable)
    }

    /// Whether this processor has its instructions.
    pub fn is_available(self) -> bool {
        match self {
            Kernel::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::is_available(),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::is_available(),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => false,
        }
    }

    /// Rows that are computed together: sums have room for whole blocks of them.
    pub(crate) fn block(self) -> usize {
        match self {
            Kernel::Portable => 1,
            Kernel::Avx2 => 32,
            Kernel::Avx512 => 16,
        }
    }

    /// Adds `job.factor` times the number of ones in `weights ^ window` (or `weights & window`) to
    /// the sum of each row of each window; in place of what stood there, when it is the first.
    pub(crate) fn count(self, job: &BitJob<'_>, sums: &mut [i32]) {
        assert_eq!(job.rows.kernel, self, "weights are packed for one kernel");
        check(job.starts, job.offsets, 1, job.map.len());
        check_sums(job.starts, job.stride, job.rows.padded, sums.len());
        assert_eq!(job.offsets.len(), job.rows.words, "a window has as many words as a row");
        match self {
            Kernel::Portable => portable::count(job, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::count(job, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::count(job, sums),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        }
    }

    /// The sum of products of weights with bytes, for each row of each window.
    pub(crate) fn multiply(self, job: &ByteJob<'_>, sums: &mut [i32]) {
        assert_eq!(job.rows.kernel, self, "weights are packed for one kernel");
        check(job.starts, job.offsets, 4, job.map.len());
        check_sums(job.starts, job.stride, job.rows.padded, sums.len());
        assert_eq!(job.offsets.len(), job.rows.quads, "a window has as many bytes as a row");
        match self {
            Kernel::Portable => portable::multiply(job, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::multiply(job, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::multiply(job, sums),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        }
    }

    /// One bit for each number that reaches its limit. Bits behind the last are zero.
    pub(crate) fn at_least(self, numbers: &[i32], limits: &[i32], words: &mut [u64]) {
        assert!(numbers.len() == limits.len() && numbers.len() <= 64 * words.len());
        match self {
            Kernel::Portable => portable::at_least(numbers, limits, words),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::at_least(numbers, limits, words),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::at_least(numbers, limits, words),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        }
    }

    /// The same of bytes.
    pub(crate) fn bytes_at_least(self, bytes: &[u8], limits: &[u8], words: &mut [u64]) {
        assert!(bytes.len() == limits.len() && bytes.len() <= 64 * words.len());
        match self {
            Kernel::Portable => portable::at_least(bytes, limits, words),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::bytes_at_least(bytes, limits, words),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::bytes_at_least(bytes, limits, words),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        }
    }

    /// Adds 1 to the level of each number that reaches its limit.
    pub(crate) fn step_up(self, numbers: &[i32], limits: &[i32], levels: &mut [i32]) {
        match self {
            Kernel::Portable => portable::step_up(numbers, limits, levels),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::step_up(numbers, limits, levels),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::step_up(numbers, limits, levels),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        }
    }

    /// Adds `weights * values` to the sums, element by element; a single value goes with all weights.
    pub(crate) fn accumulate(self, weights: &[i32], values: &[i32], sums: &mut [i32]) {
        match self {
            Kernel::Portable => portable::accumulate(weights, values, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::accumulate(weights, values, sums),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::accumulate(weights, values, sums),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kernel::Portable => "portable",
            Kernel::Avx2 => "AVX2",
            Kernel::Avx512 => "AVX-512",
        })
    }
}

/// Counting of ones in some windows of a map.
#[derive(Debug)]
pub(crate) struct BitJob<'a> {
    /// The weights.
    pub(crate) rows: &'a BitRows,
    /// Differences (XOR) rather than ones in common (AND).
    pub(crate) differences: bool,
    /// The words of a map.
    pub(crate) map: &'a [u64],
    /// The first word of each window.
    pub(crate) starts: &'a [u32],
    /// Where the words of a window lie, from its first one.
    pub(crate) offsets: &'a [u32],
    /// What a one counts.
    pub(crate) factor: i32,
    /// Whether the sums start here.
    pub(crate) first: bool,
    /// From the sums of one window to those of the next.
    pub(crate) stride: usize,
}

/// Products of weights with the bytes of some windows of a map.
#[derive(Debug)]
pub(crate) struct ByteJob<'a> {
    /// The weights.
    pub(crate) rows: &'a ByteRows,
    /// The bytes of a map.
    pub(crate) map: &'a [u8],
    /// The first byte of each window.
    pub(crate) starts: &'a [u32],
    /// Where fours of bytes of a window lie, from its first one.
    pub(crate) offsets: &'a [u32],
    /// From the sums of one window to those of the next.
    pub(crate) stride: usize,
}

/// No window leaves the map: the kernels read without looking.
fn check(starts: &[u32], offsets: &[u32], width: usize, length: usize) {
    let last = |of: &[u32]| of.iter().max().map_or(0, |&n| n as usize);
    let inside = starts.is_empty() || last(starts) + last(offsets) + width <= length;
    assert!(inside, "a window leaves the map");
}

fn check_sums(starts: &[u32], stride: usize, rows: usize, length: usize) {
    let inside = starts.is_empty() || (starts.len() - 1) * stride + rows <= length;
    assert!(inside, "the sums have no room");
}
