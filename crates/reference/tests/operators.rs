//! Every operator once: imported from a model built in memory, run, compared with hand-made values.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

#[path = "../../import/tests/model/mod.rs"]
mod model;
mod run;

use import::onnx::proto::AttributeProto;
use model::*;
use run::run;

/// `op(x, c, d)` on a vector, with the scalars `c` and `d` where they are named.
fn unary(op: &str, inputs: &[&str], attributes: Vec<AttributeProto>, x: &[f32]) -> Vec<f32> {
    let model = Model::new(&[1, x.len() as i64]).scalar("c", 2.0).scalar("d", -0.5).node(
        op,
        inputs,
        &["y"],
        attributes,
    );
    run(&model, x)
}

#[test]
fn arithmetic_with_a_constant_on_either_side() {
    let x = [1.0, 4.0];
    let cases: [(&str, &[&str], [f32; 2]); 12] = [
        ("Add", &["x", "c"], [3.0, 6.0]),
        ("Add", &["c", "x"], [3.0, 6.0]),
        ("Sub", &["x", "c"], [-1.0, 2.0]),
        ("Sub", &["c", "x"], [1.0, -2.0]),
        ("Mul", &["c", "x"], [2.0, 8.0]),
        ("Div", &["x", "c"], [0.5, 2.0]),
        ("Div", &["c", "x"], [2.0, 0.5]),
        ("Pow", &["x", "c"], [1.0, 16.0]),
        ("Pow", &["c", "x"], [2.0, 16.0]),
        ("Min", &["x", "c"], [1.0, 2.0]),
        ("Max", &["c", "x"], [2.0, 4.0]),
        ("ai.onnx:Mul", &["x", "d"], [-0.5, -2.0]),
    ];
    for (op, inputs, expected) in cases {
        assert_eq!(unary(op, inputs, vec![], &x), expected, "{op} {inputs:?}");
    }
}

#[test]
fn operators_on_single_elements() {
    let x = [-1.5, -0.0, 0.5, 2.5];
    assert_eq!(unary("Relu", &["x"], vec![], &x), [0.0, 0.0, 0.5, 2.5]);
    assert_eq!(unary("Sign", &["x"], vec![], &x), [-1.0, 0.0, 1.0, 1.0]);
    assert_eq!(unary("Neg", &["x"], vec![], &x), [1.5, 0.0, -0.5, -2.5]);
    assert_eq!(unary("Round", &["x"], vec![], &x), [-2.0, 0.0, 0.0, 2.0]);
    assert_eq!(unary("Floor", &["x"], vec![], &x), [-2.0, 0.0, 0.0, 2.0]);
    assert_eq!(unary("Ceil", &["x"], vec![], &x), [-1.0, 0.0, 1.0, 3.0]);
    assert_eq!(unary("Tanh", &["x"], vec![], &x)[3], 2.5f32.tanh());
    let bounds = || vec![float("min", -1.0), float("max", 1.0)];
    assert_eq!(unary("Clip", &["x"], bounds(), &x), [-1.0, 0.0, 0.5, 1.0]);
    assert_eq!(unary("Clip", &["x", "d", "c"], vec![], &x), [-0.5, 0.0, 0.5, 2.0]);
    assert_eq!(unary("Clip", &["x", "", "c"], vec![], &x), [-1.5, 0.0, 0.5, 2.0]);
    assert_eq!(unary("Dropout", &["x"], vec![], &x), x);
    assert_eq!(unary("Cast", &["x"], vec![int("to", 1)], &x), x);
}

