//! The walk along the chain of operators that closes one layer after another.

use crate::decide::{Grid, Occurring, Staircase, not_quantized, staircase};
use crate::input::InputOptions;
use crate::network::{
    Dense, InputRule, InputSpec, KnifeEdge, Layer, LayerOp, SMALL_MARGIN, Streamlined, Thresholds,
};
use crate::output;
use crate::segment::{Segment, Start};
use diagnostic::{Code, Diagnostic, Result};
use graph::{Graph, Node, NodeId, Op, QuantizedWeights};
use ndarray::Array2;
use std::rc::Rc;
use tensor::ElementType;

/// The float format whose decisions count at knife edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decide {
    /// float64: the default.
    #[default]
    Float64,
    /// float32: as most frameworks would.
    Float32,
}

/// What the hardware puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Head {
    /// As the graph ends.
    #[default]
    Model,
    /// The numbers before any arg-max.
    Logits,
    /// The index of the best class.
    Class,
    /// The indices of the best k classes.
    TopK(usize),
}

/// Choices that change the meaning of the network.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Options {
    /// How arrays become the network's input.
    pub input: InputOptions,
    /// Which float format decides.
    pub decide: Decide,
    /// What the hardware puts out.
    pub head: Head,
}

/// Turns an imported graph into integers, thresholds and fixed point.
///
/// # Errors
/// `unsupported-structure`, `not-quantized`, `model-not-finite`: with the node and what to change.
pub fn streamline(graph: &Graph, options: &Options) -> Result<Streamlined> {
    graph.check()?;
    let chain = graph.chain().ok_or_else(|| {
        Diagnostic::new(Code::UnsupportedStructure, "the network branches")
            .hint("only chains of layers are supported yet")
    })?;
    Walk::new(graph, options, &chain)?.run(&chain)
}

/// Integers on an edge between layers: `value = step * (sign * n + offset)`, n in `low..=high`.
pub(crate) struct Values {
    pub(crate) element: ElementType,
    pub(crate) step: f64,
    pub(crate) offset: f64,
    pub(crate) low: i64,
    pub(crate) high: i64,
    /// For each element in stream order: -1 where the integers count against the value.
    pub(crate) signs: Vec<i64>,
}

/// A linear layer whose decisions are not known yet.
pub(crate) struct Pending {
    /// Integer weights in stream order of the columns, rows in the model's order.
    pub(crate) weights: Array2<i64>,
    pub(crate) occurring: Vec<Occurring>,
    pub(crate) name: String,
}

struct Walk<'g> {
    graph: &'g Graph,
    options: &'g Options,
    input: InputSpec,
    layers: Vec<Layer>,
    knife_edges: Vec<KnifeEdge>,
    segment: Segment,
    /// The linear layer that the segment follows; `None` after the input.
    pending: Option<Pending>,
    /// For each element in stream order its index in the model's present layout.
    order: Rc<Vec<usize>>,
}

impl<'g> Walk<'g> {
    fn new(graph: &'g Graph, options: &'g Options, chain: &[NodeId]) -> Result<Self> {
        let node = graph.node(chain[0]);
        let Op::Input { annotation } = &node.op else {
            unreachable!("checked: starts at the input")
        };
        let (element, rule) = options.input.resolve(*annotation)?;
        let shape = node.shape[1..].to_vec();
        let input = InputSpec { name: node.name.clone(), element, shape, rule };
        let start = match rule {
            InputRule::PixelOver255 => Start::PixelOver255,
            InputRule::PixelTimes(factor) => Start::PixelTimes(factor),
            InputRule::Unchanged => Start::Affine { scale: vec![1.0], offset: vec![0.0] },
        };
        Ok(Self {
            graph,
            options,
            order: Rc::new(input.stream_to_model()),
            input,
            layers: Vec::new(),
            knife_edges: Vec::new(),
            segment: Segment::new(start),
            pending: None,
        })
    }

