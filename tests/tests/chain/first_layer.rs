//! First layers on normalised pixels: whatever is integer is exact, by every way to add up products,
//! and the rest is refused.

use crate::all_agree;
use dataflow::Dot;
use diagnostic::Code;
use fold::{Fold, LayerFold};
use golden::Golden;
use graph::{Conv, Elementwise, Graph, Op, Param, QuantizedWeights, Rounding, Weights};
use ndarray::Array2;
use streamline::{LayerOp, Options, Padding, Streamlined, streamline};
use tensor::{ElementType, Window};
use tests::networks::{Case, Draw, RandomNetwork, Timed, equals_reference, prepare};

/// Means and standard deviations as image networks are trained with.
const MEANS: [f32; 3] = [-0.485, -0.456, -0.406];
const DEVIATIONS: [f32; 3] = [0.229, 0.224, 0.225];

/// The 8-bit quantizer that Brevitas puts behind a normalisation.
fn eight_bits() -> Elementwise {
    let (scale, zero_point) = (Param::scalar(2.7 / 127.0), Param::scalar(0.0));
    Elementwise::Quant { scale, zero_point, low: -128, high: 127, rounding: Rounding::HalfEven }
}

/// A zero-padded convolution of a 5 x 4 image of three channels behind `operators`, and a fully
/// connected layer.
fn network(
    operators: Vec<Elementwise>,
    weights: (i64, i64),
    planes: Option<usize>,
) -> RandomNetwork {
    let mut draw = Draw::new(7);
    let mut matrix = |rows: usize, columns: usize, (low, high): (i64, i64)| {
        let integers = Array2::from_shape_fn((rows, columns), |_| match (low, high) {
            (-1, 1) => draw.pick(&[-1, 1]),
            _ => draw.integer(low, high),
        });
        let quantized = Some(QuantizedWeights { integers: integers.clone(), scale: vec![0.25] });
        Weights { values: integers.mapv(|n| n as f32 * 0.25), quantized }
    };
    let mut graph = Graph::new("first");
    let image = vec![1, 3, 5, 4];
    let mut at = graph.input("image", image.clone(), None);
    for (i, op) in operators.into_iter().enumerate() {
        at = graph.add(&format!("op{i}"), "Op", Op::Elementwise(op), at, image.clone());
    }
    let window = Window { before: [1, 1], after: [1, 1], ..Window::of([3, 3]) };
    let conv = Conv { weights: matrix(4, 27, weights), window, groups: 1 };
    at = graph.add("conv", "Conv", Op::Conv(conv), at, vec![1, 4, 5, 4]);
    let bias = Param::per_channel(&[0.013, -0.37, 0.71, 0.0437], 4);
    at = graph.add("bias", "Add", Op::Elementwise(Elementwise::add(bias)), at, vec![1, 4, 5, 4]);
    let sign = Elementwise::BipolarQuant { scale: Param::scalar(1.0) };
    at = graph.add("sign", "BipolarQuant", Op::Elementwise(sign), at, vec![1, 4, 5, 4]);
    at = graph.add("flat", "Flatten", Op::Reshape, at, vec![1, 80]);
    at = graph.add("fc", "MatMul", Op::MatMul(matrix(3, 80, (-1, 1))), at, vec![1, 3]);
    graph.set_output(at);
    let options = Options { input_planes: planes, ..Options::default() };
    RandomNetwork { graph, options, exact: false }
}

fn subtract(means: &[f32]) -> Elementwise {
    Elementwise::add(Param::per_channel(means, 4))
}

fn scale(factors: &[f32]) -> Elementwise {
    Elementwise::mul(Param::per_channel(factors, 4))
}

fn normalised() -> Vec<Elementwise> {
    vec![subtract(&MEANS), scale(&DEVIATIONS.map(|d| 1.0 / d))]
}

/// Streamlines a network and compares it with the float model.
fn exact(network: &RandomNetwork) -> Streamlined {
    let streamlined = streamline(&network.graph, &network.options).unwrap();
    let frames = emit::seeded_frames(&streamlined.input, 3, 60);
    equals_reference(network, &streamlined, &frames).unwrap();
    streamlined
}

