//! Convolution, pooling and padding: what becomes of them, and what is refused with which words.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

mod model;

use diagnostic::{Code, Diagnostic};
use graph::{Conv, Graph, Op, Pool, PoolKind};
use import::onnx::proto::AttributeProto;
use model::*;
use tensor::Window;

fn output(graph: &Graph) -> (&Op, &[usize]) {
    let node = graph.node(graph.output_id().unwrap());
    (&node.op, &node.shape)
}

fn conv(graph: &Graph) -> &Conv {
    let found = graph.nodes().find_map(|(_, node)| match &node.op {
        Op::Conv(conv) => Some(conv),
        _ => None,
    });
    found.unwrap()
}

fn ops(graph: &Graph) -> Vec<&'static str> {
    graph.chain().unwrap().into_iter().map(|id| graph.node(id).op.name()).collect()
}

/// A model of one operator on data of some shape, with a few constants to read.
fn one(shape: &[i64], op: &str, inputs: &[&str], attributes: Vec<AttributeProto>) -> Model {
    Model::new(shape)
        .floats("w", &[4, 2, 2, 3], &[1.0; 48])
        .floats("w1d", &[2, 2, 3], &[1.0; 12])
        .floats("flat", &[4, 12], &[1.0; 48])
        .floats("bias", &[3], &[1.0; 3])
        .scalar("c", 2.0)
        .scalar("inf", f32::NEG_INFINITY)
        .ints("p8", &[0, 0, 1, 2, 0, 0, 3, 0])
        .ints("p8last", &[0, 1, 2, 0, 0, 3, 0, 0])
        .ints("p8channels", &[0, 1, 0, 0, 0, 0, 0, 1])
        .ints("p8cut", &[0, 0, -1, 0, 0, 0, 0, 0])
        .ints("p8huge", &[0, 0, i64::MAX, 0, 0, 0, 0, 0])
        .ints("p2", &[1, 2])
        .ints("a2", &[2])
        .ints("a23", &[2, 3])
        .node(op, inputs, &["y"], attributes)
}

/// Refused, with a message and a hint that hold some words.
fn refused(model: &Model, words: &str, hint: &str) -> Diagnostic {
    let error = model.load().unwrap_err();
    assert!(error.message.contains(words), "{error}");
    assert!(error.hint.as_deref().unwrap_or_default().contains(hint), "{error}");
    assert!(error.node.is_some(), "{error}");
    error
}

#[test]
fn a_network_becomes_a_chain() {
    let graph = convolutional_network().load().unwrap();
    let expected = [
        "input",
        "pad",
        "conv",
        "arithmetic",
        "pool",
        "conv",
        "batch-norm",
        "multi-threshold",
        "pool",
        "transpose",
        "transpose",
        "pool",
        "transpose",
        "reshape",
    ];
    assert_eq!(ops(&graph), expected);
    let shapes: Vec<Vec<usize>> =
        graph.chain().unwrap().into_iter().map(|id| graph.node(id).shape.clone()).collect();
    assert_eq!(shapes[1], [1, 2, 6, 5]);
    assert_eq!(shapes[2], [1, 4, 6, 4]);
    assert_eq!(shapes[4], [1, 4, 3, 2]);
    assert_eq!(shapes[11], [1, 2, 1, 1]);
    assert_eq!(shapes[13], [1, 2]);
    let first = conv(&graph);
    let window = Window { before: [1, 0], after: [1, 0], dilation: [2, 1], ..Window::of([2, 2]) };
    assert_eq!((first.window, first.groups), (window, 2));
}

