//! What is accepted, what is refused and how, on models built in memory.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

mod model;

use diagnostic::Code;
use graph::{Elementwise, Op};
use import::Options;
use import::onnx::proto::*;
use model::*;

fn codes(model: &Model) -> Vec<Code> {
    model.load().unwrap_err().all().map(|e| e.code).collect()
}

fn only_matmul(graph: &graph::Graph) -> &graph::Weights {
    graph
        .nodes()
        .find_map(|(_, node)| match &node.op {
            Op::MatMul(weights) => Some(weights),
            _ => None,
        })
        .unwrap()
}

#[test]
fn small_network_becomes_a_chain_with_integer_weights() {
    let graph = small_network().load().unwrap();
    let chain = graph.chain().unwrap();
    let names: Vec<&str> = chain.iter().map(|&id| graph.node(id).op.name()).collect();
    assert_eq!(names, ["input", "reshape", "bipolar-quant", "matmul", "batch-norm", "sign"]);
    assert_eq!(graph.node(chain[1]).shape, [1, 4]);
    let weights = only_matmul(&graph);
    let quantized = weights.quantized.as_ref().unwrap();
    assert_eq!(quantized.integers, ndarray::array![[1, -1, 0, 0], [1, 1, -1, 0]]);
    assert_eq!(quantized.scale, [1.0]);
}

#[test]
fn order_of_nodes_in_the_file_does_not_matter() {
    let mut turned = small_network();
    turned.graph().node.reverse();
    let (a, b) = (small_network().load().unwrap(), turned.load().unwrap());
    let nodes = |g: &graph::Graph| -> Vec<graph::Node> {
        g.chain().unwrap().into_iter().map(|id| g.node(id).clone()).collect()
    };
    assert_eq!(nodes(&a), nodes(&b));
}

#[test]
fn scales_and_zero_points_reach_the_weights_exactly() {
    let model = Model::new(&[1, 2])
        .floats("w", &[3, 2], &[0.6, -0.6, 0.1, -0.9, 2.0, 0.0])
        .floats("scale", &[3, 1], &[0.3, 0.1, 0.5])
        .scalar("zp", 1.0)
        .scalar("bits", 4.0)
        .ints("shape", &[3, 2])
        .node(
            "qonnx.custom_op.general:IntQuant",
            &["w", "scale", "zp", "bits"],
            &["q"],
            vec![int("signed", 1), int("narrow", 0)],
        )
        .node("Identity", &["q"], &["i"], vec![])
        .node("Reshape", &["i", "shape"], &["r"], vec![])
        .node("Transpose", &["r"], &["t"], vec![])
        .node("MatMul", &["x", "t"], &["y"], vec![]);
    let graph = model.load().unwrap();
    let quantized = only_matmul(&graph).quantized.clone().unwrap();
    // Codes of 4 bits are -8..=7; integers are code - 1, so -9..=6.
    assert_eq!(quantized.integers, ndarray::array![[2, -2], [1, -9], [4, 0]]);
    assert_eq!(quantized.scale, [0.3, 0.1, 0.5]);
}

#[test]
fn scales_of_inputs_are_no_scales_of_outputs() {
    let model = Model::new(&[1, 2])
        .floats("w", &[2, 2], &[1.0, -1.0, 1.0, 1.0])
        .floats("scale", &[1, 2], &[0.5, 2.0])
        .node("finn.custom_op.general:BipolarQuant", &["w", "scale"], &["q"], vec![])
        .node("Gemm", &["x", "q"], &["y"], vec![int("transB", 1)]);
    let graph = model.load().unwrap();
    let weights = only_matmul(&graph);
    assert!(weights.quantized.is_none());
    assert_eq!(weights.values, ndarray::array![[0.5, -2.0], [0.5, 2.0]]);
    // Without transB the same scales belong to the outputs.
    let model = Model::new(&[1, 2])
        .floats("w", &[2, 2], &[1.0, -1.0, 1.0, 1.0])
        .floats("scale", &[1, 2], &[0.5, -2.0])
        .node("finn.custom_op.general:BipolarQuant", &["w", "scale"], &["q"], vec![])
        .node("Gemm", &["x", "q"], &["y"], vec![]);
    let graph = model.load().unwrap();
    let quantized = only_matmul(&graph).quantized.clone().unwrap();
    assert_eq!(quantized.scale, [0.5, 2.0]);
    assert_eq!(quantized.integers, ndarray::array![[1, 1], [1, -1]]);
}