/// The convolution with every way to add up products, at some foldings.
fn cases(name: &str, streamlined: &Streamlined) -> Vec<Case> {
    let mut cases = Vec::new();
    // The input has several bits.
    let takes = |dot: &Dot| dot.takes(ElementType::Bipolar, ElementType::Uint(8));
    for dot in Dot::ALL.into_iter().filter(takes) {
        for (pe, simd) in [(1, 1), (2, 3), (4, 3)] {
            let name = format!("{name}_{}_{pe}_{simd}", dot.name());
            let mut fold = Fold { input_lanes: Some(simd), ..Fold::default() };
            let layer = |pe, simd, dot| LayerFold {
                pe: Some(pe),
                simd: Some(simd),
                dot,
                ..LayerFold::default()
            };
            fold.layers.insert("conv0".into(), layer(pe, simd, Some(dot)));
            fold.layers.insert("fc0".into(), layer(1, 4, None));
            let folded = fold::refold(&name, streamlined, &fold, 100.0).unwrap();
            let design = prepare(&name, streamlined.clone(), folded).unwrap();
            cases.push(Case {
                origin: name.clone(),
                name,
                design,
                timed: Timed::ClosedForm,
                seed: 5,
            });
        }
    }
    cases
}

#[test]
fn every_dot_of_every_first_layer() {
    let means = vec![subtract(&MEANS), Elementwise::mul(Param::scalar(4.4))];
    let mut quantized = normalised();
    quantized.push(eight_bits());
    let networks = [
        ("raw", network(Vec::new(), (-1, 1), None)),
        ("raw_two_bits", network(Vec::new(), (-2, 1), None)),
        ("means", network(means, (-1, 1), None)),
        ("quantized", network(quantized, (-1, 1), None)),
        ("planes", network(Vec::new(), (-1, 1), Some(12))),
        ("normalised_planes", network(normalised(), (-3, 3), Some(11))),
    ];
    let all = networks.iter().flat_map(|(name, network)| cases(name, &exact(network)));
    all_agree("first_layer", &all.collect::<Vec<_>>());
}

#[test]
fn means_of_channels_need_no_quantizer() {
    let operators = vec![subtract(&MEANS), scale(&[4.4, -4.4, 4.4])];
    let streamlined = exact(&network(operators, (-1, 1), None));
    let [conv, fc] = streamlined.layers.as_slice() else { panic!("two layers") };
    assert_eq!((conv.name.as_str(), fc.name.as_str()), ("conv0", "fc0"));
    // A zero behind the subtraction is no pixel: the border counts fewer terms.
    let LayerOp::Conv(conv) = &conv.op else { panic!("a convolution") };
    assert_eq!((&conv.padding, conv.borders().count()), (&Padding::Nothing, 9));
}

#[test]
fn deviations_of_channels_need_a_quantizer() {
    let refused = network(normalised(), (-1, 1), None);
    let error = streamline(&refused.graph, &refused.options).unwrap_err();
    assert_eq!(error.code, Code::NotQuantized);
    assert!(error.hint.unwrap().starts_with("put a quantizer behind the normalisation"));
    let mut operators = normalised();
    operators.push(eight_bits());
    let streamlined = exact(&network(operators, (-1, 1), None));
    assert_eq!(streamlined.layers[0].element, ElementType::Int(8));
    let LayerOp::Threshold(t) = &streamlined.layers[0].op else { panic!("a quantizer") };
    assert_eq!(t.values.nrows(), 3);
}

#[test]
fn all_planes_change_nothing() {
    let plain = network(Vec::new(), (-1, 1), None);
    let without = streamline(&plain.graph, &plain.options).unwrap();
    for planes in [255, 16, 1] {
        let options = Options { input_planes: Some(planes), ..Options::default() };
        let with = streamline(&plain.graph, &options).unwrap();
        match planes {
            255 => assert_eq!(with, without),
            _ => {
                let reduced = with.input.planes.unwrap();
                assert_eq!((reduced.low, reduced.high), (0, planes as i64));
                assert_eq!(with.levels(&with.layers[1]), (0, planes as i64));
            }
        }
    }
    // A pixel's level is the nearest: with one plane, whether it is brighter than the middle.
    let options = Options { input_planes: Some(1), ..Options::default() };
    let one = streamline(&plain.graph, &options).unwrap();
    let frame: Vec<i64> = (0..60).map(|i| 98 + i).collect();
    let levels = &Golden::new(&one).trace(&frame).outputs[0];
    assert!(levels.iter().zip(&frame).all(|(&level, &p)| level == i64::from(p >= 128)));
    for planes in [0, 256] {
        let options = Options { input_planes: Some(planes), ..Options::default() };
        assert_eq!(streamline(&plain.graph, &options).unwrap_err().code, Code::Usage);
    }
}
