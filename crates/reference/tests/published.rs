//! Networks of others, imported and run, against values computed by others. Passes with a note
//! where the data is not there.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

use graph::{ClassRule, Graph, Op};
use import::{Options, load};
use ndarray::{Array2, ArrayD, Axis};
use ndarray_npy::NpzReader;
use reference::Reference;
use std::fs::File;
use std::path::{Path, PathBuf};
use tensor::npy::{self, NpyArray};

const IMAGES: usize = 20;

fn data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn floats(path: &Path) -> ArrayD<f32> {
    match npy::read(path).unwrap() {
        NpyArray::F32(a) => a,
        other => other.to_i64().unwrap().mapv(|v| v as f32),
    }
}

/// The parameter files of a folder.
fn unpack(folder: &Path) -> tempfile::TempDir {
    let unpacked = tempfile::tempdir().unwrap();
    let status = std::process::Command::new("tar")
        .arg("xzf")
        .arg(folder.join("params.tar.gz"))
        .arg("-C")
        .arg(unpacked.path())
        .status()
        .unwrap();
    assert!(status.success());
    unpacked
}

fn row(array: &ArrayD<f32>, index: usize) -> Vec<f32> {
    array.index_axis(Axis(0), index).iter().copied().collect()
}

fn products(graph: &Graph) -> Vec<String> {
    let chain = graph.chain().unwrap();
    let matmul = |op: &Op| matches!(op, Op::MatMul(_));
    chain
        .iter()
        .map(|&id| graph.node(id))
        .filter(|node| matmul(&node.op))
        .map(|node| node.name.clone())
        .collect()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5 * b.abs().max(1.0), "{what}: {a} is not {b}");
    }
}

/// Sums of floats, whose order of addition differs.
fn assert_near(found: &[f32], expected: &[f32], what: &str) {
    let largest = expected.iter().fold(1f32, |a, b| a.max(b.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= 1e-5 * largest, "{what}: {a} is not {b}");
    }
}

#[test]
fn mnist_networks_give_the_logits_of_qonnx() {
    for name in ["TFC_1W1A", "TFC_1W2A", "TFC_2W2A"] {
        let Some(folder) = data(name) else { return };
        let graph = load(&folder.join(format!("{name}.onnx")), &Options::default()).unwrap();
        let reference = Reference::new(&graph);
        let pixels = floats(&folder.join("expected/inputs.npy"));
        let logits = floats(&folder.join("expected/logits_float_qonnx.npy"));
        let path = folder.join("expected/layer_acc_first200.npz");
        let mut layers = NpzReader::new(File::open(path).unwrap()).unwrap();
        let sums: Vec<Array2<i16>> =
            (0..4).map(|i| layers.by_name(&format!("acc{i}")).unwrap()).collect();
        let names = products(&graph);
        for image in 0..IMAGES {
            let x: Vec<f32> = row(&pixels, image).iter().map(|p| p / 255.0).collect();
            let trace = reference.trace::<f32>(&x);
            for (sums, name) in sums.iter().zip(&names) {
                let expected: Vec<f32> = sums.row(image).iter().map(|&v| f32::from(v)).collect();
                assert_eq!(trace[name], expected, "{name} of image {image}");
            }
            assert_close(&reference.run::<f32>(&x), &row(&logits, image), name);
        }
    }
}

#[test]
fn finn_network_gives_the_classes_of_finn() {
    let Some(folder) = data("finn_tfc_w1a1_multithreshold") else { return };
    let graph = load(&folder.join("model.onnx"), &Options::default()).unwrap();
    let reference = Reference::new(&graph);
    let classes = |inputs: &ArrayD<f32>, images: usize| -> Vec<f32> {
        (0..images).flat_map(|image| reference.run::<f32>(&row(inputs, image))).collect()
    };
    let digits = floats(&folder.join("build_dataflow/input.npy"));
    assert_eq!(classes(&digits, 4), [7.0, 2.0, 1.0, 0.0]);
    assert_eq!(classes(&floats(&folder.join("tutorial/input.npy")), 1), [2.0]);
    let expected = floats(&folder.join("expected/pred.npy"));
    let pixels = floats(&folder.join("expected/inputs.npy"));
    assert!(classes(&pixels, 60).iter().eq(expected.iter().take(60)));
}

#[test]
fn intrusion_detection_gives_the_sums_of_qonnx() {
    let Some(folder) = data("unsw_nb15_mlp_w2a2") else { return };
    let graph = load(&folder.join("unsw_nb15-mlp-w2a2.onnx"), &Options::default()).unwrap();
    let reference = Reference::new(&graph);
    let inputs = floats(&folder.join("expected/inputs.npy"));
    let expected = floats(&folder.join("expected/pred.npy"));
    let path = folder.join("expected/gemm_float_qonnx.npz");
    let mut layers = NpzReader::new(File::open(path).unwrap()).unwrap();
    let sums: Vec<Array2<f32>> =
        (0..4).map(|i| layers.by_name(&format!("gemm{i}")).unwrap()).collect();
    let names: Vec<String> = products(&graph).iter().map(|name| format!("{name}/bias")).collect();
    for image in 0..inputs.len_of(Axis(0)) {
        let trace = reference.trace::<f32>(&row(&inputs, image));
        for (sums, name) in sums.iter().zip(&names) {
            let expected = sums.row(image).to_vec();
            assert_near(&trace[name], &expected, &format!("{name} of image {image}"));
        }
        let output = reference.run::<f32>(&row(&inputs, image));
        assert_eq!(output, [expected[image]], "image {image}");
    }
}

