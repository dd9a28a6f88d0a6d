//! Networks of others: what is found in them. Passes with a note where the data is not there.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

use graph::{Conv, Graph, Op, Weights};
use import::{Options, load};
use std::path::{Path, PathBuf};
use tensor::ElementType;

fn data(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

fn weights(graph: &Graph) -> Vec<&Weights> {
    let chain = graph.chain().unwrap();
    chain
        .into_iter()
        .filter_map(|id| match &graph.node(id).op {
            Op::MatMul(weights) | Op::Conv(Conv { weights, .. }) => Some(weights),
            _ => None,
        })
        .collect()
}

fn weight_types(graph: &Graph) -> Vec<(ElementType, usize, usize)> {
    weights(graph)
        .into_iter()
        .map(|weights| {
            let quantized = weights.quantize().unwrap();
            let (rows, columns) = quantized.integers.dim();
            (quantized.element(), rows, columns)
        })
        .collect()
}

#[test]
fn mnist_networks_have_their_weights() {
    for (name, element) in [
        ("TFC_1W1A", ElementType::Bipolar),
        ("TFC_1W2A", ElementType::Bipolar),
        ("TFC_2W2A", ElementType::Int(2)),
    ] {
        let Some(path) = data(&format!("{name}/{name}.onnx")) else { return };
        let graph = load(&path, &Options::default()).unwrap();
        assert_eq!(graph.name, name);
        let rows = [(64, 784), (64, 64), (64, 64), (10, 64)];
        let expected: Vec<_> = rows.into_iter().map(|(r, c)| (element, r, c)).collect();
        assert_eq!(weight_types(&graph), expected);
        assert!(weights(&graph).iter().all(|weights| weights.quantized.is_some()));
    }
}

#[test]
fn finn_and_intrusion_detection_networks_are_annotated() {
    let Some(path) = data("finn_tfc_w1a1_multithreshold/model.onnx") else { return };
    let graph = load(&path, &Options::default()).unwrap();
    let input = graph.node(graph.input_id().unwrap());
    assert_eq!(input.op, Op::Input { annotation: Some(ElementType::Uint(8)) });
    assert_eq!(graph.node(graph.output_id().unwrap()).op.name(), "top-k");
    let Some(path) = data("unsw_nb15_mlp_w2a2/unsw_nb15-mlp-w2a2.onnx") else { return };
    let graph = load(&path, &Options::default()).unwrap();
    let input = graph.node(graph.input_id().unwrap());
    assert_eq!(input.op, Op::Input { annotation: Some(ElementType::Bipolar) });
    let shapes = [(64, 600), (64, 64), (64, 64), (1, 64)];
    let types = weight_types(&graph);
    assert!(types.iter().map(|t| (t.1, t.2)).eq(shapes));
    assert!(types.iter().all(|t| t.0.bits() <= 2), "{types:?}");
}

/// The colour networks: outputs and inputs of each layer.
const COLOUR: [(usize, usize); 9] = [
    (64, 27),
    (64, 576),
    (128, 576),
    (128, 1152),
    (256, 1152),
    (256, 2304),
    (512, 256),
    (512, 512),
    (10, 512),
];

#[test]
fn colour_networks_have_their_weights() {
    let Some(path) = data("cifar10-cnvW1A1/cnvW1A1.onnx") else { return };
    let expected: Vec<_> = COLOUR.into_iter().map(|(r, c)| (ElementType::Bipolar, r, c)).collect();
    let graph = load(&path, &Options::default()).unwrap();
    assert_eq!(weight_types(&graph), expected);
    for network in ["cnvW1A1", "cnvW1A2"] {
        let Some(archive) = data(&format!("cifar10-{network}/params.tar.gz")) else { return };
        let folder = tempfile::tempdir().unwrap();
        let unpacked = std::process::Command::new("tar")
            .arg("xzf")
            .arg(&archive)
            .arg("-C")
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(unpacked.success());
        let parameters = folder.path().join("cifar10").join(network);
        let folder_graph = load(&parameters, &Options::default()).unwrap();
        assert_eq!(weight_types(&folder_graph), expected);
        if network == "cnvW1A1" {
            assert_eq!(weights(&folder_graph), weights(&graph));
        }
    }
}
