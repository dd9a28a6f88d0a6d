//! The grid that the FINN compiler tests its vector-vector unit on (test_fpgadataflow_vvau.py), on
//! smaller maps: exact here in values *and* in cycles. And depthwise layers in a folding.

use crate::all_agree;
use dataflow::{EngineKind, MemoryStyle};
use diagnostic::Code;
use fold::{Board, Fold, LayerFold, Target};
use graph::{Conv, Elementwise, Graph, Op, Pool, PoolKind, QuantizedWeights, Weights};
use ndarray::Array2;
use streamline::{Options, Streamlined};
use tensor::{ElementType, Map, Window};
use tests::networks::{Case, Draw, Timed, prepare};

const BIPOLAR: ElementType = ElementType::Bipolar;
const UINT4: ElementType = ElementType::Uint(4);

/// A depthwise convolution with random weights and thresholds.
fn network(
    name: &str,
    draw: &mut Draw,
    (input, weight, act): (ElementType, ElementType, Option<ElementType>),
    map: Map,
    window: Window,
) -> Streamlined {
    let mut graph = Graph::new(name);
    let (channels, taps) = (map.channels, window.taps());
    let x = graph.input("x", vec![1, channels, map.height, map.width], Some(input));
    let integers =
        Array2::from_shape_simple_fn((channels, taps), || weight.decode(draw.bits() >> 9));
    let values = integers.mapv(|v| v as f32);
    let weights =
        Weights { values, quantized: Some(QuantizedWeights { integers, scale: vec![1.0] }) };
    let to = window.over(map, channels).unwrap();
    let shape = vec![1, channels, to.height, to.width];
    let op = Op::Conv(Conv { weights, window, groups: channels });
    let mut at = graph.add("vvau", "Conv", op, x, shape.clone());
    if let Some(act) = act {
        let reach = taps as f64 * weight.max() as f64 * input.max() as f64 / 2.0;
        let count = if act == BIPOLAR { 1 } else { 15 };
        let mut thresholds = Array2::zeros((channels, count));
        for mut row in thresholds.rows_mut() {
            let mut sorted: Vec<f32> =
                (0..count).map(|_| draw.real(-reach, reach).round() as f32 + 0.5).collect();
            sorted.sort_by(f32::total_cmp);
            row.assign(&ndarray::Array1::from(sorted));
        }
        let (out_scale, out_bias) = if count == 1 { (2.0, -1.0) } else { (1.0, 0.0) };
        let op = Elementwise::MultiThreshold { thresholds, out_scale, out_bias, channel_axis: 1 };
        at = graph.add("act", "MultiThreshold", Op::Elementwise(op), at, shape);
    } else {
        // Sums of maps go on to an average, which takes them as they are.
        let pool = Pool { kind: PoolKind::Average, window: Window::of(to.extents()) };
        at = graph.add("mean", "AveragePool", Op::Pool(pool), at, vec![1, channels, 1, 1]);
    }
    // As maps leave the hardware.
    let [_, c, h, w] = graph.node(at).shape[..] else { unreachable!("a map") };
    let end = graph.add("end", "Transpose", Op::Transpose(vec![0, 2, 3, 1]), at, vec![1, h, w, c]);
    graph.set_output(end);
    streamline::streamline(&graph, &Options::default()).unwrap()
}

#[test]
fn vvau() {
    let mut cases = Vec::new();
    for input in [BIPOLAR, UINT4] {
        for weight in [BIPOLAR, UINT4] {
            for act in [None, Some(BIPOLAR), Some(UINT4)] {
                for (channels, pe) in [(3, 1), (3, 3), (6, 1), (6, 3), (6, 6)] {
                    let index = cases.len();
                    let mut draw = Draw::new(index as u64);
                    let name = format!("vvau_{index}");
                    let flat = index.is_multiple_of(3);
                    let (kernel, width) = if flat { ([3, 1], 1) } else { ([3, 3], 5) };
                    let pads = if flat { [1, 0] } else { [1, 1] };
                    let padded = act.is_some() && index.is_multiple_of(2);
                    let pads = if padded { pads } else { [0, 0] };
                    let window = Window { before: pads, after: pads, ..Window::of(kernel) };
                    let map = Map { height: 5, width, channels };
                    let types = (input, weight, act);
                    let network = network(&name, &mut draw, types, map, window);
                    let entry = LayerFold {
                        pe: Some(pe),
                        weights: draw.pick(&[Some(MemoryStyle::Lut), Some(MemoryStyle::Block)]),
                        ..LayerFold::default()
                    };
                    let layers = [("conv0".to_string(), entry)].into();
                    let fold = Fold { layers, ..Fold::default() };
                    let folded = fold::refold(&name, &network, &fold, 100.0).unwrap();
                    let design = prepare(&name, network, folded).unwrap();
                    let origin = format!("{types:?} {window:?} {channels} channels, PE {pe}");
                    let (timed, seed) = (Timed::ClosedForm, index as u64);
                    cases.push(Case { name, origin, design, timed, seed });
                }
            }
        }
    }
    assert_eq!(cases.len(), 60);
    all_agree("vvau", &cases);
}

#[test]
fn foldings_of_depthwise_layers() {
    let map = Map { height: 6, width: 6, channels: 12 };
    let types = (BIPOLAR, BIPOLAR, Some(BIPOLAR));
    let network = network("depth", &mut Draw::new(1), types, map, Window::of([3, 3]));
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
