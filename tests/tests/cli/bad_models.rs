//! Models that are refused, each with its text.

use super::small;
use tests::command::{Folder, data};
use tests::models::{Model, small_network};

/// What `inspect` says of a model.
fn inspect(model: &Model) -> tests::command::Outcome {
    let folder = Folder::new();
    folder.write("m.onnx", model.bytes());
    let outcome = folder.run("inspect m.onnx");
    // Nothing else takes it either, and nothing is written.
    let build = folder.run("build m.onnx -o out");
    assert_eq!(build, outcome);
    assert!(!folder.path("out").exists());
    outcome
}

#[test]
fn files_that_are_no_models() {
    let folder = small();
    let whole = folder.read("m.onnx");
    folder.write("cut.onnx", &whole[..whole.len() / 2]).write("text.onnx", "hello, world\n");
    folder.write("empty.onnx", "").write("m.txt", &whole).write("folder/readme.txt", "x");
    folder.run("inspect cut.onnx").fails(1, "");
    folder.run("inspect text.onnx").fails(1, "");
    folder.run("inspect empty.onnx").fails(1, "");
    folder.run("inspect m.txt").fails(1, "");
    folder.run("inspect absent.onnx").fails(1, "");
    folder.run("inspect absent").fails(1, "");
    folder.run("inspect folder").fails(1, "");
}

#[test]
fn every_unsupported_operator_is_listed() {
    let model = Model::new(&[1, 4])
        .node("Sigmoid", &["x"], "a")
        .node("com.example:Magic", &["a"], "b")
        .node("Relu", &["b"], "c")
        .node("LSTM", &["c"], "d")
        .node("Conv", &["d"], "y");
    inspect(&model).fails(1, "");
}

#[test]
fn operators_in_a_wrong_place_or_form() {
    let mut shapes = small_network();
    shapes.initializer("w1").dims = vec![4, 8];
    inspect(&shapes).fails(1, "");

    let mut gamma = small_network();
    gamma.initializer("gamma").float_data.pop();
    gamma.initializer("gamma").dims = vec![7];
    inspect(&gamma).fails(1, "");

    let transposed = Model::new(&[1, 4])
        .floats("w", &[4, 2], &[1.0; 8])
        .node("Gemm", &["x", "w"], "y")
        .int("transA", 1);
    inspect(&transposed).fails(1, "");

    let loose = Model::new(&[1, 4]).node("Mul", &["x", "nowhere"], "y");
    inspect(&loose).fails(1, "");

    let branch = Model::new(&[1, 4])
        .node("Relu", &["x"], "a")
        .node("Neg", &["a"], "b")
        .node("Add", &["a", "b"], "y");
    inspect(&branch).fails(1, "");
}

#[test]
fn parameters_that_are_no_numbers() {
    for name in ["gamma", "beta", "mean", "var"] {
        let mut model = small_network();
        model.initializer(name).float_data[3] = f32::NAN;
        inspect(&model).fails(
            1,
            "",
        );
    }
    let mut model = small_network();
    model.initializer("w1").float_data[3] = f32::INFINITY;
    inspect(&model).fails(1, "");
}

#[test]
fn values_that_are_not_quantized() {
    let weights = Model::new(&[1, 4])
        .floats("w", &[4, 2], &[0.1, 0.2, 0.3, -0.4, 0.55, 0.61, 0.7, -0.83])
        .node("MatMul", &["x", "w"], "y");
    inspect(&weights).fails(1, "");

    let hidden = Model::new(&[1, 4])
        .floats("one", &[], &[1.0])
        .floats("w", &[4, 4], &[1.0; 16])
        .node("qonnx.custom_op.general:BipolarQuant", &["w", "one"], "wq")
        .node("qonnx.custom_op.general:BipolarQuant", &["x", "one"], "xq")
        .node("MatMul", &["xq", "wq"], "a")
        .node("Relu", &["a"], "b")
        .node("MatMul", &["b", "wq"], "y");
    inspect(&hidden).fails(1, "");
}

/// A folder of BNN-PYNQ parameters of the right shape: lfcW1A1, every word 0.
fn lfc() -> Folder {
    let folder = Folder::new();
    let (pe, simd, rows) = ([32, 64, 32, 16], [64, 32, 64, 8], [1024, 1024, 1024, 64]);
    let columns = [832, 1024, 1024, 1024];
    for layer in 0..4 {
        let folds = rows[layer] / pe[layer];
        let words = folds * columns[layer] / simd[layer];
        for unit in 0..pe[layer] {
            folder.write(&format!("p/{layer}-{unit}-weights.bin"), vec![0; 8 * words]);
            folder.write(&format!("p/{layer}-{unit}-thres.bin"), vec![0; 8 * folds]);
        }
    }
    folder.write("p/classes.txt", "zero\none\ntwo\n");
    folder
}

#[test]
fn parameter_folders_that_fit_nothing() {
    let folder = lfc();
    folder.run("inspect p").succeeds();
    folder.run("inspect p --network resnet50").fails(1, "");
    folder.run("inspect p --network lfcW1A2").fails(1, "");
    folder.run("inspect p --network cnvW1A1").status_is(1);

    std::fs::rename(folder.path("p/2-7-weights.bin"), folder.path("kept")).unwrap();
    folder.run("inspect p").fails(1, "");
    folder.run("inspect p --network lfcW1A1").fails(1, "");
    let bytes = folder.read("kept");
    folder.write("p/2-7-weights.bin", &bytes[..bytes.len() - 3]);
    folder.run("inspect p --network lfcW1A1").fails(1, "");
    folder.write("p/2-7-weights.bin", [bytes.as_slice(), &[0; 8]].concat());
    folder.run("inspect p --network lfcW1A1").fails(1, "");
    folder.write("p/2-7-weights.bin", &bytes);

    folder.write("p/classes.txt", "\n");
    folder.run("inspect p").fails(1, "");
    folder.write("p/classes.txt", "x\n".repeat(65));
    folder.run("inspect p").fails(1, "");
    std::fs::remove_file(folder.path("p/classes.txt")).unwrap();
    folder.run("inspect p").fails(1, "");
}

#[test]
fn convolutions_are_refused_for_now() {
    let Some(path) = data("cifar10-cnvW1A1/cnvW1A1.onnx") else { return };
    let outcome = Folder::new().run_with("inspect", &[&path]);
    assert_eq!((outcome.status, outcome.stdout.as_str()), (1, ""));
    assert!(outcome.stderr.contains("`Conv`"), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("`MaxPool`"), "{}", outcome.stderr);
}