    fn run(mut self, chain: &[NodeId]) -> Result<Streamlined> {
        let mut top_k = None;
        let mut softmax = false;
        for &id in &chain[1..] {
            let node = self.graph.node(id);
            if top_k.is_some() || (softmax && !matches!(node.op, Op::TopK { .. } | Op::Reshape)) {
                let ignored = matches!(node.op, Op::Reshape);
                if ignored {
                    continue;
                }
                return Err(refuse(node, "nothing can follow the arg-max or softmax at the end"));
            }
            match &node.op {
                Op::Input { .. } => unreachable!("checked: one input"),
                Op::Reshape => {}
                Op::Transpose(axes) => self.transpose(id, axes),
                Op::Elementwise(op) => self.segment.push(&node.name, op, &node.shape, &self.order),
                Op::MatMul(weights) => {
                    let quantized = weights.quantize().map_err(|e| e.node(label(node)))?;
                    self.dense(node, &quantized)?;
                }
                Op::Conv(_) | Op::Pool(_) | Op::Pad { .. } => {
                    return Err(refuse(node, "convolutional networks are not supported yet"));
                }
                Op::TopK { k, largest } => top_k = Some((*k, *largest)),
                Op::Softmax => softmax = true,
            }
        }
        let Some(pending) = self.pending.take() else {
            return Err(Diagnostic::new(Code::UnsupportedStructure, "the network has no layer")
                .hint("a network needs at least one MatMul or Gemm with constant weights"));
        };
        let last = self.graph.node(chain[chain.len() - 1]);
        if self.order.iter().enumerate().any(|(i, &e)| i != e) {
            return Err(refuse(last, "the outputs are permuted by a transposition"));
        }
        let end = output::End {
            name: last.name.clone(),
            class_rule: self.graph.class_rule,
            top_k,
            softmax,
            head: self.options.head,
        };
        let output = self.finish(pending, &end)?;
        let name = self.graph.name.clone();
        let (input, layers, knife_edges) = (self.input, self.layers, self.knife_edges);
        Ok(Streamlined { name, input, output, knife_edges, layers })
    }

    fn transpose(&mut self, id: NodeId, axes: &[usize]) {
        let from = &self.graph.node(self.graph.inputs_of(id)[0]).shape;
        let to = &self.graph.node(id).shape;
        let strides = row_major_strides(from);
        // new model index -> old model index, inverted on the stream's order.
        let elements: usize = to.iter().product();
        let mut new_index = vec![0; elements];
        for (new, coordinates) in ndarray::indices(to.as_slice()).into_iter().enumerate() {
            let old: usize =
                axes.iter().enumerate().map(|(i, &axis)| coordinates[i] * strides[axis]).sum();
            new_index[old] = new;
        }
        self.order = Rc::new(self.order.iter().map(|&e| new_index[e]).collect());
    }

    fn dense(&mut self, node: &Node, weights: &QuantizedWeights) -> Result<()> {
        let (rows, columns) = weights.integers.dim();
        if self.order.len() != columns {
            return Err(refuse(node, "the layer is applied to several vectors of a frame")
                .hint("flatten the tensor before the fully connected layer"));
        }
        let values = match self.pending.take() {
            None => self.close_input()?,
            Some(pending) => self.close_dense(pending)?,
        };
        let by_stream = Array2::from_shape_fn((rows, columns), |(row, column)| {
            weights.integers[[row, self.order[column]]] * values.signs[column]
        });
        let scale = |row: usize| {
            let w = &weights.scale;
            f64::from(if w.len() == 1 { w[0] } else { w[row] }) * values.step
        };
        let offset = |row: usize| {
            let sum: i64 = weights.integers.row(row).sum();
            values.offset * sum as f64
        };
        let one_scale = weights.scale.len() == 1;
        let start = Start::Affine {
            scale: (0..if one_scale { 1 } else { rows }).map(scale).collect(),
            offset: if values.offset == 0.0 { vec![0.0] } else { (0..rows).map(offset).collect() },
        };
        let occurring =
            by_stream.rows().into_iter().map(|row| occurring(row.iter(), &values)).collect();
        self.segment = Segment::new(start);
        self.segment.nodes.push(node.name.clone());
        self.pending = Some(Pending { weights: by_stream, occurring, name: node.name.clone() });
        self.order = Rc::new((0..rows).collect());
        Ok(())
    }

