//! Padding that differs from place to place, and channels that are shuffled.
#![allow(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use diagnostic::Diagnostic;
use golden::Golden;
use graph::{Conv, Elementwise, Graph, NodeId, Op, Param, Rounding, Weights};
use ndarray::{Array2, ArrayD, IxDyn};
use streamline::{LayerOp, Options, Padding, Streamlined, streamline};
use tensor::{ElementType, Surround, Window};

struct Chain {
    graph: Graph,
    at: NodeId,
}

impl Chain {
    fn new(shape: &[usize], element: ElementType) -> Self {
        let mut graph = Graph::new("chain");
        let at = graph.input("x", shape.to_vec(), Some(element));
        Self { graph, at }
    }

    fn push(mut self, name: &str, op: Op, shape: &[usize]) -> Self {
        self.at = self.graph.add(name, name, op, self.at, shape.to_vec());
        self
    }

    fn conv(self, weights: Array2<f32>, kernel: [usize; 2], groups: usize, to: &[usize]) -> Self {
        let weights = Weights { values: weights, quantized: None };
        let conv = Conv { weights, window: Window::of(kernel), groups };
        self.push("conv", Op::Conv(conv), to)
    }

    fn streamlined(mut self) -> Result<Streamlined, Diagnostic> {
        self.graph.set_output(self.at);
        streamline(&self.graph, &Options::default())
    }
}

/// A row of four bipolar elements with `around` on both sides under a kernel of three ones.
fn padded(around: [f32; 6]) -> Result<Streamlined, Diagnostic> {
    let pad = Op::Pad { before: [0, 1], after: [0, 1], value: 0.0 };
    let around = ArrayD::from_shape_vec(IxDyn(&[1, 1, 1, 6]), around.to_vec()).unwrap();
    let add = Op::Elementwise(Elementwise::add(Param(around)));
    let chain = Chain::new(&[1, 1, 1, 4], ElementType::Bipolar);
    let chain = chain.push("pad", pad, &[1, 1, 1, 6]).push("add", add, &[1, 1, 1, 6]);
    chain.conv(Array2::ones((1, 3)), [1, 3], 1, &[1, 1, 1, 4]).streamlined()
}

#[test]
fn odd_even_padding() {
    let network = padded([1.0, 0.0, 0.0, 0.0, 0.0, -1.0]).unwrap();
    let LayerOp::Conv(conv) = &network.layers[0].op else { panic!("no convolution") };
    assert_eq!(conv.padding, Padding::Value(Surround::checkered(vec![1], vec![-1])));
    assert_eq!((network.layers.len(), conv.window.before, conv.window.after), (1, [0, 1], [0, 1]));
    let golden = Golden::new(&network);
    assert_eq!(golden.run(&[1, 1, -1, 1]).output, [3, 1, 1, -1]);
    // Both places are odd or even alike: then it is plain padding.
    let even = padded([-1.0, 0.0, 0.0, 0.0, 0.0, -1.0]).unwrap();
    let LayerOp::Conv(conv) = &even.layers[0].op else { panic!("no convolution") };
    assert_eq!(conv.padding, Padding::Value(Surround::of(vec![-1])));
}

#[test]
fn other_padding_is_refused() {
    let never = padded([0.5, 0.0, 0.0, 0.0, 0.0, -0.5]).unwrap_err();
    assert!(never.message.contains("neither 0 nor a value"), "{never}");
    let wide = Op::Pad { before: [0, 2], after: [0, 1], value: 0.0 };
    let around = vec![1.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    let irregular = |around: Vec<f32>| {
        let around = ArrayD::from_shape_vec(IxDyn(&[1, 1, 1, 7]), around).unwrap();
        let add = Op::Elementwise(Elementwise::add(Param(around)));
        let chain = Chain::new(&[1, 1, 1, 4], ElementType::Bipolar);
        let chain = chain.push("pad", wide.clone(), &[1, 1, 1, 7]).push("add", add, &[1, 1, 1, 7]);
        chain.conv(Array2::ones((1, 3)), [1, 3], 1, &[1, 1, 1, 5]).streamlined()
    };
    assert!(irregular(around).is_ok());
    let refused = irregular(vec![1.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0]).unwrap_err();
    assert!(refused.message.contains("differs from place to place"), "{refused}");
}

/// Four channels in two groups, mixed.
fn shuffled(chain: Chain) -> Chain {
    let chain = chain.push("split", Op::Reshape, &[1, 2, 2, 1, 1]);
    let chain = chain.push("mix", Op::Transpose(vec![0, 2, 1, 3, 4]), &[1, 2, 2, 1, 1]);
    chain.push("join", Op::Reshape, &[1, 4, 1, 1])
}

/// Keeps integers of 8 bits as they are.
fn integers() -> Op {
    let (scale, zero_point) = (Param::scalar(1.0), Param::scalar(0.0));
    let (low, high, rounding) = (-128, 127, Rounding::HalfEven);
    Op::Elementwise(Elementwise::Quant { scale, zero_point, low, high, rounding })
}

#[test]
fn shuffles_move_nothing() {
    let input = || Chain::new(&[1, 4, 1, 1], ElementType::Int(6));
    // Groups of two, mixed, then channel by channel: 2, 3, 5, 7 times the channels 0, 2, 1, 3.
    let grouped = ndarray::array![[1.0, 1.0], [1.0, -1.0], [2.0, 1.0], [0.0, 1.0]];
    let chain = shuffled(input().conv(grouped, [1, 1], 2, &[1, 4, 1, 1]));
    let each = ndarray::array![[2.0], [3.0], [5.0], [7.0]];
    let chain = chain.push("quant", integers(), &[1, 4, 1, 1]);
    let chain = chain.conv(each, [1, 1], 4, &[1, 4, 1, 1]);
    // A matrix puts the channels in order again.
    let chain = chain.push("quant2", integers(), &[1, 4, 1, 1]);
    let chain = chain.conv(Array2::eye(4), [1, 1], 1, &[1, 4, 1, 1]);
    let network = chain.streamlined().unwrap();
    assert_eq!(network.layers.len(), 3);
    let golden = Golden::new(&network);
    // Sums 1 + 2, 1 - 2, 2 * 3 + 4, 4; mixed 3, 10, -1, 4.
    assert_eq!(golden.run(&[1, 2, 3, 4]).output, [6, 30, -5, 28]);
}
