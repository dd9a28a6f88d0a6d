//! AVX2.
//!
//! A byte of a register holds four bits of one of 32 rows. The four bits of the map that meet them
//! are the same for all rows: they choose one of 16 tables, and `vpshufb` looks the counts of all 32
//! rows up in it. That is Muła's popcount (Muła, Kurz, Lemire 2018) with XOR or AND inside the table.
#![expect(unsafe_code, reason = "instructions that only some processors have")]
#![expect(clippy::needless_range_loop, reason = "registers are named by their numbers")]

pub(super) use super::portable::look_up;
use super::{BitJob, ByteJob, LimitJob, portable};
use std::arch::x86_64::*;

/// Whether the processor has what the functions here use.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
}

/// Calls a function of this module that needs the instructions.
macro_rules! with_avx2 {
    ($call:expr) => {{
        debug_assert!(is_available());
        // SAFETY: `Golden` takes only kernels whose instructions the processor has.
        unsafe { $call }
    }};
}

/// A table of 16 counts.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Counts([u8; 16]);

/// For four bits of the map, the counts of each four bits of a row.
const fn tables(differences: bool) -> [Counts; 16] {
    let mut tables = [Counts([0; 16]); 16];
    let mut x = 0;
    while x < 16 {
        let mut w = 0;
        while w < 16 {
            let bits: usize = if differences { x ^ w } else { x & w };
            tables[x].0[w] = bits.count_ones() as u8;
            w += 1;
        }
        x += 1;
    }
    tables
}

static DIFFERENCES: [Counts; 16] = tables(true);
static IN_COMMON: [Counts; 16] = tables(false);

/// Words that are counted in bytes: 4 for each of 16 lookups in a word.
const WORDS_IN_BYTES: usize = 3;
/// Words that are counted in 16 bits.
const WORDS_IN_SHORTS: usize = 300 * WORDS_IN_BYTES;
const _: () = assert!(WORDS_IN_BYTES * 64 <= u8::MAX as usize);
const _: () = assert!(WORDS_IN_SHORTS * 64 <= u16::MAX as usize);

/// [`Kernel::count`](super::Kernel::count).
pub(super) fn count(job: &BitJob<'_>, sums: &mut [i32]) {
    with_avx2!(count_all(job, sums));
}

/// [`Kernel::multiply`](super::Kernel::multiply).
pub(super) fn multiply(job: &ByteJob<'_>, sums: &mut [i32]) {
    with_avx2!(multiply_all(job, sums));
}

/// [`Kernel::at_least`](super::Kernel::at_least).
pub(super) fn at_least(job: &LimitJob<'_>, words: &mut [u64]) {
    with_avx2!(ints_at_least(job, words));
}

/// [`Kernel::bytes_at_least`](super::Kernel::bytes_at_least).
pub(super) fn bytes_at_least(bytes: &[u8], limits: &[u8], words: &mut [u64]) {
    with_avx2!(all_bytes_at_least(bytes, limits, words));
}

/// [`Kernel::step_up`](super::Kernel::step_up).
pub(super) fn step_up(numbers: &[i32], limits: &[i32], levels: &mut [i32]) {
    #[target_feature(enable = "avx2")]
    fn wide(numbers: &[i32], limits: &[i32], levels: &mut [i32]) {
        portable::step_up(numbers, limits, levels);
    }
    with_avx2!(wide(numbers, limits, levels));
}

