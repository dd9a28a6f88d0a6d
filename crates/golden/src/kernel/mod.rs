//! The inner loops, once for each instruction set, behind one enum.
//!
//! Every kernel computes the same integers; `tests` holds them against plain sums. In all of them
//! the lanes of a register are rows of the matrix, so a sum never has to be added up across a
//! register, and a word of the map is loaded once for all of them.
#![cfg_attr(
    not(target_arch = "x86_64"),
    allow(unused_variables, dead_code, reason = "only AVX-512 decides in registers")
)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lines;
#[cfg(target_arch = "aarch64")]
mod neon;
mod places;
mod portable;
mod rows;

pub(crate) use lines::Lines;
pub(crate) use places::Places;
pub(crate) use rows::{BitRows, ByteRows};

use std::fmt;
use std::ops::Range;

/// The instructions that the inner loops are made of. All give the same integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kernel {
    /// Plain Rust, one 64-bit word at a time.
    Portable,
    /// AVX2: 32 rows at a time; four bits of the map choose a table of 16 counts, in which
    /// `vpshufb` looks four bits of each row up (after Muła's popcount).
    Avx2,
    /// AVX-512 with VPOPCNTDQ, VNNI and VBMI: 16 rows at a time, 32 bits of each.
    Avx512,
    /// NEON: 16 rows at a time, eight bits of each, with `cnt`.
    Neon,
}

/// Calls the function of a kernel's module.
macro_rules! dispatch {
    ($kernel:expr, $function:ident $arguments:tt) => {
        match $kernel {
            Kernel::Portable => portable::$function $arguments,
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => neon::$function $arguments,
            #[cfg(not(target_arch = "aarch64"))]
            Kernel::Neon => unreachable!("not available"),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 => avx2::$function $arguments,
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::$function $arguments,
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => unreachable!("not available"),
        }
    };
}

impl Kernel {
    /// All of them, slowest first.
    pub const ALL: [Kernel; 4] = [Kernel::Portable, Kernel::Neon, Kernel::Avx2, Kernel::Avx512];

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
            #[cfg(target_arch = "aarch64")]
            Kernel::Neon => neon::is_available(),
            #[cfg(not(target_arch = "aarch64"))]
            Kernel::Neon => false,
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx2 | Kernel::Avx512 => false,
        }
    }

    /// Rows that are computed together: sums have room for whole blocks of them.
    pub(crate) fn block(self) -> usize {
        match self {
            Kernel::Portable => 1,
            Kernel::Avx2 => 32,
            Kernel::Avx512 | Kernel::Neon => 16,
        }
    }

    /// Adds `job.factor` times the number of ones in `weights ^ window` (or `weights & window`) to
    /// the sum of each row of each window; in place of what stood there, when it is the first.
    pub(crate) fn count(self, job: &BitJob<'_>, sums: &mut [i32]) {
        job.check(self);
        check_sums(job.windows.len(), job.stride, job.rows.padded, sums.len());
        dispatch!(self, count(job, sums))
    }

    /// The sum of products of weights with bytes, for each row of each window.
    pub(crate) fn multiply(self, job: &ByteJob<'_>, sums: &mut [i32]) {
        job.check(self);
        check_sums(job.windows.len(), job.stride, job.rows.padded, sums.len());
        dispatch!(self, multiply(job, sums))
    }

    /// Whether it can compare the sums with limits before they leave the registers.
    pub(crate) fn decides(self) -> bool {
        match self {
            Kernel::Avx512 => true,
            Kernel::Avx2 | Kernel::Neon | Kernel::Portable => false,
        }
    }

    /// For each window one bit for each row whose differences are not more than its limit.
    pub(crate) fn count_and_decide(
        self,
        job: &BitJob<'_>,
        decisions: &Decisions<'_>,
        words: &mut [u64],
    ) {
        job.check(self);
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::count_and_decide(job, decisions, words),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx512 => unreachable!("not available"),
            Kernel::Avx2 | Kernel::Neon | Kernel::Portable => unreachable!("it does not decide"),
        }
    }

    /// For each window one bit for each row whose sum of products is not less than its limit.
    pub(crate) fn multiply_and_decide(
        self,
        job: &ByteJob<'_>,
        decisions: &Decisions<'_>,
        words: &mut [u64],
    ) {
        job.check(self);
        match self {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 => avx512::multiply_and_decide(job, decisions, words),
            #[cfg(not(target_arch = "x86_64"))]
            Kernel::Avx512 => unreachable!("not available"),
            Kernel::Avx2 | Kernel::Neon | Kernel::Portable => unreachable!("it does not decide"),
        }
    }

    /// For each pixel one bit for each number that reaches its limit. Bits behind the last are zero.
    pub(crate) fn at_least(self, job: &LimitJob<'_>, words: &mut [u64]) {
        job.check(words.len());
        dispatch!(self, at_least(job, words))
    }

    /// One bit for each byte that reaches its limit. Bits behind the last are zero.
    pub(crate) fn bytes_at_least(self, bytes: &[u8], limits: &[u8], words: &mut [u64]) {
        assert!(bytes.len() == limits.len() && bytes.len() <= 64 * words.len());
        dispatch!(self, bytes_at_least(bytes, limits, words))
    }

    /// What a table has for each byte.
    pub(crate) fn look_up(self, table: &[u8; 256], bytes: &[u8], out: &mut [u8]) {
        assert_eq!(bytes.len(), out.len(), "a byte for each");
        dispatch!(self, look_up(table, bytes, out))
    }

    /// Adds 1 to the level of each number that reaches its limit.
    pub(crate) fn step_up(self, numbers: &[i32], limits: &[i32], levels: &mut [i32]) {
        dispatch!(self, step_up(numbers, limits, levels))
    }

    /// Adds `weights * values` to the sums, element by element; a single value goes with all weights.
    pub(crate) fn accumulate(self, weights: &[i32], values: &[i32], sums: &mut [i32]) {
        dispatch!(self, accumulate(weights, values, sums))
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kernel::Portable => "portable",
            Kernel::Avx2 => "AVX2",
            Kernel::Avx512 => "AVX-512",
            Kernel::Neon => "NEON",
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
    /// Where the words of each window lie.
    pub(crate) places: &'a Places,
    /// Which windows.
    pub(crate) windows: Range<usize>,
    /// What a one counts.
    pub(crate) factor: i32,
    /// Whether the sums start here.
    pub(crate) first: bool,
    /// From the sums of one window to those of the next.
    pub(crate) stride: usize,
}