#[test]
fn scales_for_each_output_reach_the_weights_exactly() {
    let quantized = |scale: &[f32], dims: &[i64]| {
        let values: Vec<f32> = (0..12u8).map(|i| (f32::from(i) - 5.0) * 0.25).collect();
        let model = Model::new(&[1, 2, 3, 3])
            .floats("w", &[2, 2, 3, 1], &values)
            .floats("scale", dims, scale)
            .scalar("zero", 0.0)
            .scalar("bits", 4.0)
            .node("qonnx.custom_op.general:Quant", &["w", "scale", "zero", "bits"], &["q"], vec![])
            .node("Conv", &["x", "q"], &["y"], vec![]);
        conv(&model.load().unwrap()).weights.clone()
    };
    let weights = quantized(&[0.25, 0.5], &[2, 1, 1, 1]);
    let q = weights.quantized.unwrap();
    assert_eq!(q.scale, [0.25, 0.5]);
    // Halves go to the even neighbour in the second row: 0.5, 1, 1.5, ... of steps.
    assert_eq!(q.integers, ndarray::array![[-5, -4, -3, -2, -1, 0], [0, 1, 2, 2, 2, 3]]);
    assert_eq!(weights.values[[0, 0]], -1.25);
    assert_eq!(quantized(&[0.25], &[1]).quantized.unwrap().scale, [0.25]);
    // A scale for each input channel is none for the outputs.
    assert!(quantized(&[0.25, 0.5], &[1, 2, 1, 1]).quantized.is_none());
}

#[test]
fn paddings_are_worked_out() {
    let window = |extent: i64, kernel: i64, attributes: Vec<AttributeProto>| {
        let mut all = vec![list("kernel_shape", &[kernel])];
        all.extend(attributes);
        let graph = one(&[1, 1, extent], "MaxPool", &["x"], all).load().unwrap();
        let (op, shape) = output(&graph);
        let Op::Pool(Pool { kind: PoolKind::Max, window }) = op else { panic!("{}", op.name()) };
        assert_eq!([window.kernel[1], window.stride[1], window.before[1]], [1, 1, 0]);
        (window.before[0], window.after[0], shape[2])
    };
    let auto = |mode: &str, stride| vec![text("auto_pad", mode), list("strides", &[stride])];
    assert_eq!(window(6, 3, auto("SAME_UPPER", 2)), (0, 1, 3));
    assert_eq!(window(6, 3, auto("SAME_LOWER", 2)), (1, 0, 3));
    assert_eq!(window(5, 3, auto("SAME_UPPER", 2)), (1, 1, 3));
    assert_eq!(window(5, 1, auto("SAME_UPPER", 2)), (0, 0, 3));
    assert_eq!(window(6, 3, auto("VALID", 2)), (0, 0, 2));
    assert_eq!(window(6, 3, auto("NOTSET", 2)), (0, 0, 2));
    let ceil = |stride, pads: &[i64]| {
        vec![list("strides", &[stride]), list("pads", pads), int("ceil_mode", 1)]
    };
    assert_eq!(window(6, 3, ceil(2, &[0, 0])), (0, 1, 3));
    assert_eq!(window(7, 3, ceil(2, &[0, 0])), (0, 0, 3));
    // The last window would begin in the padding at the end.
    assert_eq!(window(4, 2, ceil(2, &[0, 1])), (0, 0, 2));
    assert_eq!(window(5, 2, ceil(3, &[1, 1])), (1, 0, 2));
    // A kernel that is less than one stride too long.
    assert_eq!(window(2, 3, ceil(2, &[0, 0])), (0, 1, 1));
}

