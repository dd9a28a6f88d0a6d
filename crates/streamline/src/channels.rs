//! Channels in another order than the model's: shuffles move none.
//!
//! A permutation of channels is only noted. The next convolution takes its columns in the order in
//! which channels come; depthwise convolutions and pools hand the order on.

use crate::lower::{Walk, refuse};
use diagnostic::Result;
use graph::{Node, QuantizedWeights};
use ndarray::Array2;
use tensor::Map;

/// A map as it comes in the stream.
#[derive(Debug, Clone)]
pub(crate) struct Arrangement {
    pub(crate) map: Map,
    /// For each channel of the stream the channel of the model.
    pub(crate) channels: Vec<usize>,
}

impl Arrangement {
    /// The same channels on another map.
    pub(crate) fn over(self, map: Map) -> Self {
        Self { map, ..self }
    }

    /// For each element in stream order its index in the model, where whole channels follow each
    /// other.
    pub(crate) fn order(&self) -> Vec<usize> {
        let pixels = self.map.pixels();
        let pixel = |p| self.channels.iter().map(move |&c| c * pixels + p);
        (0..pixels).flat_map(pixel).collect()
    }
}

impl Walk<'_> {
    /// The map that reaches an operator with rows and columns.
    pub(crate) fn map_in_order(&self, node: &Node, shape: &[usize]) -> Result<Arrangement> {
        let map = Map::of_shape(shape).filter(|map| map.elements() == self.order.len());
        let arrangement = map.map(|map| {
            let first = self.order.iter().take(map.channels);
            Arrangement { map, channels: first.map(|&place| place / map.pixels()).collect() }
        });
        arrangement.filter(|a| *self.order == a.order()).ok_or_else(|| {
            refuse(node, "the map's elements were put into another order on the way")
                .hint("keep rows, columns and channels together between layers")
        })
    }
}

/// The kernels of a convolution for channels as they come.
pub(crate) struct Kernels {
    /// Rows as they go out; columns tap by tap, each with the channels of a group as they come in.
    pub(crate) weights: QuantizedWeights,
    pub(crate) groups: usize,
    /// For each row the output channel of the model.
    pub(crate) rows: Vec<usize>,
}

impl Kernels {
    /// Arranges kernels that have whole channels one after another, `taps` weights each.
    ///
    /// Groups stay groups when each of their channels come together, and then go out in the order in
    /// which they come. Else the matrix spans all channels, with zeros between the groups.
    pub(crate) fn arrange(
        model: &QuantizedWeights,
        groups: usize,
        taps: usize,
        channels: &[usize],
    ) -> Self {
        let rows = model.integers.nrows();
        let (size, share) = (channels.len() / groups, rows / groups);
        let blocks: Option<Vec<usize>> = channels
            .chunks(size)
            .map(|block| {
                let group = block[0] / size;
                block.iter().all(|channel| channel / size == group).then_some(group)
            })
            .collect();
        let weight = |row: usize, channel: usize, tap: usize| {
            let inside = channel / size == row / share;
            if inside { model.integers[[row, channel % size * taps + tap]] } else { 0 }
        };
        let (groups, order): (usize, Vec<usize>) = match blocks {
            None => (1, (0..rows).collect()),
            Some(blocks) => {
                let rows = blocks.iter().flat_map(|group| group * share..(group + 1) * share);
                (groups, rows.collect())
            }
        };
        let size = channels.len() / groups;
        let integers = Array2::from_shape_fn((rows, taps * size), |(row, column)| {
            let first = row * groups / rows * size;
            weight(order[row], channels[first + column % size], column / size)
        });
        let scale = match model.scale.as_slice() {
            [one] => vec![*one],
            each => order.iter().map(|&row| each[row]).collect(),
        };
        Self { weights: QuantizedWeights { integers, scale }, groups, rows: order }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn arranged(groups: usize, channels: &[usize]) -> (Array2<i64>, usize, Vec<usize>) {
        let integers =
            if groups == 1 { array![[1, 2, 3, 4], [5, 6, 7, 8]] } else { array![[1, 2], [5, 6]] };
        let model = QuantizedWeights { integers, scale: vec![1.0] };
        let kernels = Kernels::arrange(&model, groups, 1, channels);
        (kernels.weights.integers, kernels.groups, kernels.rows)
    }

    #[test]
    fn columns_follow_the_channels() {
        let (weights, _, rows) = arranged(1, &[0, 2, 1, 3]);
        assert_eq!((weights, rows), (array![[1, 3, 2, 4], [5, 7, 6, 8]], vec![0, 1]));
    }

    #[test]
    fn groups_that_stay_together_go_out_as_they_come() {
        let (weights, groups, rows) = arranged(2, &[3, 2, 0, 1]);
        assert_eq!((weights, groups, rows), (array![[6, 5], [1, 2]], 2, vec![1, 0]));
    }

    #[test]
    fn groups_that_are_scattered_become_one() {
        let (weights, groups, rows) = arranged(2, &[0, 2, 1, 3]);
        let expected = array![[1, 0, 2, 0], [0, 5, 0, 6]];
        assert_eq!((weights, groups, rows), (expected, 1, vec![0, 1]));
    }
}
