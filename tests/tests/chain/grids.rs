//! The grids that the FINN compiler tests its engines on (tests/fpgadataflow), as far as they
//! concern fully connected networks: exact here in values *and* in cycles.

use crate::all_agree;
use dataflow::{EngineKind, LabelSelect, MemoryStyle, Threshold};
use fold::{Fold, LayerFold};
use graph::{Elementwise, Graph, Op, QuantizedWeights, Weights};
use ndarray::Array2;
use streamline::{LayerOp, Options, Thresholds};
use tensor::ElementType;
use tests::networks::{Bare, Case, Draw, Timed, bare, prepare, width_steps};

/// Part `-1` of the whole is all of it in one step, else so many steps.
fn parallel(whole: usize, steps: i64) -> usize {
    if steps < 0 { 1 } else { whole / steps as usize }
}

fn short(element: Option<ElementType>) -> &'static str {
    match element {
        None => "none",
        Some(ElementType::Bipolar) => "bipolar",
        Some(_) => "int4",
    }
}

/// `test_fpgadataflow_mvau.py`, hwop: 16 x 16.
fn mvau(
    index: usize,
    act: Option<ElementType>,
    weight: ElementType,
    input: ElementType,
    (nf, sf): (i64, i64),
) -> Case {
    const SIZE: usize = 16;
    let mut draw = Draw::new(index as u64 + 1);
    let name =
        format!("mvau_{}_{}_{}_{index}", short(act), short(Some(weight)), short(Some(input)));
    let mut graph = Graph::new(&name);
    let x = graph.input("x", vec![1, SIZE], Some(input));
    let shape = vec![1, SIZE];
    let integers = Array2::from_shape_simple_fn((SIZE, SIZE), || weight.decode(draw.bits() >> 9));
    let values = integers.mapv(|v| v as f32);
    let quantized = Some(QuantizedWeights { integers, scale: vec![1.0] });
    let weights = Op::MatMul(Weights { values, quantized });
    let mut at = graph.add("mvau", "MatMul", weights, x, shape.clone());
    if let Some(act) = act {
        // T random integers in the range of the sums, ascending.
        let reach = SIZE as f64 * weight.max() as f64 * input.max() as f64 / 3.0;
        let count = if act == ElementType::Bipolar { 1 } else { 15 };
        let mut thresholds = Array2::zeros((SIZE, count));
        for mut row in thresholds.rows_mut() {
            let mut sorted: Vec<f32> =
                (0..count).map(|_| draw.real(-reach, reach).round() as f32).collect();
            sorted.sort_by(f32::total_cmp);
            row.assign(&ndarray::Array1::from(sorted));
        }
        let (out_scale, out_bias) = if count == 1 { (2.0, -1.0) } else { (1.0, -8.0) };
        let op = Elementwise::MultiThreshold { thresholds, out_scale, out_bias, channel_axis: 1 };
        at = graph.add("act", "MultiThreshold", Op::Elementwise(op), at, shape);
    }
    graph.set_output(at);
    let network = streamline::streamline(&graph, &Options::default()).unwrap();
    let entry = LayerFold {
        pe: Some(parallel(SIZE, nf)),
        simd: Some(parallel(SIZE, sf)),
        weights: draw.pick(&[None, Some(MemoryStyle::Block)]),
        ..LayerFold::default()
    };
    let fold = Fold { layers: [("fc0".to_string(), entry)].into(), ..Fold::default() };
    let folded = fold::refold(&name, &network, &fold, 100.0).unwrap();
    let design = prepare(&name, network, folded).unwrap();
    let origin = format!("mvau act {act:?} weights {weight} input {input} nf {nf} sf {sf}");
    Case { name, origin, design, timed: Timed::ClosedForm, seed: index as u64 }
}

fn mvau_grid(act: Option<ElementType>) -> Vec<Case> {
    let types = [ElementType::Bipolar, ElementType::Int(4)];
    let folds = [-1, 2, 1];
    let mut cases = Vec::new();
    for weight in types {
        for input in types {
            for nf in folds {
                for sf in folds {
                    cases.push(mvau(cases.len(), act, weight, input, (nf, sf)));
                }
            }
        }
    }
    cases
}

#[test]
fn mvau_without_activation() {
    all_agree("mvau_none", &mvau_grid(None));
}

#[test]
fn mvau_bipolar() {
    all_agree("mvau_bipolar", &mvau_grid(Some(ElementType::Bipolar)));
}

#[test]
fn mvau_int4() {
    all_agree("mvau_int4", &mvau_grid(Some(ElementType::Int(4))));
}

fn case(
    name: String,
    origin: String,
    input: (ElementType, usize, usize),
    engines: &[Bare],
) -> Case {
    let design = bare(&name, input.into(), engines).unwrap();
    Case { name, origin, design, timed: Timed::ClosedForm, seed: 5 }
}