#[test]
fn odd_even_padding_and_shuffles_come_in() {
    let around: Vec<f32> = (0..16u8)
        .map(|i| match (i / 4, i % 4) {
            (1 | 2, 1 | 2) => 0.0,
            (row, column) => {
                if (row + column).is_multiple_of(2) {
                    1.0
                } else {
                    -1.0
                }
            }
        })
        .collect();
    let graph = Model::new(&[1, 4, 2, 2])
        .ints("pads", &[0, 0, 1, 1, 0, 0, 1, 1])
        .floats("around", &[1, 1, 4, 4], &around)
        .ints("split", &[1, 2, 2, 4, 4])
        .ints("join", &[1, 4, 4, 4])
        .node("Pad", &["x", "pads"], &["padded"], vec![])
        .node("Add", &["padded", "around"], &["a"], vec![])
        .node("Reshape", &["a", "split"], &["b"], vec![])
        .node("Transpose", &["b"], &["c"], vec![list("perm", &[0, 2, 1, 3, 4])])
        .node("Reshape", &["c", "join"], &["d"], vec![])
        .node("GlobalAveragePool", &["d"], &["y"], vec![])
        .load()
        .unwrap();
    let expected = ["input", "pad", "arithmetic", "reshape", "transpose", "reshape", "pool"];
    assert_eq!(ops(&graph), expected);
    assert_eq!(output(&graph).1, [1, 4, 1, 1]);
}

#[test]
fn averages_know_what_they_are_divided_by() {
    let kind = |attributes: Vec<AttributeProto>| {
        let mut all = vec![list("kernel_shape", &[3, 2]), list("strides", &[2, 2])];
        all.extend(attributes);
        let graph = one(&[1, 1, 6, 6], "AveragePool", &["x"], all).load().unwrap();
        match output(&graph).0 {
            Op::Pool(pool) => pool.kind,
            op => panic!("{}", op.name()),
        }
    };
    let pads = || list("pads", &[1, 0, 1, 0]);
    let counted = |yes| int("count_include_pad", yes);
    assert_eq!(kind(vec![]), PoolKind::Average);
    assert_eq!(kind(vec![pads()]), PoolKind::AverageInside);
    assert_eq!(kind(vec![pads(), counted(0)]), PoolKind::AverageInside);
    assert_eq!(kind(vec![pads(), counted(1)]), PoolKind::Average);
    // Windows that only rounding up lets reach over the end never count what is there.
    assert_eq!(kind(vec![int("ceil_mode", 1), counted(1)]), PoolKind::AverageInside);
    let padded = vec![
        list("kernel_shape", &[3, 2]),
        list("strides", &[2, 2]),
        list("pads", &[0, 1, 0, 0]),
        int("ceil_mode", 1),
        counted(1),
    ];
    let model = one(&[1, 1, 6, 6], "AveragePool", &["x"], padded);
    refused(&model, "counts the padding (count_include_pad)", "ceil_mode=0");
}

#[test]
fn whole_maps_are_pooled() {
    let pooled = |shape: &[i64], op: &str, inputs: &[&str], attributes| {
        let graph = one(shape, op, inputs, attributes).load().unwrap();
        let kinds: Vec<Pool> = graph
            .nodes()
            .filter_map(|(_, node)| if let Op::Pool(pool) = node.op { Some(pool) } else { None })
            .collect();
        assert_eq!(kinds.len(), 1);
        (ops(&graph)[1..].to_vec(), output(&graph).1.to_vec(), kinds[0])
    };
    let whole = |kind, kernel| Pool { kind, window: Window::of(kernel) };
    let (max, mean) = (PoolKind::Max, PoolKind::Average);
    let found = pooled(&[1, 2, 3, 4], "GlobalAveragePool", &["x"], vec![]);
    assert_eq!(found, (vec!["pool"], vec![1, 2, 1, 1], whole(mean, [3, 4])));
    let found = pooled(&[1, 2, 3], "GlobalMaxPool", &["x"], vec![]);
    assert_eq!(found, (vec!["pool"], vec![1, 2, 1], whole(max, [3, 1])));
    let axes = |axes: &[i64], keep| vec![list("axes", axes), int("keepdims", keep)];
    let found = pooled(&[1, 2, 3, 4], "ReduceMean", &["x"], axes(&[-1, 2], 1));
    assert_eq!(found, (vec!["pool"], vec![1, 2, 1, 1], whole(mean, [3, 4])));
    let found = pooled(&[1, 2, 3, 4], "ReduceMean", &["x", "a23"], vec![int("keepdims", 0)]);
    assert_eq!(found, (vec!["pool", "reshape"], vec![1, 2], whole(mean, [3, 4])));
    let found = pooled(&[1, 2, 3, 4], "ReduceMax", &["x"], axes(&[1, 2], 1));
    let turned = vec!["transpose", "pool", "transpose"];
    assert_eq!(found, (turned, vec![1, 1, 1, 4], whole(max, [2, 3])));
    let found = pooled(&[1, 2, 3], "ReduceMean", &["x"], axes(&[1], 0));
    let turned = vec!["transpose", "pool", "transpose", "reshape"];
    assert_eq!(found, (turned, vec![1, 3], whole(mean, [2, 1])));
    for bad in [&[1i64, 2, 3][..], &[2], &[0, 1], &[2, 2], &[]] {
        let model = one(&[1, 2, 3, 4], "ReduceMean", &["x"], axes(bad, 1));
        let error = refused(&model, "`ReduceMean` runs along the axes", "axes 2 and 3");
        assert_eq!(error.code, Code::UnsupportedAttribute);
    }
}

