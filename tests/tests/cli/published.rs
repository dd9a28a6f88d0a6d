//! Networks of others against values computed by others. Passes with a note where the data is not
//! there.

use golden::{Golden, Trace};
use ndarray::{Array2, ArrayD, IxDyn};
use ndarray_npy::NpzReader;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use streamline::{LayerOp, Options, Streamlined, streamline};
use tensor::npy::{self, NpyArray};
use tests::command::{Folder, data};
use tests::models;

const MNIST: [(&str, f64); 3] = [("TFC_1W1A", 0.9296), ("TFC_1W2A", 0.9474), ("TFC_2W2A", 0.9660)];

fn integers(path: &Path) -> ArrayD<i64> {
    match npy::read(path).unwrap() {
        NpyArray::F32(a) => a.mapv(|v| v as i64),
        other => other.to_i64().unwrap(),
    }
}

/// The MNIST test set as `x.npy` and `y.npy` of a new folder.
fn mnist() -> Option<Folder> {
    let place = data("mnist-t10k")?;
    let unpacked = |name: &str, header: usize| -> Vec<u8> {
        let output = Command::new("gzip").arg("-dc").arg(place.join(name)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout[header..].to_vec()
    };
    let folder = Folder::new();
    let images = unpacked("t10k-images-idx3-ubyte.gz", 16);
    let labels = unpacked("t10k-labels-idx1-ubyte.gz", 8);
    folder.write("x.npy", models::npy(&[10_000, 28, 28, 1], images));
    folder.write("y.npy", models::npy(&[10_000], labels));
    Some(folder)
}

/// The folder of the original parameter files of a network of some data set.
fn parameters(folder: &Folder, set: &str, network: &str) -> Option<PathBuf> {
    let archive = data(&format!("{set}-{network}/params.tar.gz"))?;
    let status = Command::new("tar")
        .arg("xzf")
        .arg(archive)
        .arg("-C")
        .arg(folder.path(""))
        .status()
        .unwrap();
    assert!(status.success());
    Some(folder.path(&format!("{set}/{network}")))
}

/// Exactly this share of the 10,000 images, and not one more or less.
fn accuracy(folder: &Folder, model: &Path) -> f64 {
    let infer = "infer --input x.npy --labels y.npy --json";
    let json = folder.run_with(infer, &[&model]).json();
    assert_eq!(json["images"], 10_000);
    json["accuracy"].as_f64().unwrap()
}

/// What `infer` writes for the inputs beside a model.
fn inferred(model: &Path, input: &Path, option: &str) -> ArrayD<i64> {
    let folder = Folder::new();
    folder
        .run_with(&format!("infer --output z.npy {option} --input"), &[&input, &model])
        .succeeds();
    integers(&folder.path("z.npy"))
}

fn streamlined(model: &Path) -> Streamlined {
    let graph = import::load(model, &import::Options::default()).unwrap();
    streamline(&graph, &Options::default()).unwrap()
}

fn traces(network: &Streamlined, inputs: &Path, count: usize) -> Vec<Trace> {
    let frames = network.input.frames(&npy::read(inputs).unwrap()).unwrap().first(count);
    Golden::new(network).trace_all(&frames)
}

/// Positions of the fully connected layers.
fn dense(network: &Streamlined) -> Vec<usize> {
    let is_dense = |&i: &usize| matches!(network.layers[i].op, LayerOp::Dense(_));
    (0..network.layers.len()).filter(is_dense).collect()
}

#[test]
fn mnist_networks_have_their_accuracy_on_all_images() {
    let Some(folder) = mnist() else { return };
    for (name, expected) in MNIST {
        let Some(model) = data(&format!("{name}/{name}.onnx")) else { return };
        assert_eq!(accuracy(&folder, &model), expected, "{name}");
        let json = folder.run_with("inspect --json", &[&model]).json();
        assert_eq!(json["macs"], 59_008, "{name}");
    }
}

#[test]
fn mnist_networks_have_the_logits_and_inner_values_of_others() {
    for (name, _) in MNIST {
        let Some(place) = data(name) else { return };
        let model = place.join(format!("{name}.onnx"));
        let inputs = place.join("expected/inputs.npy");
        let logits = inferred(&model, &inputs, "--raw");
        assert!(logits == integers(&place.join("expected/logits.npy")), "{name}");
        let classes = inferred(&model, &inputs, "--classes");
        assert!(classes == integers(&place.join("expected/pred.npy")), "{name}");

        let network = streamlined(&model);
        let traces = traces(&network, &inputs, 200);
        let layers = dense(&network);
        assert_eq!(layers.len(), 4);
        let file = File::open(place.join("expected/layer_acc_first200.npz")).unwrap();
        let mut arrays = NpzReader::new(file).unwrap();
        for (index, &layer) in layers.iter().enumerate() {
            let sums: Array2<i16> = arrays.by_name(&format!("acc{index}")).unwrap();
            let inputs: Array2<i8> = arrays.by_name(&format!("act{index}")).unwrap();
            for (image, trace) in traces.iter().enumerate() {
                let same = |row: ndarray::ArrayView1<'_, i16>, found: &[i64]| {
                    row.iter().map(|&v| i64::from(v)).eq(found.iter().copied())
                };
                assert!(
                    same(sums.row(image), &trace.accumulators[layer]),
                    "{name} {layer} {image}"
                );
                let row = inputs.row(image).mapv(i16::from);
                assert!(same(row.view(), &trace.outputs[layer - 1]), "{name} {layer} {image}");
            }
        }
    }
}

