//! One plain function for each operator that is not elementwise.

use graph::Real;
use ndarray::Array2;
use std::cmp::Ordering;

/// `x W^T` on the last axis, the terms of each sum added one by one from the first.
pub(crate) fn matmul<F: Real>(x: &[F], weights: &Array2<f32>) -> Vec<F> {
    let mut result = Vec::new();
    for vector in x.chunks(weights.ncols()) {
        for row in weights.rows() {
            let mut sum = F::from_f32(0.0);
            for (&x, &w) in vector.iter().zip(row) {
                sum = sum + x * F::from_f32(w);
            }
            result.push(sum);
        }
    }
    result
}

/// Axes permuted: axis `i` of the result is axis `permutation[i]` of `x`.
pub(crate) fn transpose<F: Real>(x: &[F], shape: &[usize], permutation: &[usize]) -> Vec<F> {
    let stride = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let axes: Vec<(usize, usize)> =
        permutation.iter().map(|&axis| (shape[axis], stride(axis))).collect();
    (0..x.len())
        .map(|mut index| {
            let mut from = 0;
            for &(extent, stride) in axes.iter().rev() {
                from += index % extent * stride;
                index /= extent;
            }
            x[from]
        })
        .collect()
}

/// Indices of the `k` best of each group of `last` elements, best first, the lowest index on ties.
pub(crate) fn top_k<F: Real>(x: &[F], last: usize, k: usize, largest: bool) -> Vec<F> {
    let mut result = Vec::new();
    for group in x.chunks(last) {
        let mut order: Vec<usize> = (0..last).collect();
        // A stable sort keeps ties in the order of their indices.
        order.sort_by(|&a, &b| {
            let ordering = group[a].to_f64().total_cmp(&group[b].to_f64());
            let equal = group[a] == group[b];
            match (equal, largest) {
                (true, _) => Ordering::Equal,
                (false, true) => ordering.reverse(),
                (false, false) => ordering,
            }
        });
        result.extend(order[..k].iter().map(|&index| F::from_f64(index as f64)));
    }
    result
}

/// Softmax of each group of `last` elements, or its logarithm.
pub(crate) fn softmax<F: Real>(x: &[F], last: usize, log: bool) -> Vec<F> {
    let mut result = Vec::new();
    for group in x.chunks(last) {
        let greatest = group.iter().fold(group[0], |a, &b| if b > a { b } else { a });
        let shifted: Vec<F> = group.iter().map(|&v| v - greatest).collect();
        let powers: Vec<F> = shifted.iter().map(|v| F::from_f64(v.to_f64().exp())).collect();
        let sum = powers.iter().fold(F::from_f32(0.0), |a, &b| a + b);
        if log {
            let log_sum = F::from_f64(sum.to_f64().ln());
            result.extend(shifted.iter().map(|&v| v - log_sum));
        } else {
            result.extend(powers.iter().map(|&v| v / sum));
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transpose_follows_numpy() {
        let x: Vec<f32> = (0..6u8).map(f32::from).collect();
        assert_eq!(transpose(&x, &[1, 2, 3], &[0, 2, 1]), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    }

    #[test]
    fn ties_go_to_the_lowest_index() {
        let x = [1.0f32, 3.0, -0.0, 3.0, 0.0];
        assert_eq!(top_k(&x, 5, 3, true), [1.0, 3.0, 0.0]);
        assert_eq!(top_k(&x, 5, 2, false), [2.0, 4.0]);
    }

    #[test]
    fn softmax_sums_to_one() {
        let y = softmax(&[1000.0f64, 1001.0, 999.0], 3, false);
        assert!((y.iter().sum::<f64>() - 1.0).abs() < 1e-12 && y[1] > y[0]);
        let log = softmax(&[1000.0f64, 1001.0, 999.0], 3, true);
        assert!((log[1] - y[1].ln()).abs() < 1e-12);
    }
}
