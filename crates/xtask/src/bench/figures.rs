//! Numbers for tables.

/// The median, and the range as a share of it in percent.
pub(super) fn median_and_spread(values: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    let middle = sorted.len() / 2;
    let median = if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    };
    Some((median, (last - first) / median * 100.0))
}

/// A positive number with at least three digits that count.
pub(super) fn three_digits(value: f64) -> String {
    let digits = (2.0 - value.abs().max(1e-9).log10().floor()).clamp(0.0, 9.0);
    format!("{value:.*}", digits as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_an_odd_and_an_even_number_of_runs() {
        assert_eq!(median_and_spread(&[3.0, 1.0, 2.0]), Some((2.0, 100.0)));
        assert_eq!(median_and_spread(&[4.0, 1.0, 2.0, 2.0]), Some((2.0, 150.0)));
        assert_eq!(median_and_spread(&[]), None);
    }

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(three_digits(0.012_34), "0.0123");
        assert_eq!(three_digits(1.234), "1.23");
        assert_eq!(three_digits(12_345.6), "12346");
    }
}
