//! Elements packed into the words of a stream, as bytes.
//!
//! A word holds `lanes` elements, element 0 in the low bits, every element in exactly its number of
//! bits; the word is stored little-endian in the fewest bytes that hold it, unused high bits zero.
//! The last word of a frame may be partly filled; its other lanes are zero.

use crate::ElementType;

/// Bytes that one word of `lanes` elements takes.
pub fn bytes_per_word(element: ElementType, lanes: usize) -> usize {
    (lanes * element.bits() as usize).div_ceil(8)
}

/// Packs one frame of values into `values.len().div_ceil(lanes)` words, one after another.
pub fn pack(element: ElementType, lanes: usize, values: &[i64]) -> Vec<u8> {
    let width = bytes_per_word(element, lanes);
    let bits = element.bits() as usize;
    let mut bytes = vec![0; values.len().div_ceil(lanes) * width];
    for (word, chunk) in bytes.chunks_mut(width).zip(values.chunks(lanes)) {
        for (lane, &value) in chunk.iter().enumerate() {
            write_field(word, lane * bits, bits, element.encode(value));
        }
    }
    bytes
}

/// The first `elements` values of a frame packed by [`pack`].
pub fn unpack(element: ElementType, lanes: usize, elements: usize, bytes: &[u8]) -> Vec<i64> {
    let width = bytes_per_word(element, lanes);
    let bits = element.bits() as usize;
    (0..elements)
        .map(|i| {
            let word = &bytes[i / lanes * width..][..width];
            element.decode(read_field(word, i % lanes * bits, bits))
        })
        .collect()
}

/// Writes the low `bits` bits of `code` at bit `offset` of a zeroed little-endian word.
pub fn write_field(word: &mut [u8], offset: usize, bits: usize, code: u64) {
    let mut done = 0;
    while done < bits {
        let (byte, shift) = ((offset + done) / 8, (offset + done) % 8);
        let take = (8 - shift).min(bits - done);
        let part = (code >> done) as u8 & (((1u16 << take) - 1) as u8);
        word[byte] |= part << shift;
        done += take;
    }
}

/// Reads `bits` (at most 64) bits at bit `offset` of a little-endian word.
pub fn read_field(word: &[u8], offset: usize, bits: usize) -> u64 {
    let (mut code, mut done) = (0u64, 0);
    while done < bits {
        let (byte, shift) = ((offset + done) / 8, (offset + done) % 8);
        let take = (8 - shift).min(bits - done);
        let part = (word[byte] >> shift) & (((1u16 << take) - 1) as u8);
        code |= u64::from(part) << done;
        done += take;
    }
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_packing_at_any_lane_count() {
        for element in [ElementType::Bipolar, ElementType::Int(3), ElementType::Int(13)] {
            let values: Vec<i64> = (0..23)
                .map(|i| element.decode((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 17))
                .collect();
            for lanes in 1..=23 {
                let bytes = pack(element, lanes, &values);
                assert_eq!(unpack(element, lanes, 23, &bytes), values, "{element} x {lanes}");
            }
        }
    }
}
