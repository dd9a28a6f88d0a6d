//! Bit-packed integer matrix times vector.

use ndarray::Array2;
use tensor::{BitMatrix, ElementType};

/// The bit planes of an operand: `value = sum(coefficient * bit) + constant`.
fn planes(element: ElementType) -> (Vec<i64>, i64) {
    let bits = element.bits();
    match element {
        ElementType::Bipolar => (vec![2], -1),
        ElementType::Uint(_) => ((0..bits).map(|b| 1 << b).collect(), 0),
        ElementType::Int(_) | ElementType::Fixed { .. } => {
            let sign = |b| if b + 1 == bits { -1 } else { 1 };
            ((0..bits).map(|b| sign(b) * (1 << b)).collect(), 0)
        }
    }
}

/// Weights as bit planes, packed once.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    input: ElementType,
    both_bipolar: bool,
    columns: usize,
    planes: Vec<BitMatrix>,
    coefficients: Vec<i64>,
    constant: i64,
    /// For each row what every input adds through its own constant: constant_x * sum(w).
    row_constants: Vec<i64>,
}

impl Dense {
    /// Packs weights of type `weight` for inputs of type `input`.
    pub(crate) fn new(weights: &Array2<i64>, weight: ElementType, input: ElementType) -> Self {
        let (rows, columns) = weights.dim();
        let (coefficients, constant) = planes(weight);
        let mut packed = vec![BitMatrix::zeros(rows, columns); coefficients.len()];
        for ((row, column), &w) in weights.indexed_iter() {
            let code = weight.encode(w);
            for (bit, plane) in packed.iter_mut().enumerate() {
                if code >> bit & 1 == 1 {
                    plane.set(row, column);
                }
            }
        }
        let (_, input_constant) = planes(input);
        let row_constants =
            weights.rows().into_iter().map(|row| input_constant * row.sum()).collect();
        Self {
            input,
            both_bipolar: input == ElementType::Bipolar && weight == ElementType::Bipolar,
            columns,
            planes: packed,
            coefficients,
            constant,
            row_constants,
        }
    }

    /// The exact sums of one input vector.
    pub(crate) fn accumulate(&self, values: &[i64]) -> Vec<i64> {
        assert_eq!(values.len(), self.columns, "the layer takes {} inputs", self.columns);
        let bits = self.input.bits() as usize;
        let mut x = BitMatrix::zeros(bits, self.columns);
        for (column, &value) in values.iter().enumerate() {
            let code = self.input.encode(value);
            (0..bits).filter(|bit| code >> bit & 1 == 1).for_each(|bit| x.set(bit, column));
        }
        let rows = self.row_constants.len();
        if self.both_bipolar {
            let differ = |row| {
                let pairs = self.planes[0].row(row).iter().zip(x.row(0));
                pairs.map(|(w, x)| i64::from((w ^ x).count_ones())).sum::<i64>()
            };
            return (0..rows).map(|row| self.columns as i64 - 2 * differ(row)).collect();
        }
        let (input_coefficients, _) = planes(self.input);
        let ones = |bit| x.row(bit).iter().map(|w| i64::from(w.count_ones())).sum::<i64>();
        let input_sum: i64 = (0..bits).map(|bit| input_coefficients[bit] * ones(bit)).sum();
        (0..rows)
            .map(|row| {
                let mut sum = self.row_constants[row] + self.constant * input_sum;
                for (plane, cw) in self.planes.iter().zip(&self.coefficients) {
                    for (bit, cx) in input_coefficients.iter().enumerate() {
                        let pairs = plane.row(row).iter().zip(x.row(bit));
                        let both: i64 = pairs.map(|(w, x)| i64::from((w & x).count_ones())).sum();
                        sum += cw * cx * both;
                    }
                }
                sum
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_of_types_gives_the_plain_sum() {
        let types = [
            ElementType::Bipolar,
            ElementType::Uint(1),
            ElementType::Uint(3),
            ElementType::Int(2),
            ElementType::Int(8),
        ];
        let mut state = 1u64;
        let mut draw = |t: ElementType| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            t.decode(state >> 33)
        };
        for weight in types {
            for input in types {
                let weights = Array2::from_shape_simple_fn((3, 130), || draw(weight));
                let values: Vec<i64> = (0..130).map(|_| draw(input)).collect();
                let plain: Vec<i64> = weights
                    .rows()
                    .into_iter()
                    .map(|row| row.iter().zip(&values).map(|(w, x)| w * x).sum())
                    .collect();
                assert_eq!(
                    Dense::new(&weights, weight, input).accumulate(&values),
                    plain,
                    "{weight} {input}"
                );
            }
        }
    }
}
