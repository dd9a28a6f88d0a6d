//! The second opinion: every layer in plain 64-bit integers, element by element, as its meaning says.

use streamline::{Conv, LayerOp, Padding, Pool, Streamlined, Thresholds};
use tensor::{Axis, Map, Window};

/// The outputs of every layer, and the accumulators of the linear ones with the model's signs.
pub(crate) fn trace(network: &Streamlined, frame: &[i64]) -> (Vec<Vec<i64>>, Vec<Vec<i64>>) {
    let (mut outputs, mut accumulators) = (Vec::new(), Vec::new());
    let mut values = frame.to_vec();
    for layer in &network.layers {
        let mut sums = Vec::new();
        values = match &layer.op {
            LayerOp::Threshold(t) => levels(t, &values),
            LayerOp::Dense(dense) => {
                let product = |row: ndarray::ArrayView1<'_, i64>| {
                    row.iter().zip(&values).map(|(w, x)| w * x).sum()
                };
                sums = dense.weights.rows().into_iter().map(product).collect();
                dense.thresholds.as_ref().map_or(sums.clone(), |t| levels(t, &sums))
            }
            LayerOp::Conv(c) => {
                sums = convolved(c, &values);
                c.dense.thresholds.as_ref().map_or(sums.clone(), |t| by_class(c, t, &sums))
            }
            LayerOp::Pool(pool) => pooled(pool, &values),
            LayerOp::ChannelAffine(a) => {
                let lines = a.multipliers.iter().zip(&a.addends);
                values.iter().zip(lines).map(|(x, (m, b))| m * x + b).collect()
            }
            LayerOp::LabelSelect { k, smallest } => {
                let mut order: Vec<usize> = (0..values.len()).collect();
                order.sort_by_key(|&i| if *smallest { values[i] } else { -values[i] });
                order[..*k].iter().map(|&i| i as i64).collect()
            }
        };
        if let Some(dense) = layer.dense() {
            for pixel in sums.chunks_mut(dense.weights.nrows()) {
                dense.negated.iter().for_each(|&row| pixel[row] = -pixel[row]);
            }
        }
        accumulators.push(sums);
        outputs.push(values.clone());
    }
    (outputs, accumulators)
}

fn level(t: &Thresholds, row: usize, x: i64) -> i64 {
    let row = t.values.row(row % t.values.nrows());
    t.value(row.iter().filter(|&&threshold| x >= threshold).count() as i64)
}

fn levels(t: &Thresholds, values: &[i64]) -> Vec<i64> {
    values.iter().enumerate().map(|(e, &x)| level(t, e, x)).collect()
}

fn by_class(conv: &Conv, t: &Thresholds, sums: &[i64]) -> Vec<i64> {
    let (borders, rows) = (conv.borders(), conv.dense.weights.nrows());
    let width = borders.columns.len();
    let each = sums.iter().enumerate().map(|(e, &sum)| {
        let (pixel, row) = (e / rows, e % rows);
        let class = borders.class(pixel / width, pixel % width);
        level(t, class * rows + row, sum)
    });
    each.collect()
}

/// The outputs of a window over a map, rows first.
fn places(window: &Window, map: Map) -> Vec<(usize, usize)> {
    let along = |axis, extent| window.outputs(axis, extent).unwrap();
    let (rows, columns) = (along(Axis::Rows, map.height), along(Axis::Columns, map.width));
    (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))).collect()
}

fn convolved(conv: &Conv, values: &[i64]) -> Vec<i64> {
    let (map, window) = (conv.input, conv.window);
    let rows = conv.dense.weights.nrows();
    let mut sums = Vec::new();
    for (y, x) in places(&window, map) {
        for row in 0..rows {
            let group = row * conv.groups / rows;
            let term = |(column, &w): (usize, &i64)| {
                let ([ky, kx], channel) = conv.column(column);
                let channel = group * conv.group_channels() + channel;
                let at_row = window.place(Axis::Rows, y, ky, map.height);
                let at_column = window.place(Axis::Columns, x, kx, map.width);
                let value = match (at_row.zip(at_column), &conv.padding) {
                    (Some((r, c)), _) => values[(r * map.width + c) * map.channels + channel],
                    (None, Padding::Nothing) => 0,
                    (None, Padding::Value(surround)) => {
                        let r = y * window.stride[0] + ky * window.dilation[0];
                        let c = x * window.stride[1] + kx * window.dilation[1];
                        surround.at([r, c], channel)
                    }
                };
                w * value
            };
            sums.push(conv.dense.weights.row(row).iter().enumerate().map(term).sum());
        }
    }
    sums
}

fn pooled(pool: &Pool, values: &[i64]) -> Vec<i64> {
    let Map { height, width, channels } = pool.input;
    let mut outputs = Vec::new();
    for (y, x) in places(&pool.window, pool.input) {
        for channel in 0..channels {
            let taps = (0..pool.window.taps()).filter_map(|tap| {
                let (ky, kx) = (tap / pool.window.kernel[1], tap % pool.window.kernel[1]);
                let row = pool.window.place(Axis::Rows, y, ky, height)?;
                let column = pool.window.place(Axis::Columns, x, kx, width)?;
                Some(values[(row * width + column) * channels + channel])
            });
            outputs.push(if pool.smallest { taps.min() } else { taps.max() }.unwrap());
        }
    }
    outputs
}