/// [`Kernel::accumulate`](super::Kernel::accumulate).
pub(super) fn accumulate(weights: &[i32], values: &[i32], sums: &mut [i32]) {
    #[target_feature(enable = "avx2")]
    fn wide(weights: &[i32], values: &[i32], sums: &mut [i32]) {
        portable::accumulate(weights, values, sums);
    }
    with_avx2!(wide(weights, values, sums));
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
fn count_all(job: &BitJob<'_>, sums: &mut [i32]) {
    let (blocks, windows) = (job.rows.padded / 32, job.windows.len());
    let mut block = 0;
    while block < blocks {
        let high = (blocks - block).min(2);
        let mut window = 0;
        while window < windows {
            let wide = if windows - window >= 4 { 4 } else { 1 };
            match (high, wide) {
                (1, 1) => count_tile::<1, 1>(job, block, window, sums),
                (1, _) => count_tile::<1, 4>(job, block, window, sums),
                (_, 1) => count_tile::<2, 1>(job, block, window, sums),
                (_, _) => count_tile::<2, 4>(job, block, window, sums),
            }
            window += wide;
        }
        block += high;
    }
}

/// `R` blocks of 32 rows from `block` on, for `P` windows from `window` on.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn count_tile<const R: usize, const P: usize>(
    job: &BitJob<'_>,
    block: usize,
    window: usize,
    sums: &mut [i32],
) {
    for (part, offsets) in job.places.offsets().chunks(WORDS_IN_SHORTS).enumerate() {
        let first_word = part * WORDS_IN_SHORTS;
        let shorts = count_shorts::<R, P>(job, block, window, first_word, offsets);
        let factor = _mm256_set1_epi32(job.factor);
        for p in 0..P {
            for r in 0..R {
                let place = (window + p) * job.stride + (block + r) * 32;
                let place = sums[place..][..32].as_mut_ptr();
                for half in 0..2 {
                    let counts = shorts[r][p][half];
                    let fours = [
                        _mm256_cvtepu16_epi32(_mm256_castsi256_si128(counts)),
                        _mm256_cvtepu16_epi32(_mm256_extracti128_si256::<1>(counts)),
                    ];
                    for (quarter, counts) in fours.into_iter().enumerate() {
                        let mut sum = _mm256_mullo_epi32(counts, factor);
                        // SAFETY: the slice was cut to 32 integers, four registers.
                        unsafe {
                            let place = place.add(16 * half + 8 * quarter).cast::<__m256i>();
                            if !job.first || part > 0 {
                                sum = _mm256_add_epi32(sum, _mm256_loadu_si256(place));
                            }
                            _mm256_storeu_si256(place, sum);
                        }
                    }
                }
            }
        }
    }
}

/// The counts of a tile over some words, rows in order, in 16 bits.
#[inline]
#[target_feature(enable = "avx2,bmi1,bmi2")]
fn count_shorts<const R: usize, const P: usize>(
    job: &BitJob<'_>,
    block: usize,
    window: usize,
    first_word: usize,
    offsets: &[u32],
) -> [[[__m256i; 2]; P]; R] {
    let tables = if job.differences { &DIFFERENCES } else { &IN_COMMON };
    let zero = _mm256_setzero_si256();
    let words = job.rows.words;
    let weights = job.rows.lines.bytes()[block * words * 512..][..R * words * 512].as_ptr();
    let starts = &job.places.starts(&job.windows)[window..window + P];
    let mut shorts = [[[zero; 2]; P]; R];
    for (group, offsets) in offsets.chunks(WORDS_IN_BYTES).enumerate() {
        let mut bytes = [[zero; P]; R];
        for (at, &offset) in offsets.iter().enumerate() {
            let word = first_word + group * WORDS_IN_BYTES + at;
            let mut x = [0; P];
            for p in 0..P {
                // SAFETY: `Kernel::count` checked that the words of every window lie in the map.
                x[p] = unsafe { *job.map.get_unchecked((starts[p] + offset) as usize) };
            }
            for nibble in 0..16 {
                let mut w = [zero; R];
                for r in 0..R {
                    let place = ((r * words + word) * 16 + nibble) * 32;
                    // SAFETY: the slice of weights was cut to 16 registers for each word of `R` rows.
                    w[r] = unsafe { _mm256_load_si256(weights.add(place).cast()) };
                }
                for p in 0..P {
                    let table = &tables[(x[p] >> (4 * nibble) & 15) as usize];
                    // SAFETY: a table is 16 bytes at a multiple of 16.
                    let table = unsafe { _mm_load_si128(table.0.as_ptr().cast()) };
                    let table = _mm256_broadcastsi128_si256(table);
                    for r in 0..R {
                        let counts = _mm256_shuffle_epi8(table, w[r]);
                        bytes[r][p] = _mm256_add_epi8(bytes[r][p], counts);
                    }
                }
            }
        }
        for r in 0..R {
            for p in 0..P {
                let halves = [
                    _mm256_unpacklo_epi8(bytes[r][p], zero),
                    _mm256_unpackhi_epi8(bytes[r][p], zero),
                ];
                for half in 0..2 {
                    shorts[r][p][half] = _mm256_add_epi16(shorts[r][p][half], halves[half]);
                }
            }
        }
    }
    shorts
}

#[target_feature(enable = "avx2")]
fn multiply_all(job: &ByteJob<'_>, sums: &mut [i32]) {
    // Blocks of 32 rows are four registers.
    for block in (0..job.rows.padded / 8).step_by(4) {
        let mut window = 0;
        while window + 2 <= job.windows.len() {
            multiply_tile::<4, 2>(job, block, window, sums);
            window += 2;
        }
        if window < job.windows.len() {
            multiply_tile::<4, 1>(job, block, window, sums);
        }
    }
}