#[test]
fn every_unsupported_node_is_listed() {
    let model = Model::new(&[1, 4])
        .node("Sigmoid", &["x"], &["a"], vec![])
        .node("com.example:Magic", &["a"], &["b"], vec![])
        .node("BipolarQuant", &["b"], &["c"], vec![])
        .node("Relu", &["c"], &["d"], vec![])
        .node("ConvTranspose", &["d"], &["y"], vec![]);
    let error = model.load().unwrap_err();
    let nodes: Vec<&str> = error.all().map(|e| e.node.as_deref().unwrap()).collect();
    assert_eq!(
        nodes,
        [
            "Sigmoid_of_a (Sigmoid)",
            "Magic_of_b (Magic, com.example)",
            "BipolarQuant_of_c (BipolarQuant)",
            "ConvTranspose_of_y (ConvTranspose)",
        ]
    );
    assert!(error.all().all(|e| e.code == Code::UnsupportedOp && e.hint.is_some()));
}

#[test]
fn nodes_after_a_refused_one_are_checked_when_its_shape_is_stated() {
    let mut model = Model::new(&[1, 4])
        .floats("w", &[4, 2], &[1.0; 8])
        .node("Sigmoid", &["x"], &["a"], vec![])
        .node("Gemm", &["a", "w"], &["y"], vec![int("transA", 1)]);
    model.graph().value_info.push(value("a", data_type::FLOAT, &[1, 4]));
    assert_eq!(codes(&model), [Code::UnsupportedOp, Code::UnsupportedAttribute]);
}

#[test]
fn branches_are_refused_for_now() {
    let model = Model::new(&[1, 4])
        .node("Relu", &["x"], &["a"], vec![])
        .node("Neg", &["a"], &["b"], vec![])
        .node("Add", &["a", "b"], &["y"], vec![]);
    assert_eq!(codes(&model), [Code::UnsupportedStructure; 2]);
}

#[test]
fn nodes_that_the_output_does_not_need_are_ignored() {
    let model = Model::new(&[1, 4])
        .node("Relu", &["x"], &["y"], vec![])
        .node("Sigmoid", &["x"], &["unused"], vec![])
        .node("Relu", &["nowhere"], &["unused2"], vec![]);
    assert!(model.load().is_ok());
}

#[test]
fn several_inputs_and_outputs_are_refused_by_name() {
    let mut model = Model::new(&[1, 4]).node("Relu", &["x"], &["y"], vec![]);
    model.graph().input.push(value("second", data_type::FLOAT, &[1]));
    let error = model.load().unwrap_err();
    assert_eq!(error.code, Code::UnsupportedStructure);
    assert!(error.message.contains("`x`, `second`"), "{error}");
    // Initializers that are listed as inputs are none.
    let mut model = model.floats("second", &[1], &[0.0]);
    assert!(model.load().is_ok());
    model.graph().output.push(value("x", data_type::FLOAT, &[]));
    assert!(model.load().unwrap_err().message.contains("2 outputs"));
}

#[test]
fn cycles_missing_tensors_and_duplicates_are_invalid() {
    let cycle = Model::new(&[1, 4])
        .node("Add", &["x", "b"], &["a"], vec![])
        .node("Relu", &["a"], &["b"], vec![])
        .node("Relu", &["b"], &["y"], vec![]);
    assert_eq!(codes(&cycle), [Code::ModelInvalid]);
    assert_eq!(cycle.load().unwrap_err().node.as_deref(), Some("Add_of_a (Add)"));
    let missing = Model::new(&[1, 4]).node("Mul", &["x", "w"], &["a"], vec![]).node(
        "Mul",
        &["a", "v"],
        &["y"],
        vec![],
    );
    let error = missing.load().unwrap_err();
    assert_eq!(error.all().count(), 2);
    assert!(error.message.contains("`w`") && error.more[0].message.contains("`v`"));
    let twice = Model::new(&[1, 4]).node("Relu", &["x"], &["y"], vec![]).node(
        "Neg",
        &["x"],
        &["y"],
        vec![],
    );
    assert_eq!(codes(&twice), [Code::ModelInvalid]);
    let itself = Model::new(&[1, 4]).node("Relu", &["y"], &["y"], vec![]);
    assert_eq!(codes(&itself), [Code::ModelInvalid]);
    let nothing = Model::new(&[1, 4]);
    assert_eq!(codes(&nothing), [Code::ModelInvalid]);
    let constant = Model::new(&[1, 4]).scalar("y", 1.0);
    assert_eq!(codes(&constant), [Code::ModelInvalid]);
}

