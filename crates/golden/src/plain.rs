//! Sums of products of whole integers: for groups of few channels, and for numbers that are too wide
//! for anything else.

use crate::kernel::Kernel;
use crate::layout::Store;
use crate::windows::Windows;
use streamline::Dense;

/// A matrix of whole integers.
#[derive(Debug, Clone)]
pub(crate) struct Plain<T> {
    /// The first element of each window.
    starts: Vec<u32>,
    /// The first channel of each tap, from the first element.
    taps: Vec<u32>,
    groups: usize,
    group_channels: usize,
    group_rows: usize,
    /// For each tap, for each channel of a group (or, channel by channel, for all at once) the weights
    /// of all rows that read it.
    weights: Vec<T>,
}

impl<T: TryFrom<i64> + Copy> Plain<T> {
    pub(crate) fn new(dense: &Dense, groups: usize, windows: &Windows) -> Self {
        let channels = windows.padded.map.channels;
        let (rows, columns) = dense.weights.dim();
        let narrow = |w: i64| T::try_from(w).unwrap_or_else(|_| unreachable!("the form holds it"));
        // Column by column, all rows together.
        let by_column = (0..columns).flat_map(|c| (0..rows).map(move |r| (r, c)));
        Self {
            starts: windows.starts(channels),
            taps: windows.taps().map(|tap| (tap * channels) as u32).collect(),
            groups,
            group_channels: channels / groups,
            group_rows: rows / groups,
            weights: by_column.map(|at| narrow(dense.weights[at])).collect(),
        }
    }

    /// Calls back with the weights of some rows, the first of them, and the values that they meet:
    /// one for each, or one for all.
    fn each<'a>(
        &'a self,
        map: &'a [T],
        window: usize,
        mut each: impl FnMut(&'a [T], usize, &'a [T]),
    ) {
        let rows = self.groups * self.group_rows;
        let mut weights = self.weights.chunks(rows);
        for &tap in &self.taps {
            let pixel = &map[(self.starts[window] + tap) as usize..];
            for channel in 0..self.group_channels {
                let weights = weights.next().expect("a column for each channel of each tap");
                if self.group_channels == 1 && self.group_rows == 1 {
                    each(weights, 0, &pixel[..self.groups]);
                    continue;
                }
                for (group, weights) in weights.chunks(self.group_rows).enumerate() {
                    let at = group * self.group_channels + channel;
                    each(weights, group * self.group_rows, &pixel[at..=at]);
                }
            }
        }
    }
}

impl Plain<i32> {
    /// The sums of a window.
    pub(crate) fn sum_up(&self, kernel: Kernel, map: &Store, window: usize, sums: &mut [i32]) {
        let Store::Ints(map) = map else { unreachable!("made for integers") };
        sums.fill(0);
        self.each(map, window, |weights, first, values| {
            kernel.accumulate(weights, values, &mut sums[first..][..weights.len()]);
        });
    }
}

impl Plain<i64> {
    /// The sums of a window.
    pub(crate) fn sum_up(&self, map: &Store, window: usize, sums: &mut [i64]) {
        let Store::Wide(map) = map else { unreachable!("made for wide integers") };
        sums.fill(0);
        self.each(map, window, |weights, first, values| {
            let values = values.iter().cycle();
            for ((sum, w), x) in sums[first..].iter_mut().zip(weights).zip(values) {
                *sum += w * x;
            }
        });
    }
}
