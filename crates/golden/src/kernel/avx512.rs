//! AVX-512 with VPOPCNTDQ, VNNI and VBMI.
//!
//! A register holds 32 bits of 16 rows (or four bytes of them). Up to four registers of weights meet
//! up to four windows, so that a weight is loaded once for four windows and a word of a window is
//! spread over a register once for 64 rows.
#![expect(unsafe_code, reason = "instructions that only some processors have")]
#![expect(clippy::needless_range_loop, reason = "registers are named by their numbers")]

use super::{BitJob, ByteJob, Decisions, LimitJob, Places, portable};
use std::arch::x86_64::*;
use std::ops::Range;

/// Whether the processor has what the functions here use.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vpopcntdq")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vbmi")
}

/// Calls a function of this module that needs the instructions.
macro_rules! with_avx512 {
    ($call:expr) => {{
        debug_assert!(is_available());
        // SAFETY: `Golden` takes only kernels whose instructions the processor has.
        unsafe { $call }
    }};
}

/// [`Kernel::count`](super::Kernel::count).
pub(super) fn count(job: &BitJob<'_>, sums: &mut [i32]) {
    if job.differences {
        with_avx512!(count_all::<true>(job, sums));
    } else {
        with_avx512!(count_all::<false>(job, sums));
    }
}

/// [`Kernel::multiply`](super::Kernel::multiply).
pub(super) fn multiply(job: &ByteJob<'_>, sums: &mut [i32]) {
    with_avx512!(multiply_all(job, sums));
}

/// [`Kernel::count_and_decide`](super::Kernel::count_and_decide).
pub(super) fn count_and_decide(job: &BitJob<'_>, decisions: &Decisions<'_>, words: &mut [u64]) {
    with_avx512!(count_and_decide_all(job, decisions, words));
}

/// [`Kernel::multiply_and_decide`](super::Kernel::multiply_and_decide).
pub(super) fn multiply_and_decide(job: &ByteJob<'_>, decisions: &Decisions<'_>, words: &mut [u64]) {
    with_avx512!(multiply_and_decide_all(job, decisions, words));
}

/// [`Kernel::at_least`](super::Kernel::at_least).
pub(super) fn at_least(job: &LimitJob<'_>, words: &mut [u64]) {
    with_avx512!(ints_at_least(job, words));
}

/// [`Kernel::bytes_at_least`](super::Kernel::bytes_at_least).
pub(super) fn bytes_at_least(bytes: &[u8], limits: &[u8], words: &mut [u64]) {
    with_avx512!(all_bytes_at_least(bytes, limits, words));
}

/// [`Kernel::look_up`](super::Kernel::look_up).
pub(super) fn look_up(table: &[u8; 256], bytes: &[u8], out: &mut [u8]) {
    with_avx512!(look_all_up(table, bytes, out));
}

/// [`Kernel::step_up`](super::Kernel::step_up).
pub(super) fn step_up(numbers: &[i32], limits: &[i32], levels: &mut [i32]) {
    #[target_feature(enable = "avx512f,avx512bw")]
    fn wide(numbers: &[i32], limits: &[i32], levels: &mut [i32]) {
        portable::step_up(numbers, limits, levels);
    }
    with_avx512!(wide(numbers, limits, levels));
}

/// [`Kernel::accumulate`](super::Kernel::accumulate).
pub(super) fn accumulate(weights: &[i32], values: &[i32], sums: &mut [i32]) {
    #[target_feature(enable = "avx512f,avx512bw")]
    fn wide(weights: &[i32], values: &[i32], sums: &mut [i32]) {
        portable::accumulate(weights, values, sums);
    }
    with_avx512!(wide(weights, values, sums));
}

