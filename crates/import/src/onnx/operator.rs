//! The operators that are imported, and what to do about those that are not.

use super::model::is_standard;
use super::proto::NodeProto;

/// Domains of the quantizers.
const CUSTOM_DOMAINS: [&str; 3] =
    ["onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general"];

macro_rules! operators {
    (standard: $($name:ident)+; custom: $($custom:ident)+;) => {
        /// A supported operator.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Operator { $($name,)+ $($custom,)+ }

        impl Operator {
            /// The operator of a node, when its domain and name are supported.
            pub(crate) fn of(node: &NodeProto) -> Option<Self> {
                if is_standard(&node.domain) {
                    match node.op_type.as_str() {
                        $(stringify!($name) => Some(Self::$name),)+
                        _ => None,
                    }
                } else if CUSTOM_DOMAINS.contains(&node.domain.as_str()) {
                    match node.op_type.as_str() {
                        $(stringify!($custom) => Some(Self::$custom),)+
                        _ => None,
                    }
                } else {
                    None
                }
            }
        }
    };
}

operators! {
    standard:
        Add Sub Mul Div Pow Min Max
        Sqrt Reciprocal Abs Exp Log
        Greater GreaterOrEqual Less LessOrEqual Equal Not Where
        Relu Sign Clip Tanh Neg Round Floor Ceil
        Identity Dropout Cast
        BatchNormalization MatMul Gemm
        Conv MaxPool AveragePool GlobalMaxPool GlobalAveragePool Pad ReduceMean ReduceMax
        Transpose Reshape Flatten Squeeze Unsqueeze
        Shape Gather Concat Slice Expand Constant ConstantOfShape
        TopK ArgMax ArgMin Softmax LogSoftmax;
    custom:
        BipolarQuant Quant IntQuant MultiThreshold MaxPoolNHWC;
}

impl Operator {
    /// Whether the operator, on the network's data, leaves no node behind.
    pub(crate) fn passes_through(self) -> bool {
        matches!(self, Self::Identity | Self::Dropout | Self::Cast | Self::Shape)
    }
}

/// What would make an unsupported operator acceptable.
pub(crate) fn hint(node: &NodeProto) -> String {
    let custom = !is_standard(&node.domain);
    match node.op_type.as_str() {
        "BipolarQuant" | "Quant" | "IntQuant" | "MultiThreshold" | "MaxPoolNHWC" => {
            format!("put it in one of the domains {}", CUSTOM_DOMAINS.join(", "))
        }
        "ConvTranspose" | "Upsample" | "Resize" => {
            "maps cannot be enlarged: use Conv, MaxPool or AveragePool".into()
        }
        "LpPool" | "GlobalLpPool" | "MaxRoiPool" | "QuantAvgPool2d" => {
            "use MaxPool, or AveragePool followed by a quantizer".into()
        }
        "Trunc" | "FloatQuant" => "use Quant or BipolarQuant".into(),
        "QuantizeLinear"
        | "DequantizeLinear"
        | "QLinearConv"
        | "QLinearMatMul"
        | "MatMulInteger"
        | "ConvInteger"
        | "FakeQuantize"
        | "DynamicQuantizeLinear" => {
            "export as QONNX: Quant and BipolarQuant on float tensors, then MatMul, Gemm or Conv"
                .into()
        }
        "LeakyRelu" | "PRelu" | "Elu" | "Selu" | "Celu" | "Gelu" | "Sigmoid" | "HardSigmoid"
        | "HardSwish" | "Mish" | "Softplus" | "Softsign" | "Swish" | "ThresholdedRelu" | "Erf"
        | "Sin" | "Cos" => {
            "use Relu, Clip (hard tanh), Tanh or Sign, followed by a quantizer".into()
        }
        "LayerNormalization"
        | "InstanceNormalization"
        | "GroupNormalization"
        | "LRN"
        | "LpNormalization"
        | "MeanVarianceNormalization" => "use BatchNormalization with fixed statistics".into(),
        "LSTM" | "GRU" | "RNN" | "Loop" | "Scan" | "If" => {
            "recurrent networks and control flow are not supported: export one forward pass".into()
        }
        "ReduceSum" | "ReduceMin" | "ReduceProd" | "Einsum" => {
            "use ReduceMean or ReduceMax over whole maps, MatMul or Gemm with constant weights, or \
             TopK and ArgMax at the end"
                .into()
        }
        _ if custom => format!(
            "only BipolarQuant, Quant, IntQuant, MultiThreshold and MaxPoolNHWC of {} are supported",
            CUSTOM_DOMAINS.join(", ")
        ),
        _ => "the operators of fully connected and convolutional networks are supported: MatMul, \
              Gemm, Conv, pooling, Pad, BatchNormalization, quantizers, arithmetic with constants, \
              and reshapes"
            .into(),
    }
}
