//! Levels by comparison with ascending thresholds.

use std::ops::Range;
use streamline::Thresholds;

/// The output value of each element: element `e` is compared with row `e` modulo the rows of
/// `values`.
pub(crate) fn levels(t: &Thresholds, values: &[i64]) -> Vec<i64> {
    levels_of(t, 0..t.values.nrows(), values)
}

/// The same with a part of the rows.
pub(crate) fn levels_of(t: &Thresholds, rows: Range<usize>, values: &[i64]) -> Vec<i64> {
    let count = t.values.ncols();
    let flat = t.values.as_slice().expect("thresholds are in standard order");
    let flat = &flat[rows.start * count..rows.end * count];
    let value = |(row, x): (&[i64], &i64)| {
        let level = row.partition_point(|threshold| x >= threshold);
        t.value(level as i64)
    };
    flat.chunks(count).cycle().zip(values).map(value).collect()
}