#[test]
fn knife_edge_of_the_mnist_network_is_named() {
    let Some(model) = data("TFC_1W1A/TFC_1W1A.onnx") else { return };
    let json = Folder::new().run_with("inspect --json", &[&model]).json();
    let edges = json["knife_edges"].as_array().unwrap();
    let named = edges.iter().any(|e| e["layer"] == "fc2" && e["channel"] == 41 && e["first"] == 12);
    assert!(named, "{edges:?}");
}

#[test]
fn finn_network_gives_the_classes_of_finn() {
    let Some(place) = data("finn_tfc_w1a1_multithreshold") else { return };
    let model = place.join("model.onnx");
    for folder in ["build_dataflow", "tutorial"] {
        let expected = integers(&place.join(folder).join("expected_output.npy"));
        for option in ["--classes", ""] {
            let found = inferred(&model, &place.join(folder).join("input.npy"), option);
            assert!(found.iter().eq(expected.iter()), "{folder} {option}: {found} {expected}");
        }
    }
    let inputs = place.join("expected/inputs.npy");
    assert!(inferred(&model, &inputs, "--classes") == integers(&place.join("expected/pred.npy")));
    assert!(inferred(&model, &inputs, "--raw") == integers(&place.join("expected/logits.npy")));
    let json = Folder::new().run_with("inspect --json", &[&model]).json();
    assert_eq!(json["macs"], 59_008);
}

#[test]
fn intrusion_detection_gives_all_predictions() {
    let Some(place) = data("unsw_nb15_mlp_w2a2") else { return };
    let model = place.join("unsw_nb15-mlp-w2a2.onnx");
    let (inputs, expected) = (place.join("expected/inputs.npy"), place.join("expected/pred.npy"));
    let expected = integers(&expected);
    assert_eq!(expected.len(), 400);
    let classes = inferred(&model, &inputs, "--classes");
    assert!(classes.iter().eq(expected.mapv(|v| v.max(0)).iter()));
    assert!(inferred(&model, &inputs, "").iter().eq(expected.iter()));
    // Labels of -1 and +1 are understood.
    let labels = place.join("expected/pred.npy");
    let infer = "infer --json --input";
    let json = Folder::new().run_with(infer, &[&inputs, &"--labels", &labels, &model]).json();
    assert_eq!(json["accuracy"], 1.0);
}

#[test]
fn bnn_pynq_network_has_its_accuracy_and_the_bits_of_the_hardware() {
    let Some(folder) = mnist() else { return };
    let Some(model) = parameters(&folder, "mnist", "lfcW1A1") else { return };
    assert_eq!(accuracy(&folder, &model), 0.9840);
    let place = data("mnist-lfcW1A1/expected").unwrap();
    let inputs = place.join("inputs.npy");
    let bits = inferred(&model, &inputs, "").mapv(|v| i64::from(v > 0));
    assert!(bits == integers(&place.join("output_bits.npy")));
    assert!(inferred(&model, &inputs, "--raw") == integers(&place.join("logits.npy")));
    assert!(inferred(&model, &inputs, "--classes") == integers(&place.join("pred.npy")));

    let network = streamlined(&model);
    let traces = traces(&network, &inputs, 4);
    let mut arrays =
        NpzReader::new(File::open(place.join("layer_outputs_first4.npz")).unwrap()).unwrap();
    for (index, layer) in dense(&network).into_iter().take(3).enumerate() {
        let expected: Array2<i8> = arrays.by_name(&format!("L{index}")).unwrap();
        for (row, trace) in expected.rows().into_iter().zip(&traces) {
            assert!(row.iter().map(|&v| i64::from(v)).eq(trace.outputs[layer].iter().copied()));
        }
    }
}