#[test]
fn quantizers_follow_qonnx() {
    let x = [-1.5, -0.25, 0.0, 0.25, 0.75, 9.0];
    let model = |op: &str, bits: f32, attributes| {
        Model::new(&[1, 6]).scalar("s", 0.5).scalar("z", 0.0).scalar("b", bits).node(
            op,
            &["x", "s", "z", "b"],
            &["y"],
            attributes,
        )
    };
    let quant = |bits, signed, narrow, mode: &str| {
        let attributes =
            vec![int("signed", signed), int("narrow", narrow), text("rounding_mode", mode)];
        run(&model("qonnx.custom_op.general:Quant", bits, attributes), &x)
    };
    assert_eq!(quant(3.0, 1, 0, "ROUND"), [-1.5, 0.0, 0.0, 0.0, 1.0, 1.5]);
    assert_eq!(quant(2.0, 1, 0, "ROUND"), [-1.0, 0.0, 0.0, 0.0, 0.5, 0.5]);
    assert_eq!(quant(2.0, 1, 1, "HALF_UP"), [-0.5, -0.5, 0.0, 0.5, 0.5, 0.5]);
    assert_eq!(quant(2.0, 0, 0, "UP"), [0.0, 0.0, 0.0, 0.5, 1.0, 1.5]);
    assert_eq!(quant(2.0, 0, 1, "FLOOR"), [0.0, 0.0, 0.0, 0.0, 0.5, 1.0]);
    assert_eq!(quant(4.0, 1, 0, "CEIL"), [-1.5, 0.0, 0.0, 0.5, 1.0, 3.5]);
    assert_eq!(quant(12.0, 1, 0, "DOWN"), [-1.5, 0.0, 0.0, 0.0, 0.5, 9.0]);
    assert_eq!(quant(1.0, 1, 0, "ROUND"), [-0.5, -0.5, 0.5, 0.5, 0.5, 0.5]);
    let bipolar = unary("onnx.brevitas:BipolarQuant", &["x", "c"], vec![], &[-0.1, -0.0, 3.0]);
    assert_eq!(bipolar, [-2.0, 2.0, 2.0]);
}

#[test]
fn multi_threshold_counts_by_channel() {
    let model = |shape: &[i64], layout: &str| {
        Model::new(shape).floats("t", &[2, 2], &[0.0, 1.0, 2.0, 3.0]).node(
            "finn.custom_op.general:MultiThreshold",
            &["x", "t"],
            &["y"],
            vec![
                float("out_scale", 2.0),
                float("out_bias", -1.0),
                text("out_dtype", "INT4"),
                text("data_layout", layout),
            ],
        )
    };
    let x = [0.0, 2.0, 2.0, 3.0];
    assert_eq!(run(&model(&[1, 2, 2, 1], "NCHW"), &x), [1.0, 3.0, 1.0, 3.0]);
    assert_eq!(run(&model(&[1, 2, 1, 2], "NHWC"), &x), [1.0, 1.0, 3.0, 3.0]);
    // Without a layout three axes have their channels last, four on axis 1.
    assert_eq!(run(&model(&[1, 2, 2], ""), &x), [1.0, 1.0, 3.0, 3.0]);
    assert_eq!(run(&model(&[1, 2, 2, 1], ""), &x), [1.0, 3.0, 1.0, 3.0]);
}

#[test]
fn linear_layers() {
    let w = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let x = [1.0, -1.0];
    let base = || Model::new(&[1, 2]).floats("w", &[2, 3], &w).floats("v", &[3, 2], &w);
    let matmul = base().node("MatMul", &["x", "w"], &["y"], vec![]);
    assert_eq!(run(&matmul, &x), [-3.0, -3.0, -3.0]);
    let gemm = base().floats("bias", &[3], &[1.0, 2.0, 3.0]).node(
        "Gemm",
        &["x", "v", "bias"],
        &["y"],
        vec![int("transB", 1), float("alpha", 2.0), float("beta", 0.5)],
    );
    assert_eq!(run(&gemm, &x), [-1.5, -1.0, -0.5]);
    let plain = base().node("Gemm", &["x", "w"], &["y"], vec![]);
    assert_eq!(run(&plain, &x), [-3.0, -3.0, -3.0]);
    let norm = Model::new(&[1, 2, 2])
        .floats("g", &[2], &[2.0, -1.0])
        .floats("b", &[2], &[1.0, 0.0])
        .floats("m", &[2], &[1.0, 2.0])
        .floats("v", &[2], &[3.0, 0.0])
        .node(
            "BatchNormalization",
            &["x", "g", "b", "m", "v"],
            &["y"],
            vec![float("epsilon", 1.0)],
        );
    assert_eq!(run(&norm, &[1.0, 3.0, 2.0, 3.0]), [1.0, 3.0, 0.0, -1.0]);
}