#[test]
fn padding_follows_the_axes() {
    let padded = |shape: &[i64], inputs: &[&str], attributes| {
        let graph = one(shape, "Pad", inputs, attributes).load().unwrap();
        let pad = graph.nodes().find_map(|(_, node)| match node.op {
            Op::Pad { before, after, value } => Some((before, after, value)),
            _ => None,
        });
        (ops(&graph)[1..].to_vec(), output(&graph).1.to_vec(), pad.unwrap())
    };
    let found = padded(&[1, 2, 3, 4], &["x", "p8"], vec![]);
    assert_eq!(found, (vec!["pad"], vec![1, 2, 7, 6], ([1, 2], [3, 0], 0.0)));
    let found = padded(&[1, 2, 3, 4], &["x", "p8last", "c"], vec![text("mode", "constant")]);
    let turned = vec!["transpose", "pad", "transpose"];
    assert_eq!(found, (turned, vec![1, 6, 5, 4], ([1, 2], [3, 0], 2.0)));
    let found = padded(&[1, 2, 3, 4], &["x", "p2", "", "a2"], vec![]);
    assert_eq!(found, (vec!["pad"], vec![1, 2, 6, 4], ([1, 0], [2, 0], 0.0)));
    let old = vec![list("pads", &[0, 0, 1, 0, 0, 2]), float("value", -1.0)];
    let found = padded(&[1, 2, 3], &["x"], old);
    assert_eq!(found, (vec!["pad"], vec![1, 2, 6], ([1, 0], [2, 0], -1.0)));
    let x = [1, 2, 3, 4];
    let error = refused(
        &one(&x, "Pad", &["x", "p8channels"], vec![]),
        "the axes [1, 3] of data of shape [1, 2, 3, 4] are padded",
        "rows and columns",
    );
    assert_eq!(error.code, Code::UnsupportedAttribute);
    refused(&one(&x, "Pad", &["x", "p8cut"], vec![]), "negative", "0 or more");
    refused(&one(&x, "Pad", &["x", "p8huge"], vec![]), "not all from 0 to", "");
    let reflect = vec![text("mode", "reflect")];
    refused(&one(&x, "Pad", &["x", "p8"], reflect), "the padding mode is `reflect`", "constant");
    let error = refused(&one(&x, "Pad", &["x", "p8", "inf"], vec![]), "is -inf", "MaxPool");
    assert_eq!(error.code, Code::ModelNotFinite);
    refused(&one(&x, "Pad", &["x", "p2"], vec![]), "2 paddings for 4 of 4 axes", "");
    refused(&one(&x, "Pad", &["x"], vec![]), "does not say how much", "");
    refused(&one(&[1, 2], "Pad", &["x", "p2", "", "a2"], vec![]), "no axis 2", "");
}