fn verified(name: &str) {
    let Some(place) = data(name) else { return };
    let model = place.join(format!("{name}.onnx"));
    let (inputs, labels) = (place.join("expected/inputs.npy"), place.join("expected/labels.npy"));
    let folder = Folder::new();
    folder.run_with("build --fps 50000 -o out", &[&model]).succeeds();
    for stall in ["0", "0.3"] {
        let verify = format!("verify out --frames 20 --stall {stall} --json --input");
        let json = folder.run_with(&verify, &[&inputs, &"--labels", &labels]).json();
        assert_eq!((&json["frames"], &json["mismatches"]), (&20.into(), &0.into()), "{json}");
        assert_eq!(json["cycle_mismatches"], 0, "{json}");
        assert!(json["streams_compared"].as_u64() >= Some(8), "{json}");
    }
}

#[test]
fn tfc_1w1a_verifies() {
    verified("TFC_1W1A");
}

#[test]
fn tfc_1w2a_verifies() {
    verified("TFC_1W2A");
}

#[test]
fn tfc_2w2a_verifies() {
    verified("TFC_2W2A");
}

/// The CIFAR-10 networks of BNN-PYNQ: sums as computed elsewhere, and as a PYNQ board printed them.
#[test]
fn convolutional_networks_have_the_scores_of_the_board() {
    for (name, popcounts) in [("cnvW1A1", true), ("cnvW1A2", false)] {
        let folder = Folder::new();
        let Some(model) = parameters(&folder, "cifar10", name) else { return };
        let Some(place) = data(&format!("cifar10-{name}")) else { return };
        let expected = place.join("expected");
        let logits = inferred(&model, &expected.join("inputs.npy"), "--raw");
        assert_eq!(logits, integers(&expected.join("logits.npy")), "{name}");
        let board = integers(&expected.join("fpga_golden_scores_hw.npy"));
        let ours = inferred(&model, &expected.join("fpga_golden_inputs.npy"), "--raw");
        // The board counts the ones of 512 products.
        let printed = if popcounts { ours.mapv(|sum| (sum + 512) / 2) } else { ours };
        assert_eq!(printed, board, "{name}");

        let graph = place.join(format!("{name}.onnx"));
        if graph.exists() {
            let sums = inferred(&graph, &expected.join("inputs.npy"), "--raw");
            assert_eq!(sums, integers(&expected.join("logits.npy")), "{name}.onnx");
        }
    }
}

/// The maps between the layers of the CIFAR-10 networks of BNN-PYNQ, as computed elsewhere: each in
/// its turn is what some layer puts out, behind its pool where it has one.
#[test]
fn convolutional_networks_have_the_inner_maps_of_others() {
    for name in ["cnvW1A1", "cnvW1A2"] {
        let folder = Folder::new();
        let Some(place) = data(&format!("cifar10-{name}")) else { return };
        let Some(published) = parameters(&folder, "cifar10", name) else { return };
        let graph = Some(place.join(format!("{name}.onnx"))).filter(|file| file.exists());
        for model in [Some(published), graph].into_iter().flatten() {
            let network = streamlined(&model);
            let traces = traces(&network, &place.join("expected/inputs.npy"), 4);
            let file = place.join("expected/layer_outputs_first4.npz");
            let mut arrays = NpzReader::new(File::open(file).unwrap()).unwrap();
            let mut layers = 0..network.layers.len();
            for array in (0..8).map(|index| format!("L{index}")) {
                let maps: ArrayD<i8> = arrays.by_name::<_, IxDyn>(&array).unwrap();
                let is_it = |layer: usize| {
                    maps.outer_iter().zip(&traces).all(|(map, trace)| {
                        map.iter().map(|&v| i64::from(v)).eq(trace.outputs[layer].iter().copied())
                    })
                };
                let found = layers.any(is_it);
                assert!(found, "{}: no layer in its place puts out {array}", model.display());
            }
        }
    }
}
