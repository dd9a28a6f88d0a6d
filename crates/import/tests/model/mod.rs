//! Small ONNX models built in memory.
#![allow(dead_code)]

use import::onnx::proto::*;
use prost::Message;

pub(crate) struct Model(pub(crate) ModelProto);

impl Model {
    /// A model with the float32 input `x` and the output `y`.
    pub(crate) fn new(shape: &[i64]) -> Self {
        let graph = GraphProto {
            input: vec![value("x", data_type::FLOAT, shape)],
            output: vec![value("y", data_type::FLOAT, &[])],
            ..Default::default()
        };
        let opset = OperatorSetIdProto { domain: String::new(), version: 13 };
        Self(ModelProto {
            ir_version: 8,
            graph: Some(graph),
            opset_import: vec![opset],
            ..Default::default()
        })
    }

    pub(crate) fn graph(&mut self) -> &mut GraphProto {
        self.0.graph.as_mut().unwrap()
    }

    pub(crate) fn opset(mut self, version: i64) -> Self {
        self.0.opset_import[0].version = version;
        self
    }

    pub(crate) fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        self.graph().initializer.push(TensorProto {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: data_type::FLOAT,
            float_data: values.to_vec(),
            ..Default::default()
        });
        self
    }

    pub(crate) fn scalar(self, name: &str, value: f32) -> Self {
        self.floats(name, &[], &[value])
    }

    pub(crate) fn ints(mut self, name: &str, values: &[i64]) -> Self {
        self.graph().initializer.push(TensorProto {
            name: name.into(),
            dims: vec![values.len() as i64],
            data_type: data_type::INT64,
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..Default::default()
        });
        self
    }

    /// A node `op(inputs) -> outputs`, named by its operator; `domain:op` for custom ones.
    pub(crate) fn node(
        mut self,
        op: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) -> Self {
        let (domain, op_type) = op.rsplit_once(':').unwrap_or(("", op));
        self.graph().node.push(NodeProto {
            name: format!("{op_type}_of_{}", outputs[0]),
            op_type: op_type.into(),
            domain: domain.into(),
            input: inputs.iter().map(|s| s.to_string()).collect(),
            output: outputs.iter().map(|s| s.to_string()).collect(),
            attribute: attributes,
        });
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    pub(crate) fn load(&self) -> diagnostic::Result<graph::Graph> {
        import::onnx::parse(&self.bytes(), "test", &import::Options::default())
    }
}