#[test]
fn parameters_that_are_not_finite_are_refused() {
    let mut model = small_network();
    let gamma = model.graph().initializer.iter_mut().find(|t| t.name == "gamma").unwrap();
    gamma.float_data[1] = f32::NAN;
    assert_eq!(codes(&model), [Code::ModelNotFinite]);
    let model = Model::new(&[1, 4])
        .scalar("zero", 0.0)
        .scalar("n", f32::INFINITY)
        .node("Mul", &["n", "zero"], &["nan"], vec![])
        .node("Add", &["x", "nan"], &["y"], vec![]);
    assert_eq!(codes(&model), [Code::ModelNotFinite]);
}

#[test]
fn forms_that_are_not_supported_say_so() {
    let refused = |model: Model| {
        let error = model.load().unwrap_err();
        assert!(error.hint.is_some() || error.code == Code::ModelInvalid, "{error}");
        assert!(matches!(error.code, Code::UnsupportedAttribute | Code::ModelInvalid), "{error}");
    };
    let base = || Model::new(&[1, 4]).floats("w", &[4, 4], &[1.0; 16]).scalar("c", 2.0);
    let one = |op: &str, inputs: &[&str], attributes| {
        refused(base().ints("k", &[9]).node(op, inputs, &["y"], attributes));
    };
    one("Sqrt", &["x"], vec![]);
    one("MatMul", &["w", "x"], vec![]);
    one("MatMul", &["x", "c"], vec![]);
    one("Gemm", &["x", "w"], vec![int("transA", 1)]);
    one("Gemm", &["x", "w", "w"], vec![]);
    one("Transpose", &["x"], vec![list("perm", &[1, 0])]);
    one("Squeeze", &["x"], vec![]);
    one("ArgMax", &["x"], vec![int("axis", 1), int("select_last_index", 1)]);
    one("ArgMax", &["x"], vec![]);
    one("Cast", &["x"], vec![int("to", 7)]);
    one("Mul", &["x", "w"], vec![]);
    one("Mul", &["x"], vec![]);
    one("Clip", &["x"], vec![float("min", 1.0), float("max", -1.0)]);
    one("onnx.brevitas:Quant", &["x", "c", "c", "w"], vec![]);
    one("onnx.brevitas:Quant", &["x", "c"], vec![]);
    one("onnx.brevitas:Quant", &["x", "c", "c", "c"], vec![text("rounding_mode", "ODD")]);
    one("finn.custom_op.general:MultiThreshold", &["x", "c"], vec![]);
    one("BatchNormalization", &["x", "c", "c", "c", "c"], vec![]);
    one("Reshape", &["x", "k"], vec![]);
    one("Reshape", &["x"], vec![]);
    one("Sign", &[], vec![]);
    let values = base().ints("k", &[1]).node("TopK", &["x", "k"], &["y", "indices"], vec![]);
    assert_eq!(codes(&values), [Code::UnsupportedStructure]);
    let late = base().node("Softmax", &["x"], &["s"], vec![]).node("Relu", &["s"], &["y"], vec![]);
    assert_eq!(codes(&late), [Code::UnsupportedStructure]);
}

#[test]
fn batch_and_input_types() {
    let relu = |shape: &[i64]| Model::new(shape).node("Relu", &["x"], &["y"], vec![]);
    for batch in [-1, 0, 1] {
        let graph = relu(&[batch, 4]).load().unwrap();
        assert_eq!(graph.node(graph.input_id().unwrap()).shape, [1, 4]);
    }
    assert_eq!(codes(&relu(&[32, 4])), [Code::UnsupportedStructure]);
    assert_eq!(codes(&relu(&[1, -1])), [Code::UnsupportedStructure]);
    assert_eq!(codes(&relu(&[1, i64::MAX, i64::MAX])), [Code::ModelInvalid]);
    let mut bytes = Model::new(&[1, 4]).node("Cast", &["x"], &["f"], vec![int("to", 1)]).node(
        "Relu",
        &["f"],
        &["y"],
        vec![],
    );
    bytes.graph().input[0] = value("x", data_type::UINT8, &[1, 4]);
    let graph = bytes.load().unwrap();
    let annotation = Some(tensor::ElementType::Uint(8));
    assert_eq!(graph.node(graph.input_id().unwrap()).op, Op::Input { annotation });
    let mut uncast = relu(&[1, 4]);
    uncast.graph().input[0] = value("x", data_type::UINT8, &[1, 4]);
    assert_eq!(codes(&uncast), [Code::UnsupportedAttribute]);
}

