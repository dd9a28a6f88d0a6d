//! Single binary matrix-vector units, to be measured:
//!
//! ```text
//! cargo run --release -p tests --example units -- pynq-z2 FOLDER 32 144 9 1
//! cargo xtask area FOLDER --top unit_fc0
//! ```
//!
//! `units BOARD FOLDER PE SIMD STEPS PASSES` writes the output folder of a network of one layer: PE x
//! PASSES bipolar rows of SIMD x STEPS bipolar inputs, one threshold each, weights in block RAM.

#![allow(clippy::unwrap_used, reason = "what fails here fails the measurement")]

use fold::{Board, Fold, LayerFold};
use std::path::Path;
use tests::networks::binary_layer;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [board, folder, numbers @ ..] = &arguments[..] else { panic!("usage: see the file") };
    let numbers: Vec<usize> = numbers.iter().map(|n| n.parse().unwrap()).collect();
    let [pe, simd, steps, passes] = numbers[..] else { panic!("four numbers are wanted") };
    let network = binary_layer(pe * passes, simd * steps, false);
    let layer = LayerFold {
        pe: Some(pe),
        simd: Some(simd),
        weights: Some(dataflow::MemoryStyle::Block),
        ..LayerFold::default()
    };
    let fold = Fold {
        input_lanes: Some(simd),
        layers: [("fc0".to_string(), layer)].into(),
        ..Fold::default()
    };
    let folded = fold::refold("unit", &network, &fold, 200.0).unwrap();
    let mut design = tests::networks::prepare("unit", network, folded).unwrap();
    design.board = Board::find(board).unwrap();
    let frames = emit::seeded_frames(&design.network.input, 1, 2);
    emit::folder::write(Path::new(folder), &design.files(&frames).unwrap()).unwrap();
}