#[test]
fn layouts_of_finn() {
    let attributes = vec![list("kernel_shape", &[2, 2]), list("strides", &[2, 2])];
    let op = "finn.custom_op.general:MaxPoolNHWC";
    let graph = one(&[1, 4, 6, 3], op, &["x"], attributes).load().unwrap();
    assert_eq!(ops(&graph), ["input", "transpose", "pool", "transpose"]);
    assert_eq!(output(&graph).1, [1, 2, 3, 3]);
}

#[test]
fn convolutions_that_do_not_fit_are_refused() {
    let x = [1, 2, 5, 5];
    let conv = |shape: &[i64], inputs: &[&str], attributes| one(shape, "Conv", inputs, attributes);
    let plain = |shape: &[i64]| conv(shape, &["x", "w"], vec![]);
    refused(
        &plain(&[1, 2]),
        "`Conv` is applied to data of shape [1, 2]",
        "put a Reshape to [batch",
    );
    refused(&plain(&[1, 2, 5, 5, 5]), "[1, 2, 5, 5, 5]", "one or two axes are supported");
    refused(&plain(&[1, 2, 5]), "weights of shape [4, 2, 2, 3] do not fit", "three axes");
    refused(&conv(&x, &["x", "flat"], vec![]), "weights of shape [4, 12]", "four axes");
    refused(&conv(&x, &["x", "w1d"], vec![]), "weights of shape [2, 2, 3]", "four axes");
    refused(&conv(&x, &["w", "x"], vec![]), "not the first operand", "constant weights");
    let error =
        refused(&plain(&[1, 3, 5, 5]), "over 2 channels do not fit 1 groups of 3 channels", "");
    assert_eq!(error.code, Code::ModelInvalid);
    for groups in [0, -1, 3, i64::MAX] {
        let model = conv(&x, &["x", "w"], vec![int("group", groups)]);
        refused(&model, "groups do not divide 2 input and 4 output channels", "divides both");
    }
    let model = conv(&x, &["x", "w"], vec![int("group", 2)]);
    refused(&model, "kernels over 2 channels do not fit 2 groups of 1 channels", "");
    let model = conv(&x, &["x", "w"], vec![list("kernel_shape", &[3, 3])]);
    refused(&model, "`kernel_shape` says 3x3, the weights have kernels of 2x3", "");
    refused(&conv(&x, &["x", "w", "bias"], vec![]), "the bias of shape [3] does not fit", "");
    refused(
        &plain(&[1, 2, 2, 2]),
        "a kernel that covers 2x3 does not fit a map of 2x2, padding included",
        "make the kernel",
    );
    let dilated = conv(&x, &["x", "w"], vec![list("dilations", &[5, 1])]);
    refused(&dilated, "a kernel that covers 6x3 does not fit a map of 5x5", "make the kernel");
    let moved = Model::new(&x).node("Conv", &["x", "x"], &["y"], vec![]);
    assert_eq!(moved.load().unwrap_err().code, Code::UnsupportedStructure);
}

