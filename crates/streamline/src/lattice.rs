//! The integers behind a finite set of float values.

/// Largest magnitude of an activation: 8 bits unsigned.
const MAX_MAGNITUDE: f64 = 255.0;

/// The largest step, natural steps first, of which all values are whole multiples of at most 8
/// bits (-128..=127, or 0..=255 when none is negative).
pub(crate) fn step(values: &[f64], natural: &[f64]) -> Option<f64> {
    // Rounding is relative to the largest value: a sum of scales that should be 0 may be a trifle.
    let rounding = 1e-6 * values.iter().map(|v| v.abs()).fold(0.0, f64::max);
    let smallest =
        values.iter().map(|v| v.abs()).filter(|&v| v > rounding).fold(f64::INFINITY, f64::min);
    if smallest == f64::INFINITY {
        return Some(natural.first().copied().unwrap_or(1.0));
    }
    let derived = (1..=MAX_MAGNITUDE as u32).map(|k| smallest / f64::from(k));
    natural.iter().copied().chain(derived).find(|&step| {
        let fits = values.iter().all(|v| is_multiple(*v, step, rounding));
        let low = values.iter().map(|v| (v / step).round()).fold(0.0, f64::min);
        let high = values.iter().map(|v| (v / step).round()).fold(0.0, f64::max);
        fits && (if low < 0.0 { low >= -128.0 && high <= 127.0 } else { high <= MAX_MAGNITUDE })
    })
}

/// The smallest and the largest of the integers that the values are in units of `step`; `None` where
/// one is no multiple of it.
pub(crate) fn range(values: &[f64], step: f64) -> Option<(i64, i64)> {
    let rounding = 1e-6 * values.iter().map(|v| v.abs()).fold(0.0, f64::max);
    let fits = values.iter().all(|&v| is_multiple(v, step, rounding));
    let integers = || values.iter().map(|&v| integer(v, step));
    integers().min().zip(integers().max()).filter(|_| fits)
}

/// The integer that stands for a value, which may carry float32 rounding.
pub(crate) fn integer(value: f64, step: f64) -> i64 {
    (value / step).round() as i64
}

fn is_multiple(value: f64, step: f64, rounding: f64) -> bool {
    let steps = value / step;
    (steps - steps.round()).abs() <= (rounding / step).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_usual_quantizers() {
        assert_eq!(step(&[-1.0, 1.0], &[]), Some(1.0));
        assert_eq!(step(&[0.0, 0.25, 0.75], &[]), Some(0.25));
        assert_eq!(step(&[0.0, 0.5], &[0.25]), Some(0.25));
        assert_eq!(step(&[0.0], &[]), Some(1.0));
        assert_eq!(step(&[0.1234567, 0.7654321, 0.333], &[]), None);
        // 8 bits from -127 steps on, all in float32.
        let scale = 0.0123f32;
        let bias = f64::from(-127.0 * scale);
        let levels: Vec<f64> = (0..=254).map(|k| f64::from(k) * f64::from(scale) + bias).collect();
        assert_eq!(step(&levels, &[f64::from(scale)]), Some(f64::from(scale)));
    }
}
