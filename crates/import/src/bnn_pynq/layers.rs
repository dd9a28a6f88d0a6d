//! Weights and thresholds of a layer from the memories of its PEs.

use super::files::{Folder, Part};
use super::networks::Layer;
use diagnostic::Result;
use ndarray::Array2;

/// Thresholds beyond any sum are brought to this, which float32 holds exactly.
const BEYOND: i128 = 1 << 24;

/// How the hardware's accumulator relates to the signed sum `s` over the real inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// It counts the XNOR ones.
    Popcount,
    /// It is the signed sum.
    SignedSum,
}

/// A layer without padding: weights ±1, and thresholds `T` of the rule `s >= T`.
pub(crate) struct Decoded {
    pub(crate) weights: Array2<i64>,
    pub(crate) thresholds: Array2<i64>,
}

/// Reads the first `rows` rows of a layer.
///
/// Row `r` is computed by PE `r % pe` in its turn `r / pe`. Its columns come in words of `simd`
/// bits, least significant first; bit 1 is +1, bit 0 is -1. The hardware's rule is
/// `accumulator > raw threshold`, on an input that is padded with bits 0, which stand for -1.
pub(crate) fn decode(
    folder: &Folder,
    index: usize,
    layer: &Layer,
    rows: usize,
    arithmetic: Arithmetic,
) -> Result<Decoded> {
    let mut weights = Array2::from_elem((rows, layer.inputs), 0);
    let mut thresholds = Array2::from_elem((rows, layer.thresholds), 0);
    let words_per_row = layer.columns / layer.simd;
    for pe in 0..layer.pe {
        let bits = folder.words((index, pe, Part::Weights), layer.weight_words())?;
        let raw = folder.words((index, pe, Part::Thresholds), layer.threshold_words())?;
        for (turn, row) in (pe..rows).step_by(layer.pe).enumerate() {
            let words = &bits[turn * words_per_row..][..words_per_row];
            let bit = |column: usize| words[column / layer.simd] >> (column % layer.simd) & 1 == 1;
            for column in 0..layer.inputs {
                weights[[row, column]] = if bit(column) { 1 } else { -1 };
            }
            let padding = layer.columns - layer.inputs;
            let ones = (layer.inputs..layer.columns).filter(|&column| bit(column)).count();
            for level in 0..layer.thresholds {
                let raw = raw[turn * layer.thresholds + level] as i64;
                thresholds[[row, level]] =
                    threshold(raw, arithmetic, layer.inputs, ones, padding - ones);
            }
        }
    }
    Ok(Decoded { weights, thresholds })
}

/// The smallest sum over the real inputs that exceeds a raw threshold, given how many padding
/// columns have weight bits 1 and 0.
fn threshold(raw: i64, arithmetic: Arithmetic, inputs: usize, ones: usize, zeros: usize) -> i64 {
    let [raw, inputs, ones, zeros] = [i128::from(raw), inputs as i128, ones as i128, zeros as i128];
    let smallest = match arithmetic {
        // popcount = (s + inputs) / 2 + zeros: padding of weight 0 always counts.
        Arithmetic::Popcount => 2 * (raw + 1 - zeros) - inputs,
        // accumulator = s - ones + zeros: padding adds minus its weights.
        Arithmetic::SignedSum => raw + 1 + ones - zeros,
    };
    smallest.clamp(-BEYOND, BEYOND) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_follow_the_published_rules() {
        assert_eq!(threshold(400, Arithmetic::Popcount, 784, 48, 0), 2 * 401 - 784);
        assert_eq!(threshold(-5, Arithmetic::SignedSum, 1024, 0, 0), -4);
        // 48 padding inputs of -1 with weights +1 lower the hardware's sum by 48.
        assert_eq!(threshold(-48, Arithmetic::SignedSum, 784, 48, 0), 1);
        assert_eq!(threshold(i64::MAX, Arithmetic::Popcount, 784, 48, 0), 1 << 24);
        assert_eq!(threshold(i64::MIN, Arithmetic::SignedSum, 784, 48, 0), -(1 << 24));
    }
}
