//! A constant operand of an elementwise operator.

use ndarray::{ArrayD, IxDyn};
use serde::{Deserialize, Serialize};

/// A float32 constant that broadcasts to the shape of the operator's output, NumPy's way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Param(pub ArrayD<f32>);

impl Param {
    /// One value for every element.
    pub fn scalar(value: f32) -> Self {
        Self(ArrayD::from_elem(IxDyn(&[]), value))
    }

    /// One value for each channel on axis 1 of a tensor of `rank` axes.
    pub fn per_channel(values: &[f32], rank: usize) -> Self {
        let mut shape = vec![1; rank.max(2)];
        shape[1] = values.len();
        Self(
            ArrayD::from_shape_vec(IxDyn(&shape), values.to_vec())
                .expect("the shape has as many elements as values"),
        )
    }

    /// The single value, if there is only one.
    pub fn as_scalar(&self) -> Option<f32> {
        let first = self.0.iter().next().copied()?;
        self.0.iter().all(|v| v.to_bits() == first.to_bits()).then_some(first)
    }

    /// Whether it broadcasts to `shape` without changing it.
    pub fn fits(&self, shape: &[usize]) -> bool {
        self.0.broadcast(IxDyn(shape)).is_some()
    }

    /// The values as one each for the elements of `shape` in row-major order, or a single value
    /// when they are all the same.
    ///
    /// # Panics
    /// If it does not [fit](Self::fits); the graph's check rules that out.
    pub fn expand(&self, shape: &[usize]) -> Vec<f32> {
        if let Some(value) = self.as_scalar() {
            return vec![value];
        }
        let view = self.0.broadcast(IxDyn(shape)).expect("checked: the parameter broadcasts");
        view.iter().copied().collect()
    }
}
