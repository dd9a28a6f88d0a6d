//! Operators on maps `[batch, channels, rows, columns]`, one plain function each.

use graph::{Conv, Pool, PoolKind, Real};
use tensor::{Axis, Map, Window};

/// The map of a shape that the graph's check has passed.
fn map_of(shape: &[usize]) -> Map {
    Map::of_shape(shape).expect("checked: a map")
}

/// The index of an element of a map in row-major order, channels first.
fn index(map: Map, channel: usize, row: usize, column: usize) -> usize {
    (channel * map.height + row) * map.width + column
}

/// The taps of the window at `(y, x)` that are not padding: `(kernel row, kernel column, row, column)`.
fn taps(
    window: &Window,
    map: Map,
    y: usize,
    x: usize,
) -> impl Iterator<Item = (usize, usize, usize, usize)> {
    (0..window.kernel[0]).flat_map(move |ky| {
        (0..window.kernel[1]).filter_map(move |kx| {
            let row = window.place(Axis::Rows, y, ky, map.height)?;
            let column = window.place(Axis::Columns, x, kx, map.width)?;
            Some((ky, kx, row, column))
        })
    })
}

/// The windows over the map, channel by channel of the output, row by row.
fn windows(output: Map) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..output.channels).flat_map(move |channel| {
        (0..output.height).flat_map(move |y| (0..output.width).map(move |x| (channel, y, x)))
    })
}

/// Cross-correlation; the terms of each sum are added channel by channel, row by row.
pub(crate) fn conv<F: Real>(input: &[F], shape: &[usize], conv: &Conv) -> Vec<F> {
    let map = map_of(shape);
    let (outputs, _) = conv.weights.values.dim();
    let group_channels = map.channels / conv.groups;
    let taps_of_kernel = conv.window.taps();
    let output = conv.window.over(map, outputs).expect("checked: a window fits");
    windows(output)
        .map(|(o, y, x)| {
            let first = o * conv.groups / outputs * group_channels;
            let mut sum = F::from_f32(0.0);
            for c in 0..group_channels {
                for (ky, kx, row, column) in taps(&conv.window, map, y, x) {
                    let tap = c * taps_of_kernel + ky * conv.window.kernel[1] + kx;
                    let weight = F::from_f32(conv.weights.values[[o, tap]]);
                    sum = sum + input[index(map, first + c, row, column)] * weight;
                }
            }
            sum
        })
        .collect()
}

/// Pooling.
pub(crate) fn pool<F: Real>(input: &[F], shape: &[usize], pool: &Pool) -> Vec<F> {
    let map = map_of(shape);
    let output = pool.window.over(map, map.channels).expect("checked: a window fits");
    windows(output)
        .map(|(channel, y, x)| {
            let inside: Vec<F> = taps(&pool.window, map, y, x)
                .map(|(_, _, row, column)| input[index(map, channel, row, column)])
                .collect();
            let sum = || inside.iter().fold(F::from_f32(0.0), |sum, &v| sum + v);
            match pool.kind {
                PoolKind::Max => inside
                    .iter()
                    .copied()
                    .reduce(|a, b| if b > a { b } else { a })
                    .unwrap_or(F::from_f32(f32::NEG_INFINITY)),
                PoolKind::Average => sum() / F::from_f64(pool.window.taps() as f64),
                PoolKind::AverageInside => sum() / F::from_f64(inside.len() as f64),
            }
        })
        .collect()
}

/// A constant around a map.
pub(crate) fn pad<F: Real>(
    input: &[F],
    shape: &[usize],
    before: [usize; 2],
    after: [usize; 2],
    value: f32,
) -> Vec<F> {
    let map = map_of(shape);
    let window = Window { before, after, ..Window::of([1, 1]) };
    let output = window.over(map, map.channels).expect("checked: padding only grows a map");
    windows(output)
        .map(|(channel, y, x)| match taps(&window, map, y, x).next() {
            Some((_, _, row, column)) => input[index(map, channel, row, column)],
            None => F::from_f32(value),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use graph::Weights;
    use ndarray::array;

    #[test]
    fn a_padded_convolution_of_two_groups() {
        let x: Vec<f32> = (1..=8u8).map(f32::from).collect();
        let window = Window { before: [0, 1], after: [0, 0], ..Window::of([1, 2]) };
        let values = array![[1.0f32, 10.0], [1.0, -1.0]];
        let weights = Weights { values, quantized: None };
        let y = conv(&x, &[1, 2, 2, 2], &Conv { weights, window, groups: 2 });
        assert_eq!(y, [10.0, 21.0, 30.0, 43.0, -5.0, -1.0, -7.0, -1.0]);
    }

    #[test]
    fn averages_with_and_without_padding() {
        let window = Window { before: [1, 0], ..Window::of([2, 1]) };
        let x = [2.0f32, 4.0];
        let of = |kind| pool(&x, &[1, 1, 2, 1], &Pool { kind, window });
        assert_eq!(of(PoolKind::Max), [2.0, 4.0]);
        assert_eq!(of(PoolKind::Average), [1.0, 3.0]);
        assert_eq!(of(PoolKind::AverageInside), [2.0, 3.0]);
        assert_eq!(pad(&x, &[1, 1, 2], [1, 0], [0, 0], 7.0), [7.0, 2.0, 4.0]);
    }
}
