//! Linear layers whose decisions are not known yet, and the integers on the edges between layers.

use crate::decide::Occurring;
use crate::network::{Conv, Dense, LayerOp, Padding, Pool, Thresholds};
use crate::segment::Start;
use graph::QuantizedWeights;
use ndarray::{Array2, ArrayView1};
use tensor::{ElementType, Map, Window};

/// Integers on an edge between layers: `value = step * (sign * n + offset)`, n in `low..=high`. Element
/// `e` has the sign and the offset of its index modulo the length of the list.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    pub(crate) element: ElementType,
    pub(crate) map: Map,
    pub(crate) step: f64,
    pub(crate) offsets: Vec<f64>,
    pub(crate) low: i64,
    pub(crate) high: i64,
    /// -1 where the integers count against the value.
    pub(crate) signs: Vec<i64>,
}

impl Values {
    pub(crate) fn sign(&self, element: usize) -> i64 {
        self.signs[element % self.signs.len()]
    }

    pub(crate) fn offset(&self, element: usize) -> f64 {
        self.offsets[element % self.offsets.len()]
    }

    /// The same with the integers that stand around the map among those that can occur.
    pub(crate) fn with_padding(self, padding: &Padding) -> Self {
        let Padding::Value(around) = padding else { return self };
        let (low, high) =
            around.values().fold((self.low, self.high), |(l, h), n| (l.min(n), h.max(n)));
        Self { low, high, ..self }
    }

    /// The integer that stands for a value at an element, if there is one.
    pub(crate) fn integer(&self, element: usize, value: f64) -> Option<i64> {
        let n = self.sign(element) as f64 * (value / self.step - self.offset(element));
        let whole = (n - n.round()).abs() < 1e-6 && self.element.holds(n.round() as i64);
        whole.then_some(n.round() as i64)
    }
}

/// How the matrix of a linear layer meets its input.
#[derive(Debug, Clone)]
pub(crate) enum Reach {
    /// The whole frame at once.
    Dense,
    /// Window by window.
    Conv { input: Map, window: Window, groups: usize, padding: Padding },
}

/// A linear layer whose decisions are not known yet.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    pub(crate) reach: Reach,
    /// Integer weights, columns in stream order and for integers as they are on the input edge.
    pub(crate) weights: Array2<i64>,
    /// The frame that it puts out.
    pub(crate) map: Map,
    /// The sums that can occur, by border class and row.
    pub(crate) occurring: Vec<Vec<Occurring>>,
    /// Offsets of the sums, by border class and row, in units of the input's integers; empty when
    /// there are none.
    pub(crate) offsets: Vec<Vec<f64>>,
    /// What sums are divided by, by border class; empty when the layer is no average.
    divisors: Vec<f64>,
    /// Maximum pools over the sums, each with the number of operators in front of it.
    pub(crate) pools: Vec<(Pool, usize)>,
}

