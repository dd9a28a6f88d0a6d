//! Networks that end in maps.
#![allow(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use golden::Golden;
use graph::{Conv, Elementwise, Graph, Op, Param, Weights};
use streamline::{Options, streamline};
use tensor::{ElementType, Window};

/// Two pixels through a matrix of two rows, as a map whose channels come last.
fn ends_in(op: Option<Elementwise>) -> Graph {
    let mut graph = Graph::new("ends");
    let mut at = graph.input("x", vec![1, 1, 1, 2], Some(ElementType::Int(3)));
    let weights = Weights { values: ndarray::array![[1.0], [-1.0]], quantized: None };
    let conv = Op::Conv(Conv { weights, window: Window::of([1, 1]), groups: 1 });
    at = graph.add("conv", "Conv", conv, at, vec![1, 2, 1, 2]);
    if let Some(op) = op {
        at = graph.add("op", "Op", Op::Elementwise(op), at, vec![1, 2, 1, 2]);
    }
    let turn = Op::Transpose(vec![0, 2, 3, 1]);
    at = graph.add("turn", "Transpose", turn, at, vec![1, 1, 2, 2]);
    graph.set_output(at);
    graph
}

#[test]
fn sums_of_maps() {
    for (op, expected) in [
        (None, [1.0, -1.0, -2.0, 2.0]),
        (Some(Elementwise::mul(Param::scalar(0.5))), [0.5, -0.5, -1.0, 1.0]),
        (Some(Elementwise::add(Param::per_channel(&[1.0, 2.0], 4))), [2.0, 1.0, -1.0, 4.0]),
    ] {
        let network = streamline(&ends_in(op), &Options::default()).unwrap();
        assert_eq!(network.output.elements, 4);
        let golden = Golden::new(&network);
        let outcome = golden.run(&[1, -2]);
        assert_eq!(golden.model_output(&outcome), expected);
    }
}