    /// Ends the segment after the input: a threshold layer, or nothing when the integers already
    /// stand for the values up to a scale and an offset.
    fn close_input(&mut self) -> Result<Values> {
        let element = self.input.element;
        let step = if element == ElementType::Bipolar { 2 } else { 1 };
        let occurring = Occurring { low: element.min(), high: element.max(), step };
        if element.bits() <= 8
            && let Some(values) = self.affine_input(occurring)
        {
            return Ok(values);
        }
        let uniform = self.segment.is_uniform();
        let elements = if uniform { 1 } else { self.order.len() };
        let name = format!("quantizer{}", self.layers.len());
        let (thresholds, grid, signs) =
            self.decide(&name, elements, &|_| occurring, Negation::InOutput)?;
        let element = output_type(&thresholds);
        let signs = if uniform { vec![signs[0]; self.order.len()] } else { signs };
        let (low, high) = value_range(&thresholds);
        self.layers.push(Layer {
            name,
            nodes: std::mem::take(&mut self.segment.nodes),
            element,
            elements: self.order.len(),
            op: LayerOp::Threshold(thresholds),
        });
        Ok(Values { element, step: grid.step, offset: 0.0, low, high, signs })
    }

    /// The integers of the input themselves, when every value is `step * (n + offset)` of them.
    fn affine_input(&self, occurring: Occurring) -> Option<Values> {
        let element = self.input.element;
        if !self.segment.is_uniform() {
            return None;
        }
        let codes = (occurring.low..=occurring.high).step_by(occurring.step as usize);
        let points: Vec<(f64, f64)> =
            codes.map(|n| (n as f64, self.segment.eval::<f64>(0, n))).collect();
        let (&(n0, v0), &(n1, v1)) = (points.first()?, points.last()?);
        let step = (v1 - v0) / (n1 - n0);
        if step <= 0.0 || !step.is_finite() {
            return None;
        }
        let offset = (v0 / step - n0) * 2.0;
        let offset = if (offset - offset.round()).abs() < 1e-6 {
            offset.round() / 2.0
        } else {
            offset / 2.0
        };
        // A pixel over 255 is rounded to float32: an error relative to the largest, not to a step.
        let rounding = f64::from(f32::EPSILON) * (v1 - v0) + 1e-6 * step;
        let exact = |&(n, v): &(f64, f64)| (v - step * (n + offset)).abs() <= rounding;
        let worthwhile = points.len() > 2 || offset == 0.0;
        (worthwhile && points.iter().all(exact)).then(|| Values {
            element,
            step,
            offset,
            low: occurring.low,
            high: occurring.high,
            signs: vec![1; self.order.len()],
        })
    }

    /// Ends the segment after a linear layer with thresholds.
    fn close_dense(&mut self, pending: Pending) -> Result<Values> {
        if !self.segment.has_quantizer() {
            return Err(not_quantized(&self.segment));
        }
        self.close_levels(pending)
    }

    fn close_levels(&mut self, pending: Pending) -> Result<Values> {
        let rows = pending.occurring.len();
        let name = self.next_dense_name();
        let occurring = pending.occurring.clone();
        let (thresholds, grid, signs) =
            self.decide(&name, rows, &|row| occurring[row], Negation::OfInput)?;
        let element = output_type(&thresholds);
        let (low, high) = value_range(&thresholds);
        self.push_dense(name, pending, &signs, Some(thresholds), element);
        let signs = vec![1; rows];
        Ok(Values { element, step: grid.step, offset: 0.0, low, high, signs })
    }

    fn next_dense_name(&self) -> String {
        let count = self.layers.iter().filter(|l| matches!(l.op, LayerOp::Dense(_))).count();
        format!("fc{count}")
    }

