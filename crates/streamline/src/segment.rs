//! A run of elementwise operators between two linear layers, evaluated on integers.

use crate::linear::Linear;
use graph::{Arithmetic, BoundElementwise, Direction, Elementwise, Real, Rounding};
use std::rc::Rc;

/// What an integer stands for before the first operator.
#[derive(Debug, Clone)]
pub(crate) enum Start {
    /// `scale * (n + offset)`, one rounding; one entry, or one for each element. Then divided by
    /// `divisor`, which is above 0 (1 but for averages).
    Affine { scale: Vec<f64>, offset: Vec<f64>, divisor: f64 },
    /// float32(n) / 255.
    PixelOver255,
    /// float32(n) * factor, in float32.
    PixelTimes(f32),
}

impl Start {
    /// An integer stands for itself.
    pub(crate) fn integers() -> Self {
        Start::Affine { scale: vec![1.0], offset: vec![0.0], divisor: 1.0 }
    }
}

/// One operator, with the place of each stream element in the layout that it is applied in.
#[derive(Debug, Clone)]
struct Placed {
    op: Elementwise,
    bound: Rc<BoundElementwise>,
    /// For each element in stream order its index in the operator's layout.
    order: Rc<Vec<usize>>,
}

/// Operators with what they start from. Elements are indexed in stream order throughout.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) start: Start,
    ops: Vec<Placed>,
    /// Names of the nodes, for messages and reports.
    pub(crate) nodes: Vec<String>,
}

impl Segment {
    pub(crate) fn new(start: Start) -> Self {
        Self { start, ops: Vec::new(), nodes: Vec::new() }
    }

    pub(crate) fn push(
        &mut self,
        name: &str,
        op: &Elementwise,
        shape: &[usize],
        order: &Rc<Vec<usize>>,
    ) {
        let (bound, order) = (Rc::new(op.bind(shape)), Rc::clone(order));
        self.ops.push(Placed { op: op.clone(), bound, order });
        self.nodes.push(name.to_string());
    }

    /// The operators, without their start.
    pub(crate) fn operators(&self) -> impl Iterator<Item = &Elementwise> {
        self.ops.iter().map(|p| &p.op)
    }

    /// The start and the first `count` operators.
    pub(crate) fn first(&self, count: usize) -> Segment {
        let ops = self.ops[..count].to_vec();
        Segment { start: self.start.clone(), ops, nodes: self.nodes.clone() }
    }

    /// The value that integer `n` of `element` ends as.
    pub(crate) fn eval<F: Real>(&self, element: usize, n: i64) -> F {
        let start = match &self.start {
            Start::Affine { scale, offset, divisor } => {
                let sum = at(scale, element) * (n as f64 + at(offset, element));
                F::from_f64(sum) / F::from_f64(*divisor)
            }
            Start::PixelOver255 => F::from_f32(n as f32 / 255.0),
            Start::PixelTimes(factor) => F::from_f32(n as f32 * factor),
        };
        self.ops.iter().fold(start, |x, p| p.bound.eval(p.order[element], x))
    }

    /// How far the value in front of the last quantizer is, in float64, from where its decision
    /// turns; infinite without a quantizer, and where float32 computes that value exactly.
    pub(crate) fn margin(&self, element: usize, n: i64) -> f64 {
        let Some(last) = self.ops.iter().rposition(|p| quantizes(&p.op)) else {
            return f64::INFINITY;
        };
        let front = self.first(last);
        let x: f64 = front.eval(element, n);
        if f64::from(front.eval::<f32>(element, n)) == x {
            return f64::INFINITY;
        }
        let Placed { op, bound, order } = &self.ops[last];
        let place = order[element];
        match op {
            Elementwise::BipolarQuant { .. } | Elementwise::Sign { .. } => x.abs(),
            Elementwise::Compare { .. } => (x - f64::from(bound.parameter(0, place))).abs(),
            Elementwise::Quant { rounding, .. } => {
                let scale = f64::from(bound.parameter(0, place));
                let code = x / scale + f64::from(bound.parameter(1, place));
                let turns = match rounding {
                    Rounding::HalfEven | Rounding::HalfUp | Rounding::HalfDown => 0.5,
                    Rounding::Ceil
                    | Rounding::Floor
                    | Rounding::TowardZero
                    | Rounding::AwayFromZero => 0.0,
                };
                let distance = (code - turns) - (code - turns).round();
                distance.abs() * scale
            }
            Elementwise::MultiThreshold { thresholds, .. } => {
                let row = bound.threshold_row(place);
                let distance = |&t: &f32| (x - f64::from(t)).abs();
                thresholds.row(row).iter().map(distance).fold(f64::INFINITY, f64::min)
            }
            Elementwise::Round => ((x - 0.5) - (x - 0.5).round()).abs(),
            Elementwise::Floor | Elementwise::Ceil => (x - x.round()).abs(),
            Elementwise::Arithmetic { .. }
            | Elementwise::BatchNorm { .. }
            | Elementwise::Relu
            | Elementwise::Clip { .. }
            | Elementwise::Tanh
            | Elementwise::Neg
            | Elementwise::Select { .. } => f64::INFINITY,
        }
    }

    /// How the value moves with the integer.
    pub(crate) fn direction(&self, element: usize) -> Direction {
        let first = match &self.start {
            Start::Affine { scale, .. } => sign_direction(at(scale, element)),
            Start::PixelOver255 => Direction::Increasing,
            Start::PixelTimes(factor) => sign_direction(f64::from(*factor)),
        };
        self.ops.iter().fold(first, |d, p| d.then(p.bound.direction(p.order[element])))
    }

