//! From the last numbers to classes and to the model's own scores.

use graph::{ClassRule, Elementwise};
use streamline::{OutputSpec, Scores};

/// The indices of all values, best first; ties go to the lowest index.
pub(crate) fn best(values: &[i64], smallest: bool, order: &mut Vec<usize>) {
    order.clear();
    order.extend(0..values.len());
    let key = |i: usize| if smallest { values[i] } else { -values[i] };
    // Ties by index, so that a sort that allocates nothing does.
    order.sort_unstable_by_key(|&i| (key(i), i));
}

/// The class that the network's rule gives.
pub(crate) fn class(output: &OutputSpec, numbers: &[i64]) -> i64 {
    if let [single] = numbers {
        return i64::from(*single > 0);
    }
    match output.class_rule {
        ClassRule::ArgMax => {
            let key = |n: i64| if output.smallest { n } else { -n };
            let best = (0..numbers.len()).min_by_key(|&i| key(numbers[i])).unwrap_or(0);
            if output.scores.tail.iter().all(Elementwise::is_injective) {
                return best as i64;
            }
            // The model's outputs can be equal where the numbers are not: the lowest index wins.
            let scores = scores(&output.scores, numbers);
            let equal = scores.iter().position(|s| *s == scores[best]);
            equal.unwrap_or(best) as i64
        }
        ClassRule::HighestSet => numbers.iter().rposition(|&n| n > 0).unwrap_or(0) as i64,
    }
}

/// The model's outputs in float32.
pub(crate) fn scores(scores: &Scores, numbers: &[i64]) -> Vec<f32> {
    let shape = [1, numbers.len()];
    let tail: Vec<_> = scores.tail.iter().map(|op: &Elementwise| op.bind(&shape)).collect();
    let at = |v: &[f64], e: usize| if v.len() == 1 { v[0] } else { v[e] };
    let start =
        |e: usize, n: i64| (at(&scores.scale, e) * (n as f64 + at(&scores.offset, e))) as f32;
    let mut values: Vec<f32> = numbers
        .iter()
        .enumerate()
        .map(|(e, &n)| tail.iter().fold(start(e, n), |x, op| op.eval(e, x)))
        .collect();
    if scores.softmax {
        let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        values.iter_mut().for_each(|v| *v = (*v - largest).exp());
        let sum: f32 = values.iter().sum();
        values.iter_mut().for_each(|v| *v /= sum);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_the_lowest_index() {
        let mut order = Vec::new();
        best(&[3, 5, 5, 1], false, &mut order);
        assert_eq!(order, [1, 2, 0, 3]);
        best(&[3, 1, 5, 1], true, &mut order);
        assert_eq!(order, [1, 3, 0, 2]);
    }
}