/// Calls `$tile::<blocks, windows>` for tiles that cover `$blocks` blocks and `$windows` windows.
macro_rules! in_tiles {
    ($blocks:expr, $windows:expr, |$b:ident, $w:ident, $R:ident, $P:ident| $tile:expr) => {{
        let (blocks, windows): (usize, usize) = ($blocks, $windows);
        let mut $b = 0;
        while $b < blocks {
            let mut $w = 0;
            let high = (blocks - $b).min(4);
            while $w < windows {
                let wide = if windows - $w >= 4 { 4 } else { (windows - $w).min(2) };
                macro_rules! sized {
                    ($r:literal, $p:literal) => {{
                        const $R: usize = $r;
                        const $P: usize = $p;
                        $tile
                    }};
                }
                match (high, wide) {
                    (1, 1) => sized!(1, 1),
                    (1, 2) => sized!(1, 2),
                    (1, _) => sized!(1, 4),
                    (2, 1) => sized!(2, 1),
                    (2, 2) => sized!(2, 2),
                    (2, _) => sized!(2, 4),
                    (3, 1) => sized!(3, 1),
                    (3, 2) => sized!(3, 2),
                    (3, _) => sized!(3, 4),
                    (_, 1) => sized!(4, 1),
                    (_, 2) => sized!(4, 2),
                    (_, _) => sized!(4, 4),
                }
                $w += wide;
            }
            $b += high;
        }
    }};
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn count_all<const XOR: bool>(job: &BitJob<'_>, sums: &mut [i32]) {
    let none = Decisions { limits: &[], classes: &[] };
    let mut ends = Ends { sums, decisions: &none, words: &mut [] };
    in_tiles!(job.rows.padded / 16, job.windows.len(), |block, window, R, P| {
        count_tile::<XOR, false, R, P>(job, block, window, &mut ends)
    });
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn count_and_decide_all(job: &BitJob<'_>, decisions: &Decisions<'_>, words: &mut [u64]) {
    let mut ends = Ends { sums: &mut [], decisions, words };
    in_tiles!(job.rows.padded / 16, job.windows.len(), |block, window, R, P| {
        count_tile::<true, true, R, P>(job, block, window, &mut ends)
    });
}

/// Where sums go: to memory, or into comparisons.
struct Ends<'a> {
    sums: &'a mut [i32],
    decisions: &'a Decisions<'a>,
    words: &'a mut [u64],
}

/// Where `P` windows from `window` on start in the map. As addresses: places would be added up with
/// offsets in vector registers, on whose arithmetic everything waits.
#[inline(always)]
fn starts<T, const P: usize>(
    map: &[T],
    places: &Places,
    windows: &Range<usize>,
    window: usize,
) -> [*const T; P] {
    let mut addresses = [map.as_ptr(); P];
    for (address, &start) in addresses.iter_mut().zip(&places.starts(windows)[window..window + P]) {
        // SAFETY: the callers of the kernel checked that every window starts inside the map.
        *address = unsafe { map.as_ptr().add(start as usize) };
    }
    addresses
}

/// `R` blocks of 16 rows from `block` on, for `P` windows from `window` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn count_tile<const XOR: bool, const DECIDE: bool, const R: usize, const P: usize>(
    job: &BitJob<'_>,
    block: usize,
    window: usize,
    ends: &mut Ends<'_>,
) {
    let steps = 2 * job.rows.words;
    let weights = job.rows.lines.ints()[block * steps * 16..][..R * steps * 16].as_ptr();
    let starts = starts::<u64, P>(job.map, job.places, &job.windows, window);
    let mut counts = [[_mm512_setzero_si512(); P]; R];
    for (at, &offset) in job.places.offsets().iter().enumerate() {
        for half in 0..2 {
            let mut w = [_mm512_setzero_si512(); R];
            for r in 0..R {
                // SAFETY: the slice of weights was cut to `R * steps` registers, and memory of
                // `Lines` starts at a multiple of 64 bytes.
                w[r] = unsafe {
                    _mm512_load_si512(weights.add((r * steps + 2 * at + half) * 16).cast())
                };
            }
            for p in 0..P {
                // SAFETY: `Kernel::count` checked that the words of every window lie inside the map; a
                // word is two of 32 bits.
                let word = unsafe { *starts[p].add(offset as usize).cast::<i32>().add(half) };
                let x = _mm512_set1_epi32(word);
                for r in 0..R {
                    let bits =
                        if XOR { _mm512_xor_si512(w[r], x) } else { _mm512_and_si512(w[r], x) };
                    counts[r][p] = _mm512_add_epi32(counts[r][p], _mm512_popcnt_epi32(bits));
                }
            }
        }
    }
    if DECIDE {
        decide_tile::<true, R, P>(&counts, job.rows.padded, block, window, ends);
        return;
    }
    let factor = _mm512_set1_epi32(job.factor);
    for p in 0..P {
        let sums = &mut ends.sums[(window + p) * job.stride + block * 16..][..R * 16];
        for r in 0..R {
            // SAFETY: the slice was cut to `R` registers.
            let place = unsafe { sums.as_mut_ptr().add(r * 16) }.cast();
            let mut sum = _mm512_mullo_epi32(counts[r][p], factor);
            if !job.first {
                // SAFETY: as above.
                sum = _mm512_add_epi32(sum, unsafe { _mm512_loadu_si512(place) });
            }
            // SAFETY: as above.
            unsafe { _mm512_storeu_si512(place, sum) };
        }
    }
}

