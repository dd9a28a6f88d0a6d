//! The weights of a linear operator, as float values and as integers times a scale.

use diagnostic::{Code, Diagnostic, Result};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tensor::ElementType;

/// The largest integer magnitude that a quantized weight may have (8 bits).
const MAX_MAGNITUDE: i64 = 128;

/// Weights of a fully connected layer, shape `[outputs, inputs]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The float values, as the training framework multiplies with them.
    pub values: Array2<f32>,
    /// The integers that they were quantized to, where the model says.
    pub quantized: Option<QuantizedWeights>,
}

/// Integer weights with their scale: `value = integer * scale`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuantizedWeights {
    /// The integers, `[outputs, inputs]`.
    pub integers: Array2<i64>,
    /// One scale, or one for each output.
    pub scale: Vec<f32>,
}

impl QuantizedWeights {
    /// The smallest type that holds every integer: bipolar when all are +1 or -1.
    pub fn element(&self) -> ElementType {
        let low = self.integers.iter().copied().min().unwrap_or(0);
        let high = self.integers.iter().copied().max().unwrap_or(0);
        if self.integers.iter().all(|&w| w == 1 || w == -1) {
            ElementType::Bipolar
        } else {
            ElementType::smallest(low, high)
        }
    }
}

impl Weights {
    /// The integers and scale: those that the model states, else the coarsest step for each tensor,
    /// or else for each output, of which all values are whole multiples.
    ///
    /// # Errors
    /// `not-quantized` when there is no such step with at most 8 bits.
    pub fn quantize(&self) -> Result<QuantizedWeights> {
        if let Some(quantized) = &self.quantized {
            return Ok(quantized.clone());
        }
        if let Some(scale) = common_step(self.values.iter().copied()) {
            return Ok(QuantizedWeights { integers: self.integers(|_| scale), scale: vec![scale] });
        }
        let scale: Option<Vec<f32>> =
            self.values.rows().into_iter().map(|row| common_step(row.iter().copied())).collect();
        let scale = scale.ok_or_else(|| {
            Diagnostic::new(Code::NotQuantized, "the weights are not quantized to 8 bits or fewer")
                .hint("quantize them to 8 bits or fewer in training, e.g. with a Brevitas weight quantizer")
        })?;
        Ok(QuantizedWeights { integers: self.integers(|row| scale[row]), scale })
    }

    fn integers(&self, scale: impl Fn(usize) -> f32) -> Array2<i64> {
        Array2::from_shape_fn(self.values.dim(), |(row, column)| {
            (f64::from(self.values[[row, column]]) / f64::from(scale(row))).round() as i64
        })
    }
}

/// The largest step of which all values are multiples with magnitude at most 128; 1 for all zeros.
fn common_step(values: impl Iterator<Item = f32> + Clone) -> Option<f32> {
    let magnitudes = values.map(f32::abs).filter(|&v| v != 0.0);
    let smallest = magnitudes.clone().fold(f32::INFINITY, f32::min);
    if smallest == f32::INFINITY {
        return Some(1.0);
    }
    // The smallest magnitude is a multiple of the step: try it as 1, 2, 3, ... steps.
    (1..=MAX_MAGNITUDE).map(|k| smallest / k as f32).find(|&step| {
        magnitudes.clone().all(|v| {
            let steps = f64::from(v) / f64::from(step);
            steps.round() <= MAX_MAGNITUDE as f64
                && (steps - steps.round()).abs() <= steps * 4.0 * f64::from(f32::EPSILON)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn plain_constants_are_recognised() {
        let weights = |values| Weights { values, quantized: None };
        let q = weights(array![[1.0, -1.0], [-1.0, 1.0]]).quantize().unwrap();
        assert_eq!((q.element(), q.scale.as_slice()), (ElementType::Bipolar, &[1.0][..]));
        let q = weights(array![[0.3, -0.3], [-0.7, 0.7]]).quantize().unwrap();
        assert_eq!(q.integers, array![[3, -3], [-7, 7]]);
        let q = weights(array![[0.31, -0.31], [-0.7172, 0.7172]]).quantize().unwrap();
        assert_eq!((q.integers, q.scale), (array![[1, -1], [-1, 1]], vec![0.31, 0.7172]));
        let grid = [3.1f32, 2.71117, 1.41771, 0.57723];
        let bad = Array2::from_shape_fn((1, 4), |(_, j)| grid[j]);
        assert_eq!(weights(bad).quantize().unwrap_err().code, Code::NotQuantized);
    }
}