#[test]
fn comparisons_spell_a_sign() {
    let x = [-1.0, 0.0, 2.0];
    let spelled = |op: &str, inputs: &[&str]| {
        Model::new(&[1, 3])
            .scalar("zero", 0.0)
            .scalar("up", 1.0)
            .scalar("down", -1.0)
            .node(op, inputs, &["c"], vec![])
            .node("Where", &["c", "up", "down"], &["y"], vec![])
    };
    assert_eq!(run(&spelled("GreaterOrEqual", &["x", "zero"]), &x), [-1.0, 1.0, 1.0]);
    assert_eq!(run(&spelled("Greater", &["x", "zero"]), &x), [-1.0, -1.0, 1.0]);
    assert_eq!(run(&spelled("Less", &["zero", "x"]), &x), [-1.0, -1.0, 1.0]);
    assert_eq!(run(&spelled("LessOrEqual", &["x", "zero"]), &x), [1.0, 1.0, -1.0]);
    assert_eq!(run(&spelled("Equal", &["x", "zero"]), &x), [-1.0, 1.0, -1.0]);
    let cast = Model::new(&[1, 3])
        .scalar("zero", 0.0)
        .scalar("two", 2.0)
        .scalar("one", 1.0)
        .node("Less", &["x", "zero"], &["c"], vec![])
        .node("Not", &["c"], &["n"], vec![])
        .node("Cast", &["n"], &["f"], vec![int("to", 1)])
        .node("Mul", &["f", "two"], &["m"], vec![])
        .node("Sub", &["m", "one"], &["y"], vec![]);
    assert_eq!(run(&cast, &x), [-1.0, 1.0, 1.0]);
}

#[test]
fn shapes_are_computed() {
    let x: Vec<f32> = (0..12u8).map(f32::from).collect();
    // PyTorch's x.view(x.size(0), -1) after a transpose, with every detour.
    let model = Model::new(&[-1, 2, 2, 3])
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("far", &[100])
        .ints("rest", &[-1])
        .node("Transpose", &["x"], &["t"], vec![list("perm", &[0, 2, 3, 1])])
        .node("Shape", &["t"], &["s"], vec![])
        .node("Slice", &["s", "zero", "one"], &["batch"], vec![])
        .node("Squeeze", &["batch", "zero"], &["scalar"], vec![])
        .node("Cast", &["scalar"], &["cast"], vec![int("to", 7)])
        .node("Unsqueeze", &["cast", "zero"], &["again"], vec![])
        .node("Concat", &["again", "rest"], &["to"], vec![int("axis", 0)])
        .node("Reshape", &["t", "to"], &["y"], vec![]);
    let expected = [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11].map(|v: u8| f32::from(v));
    assert_eq!(run(&model, &x), expected);
    let graph = model.load().unwrap();
    assert_eq!(graph.node(graph.output_id().unwrap()).shape, [1, 12]);

    let chain = Model::new(&[1, 2, 2, 3])
        .ints("axis", &[2])
        .ints("shape", &[0, 3, 4])
        .node("Flatten", &["x"], &["f"], vec![])
        .node("Unsqueeze", &["f", "axis"], &["u"], vec![])
        .node("Squeeze", &["u", "axis"], &["q"], vec![])
        .node("Unsqueeze", &["q"], &["r"], vec![list("axes", &[-1])])
        .node("Squeeze", &["r"], &["v"], vec![list("axes", &[2])])
        .node("Flatten", &["v"], &["w"], vec![int("axis", -1)])
        .node("Identity", &["w"], &["y"], vec![]);
    assert_eq!(run(&chain, &x), x);
}

