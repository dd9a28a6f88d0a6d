//! What is known of a matrix before any frame comes.
//!
//! A number is a sum over the bits of its code, `x = sum(c_b * x_b) + constant`. With counts of ones
//! `|.|`, the products of a row come out as
//!
//! - bipolar weights: `sum(w * x) = sum(c_b * (|w| - |w ^ x_b|)) + constant * sum(w)`,
//! - others: `sum(w * x) = sum(c_a * c_b * |w_a & x_b|) + constant * sum(w)`,
//!
//! so that only counts depend on the frame, and one constant of each row is left.

use crate::kernel::ByteRows;
use crate::layout::{Form, Layout};
use streamline::{Conv, Dense, Padding};
use tensor::ElementType;

/// What a bit of each plane counts.
pub(crate) fn planes(element: ElementType) -> Vec<i64> {
    let bits = element.bits();
    match element {
        ElementType::Bipolar => vec![2],
        ElementType::Uint(_) => (0..bits).map(|bit| 1 << bit).collect(),
        ElementType::Int(_) | ElementType::Fixed { .. } => {
            (0..bits).map(|bit| if bit + 1 == bits { -(1 << bit) } else { 1 << bit }).collect()
        }
    }
}

/// What the sums of each row lack of the accumulator, class after class.
pub(crate) fn constants(dense: &Dense, input: Layout, conv: Option<&Conv>) -> Vec<i64> {
    let rows = dense.weights.nrows();
    let lacking = |row: usize| -> i64 {
        let row = dense.weights.row(row);
        let sum: i64 = row.sum();
        match input.form {
            Form::Ints | Form::Wide => 0,
            Form::Bytes => input.element.min() * sum,
            Form::Bits => {
                let constant = if input.element == ElementType::Bipolar { -sum } else { 0 };
                let ones = row.iter().filter(|&&w| w == 1).count() as i64;
                let all: i64 = planes(input.element).iter().sum();
                let bipolar = dense.weight == ElementType::Bipolar;
                constant + if bipolar { all * ones } else { 0 }
            }
        }
    };
    let constants: Vec<i64> = (0..rows).map(lacking).collect();
    let Some(conv) = conv else { return constants };
    let borders = conv.borders();
    // Bits where nothing is stand for -1.
    let minus = input.form == Form::Bits
        && input.element == ElementType::Bipolar
        && conv.padding == Padding::Nothing;
    let of_class = |class: usize| {
        let mut constants = constants.clone();
        for (row, constant) in constants.iter_mut().enumerate() {
            let weights = dense.weights.row(row).into_iter().enumerate();
            let missing = weights.filter(|(column, _)| !borders.has(class, conv.column(*column).0));
            if minus {
                *constant += missing.map(|(_, w)| w).sum::<i64>();
            }
        }
        constants
    };
    (0..borders.count()).flat_map(of_class).collect()
}

/// In which form a matrix of `groups` groups of rows takes elements of a type, `channels` in a pixel.
pub(crate) fn form(dense: &Dense, groups: usize, element: ElementType, channels: usize) -> Form {
    let size = element.min().unsigned_abs().max(element.max().unsigned_abs());
    let row = |row: usize| {
        let weights = dense.weights.row(row);
        weights.iter().fold(0, |sum: u64, w| sum.saturating_add(w.unsigned_abs()))
    };
    let largest = (0..dense.weights.nrows()).map(row).max().unwrap_or(0).saturating_mul(size);
    // Sums without their constants may be a few times as large.
    if largest > 1 << 28 || element.bits() > 28 {
        return Form::Wide;
    }
    // Products in a cycle, roughly, of a register of 512 bits.
    let pairs = u64::from(element.bits() * dense.weight.bits());
    let group = channels / groups;
    let filled = |whole: usize| group as f64 / group.next_multiple_of(whole) as f64;
    let bits = 340.0 / pairs as f64 * filled(64);
    let small = dense.weights.iter().all(|w| w.abs() <= ByteRows::LARGEST);
    let bytes = if groups == 1 && small && element.bits() <= 8 { 64.0 } else { 0.0 };
    let aligned = groups == 1 || group.is_multiple_of(64);
    if aligned && bits >= bytes && bits > 16.0 {
        Form::Bits
    } else if bytes > 0.0 {
        Form::Bytes
    } else {
        Form::Ints
    }
}