#[test]
fn sign_of_zero_can_be_chosen() {
    let model = Model::new(&[1, 4]).node("Sign", &["x"], &["y"], vec![]);
    let options = Options { sign_zero: Some(1), ..Options::default() };
    let graph = import::onnx::parse(&model.bytes(), "sign", &options).unwrap();
    let output = graph.node(graph.output_id().unwrap());
    assert_eq!(output.op, Op::Elementwise(Elementwise::Sign { zero: 1 }));
    let error = import::load("a.onnx".as_ref(), &Options { sign_zero: Some(2), network: None });
    assert_eq!(error.unwrap_err().code, Code::Usage);
}

#[test]
fn hostile_names_are_kept_as_they_are() {
    let name = "a;rm -rf /\\ `$(x)` <script>\u{1b}[31m \"'\nendmodule";
    let mut model = Model::new(&[1, 4]).node("Relu", &["x"], &["y"], vec![]);
    model.graph().node[0].name = name.into();
    let graph = model.load().unwrap();
    assert_eq!(graph.node(graph.output_id().unwrap()).name, name);
    model.graph().node[0].op_type = "Boom\u{7}".into();
    let shown = model.load().unwrap_err().to_string();
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown:?}");
}

#[test]
fn equal_names_are_told_apart() {
    let mut model = Model::new(&[1, 4]).node("Relu", &["x"], &["a"], vec![]).node(
        "Neg",
        &["a"],
        &["y"],
        vec![],
    );
    for node in &mut model.graph().node {
        node.name = "x".into();
    }
    let graph = model.load().unwrap();
    let names: Vec<&str> =
        graph.chain().unwrap().into_iter().map(|id| graph.node(id).name.as_str()).collect();
    assert_eq!(names, ["x", "x_2", "x_3"]);
}

#[test]
fn external_data_and_bombs_are_refused() {
    let mut model = small_network();
    let weights = model.graph().initializer.iter_mut().find(|t| t.name == "w").unwrap();
    weights.data_location = 1;
    assert_eq!(codes(&model), [Code::UnsupportedAttribute]);
    let mut bomb = Model::new(&[1, 4]).ints("shape", &[1 << 16, 1 << 11]);
    for i in 0..64 {
        bomb = bomb.node("ConstantOfShape", &["shape"], &[&format!("c{i}")], vec![]);
    }
    let names: Vec<String> = (0..64).map(|i| format!("c{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let bomb = bomb.node("Concat", &names, &["all"], vec![int("axis", 0)]).node(
        "Add",
        &["x", "all"],
        &["y"],
        vec![],
    );
    assert!(codes(&bomb).contains(&Code::ModelInvalid));
}

#[test]
fn files_that_are_not_onnx_are_refused() {
    let parse = |bytes: &[u8]| import::onnx::parse(bytes, "x", &Options::default());
    assert_eq!(parse(b"").unwrap_err().code, Code::ModelFormat);
    assert_eq!(parse(b"hello world").unwrap_err().code, Code::ModelFormat);
    let bytes = small_network().bytes();
    for cut in 0..bytes.len() {
        if let Err(error) = parse(&bytes[..cut]) {
            assert!(!error.message.is_empty());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let load = |name: &str| import::load(&folder.path().join(name), &Options::default());
    std::fs::write(folder.path().join("model.txt"), "x").unwrap();
    std::fs::write(folder.path().join("cut.ONNX"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(folder.path().join("whole.onnx"), &bytes).unwrap();
    assert_eq!(load("model.txt").unwrap_err().code, Code::FileFormat);
    assert_eq!(load("absent.onnx").unwrap_err().code, Code::FileAccess);
    assert_eq!(load("absent").unwrap_err().code, Code::FileAccess);
    let error = load("cut.ONNX").unwrap_err();
    assert_eq!(error.code, Code::ModelFormat);
    assert!(error.from.unwrap().ends_with("cut.ONNX"));
    assert_eq!(load("whole.onnx").unwrap().name, "whole");
}