    fn push_dense(
        &mut self,
        name: String,
        pending: Pending,
        signs: &[i64],
        thresholds: Option<Thresholds>,
        element: ElementType,
    ) {
        let Pending { mut weights, occurring, name: _ } = pending;
        let mut range = (i64::MAX, i64::MIN);
        for ((mut row, &sign), o) in weights.rows_mut().into_iter().zip(signs).zip(&occurring) {
            row.mapv_inplace(|w| w * sign);
            let (a, b) = (sign * o.low, sign * o.high);
            range = (range.0.min(a.min(b)), range.1.max(a.max(b)));
        }
        let negated = (0..signs.len()).filter(|&row| signs[row] < 0).collect();
        let weight = QuantizedWeights { integers: weights.clone(), scale: vec![1.0] }.element();
        let elements = weights.nrows();
        self.layers.push(Layer {
            name,
            nodes: std::mem::take(&mut self.segment.nodes),
            element,
            elements,
            op: LayerOp::Dense(Dense { weights, negated, weight, accumulator: range, thresholds }),
        });
    }

    fn finish(&mut self, pending: Pending, end: &output::End) -> Result<crate::OutputSpec> {
        let quantized = self.segment.has_quantizer() && end.top_k.is_none() && !end.softmax;
        // Equal outputs tie even where the sums differ: then the choice is made among levels.
        let ties = end.select().is_some() && self.segment.collapses();
        if !quantized && !ties {
            return self.accumulators(pending, end);
        }
        let Pending { weights, occurring, name } = &pending;
        let (weights, occurring, name) = (weights.clone(), occurring.clone(), name.clone());
        match self.close_levels(pending) {
            Ok(values) => output::thresholded(end, &values, &mut self.layers),
            Err(_) if ties => Err(Diagnostic::new(
                Code::UnsupportedStructure,
                "the outputs can be equal where the sums are not, and an arg-max chooses among them",
            )
            .node(self.segment.nodes.join(", "))
            .hint("end the network without the operator that makes them equal (such as a ReLU), or use `--head logits`")),
            Err(_) => self.accumulators(Pending { weights, occurring, name }, end),
        }
    }

    fn accumulators(&mut self, pending: Pending, end: &output::End) -> Result<crate::OutputSpec> {
        let ranges = pending.occurring.clone();
        let low = ranges.iter().map(|o| o.low).min().unwrap_or(0);
        let high = ranges.iter().map(|o| o.high).max().unwrap_or(0);
        let name = self.next_dense_name();
        let segment = self.segment.clone();
        let signs = vec![1; ranges.len()];
        self.push_dense(name, pending, &signs, None, ElementType::smallest(low.min(-1), high));
        output::numeric(end, &segment, &ranges, &mut self.layers)
    }

    /// Thresholds of all rows, in the format that decides, with the knife edges of the other.
    fn decide(
        &mut self,
        layer: &str,
        rows: usize,
        occurring: &dyn Fn(usize) -> Occurring,
        negation: Negation,
    ) -> Result<(Thresholds, Grid, Vec<i64>)> {
        let segment = &self.segment;
        let all = |f: &dyn Fn(usize, Occurring) -> Result<Staircase>| -> Result<Vec<Staircase>> {
            let each = (0..rows).map(|row| f(row, occurring(row)));
            each.map(|s| s.map(|s| negation.apply(s))).collect()
        };
        let mut wide = all(&|e, o| staircase::<f64>(segment, e, o))?;
        let mut narrow = all(&|e, o| staircase::<f32>(segment, e, o))?;
        if self.options.decide == Decide::Float32 {
            std::mem::swap(&mut wide, &mut narrow);
        }
        let grid = Grid::of(segment, &wide)?;
        let thresholds = grid.thresholds(&wide);
        let other = grid.thresholds(&narrow);
        let signs: Vec<i64> = wide.iter().map(|s| s.sign).collect();
        for (row, &sign) in signs.iter().enumerate() {
            let edges = Edges { segment, row, sign, occurring: occurring(row), layer };
            self.knife_edges.extend(edges.find(&thresholds, &other, self.options.decide));
        }
        Ok((thresholds, grid, signs))
    }
}

/// The knife edges of one row.
struct Edges<'s> {
    segment: &'s Segment,
    row: usize,
    sign: i64,
    occurring: Occurring,
    layer: &'s str,
}

