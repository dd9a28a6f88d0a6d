//! The closed set of operators.

use crate::{Elementwise, Weights};
use serde::{Deserialize, Serialize};
use tensor::{ElementType, Window};

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
    /// A cross-correlation over `[batch, channels, rows, columns]`; without a column axis the maps
    /// have one column.
    Conv(Conv),
    /// The largest or the mean element of each channel in each window; axes as for `Conv`.
    Pool(Pool),
    /// Puts a constant around the rows and columns; axes as for `Conv`.
    Pad {
        /// Rows at the top, columns at the left.
        before: [usize; 2],
        /// Rows at the bottom, columns at the right.
        after: [usize; 2],
        /// The constant.
        value: f32,
    },
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

/// A convolution without bias; what is padded counts as 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv {
    /// Values `[outputs, channels of a group x rows x columns of the kernel]`, columns in that order.
    pub weights: Weights,
    /// Where the kernel is applied.
    pub window: Window,
    /// Groups of channels: output channel `o` of `outputs` reads the channels of group
    /// `o * groups / outputs` only.
    pub groups: usize,
}

/// Pooling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// What becomes of a window.
    pub kind: PoolKind,
    /// Where windows lie.
    pub window: Window,
}

/// What becomes of the elements of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PoolKind {
    /// The largest; padding never is.
    Max,
    /// The sum over the number of taps, padding (zeros) included.
    Average,
    /// The sum over the number of taps that are not padding.
    AverageInside,
}

impl Op {
    /// A short name for tables.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input { .. } => "input",
            Op::MatMul(_) => "matmul",
            Op::Conv(_) => "conv",
            Op::Pool(_) => "pool",
            Op::Pad { .. } => "pad",
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
