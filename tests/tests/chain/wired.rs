//! Layers whose weights are wires, in all forms of their counters.

use crate::all_agree;
use dataflow::Dot;
use diagnostic::Code;
use fold::{Fold, LayerFold};
use streamline::{Dense, LayerOp, Streamlined};
use tensor::ElementType;
use tests::networks::{Case, Timed, binary_layer, prepare};

fn fold(pe: usize, simd: usize) -> Fold {
    let (pe, simd) = (Some(pe), Some(simd));
    let layer = LayerFold { pe, simd, dot: Some(Dot::Wired), ..LayerFold::default() };
    Fold { input_lanes: simd, layers: [("fc0".to_string(), layer)].into(), ..Fold::default() }
}

fn dense(network: &mut Streamlined) -> &mut Dense {
    match &mut network.layers[0].op {
        LayerOp::Dense(dense) => dense,
        _ => unreachable!("a network of one layer"),
    }
}

/// The layer as it is; with zeros among its weights; with inputs 0 and 1; each with and without
/// thresholds.
fn networks(rows: usize, columns: usize) -> Vec<(String, Streamlined)> {
    let plain = binary_layer(rows, columns, true);
    let mut zeros = plain.clone();
    let matrix = dense(&mut zeros);
    matrix.weight = ElementType::Int(2);
    for ((row, column), weight) in matrix.weights.indexed_iter_mut() {
        *weight *= i64::from((row * 5 + column * 3) % 7 != 0);
    }
    let mut unsigned = plain.clone();
    unsigned.input.element = ElementType::Uint(1);
    let mut all = Vec::new();
    for (kind, network) in [("plain", plain), ("zeros", zeros), ("unsigned", unsigned)] {
        let mut sums = network.clone();
        dense(&mut sums).thresholds = None;
        sums.layers[0].element = ElementType::Int(8);
        all.push((format!("{kind}_signs_{rows}_{columns}"), network));
        all.push((format!("{kind}_sums_{rows}_{columns}"), sums));
    }
    all
}

#[test]
fn wires_in_every_form() {
    let mut cases = Vec::new();
    for (rows, columns) in [(5, 9), (12, 60)] {
        for (name, network) in networks(rows, columns) {
            let folded = fold::refold(&name, &network, &fold(rows, columns), 100.0).unwrap();
            // Three seeds are three forms.
            for seed in 0..3 {
                let name = format!("{name}_{seed}");
                let mut folded = folded.clone();
                folded.dataflow.name = name.clone();
                let design = prepare(&name, network.clone(), folded).unwrap();
                let timed = Timed::ClosedForm;
                cases.push(Case { origin: name.clone(), name, design, timed, seed });
            }
        }
    }
    all_agree("wired", &cases);
}

#[test]
fn what_is_not_whole_is_refused() {
    let network = binary_layer(8, 30, true);
    let refused = |fold: &Fold, network: &Streamlined| {
        fold::refold("wired", network, fold, 100.0).unwrap_err().code
    };
    assert_eq!(refused(&fold(4, 30), &network), Code::FoldInvalid);
    assert_eq!(refused(&fold(8, 15), &network), Code::FoldInvalid);
    let mut larger = network.clone();
    let matrix = dense(&mut larger);
    matrix.weight = ElementType::Int(2);
    matrix.weights[(0, 0)] = -2;
    assert_eq!(refused(&fold(8, 30), &larger), Code::FoldInvalid);
}
