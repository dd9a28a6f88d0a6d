//! Models with maps that are refused, each with its text.

use tests::command::{Folder, Outcome};
use tests::models::Model;

/// What `build` says of a model; nothing is written.
fn refused(model: &Model) -> Outcome {
    let folder = Folder::new();
    folder.write("m.onnx", model.bytes());
    let build = folder.run("build m.onnx -o out");
    assert!(!folder.path("out").exists());
    assert_eq!(folder.run("inspect m.onnx"), build);
    build
}

/// Signs of a map.
fn signs(shape: &[i64]) -> Model {
    Model::new(shape).floats("one", &[], &[1.0]).node(
        "qonnx.custom_op.general:BipolarQuant",
        &["x", "one"],
        "signs",
    )
}

/// A convolution of `signs` with weights of +1 and -1.
fn conv(model: Model, shape: &[i64]) -> Model {
    let count = shape.iter().product::<i64>() as usize;
    let weights: Vec<f32> = (0..count).map(|i| if i % 3 == 0 { 1.0 } else { -1.0 }).collect();
    model.floats("w", shape, &weights).node("Conv", &["signs", "w"], "conv")
}

/// Flattens `from` and ends with four sums.
fn ended(model: Model, from: &str, elements: i64) -> Model {
    let weights: Vec<f32> = (0..4 * elements).map(|i| if i % 5 < 2 { 1.0 } else { -1.0 }).collect();
    model
        .node("qonnx.custom_op.general:BipolarQuant", &[from, "one"], "hidden")
        .node("Flatten", &["hidden"], "flat")
        .floats("end", &[elements, 4], &weights)
        .node("MatMul", &["flat", "end"], "y")
}

#[test]
fn kernels_that_are_larger_than_the_padded_map() {
    let large = |covers: &str, map: &str, op: &str| {
        format!(
            "error[model-invalid]: a kernel that covers {covers} does not fit a map of {map}, \
             padding included\n  node: {op}\n  from: m.onnx\n\n\
             hint: make the kernel or its dilation smaller, or the padding larger"
        )
    };
    let plain = conv(signs(&[1, 2, 3, 3]), &[4, 2, 5, 5]);
    refused(&ended(plain, "conv", 4)).fails(1, &large("5x5", "3x3", "Conv_of_conv (Conv)"));
    let padded = conv(signs(&[1, 2, 3, 3]), &[4, 2, 6, 6]).ints("pads", &[1, 1, 1, 1]);
    refused(&ended(padded, "conv", 4)).fails(1, &large("6x6", "5x5", "Conv_of_conv (Conv)"));
    let dilated = conv(signs(&[1, 2, 3, 8]), &[4, 2, 3, 3]).ints("dilations", &[2, 2]);
    refused(&ended(dilated, "conv", 4)).fails(1, &large("5x5", "3x8", "Conv_of_conv (Conv)"));
    for op in ["MaxPool", "AveragePool"] {
        let pool = signs(&[1, 2, 5, 5]).node(op, &["signs"], "pool");
        let pool = ended(pool.ints("kernel_shape", &[7, 7]), "pool", 2);
        refused(&pool).fails(1, &large("7x7", "5x5", &format!("{op}_of_pool ({op})")));
    }
}

#[test]
fn windows_that_lie_in_the_padding() {
    let conv = conv(signs(&[1, 2, 4, 4]), &[4, 2, 3, 3]).ints("pads", &[3, 3, 3, 3]);
    refused(&ended(conv, "conv", 256)).fails(
        1,
        "
        error[unsupported-structure]: 3 and 3 places of padding are not less than the 3 of the kernel
          node: Conv_of_conv (Conv)
          from: m.onnx

        hint: pad by less than the kernel on each side, e.g. by half of it
    ",
    );
    let pool = signs(&[1, 2, 5, 5]).node("MaxPool", &["signs"], "pool");
    let pool = pool.ints("kernel_shape", &[2, 2]).ints("pads", &[2, 0, 0, 0]);
    refused(&ended(pool, "pool", 48)).fails(
        1,
        "
        error[unsupported-attribute]: a window of 2x2 lies in the padding alone
          node: MaxPool_of_pool (MaxPool)
          from: m.onnx

        hint: make the padding smaller than the kernel
    ",
    );
}

