//! The grids that the FINN compiler tests convolutions on, layer by layer (tests/fpgadataflow):
//! exact here in values *and* in cycles, and with padding of bipolar maps, which FINN does not have.

use crate::all_agree;
use dataflow::MemoryStyle;
use fold::{Fold, LayerFold};
use graph::{Conv, Elementwise, Graph, Op, QuantizedWeights, Weights};
use ndarray::Array2;
use streamline::Options;
use tensor::{ElementType, Map, Window};
use tests::networks::{Case, Draw, RandomNetwork, Timed, equals_reference, prepare};

const BIPOLAR: ElementType = ElementType::Bipolar;
const UINT4: ElementType = ElementType::Uint(4);
const INT4: ElementType = ElementType::Int(4);

/// A convolution, with thresholds or with its sums.
#[derive(Debug, Clone)]
struct Point {
    input: ElementType,
    weight: ElementType,
    act: Option<ElementType>,
    map: Map,
    window: Window,
    rows: usize,
    groups: usize,
    pe: usize,
    simd: usize,
}

impl Point {
    fn graph(&self, name: &str, draw: &mut Draw) -> Graph {
        let Point { map, window, rows, groups, .. } = *self;
        let mut graph = Graph::new(name);
        let shape = vec![1, map.channels, map.height, map.width];
        let x = graph.input("x", shape, Some(self.input));
        let columns = window.taps() * map.channels / groups;
        let integers = Array2::from_shape_simple_fn((rows, columns), || {
            self.weight.decode(draw.bits() >> 9 & ((1 << self.weight.bits()) - 1))
        });
        let values = integers.mapv(|v| v as f32);
        let quantized = Some(QuantizedWeights { integers, scale: vec![1.0] });
        let weights = Weights { values, quantized };
        let to = window.over(map, rows).unwrap();
        let shape = vec![1, rows, to.height, to.width];
        let conv = Op::Conv(Conv { weights, window, groups });
        let mut at = graph.add("conv", "Conv", conv, x, shape.clone());
        if let Some(act) = self.act {
            let largest = |t: ElementType| t.max().max(-t.min()) as f64;
            let reach = (columns as f64).sqrt() * largest(self.weight) * largest(self.input);
            let least = if self.weight.min() < 0 || self.input.min() < 0 { -reach } else { 0.0 };
            let count = if act == BIPOLAR { 1 } else { 15 };
            let mut thresholds =
                Array2::from_shape_simple_fn((rows, count), || draw.real(least, reach).round());
            for mut row in thresholds.rows_mut() {
                row.as_slice_mut().unwrap().sort_by(f64::total_cmp);
            }
            let thresholds = thresholds.mapv(|t| t as f32);
            let (out_scale, out_bias) =
                if act == BIPOLAR { (2.0, -1.0) } else { (1.0, act.min() as f32) };
            let op =
                Elementwise::MultiThreshold { thresholds, out_scale, out_bias, channel_axis: 1 };
            at = graph.add("act", "MultiThreshold", Op::Elementwise(op), at, shape);
        }
        // In the order in which they are computed.
        let shape = vec![1, to.height, to.width, rows];
        let last = graph.add("last", "Transpose", Op::Transpose(vec![0, 2, 3, 1]), at, shape);
        graph.set_output(last);
        graph
    }

    fn case(&self, name: &str, index: usize) -> Case {
        let seed = index as u64;
        let mut draw = Draw::new(seed + 1);
        let name = format!("{name}_{index}");
        let graph = self.graph(&name, &mut draw);
        let network = RandomNetwork { graph, options: Options::default(), exact: true };
        let streamlined = streamline::streamline(&network.graph, &network.options).unwrap();
        let frames = emit::seeded_frames(&streamlined.input, seed, 4);
        equals_reference(&network, &streamlined, &frames).unwrap();
        let style = [None, Some(MemoryStyle::Block), Some(MemoryStyle::Lut)];
        let entry = LayerFold {
            pe: Some(self.pe),
            simd: Some(self.simd),
            weights: draw.pick(&style),
            thresholds: draw.pick(&style),
            ..LayerFold::default()
        };
        let fold = Fold {
            input_lanes: Some(self.simd),
            layers: [("conv0".to_string(), entry)].into(),
            ..Fold::default()
        };
        let folded = fold::refold(&name, &streamlined, &fold, 100.0).unwrap();
        let design = prepare(&name, streamlined, folded).unwrap();
        Case { name, origin: format!("{self:?}"), design, timed: Timed::ClosedForm, seed }
    }
}

