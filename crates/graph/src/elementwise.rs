//! Elementwise operators and their meaning on one scalar.

use crate::{Param, Real};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// The four operations and the power, between the data and a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Arithmetic {
    Add,
    Sub,
    Mul,
    Div,
    Pow,
}

/// A comparison with a constant; gives 1 where it holds, else 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Equal,
}

/// How a `Quant` operator rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rounding {
    /// To nearest, halves to even.
    HalfEven,
    /// To nearest, halves away from zero.
    HalfUp,
    /// To nearest, halves toward zero.
    HalfDown,
    /// Toward plus infinity.
    Ceil,
    /// Toward minus infinity.
    Floor,
    /// Toward zero.
    TowardZero,
    /// Away from zero.
    AwayFromZero,
}

/// An operator that maps each element on its own, its constants folded in.
#[expect(clippy::large_enum_variant, reason = "a network has a few dozen of them")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Elementwise {
    /// `x op constant`, or `constant op x` when `constant_first`.
    Arithmetic {
        /// The operation.
        op: Arithmetic,
        /// The constant operand.
        constant: Param,
        /// Whether the constant is the left operand.
        constant_first: bool,
    },
    /// `(x - mean) / sqrt(variance + epsilon) * gamma + beta`.
    BatchNorm {
        /// Scale.
        gamma: Param,
        /// Shift.
        beta: Param,
        /// Running mean.
        mean: Param,
        /// Running variance.
        variance: Param,
        /// Added to the variance.
        epsilon: f32,
    },
    /// `max(x, 0)`.
    Relu,
    /// ONNX `Sign`: -1, 0 or +1; `zero` is the result at 0.
    Sign {
        /// -1, 0 or +1.
        zero: i8,
    },
    /// Limits to `low..=high`.
    Clip {
        /// Lower limit.
        low: f32,
        /// Upper limit.
        high: f32,
    },
    /// Hyperbolic tangent.
    Tanh,
    /// `-x`.
    Neg,
    /// Rounds to integers, halves to even (ONNX `Round`).
    Round,
    /// Rounds down (ONNX `Floor`).
    Floor,
    /// Rounds up (ONNX `Ceil`).
    Ceil,
    /// Compares with a constant.
    Compare {
        /// The comparison, the data on the left.
        op: Comparison,
        /// What it is compared with.
        constant: Param,
    },
    /// `if x != 0 { if_true } else { if_false }` (ONNX `Where` on a condition).
    Select {
        /// Result where the condition holds.
        if_true: Param,
        /// Result elsewhere.
        if_false: Param,
    },
    /// QONNX `BipolarQuant`: `+scale` for x >= 0, else `-scale`.
    BipolarQuant {
        /// Scale.
        scale: Param,
    },
    /// QONNX `Quant`: `(clamp(round(x / scale + zero_point)) - zero_point) * scale`.
    Quant {
        /// Scale, positive.
        scale: Param,
        /// Zero point.
        zero_point: Param,
        /// Smallest code.
        low: i64,
        /// Largest code.
        high: i64,
        /// Rounding.
        rounding: Rounding,
    },
    /// QONNX/FINN `MultiThreshold`: `out_scale * #(x >= T) + out_bias`.
    MultiThreshold {
        /// Thresholds, one row for each channel, or one row for all.
        thresholds: Array2<f32>,
        /// Step of the output.
        out_scale: f32,
        /// Output where no threshold is reached.
        out_bias: f32,
        /// The axis that the rows run along.
        channel_axis: usize,
    },
}

/// How an operator's output moves with its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Never falls.
    Increasing,
    /// Never rises.
    Decreasing,
    /// Does not depend on the input.
    Constant,
    /// Not known to be monotone.
    Unknown,
}

impl Direction {
    /// The direction of `self` followed by `next`.
    #[must_use]
    pub fn then(self, next: Direction) -> Direction {
        use Direction::{Constant, Decreasing, Increasing, Unknown};
        match (self, next) {
            (Constant, _) | (_, Constant) => Constant,
            (Unknown, _) | (_, Unknown) => Unknown,
            (Increasing, d) | (d, Increasing) => d,
            (Decreasing, Decreasing) => Increasing,
        }
    }