/// `test_fpgadataflow_thresholding.py`: its input types of up to 8 bits, each in turn.
fn thresholding() -> Vec<Case> {
    let inputs = [
        ElementType::Uint(4),
        ElementType::Int(8),
        ElementType::Bipolar,
        ElementType::Uint(8),
        ElementType::Int(3),
        ElementType::Uint(3),
    ];
    let mut cases = Vec::new();
    let mut draw = Draw::new(77);
    for channels in [6, 16] {
        for act in [ElementType::Uint(4), ElementType::Int(4), ElementType::Bipolar] {
            for fold in [-1, 1, 2] {
                for shared in [false, true] {
                    let input = inputs[cases.len() % inputs.len()];
                    let bipolar = act == ElementType::Bipolar;
                    let count = if bipolar { 1 } else { 15 };
                    let rows = if shared { 1 } else { channels };
                    let mut values = Array2::from_shape_simple_fn((rows, count), || {
                        draw.integer(input.min() - 1, input.max() + 1)
                    });
                    for mut row in values.rows_mut() {
                        let mut sorted = row.to_vec();
                        sorted.sort_unstable();
                        row.assign(&ndarray::Array1::from(sorted));
                    }
                    let base = act.min();
                    let thresholds = Thresholds { values, base, bipolar };
                    let lanes = parallel(channels, fold);
                    let mut unit = Threshold {
                        thresholds: count,
                        shared,
                        memory: draw.pick(&[MemoryStyle::Lut, MemoryStyle::Block]),
                        credits: 1,
                    };
                    let latency = engines::threshold::latency(&unit);
                    unit.credits = engines::full_rate_credits(latency, 1);
                    let engine = Bare {
                        kind: EngineKind::Threshold(unit),
                        layer: Some(LayerOp::Threshold(thresholds)),
                        output: (act, lanes, channels).into(),
                    };
                    let name = format!("thresholding_{}", cases.len());
                    let origin = format!(
                        "{channels} channels {input} -> {act}, {lanes} lanes, shared {shared}"
                    );
                    cases.push(case(name, origin, (input, lanes, channels), &[engine]));
                }
            }
        }
    }
    cases
}

#[test]
fn thresholding_grid() {
    all_agree("thresholding", &thresholding());
}

fn converter(from: usize, to: usize, elements: usize, element: ElementType) -> Case {
    let engines: Vec<Bare> = width_steps(from, to)
        .into_iter()
        .map(|lanes| Bare {
            kind: EngineKind::Width,
            layer: None,
            output: (element, lanes, elements).into(),
        })
        .collect();
    let name = format!("width_{from}_{to}_{elements}_{}", element.bits());
    let origin = format!("{elements} x {element}, {from} to {to} lanes");
    case(name, origin, (element, from, elements), &engines)
}

/// `test_fpgadataflow_dwc.py`, and frames that words do not divide.
fn converters() -> Vec<Case> {
    let grid = [(6, 4, 24), (4, 6, 24), (2, 4, 4), (4, 2, 4), (4, 4, 16), (8, 16, 16)];
    let uneven = [(2, 6, 14), (6, 2, 14), (4, 12, 13), (12, 4, 13), (1, 5, 7), (5, 1, 7)];
    let types = [ElementType::Bipolar, ElementType::Int(4)];
    let all = grid.into_iter().chain(uneven);
    all.flat_map(|(from, to, n)| types.map(|t| converter(from, to, n, t))).collect()
}

/// `test_fpgadataflow_labelselect.py`; one element a cycle for k > 1.
fn label_select() -> Vec<Case> {
    let types = [ElementType::Uint(8), ElementType::Uint(16), ElementType::Int(16)];
    let mut cases = Vec::new();
    for input in types {
        for labels in [10, 100] {
            for (fold, k) in [(-1, 1), (2, 1), (10, 1), (-1, 5)] {
                let lanes = parallel(labels, fold);
                let latency = engines::label_select::latency(lanes, k);
                let smallest = cases.len() % 5 == 3;
                let credits = engines::full_rate_credits(latency, labels / lanes);
                let index = ElementType::smallest(0, labels as i64 - 1);
                let engine = Bare {
                    kind: EngineKind::LabelSelect(LabelSelect { k, smallest, credits }),
                    layer: Some(LayerOp::LabelSelect { k, smallest }),
                    output: (index, k, k).into(),
                };
                let name = format!("label_{}", cases.len());
                let origin = format!("label select of {labels} x {input}, {lanes} lanes, k {k}");
                cases.push(case(name, origin, (input, lanes, labels), &[engine]));
            }
        }
    }
    cases
}

/// Values that tie often: the lowest index wins in every order of lanes.
fn ties(input: ElementType) -> Vec<Case> {
    let engine = |lanes: usize, k: usize, smallest: bool| {
        let latency = engines::label_select::latency(lanes, k);
        let credits = engines::full_rate_credits(latency, 12usize.div_ceil(lanes));
        Bare {
            kind: EngineKind::LabelSelect(LabelSelect { k, smallest, credits }),
            layer: Some(LayerOp::LabelSelect { k, smallest }),
            output: (ElementType::Uint(4), k, k).into(),
        }
    };
    let grid = [(1, 1), (3, 1), (5, 1), (8, 1), (12, 1), (1, 4), (1, 12)];
    grid.into_iter()
        .flat_map(|(lanes, k)| [false, true].map(|smallest| (lanes, k, smallest)))
        .map(|(lanes, k, smallest)| {
            let order = if smallest { "up" } else { "down" };
            let name = format!("tie_{lanes}_{k}_{order}_{}", input.min() + 9);
            let origin =
                format!("ties among 12 x {input}, {lanes} lanes, k {k}, smallest {smallest}");
            case(name, origin, (input, lanes, 12), &[engine(lanes, k, smallest)])
        })
        .collect()
}

#[test]
fn width_and_label_select_grids() {
    let ties = [ElementType::Int(2), ElementType::Bipolar, ElementType::Uint(1)].map(ties);
    let cases = [converters(), label_select(), ties.concat()].concat();
    all_agree("width_label", &cases);
}
