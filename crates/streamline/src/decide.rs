//! Thresholds found by evaluating a float chain over the integers that can occur.

use crate::lattice;
use crate::linear::gcd;
use crate::network::Thresholds;
use crate::segment::Segment;
use diagnostic::{Code, Diagnostic, Result};
use graph::{Direction, Real};
use ndarray::Array2;
use std::collections::BTreeMap;

/// The largest range that a chain which is not known to be monotone is scanned over.
const LARGEST_SCAN: i64 = 1 << 20;

/// The integers that can occur at one element: `low`, `low + step`, ..., `high`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Occurring {
    pub(crate) low: i64,
    pub(crate) high: i64,
    pub(crate) step: i64,
}

impl Occurring {
    fn count(self) -> i64 {
        (self.high - self.low) / self.step + 1
    }

    fn nth(self, index: i64) -> i64 {
        self.low + index * self.step
    }

    /// What can occur here or there.
    pub(crate) fn or(self, other: Self) -> Self {
        let step = gcd(gcd(self.step, other.step), (self.low - other.low).abs());
        Self { low: self.low.min(other.low), high: self.high.max(other.high), step }
    }
}

/// A monotone staircase from integers to values: for each value the first integer that has it.
/// Integers count in the direction in which values rise: `sign * n`.
#[derive(Debug, Clone)]
pub(crate) struct Staircase {
    /// +1, or -1 for a decreasing chain, whose integers are negated.
    pub(crate) sign: i64,
    /// First (negated, if so) integer and the value from there on, ascending in both.
    pub(crate) steps: Vec<(i64, f64)>,
    /// The largest (negated, if so) integer that can occur.
    pub(crate) last: i64,
}

impl Staircase {
    /// The same decisions on integers that count the way of `sign`, with outputs negated where that
    /// is not the way in which values rise. Gives the sign of the outputs too.
    pub(crate) fn on(self, sign: i64) -> (Self, i64) {
        if self.sign == sign {
            return (self, 1);
        }
        // Rising steps on m with values v are rising steps on -m with values -v: a step of m at
        // first integers f0 < f1 < ... ends where the next begins, so -m starts at 1 - f(i+1).
        let ends = self.steps.iter().skip(1).map(|&(f, _)| 1 - f).chain([-self.last]);
        let mut steps: Vec<(i64, f64)> =
            self.steps.iter().zip(ends).map(|(&(_, v), n)| (n, -v)).collect();
        steps.reverse();
        (Self { sign, steps, last: -self.steps[0].0 }, -1)
    }
}

/// Evaluates the chain of one element in arithmetic `F`.
///
/// # Errors
/// `not-quantized` when the chain takes more than 256 values; `unsupported-structure` when it is
/// not monotone.
pub(crate) fn staircase<F: Real>(
    segment: &Segment,
    element: usize,
    occurring: Occurring,
) -> Result<Staircase> {
    let direction = segment.direction(element);
    let eval = |n: i64| segment.eval::<F>(element, n).to_f64();
    if direction == Direction::Unknown {
        return scan(&eval, occurring, segment);
    }
    let sign = if direction == Direction::Decreasing { -1 } else { 1 };
    let count = occurring.count();
    // Index i counts in the direction in which values rise.
    let nth = |i: i64| occurring.nth(if sign == 1 { i } else { count - 1 - i });
    let mut steps = BTreeMap::from([(0, eval(nth(0)))]);
    bisect(&|i| eval(nth(i)), (0, steps[&0]), (count - 1, eval(nth(count - 1))), &mut steps);
    if steps.len() > 256 {
        return Err(not_quantized(segment));
    }
    let steps = steps.into_iter().map(|(i, value)| (sign * nth(i), value)).collect();
    Ok(Staircase { sign, steps, last: sign * nth(count - 1) })
}

/// Enters every index at which the value changes between `from` and `to`.
fn bisect(
    eval: &dyn Fn(i64) -> f64,
    from: (i64, f64),
    to: (i64, f64),
    steps: &mut BTreeMap<i64, f64>,
) {
    if from.1 == to.1 || steps.len() > 256 {
        return;
    }
    if to.0 - from.0 == 1 {
        steps.insert(to.0, to.1);
        return;
    }
    let middle = from.0 + (to.0 - from.0) / 2;
    let at = (middle, eval(middle));
    bisect(eval, from, at, steps);
    bisect(eval, at, to, steps);
}

fn scan(eval: &dyn Fn(i64) -> f64, occurring: Occurring, segment: &Segment) -> Result<Staircase> {
    let refuse = |text: &str| {
        Err(Diagnostic::new(Code::UnsupportedStructure, text)
            .node(segment.nodes.join(", "))
            .hint("use operators that rise or fall everywhere between two layers"))
    };
    if occurring.count() > LARGEST_SCAN {
        return refuse(
            "the operators are not known to be monotone, and the range is too wide to try",
        );
    }
    let values: Vec<f64> = (0..occurring.count()).map(|i| eval(occurring.nth(i))).collect();
    let rising = values.windows(2).all(|w| w[0] <= w[1]);
    let falling = values.windows(2).all(|w| w[0] >= w[1]);
    if !rising && !falling {
        return refuse("the operators between two layers are not monotone");
    }
    let sign = if rising { 1 } else { -1 };
    let mut ordered: Vec<(i64, f64)> =
        values.iter().enumerate().map(|(i, &v)| (sign * occurring.nth(i as i64), v)).collect();
    if !rising {
        ordered.reverse();
    }
    let last = ordered.last().map_or(0, |&(n, _)| n);
    ordered.dedup_by_key(|&mut (_, v)| v.to_bits());
    if ordered.len() > 256 {
        return Err(not_quantized(segment));
    }
    Ok(Staircase { sign, steps: ordered, last })
}

