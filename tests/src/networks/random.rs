//! Random networks: chains of linear layers with everything that may stand between them.

use super::Draw;
use graph::{Elementwise, Graph, NodeId, Op, Param, QuantizedWeights, Rounding, Weights};
use ndarray::Array2;
use streamline::{Head, Options};
use tensor::ElementType;

/// A graph and what is asked of it.
#[derive(Debug, Clone)]
pub struct RandomNetwork {
    /// The network as an importer would give it.
    pub graph: Graph,
    /// Options of streamlining.
    pub options: Options,
    /// Every sum is exact in float64: outputs can be compared without a tolerance, ties included.
    pub exact: bool,
}

/// The network of a seed.
pub fn random_network(draw: &mut Draw, name: &str) -> RandomNetwork {
    let input_planes = random_planes(draw);
    let exact = input_planes.is_none() && draw.chance(0.5);
    let elements = draw.pick(&[1, 2, 3, 4, 6, 8, 9, 10, 12, 12, 14, 15, 16, 18, 20, 24]);
    let mut builder = Builder::new(draw, name, elements, exact);
    builder.reduced = input_planes.is_some();
    builder.input_quantizer();
    let layers = builder.draw.pick(&[1, 1, 2, 2, 2, 3, 3, 4]);
    for layer in 0..layers {
        let rows = builder.draw.pick(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 18]);
        builder.matmul(rows);
        if layer + 1 < layers {
            builder.before_quantizer();
            builder.quantizer(true);
        }
    }
    let outputs = builder.width();
    let head_of_model = builder.tail();
    let draw = &mut *builder.draw;
    let head = match draw.size(0, 9) {
        0..=5 => Head::Model,
        6 => Head::Logits,
        7 => Head::Class,
        _ => Head::TopK(draw.size(1, outputs.min(4))),
    };
    let head = if head_of_model { Head::Model } else { head };
    let mut graph = builder.graph;
    graph.set_output(builder.at);
    let options = Options { head, input_planes, ..Options::default() };
    RandomNetwork { graph, options, exact }
}

/// Planes that the input is reduced to; mostly none.
pub(super) fn random_planes(draw: &mut Draw) -> Option<usize> {
    draw.chance(0.15).then(|| draw.size(2, 40))
}

pub(super) struct Builder<'d> {
    pub(super) draw: &'d mut Draw,
    pub(super) graph: Graph,
    pub(super) at: NodeId,
    pub(super) shape: Vec<usize>,
    pub(super) exact: bool,
    nodes: usize,
    /// A value that the last quantizer has, as its opposite, if one is known.
    pub(super) level: Option<f32>,
    /// How large values are here, roughly.
    magnitude: f64,
    /// The input is 8-bit pixels, which are no multiples of a float step.
    pixels: bool,
    /// The first layer's input is quantized by an option.
    pub(super) reduced: bool,
}

impl<'d> Builder<'d> {
    fn new(draw: &'d mut Draw, name: &str, elements: usize, exact: bool) -> Self {
        let annotation = Self::annotation(draw);
        let image = elements.is_multiple_of(6) && draw.chance(0.4);
        let shape = if image { vec![1, 3, 2, elements / 6] } else { vec![1, elements] };
        Self::on(draw, name, shape, annotation, exact)
    }

    pub(super) fn annotation(draw: &mut Draw) -> Option<ElementType> {
        match draw.size(0, 5) {
            0 | 1 => None,
            2 => Some(ElementType::Bipolar),
            3 => Some(ElementType::Int(draw.integer(2, 8) as u32)),
            4 => Some(ElementType::Uint(draw.integer(1, 8) as u32)),
            _ => Some(draw.pick(&[ElementType::Int(1), ElementType::Uint(8), ElementType::Int(8)])),
        }
    }

    /// A network that takes a tensor of some shape and type.
    pub(super) fn on(
        draw: &'d mut Draw,
        name: &str,
        shape: Vec<usize>,
        annotation: Option<ElementType>,
        exact: bool,
    ) -> Self {
        let mut graph = Graph::new(name);
        let at = graph.input("input", shape.clone(), annotation);
        let magnitude = annotation.map_or(1.0, |t| t.max().max(-t.min()) as f64);
        let pixels = annotation.is_none();
        Self {
            draw,
            graph,
            at,
            shape,
            exact,
            nodes: 0,
            level: None,
            magnitude,
            pixels,
            reduced: false,
        }
    }

    pub(super) fn push(&mut self, source: &str, op: Op, shape: Vec<usize>) {
        let name = format!("{source}_{}", self.nodes);
        self.nodes += 1;
        self.at = self.graph.add(&name, source, op, self.at, shape.clone());
        self.shape = shape;
    }

    fn elementwise(&mut self, source: &str, op: Elementwise) {
        self.push(source, Op::Elementwise(op), self.shape.clone());
    }

    pub(super) fn width(&self) -> usize {
        self.shape[1..].iter().product()
    }

    /// Sums stay exact when the steps of weights and activations are powers of two.
    pub(super) fn step(&mut self, about: f64) -> f32 {
        let free = about * self.draw.real(0.7, 1.4);
        let step = if self.exact { f64::powi(2.0, free.log2().round() as i32) } else { free };
        step as f32
    }