    fn of_sign(factor: f64) -> Direction {
        if factor > 0.0 {
            Direction::Increasing
        } else if factor < 0.0 {
            Direction::Decreasing
        } else {
            Direction::Constant
        }
    }
}

impl Elementwise {
    /// `x * constant`.
    pub fn mul(constant: Param) -> Self {
        Self::Arithmetic { op: Arithmetic::Mul, constant, constant_first: false }
    }

    /// `x + constant`.
    pub fn add(constant: Param) -> Self {
        Self::Arithmetic { op: Arithmetic::Add, constant, constant_first: false }
    }

    /// The constants, with names for messages.
    pub fn params(&self) -> Vec<(&'static str, &Param)> {
        match self {
            Self::Arithmetic { constant, .. } | Self::Compare { constant, .. } => {
                vec![("constant", constant)]
            }
            Self::BatchNorm { gamma, beta, mean, variance, epsilon: _ } => {
                vec![("scale", gamma), ("bias", beta), ("mean", mean), ("variance", variance)]
            }
            Self::Select { if_true, if_false } => {
                vec![("then-value", if_true), ("else-value", if_false)]
            }
            Self::BipolarQuant { scale } => vec![("scale", scale)],
            Self::Quant { scale, zero_point, .. } => {
                vec![("scale", scale), ("zero point", zero_point)]
            }
            Self::Relu
            | Self::Sign { .. }
            | Self::Clip { .. }
            | Self::Tanh
            | Self::Neg
            | Self::Round
            | Self::Floor
            | Self::Ceil
            | Self::MultiThreshold { .. } => Vec::new(),
        }
    }

    /// Whether different inputs always give different outputs, float rounding apart.
    pub fn is_injective(&self) -> bool {
        let never_zero = |param: &Param| param.0.iter().all(|&v| v != 0.0);
        match self {
            Self::Arithmetic { op, constant, constant_first } => match op {
                Arithmetic::Add | Arithmetic::Sub => true,
                Arithmetic::Mul => never_zero(constant),
                Arithmetic::Div => !constant_first || never_zero(constant),
                Arithmetic::Pow => false,
            },
            Self::BatchNorm { gamma, .. } => never_zero(gamma),
            Self::Tanh | Self::Neg => true,
            Self::Relu
            | Self::Sign { .. }
            | Self::Clip { .. }
            | Self::Round
            | Self::Floor
            | Self::Ceil
            | Self::Compare { .. }
            | Self::Select { .. }
            | Self::BipolarQuant { .. }
            | Self::Quant { .. }
            | Self::MultiThreshold { .. } => false,
        }
    }

    /// Prepares evaluation on tensors of `shape`: parameters are looked up by element.
    pub fn bind(&self, shape: &[usize]) -> BoundElementwise {
        let values = self.params().into_iter().map(|(_, p)| p.expand(shape)).collect();
        let channels = match self {
            Self::MultiThreshold { thresholds, channel_axis, .. } if thresholds.nrows() > 1 => {
                let inner = shape[channel_axis + 1..].iter().product();
                (inner, thresholds.nrows())
            }
            _ => (1, 1),
        };
        BoundElementwise { op: self.clone(), values, channels }
    }
}

/// An elementwise operator bound to a shape.
#[derive(Debug, Clone)]
pub struct BoundElementwise {
    op: Elementwise,
    /// For each parameter one value, or one for each element.
    values: Vec<Vec<f32>>,
    /// Elements between neighbours on the channel axis, and channels.
    channels: (usize, usize),
}

impl BoundElementwise {
    /// The value of parameter `param`, in the order of [`Elementwise::params`], at one element.
    pub fn parameter(&self, param: usize, element: usize) -> f32 {
        self.raw(param, element)
    }

    /// The row of thresholds that an element is compared with.
    pub fn threshold_row(&self, element: usize) -> usize {
        let (inner, channels) = self.channels;
        element / inner % channels
    }

    /// Whether two elements are treated alike.
    pub fn same_parameters(&self, a: usize, b: usize) -> bool {
        self.values.iter().all(|v| v.len() == 1 || v[a].to_bits() == v[b].to_bits())
            && self.threshold_row(a) == self.threshold_row(b)
    }