/// One bit for each sum of a tile that is at most (or else at least) its limit: a word for each window.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn decide_tile<const MOST: bool, const R: usize, const P: usize>(
    sums: &[[__m512i; P]; R],
    padded: usize,
    block: usize,
    window: usize,
    ends: &mut Ends<'_>,
) {
    let per_window = padded.div_ceil(64);
    for p in 0..P {
        let limits = &ends.decisions.limits(window + p, padded)[block * 16..][..R * 16];
        let mut reached = [0; 4];
        for r in 0..R {
            // SAFETY: the slice was cut to `R` registers.
            let limit = unsafe { _mm512_loadu_si512(limits.as_ptr().add(r * 16).cast()) };
            reached[r] = if MOST {
                _mm512_cmple_epi32_mask(sums[r][p], limit)
            } else {
                _mm512_cmpge_epi32_mask(sums[r][p], limit)
            };
        }
        let low = _mm512_kunpackw(reached[1].into(), reached[0].into());
        let high = _mm512_kunpackw(reached[3].into(), reached[2].into());
        ends.words[(window + p) * per_window + block / 4] =
            _mm512_kunpackd(high.into(), low.into());
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn multiply_all(job: &ByteJob<'_>, sums: &mut [i32]) {
    let none = Decisions { limits: &[], classes: &[] };
    let mut ends = Ends { sums, decisions: &none, words: &mut [] };
    in_tiles!(job.rows.padded / 16, job.windows.len(), |block, window, R, P| {
        multiply_tile::<false, R, P>(job, block, window, &mut ends)
    });
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn multiply_and_decide_all(job: &ByteJob<'_>, decisions: &Decisions<'_>, words: &mut [u64]) {
    let mut ends = Ends { sums: &mut [], decisions, words };
    in_tiles!(job.rows.padded / 16, job.windows.len(), |block, window, R, P| {
        multiply_tile::<true, R, P>(job, block, window, &mut ends)
    });
}

/// `R` blocks of 16 rows from `block` on, for `P` windows from `window` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn multiply_tile<const DECIDE: bool, const R: usize, const P: usize>(
    job: &ByteJob<'_>,
    block: usize,
    window: usize,
    ends: &mut Ends<'_>,
) {
    let quads = job.rows.quads;
    let weights = job.rows.lines.bytes()[block * quads * 64..][..R * quads * 64].as_ptr();
    let starts = starts::<u8, P>(job.map, job.places, &job.windows, window);
    let mut products = [[_mm512_setzero_si512(); P]; R];
    for (at, &offset) in job.places.offsets().iter().enumerate() {
        let mut w = [_mm512_setzero_si512(); R];
        for r in 0..R {
            // SAFETY: the slice of weights was cut to `R * quads` registers, and memory of `Lines`
            // starts at a multiple of 64 bytes.
            w[r] = unsafe { _mm512_load_si512(weights.add((r * quads + at) * 64).cast()) };
        }
        for p in 0..P {
            // SAFETY: `Kernel::multiply` checked that four bytes from there on lie inside the map.
            let four = unsafe { starts[p].add(offset as usize).cast::<i32>().read_unaligned() };
            let x = _mm512_set1_epi32(four);
            for r in 0..R {
                products[r][p] = _mm512_dpbusd_epi32(products[r][p], x, w[r]);
            }
        }
    }
    if DECIDE {
        decide_tile::<false, R, P>(&products, job.rows.padded, block, window, ends);
        return;
    }
    for p in 0..P {
        let sums = &mut ends.sums[(window + p) * job.stride + block * 16..][..R * 16];
        for r in 0..R {
            // SAFETY: the slice was cut to `R` registers.
            unsafe { _mm512_storeu_si512(sums.as_mut_ptr().add(r * 16).cast(), products[r][p]) };
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn ints_at_least(job: &LimitJob<'_>, words: &mut [u64]) {
    for (pixel, words) in words.chunks_mut(job.rows.div_ceil(64)).enumerate() {
        let (numbers, limits) = job.pixel(pixel);
        let (whole_numbers, some_numbers) = numbers.as_chunks::<64>();
        let (whole_limits, some_limits) = limits.as_chunks::<64>();
        let pairs = whole_numbers.iter().zip(whole_limits);
        for (word, (numbers, limits)) in words.iter_mut().zip(pairs) {
            let reached = |part: usize| {
                // SAFETY: both have 64 integers, four registers.
                let (numbers, limits) = unsafe {
                    (
                        _mm512_loadu_si512(numbers.as_ptr().add(16 * part).cast()),
                        _mm512_loadu_si512(limits.as_ptr().add(16 * part).cast()),
                    )
                };
                _mm512_cmpge_epi32_mask(numbers, limits)
            };
            let low = _mm512_kunpackw(reached(1).into(), reached(0).into());
            let high = _mm512_kunpackw(reached(3).into(), reached(2).into());
            *word = _mm512_kunpackd(high.into(), low.into());
        }
        let Some(word) = words.get_mut(whole_numbers.len()) else { continue };
        *word = 0;
        let pairs = some_numbers.chunks(16).zip(some_limits.chunks(16));
        for (part, (numbers, limits)) in pairs.enumerate() {
            let lanes = u16::MAX >> (16 - numbers.len());
            // SAFETY: lanes beyond the chunks, which are equally long, are masked off.
            let (numbers, limits) = unsafe {
                (
                    _mm512_maskz_loadu_epi32(lanes, numbers.as_ptr()),
                    _mm512_maskz_loadu_epi32(lanes, limits.as_ptr()),
                )
            };
            let reached = _mm512_mask_cmpge_epi32_mask(lanes, numbers, limits);
            *word |= u64::from(reached) << (16 * part);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vpopcntdq,avx512vnni")]
fn all_bytes_at_least(bytes: &[u8], limits: &[u8], words: &mut [u64]) {
    words.fill(0);
    let pairs = bytes.chunks(64).zip(limits.chunks(64));
    for (word, (bytes, limits)) in words.iter_mut().zip(pairs) {
        let lanes = u64::MAX >> (64 - bytes.len());
        // SAFETY: lanes beyond the chunks, which are equally long, are masked off.
        let (bytes, limits) = unsafe {
            (
                _mm512_maskz_loadu_epi8(lanes, bytes.as_ptr().cast()),
                _mm512_maskz_loadu_epi8(lanes, limits.as_ptr().cast()),
            )
        };
        *word = _mm512_mask_cmpge_epu8_mask(lanes, bytes, limits);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn look_all_up(table: &[u8; 256], bytes: &[u8], out: &mut [u8]) {
    // SAFETY: a quarter of the table is a register.
    let quarter = |n: usize| unsafe { _mm512_loadu_si512(table.as_ptr().add(64 * n).cast()) };
    let quarters = [0, 1, 2, 3].map(quarter);
    let (whole, some) = bytes.as_chunks::<64>();
    let (whole_out, some_out) = out.as_chunks_mut::<64>();
    for (bytes, out) in whole.iter().zip(whole_out) {
        // SAFETY: 64 bytes.
        let bytes = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
        let low = _mm512_permutex2var_epi8(quarters[0], bytes, quarters[1]);
        let high = _mm512_permutex2var_epi8(quarters[2], bytes, quarters[3]);
        let found = _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high);
        // SAFETY: 64 bytes.
        unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), found) };
    }
    portable::look_up(table, some, some_out);
}