    /// A quantizer behind the input, if it needs one; vectors from there on.
    fn input_quantizer(&mut self) {
        self.input_values();
        if self.shape.len() > 2 {
            let flat = vec![1, self.width()];
            self.push("Flatten", Op::Reshape, flat);
        }
    }

    /// A quantizer behind the input, if it needs one.
    pub(super) fn input_values(&mut self) {
        // Channels that are scaled apart have no step in common: a quantizer must follow.
        let mut apart = false;
        if self.pixels && self.draw.chance(0.4) {
            let scale = self.draw.real(1.0, 4.0);
            let mean = match self.draw.chance(0.5) {
                true => self.per_channel(|d| d.real(-0.6, -0.3)),
                false => Param::scalar(self.draw.real(-0.6, -0.3) as f32),
            };
            self.elementwise("Sub", Elementwise::add(mean));
            apart = self.draw.chance(0.3);
            let scales = match apart {
                true => self.per_channel(|d| d.pick(&[-1.0, 1.0, 1.0]) * d.real(1.0, scale)),
                false => Param::scalar(scale as f32),
            };
            self.elementwise("Mul", Elementwise::mul(scales));
            self.magnitude = scale / 2.0;
        }
        let needed = (self.exact && self.pixels) || (apart && !self.reduced);
        if needed || self.draw.chance(0.5) {
            let per_channel = self.shape.len() == 2;
            self.quantizer(per_channel);
        }
    }

    pub(super) fn matmul(&mut self, rows: usize) {
        let weights = self.weights(rows, self.width());
        self.push("MatMul", Op::MatMul(weights), vec![1, rows]);
    }

    /// Random weights of 1 to 8 bits.
    pub(super) fn weights(&mut self, rows: usize, columns: usize) -> Weights {
        let draw = &mut *self.draw;
        let bits = draw.size(2, 8) as u32;
        let (low, high) = match draw.size(0, 5) {
            0..=2 => (-1, 1),
            3 => (ElementType::Int(bits).min(), ElementType::Int(bits).max()),
            4 => (-2, 1),
            _ => draw.pick(&[(-1, 1), (-3, 3), (0, 1), (0, 5), (-7, 2)]),
        };
        let bipolar = (low, high) == (-1, 1) && draw.chance(0.7);
        let zero_row = (!bipolar && draw.chance(0.3)).then(|| draw.size(0, rows - 1));
        let integers = Array2::from_shape_fn((rows, columns), |(row, _)| {
            if bipolar {
                draw.pick(&[-1, 1])
            } else if zero_row == Some(row) {
                0
            } else {
                draw.integer(low, high)
            }
        });
        let each_row = draw.chance(0.25);
        let states = draw.chance(0.6);
        let scale: Vec<f32> =
            (0..if each_row { rows } else { 1 }).map(|_| self.step(0.25)).collect();
        let at = |row: usize| if each_row { scale[row] } else { scale[0] };
        let values = Array2::from_shape_fn((rows, columns), |(row, column)| {
            integers[[row, column]] as f32 * at(row)
        });
        let quantized = states.then_some(QuantizedWeights { integers, scale });
        self.magnitude *= (columns as f64).sqrt() * 0.25 * high.max(-low) as f64 * 0.6;
        Weights { values, quantized }
    }

    /// Channels of the present tensor.
    fn channels(&self) -> usize {
        self.shape[1]
    }

    fn per_channel(&mut self, mut value: impl FnMut(&mut Draw) -> f64) -> Param {
        let values: Vec<f32> = (0..self.channels()).map(|_| value(self.draw) as f32).collect();
        Param::per_channel(&values, self.shape.len())
    }

    pub(super) fn batch_norm(&mut self) {
        let magnitude = self.magnitude;
        let gamma = self.per_channel(|d| match d.size(0, 9) {
            0 => 0.0,
            1 => 1e-6,
            2 => -1e-7,
            3..=5 => d.real(-1.5, -0.3),
            _ => d.real(0.3, 1.5),
        });
        let beta = self.per_channel(|d| d.real(-0.4, 0.4));
        let mean = self.per_channel(|d| magnitude * d.real(-0.5, 0.5));
        let variance = self.per_channel(|d| (magnitude * d.real(0.5, 1.5)).powi(2));
        self.magnitude = 1.0;
        self.elementwise(
            "BatchNormalization",
            Elementwise::BatchNorm { gamma, beta, mean, variance, epsilon: 1e-5 },
        );
    }

    pub(super) fn bias(&mut self) {
        let magnitude = self.magnitude;
        let bias = self.per_channel(|d| magnitude * d.real(-0.6, 0.6));
        self.elementwise("Add", Elementwise::add(bias));
    }

