//! Rows of bits in 64-bit words.

/// A matrix of bits, each row padded with zeros to whole 64-bit words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BitMatrix {
    rows: usize,
    columns: usize,
    words_per_row: usize,
    words: Vec<u64>,
}

impl BitMatrix {
    /// All zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let words_per_row = columns.div_ceil(64);
        Self { rows, columns, words_per_row, words: vec![0; rows * words_per_row] }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of meaningful bits of each row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Sets the bit at `row`, `column` to one.
    pub fn set(&mut self, row: usize, column: usize) {
        debug_assert!(row < self.rows && column < self.columns);
        self.words[row * self.words_per_row + column / 64] |= 1 << (column % 64);
    }

    /// The bit at `row`, `column`.
    pub fn get(&self, row: usize, column: usize) -> bool {
        self.words[row * self.words_per_row + column / 64] >> (column % 64) & 1 == 1
    }

    /// The words of one row, bit 0 first; bits past [`columns`](Self::columns) are zero.
    pub fn row(&self, row: usize) -> &[u64] {
        &self.words[row * self.words_per_row..][..self.words_per_row]
    }

    /// Clears every bit.
    pub fn clear(&mut self) {
        self.words.fill(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_land_where_they_were_put() {
        let mut m = BitMatrix::zeros(2, 70);
        m.set(1, 69);
        m.set(0, 0);
        assert!(m.get(1, 69) && m.get(0, 0) && !m.get(0, 69));
        assert_eq!(m.row(1), [0, 32]);
    }
}
