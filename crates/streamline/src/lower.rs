//! The walk along the chain of operators that closes one layer after another.

use crate::input::InputOptions;
use crate::layout;
use crate::linear::{Linear, Values};
use crate::network::{InputRule, InputSpec, KnifeEdge, Layer, Streamlined};
use crate::output;
use crate::padding::Margin;
use crate::segment::{Segment, Start};
use diagnostic::{Code, Diagnostic, Result};
use graph::{Graph, Node, NodeId, Op};
use std::rc::Rc;

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
    /// The planes of a thermometer that is to hold the first layer's input, 1 to 255: the input is
    /// quantized to one level more, where it has more than that. `None` leaves it as it is.
    pub input_planes: Option<usize>,
}

/// Turns an imported graph into integers, thresholds and fixed point.
///
/// # Errors
/// `unsupported-structure`, `not-quantized`, `model-not-finite`: with the node and what to change.
pub fn streamline(graph: &Graph, options: &Options) -> Result<Streamlined> {
    graph.check()?;
    if let Some(planes) = options.input_planes.filter(|p| !(1..=255).contains(p)) {
        let text = format!("--input-planes {planes} is out of range");
        return Err(Diagnostic::new(Code::Usage, text).hint("use 1 to 255"));
    }
    let chain = graph.chain().ok_or_else(|| {
        Diagnostic::new(Code::UnsupportedStructure, "the network branches")
            .hint("only chains of layers are supported yet")
    })?;
    Walk::new(graph, options, &chain)?.run(&chain)
}

/// What the present segment starts from.
pub(crate) enum Source {
    /// The network's input.
    Input,
    /// Integers on an edge.
    Values(Values),
    /// The sums of a linear layer.
    Linear(Box<Linear>),
}

/// The state of the walk.
pub(crate) struct Walk<'g> {
    graph: &'g Graph,
    pub(crate) options: &'g Options,
    pub(crate) input: InputSpec,
    pub(crate) layers: Vec<Layer>,
    pub(crate) knife_edges: Vec<KnifeEdge>,
    pub(crate) segment: Segment,
    pub(crate) source: Source,
    /// For each element in stream order its index in the model's present layout.
    pub(crate) order: Rc<Vec<usize>>,
    /// Padding that waits for the windows that it is for.
    pub(crate) margin: Option<Margin>,
}

impl<'g> Walk<'g> {
    fn new(graph: &'g Graph, options: &'g Options, chain: &[NodeId]) -> Result<Self> {
        let node = graph.node(chain[0]);
        let Op::Input { annotation } = &node.op else {
            unreachable!("checked: starts at the input")
        };
        let (element, rule) = options.input.resolve(*annotation)?;
        let shape = node.shape[1..].to_vec();
        let (map, channels_last) = layout::of_input(graph, chain)?;
        let name = node.name.clone();
        let input = InputSpec { name, element, shape, map, channels_last, rule, planes: None };
        let start = match rule {
            InputRule::PixelOver255 => Start::PixelOver255,
            InputRule::PixelTimes(factor) => Start::PixelTimes(factor),
            InputRule::Unchanged => Start::integers(),
        };
        Ok(Self {
            graph,
            options,
            order: Rc::new(input.stream_to_model()),
            input,
            layers: Vec::new(),
            knife_edges: Vec::new(),
            segment: Segment::new(start),
            source: Source::Input,
            margin: None,
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
            let from = &self.graph.node(self.graph.inputs_of(id)[0]).shape;
            match &node.op {
                Op::Input { .. } => unreachable!("checked: one input"),
                Op::Reshape => {}
                Op::Transpose(axes) => {
                    let places = layout::transposed_places(from, &node.shape, axes);
                    self.order = Rc::new(self.order.iter().map(|&e| places[e]).collect());
                }
                Op::Elementwise(op) => self.elementwise(&node.name, op, &node.shape),
                Op::MatMul(weights) => {
                    let quantized = weights.quantize().map_err(|e| e.node(label(node)))?;
                    self.dense(node, from, &quantized)?;
                }
                Op::Conv(conv) => self.conv(node, from, conv)?,
                Op::Pool(pool) => self.pool(node, from, pool)?,
                Op::Pad { before, after, value } => {
                    self.pad(node, from, *before, *after, *value)?
                }
                Op::TopK { k, largest } => top_k = Some((*k, *largest)),
                Op::Softmax => softmax = true,
            }
        }
        let last = self.graph.node(chain[chain.len() - 1]);
        if self.margin.is_some() {
            return Err(refuse(last, "padding is followed by no convolution and no pool"));
        }
        if self.layers.iter().all(|l| l.dense().is_none())
            && !matches!(self.source, Source::Linear(_))
        {
            return Err(Diagnostic::new(Code::UnsupportedStructure, "the network has no layer")
                .hint("a network needs at least one Conv, MatMul or Gemm with constant weights"));
        }
        if self.order.iter().enumerate().any(|(i, &e)| i != e) {
            return Err(refuse(
                last,
                "the outputs are not in the order in which they are computed",
            )
            .hint("end the network with a vector: flatten it in front of the last layer"));
        }
        let end = output::End {
            name: last.name.clone(),
            class_rule: self.graph.class_rule,
            top_k,
            softmax,
            head: self.options.head,
        };
        let output = self.finish(&end)?;
        let name = self.graph.name.clone();
        let (input, layers, knife_edges) = (self.input, self.layers, self.knife_edges);
        Ok(Streamlined { name, input, output, knife_edges, layers })
    }

    /// The last layer, with or without decisions, and the head.
    fn finish(&mut self, end: &output::End) -> Result<crate::OutputSpec> {
        let linear = match &self.source {
            Source::Linear(linear) => Linear::clone(linear),
            Source::Input | Source::Values(_) => {
                let values = self.close()?;
                return output::thresholded(end, &values, &mut self.layers);
            }
        };
        let quantized = self.segment.has_quantizer() && end.top_k.is_none() && !end.softmax;
        // Equal outputs tie even where the sums differ: then the choice is made among levels.
        let ties = end.select().is_some() && self.segment.collapses();
        if !quantized && !ties {
            return self.accumulators(linear, end);
        }
        match self.close_linear(linear.clone()) {
            Ok(values) => output::thresholded(end, &values, &mut self.layers),
            Err(_) if ties => Err(Diagnostic::new(
                Code::UnsupportedStructure,
                "the outputs can be equal where the sums are not, and an arg-max chooses among them",
            )
            .node(self.segment.nodes.join(", "))
            .hint("end the network without the operator that makes them equal (such as a ReLU), or use `--head logits`")),
            Err(_) => self.accumulators(linear, end),
        }
    }

    fn accumulators(&mut self, linear: Linear, end: &output::End) -> Result<crate::OutputSpec> {
        if !linear.pools.is_empty() || !linear.is_alike_at_borders() {
            return Err(Diagnostic::new(
                Code::UnsupportedStructure,
                "the sums of the last layer are pooled or padded before they are quantized",
            )
            .node(self.segment.nodes.join(", "))
            .hint("quantize its output, or end with a fully connected layer"));
        }
        let ranges = linear.all_occurring();
        let segment = self.segment.clone();
        self.push_sums(linear);
        output::numeric(end, &segment, &ranges, &mut self.layers)
    }
}

pub(crate) fn label(node: &Node) -> String {
    format!("{} ({})", node.name, node.source)
}

pub(crate) fn refuse(node: &Node, text: &str) -> Diagnostic {
    Diagnostic::new(Code::UnsupportedStructure, text).node(label(node))
}
