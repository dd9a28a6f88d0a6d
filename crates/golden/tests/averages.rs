//! Average pools in integers: sums, and what they are divided by.
#![allow(clippy::unwrap_used, reason = "whatever fails here fails the test")]

use diagnostic::{Code, Diagnostic};
use golden::Golden;
use graph::{Conv, Elementwise, Graph, Op, Param, Pool, PoolKind, Rounding, Weights};
use ndarray::Array2;
use streamline::{LayerOp, Options, Streamlined, streamline};
use tensor::{ElementType, Map, Window};

/// A chain that starts from a map of one channel and three columns.
struct Chain {
    graph: Graph,
    at: graph::NodeId,
    map: Map,
}

impl Chain {
    fn new(element: ElementType) -> Self {
        let mut graph = Graph::new("averages");
        let at = graph.input("x", vec![1, 1, 1, 3], Some(element));
        Self { graph, at, map: Map { height: 1, width: 3, channels: 1 } }
    }

    fn push(mut self, name: &str, op: Op, map: Map) -> Self {
        let shape = vec![1, map.channels, map.height, map.width];
        self.at = self.graph.add(name, name, op, self.at, shape);
        self.map = map;
        self
    }

    fn average(self, kind: PoolKind, window: Window) -> Self {
        let map = window.over(self.map, self.map.channels).unwrap();
        self.push("average", Op::Pool(Pool { kind, window }), map)
    }

    fn conv(self, weights: Array2<f32>) -> Self {
        let (window, map) = (Window::of([1, 1]), Map { channels: weights.nrows(), ..self.map });
        let weights = Weights { values: weights, quantized: None };
        self.push("conv", Op::Conv(Conv { weights, window, groups: 1 }), map)
    }

    fn rounded(self) -> Self {
        let op = Elementwise::Quant {
            scale: Param::scalar(1.0),
            zero_point: Param::scalar(0.0),
            low: 0,
            high: 15,
            rounding: Rounding::HalfEven,
        };
        let map = self.map;
        self.push("quant", Op::Elementwise(op), map)
    }

    fn streamlined(mut self) -> Result<Streamlined, Diagnostic> {
        self.graph.set_output(self.at);
        streamline(&self.graph, &Options::default())
    }
}

fn output(network: &Streamlined, frame: &[i64]) -> Vec<f32> {
    let golden = Golden::new(network);
    golden.model_output(&golden.run(frame))
}

const UINT4: ElementType = ElementType::Uint(4);

fn three_wide() -> Window {
    Window { before: [0, 1], after: [0, 1], ..Window::of([1, 3]) }
}

#[test]
fn padding_is_counted_or_not() {
    let of = |kind| {
        let network = Chain::new(UINT4).average(kind, three_wide()).rounded().streamlined();
        output(&network.unwrap(), &[1, 4, 6])
    };
    // Sums 5, 11, 10; 2.5 is rounded to even.
    assert_eq!(of(PoolKind::Average), [2.0, 4.0, 3.0]);
    assert_eq!(of(PoolKind::AverageInside), [2.0, 4.0, 5.0]);
}

#[test]
fn sums_go_on_as_they_are() {
    let window = Window::of([1, 3]);
    let chain = Chain::new(ElementType::Bipolar).average(PoolKind::Average, window);
    let network = chain.conv(ndarray::array![[1.0], [-2.0]]).streamlined().unwrap();
    let types: Vec<ElementType> = network.layers.iter().map(|l| l.element).collect();
    // -3 to 3, then twice that.
    assert_eq!(types, [ElementType::Int(3), ElementType::Int(4)]);
    assert!(matches!(&network.layers[0].op, LayerOp::Conv(conv) if conv.is_sum()));
    assert_eq!(output(&network, &[1, 1, -1]), [1.0 / 3.0, -2.0 / 3.0]);
}

#[test]
fn sums_of_a_convolution_are_summed_up() {
    let chain = Chain::new(UINT4).conv(ndarray::array![[1.0], [-1.0]]);
    let chain = chain.average(PoolKind::Average, Window::of([1, 3]));
    let network = chain.streamlined().unwrap();
    assert_eq!(output(&network, &[1, 2, 9]), [4.0, -4.0]);
    let chain = Chain::new(UINT4).conv(ndarray::array![[0.3], [-0.7172]]);
    let refused = chain.average(PoolKind::Average, Window::of([1, 3])).streamlined();
    assert_eq!(refused.unwrap_err().code, Code::NotQuantized);
}

#[test]
fn averages_of_fewer_elements_need_a_quantizer() {
    let chain = Chain::new(UINT4).average(PoolKind::AverageInside, three_wide());
    let refused = chain.conv(ndarray::array![[1.0]]).streamlined().unwrap_err();
    assert_eq!(refused.code, Code::UnsupportedStructure);
    assert!(refused.message.contains("averages at the border"), "{refused}");
}
