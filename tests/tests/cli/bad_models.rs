//! Models that are refused, each with its text.

use super::small;
use tests::command::Folder;
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
    folder.run("inspect cut.onnx").fails(1, "
        error[model-format]: the file cannot be decoded as ONNX: failed to decode Protobuf message: ModelProto.graph: buffer underflow
          from: cut.onnx

        hint: it may be cut short or of another format: download or export it again
    ");
    folder.run("inspect text.onnx").fails(1, "
        error[model-format]: the file cannot be decoded as ONNX: failed to decode Protobuf message: unexpected end group tag
          from: text.onnx

        hint: it may be cut short or of another format: download or export it again
    ");
    folder.run("inspect empty.onnx").fails(
        1,
        "
        error[model-format]: the file holds no ONNX graph
          from: empty.onnx

        hint: it may be empty or of another format: download or export it again
    ",
    );
    folder.run("inspect m.txt").fails(
        1,
        "
        error[file-format]: the file is not a model of a known format
          from: m.txt

        hint: give an .onnx file or a folder of BNN-PYNQ parameter files
    ",
    );
    folder.run("inspect absent.onnx").fails(
        1,
        "
        error[file-access]: cannot read the model: No such file or directory (os error 2)
          from: absent.onnx
    ",
    );
    folder.run("inspect absent").fails(
        1,
        "
        error[file-access]: cannot read the model: No such file or directory (os error 2)
          from: absent
    ",
    );
    folder.run("inspect folder").fails(1, "
        error[network-unknown]: the files fit no published network
          from: folder

        hint: a folder holds the <layer>-<pe>-weights.bin files of one of lfcW1A1, lfcW1A2, cnvW1A1, cnvW1A2, cnvW2A2
    ");
}

#[test]
fn every_unsupported_operator_is_listed() {
    let model = Model::new(&[1, 4])
        .node("Sigmoid", &["x"], "a")
        .node("com.example:Magic", &["a"], "b")
        .node("Relu", &["b"], "c")
        .node("LSTM", &["c"], "d")
        .node("ConvTranspose", &["d"], "y");
    inspect(&model).fails(1, "
        error[unsupported-op]: the operator `Sigmoid` is not supported
          node: Sigmoid_of_a (Sigmoid)
          from: m.onnx

        hint: use Relu, Clip (hard tanh), Tanh or Sign, followed by a quantizer

        error[unsupported-op]: the operator `Magic` is not supported
          node: Magic_of_b (Magic, com.example)
          from: m.onnx

        hint: only BipolarQuant, Quant, IntQuant, MultiThreshold and MaxPoolNHWC of onnx.brevitas, qonnx.custom_op.general, finn.custom_op.general are supported

        error[unsupported-op]: the operator `LSTM` is not supported
          node: LSTM_of_d (LSTM)
          from: m.onnx

        hint: recurrent networks and control flow are not supported: export one forward pass

        error[unsupported-op]: the operator `ConvTranspose` is not supported
          node: ConvTranspose_of_y (ConvTranspose)
          from: m.onnx

        hint: maps cannot be enlarged: use Conv, MaxPool or AveragePool
    ");
}

#[test]
fn operators_in_a_wrong_place_or_form() {
    let mut shapes = small_network();
    shapes.initializer("w1").dims = vec![4, 8];
    inspect(&shapes).fails(
        1,
        "
        error[model-invalid]: weights with 4 inputs do not fit data of shape [1, 8]
          node: MatMul_of_y (MatMul)
          from: m.onnx
    ",
    );

    let mut gamma = small_network();
    gamma.initializer("gamma").float_data.pop();
    gamma.initializer("gamma").dims = vec![7];
    inspect(&gamma).fails(
        1,
        "
        error[model-invalid]: the scale has 7 values for 8 channels
          node: BatchNormalization_of_normal (BatchNormalization)
          from: m.onnx
    ",
    );

    let transposed = Model::new(&[1, 4])
        .floats("w", &[4, 2], &[1.0; 8])
        .node("Gemm", &["x", "w"], "y")
        .int("transA", 1);
    inspect(&transposed).fails(
        1,
        "
        error[unsupported-attribute]: the data is transposed (transA)
          node: Gemm_of_y (Gemm)
          from: m.onnx

        hint: use transA=0
    ",
    );

    let loose = Model::new(&[1, 4]).node("Mul", &["x", "nowhere"], "y");
    inspect(&loose).fails(
        1,
        "
        error[model-invalid]: nothing gives the tensor `nowhere`
          node: Mul_of_y (Mul)
          from: m.onnx
    ",
    );

    let branch = Model::new(&[1, 4]).node("Relu", &["x"], "a").node("Neg", &["a"], "b").node(
        "Add",
        &["a", "b"],
        "y",
    );
    inspect(&branch).fails(1, "
        error[unsupported-structure]: `Add` reads several tensors that depend on the input
          node: Add_of_y (Add)
          from: m.onnx

        hint: branches are not supported yet: one operand must be constant

        error[unsupported-structure]: the output of `Relu_of_a` is read by Neg_of_b (Neg), Add_of_y (Add)
          node: Relu_of_a (Relu)
          from: m.onnx

        hint: branches are not supported yet: use a plain chain of layers
    ");
}

#[test]
fn parameters_that_are_no_numbers() {
    for name in ["gamma", "beta", "mean", "var"] {
        let mut model = small_network();
        model.initializer(name).float_data[3] = f32::NAN;
        let what = match name {
            "gamma" => "scale",
            "beta" => "bias",
            "mean" => "mean",
            _ => "variance",
        };
        let text = format!(
            "error[model-not-finite]: the {what} is NaN or infinite\n  \
             node: BatchNormalization_of_normal (BatchNormalization)\n  from: m.onnx\n\n\
             hint: export the model again from a checkpoint without NaN"
        );
        inspect(&model).fails(1, &text);
    }
    let mut model = small_network();
    model.initializer("w1").float_data[3] = f32::NAN;
    inspect(&model).fails(
        1,
        "
        error[model-not-finite]: a value to be quantized is NaN
          node: BipolarQuant_of_w1q (BipolarQuant, qonnx.custom_op.general)
          from: m.onnx

        hint: export the model again from a checkpoint without NaN
    ",
    );
}

#[test]
fn values_that_are_not_quantized() {
    let weights = Model::new(&[1, 4])
        .floats("w", &[4, 2], &[0.0123, 0.277, 0.3141, -0.417, 0.577, 0.618, 0.7123, -0.8393])
        .node("MatMul", &["x", "w"], "y");
    inspect(&weights).fails(
        1,
        "
        error[not-quantized]: the weights are not quantized to 8 bits or fewer
          node: MatMul_of_y (MatMul)
          from: m.onnx

        hint: quantize them to 8 bits or fewer in training, e.g. with a Brevitas weight quantizer
    ",
    );

    let hidden = Model::new(&[1, 4])
        .floats("one", &[], &[1.0])
        .floats("w", &[4, 4], &[1.0; 16])
        .node("qonnx.custom_op.general:BipolarQuant", &["w", "one"], "wq")
        .node("qonnx.custom_op.general:BipolarQuant", &["x", "one"], "xq")
        .node("MatMul", &["xq", "wq"], "a")
        .node("Relu", &["a"], "b")
        .node("MatMul", &["b", "wq"], "y");
    inspect(&hidden).fails(
        1,
        "
        error[not-quantized]: the values here are not quantized to 8 bits or fewer
          node: Relu_of_b
          from: m.onnx

        hint: end every hidden layer with a quantizer of 1 to 8 bits with one scale for all channels
    ",
    );
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
    folder.run("inspect p --network resnet50").fails(
        1,
        "
        error[network-unknown]: there is no network `resnet50`
          from: p

        hint: use one of lfcW1A1, lfcW1A2, cnvW1A1, cnvW1A2, cnvW2A2
    ",
    );
    // Its memories would be twice as large, and files may be shorter than memories.
    folder.run("inspect p --network lfcW1A2").succeeds();
    let convolutional = folder.run("inspect p --network cnvW1A1").status_is(1).stderr;
    assert!(convolutional.contains("0-16-thres.bin is not a file of cnvW1A1"), "{convolutional}");

    std::fs::rename(folder.path("p/2-7-weights.bin"), folder.path("kept")).unwrap();
    folder.run("inspect p").fails(1, "
        error[network-unknown]: the files fit no published network; nearest is lfcW1A1
          from: p

        hint: complete the folder, or choose with --network: one of lfcW1A1, lfcW1A2, cnvW1A1, cnvW1A2, cnvW2A2

        error[file-format]: 2-7-weights.bin is missing
          from: p/2-7-weights.bin
    ");
    folder.run("inspect p --network lfcW1A1").fails(
        1,
        "
        error[file-format]: 2-7-weights.bin is missing
          from: p/2-7-weights.bin
    ",
    );
    let bytes = folder.read("kept");
    folder.write("p/2-7-weights.bin", &bytes[..bytes.len() - 3]);
    folder.run("inspect p --network lfcW1A1").fails(
        1,
        "
        error[file-format]: 2-7-weights.bin has 4093 bytes, not a multiple of 8
          from: p/2-7-weights.bin
    ",
    );
    folder.write("p/2-7-weights.bin", [bytes.as_slice(), &[0; 8]].concat());
    folder.run("inspect p --network lfcW1A1").fails(
        1,
        "
        error[file-format]: 2-7-weights.bin has 4104 bytes, more than the 4096 of lfcW1A1
          from: p/2-7-weights.bin
    ",
    );
    folder.write("p/2-7-weights.bin", &bytes);

    folder.write("p/classes.txt", "\n");
    folder.run("inspect p").fails(
        1,
        "
        error[file-format]: classes.txt lists no classes
          from: p/classes.txt

        hint: it lists the names of the classes, one on each line
    ",
    );
    folder.write("p/classes.txt", "x\n".repeat(65));
    folder.run("inspect p").fails(
        1,
        "
        error[file-format]: `classes.txt` lists 65 classes, the network has 64
          from: p
    ",
    );
    std::fs::remove_file(folder.path("p/classes.txt")).unwrap();
    folder.run("inspect p").fails(
        1,
        "
        error[file-access]: cannot read classes.txt: No such file or directory (os error 2)
          from: p/classes.txt

        hint: it lists the names of the classes, one on each line
    ",
    );
}