    fn value<F: Real>(&self, param: usize, element: usize) -> F {
        F::from_f32(self.raw(param, element))
    }

    fn raw(&self, param: usize, element: usize) -> f32 {
        let values = &self.values[param];
        if values.len() == 1 { values[0] } else { values[element] }
    }

    /// The result for the element with row-major index `element` whose input is `x`.
    pub fn eval<F: Real>(&self, element: usize, x: F) -> F {
        let one = F::from_f32(1.0);
        let zero = F::from_f32(0.0);
        let truth = |condition: bool| if condition { one } else { zero };
        match &self.op {
            Elementwise::Arithmetic { op, constant_first, .. } => {
                let c = self.value::<F>(0, element);
                let (a, b) = if *constant_first { (c, x) } else { (x, c) };
                match op {
                    Arithmetic::Add => a + b,
                    Arithmetic::Sub => a - b,
                    Arithmetic::Mul => a * b,
                    Arithmetic::Div => a / b,
                    Arithmetic::Pow => a.powf(b),
                }
            }
            Elementwise::BatchNorm { epsilon, .. } => {
                let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|p| self.value(p, element));
                (x - mean) / (variance + F::from_f32(*epsilon)).sqrt() * gamma + beta
            }
            Elementwise::Relu => {
                if x > zero {
                    x
                } else {
                    zero
                }
            }
            Elementwise::Sign { zero: at_zero } => {
                if x > zero {
                    one
                } else if x < zero {
                    -one
                } else {
                    F::from_f32(f32::from(*at_zero))
                }
            }
            Elementwise::Clip { low, high } => {
                let (low, high) = (F::from_f32(*low), F::from_f32(*high));
                if x < low {
                    low
                } else if x > high {
                    high
                } else {
                    x
                }
            }
            Elementwise::Tanh => x.tanh(),
            Elementwise::Neg => -x,
            Elementwise::Round => x.round_even(),
            Elementwise::Floor => x.floor(),
            Elementwise::Ceil => x.ceil(),
            Elementwise::Compare { op, .. } => {
                let c = self.value(0, element);
                truth(match op {
                    Comparison::Greater => x > c,
                    Comparison::GreaterOrEqual => x >= c,
                    Comparison::Less => x < c,
                    Comparison::LessOrEqual => x <= c,
                    Comparison::Equal => x == c,
                })
            }
            Elementwise::Select { .. } => self.value(usize::from(x == zero), element),
            Elementwise::BipolarQuant { .. } => {
                let scale = self.value::<F>(0, element);
                if x >= zero { scale } else { -scale }
            }
            Elementwise::Quant { low, high, rounding, .. } => {
                let scale: F = self.value(0, element);
                let zero_point: F = self.value(1, element);
                let rounded = round(x / scale + zero_point, *rounding);
                let (low, high) = (F::from_f64(*low as f64), F::from_f64(*high as f64));
                let code = if rounded < low {
                    low
                } else if rounded > high {
                    high
                } else {
                    rounded
                };
                (code - zero_point) * scale
            }
            Elementwise::MultiThreshold { thresholds, out_scale, out_bias, .. } => {
                let row = thresholds.row(self.threshold_row(element));
                let count = row.iter().filter(|&&t| x >= F::from_f32(t)).count();
                F::from_f64(count as f64) * F::from_f32(*out_scale) + F::from_f32(*out_bias)
            }
        }
    }

    /// How the output moves with the input at one element.
    pub fn direction(&self, element: usize) -> Direction {
        let value = |param| f64::from(self.raw(param, element));
        match &self.op {
            Elementwise::Arithmetic { op, constant_first, .. } => match (op, constant_first) {
                (Arithmetic::Add, _) | (Arithmetic::Sub, false) => Direction::Increasing,
                (Arithmetic::Sub, true) => Direction::Decreasing,
                (Arithmetic::Mul, _) | (Arithmetic::Div, false) => Direction::of_sign(value(0)),
                (Arithmetic::Div, true) | (Arithmetic::Pow, _) => Direction::Unknown,
            },
            Elementwise::BatchNorm { .. } => Direction::of_sign(value(0)),
            Elementwise::Relu
            | Elementwise::Sign { .. }
            | Elementwise::Clip { .. }
            | Elementwise::Tanh
            | Elementwise::Round
            | Elementwise::Floor
            | Elementwise::Ceil => Direction::Increasing,
            Elementwise::Neg => Direction::Decreasing,
            Elementwise::Compare { op, .. } => match op {
                Comparison::Greater | Comparison::GreaterOrEqual => Direction::Increasing,
                Comparison::Less | Comparison::LessOrEqual => Direction::Decreasing,
                Comparison::Equal => Direction::Unknown,
            },
            // Monotone only on conditions (0 or 1), which is all that it is used on.
            Elementwise::Select { .. } => Direction::of_sign(value(0) - value(1)),
            Elementwise::BipolarQuant { .. } => Direction::of_sign(value(0)),
            // x / scale rises or falls with the scale's sign, and so does code * scale.
            Elementwise::Quant { .. } => Direction::Increasing,
            Elementwise::MultiThreshold { out_scale, .. } => {
                Direction::of_sign(f64::from(*out_scale))
            }
        }
    }
}