#[test]
fn constants_are_folded_in_float32() {
    let model = Model::new(&[1, 2])
        .opset(9)
        .floats("var", &[1], &[318.196_66])
        .scalar("half", 0.5)
        .ints("two", &[2])
        .ints("zero", &[0])
        .node(
            "Constant",
            &[],
            &["k"],
            vec![AttributeProto {
                name: "value_floats".into(),
                floats: vec![3.0, 5.0],
                r#type: 6,
                ..Default::default()
            }],
        )
        .node("Pow", &["var", "half"], &["root"], vec![])
        .node("Sqrt", &["var"], &["sqrt"], vec![])
        .node("Reciprocal", &["root"], &["r"], vec![])
        .node("Abs", &["r"], &["a"], vec![])
        .node("Mul", &["a", "sqrt"], &["one"], vec![])
        .node("ConstantOfShape", &["two"], &["zeros"], vec![])
        .node("Add", &["k", "zeros"], &["k2"], vec![])
        .node("Expand", &["one", "two"], &["ones"], vec![])
        .node("Greater", &["k2", "zeros"], &["positive"], vec![])
        .node("Where", &["positive", "k2", "ones"], &["k3"], vec![])
        .node("Exp", &["zeros"], &["e"], vec![])
        .node("Log", &["e"], &["l"], vec![])
        .node("Neg", &["k3"], &["n"], vec![])
        .node("Max", &["n", "l"], &["top"], vec![])
        .node("Sub", &["k3", "top"], &["k4"], vec![])
        .node("Gather", &["k4", "zero"], &["k5"], vec![])
        .node("Mul", &["x", "k5"], &["m"], vec![])
        .node("Add", &["m", "k4"], &["y"], vec![]);
    assert_eq!(run(&model, &[1.0, 2.0]), [6.0, 11.0]);
}

#[test]
fn heads() {
    let x = [1.0, 3.0, -2.0, 3.0];
    let head = |op: &str, attributes: Vec<AttributeProto>| {
        run(&Model::new(&[1, 4]).node(op, &["x"], &["y"], attributes), &x)
    };
    assert_eq!(head("ArgMax", vec![int("axis", 1)]), [1.0]);
    assert_eq!(head("ArgMax", vec![int("axis", -1), int("keepdims", 0)]), [1.0]);
    assert_eq!(head("ArgMin", vec![int("axis", 1)]), [2.0]);
    let softmax = head("Softmax", vec![]);
    assert!((softmax.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    let log = head("LogSoftmax", vec![int("axis", 1)]);
    assert!((log[1] - softmax[1].ln()).abs() < 1e-6);
    let top = Model::new(&[1, 4])
        .ints("k", &[3])
        .node("Softmax", &["x"], &["s"], vec![])
        .node("TopK", &["s", "k"], &["values", "i"], vec![int("axis", 1), int("sorted", 1)])
        .node("Cast", &["i"], &["y"], vec![int("to", 7)]);
    assert_eq!(run(&top, &x), [1.0, 3.0, 0.0]);
    let low = Model::new(&[1, 4]).ints("k", &[1]).node(
        "TopK",
        &["x", "k"],
        &["values", "y"],
        vec![int("largest", 0)],
    );
    assert_eq!(run(&low, &x), [2.0]);
}

#[test]
fn a_trace_names_every_node() {
    let graph = small_network().load().unwrap();
    let reference = reference::Reference::new(&graph);
    let trace = reference.trace::<f32>(&[0.5, -0.5, 0.0, -2.0]);
    assert_eq!(trace["BipolarQuant_of_q"], [1.0, -1.0, 1.0, -1.0]);
    assert_eq!(trace["MatMul_of_acc"], [2.0, -1.0]);
    assert_eq!(trace["Sign_of_y"], reference.run::<f32>(&[0.5, -0.5, 0.0, -2.0]));
    assert_eq!(trace.len(), 6);
    let error = reference::run::<f32>(&graph, &[0.0]).unwrap_err();
    assert_eq!(error.code, diagnostic::Code::InputShape);
}
