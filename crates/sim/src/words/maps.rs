//! The words of a map.

use dataflow::Stream;
use golden::View;
use tensor::words;

/// Packs integers into words.
pub(super) fn pack(values: &[i64], stream: &Stream, out: &mut [u8]) {
    let pixel = stream.words_per_pixel() * stream.bytes();
    for (values, out) in values.chunks(stream.pixel).zip(out.chunks_mut(pixel)) {
        out.copy_from_slice(&words::pack(stream.element, stream.lanes, values));
    }
}

/// Cuts a map into words, if that is a matter of whole bytes, or of some bits of one.
pub(super) fn cut(view: View<'_>, stream: &Stream, out: &mut [u8]) -> bool {
    let lanes = stream.lanes;
    if !stream.pixel.is_multiple_of(lanes) {
        return false;
    }
    match view {
        View::Bits { element, words, words_per_pixel, channels } => {
            if element.bits() != 1 || !channels.is_multiple_of(lanes) {
                return false;
            }
            let pixels = words.chunks(words_per_pixel);
            match lanes {
                1 => pixels.zip(out.chunks_mut(channels)).for_each(split::<1>),
                2 => pixels.zip(out.chunks_mut(channels / 2)).for_each(split::<2>),
                4 => pixels.zip(out.chunks_mut(channels / 4)).for_each(split::<4>),
                _ if !lanes.is_multiple_of(8) => return false,
                // Golden words are full, so that pixels follow each other as those of the stream.
                _ if channels.is_multiple_of(64) => whole((words, out)),
                _ => pixels.zip(out.chunks_mut(channels / 8)).for_each(whole),
            }
            true
        }
        View::Bytes { lowest, bytes } if stream.element.bits() == 8 => {
            for (out, byte) in out.iter_mut().zip(bytes) {
                *out = byte.wrapping_add(lowest as u8);
            }
            true
        }
        View::Bytes { .. } | View::Ints(_) | View::Wide(_) => false,
    }
}

/// The bytes of some words; behind the last one there may be too few for a whole word.
fn whole((words, out): (&[u64], &mut [u8])) {
    let (whole, rest) = out.as_chunks_mut::<8>();
    for (word, out) in words.iter().zip(&mut *whole) {
        *out = word.to_le_bytes();
    }
    if let Some(word) = words.get(whole.len()) {
        rest.copy_from_slice(&word.to_le_bytes()[..rest.len()]);
    }
}

/// A byte for every `LANES` bits of some words.
fn split<const LANES: usize>((words, out): (&[u64], &mut [u8])) {
    for (word, out) in words.iter().zip(out.chunks_mut(64 / LANES)) {
        for (at, out) in out.iter_mut().enumerate() {
            *out = (word >> (at * LANES)) as u8 & ((1 << LANES) - 1);
        }
    }
}
