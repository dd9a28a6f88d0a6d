//! Depthwise layers in a folding, and means of values that have no sign.

use crate::all_agree;
use dataflow::EngineKind;
use diagnostic::Code;
use fold::{Board, Fold, Target};
use graph::{Conv, Elementwise, Graph, Op, Param, Pool, PoolKind, Weights};
use ndarray::Array2;
use streamline::Options;
use tensor::{ElementType, Window};
use tests::networks::{Case, Timed, prepare};

#[test]
fn foldings_of_depthwise_layers() {
    let mut graph = Graph::new("depth");
    let x = graph.input("x", vec![1, 12, 6, 6], Some(ElementType::Bipolar));
    let weights = Weights { values: Array2::from_elem((12, 9), -1.0), quantized: None };
    let conv = Op::Conv(Conv { weights, window: Window::of([3, 3]), groups: 12 });
    let sums = graph.add("conv", "Conv", conv, x, vec![1, 12, 4, 4]);
    let turn = Op::Transpose(vec![0, 2, 3, 1]);
    let end = graph.add("end", "Transpose", turn, sums, vec![1, 4, 4, 12]);
    graph.set_output(end);
    let network = streamline::streamline(&graph, &Options::default()).unwrap();
    // Sixteen windows of nine taps, four channels at a time.
    let target = Target { clock_mhz: 100.0, fps: Some(100e6 / 432.0), budget: 0.7 };
    let board = Board::find("pynq-z2").unwrap();
    let found = fold::fold("depth", &network, &board, &target).unwrap();
    assert_eq!((found.facts.ii_cycles, found.fold.layers["conv0"].pe), (432, Some(4)));
    let kinds = found.dataflow.engines.iter().map(|e| &e.kind);
    assert_eq!(kinds.filter(|kind| matches!(kind, EngineKind::Depthwise(_))).count(), 1);
    for (key, code) in [
        ("pe = 5", Code::FoldNotDivisor),
        ("simd = 3", Code::FoldNotDivisor),
        ("lanes = 2", Code::FoldInvalid),
        ("dot = \"planes\"", Code::FoldInvalid),
        ("parallel_window = true", Code::FoldInvalid),
    ] {
        let text = format!("[layers.conv0]\n{key}\n");
        assert_eq!(Fold::parse(&text, &network).unwrap_err().code, code, "{key}");
    }
}

#[test]
fn means_with_a_scale_for_each_channel() {
    let mut graph = Graph::new("means");
    let x = graph.input("x", vec![1, 2, 3, 3], Some(ElementType::Uint(4)));
    let pool = Op::Pool(Pool { kind: PoolKind::Average, window: Window::of([3, 3]) });
    let mean = graph.add("mean", "AveragePool", pool, x, vec![1, 2, 1, 1]);
    let scale = Op::Elementwise(Elementwise::mul(Param::per_channel(&[0.75, -1.25], 4)));
    let end = graph.add("scale", "Mul", scale, mean, vec![1, 2, 1, 1]);
    graph.set_output(end);
    let network = streamline::streamline(&graph, &Options::default()).unwrap();
    assert_eq!(network.layers[0].element, ElementType::Uint(8));
    let folded = fold::refold("means", &network, &Fold::default(), 100.0).unwrap();
    let design = prepare("means", network, folded).unwrap();
    let (name, origin) = ("means".to_string(), "means_with_a_scale_for_each_channel".to_string());
    all_agree("means", &[Case { name, origin, design, timed: Timed::ClosedForm, seed: 1 }]);
}