pub(crate) fn value(name: &str, elem_type: i32, shape: &[i64]) -> ValueInfoProto {
    let dim = |&extent: &i64| DimensionProto {
        dim_value: (extent >= 0).then_some(extent),
        dim_param: (extent < 0).then(|| "N".into()),
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor_type = Some(TensorTypeProto { elem_type, shape: Some(shape) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

pub(crate) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), i, r#type: attribute_type::INT, ..Default::default() }
}

pub(crate) fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.into(), f, r#type: attribute_type::FLOAT, ..Default::default() }
}

pub(crate) fn text(name: &str, s: &str) -> AttributeProto {
    let s = s.as_bytes().to_vec();
    AttributeProto { name: name.into(), s, r#type: attribute_type::STRING, ..Default::default() }
}

pub(crate) fn list(name: &str, ints: &[i64]) -> AttributeProto {
    let ints = ints.to_vec();
    AttributeProto { name: name.into(), ints, r#type: attribute_type::INTS, ..Default::default() }
}

/// A small network with a quantizer, weights, batch normalization and a computed reshape.
pub(crate) fn small_network() -> Model {
    Model::new(&[-1, 1, 2, 2])
        .ints("zero", &[0])
        .ints("rest", &[-1])
        .scalar("one", 1.0)
        .scalar("none", 0.0)
        .scalar("bits", 2.0)
        .floats("w", &[2, 4], &[1.0, -1.0, 0.0, -0.0, 1.0, 1.0, -1.0, 0.0])
        .floats("gamma", &[2], &[1.0, -0.5])
        .floats("beta", &[2], &[0.25, 0.5])
        .floats("mean", &[2], &[0.5, -1.0])
        .floats("var", &[2], &[1.0, 4.0])
        .node("Shape", &["x"], &["s"], vec![])
        .node("Gather", &["s", "zero"], &["batch"], vec![])
        .node("Concat", &["batch", "rest"], &["to"], vec![int("axis", 0)])
        .node("Reshape", &["x", "to"], &["flat"], vec![])
        .node("onnx.brevitas:BipolarQuant", &["flat", "one"], &["q"], vec![])
        .node(
            "onnx.brevitas:Quant",
            &["w", "one", "none", "bits"],
            &["wq"],
            vec![int("signed", 1), int("narrow", 1), text("rounding_mode", "ROUND")],
        )
        .node("Transpose", &["wq"], &["wt"], vec![list("perm", &[1, 0])])
        .node("MatMul", &["q", "wt"], &["acc"], vec![])
        .node("BatchNormalization", &["acc", "gamma", "beta", "mean", "var"], &["bn"], vec![])
        .node("Sign", &["bn"], &["y"], vec![])
}

/// A network with most other operators, to be damaged by tests.
pub(crate) fn wide_network() -> Model {
    Model::new(&[1, 2, 3])
        .ints("zero", &[0])
        .ints("one", &[1])
        .ints("two", &[2])
        .ints("k", &[2])
        .ints("shape", &[0, 3, 2])
        .scalar("c", 0.5)
        .scalar("bits", 3.0)
        .floats("t", &[1, 3], &[-1.0, 0.0, 1.0])
        .floats("w", &[6, 4], &[1.0; 24])
        .floats("scale", &[1, 4], &[0.5, 0.25, 1.0, 2.0])
        .floats("bias", &[4], &[0.1, 0.2, 0.3, 0.4])
        .node("Reshape", &["x", "shape"], &["r"], vec![])
        .node("Transpose", &["r"], &["p"], vec![list("perm", &[0, 2, 1])])
        .node("Flatten", &["p"], &["f"], vec![])
        .node("Clip", &["f", "", "c"], &["l"], vec![])
        .node(
            "finn.custom_op.general:MultiThreshold",
            &["l", "t"],
            &["m"],
            vec![float("out_scale", 2.0), float("out_bias", -3.0), text("data_layout", "NC")],
        )
        .node("qonnx.custom_op.general:BipolarQuant", &["w", "scale"], &["wq"], vec![])
        .node("Gemm", &["m", "wq", "bias"], &["g"], vec![float("alpha", 0.5), float("beta", 2.0)])
        .node("Slice", &["w", "zero", "one", "zero"], &["cut"], vec![])
        .node("Squeeze", &["cut", "zero"], &["row"], vec![])
        .node("Gather", &["row", "one"], &["item"], vec![])
        .node("Mul", &["g", "item"], &["h"], vec![])
        .node(
            "qonnx.custom_op.general:Quant",
            &["h", "c", "c", "bits"],
            &["q"],
            vec![int("signed", 0), int("narrow", 0), text("rounding_mode", "HALF_UP")],
        )
        .node("Greater", &["q", "c"], &["n"], vec![])
        .node("Where", &["n", "c", "bits"], &["v"], vec![])
        .node("Unsqueeze", &["v", "two"], &["u"], vec![])
        .node("Squeeze", &["u", "two"], &["s"], vec![])
        .node("Softmax", &["s"], &["e"], vec![])
        .node("TopK", &["e", "k"], &["best", "y"], vec![])
}

/// A small convolutional network, to be run and to be damaged by tests.
pub(crate) fn convolutional_network() -> Model {
    let w1: Vec<f32> = (0..16u8).map(|i| if i % 3 == 0 { -1.0 } else { 0.5 }).collect();
    let w2: Vec<f32> = (0..8u8).map(|i| f32::from(i) - 3.5).collect();
    Model::new(&[-1, 2, 5, 4])
        .ints("pads", &[0, 0, 1, 0, 0, 0, 0, 1])
        .ints("shape", &[0, -1])
        .scalar("one", 1.0)
        .scalar("fill", 0.25)
        .floats("w1", &[4, 1, 2, 2], &w1)
        .floats("w2", &[2, 4, 1, 1], &w2)
        .floats("scale", &[2, 1, 1, 1], &[0.5, 2.0])
        .floats("bias", &[4], &[0.5, -0.5, 1.0, 0.0])
        .floats("gamma", &[2], &[1.0, -0.5])
        .floats("beta", &[2], &[0.25, 0.5])
        .floats("mean", &[2], &[0.5, -1.0])
        .floats("var", &[2], &[1.0, 4.0])
        .floats("t", &[2, 2], &[-1.0, 0.0, 0.5, 1.0])
        .node("Pad", &["x", "pads", "fill"], &["p"], vec![text("mode", "constant")])
        .node(
            "Conv",
            &["p", "w1", "bias"],
            &["c1"],
            vec![
                int("group", 2),
                list("kernel_shape", &[2, 2]),
                list("strides", &[1, 1]),
                list("dilations", &[2, 1]),
                list("pads", &[1, 0, 1, 0]),
            ],
        )
        .node(
            "MaxPool",
            &["c1"],
            &["m"],
            vec![list("kernel_shape", &[2, 2]), list("strides", &[2, 2]), int("ceil_mode", 1)],
        )
        .node("qonnx.custom_op.general:BipolarQuant", &["w2", "scale"], &["wq"], vec![])
        .node("Conv", &["m", "wq"], &["c2"], vec![text("auto_pad", "SAME_UPPER")])
        .node("BatchNormalization", &["c2", "gamma", "beta", "mean", "var"], &["bn"], vec![])
        .node(
            "qonnx.custom_op.general:MultiThreshold",
            &["bn", "t"],
            &["q"],
            vec![float("out_bias", -1.0), text("data_layout", "NCHW")],
        )
        .node(
            "AveragePool",
            &["q"],
            &["a"],
            vec![
                list("kernel_shape", &[2, 1]),
                list("pads", &[1, 0, 0, 0]),
                int("count_include_pad", 0),
            ],
        )
        .node("Transpose", &["a"], &["nhwc"], vec![list("perm", &[0, 2, 3, 1])])
        .node("ReduceMean", &["nhwc"], &["r"], vec![list("axes", &[1, 2]), int("keepdims", 1)])
        .node("Reshape", &["r", "shape"], &["y"], vec![])
}