    /// The value that `x` becomes from operator `first` on.
    pub(crate) fn eval_from(&self, first: usize, element: usize, x: f64) -> f64 {
        self.ops[first..].iter().fold(x, |x, p| p.bound.eval(p.order[element], x))
    }

    /// How many operators there are.
    pub(crate) fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether all pixels are treated alike.
    pub(crate) fn is_alike_at_all_pixels(&self, channels: usize) -> bool {
        self.ops.iter().all(|p| {
            let alike = |e: usize| p.bound.same_parameters(p.order[e], p.order[e % channels]);
            is_uniform(&p.op) || (channels..p.order.len()).all(alike)
        })
    }

    /// The same operators on the sums of another border class.
    pub(crate) fn of_class(&self, linear: &Linear, class: usize) -> Segment {
        let mut segment = self.clone();
        if let Start::Affine { offset, divisor, .. } = &mut segment.start {
            (*offset, *divisor) = (linear.offset(class), linear.divisor(class));
        }
        segment
    }

    /// Whether every element has the same parameters.
    pub(crate) fn is_uniform(&self) -> bool {
        let start = match &self.start {
            Start::Affine { scale, offset, divisor: _ } => same(scale) && same(offset),
            Start::PixelOver255 | Start::PixelTimes(_) => true,
        };
        start && self.operators().all(is_uniform)
    }

    /// How many operators come before those that have the same parameters for every element.
    pub(crate) fn channel_operators(&self) -> usize {
        if self.is_uniform() {
            return 0;
        }
        self.ops.iter().rposition(|p| !is_uniform(&p.op)).map_or(0, |i| i + 1)
    }

    /// Whether outputs can be equal where the integers are not, so that an arg-max must see the
    /// outputs. Affine operators of channels are left out: fixed point computes them.
    pub(crate) fn collapses(&self) -> bool {
        let split = self.channel_operators();
        let mut operators = self.operators().enumerate();
        operators.any(|(i, op)| !op.is_injective() && (i >= split || !is_affine(op)))
    }

    /// The step of the last quantizer, when one ends the segment: candidates, most natural first.
    pub(crate) fn natural_steps(&self) -> Vec<f64> {
        let Some(op) = self.ops.iter().rev().map(|p| &p.op).find(|op| quantizes(op)) else {
            return Vec::new();
        };
        match op {
            Elementwise::BipolarQuant { scale } | Elementwise::Quant { scale, .. } => {
                scale.as_scalar().map(|s| f64::from(s.abs())).into_iter().collect()
            }
            Elementwise::MultiThreshold { out_scale, out_bias, .. } => {
                let (s, b) = (f64::from(out_scale.abs()), f64::from(out_bias.abs()));
                // An odd number of thresholds around 0 gives odd multiples of half a step.
                if b > 0.0 && b < s { vec![b, s, s / 2.0] } else { vec![s, s / 2.0] }
            }
            Elementwise::Sign { .. } | Elementwise::Compare { .. } => vec![1.0],
            Elementwise::Arithmetic { .. }
            | Elementwise::BatchNorm { .. }
            | Elementwise::Relu
            | Elementwise::Clip { .. }
            | Elementwise::Tanh
            | Elementwise::Neg
            | Elementwise::Round
            | Elementwise::Floor
            | Elementwise::Ceil
            | Elementwise::Select { .. } => Vec::new(),
        }
    }

    /// Whether some operator maps ranges to single values.
    pub(crate) fn has_quantizer(&self) -> bool {
        self.operators().any(quantizes)
    }
}

pub(crate) fn is_uniform(op: &Elementwise) -> bool {
    let thresholds = match op {
        Elementwise::MultiThreshold { thresholds, .. } => thresholds.nrows() == 1,
        _ => true,
    };
    thresholds && op.params().iter().all(|(_, p)| p.as_scalar().is_some())
}

pub(crate) fn is_affine(op: &Elementwise) -> bool {
    match op {
        Elementwise::Arithmetic { op, constant_first, .. } => match op {
            Arithmetic::Add | Arithmetic::Sub | Arithmetic::Mul => true,
            Arithmetic::Div => !constant_first,
            Arithmetic::Pow => false,
        },
        Elementwise::BatchNorm { .. } | Elementwise::Neg => true,
        Elementwise::Relu
        | Elementwise::Sign { .. }
        | Elementwise::Clip { .. }
        | Elementwise::Tanh
        | Elementwise::Round
        | Elementwise::Floor
        | Elementwise::Ceil
        | Elementwise::Compare { .. }
        | Elementwise::Select { .. }
        | Elementwise::BipolarQuant { .. }
        | Elementwise::Quant { .. }
        | Elementwise::MultiThreshold { .. } => false,
    }
}

fn quantizes(op: &Elementwise) -> bool {
    match op {
        Elementwise::BipolarQuant { .. }
        | Elementwise::Quant { .. }
        | Elementwise::MultiThreshold { .. }
        | Elementwise::Sign { .. }
        | Elementwise::Compare { .. }
        | Elementwise::Round
        | Elementwise::Floor
        | Elementwise::Ceil => true,
        Elementwise::Arithmetic { .. }
        | Elementwise::BatchNorm { .. }
        | Elementwise::Relu
        | Elementwise::Clip { .. }
        | Elementwise::Tanh
        | Elementwise::Neg
        | Elementwise::Select { .. } => false,
    }
}

pub(crate) fn at(values: &[f64], element: usize) -> f64 {
    if values.len() == 1 { values[0] } else { values[element] }
}

fn same(values: &[f64]) -> bool {
    values.iter().all(|v| *v == values[0])
}

fn sign_direction(factor: f64) -> Direction {
    if factor > 0.0 {
        Direction::Increasing
    } else if factor < 0.0 {
        Direction::Decreasing
    } else {
        Direction::Constant
    }
}
