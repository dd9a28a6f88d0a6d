//! Levels by comparison with ascending thresholds.

use streamline::Thresholds;

/// The output value of each element: one row of thresholds each, or one for all.
pub(crate) fn levels(t: &Thresholds, values: &[i64]) -> Vec<i64> {
    let count = t.values.ncols();
    let flat = t.values.as_slice().expect("thresholds are in standard order");
    let shared = t.values.nrows() == 1;
    let value = |(element, x): (usize, &i64)| {
        let row = if shared { 0 } else { element };
        let level = flat[row * count..][..count].partition_point(|threshold| x >= threshold);
        t.value(level as i64)
    };
    values.iter().enumerate().map(value).collect()
}
