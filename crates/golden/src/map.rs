//! Convolution and pooling on maps of integers, pixels row by row.

use crate::dense::Dense;
use crate::threshold::levels_of;
use ndarray::s;
use streamline::{Borders, Conv, Padding, Pool};
use tensor::{Axis, ElementType, Map, Window};

/// The matrix of a convolution, packed: one for each group.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    groups: Vec<Dense>,
    borders: Borders,
}

impl Windows {
    pub(crate) fn new(conv: &Conv, input: ElementType) -> Self {
        // A bipolar map with nothing around it has three values: 0 stands for nothing.
        let with_nothing = conv.padding == Padding::Nothing && conv.window.is_padded();
        let input = match input {
            ElementType::Bipolar if with_nothing => ElementType::Int(2),
            ElementType::Uint(_)
            | ElementType::Int(_)
            | ElementType::Fixed { .. }
            | ElementType::Bipolar => input,
        };
        let rows = conv.dense.weights.nrows() / conv.groups;
        let groups = (0..conv.groups)
            .map(|g| {
                let weights = conv.dense.weights.slice(s![g * rows..(g + 1) * rows, ..]).to_owned();
                Dense::new(&weights, conv.dense.weight, input)
            })
            .collect();
        Self { groups, borders: conv.borders() }
    }

    /// The sums and the outputs of a frame.
    pub(crate) fn run(&self, conv: &Conv, values: &[i64]) -> (Vec<i64>, Vec<i64>) {
        let (mut sums, mut outputs) = (Vec::new(), Vec::new());
        let rows = conv.dense.weights.nrows();
        let channels = conv.group_channels();
        for y in 0..self.borders.rows.len() {
            for x in 0..self.borders.columns.len() {
                let mut pixel = Vec::with_capacity(rows);
                for (g, packed) in self.groups.iter().enumerate() {
                    let first = g * channels;
                    let patch = patch(conv, values, [y, x], first..first + channels);
                    pixel.extend(packed.accumulate(&patch));
                }
                match &conv.dense.thresholds {
                    None => outputs.extend(&pixel),
                    Some(t) => {
                        let class = self.borders.class(y, x);
                        outputs.extend(levels_of(t, class * rows..(class + 1) * rows, &pixel));
                    }
                }
                sums.extend(pixel);
            }
        }
        (sums, outputs)
    }
}

/// The elements under a window, tap by tap; padding as the convolution has it, nothing as 0.
fn patch(
    conv: &Conv,
    values: &[i64],
    [y, x]: [usize; 2],
    channels: std::ops::Range<usize>,
) -> Vec<i64> {
    let Map { height, width, channels: all } = conv.input;
    let around = |place: [usize; 2], channel: usize| match &conv.padding {
        Padding::Nothing => 0,
        Padding::Value(surround) => surround.at(place, channel),
    };
    let Window { stride, dilation, .. } = conv.window;
    let mut patch = Vec::with_capacity(conv.window.taps() * channels.len());
    for ky in 0..conv.window.kernel[0] {
        let row = conv.window.place(Axis::Rows, y, ky, height);
        for kx in 0..conv.window.kernel[1] {
            let column = conv.window.place(Axis::Columns, x, kx, width);
            match row.zip(column) {
                Some((row, column)) => {
                    let pixel = &values[(row * width + column) * all..][..all];
                    patch.extend_from_slice(&pixel[channels.clone()]);
                }
                None => {
                    let row = y * stride[0] + ky * dilation[0];
                    let place = [row, x * stride[1] + kx * dilation[1]];
                    patch.extend(channels.clone().map(|c| around(place, c)));
                }
            }
        }
    }
    patch
}

/// The largest (or smallest) element of each channel in each window.
pub(crate) fn pooled(pool: &Pool, values: &[i64]) -> Vec<i64> {
    let Map { height, width, channels } = pool.input;
    let along = |axis, extent| pool.window.outputs(axis, extent).unwrap_or(0);
    let mut outputs = Vec::new();
    for y in 0..along(Axis::Rows, height) {
        for x in 0..along(Axis::Columns, width) {
            let mut best: Vec<Option<i64>> = vec![None; channels];
            for ky in 0..pool.window.kernel[0] {
                for kx in 0..pool.window.kernel[1] {
                    let row = pool.window.place(Axis::Rows, y, ky, height);
                    let column = pool.window.place(Axis::Columns, x, kx, width);
                    let Some((row, column)) = row.zip(column) else { continue };
                    let pixel = &values[(row * width + column) * channels..][..channels];
                    for (best, &v) in best.iter_mut().zip(pixel) {
                        let better = |b: i64| if pool.smallest { b.min(v) } else { b.max(v) };
                        *best = Some(best.map_or(v, better));
                    }
                }
            }
            outputs.extend(best.into_iter().map(|b| b.expect("no window lies in the padding")));
        }
    }
    outputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use tensor::Surround;

    #[test]
    fn nothing_around_a_bipolar_map_counts_nothing() {
        let window = Window { before: [0, 1], after: [0, 1], ..Window::of([1, 3]) };
        let dense = streamline::Dense {
            weights: array![[1, 1, -1]],
            negated: Vec::new(),
            weight: ElementType::Bipolar,
            accumulator: (-3, 3),
            thresholds: None,
        };
        let input = Map { height: 1, width: 3, channels: 1 };
        let conv = Conv { input, window, groups: 1, padding: Padding::Nothing, dense };
        let run = |conv: &Conv| Windows::new(conv, ElementType::Bipolar).run(conv, &[1, -1, -1]).0;
        assert_eq!(run(&conv), [2, 1, -2]);
        let around = |surround| Conv { padding: Padding::Value(surround), ..conv.clone() };
        assert_eq!(run(&around(Surround::of(vec![-1]))), [1, 1, -1]);
        // Places 0 and 4 of the padded row are even.
        assert_eq!(run(&around(Surround::checkered(vec![1], vec![-1]))), [3, 1, -3]);
    }

    #[test]
    fn padding_never_wins_a_pool() {
        let window = Window { before: [1, 0], stride: [2, 1], ..Window::of([2, 1]) };
        let input = Map { height: 3, width: 1, channels: 2 };
        let pool = Pool { input, window, smallest: false };
        assert_eq!(pooled(&pool, &[-3, 1, -2, 0, -5, 2]), [-3, 1, -2, 2]);
    }
}