/// Windows that begin in the map and end behind all padding: what would they divide by?
#[test]
fn padding_that_an_average_cannot_define() {
    let pool = signs(&[1, 2, 6, 6]).node("AveragePool", &["signs"], "pool");
    let pool = pool.ints("kernel_shape", &[3, 3]).ints("strides", &[2, 2]);
    let pool = pool.ints("pads", &[1, 1, 1, 1]).int("ceil_mode", 1).int("count_include_pad", 1);
    refused(&ended(pool, "pool", 32)).fails(1, "
        error[unsupported-attribute]: the average counts the padding (count_include_pad), and `ceil_mode` lets windows reach beyond it
          node: AveragePool_of_pool (AveragePool)
          from: m.onnx

        hint: use ceil_mode=0, or count_include_pad=0
    ");
}

#[test]
fn groups_that_do_not_divide() {
    let divide = |groups: i64, inputs: i64, rows: i64| {
        format!(
            "error[model-invalid]: {groups} groups do not divide {inputs} input and {rows} output \
             channels\n  node: Conv_of_conv (Conv)\n  from: m.onnx\n\n\
             hint: the number of groups divides both"
        )
    };
    for (groups, inputs, rows) in [(2, 3, 4), (2, 4, 5), (0, 4, 4)] {
        let conv = conv(signs(&[1, inputs, 3, 3]), &[rows, 2, 3, 3]).int("group", groups);
        refused(&ended(conv, "conv", rows)).fails(1, &divide(groups, inputs, rows));
    }
    let channels = conv(signs(&[1, 8, 3, 3]), &[4, 3, 3, 3]).int("group", 2);
    refused(&ended(channels, "conv", 4)).fails(
        1,
        "
        error[model-invalid]: kernels over 3 channels do not fit 2 groups of 4 channels
          node: Conv_of_conv (Conv)
          from: m.onnx
    ",
    );
}

#[test]
fn layouts_that_cannot_be_told() {
    let text = "
        error[unsupported-structure]: it cannot be told where rows, columns and channels are in the input
          node: Conv_of_conv (Conv)
          from: m.onnx

        hint: give the model an input [N, C, H, W] or [N, H, W, C]
    ";
    for perm in [[0, 1, 3, 2], [0, 2, 1, 3], [0, 3, 2, 1]] {
        let turned = Model::new(&[1, 6, 6, 6]).node("Transpose", &["x"], "t").ints("perm", &perm);
        let signs = turned.floats("one", &[], &[1.0]).node(
            "qonnx.custom_op.general:BipolarQuant",
            &["t", "one"],
            "signs",
        );
        refused(&ended(conv(signs, &[4, 6, 3, 3]), "conv", 64)).fails(1, text);
    }
    refused(&ended(conv(signs(&[1, 36]), &[4, 2, 3, 3]), "conv", 64)).fails(
        1,
        "
        error[model-invalid]: `Conv` is applied to data of shape [1, 36]
          node: Conv_of_conv (Conv)
          from: m.onnx

        hint: put a Reshape to [batch, channels, rows, columns] before it
    ",
    );
    refused(&ended(conv(signs(&[1, 2, 4, 4, 4]), &[4, 2, 3, 3, 3]), "conv", 32)).fails(
        1,
        "
        error[unsupported-attribute]: `Conv` is applied to data of shape [1, 2, 4, 4, 4]
          node: Conv_of_conv (Conv)
          from: m.onnx

        hint: maps of one or two axes are supported: [batch, channels, rows, columns]
    ",
    );
    // A map as output: whole channels in the model, pixels in the stream.
    let map = conv(signs(&[1, 2, 6, 6]), &[4, 2, 3, 3]).node("Identity", &["conv"], "y");
    refused(&map).fails(
        1,
        "
        error[unsupported-structure]: the outputs are not in the order in which they are computed
          node: Conv_of_conv (Conv)
          from: m.onnx

        hint: end the network with a vector: flatten it in front of the last layer
    ",
    );
}
