//! Small ONNX models and arrays made in memory.

use import::onnx::proto::{
    AttributeProto, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto, attribute_type,
    data_type,
};
use ndarray::{ArrayD, IxDyn};
use prost::Message;

/// A model that is put together step by step.
#[derive(Debug, Clone)]
pub struct Model(pub ModelProto);

impl Model {
    /// A model with the float32 input `x` and the output `y`.
    pub fn new(shape: &[i64]) -> Self {
        let graph = GraphProto {
            input: vec![value("x", shape)],
            output: vec![value("y", &[])],
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

    /// Its graph.
    pub fn graph(&mut self) -> &mut GraphProto {
        self.0.graph.as_mut().unwrap()
    }

    /// Adds an initializer.
    #[must_use]
    pub fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        self.graph().initializer.push(TensorProto {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: data_type::FLOAT,
            float_data: values.to_vec(),
            ..Default::default()
        });
        self
    }

    /// Adds an initializer of integers, one axis.
    #[must_use]
    pub fn integers(mut self, name: &str, values: &[i64]) -> Self {
        self.graph().initializer.push(TensorProto {
            name: name.into(),
            dims: vec![values.len() as i64],
            data_type: data_type::INT64,
            raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
            ..Default::default()
        });
        self
    }

    /// Adds a node `op(inputs) -> output`; `domain:op` for custom operators.
    #[must_use]
    pub fn node(mut self, op: &str, inputs: &[&str], output: &str) -> Self {
        let (domain, op_type) = op.rsplit_once(':').unwrap_or(("", op));
        self.graph().node.push(NodeProto {
            name: format!("{op_type}_of_{output}"),
            op_type: op_type.into(),
            domain: domain.into(),
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.into()],
            attribute: Vec::new(),
        });
        self
    }

    /// Gives the last node an integer attribute.
    #[must_use]
    pub fn int(mut self, name: &str, i: i64) -> Self {
        let attribute = AttributeProto {
            name: name.into(),
            i,
            r#type: attribute_type::INT,
            ..Default::default()
        };
        self.graph().node.last_mut().unwrap().attribute.push(attribute);
        self
    }

    /// Gives the last node an attribute of several integers.
    #[must_use]
    pub fn ints(mut self, name: &str, ints: &[i64]) -> Self {
        let attribute = AttributeProto {
            name: name.into(),
            ints: ints.to_vec(),
            r#type: attribute_type::INTS,
            ..Default::default()
        };
        self.graph().node.last_mut().unwrap().attribute.push(attribute);
        self
    }

    /// The initializer of a name.
    pub fn initializer(&mut self, name: &str) -> &mut TensorProto {
        self.graph().initializer.iter_mut().find(|t| t.name == name).unwrap()
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }
}

fn value(name: &str, shape: &[i64]) -> ValueInfoProto {
    let dim = |&extent: &i64| DimensionProto {
        dim_value: (extent >= 0).then_some(extent),
        dim_param: (extent < 0).then(|| "N".into()),
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor_type = Some(TensorTypeProto { elem_type: data_type::FLOAT, shape: Some(shape) });
    ValueInfoProto { name: name.into(), r#type: Some(TypeProto { tensor_type }) }
}

/// A network on 4 x 4 pixels: `fc0` to 8 signs through a batch normalization, `fc1` to 4 scores.
pub fn small_network() -> Model {
    let pattern = |count: usize, step: usize| -> Vec<f32> {
        (0..count).map(|i| if (i * i + step * i) % 7 < 3 { 1.0 } else { -1.0 }).collect()
    };
    let ramp =
        |low: f32, step: f32| -> Vec<f32> { (0..8u8).map(|i| low + step * f32::from(i)).collect() };
    Model::new(&[1, 1, 4, 4])
        .floats("one", &[], &[1.0])
        .floats("half", &[], &[0.5])
        .floats("w0", &[16, 8], &pattern(128, 3))
        .floats("w1", &[8, 4], &pattern(32, 5))
        .floats("gamma", &[8], &ramp(-0.75, 0.25))
        .floats("beta", &[8], &ramp(0.3, -0.1))
        .floats("mean", &[8], &ramp(-2.0, 0.6))
        .floats("var", &[8], &ramp(1.0, 0.5))
        .node("Flatten", &["x"], "flat")
        .node("Sub", &["flat", "half"], "centred")
        .node("qonnx.custom_op.general:BipolarQuant", &["centred", "one"], "signs")
        .node("qonnx.custom_op.general:BipolarQuant", &["w0", "one"], "w0q")
        .node("MatMul", &["signs", "w0q"], "sums")
        .node("BatchNormalization", &["sums", "gamma", "beta", "mean", "var"], "normal")
        .node("qonnx.custom_op.general:BipolarQuant", &["normal", "one"], "hidden")
        .node("qonnx.custom_op.general:BipolarQuant", &["w1", "one"], "w1q")
        .node("MatMul", &["hidden", "w1q"], "y")
}

/// An array as the bytes of a `.npy` file.
pub fn npy<T>(shape: &[usize], values: Vec<T>) -> Vec<u8>
where
    T: ndarray_npy::WritableElement + Clone,
{
    tensor::npy::to_bytes(&ArrayD::from_shape_vec(IxDyn(shape), values).unwrap())
}

/// Pixels for [`small_network`], the same each time.
pub fn small_images(count: usize) -> Vec<u8> {
    let pixels = (0..count * 16).map(|i| ((i * 193 + i * i * 31) % 256) as u8).collect();
    npy(&[count, 4, 4, 1], pixels)
}