impl BitJob<'_> {
    fn check(&self, kernel: Kernel) {
        assert_eq!(self.rows.kernel, kernel, "weights are packed for one kernel");
        assert_eq!(self.places.offsets().len(), self.rows.words, "a window is as long as a row");
        self.places.check(&self.windows, 1, self.map.len());
    }
}

/// Products of weights with the bytes of some windows of a map.
#[derive(Debug)]
pub(crate) struct ByteJob<'a> {
    /// The weights.
    pub(crate) rows: &'a ByteRows,
    /// The bytes of a map.
    pub(crate) map: &'a [u8],
    /// Where fours of bytes of each window lie.
    pub(crate) places: &'a Places,
    /// Which windows.
    pub(crate) windows: Range<usize>,
    /// From the sums of one window to those of the next.
    pub(crate) stride: usize,
}

impl ByteJob<'_> {
    fn check(&self, kernel: Kernel) {
        assert_eq!(self.rows.kernel, kernel, "weights are packed for one kernel");
        assert_eq!(self.places.offsets().len(), self.rows.quads, "a window is as long as a row");
        self.places.check(&self.windows, 4, self.map.len());
    }
}

/// Limits for the sums of some windows.
#[derive(Debug)]
pub(crate) struct Decisions<'a> {
    /// The limits of each class, for whole blocks of rows.
    pub(crate) limits: &'a [i32],
    /// The class of each window; empty if there is one class.
    pub(crate) classes: &'a [u32],
}

impl Decisions<'_> {
    /// The limits of a window.
    #[inline(always)]
    fn limits(&self, window: usize, padded: usize) -> &[i32] {
        let class = self.classes.get(window).map_or(0, |&class| class as usize);
        &self.limits[class * padded..][..padded]
    }
}

/// Comparison of the numbers of some pixels with limits.
#[derive(Debug)]
pub(crate) struct LimitJob<'a> {
    /// The numbers of each pixel.
    pub(crate) numbers: &'a [i32],
    /// From the numbers of one pixel to those of the next.
    pub(crate) stride: usize,
    /// Numbers of a pixel.
    pub(crate) rows: usize,
    /// The limits of each class.
    pub(crate) limits: &'a [i32],
    /// The class of each pixel; empty if there is one class.
    pub(crate) classes: &'a [u32],
    /// How many pixels.
    pub(crate) pixels: usize,
}

impl LimitJob<'_> {
    /// The numbers and the limits of a pixel.
    #[inline(always)]
    fn pixel(&self, pixel: usize) -> (&[i32], &[i32]) {
        let class = self.classes.get(pixel).map_or(0, |&class| class as usize);
        let limits = &self.limits[class * self.rows..][..self.rows];
        (&self.numbers[pixel * self.stride..][..self.rows], limits)
    }

    fn check(&self, words: usize) {
        assert_eq!(words, self.pixels * self.rows.div_ceil(64), "pixels have whole words");
        check_sums(self.pixels, self.stride, self.rows, self.numbers.len());
    }
}

fn check_sums(windows: usize, stride: usize, rows: usize, length: usize) {
    assert!(windows == 0 || (windows - 1) * stride + rows <= length, "the sums have no room");
}
