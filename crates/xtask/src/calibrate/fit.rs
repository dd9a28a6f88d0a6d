//! A line through pairs of numbers, least in relative squares.

/// `factor * x + addend`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) factor: f64,
    pub(super) addend: f64,
}

impl Default for Line {
    fn default() -> Self {
        Self { factor: 1.0, addend: 0.0 }
    }
}

impl Line {
    fn at(self, x: f64) -> f64 {
        self.factor * x + self.addend
    }

    /// The number that the line leads to `y`.
    pub(super) fn back(self, y: f64) -> f64 {
        (y - self.addend) / self.factor
    }
}

/// A line and by what share it misses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fitted {
    pub(super) line: Line,
    pub(super) median: f64,
    pub(super) worst: f64,
}

/// Fits a line to (said, found). Pairs of which nothing was found say nothing.
pub(super) fn fit(pairs: &[(f64, f64)]) -> Fitted {
    let pairs: Vec<(f64, f64)> = pairs.iter().copied().filter(|(_, y)| *y > 0.0).collect();
    // Sums of the normal equations for the relative error (a x + b) / y - 1.
    let sum = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(x, y)| of(x, y)).sum::<f64>();
    let xx = sum(&|x, y| x * x / (y * y));
    let (x1, one) = (sum(&|x, y| x / (y * y)), sum(&|_, y| 1.0 / (y * y)));
    let (xy, y1) = (sum(&|x, y| x / y), sum(&|_, y| 1.0 / y));
    let determinant = xx * one - x1 * x1;
    let both = Line {
        factor: (xy * one - y1 * x1) / determinant,
        addend: (xx * y1 - x1 * xy) / determinant,
    };
    let alone = Line { factor: xy / xx, addend: 0.0 };
    let sound = |line: &Line| line.addend.is_finite() && (0.2..5.0).contains(&line.factor);
    let line = [both, alone].into_iter().find(sound).unwrap_or_default();
    // Three digits are more than the figures have.
    let rounded = |n: f64| (n * 1000.0).round() / 1000.0;
    let line = Line { factor: rounded(line.factor), addend: rounded(line.addend) };
    let mut errors: Vec<f64> =
        pairs.iter().map(|&(x, y)| (line.at(x).max(0.0) / y - 1.0).abs()).collect();
    errors.sort_by(f64::total_cmp);
    let median = errors.get(errors.len() / 2).copied().unwrap_or(0.0);
    Fitted { line, median, worst: errors.last().copied().unwrap_or(0.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_line_and_its_errors() {
        let exact: Vec<(f64, f64)> =
            (1..9).map(|x| (f64::from(x), 2.0 * f64::from(x) + 7.0)).collect();
        let found = fit(&exact);
        assert_eq!(found.line, Line { factor: 2.0, addend: 7.0 });
        assert!(found.worst < 1e-6);
        assert_eq!(found.line.back(found.line.at(3.0)), 3.0);
        let mut off = exact.clone();
        off.push((4.5, 32.0));
        let found = fit(&off);
        assert!(found.worst > 0.3 && found.median < 0.2);
        assert_eq!(fit(&[]).line, Line::default());
        assert_eq!(fit(&[(5.0, 10.0)]).line, Line { factor: 2.0, addend: 0.0 });
    }
}