#[test]
fn bnn_pynq_network_gives_the_bits_of_the_hardware() {
    let Some(folder) = data("mnist-lfcW1A1") else { return };
    let unpacked = unpack(&folder);
    let graph = load(&unpacked.path().join("mnist/lfcW1A1"), &Options::default()).unwrap();
    assert_eq!(graph.name, "lfcW1A1");
    let reference = Reference::new(&graph);
    let pixels = floats(&folder.join("expected/inputs.npy"));
    let bits = floats(&folder.join("expected/output_bits.npy"));
    let logits = floats(&folder.join("expected/logits.npy"));
    let path = folder.join("expected/layer_outputs_first4.npz");
    let mut layers = NpzReader::new(File::open(path).unwrap()).unwrap();
    let layers: Vec<Array2<i8>> =
        (0..3).map(|i| layers.by_name(&format!("L{i}")).unwrap()).collect();
    for image in 0..IMAGES {
        let trace = reference.trace::<f32>(&row(&pixels, image));
        for (index, layer) in layers.iter().enumerate().filter(|_| image < 4) {
            let expected: Vec<f32> = layer.row(image).iter().map(|&v| f32::from(v)).collect();
            assert_eq!(trace[&format!("threshold{index}")], expected, "layer {index}");
        }
        assert_eq!(trace["fc3"], row(&logits, image), "sums of image {image}");
        let expected: Vec<f32> = row(&bits, image).iter().map(|bit| 2.0 * bit - 1.0).collect();
        assert_eq!(trace["threshold3"], expected, "bits of image {image}");
    }
}

/// One frame of an array of frames with the channels last, channels first.
fn channels_first(array: &ArrayD<f32>, index: usize) -> Vec<f32> {
    let frame = array.index_axis(Axis(0), index);
    let order: Vec<usize> = match frame.ndim() {
        3 => vec![2, 0, 1],
        rank => (0..rank).collect(),
    };
    frame.permuted_axes(order).iter().copied().collect()
}

/// The activations of the first images: `q0` of the input, `L0` to `L7` of the layers, pooled.
fn activations(folder: &Path) -> Vec<(String, ArrayD<f32>)> {
    let path = folder.join("expected/layer_outputs_first4.npz");
    let mut arrays = NpzReader::new(File::open(path).unwrap()).unwrap();
    let names = std::iter::once("q0".to_string()).chain((0..8).map(|layer| format!("L{layer}")));
    names
        .map(|name| {
            let values: ArrayD<i8> = arrays.by_name(&name).unwrap();
            (name, values.mapv(f32::from))
        })
        .collect()
}

#[test]
fn colour_network_in_qonnx_gives_the_sums_of_the_hardware() {
    let Some(folder) = data("cifar10-cnvW1A1") else { return };
    let graph = load(&folder.join("cnvW1A1.onnx"), &Options::default()).unwrap();
    let reference = Reference::new(&graph);
    let pixels = floats(&folder.join("expected/inputs.npy"));
    let logits = floats(&folder.join("expected/logits.npy"));
    let activations = activations(&folder);
    let nodes = [
        "input_quant",
        "act0_quant",
        "pool1",
        "act2_quant",
        "pool3",
        "act4_quant",
        "act5_quant",
        "act6_quant",
        "act7_quant",
    ];
    for image in 0..2 {
        let x: Vec<f32> = channels_first(&pixels, image).iter().map(|p| p / 255.0).collect();
        let trace = reference.trace::<f32>(&x);
        for (node, (name, expected)) in nodes.iter().zip(&activations) {
            // Here the input is quantized in steps of 1/128.
            let step = if name == "q0" { 128.0 } else { 1.0 };
            let found: Vec<f32> = trace[*node].iter().map(|v| v * step).collect();
            assert_eq!(found, channels_first(expected, image), "{name} of image {image}");
        }
        assert_eq!(trace["fc8"], row(&logits, image), "sums of image {image}");
    }
}

#[test]
fn colour_networks_of_bnn_pynq_give_the_sums_of_the_hardware() {
    for network in ["cnvW1A1", "cnvW1A2"] {
        let Some(folder) = data(&format!("cifar10-{network}")) else { return };
        let unpacked = unpack(&folder);
        let parameters = unpacked.path().join("cifar10").join(network);
        let graph = load(&parameters, &Options::default()).unwrap();
        assert_eq!((graph.name.as_str(), graph.class_rule), (network, ClassRule::ArgMax));
        let reference = Reference::new(&graph);
        let pixels = floats(&folder.join("expected/inputs.npy"));
        let logits = floats(&folder.join("expected/logits.npy"));
        let activations = activations(&folder);
        let nodes = [
            "quantize",
            "threshold0",
            "pool1",
            "threshold2",
            "pool3",
            "threshold4",
            "threshold5",
            "threshold6",
            "threshold7",
        ];
        for image in 0..2 {
            let trace = reference.trace::<f32>(&channels_first(&pixels, image));
            for (node, (name, expected)) in nodes.iter().zip(&activations) {
                let found = &trace[*node];
                assert_eq!(found, &channels_first(expected, image), "{name} of image {image}");
            }
            assert_eq!(trace["fc8"], row(&logits, image), "sums of image {image}");
        }
        let pictures = floats(&folder.join("expected/fpga_golden_inputs.npy"));
        let scores = floats(&folder.join("expected/fpga_golden_scores_hw.npy"));
        let sums = reference.run::<f32>(&channels_first(&pictures, 0));
        // Where activations have one bit the board counts the XNOR ones of 512 inputs.
        let score = |sum: &f32| if network == "cnvW1A1" { (sum + 512.0) / 2.0 } else { *sum };
        let found: Vec<f32> = sums.iter().map(score).collect();
        assert_eq!(found, row(&scores, 0), "picture of the board");
    }
}