#[test]
fn attributes_without_meaning_are_refused() {
    let x = [1, 2, 5, 5];
    let conv = |attribute| one(&x, "Conv", &["x", "w"], vec![attribute]);
    let pool = |attributes: Vec<AttributeProto>| one(&x, "MaxPool", &["x"], attributes);
    refused(&conv(list("strides", &[0, 1])), "the strides [0, 1] are not all from 1", "");
    refused(&conv(list("dilations", &[1, 0])), "the dilations [1, 0] are not all from 1", "");
    refused(&conv(list("strides", &[1])), "`strides` has 1 values, the data asks for 2", "");
    refused(&conv(list("pads", &[1, 1])), "`pads` has 2 values, the data asks for 4", "");
    refused(&conv(list("pads", &[-1, 0, 0, 0])), "[-1, 0, 0, 0] is negative", "0 or more");
    refused(&conv(text("auto_pad", "HALF")), "`auto_pad` `HALF` is not known", "SAME_UPPER");
    for huge in [1 << 21, 1 << 40, i64::MAX] {
        for name in ["strides", "dilations", "kernel_shape"] {
            refused(&conv(list(name, &[huge, huge])), "are not all from 1 to 1048576", "");
        }
        refused(&conv(list("pads", &[huge; 4])), "are not all from 0 to 1048576", "");
    }
    let far = vec![list("kernel_shape", &[1 << 20, 1 << 20])];
    refused(&pool(far), "is too large", "");
    let wide = vec![list("kernel_shape", &[1, 1]), list("pads", &[1 << 20; 4])];
    assert_eq!(pool(wide).load().unwrap_err().all().count(), 1);
    refused(&pool(vec![]), "`kernel_shape` is missing", "");
    let two = |attribute| vec![list("kernel_shape", &[2, 2]), attribute];
    refused(&pool(two(int("storage_order", 1))), "column-major", "storage_order=0");
    let both =
        vec![list("kernel_shape", &[2, 2]), list("pads", &[1, 1, 1, 1]), text("auto_pad", "VALID")];
    refused(&pool(both), "both `auto_pad` and `pads`", "leave out one");
    let late = vec![
        list("kernel_shape", &[2, 2]),
        list("strides", &[2, 2]),
        text("auto_pad", "VALID"),
        int("ceil_mode", 1),
    ];
    refused(&pool(late), "VALID and `ceil_mode` disagree", "`pads`");
    let dilated = vec![
        list("kernel_shape", &[2, 2]),
        list("dilations", &[2, 2]),
        text("auto_pad", "SAME_UPPER"),
    ];
    refused(&pool(dilated), "runtimes differ in what `auto_pad` SAME means", "`pads`");
    let indices =
        Model::new(&x).node("MaxPool", &["x"], &["y", "i"], vec![list("kernel_shape", &[2, 2])]);
    refused(&indices, "the indices of the largest elements", "without them");
}

#[test]
fn windows_in_the_padding_alone_are_refused() {
    let pooled = |op: &str, attributes: Vec<AttributeProto>| {
        let mut all = vec![list("kernel_shape", &[2, 2])];
        all.extend(attributes);
        one(&[1, 2, 5, 5], op, &["x"], all)
    };
    let deep = || list("pads", &[2, 0, 0, 0]);
    refused(
        &pooled("MaxPool", vec![deep()]),
        "a window of 2x2 lies in the padding alone",
        "smaller than the kernel",
    );
    refused(&pooled("AveragePool", vec![deep()]), "lies in the padding alone", "smaller");
    // The mean of zeros is one.
    assert!(pooled("AveragePool", vec![deep(), int("count_include_pad", 1)]).load().is_ok());
    // Taps on both sides of the map, none in it.
    let around = vec![list("pads", &[1, 5, 0, 6]), list("dilations", &[1, 7])];
    refused(&pooled("MaxPool", around), "lies in the padding alone", "smaller");
    let near = vec![list("pads", &[1, 1, 1, 1]), list("strides", &[3, 3])];
    assert!(pooled("MaxPool", near).load().is_ok());
}

#[test]
fn integers_and_constants_are_refused() {
    let mut bytes = one(&[1, 2, 5, 5], "MaxPool", &["x"], vec![list("kernel_shape", &[2, 2])]);
    bytes.graph().input[0] = value("x", import::onnx::proto::data_type::UINT8, &[1, 2, 5, 5]);
    refused(&bytes, "not of type float32", "put a Cast to float32 before it");
    let constant = one(&[1, 2, 5, 5], "Add", &["x", "z"], vec![]).node(
        "GlobalMaxPool",
        &["w"],
        &["z"],
        vec![],
    );
    refused(&constant, "`GlobalMaxPool` is applied to constants only", "fold constants");
    let other = one(&[1, 2, 5, 5], "ConvTranspose", &["x", "w"], vec![]);
    refused(&other, "`ConvTranspose` is not supported", "use Conv");
}