impl Edges<'_> {
    /// Compares the thresholds that decide with those of the other float format, and looks at the
    /// margins on both sides of each threshold.
    fn find(&self, decided: &Thresholds, other: &Thresholds, decide: Decide) -> Vec<KnifeEdge> {
        let mut edges = Vec::new();
        let (low, high) = {
            let (a, b) = (self.sign * self.occurring.low, self.sign * self.occurring.high);
            (a.min(b), a.max(b))
        };
        let step = self.occurring.step;
        let comparable = other.values.dim() == decided.values.dim();
        for (i, &a) in decided.values.row(self.row).iter().enumerate() {
            let b = if comparable { other.values[[self.row, i]] } else { a };
            let value = |reached: bool| decided.value(i as i64 + i64::from(reached));
            if a != b {
                let mut outputs = (value(a < b), value(a > b));
                if decide == Decide::Float32 {
                    outputs = (outputs.1, outputs.0);
                }
                edges.push(self.edge(a.min(b), a.max(b) - step, outputs));
                continue;
            }
            for (n, reached) in [(a - step, false), (a, true)] {
                let occurs = a > low && (low..=high).contains(&n);
                let edge = self.edge(n, n, (value(reached), value(reached)));
                if occurs && edge.margin < SMALL_MARGIN && !edges.contains(&edge) {
                    edges.push(edge);
                }
            }
        }
        edges
    }

    fn edge(&self, first: i64, last: i64, outputs: (i64, i64)) -> KnifeEdge {
        let (x, y) = (self.sign * first, self.sign * last);
        let margin = [x, y].map(|n| self.segment.margin(self.row, n));
        KnifeEdge {
            layer: self.layer.to_string(),
            channel: self.row,
            accumulators: (x.min(y), x.max(y)),
            outputs,
            margin: margin[0].min(margin[1]),
        }
    }
}

/// What happens to decreasing chains.
#[derive(Clone, Copy, PartialEq)]
enum Negation {
    /// The weights are negated, so the integers that are compared are.
    OfInput,
    /// The integers stay (they come from outside): the *output* is negated, and with it the
    /// columns of the next layer.
    InOutput,
}

impl Negation {
    fn apply(self, s: Staircase) -> Staircase {
        if self == Negation::OfInput || s.sign == 1 {
            return s;
        }
        // Rising steps on -n with values v are rising steps on n with values -v: a step of -n at
        // first integers f0 < f1 < ... ends where the next begins, so n starts at 1 - f(i+1).
        let ends = s.steps.iter().skip(1).map(|&(f, _)| 1 - f).chain([-s.last]);
        let mut steps: Vec<(i64, f64)> =
            s.steps.iter().zip(ends).map(|(&(_, v), n)| (n, -v)).collect();
        steps.reverse();
        Staircase { sign: -1, steps, last: -s.steps[0].0 }
    }
}

fn occurring<'w>(row: impl Iterator<Item = &'w i64>, values: &Values) -> Occurring {
    let unit = if values.element == ElementType::Bipolar { 2 } else { 1 };
    let mut sum = Occurring { low: 0, high: 0, step: 0 };
    for &w in row {
        let (a, b) = (w * values.low, w * values.high);
        sum.low += a.min(b);
        sum.high += a.max(b);
        sum.step = gcd(sum.step, (w * unit).abs());
    }
    sum.step = sum.step.max(1);
    sum
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

pub(crate) fn output_type(thresholds: &Thresholds) -> ElementType {
    let (low, high) = value_range(thresholds);
    if thresholds.bipolar { ElementType::Bipolar } else { ElementType::smallest(low, high) }
}

fn value_range(thresholds: &Thresholds) -> (i64, i64) {
    (thresholds.value(0), thresholds.value(thresholds.values.ncols() as i64))
}

fn row_major_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (0..shape.len().saturating_sub(1)).rev() {
        strides[i] = strides[i + 1] * shape[i + 1];
    }
    strides
}

fn label(node: &Node) -> String {
    format!("{} ({})", node.name, node.source)
}

fn refuse(node: &Node, text: &str) -> Diagnostic {
    Diagnostic::new(Code::UnsupportedStructure, text).node(label(node))
}