    pub(super) fn before_quantizer(&mut self) {
        let normalised = self.draw.chance(0.6);
        // Without exact sums a sum must not meet a threshold: something irregular is added.
        if self.draw.chance(0.4) || (!self.exact && !normalised) {
            self.bias();
        }
        if normalised {
            self.batch_norm();
        }
        match self.draw.size(0, 9) {
            0 => self.elementwise("Relu", Elementwise::Relu),
            1 => self.elementwise("Neg", Elementwise::Neg),
            2 => {
                let limit = self.magnitude as f32;
                self.elementwise("Clip", Elementwise::Clip { low: -limit, high: limit });
            }
            3 => {
                let factor = self.draw.real(-2.0, 2.0) as f32;
                self.elementwise("Mul", Elementwise::mul(Param::scalar(factor)));
            }
            4 => {
                self.elementwise("Tanh", Elementwise::Tanh);
                self.magnitude = self.magnitude.min(1.0);
            }
            _ => {}
        }
    }

    pub(super) fn quantizer(&mut self, per_channel: bool) {
        let bits = self.draw.pick(&[1, 2, 2, 2, 3, 4, 5, 8]);
        let range = 1i64 << bits;
        let scale = self.step(3.0 * self.magnitude / range as f64);
        self.magnitude = f64::from(scale) * range as f64 / 2.0;
        let rounding = self.draw.pick(&[
            Rounding::HalfEven,
            Rounding::HalfEven,
            Rounding::HalfUp,
            Rounding::Floor,
            Rounding::Ceil,
        ]);
        let zero_point = Param::scalar(0.0);
        self.level = None;
        match self.draw.size(0, 9) {
            0..=3 => {
                self.elementwise(
                    "BipolarQuant",
                    Elementwise::BipolarQuant { scale: Param::scalar(scale) },
                );
                self.magnitude = f64::from(scale);
                self.level = Some(scale);
            }
            4 | 5 => {
                let narrow = i64::from(self.draw.chance(0.4) || bits == 1);
                let (low, high) = (-range.max(4) / 2 + narrow, range.max(4) / 2 - 1);
                self.level = Some(scale);
                let scale = Param::scalar(scale);
                let op = Elementwise::Quant { scale, zero_point, low, high, rounding };
                self.elementwise("Quant", op);
            }
            6 => {
                let scale = Param::scalar(scale);
                let op =
                    Elementwise::Quant { scale, zero_point, low: 0, high: range - 1, rounding };
                self.elementwise("Quant", op);
            }
            7 => {
                self.elementwise("Sign", Elementwise::Sign { zero: 0 });
                self.magnitude = 1.0;
                self.level = Some(1.0);
            }
            _ => self.multi_threshold(per_channel, scale),
        }
    }

    fn multi_threshold(&mut self, per_channel: bool, out_scale: f32) {
        let count = self.draw.pick(&[1, 1, 2, 3, 3, 4, 7, 15, 127]);
        let rows = if per_channel && self.draw.chance(0.7) { self.channels() } else { 1 };
        let reach = 1.5 * self.magnitude;
        let mut thresholds =
            Array2::from_shape_fn((rows, count), |_| self.draw.real(-reach, reach) as f32);
        for mut row in thresholds.rows_mut() {
            let mut sorted = row.to_vec();
            sorted.sort_by(f32::total_cmp);
            row.assign(&ndarray::Array1::from(sorted));
        }
        let half = count as f32 / 2.0 * out_scale;
        let out_bias = match count {
            1 => -half,
            _ => self.draw.pick(&[0.0, -((count / 2) as f32) * out_scale, -half]),
        };
        let falls = self.draw.chance(0.1);
        let (out_scale, out_bias) =
            if falls { (-out_scale, -out_bias) } else { (out_scale, out_bias) };
        let op = Elementwise::MultiThreshold { thresholds, out_scale, out_bias, channel_axis: 1 };
        self.elementwise("MultiThreshold", op);
        self.magnitude = f64::from(half);
    }

    /// What follows the last layer; whether it chooses indices by itself.
    pub(super) fn tail(&mut self) -> bool {
        let mut numbers = true;
        match self.draw.size(0, 9) {
            0 | 1 => {}
            2 => self.affine(1.0),
            3 => self.affine(-1.0),
            4 | 5 => self.batch_norm(),
            6 => self.bias(),
            7 => {
                let op = self.draw.pick(&[0, 1]);
                let op = if op == 0 { Elementwise::Relu } else { Elementwise::Neg };
                self.elementwise("Tail", op);
            }
            _ => {
                numbers = false;
                self.before_quantizer();
                self.quantizer(true);
            }
        }
        if numbers && self.draw.chance(0.1) {
            self.push("Softmax", Op::Softmax, self.shape.clone());
        }
        let selects = self.draw.chance(0.3);
        if selects {
            let k = self.draw.size(1, self.width().min(5));
            let largest = self.draw.chance(0.8);
            self.push("TopK", Op::TopK { k, largest }, vec![1, k]);
        }
        // An index has no logits but those before it, which other heads ask for.
        selects && self.draw.chance(0.6)
    }

    fn affine(&mut self, sign: f32) {
        let scale = sign * self.draw.real(0.1, 3.0) as f32;
        self.elementwise("Mul", Elementwise::mul(Param::scalar(scale)));
        let offset = self.draw.real(-1.0, 1.0) as f32;
        self.elementwise("Add", Elementwise::add(Param::scalar(offset)));
    }
}
