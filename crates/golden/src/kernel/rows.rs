//! Weights in the order in which a kernel reads them.

use super::{Kernel, Lines};

/// Rows of bits.
#[derive(Debug, Clone)]
pub(crate) struct BitRows {
    /// The kernel that reads them.
    pub(super) kernel: Kernel,
    /// Whole blocks of rows.
    pub(super) padded: usize,
    /// 64-bit words of a row.
    pub(super) words: usize,
    /// All of them.
    pub(super) lines: Lines,
}

impl BitRows {
    /// Arranges `rows` rows of `words` words each, which `word` gives.
    pub(crate) fn new(
        kernel: Kernel,
        rows: usize,
        words: usize,
        word: impl Fn(usize, usize) -> u64,
    ) -> Self {
        let padded = rows.next_multiple_of(kernel.block());
        let bytes = match kernel {
            Kernel::Portable | Kernel::Avx512 | Kernel::Neon => 8,
            // Four bits in each byte.
            Kernel::Avx2 => 16,
        };
        let mut lines = Lines::zeros(padded * words * bytes);
        for row in 0..rows {
            let (block, lane) = (row / kernel.block(), row % kernel.block());
            for at in 0..words {
                let word = word(row, at);
                match kernel {
                    Kernel::Portable => lines.words_mut()[at * padded + row] = word,
                    Kernel::Avx512 => {
                        let first = (block * words + at) * 2 * 16 + lane;
                        lines.ints_mut()[first] = word as u32 as i32;
                        lines.ints_mut()[first + 16] = (word >> 32) as u32 as i32;
                    }
                    Kernel::Neon => {
                        for (byte, bits) in word.to_le_bytes().into_iter().enumerate() {
                            let place = ((block * words + at) * 8 + byte) * 16 + lane;
                            lines.bytes_mut()[place] = bits;
                        }
                    }
                    Kernel::Avx2 => {
                        // The order that unpacking bytes to 16 bits in two halves undoes.
                        let lane = lane & 7 | (lane & 8) << 1 | (lane & 16) >> 1;
                        for nibble in 0..16 {
                            let place = ((block * words + at) * 16 + nibble) * 32 + lane;
                            lines.bytes_mut()[place] = (word >> (4 * nibble) & 15) as u8;
                        }
                    }
                }
            }
        }
        Self { kernel, padded, words, lines }
    }
}

/// Rows of small integers, at most [`ByteRows::LARGEST`] in size, in fours.
#[derive(Debug, Clone)]
pub(crate) struct ByteRows {
    /// The kernel that reads them.
    pub(super) kernel: Kernel,
    /// Whole blocks of rows.
    pub(super) padded: usize,
    /// Fours of bytes in a row.
    pub(super) quads: usize,
    /// All of them.
    pub(super) lines: Lines,
}

impl ByteRows {
    /// With larger weights two products of bytes would not fit into 16 bits.
    pub(crate) const LARGEST: i64 = 64;

    /// Arranges `rows` rows of `quads` fours each, which `weight` gives.
    pub(crate) fn new(
        kernel: Kernel,
        rows: usize,
        quads: usize,
        weight: impl Fn(usize, usize) -> i8,
    ) -> Self {
        let padded = rows.next_multiple_of(kernel.block());
        let lanes = match kernel {
            Kernel::Portable | Kernel::Neon => padded,
            Kernel::Avx2 => 8,
            Kernel::Avx512 => 16,
        };
        let mut lines = Lines::zeros(padded * quads * 4);
        for row in 0..rows {
            let (block, lane) = (row / lanes, row % lanes);
            for at in 0..4 * quads {
                let place = ((block * quads + at / 4) * lanes + lane) * 4 + at % 4;
                lines.bytes_mut()[place] = weight(row, at) as u8;
            }
        }
        Self { kernel, padded, quads, lines }
    }
}
