//! A convolutional network from its file: odd-even padding, a shuffle, a depthwise convolution and a
//! global average pool.

use tests::command::Folder;
use tests::models::{Model, npy};

const EXTENT: usize = 5;

/// +1 or -1 in the margin by turns, 0 inside.
fn around() -> Vec<f32> {
    let outer = EXTENT + 2;
    let place = |i: usize| (i / outer, i % outer);
    let value = |(row, column): (usize, usize)| {
        let inside = (1..=EXTENT).contains(&row) && (1..=EXTENT).contains(&column);
        match (inside, (row + column) % 2) {
            (true, _) => 0.0,
            (false, 0) => 1.0,
            (false, _) => -1.0,
        }
    };
    (0..outer * outer).map(place).map(value).collect()
}

fn signs(count: usize, step: usize) -> Vec<f32> {
    (0..count).map(|i| if (i * i + step * i) % 7 < 3 { 1.0 } else { -1.0 }).collect()
}

fn network() -> Model {
    let (outer, extent) = (EXTENT as i64 + 2, EXTENT as i64);
    let biases: Vec<f32> = (0..8u8).map(|i| 0.5 - f32::from(i % 3)).collect();
    Model::new(&[1, 2, extent, extent])
        .floats("one", &[], &[1.0])
        .floats("half", &[], &[0.5])
        .floats("around", &[1, 1, outer, outer], &around())
        .floats("w0", &[8, 1, 3, 3], &signs(72, 3))
        .floats("b0", &[8], &biases)
        .floats("w1", &[8, 1, 3, 3], &signs(72, 5))
        .floats("b1", &[8], &biases)
        .floats("w2", &[8, 3], &signs(24, 2))
        .integers("pads", &[0, 0, 1, 1, 0, 0, 1, 1])
        .integers("split", &[1, 2, 4, extent, extent])
        .integers("join", &[1, 8, extent, extent])
        .node("Sub", &["x", "half"], "centred")
        .node("qonnx.custom_op.general:BipolarQuant", &["centred", "one"], "a")
        .node("Pad", &["a", "pads"], "padded")
        .node("Add", &["padded", "around"], "surrounded")
        .node("Conv", &["surrounded", "w0", "b0"], "c0")
        .int("group", 2)
        .node("qonnx.custom_op.general:BipolarQuant", &["c0", "one"], "q0")
        .node("Reshape", &["q0", "split"], "groups")
        .node("Transpose", &["groups"], "mixed")
        .ints("perm", &[0, 2, 1, 3, 4])
        .node("Reshape", &["mixed", "join"], "shuffled")
        .node("Conv", &["shuffled", "w1", "b1"], "c1")
        .int("group", 8)
        .ints("pads", &[1, 1, 1, 1])
        .node("qonnx.custom_op.general:BipolarQuant", &["c1", "one"], "q1")
        .node("GlobalAveragePool", &["q1"], "mean")
        .node("Flatten", &["mean"], "flat")
        .node("MatMul", &["flat", "w2"], "y")
}

/// A folder with the network as `m.onnx`, built as `out`, and 12 images for it as `x.npy`.
pub(crate) fn built() -> Folder {
    let folder = Folder::new();
    let pixels = (0..12 * 50).map(|i: usize| ((i * 193 + i * i * 31) % 256) as u8).collect();
    folder.write("m.onnx", network().bytes()).write("x.npy", npy(&[12, EXTENT, EXTENT, 2], pixels));
    folder.run("build m.onnx -o out --fps 100000").succeeds();
    folder
}

#[test]
fn a_network_of_many_kinds_of_layers_agrees_in_every_word_and_cycle() {
    let folder = built();
    let inspect = folder.run("inspect m.onnx --json").json();
    let layers = inspect["layers"].as_array().unwrap();
    let kinds: Vec<&str> = layers.iter().map(|l| l["kind"].as_str().unwrap()).collect();
    let expected = ["threshold", "convolution", "depthwise", "average pool", "fully connected"];
    assert_eq!(kinds, expected);
    for stall in ["", " --stall 0.4"] {
        let verify = folder.run(&format!("verify out --input x.npy --json{stall}")).json();
        assert_eq!(verify["mismatches"].as_u64(), Some(0));
        assert_eq!(verify["cycle_mismatches"].as_u64(), Some(0));
    }
}
