//! What a unit computes whose weights are wires.

use compressors::{Neuron, Output, Wired};
use dataflow::Mvu;
use std::sync::Arc;
use tensor::ElementType;

/// The trees of a unit. `weight` gives that of a row and a column, `threshold` that of a row on its dot
/// product; a unit without thresholds gives the dot products in the type `output`.
pub fn wired(
    mvu: &Mvu,
    [input, output]: [ElementType; 2],
    weight: impl Fn(usize, usize) -> i64,
    threshold: impl Fn(usize) -> i64,
) -> Arc<Wired> {
    // A neuron's count has a one for +1 at an input bit 1, and for -1 at an input bit 0.
    let scale = if input == ElementType::Bipolar { 2 } else { 1 };
    let wanted = match mvu.thresholds {
        0 => Output::Sum { bits: output.bits() as usize, shift: scale as usize - 1 },
        _ => Output::Sign,
    };
    let neuron = |row: usize| {
        let weights = (0..mvu.columns).map(|element| weight(row, mvu.column(0, element)) as i8);
        let weights: Vec<i8> = weights.collect();
        let number = |sign: i8| weights.iter().filter(|w| **w == sign).count() as i64;
        let (plus, minus) = (number(1), number(-1));
        let constant = if scale == 2 { -plus - minus } else { -minus };
        // scale * count + constant >= threshold, divided by the scale and rounded up.
        let constant = match wanted {
            Output::Sign => {
                let above = constant.saturating_sub(threshold(row)).div_euclid(scale);
                above.clamp(-plus - minus - 1, 0)
            }
            Output::Sum { .. } => constant,
        };
        Neuron { weights, constant }
    };
    Wired::of((0..mvu.rows).map(neuron).collect(), wanted)
}
