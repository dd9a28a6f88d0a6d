//! Plain Rust: what the other kernels are held against. The loops over rows are written so that a
//! compiler can put them into registers of any width; the other kernels use some of them so.

use super::{BitJob, ByteJob, LimitJob};

/// [`Kernel::count`](super::Kernel::count).
pub(super) fn count(job: &BitJob<'_>, sums: &mut [i32]) {
    let rows = job.rows.padded;
    let weights = job.rows.lines.words();
    for (&start, sums) in job.places.starts(&job.windows).iter().zip(sums.chunks_mut(job.stride)) {
        let sums = &mut sums[..rows];
        if job.first {
            sums.fill(0);
        }
        for (&offset, weights) in job.places.offsets().iter().zip(weights.chunks(rows)) {
            let word = job.map[(start + offset) as usize];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                let bits = if job.differences { weight ^ word } else { weight & word };
                *sum += job.factor * bits.count_ones() as i32;
            }
        }
    }
}

/// [`Kernel::multiply`](super::Kernel::multiply).
pub(super) fn multiply(job: &ByteJob<'_>, sums: &mut [i32]) {
    let rows = job.rows.padded;
    let weights = job.rows.lines.bytes();
    for (&start, sums) in job.places.starts(&job.windows).iter().zip(sums.chunks_mut(job.stride)) {
        let sums = &mut sums[..rows];
        sums.fill(0);
        for (&offset, weights) in job.places.offsets().iter().zip(weights.chunks(4 * rows)) {
            let bytes = &job.map[(start + offset) as usize..][..4];
            let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]].map(i32::from);
            for (sum, weights) in sums.iter_mut().zip(weights.as_chunks::<4>().0) {
                *sum +=
                    weights.iter().zip(bytes).map(|(&w, x)| i32::from(w as i8) * x).sum::<i32>();
            }
        }
    }
}

/// [`Kernel::at_least`](super::Kernel::at_least).
pub(super) fn at_least(job: &LimitJob<'_>, words: &mut [u64]) {
    for (pixel, words) in words.chunks_mut(job.rows.div_ceil(64)).enumerate() {
        let (numbers, limits) = job.pixel(pixel);
        bytes_at_least(numbers, limits, words);
    }
}

/// [`Kernel::bytes_at_least`](super::Kernel::bytes_at_least), of numbers of any type.
pub(super) fn bytes_at_least<T: PartialOrd>(numbers: &[T], limits: &[T], words: &mut [u64]) {
    words.fill(0);
    let pairs = numbers.chunks(64).zip(limits.chunks(64));
    for (word, (numbers, limits)) in words.iter_mut().zip(pairs) {
        for (bit, (number, limit)) in numbers.iter().zip(limits).enumerate() {
            *word |= u64::from(number >= limit) << bit;
        }
    }
}

/// [`Kernel::look_up`](super::Kernel::look_up).
pub(super) fn look_up(table: &[u8; 256], bytes: &[u8], out: &mut [u8]) {
    out.iter_mut().zip(bytes).for_each(|(out, &byte)| *out = table[usize::from(byte)]);
}

/// [`Kernel::step_up`](super::Kernel::step_up).
#[inline(always)]
pub(super) fn step_up(numbers: &[i32], limits: &[i32], levels: &mut [i32]) {
    for ((level, number), limit) in levels.iter_mut().zip(numbers).zip(limits) {
        *level += i32::from(number >= limit);
    }
}

/// [`Kernel::accumulate`](super::Kernel::accumulate).
#[inline(always)]
pub(super) fn accumulate(weights: &[i32], values: &[i32], sums: &mut [i32]) {
    if let [value] = *values {
        for (sum, weight) in sums.iter_mut().zip(weights) {
            *sum += weight * value;
        }
    } else {
        for ((sum, weight), value) in sums.iter_mut().zip(weights).zip(values) {
            *sum += weight * value;
        }
    }
}