pub(crate) fn not_quantized(segment: &Segment) -> Diagnostic {
    let text = "the values here are not quantized to 8 bits or fewer";
    Diagnostic::new(Code::NotQuantized, text)
        .node(segment.nodes.last().cloned().unwrap_or_default())
        .hint("end every hidden layer with a quantizer of 1 to 8 bits with one scale for all channels")
}

/// Levels of 8 bits that a zero point shifts out of every type of 8 bits.
fn shifted(segment: &Segment, (low, high): (i64, i64)) -> Diagnostic {
    let text = format!("the values here go from {low} to {high} steps, which no 8 bits hold");
    Diagnostic::new(Code::NotQuantized, text)
        .node(segment.nodes.last().cloned().unwrap_or_default())
        .hint("choose a zero point that leaves them within -128 to 127, or 0 to 255")
}

/// A common output grid for the staircases of all elements.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) step: f64,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

impl Grid {
    /// # Errors
    /// `not-quantized` when the values are not multiples of one step within 8 bits.
    pub(crate) fn of(segment: &Segment, staircases: &[Staircase]) -> Result<Self> {
        let mut values: Vec<f64> =
            staircases.iter().flat_map(|s| s.steps.iter().map(|&(_, v)| v)).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        if !values.iter().all(|v| v.is_finite()) {
            return Err(Diagnostic::new(
                Code::ModelNotFinite,
                "the values here become infinite or NaN",
            )
            .node(segment.nodes.join(", ")));
        }
        let natural = segment.natural_steps();
        let step = lattice::step(&values, &natural).ok_or_else(|| {
            let range = natural.iter().find_map(|&step| lattice::range(&values, step));
            range.map_or_else(|| not_quantized(segment), |range| shifted(segment, range))
        })?;
        let integers = values.iter().map(|&v| lattice::integer(v, step));
        let (low, high) = integers.fold((i64::MAX, i64::MIN), |(l, h), n| (l.min(n), h.max(n)));
        Ok(Self { step, low, high })
    }

    /// Whether all values are -1 or +1 (none of them 0).
    pub(crate) fn is_bipolar(&self, staircases: &[Staircase]) -> bool {
        (-1..=1).contains(&self.low)
            && (-1..=1).contains(&self.high)
            && staircases
                .iter()
                .all(|s| s.steps.iter().all(|&(_, v)| lattice::integer(v, self.step) != 0))
    }

    /// The thresholds of all elements on this grid.
    pub(crate) fn thresholds(&self, staircases: &[Staircase]) -> Thresholds {
        let bipolar = self.is_bipolar(staircases);
        let base = if bipolar { -1 } else { self.low };
        let count = if bipolar { 1 } else { (self.high - self.low).max(1) as usize };
        let unit = if bipolar { 2 } else { 1 };
        let values = Array2::from_shape_fn((staircases.len(), count), |(row, i)| {
            let staircase = &staircases[row];
            let wanted = base + unit * (i as i64 + 1);
            let first = staircase
                .steps
                .iter()
                .find(|&&(_, v)| lattice::integer(v, self.step) >= wanted)
                .map(|&(n, _)| n);
            first.unwrap_or(staircase.last + 1)
        });
        Thresholds { values, base, bipolar }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::Start;
    use graph::{Elementwise, Param};

    fn segment(ops: Vec<Elementwise>) -> Segment {
        let mut s = Segment::new(Start::integers());
        let order = std::rc::Rc::new(vec![0]);
        ops.iter().for_each(|op| s.push("op", op, &[1, 1], &order));
        s
    }

    #[test]
    fn decreasing_and_constant_channels() {
        let range = Occurring { low: -8, high: 8, step: 2 };
        let sign = Elementwise::BipolarQuant { scale: Param::scalar(1.0) };
        let falling = segment(vec![
            Elementwise::mul(Param::scalar(-0.5)),
            Elementwise::add(Param::scalar(1.0)),
            sign.clone(),
        ]);
        let s = staircase::<f64>(&falling, 0, range).unwrap();
        // +1 for n <= 2: on negated integers from -2.
        assert_eq!((s.sign, s.steps, s.last), (-1, vec![(-8, -1.0), (-2, 1.0)], 8));
        let constant = segment(vec![Elementwise::mul(Param::scalar(0.0)), sign]);
        let s = staircase::<f64>(&constant, 0, range).unwrap();
        let t = Grid::of(&constant, std::slice::from_ref(&s)).unwrap().thresholds(&[s]);
        assert_eq!((t.values[[0, 0]], t.bipolar), (-8, true));
    }

    #[test]
    fn sign_is_ternary_only_where_zero_occurs() {
        let sign = segment(vec![Elementwise::Sign { zero: 0 }]);
        let odd = staircase::<f64>(&sign, 0, Occurring { low: -3, high: 3, step: 2 }).unwrap();
        let t = Grid::of(&sign, std::slice::from_ref(&odd)).unwrap().thresholds(&[odd]);
        assert_eq!((t.values.into_raw_vec_and_offset().0, t.bipolar), (vec![1], true));
        let even = staircase::<f64>(&sign, 0, Occurring { low: -4, high: 4, step: 2 }).unwrap();
        let t = Grid::of(&sign, std::slice::from_ref(&even)).unwrap().thresholds(&[even]);
        assert_eq!((t.values.into_raw_vec_and_offset().0, t.base), (vec![0, 2], -1));
    }
}
