//! Networks of others: what is found in them. Passes with a note where the data is not there.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

use diagnostic::Code;
use graph::{Graph, Op};
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

fn weight_types(graph: &Graph) -> Vec<(ElementType, usize, usize)> {
    let chain = graph.chain().unwrap();
    chain
        .into_iter()
        .filter_map(|id| match &graph.node(id).op {
            Op::MatMul(weights) => {
                let quantized = weights.quantize().unwrap();
                let (rows, columns) = quantized.integers.dim();
                Some((quantized.element(), rows, columns))
            }
            _ => None,
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
        for (_, node) in graph.nodes() {
            if let Op::MatMul(weights) = &node.op {
                assert!(weights.quantized.is_some(), "{}", node.name);
            }
        }
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

#[test]
fn convolutions_are_listed_one_by_one() {
    let Some(path) = data("cifar10-cnvW1A1/cnvW1A1.onnx") else { return };
    let error = load(&path, &Options::default()).unwrap_err();
    let nodes: Vec<&str> = error.all().filter_map(|e| e.node.as_deref()).collect();
    assert_eq!(nodes.len(), 8, "{error}");
    assert!(nodes.contains(&"conv0 (Conv)") && nodes.contains(&"pool1 (MaxPool)"));
    let archive = path.with_file_name("params.tar.gz");
    let folder = tempfile::tempdir().unwrap();
    let unpacked = std::process::Command::new("tar")
        .arg("xzf")
        .arg(&archive)
        .arg("-C")
        .arg(folder.path())
        .status()
        .unwrap();
    assert!(unpacked.success());
    let error = load(&folder.path().join("cifar10/cnvW1A1"), &Options::default()).unwrap_err();
    assert_eq!(error.code, Code::UnsupportedStructure);
    assert!(error.message.contains("cnvW1A1"));
}
