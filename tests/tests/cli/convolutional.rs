//! The shipped convolutional networks: answers of the framework that trained them, and Verilog.

use ndarray::{ArrayD, Axis};
use std::path::PathBuf;
use tensor::npy::{self, NpyArray};
use tests::command::{Folder, root};

/// A folder of `examples/` whose model has the name of the folder.
struct Network {
    name: &'static str,
    /// Share of its 200 images that it classifies correctly.
    accuracy: f64,
    /// How far a score may be from the framework's.
    far: f32,
}

/// Zero-padded convolutions on signs and max-pools, exported by Brevitas.
const CNV: Network = Network { name: "fashion-cnv", accuracy: 0.9, far: 0.0 };

/// Strided, grouped and depthwise convolutions with plain `Sign`, exported by PyTorch.
const SIGN: Network = Network { name: "fashion-sign", accuracy: 0.9, far: 1e-4 };

impl Network {
    fn file(&self, name: &str) -> PathBuf {
        root().join("examples").join(self.name).join(name)
    }

    /// The model as `m.onnx`, its images and labels in a new folder.
    fn shipped(&self) -> Folder {
        let folder = Folder::new();
        let model = format!("{}.onnx", self.name);
        for (name, file) in
            [("m.onnx", model.as_str()), ("x.npy", "images.npy"), ("y.npy", "labels.npy")]
        {
            folder.write(name, std::fs::read(self.file(file)).unwrap());
        }
        folder
    }

    /// Scores as the framework computes them, accuracy, and the classes that follow.
    fn answers_as_trained(&self) {
        let folder = self.shipped();
        let infer = "infer m.onnx --input x.npy --labels y.npy --output z.npy --json";
        let json = folder.run(infer).json();
        assert_eq!(
            (json["images"].as_u64(), json["accuracy"].as_f64()),
            (Some(200), Some(self.accuracy))
        );
        let (found, expected) =
            (floats(folder.path("z.npy")), floats(self.file("expected_logits.npy")));
        assert_eq!(found.shape(), [200, 10]);
        assert_eq!(classes(&found), classes(&expected));
        let far = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far <= self.far, "{far}");
    }

    /// Two frames in Verilator with gaps and stalls: every word, every cycle.
    fn is_the_same_in_verilog(&self) {
        let folder = self.shipped();
        folder.run("build m.onnx -o out --board pynq-z2 --fps 1000").succeeds();
        let json = folder.run("verify out --input x.npy --frames 2 --stall 0.2 --json").json();
        assert_eq!(json["frames"], 2);
        assert_eq!(
            (json["mismatches"].as_u64(), json["cycle_mismatches"].as_u64()),
            (Some(0), Some(0))
        );
    }
}

fn floats(path: PathBuf) -> ArrayD<f32> {
    match npy::read(&path).unwrap() {
        NpyArray::F32(a) => a,
        other => panic!("{} instead of float32", other.type_name()),
    }
}

/// The class of each row: the first of the largest.
fn classes(scores: &ArrayD<f32>) -> Vec<usize> {
    let best = |row: Vec<f32>| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b]));
    scores.axis_iter(Axis(0)).map(|row| best(row.iter().copied().collect()).unwrap()).collect()
}

#[test]
fn cnv_answers_as_brevitas_does() {
    CNV.answers_as_trained();
}

#[test]
fn sign_answers_as_pytorch_does() {
    SIGN.answers_as_trained();
}

#[test]
fn cnv_is_the_same_in_verilog() {
    CNV.is_the_same_in_verilog();
}

#[test]
fn sign_is_the_same_in_verilog() {
    SIGN.is_the_same_in_verilog();
}