/// `R` blocks of 8 rows from `block` on, for `P` windows from `window` on.
#[inline]
#[target_feature(enable = "avx2")]
fn multiply_tile<const R: usize, const P: usize>(
    job: &ByteJob<'_>,
    block: usize,
    window: usize,
    sums: &mut [i32],
) {
    let quads = job.rows.quads;
    let weights = job.rows.lines.bytes()[block * quads * 32..][..R * quads * 32].as_ptr();
    let starts = &job.places.starts(&job.windows)[window..window + P];
    let ones = _mm256_set1_epi16(1);
    let mut products = [[_mm256_setzero_si256(); P]; R];
    for (at, &offset) in job.places.offsets().iter().enumerate() {
        let mut w = [_mm256_setzero_si256(); R];
        for r in 0..R {
            // SAFETY: the slice of weights was cut to `R * quads` registers.
            w[r] = unsafe { _mm256_load_si256(weights.add((r * quads + at) * 32).cast()) };
        }
        for p in 0..P {
            let place = (starts[p] + offset) as usize;
            // SAFETY: `Kernel::multiply` checked that four bytes from there on lie inside the map.
            let four = unsafe { job.map.as_ptr().add(place).cast::<i32>().read_unaligned() };
            let x = _mm256_set1_epi32(four);
            for r in 0..R {
                // Two products fit into 16 bits: see `ByteRows::LARGEST`.
                let pairs = _mm256_maddubs_epi16(x, w[r]);
                products[r][p] = _mm256_add_epi32(products[r][p], _mm256_madd_epi16(pairs, ones));
            }
        }
    }
    for p in 0..P {
        for r in 0..R {
            let place = sums[(window + p) * job.stride + (block + r) * 8..][..8].as_mut_ptr();
            // SAFETY: the slice was cut to 8 integers.
            unsafe { _mm256_storeu_si256(place.cast(), products[r][p]) };
        }
    }
}

#[target_feature(enable = "avx2")]
fn ints_at_least(job: &LimitJob<'_>, words: &mut [u64]) {
    for (pixel, words) in words.chunks_mut(job.rows.div_ceil(64)).enumerate() {
        let (numbers, limits) = job.pixel(pixel);
        for (word, (numbers, limits)) in
            words.iter_mut().zip(numbers.chunks(64).zip(limits.chunks(64)))
        {
            *word = 0;
            let (whole_numbers, some_numbers) = numbers.as_chunks::<8>();
            let (whole_limits, some_limits) = limits.as_chunks::<8>();
            for (part, (numbers, limits)) in whole_numbers.iter().zip(whole_limits).enumerate() {
                // SAFETY: both are 8 integers.
                let (numbers, limits) = unsafe {
                    (
                        _mm256_loadu_si256(numbers.as_ptr().cast()),
                        _mm256_loadu_si256(limits.as_ptr().cast()),
                    )
                };
                let below = _mm256_castsi256_ps(_mm256_cmpgt_epi32(limits, numbers));
                let reached = !_mm256_movemask_ps(below) & 0xff;
                *word |= (reached as u64) << (8 * part);
            }
            for (bit, (number, limit)) in some_numbers.iter().zip(some_limits).enumerate() {
                *word |= u64::from(number >= limit) << (8 * whole_numbers.len() + bit);
            }
        }
    }
}

#[target_feature(enable = "avx2")]
fn all_bytes_at_least(bytes: &[u8], limits: &[u8], words: &mut [u64]) {
    words.fill(0);
    let whole = bytes.len() / 32 * 32;
    let pairs = bytes[..whole].chunks(32).zip(limits[..whole].chunks(32));
    for (at, (bytes, limits)) in pairs.enumerate() {
        // SAFETY: both chunks are 32 bytes.
        let (bytes, limits) = unsafe {
            (_mm256_loadu_si256(bytes.as_ptr().cast()), _mm256_loadu_si256(limits.as_ptr().cast()))
        };
        let reached = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, limits), bytes);
        let reached = _mm256_movemask_epi8(reached) as u32;
        words[at / 2] |= u64::from(reached) << (at % 2 * 32);
    }
    for at in whole..bytes.len() {
        words[at / 64] |= u64::from(bytes[at] >= limits[at]) << (at % 64);
    }
}
