//! NEON.
//!
//! A byte of a register holds eight bits of one of 16 rows. They meet eight bits of the map, the same
//! for all rows, and `cnt` counts the ones of each byte.
#![expect(unsafe_code, reason = "instructions that only some processors have")]
#![expect(clippy::needless_range_loop, reason = "registers are named by their numbers")]

use super::{BitJob, LimitJob};
use std::arch::aarch64::*;

// A compiler for this processor makes NEON of these.
pub(super) use super::portable::{accumulate, bytes_at_least, look_up, multiply, step_up};

/// Whether the processor has what the functions here use.
pub(super) fn is_available() -> bool {
    std::arch::is_aarch64_feature_detected!("neon")
}

/// Words that are counted in bytes: 64 for each.
const WORDS_IN_BYTES: usize = 3;
/// Words that are counted in 16 bits.
const WORDS_IN_SHORTS: usize = 300 * WORDS_IN_BYTES;
const _: () = assert!(WORDS_IN_BYTES * 64 <= u8::MAX as usize);
const _: () = assert!(WORDS_IN_SHORTS * 64 <= u16::MAX as usize);

/// [`Kernel::count`](super::Kernel::count).
pub(super) fn count(job: &BitJob<'_>, sums: &mut [i32]) {
    debug_assert!(is_available());
    // SAFETY: `Golden` takes only kernels whose instructions the processor has.
    unsafe {
        if job.differences { count_all::<true>(job, sums) } else { count_all::<false>(job, sums) }
    }
}

/// [`Kernel::at_least`](super::Kernel::at_least).
pub(super) fn at_least(job: &LimitJob<'_>, words: &mut [u64]) {
    debug_assert!(is_available());
    // SAFETY: `Golden` takes only kernels whose instructions the processor has.
    unsafe { ints_at_least(job, words) }
}

#[target_feature(enable = "neon")]
fn count_all<const XOR: bool>(job: &BitJob<'_>, sums: &mut [i32]) {
    let windows = job.windows.len();
    for block in 0..job.rows.padded / 16 {
        let mut window = 0;
        while window + 4 <= windows {
            count_tile::<XOR, 4>(job, block, window, sums);
            window += 4;
        }
        while window < windows {
            count_tile::<XOR, 1>(job, block, window, sums);
            window += 1;
        }
    }
}

/// 16 rows for `P` windows from `window` on.
#[inline]
#[target_feature(enable = "neon")]
fn count_tile<const XOR: bool, const P: usize>(
    job: &BitJob<'_>,
    block: usize,
    window: usize,
    sums: &mut [i32],
) {
    for (part, offsets) in job.places.offsets().chunks(WORDS_IN_SHORTS).enumerate() {
        let first_word = part * WORDS_IN_SHORTS;
        let shorts = count_shorts::<XOR, P>(job, block, window, first_word, offsets);
        for p in 0..P {
            let sums = &mut sums[(window + p) * job.stride + block * 16..][..16];
            let fours = [
                vmovl_u16(vget_low_u16(shorts[p][0])),
                vmovl_high_u16(shorts[p][0]),
                vmovl_u16(vget_low_u16(shorts[p][1])),
                vmovl_high_u16(shorts[p][1]),
            ];
            for (counts, sums) in fours.into_iter().zip(sums.as_chunks_mut::<4>().0) {
                let counts = vreinterpretq_s32_u32(counts);
                let mut sum = vmulq_n_s32(counts, job.factor);
                if !job.first || part > 0 {
                    // SAFETY: a chunk is four integers.
                    sum = vaddq_s32(sum, unsafe { vld1q_s32(sums.as_ptr()) });
                }
                // SAFETY: a chunk is four integers.
                unsafe { vst1q_s32(sums.as_mut_ptr(), sum) };
            }
        }
    }
}

/// The counts of a tile over some words in 16 bits.
#[inline]
#[target_feature(enable = "neon")]
fn count_shorts<const XOR: bool, const P: usize>(
    job: &BitJob<'_>,
    block: usize,
    window: usize,
    first_word: usize,
    offsets: &[u32],
) -> [[uint16x8_t; 2]; P] {
    let words = job.rows.words;
    let weights = job.rows.lines.bytes()[block * words * 128..][..words * 128].as_ptr();
    let starts = &job.places.starts(&job.windows)[window..window + P];
    let mut shorts = [[vdupq_n_u16(0); 2]; P];
    for (group, offsets) in offsets.chunks(WORDS_IN_BYTES).enumerate() {
        let mut bytes = [vdupq_n_u8(0); P];
        for (at, &offset) in offsets.iter().enumerate() {
            let word = first_word + group * WORDS_IN_BYTES + at;
            let mut x = [0u64; P];
            for p in 0..P {
                // SAFETY: `Kernel::count` checked that the words of every window lie in the map.
                x[p] = unsafe { *job.map.get_unchecked((starts[p] + offset) as usize) };
            }
            for byte in 0..8 {
                // SAFETY: the slice of weights was cut to 8 registers for each word.
                let w = unsafe { vld1q_u8(weights.add((word * 8 + byte) * 16)) };
                for p in 0..P {
                    let x = vdupq_n_u8((x[p] >> (8 * byte)) as u8);
                    let bits = if XOR { veorq_u8(w, x) } else { vandq_u8(w, x) };
                    bytes[p] = vaddq_u8(bytes[p], vcntq_u8(bits));
                }
            }
        }
        for p in 0..P {
            shorts[p][0] = vaddw_u8(shorts[p][0], vget_low_u8(bytes[p]));
            shorts[p][1] = vaddw_high_u8(shorts[p][1], bytes[p]);
        }
    }
    shorts
}

#[target_feature(enable = "neon")]
fn ints_at_least(job: &LimitJob<'_>, words: &mut [u64]) {
    const BITS: [u8; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
    // SAFETY: eight bytes.
    let bits = unsafe { vld1_u8(BITS.as_ptr()) };
    for (pixel, words) in words.chunks_mut(job.rows.div_ceil(64)).enumerate() {
        let (numbers, limits) = job.pixel(pixel);
        let chunks = numbers.chunks(64).zip(limits.chunks(64));
        for (word, (numbers, limits)) in words.iter_mut().zip(chunks) {
            *word = 0;
            let (whole_numbers, some_numbers) = numbers.as_chunks::<8>();
            let (whole_limits, some_limits) = limits.as_chunks::<8>();
            for (part, (numbers, limits)) in whole_numbers.iter().zip(whole_limits).enumerate() {
                // SAFETY: both are 8 integers.
                let [low, high] = [0, 4].map(|half| unsafe {
                    let numbers = vld1q_s32(numbers.as_ptr().add(half));
                    vmovn_u32(vcgeq_s32(numbers, vld1q_s32(limits.as_ptr().add(half))))
                });
                let reached = vmovn_u16(vcombine_u16(low, high));
                *word |= u64::from(vaddv_u8(vand_u8(reached, bits))) << (8 * part);
            }
            for (bit, (number, limit)) in some_numbers.iter().zip(some_limits).enumerate() {
                *word |= u64::from(number >= limit) << (8 * whole_numbers.len() + bit);
            }
        }
    }
}