impl Linear {
    /// Prepares the matrix of a layer on the values of its input edge.
    pub(crate) fn new(reach: Reach, map: Map, integers: Array2<i64>, values: &Values) -> Self {
        let rows = integers.nrows();
        // The signs of the input edge go into the weights, where they stay.
        let weights = Array2::from_shape_fn(integers.dim(), |(row, column)| {
            integers[[row, column]] * values.sign(element_of(&reach, rows, row, column))
        });
        let mut linear = Self {
            reach,
            weights,
            map,
            occurring: Vec::new(),
            offsets: Vec::new(),
            divisors: Vec::new(),
            pools: Vec::new(),
        };
        for has in linear.taps() {
            let present = |row: ArrayView1<'_, i64>| -> Vec<i64> {
                row.iter().zip(&has).filter(|&(_, &has)| has).map(|(&w, _)| w).collect()
            };
            let each = linear.weights.rows().into_iter();
            linear.occurring.push(each.map(|row| sums(&present(row), values)).collect());
            if values.offsets.iter().any(|&offset| offset != 0.0) {
                let offset =
                    |row, column| values.offset(element_of(&linear.reach, rows, row, column));
                let term = |row, column| offset(row, column) * integers[[row, column]] as f64;
                let present = |&column: &usize| has[column];
                let sum = |row| (0..has.len()).filter(present).map(|c| term(row, c)).sum();
                linear.offsets.push((0..rows).map(sum).collect());
            }
        }
        linear
    }

    /// The mean of each channel in each window: its sum, divided by the number of all taps or, with
    /// `inside`, of those that exist.
    pub(crate) fn average(reach: Reach, map: Map, taps: usize, inside: bool, on: &Values) -> Self {
        let linear = Self::new(reach, map, Array2::ones((map.channels, taps)), on);
        let existing = |has: Vec<bool>| has.into_iter().filter(|&has| has).count();
        let divisors = linear.taps().into_iter().map(existing);
        let divisors = divisors.map(|n| if inside { n } else { taps } as f64).collect();
        Self { divisors, ..linear }
    }

    /// Whether it is a mean.
    pub(crate) fn is_average(&self) -> bool {
        !self.divisors.is_empty()
    }

    /// Offsets of the sums of a border class: one, or one for each row.
    pub(crate) fn offset(&self, class: usize) -> Vec<f64> {
        self.offsets.get(class).cloned().unwrap_or(vec![0.0])
    }

    /// What the sums of a border class are divided by.
    pub(crate) fn divisor(&self, class: usize) -> f64 {
        self.divisors.get(class).copied().unwrap_or(1.0)
    }

    /// Whether the sums of all border classes stand for their values in the same way.
    pub(crate) fn is_alike_at_borders(&self) -> bool {
        let class = |class| (self.offset(class), self.divisor(class));
        (1..self.occurring.len()).all(|other| class(other) == class(0))
    }

    /// How its layer is called.
    pub(crate) fn stem(&self) -> &'static str {
        match self.reach {
            Reach::Dense => "fc",
            Reach::Conv { .. } if self.is_average() => "average",
            Reach::Conv { .. } => "conv",
        }
    }

    /// For each border class, which columns of the matrix exist.
    fn taps(&self) -> Vec<Vec<bool>> {
        let columns = 0..self.weights.ncols();
        match self.as_conv() {
            None => vec![columns.map(|_| true).collect()],
            Some(conv) => {
                let borders = conv.borders();
                let class = |class| {
                    let has = |column| borders.has(class, conv.column(column).0);
                    columns.clone().map(has).collect()
                };
                (0..borders.count()).map(class).collect()
            }
        }
    }

    fn as_conv(&self) -> Option<Conv> {
        let Reach::Conv { input, window, groups, padding } = &self.reach else { return None };
        let dense = Dense {
            weights: crate::network::empty(),
            negated: Vec::new(),
            weight: ElementType::Bipolar,
            accumulator: (0, 0),
            thresholds: None,
        };
        let (input, window, groups) = (*input, *window, *groups);
        Some(Conv { input, window, groups, padding: padding.clone(), dense })
    }

    /// Every sum that can occur in some class, by row.
    pub(crate) fn all_occurring(&self) -> Vec<Occurring> {
        let rows = 0..self.weights.nrows();
        rows.map(|row| {
            self.occurring.iter().map(|c| c[row]).reduce(Occurring::or).expect("a class")
        })
        .collect()
    }

    /// The layer with its decisions; `signs` are -1 for rows that are to be negated.
    pub(crate) fn finish(self, signs: &[i64], thresholds: Option<Thresholds>) -> LayerOp {
        let mut range = (i64::MAX, i64::MIN);
        for (&sign, o) in signs.iter().zip(self.all_occurring()) {
            let (a, b) = (sign * o.low, sign * o.high);
            range = (range.0.min(a.min(b)), range.1.max(a.max(b)));
        }
        let conv = self.as_conv();
        let mut weights = self.weights;
        for (mut row, &sign) in weights.rows_mut().into_iter().zip(signs) {
            row.mapv_inplace(|w| w * sign);
        }
        let negated = (0..signs.len()).filter(|&row| signs[row] < 0).collect();
        let weight = QuantizedWeights { integers: weights.clone(), scale: vec![1.0] }.element();
        let dense = Dense { weights, negated, weight, accumulator: range, thresholds };
        match conv {
            None => LayerOp::Dense(dense),
            Some(conv) => LayerOp::Conv(Conv { dense, ..conv }),
        }
    }
}

/// What the sums of a linear layer stand for.
pub(crate) fn start(weights: &QuantizedWeights, values: &Values, linear: &Linear) -> Start {
    let scale = weights.scale.iter().map(|&w| f64::from(w) * values.step).collect();
    Start::Affine { scale, offset: linear.offset(0), divisor: 1.0 }
}

/// The element of the input pixel (or vector) that a weight meets.
fn element_of(reach: &Reach, rows: usize, row: usize, column: usize) -> usize {
    match reach {
        Reach::Dense => column,
        Reach::Conv { input, groups, .. } => {
            let channels = input.channels / groups;
            row * groups / rows * channels + column % channels
        }
    }
}

/// The sums of weights times integers of the edge that can occur.
fn sums(weights: &[i64], values: &Values) -> Occurring {
    let unit = if values.element == ElementType::Bipolar { 2 } else { 1 };
    let mut sum = Occurring { low: 0, high: 0, step: 0 };
    for &w in weights {
        let (a, b) = (w * values.low, w * values.high);
        sum.low += a.min(b);
        sum.high += a.max(b);
        sum.step = gcd(sum.step, (w * unit).abs());
    }
    sum.step = sum.step.max(1);
    sum
}

pub(crate) fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