fn cases(name: &str, points: &[Point]) -> Vec<Case> {
    points.iter().enumerate().map(|(i, point)| point.case(name, i)).collect()
}

/// `test_convert_to_hw_conv_layer.py`: kernel, stride and padding of a 7 x 7 map of 16 channels, to
/// 20 channels or depthwise.
fn conv_layers() -> Vec<Point> {
    let configs = [(1, 2, 0), (1, 3, 0), (3, 2, 1), (3, 1, 0), (3, 1, 1), (5, 2, 1)];
    let mut points = Vec::new();
    for (input, weight, act) in
        [(UINT4, UINT4, None), (BIPOLAR, BIPOLAR, Some(BIPOLAR)), (BIPOLAR, INT4, None)]
    {
        for (k, s, p) in configs {
            for depthwise in [false, true] {
                let map = Map { height: 7, width: 7, channels: 16 };
                let mut window = Window { stride: [s, s], ..Window::of([k, k]) };
                (window.before, window.after) = ([p, p], [p, p]);
                let (rows, groups) = if depthwise { (16, 16) } else { (20, 1) };
                let (pe, simd) = if depthwise { (1, 1) } else { (5, 8) };
                points.push(Point { input, weight, act, map, window, rows, groups, pe, simd });
            }
        }
    }
    points
}

#[test]
fn conv_layer_grid() {
    let points = conv_layers();
    assert_eq!(points.len(), 3 * 6 * 2);
    all_agree("conv", &cases("conv", &points));
}

/// `test_convert_to_hw_1d_conv_layer.py`: kernel, stride, padding before and after, and dilation of
/// a signal, along either axis, in full and depthwise.
fn signals() -> Vec<Point> {
    let configs = [
        (4, 1, 0, 0, 1),
        (1, 1, 0, 0, 1),
        (2, 1, 1, 1, 1),
        (5, 3, 0, 0, 1),
        (4, 1, 0, 0, 2),
        (2, 1, 1, 1, 2),
        (3, 2, 1, 2, 1),
    ];
    let mut points = Vec::new();
    for (input, weight, act) in [(UINT4, INT4, Some(UINT4)), (BIPOLAR, BIPOLAR, Some(BIPOLAR))] {
        for (k, s, before, after, d) in configs {
            for axis in [0, 1] {
                for depthwise in [false, true] {
                    let mut map = Map { height: 1, width: 1, channels: 4 };
                    *[&mut map.height, &mut map.width][axis] = 10;
                    let mut window = Window::of([1, 1]);
                    window.kernel[axis] = k;
                    window.stride[axis] = s;
                    window.dilation[axis] = if k > 1 { d } else { 1 };
                    (window.before[axis], window.after[axis]) = (before, after);
                    let (rows, groups) = if depthwise { (4, 4) } else { (6, 1) };
                    let (pe, simd) = if depthwise { (1, 1) } else { (3, 2) };
                    points.push(Point { input, weight, act, map, window, rows, groups, pe, simd });
                }
            }
        }
    }
    points
}

#[test]
fn signal_grid() {
    let points = signals();
    assert_eq!(points.len(), 2 * 7 * 2 * 2);
    all_agree("signal", &cases("signal", &points));
}

/// `test_fpgadataflow_vvau.py`: depthwise convolutions, a tap a cycle, some of the channels or all.
fn depthwise() -> Vec<Point> {
    let mut points = Vec::new();
    for input in [BIPOLAR, UINT4] {
        for weight in [BIPOLAR, UINT4] {
            for act in [Some(BIPOLAR), Some(UINT4), None] {
                for (width, kernel) in [(10, [3, 3]), (1, [3, 1]), (10, [3, 1])] {
                    for (channels, pe) in [(3, 1), (3, 3), (6, 1), (6, 3), (6, 6)] {
                        let map = Map { height: 10, width, channels };
                        let window = Window::of(kernel);
                        let (rows, groups, simd) = (channels, channels, 1);
                        points.push(Point {
                            input,
                            weight,
                            act,
                            map,
                            window,
                            rows,
                            groups,
                            pe,
                            simd,
                        });
                    }
                }
            }
        }
    }
    points
}

#[test]
fn depthwise_grid() {
    let points = depthwise();
    assert_eq!(points.len(), 2 * 2 * 3 * 3 * 5);
    for (i, part) in points.chunks(64).enumerate() {
        all_agree(&format!("depthwise_{i}"), &cases("depthwise", part));
    }
}