fn round<F: Real>(x: F, mode: Rounding) -> F {
    let half = F::from_f32(0.5);
    let toward_zero = x.trunc();
    let fraction = (x - toward_zero).abs();
    let away = || {
        if fraction > F::from_f32(0.0) {
            let one = F::from_f32(1.0);
            if x < F::from_f32(0.0) { toward_zero - one } else { toward_zero + one }
        } else {
            toward_zero
        }
    };
    match mode {
        Rounding::HalfEven => x.round_even(),
        Rounding::HalfUp => {
            if fraction >= half {
                away()
            } else {
                toward_zero
            }
        }
        Rounding::HalfDown => {
            if fraction > half {
                away()
            } else {
                toward_zero
            }
        }
        Rounding::Ceil => x.ceil(),
        Rounding::Floor => x.floor(),
        Rounding::TowardZero => toward_zero,
        Rounding::AwayFromZero => away(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(op: Elementwise, x: f32) -> f32 {
        op.bind(&[1]).eval(0, x)
    }

    #[test]
    fn quantizer_follows_the_qonnx_definition() {
        let q = |x, rounding| {
            let (scale, zero_point) = (Param::scalar(0.5), Param::scalar(0.0));
            scalar(Elementwise::Quant { scale, zero_point, low: -3, high: 3, rounding }, x)
        };
        assert_eq!(q(0.25, Rounding::HalfEven), 0.0);
        assert_eq!(q(0.75, Rounding::HalfEven), 1.0);
        assert_eq!(q(0.25, Rounding::HalfUp), 0.5);
        assert_eq!(q(-0.25, Rounding::HalfUp), -0.5);
        assert_eq!(q(0.25, Rounding::HalfDown), 0.0);
        assert_eq!(q(-0.3, Rounding::Floor), -0.5);
        assert_eq!(q(-0.3, Rounding::Ceil), 0.0);
        assert_eq!(q(0.1, Rounding::AwayFromZero), 0.5);
        assert_eq!(q(9.0, Rounding::TowardZero), 1.5);
    }

    #[test]
    fn sign_of_zero_is_zero_and_bipolar_of_zero_is_one() {
        assert_eq!(scalar(Elementwise::Sign { zero: 0 }, 0.0), 0.0);
        assert_eq!(scalar(Elementwise::BipolarQuant { scale: Param::scalar(1.0) }, -0.0), 1.0);
    }

    #[test]
    fn thresholds_are_looked_up_by_channel() {
        let op = Elementwise::MultiThreshold {
            thresholds: ndarray::array![[0.0], [5.0]],
            out_scale: 2.0,
            out_bias: -1.0,
            channel_axis: 1,
        };
        let bound = op.bind(&[1, 2, 3]);
        let results: Vec<f32> = (0..6).map(|e| bound.eval(e, 1.0f32)).collect();
        assert_eq!(results, [1.0, 1.0, 1.0, -1.0, -1.0, -1.0]);
    }
}
