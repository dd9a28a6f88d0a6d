//! Weights and thresholds of a layer from the memories of its PEs.

use super::files::{Folder, Part};
use super::networks::{Arithmetic, Layer, Shape};
use diagnostic::Result;
use ndarray::Array2;

/// Thresholds beyond any sum are brought to this, which float32 holds exactly.
const BEYOND: i128 = 1 << 24;

/// A layer without padding: weights, and thresholds `T` of the rule `s >= T`.
pub(crate) struct Decoded {
    /// Columns in the graph's order: channels, then rows of the kernel, then its columns.
    pub(crate) weights: Array2<i64>,
    pub(crate) thresholds: Array2<i64>,
}

/// Reads the first `rows` rows of a layer.
///
/// Row `r` is computed by PE `r % pe` in its turn `r / pe`. Its columns come in words of `simd`
/// fields of `weight_bits`, least significant first; of one bit, 1 is +1 and 0 is -1, of more, they
/// are in two's complement. The hardware's rule is `accumulator > raw threshold`, on an input that
/// is padded with bits 0, which stand for -1.
pub(crate) fn decode(
    folder: &Folder,
    index: usize,
    layer: &Layer,
    rows: usize,
    weight_bits: usize,
) -> Result<Decoded> {
    let mut weights = Array2::from_elem((rows, layer.inputs), 0);
    let mut thresholds = Array2::from_elem((rows, layer.thresholds), 0);
    let words_per_row = layer.columns / layer.simd;
    for pe in 0..layer.pe {
        let fields = folder.words((index, pe, Part::Weights), layer.weight_words())?;
        let raw = match layer.threshold_words() {
            0 => Vec::new(),
            count => folder.words((index, pe, Part::Thresholds), count)?,
        };
        for (turn, row) in (pe..rows).step_by(layer.pe).enumerate() {
            let words = &fields[turn * words_per_row..][..words_per_row];
            let weight = |column: usize| {
                let shift = column % layer.simd * weight_bits;
                weight_of(words[column / layer.simd] >> shift, weight_bits)
            };
            for column in 0..layer.inputs {
                weights[[row, graph_column(layer, column)]] = weight(column);
            }
            let padding: i64 = (layer.inputs..layer.columns).map(weight).sum();
            let padded = layer.columns - layer.inputs;
            for level in 0..layer.thresholds {
                let raw = raw[turn * layer.thresholds + level] as i64;
                thresholds[[row, level]] =
                    threshold(raw, layer.arithmetic, layer.inputs, padded, padding);
            }
        }
    }
    Ok(Decoded { weights, thresholds })
}

/// The weight in the lowest bits of a word.
fn weight_of(word: u64, bits: usize) -> i64 {
    if bits == 1 {
        return if word & 1 == 1 { 1 } else { -1 };
    }
    let unused = 64 - bits;
    (word << unused) as i64 >> unused
}

/// The column of the graph's weights for a column of the files, in which the channels of a pixel
/// are neighbours.
fn graph_column(layer: &Layer, column: usize) -> usize {
    match layer.shape {
        Shape::Vector => column,
        Shape::Kernel { rows, pool: _ } => {
            let taps = rows * rows;
            let channels = layer.inputs / taps;
            column % channels * taps + column / channels
        }
    }
}

/// The smallest sum over the real inputs that exceeds a raw threshold, given how many columns are
/// padding, and the sum of their weights.
fn threshold(raw: i64, arithmetic: Arithmetic, inputs: usize, padded: usize, padding: i64) -> i64 {
    let [raw, inputs, padded] = [i128::from(raw), inputs as i128, padded as i128];
    let padding = i128::from(padding);
    let smallest = match arithmetic {
        // popcount = (s - padding + inputs + padded) / 2: padding inputs are all -1.
        Arithmetic::Popcount => 2 * (raw + 1) - inputs - padded + padding,
        // accumulator = s - padding.
        Arithmetic::SignedSum => raw + 1 + padding,
        // accumulator = 2 (s - padding).
        Arithmetic::HalfSteps => raw.div_euclid(2) + 1 + padding,
    };
    smallest.clamp(-BEYOND, BEYOND) as i64
}

#[cfg(test)]
mod tests {
    use super::super::networks::NETWORKS;
    use super::*;

    #[test]
    fn thresholds_follow_the_published_rules() {
        assert_eq!(threshold(400, Arithmetic::Popcount, 784, 48, 48), 2 * 401 - 784);
        // Padding of weight -1 always counts as a one.
        assert_eq!(threshold(400, Arithmetic::Popcount, 784, 48, -48), 2 * (401 - 48) - 784);
        assert_eq!(threshold(-5, Arithmetic::SignedSum, 1024, 0, 0), -4);
        // 48 padding inputs of -1 with weights +1 lower the hardware's sum by 48.
        assert_eq!(threshold(-48, Arithmetic::SignedSum, 784, 48, 48), 1);
        for (raw, smallest) in [(5, 3), (4, 3), (3, 2), (0, 1), (-1, 0), (-2, 0), (-3, -1)] {
            assert_eq!(threshold(raw, Arithmetic::HalfSteps, 27, 0, 0), smallest, "{raw}");
        }
        assert_eq!(threshold(i64::MAX, Arithmetic::Popcount, 784, 48, 48), 1 << 24);
        assert_eq!(threshold(i64::MIN, Arithmetic::SignedSum, 784, 48, 48), -(1 << 24));
    }

    #[test]
    fn fields_of_words_are_weights() {
        let of = |bits| [0b00, 0b01, 0b11, 0b110].map(|word| weight_of(word, bits));
        assert_eq!(of(1), [-1, 1, 1, -1]);
        assert_eq!(of(2), [0, 1, -1, -2]);
    }

    #[test]
    fn columns_of_kernels_go_channel_by_channel() {
        let layer = &NETWORKS.iter().find(|n| n.name == "cnvW1A1").unwrap().layers[0];
        let moved: Vec<usize> = (0..27).map(|column| graph_column(layer, column)).collect();
        // Row 1, column 2 of the kernel, channel 1: (1 * 3 + 2) * 3 + 1 in the files.
        assert_eq!(moved[16], 9 + 3 + 2);
        assert_eq!(moved[..4], [0, 9, 18, 1]);
        assert!((0..27).all(|column| moved.contains(&column)));
    }
}
