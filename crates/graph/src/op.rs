//! The closed set of operators.

use crate::{Elementwise, Weights};
use serde::{Deserialize, Serialize};
use tensor::ElementType;

/// An operator with its constants folded in. Axis 0 is the batch, of extent 1.
#[expect(clippy::large_enum_variant, reason = "a network has a few dozen of them")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// The network's input.
    Input {
        /// The integer type that the model declares for it, if any: then integers go in unchanged.
        annotation: Option<ElementType>,
    },
    /// `y = x W^T` on the last axis.
    MatMul(Weights),
    /// An operator on each element.
    Elementwise(Elementwise),
    /// Permutes axes, as NumPy's `transpose`.
    Transpose(Vec<usize>),
    /// Reinterprets the row-major elements in the node's shape.
    Reshape,
    /// Indices of the `k` largest (or smallest) elements of the last axis, best first; ties go to
    /// the lowest index. `ArgMax` is `k = 1`.
    TopK {
        /// How many.
        k: usize,
        /// Largest or smallest.
        largest: bool,
    },
    /// Softmax on the last axis; it never changes which class is the best.
    Softmax,
}

impl Op {
    /// A short name for tables.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::MatMul(_) => "matmul",
            Op::Elementwise(e) => match e {
                Elementwise::Arithmetic { .. } => "arithmetic",
                Elementwise::BatchNorm { .. } => "batch-norm",
                Elementwise::Relu => "relu",
                Elementwise::Sign { .. } => "sign",
                Elementwise::Clip { .. } => "clip",
                Elementwise::Tanh => "tanh",
                Elementwise::Neg => "neg",
                Elementwise::Round | Elementwise::Floor | Elementwise::Ceil => "round",
                Elementwise::Compare { .. } => "compare",
                Elementwise::Select { .. } => "select",
                Elementwise::BipolarQuant { .. } => "bipolar-quant",
                Elementwise::Quant { .. } => "quant",
                Elementwise::MultiThreshold { .. } => "multi-threshold",
            },
            Op::Transpose(_) => "transpose",
            Op::Reshape => "reshape",
            Op::TopK { .. } => "top-k",
            Op::Softmax => "softmax",
        }
    }
}
