//! A matrix over windows of a map: the sums in the arithmetic that suits the numbers, then
//! thresholds.

use crate::finish::{Finish, Pixel};
use crate::kernel::{BitJob, BitRows, ByteJob, ByteRows, Decisions, Kernel, Lines, Places};
use crate::layout::{Form, Layout, Store};
use crate::plain::Plain;
use crate::tails::Tails;
use crate::weights::{constants, planes};
use crate::windows::Windows;
use std::ops::Range;
use streamline::{Conv, Dense};
use tensor::ElementType;

/// A linear layer made ready.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    kernel: Kernel,
    rows: usize,
    windows: Windows,
    /// Windows that are summed up before they are put out.
    together: usize,
    /// From the sums of one window to those of the next.
    stride: usize,
    sums: Sums,
    finish: Finish,
    /// Limits for a kernel that compares sums before it writes them, where that is all.
    limits: Option<Vec<i32>>,
    /// Rows whose accumulator the model has with the other sign.
    negated: Vec<usize>,
}

/// How the sums are computed.
#[derive(Debug, Clone)]
enum Sums {
    /// Pairs of planes, by counting ones.
    Bits { places: Places, differences: bool, weights: Vec<BitRows>, pairs: Vec<Pair> },
    /// Products of bytes.
    Bytes { places: Places, rows: ByteRows, tails: Option<Tails> },
    /// Products of 32-bit integers.
    Ints(Plain<i32>),
    /// Products of 64-bit integers.
    Wide(Plain<i64>),
}

/// A plane of weights that meets a plane of the map.
#[derive(Debug, Clone)]
struct Pair {
    /// Which weights.
    weights: usize,
    /// The first word of the plane (and of the group of channels) in the map.
    first_word: usize,
    /// The first row of the group.
    first_row: usize,
    factor: i32,
    /// Whether it is the first of its rows.
    first: bool,
}

/// Memory that a linear layer needs while it runs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    padded: Option<Store>,
    tails: Option<Store>,
    sums: Lines,
    wide: Vec<i64>,
    pixel: Pixel,
}

/// Sums of that many bytes stay in the first-level cache.
const SUMS_BYTES: usize = 16 << 10;

impl Linear {
    /// A matrix times the whole frame.
    pub(crate) fn dense(kernel: Kernel, dense: &Dense, input: Layout, output: Layout) -> Self {
        Self::new(kernel, dense, 1, Windows::whole(input), None, output)
    }

    /// A convolution.
    pub(crate) fn conv(kernel: Kernel, conv: &Conv, input: Layout, output: Layout) -> Self {
        let windows = Windows::of(conv, input);
        Self::new(kernel, &conv.dense, conv.groups, windows, Some(conv), output)
    }

    fn new(
        kernel: Kernel,
        dense: &Dense,
        groups: usize,
        windows: Windows,
        conv: Option<&Conv>,
        output: Layout,
    ) -> Self {
        let rows = dense.weights.nrows();
        let padded = windows.padded;
        let sums = match padded.form {
            Form::Bits => bits(kernel, dense, groups, &windows),
            Form::Bytes => bytes(kernel, dense, &windows),
            Form::Ints => Sums::Ints(Plain::new(dense, groups, &windows)),
            Form::Wide => Sums::Wide(Plain::new(dense, groups, &windows)),
        };
        let constants = constants(dense, padded, conv);
        let wide = padded.form == Form::Wide;
        let finish = Finish::new(output, rows, constants, dense.thresholds.as_ref(), wide);
        // The last block of a group reaches into the rows of the next, which come later.
        let stride = (rows + kernel.block() - 1).next_multiple_of(16);
        let together = (SUMS_BYTES / 4 / stride).clamp(4, 64).min(windows.count());
        let negated = dense.negated.clone();
        let padded = rows.next_multiple_of(kernel.block());
        let factor = match &sums {
            // More ones, smaller sums.
            Sums::Bits { differences: true, pairs, .. } if pairs.len() == 1 => {
                Some(pairs[0].factor).filter(|&factor| factor < 0)
            }
            Sums::Bytes { .. } => Some(1),
            Sums::Bits { .. } | Sums::Ints(_) | Sums::Wide(_) => None,
        };
        let factor = factor.filter(|_| kernel.decides());
        let limits = factor.and_then(|factor| finish.limits(factor, padded));
        Self { kernel, rows, windows, together, stride, sums, finish, limits, negated }
    }

    /// Memory to run in.
    pub(crate) fn memory(&self) -> Memory {
        let (narrow, wide) = match self.sums {
            Sums::Bits { .. } | Sums::Bytes { .. } | Sums::Ints(_) => (self.stride, 0),
            Sums::Wide(_) => (0, self.rows),
        };
        let tails = match &self.sums {
            Sums::Bytes { tails: Some(tails), .. } => Some(tails.store()),
            _ => None,
        };
        Memory {
            tails,
            padded: self.windows.margin.as_ref().map(|margin| margin.store()),
            sums: Lines::zeros(4 * narrow * self.together),
            wide: vec![0; wide],
            pixel: Pixel::default(),
        }
    }

    /// Runs a frame; appends the accumulators, with the model's signs, where they are wanted.
    pub(crate) fn run(
        &self,
        input: &Store,
        memory: &mut Memory,
        output: &mut Store,
        mut accumulators: Option<&mut Vec<i64>>,
    ) {
        let Memory { padded, tails, sums, wide, pixel } = memory;
        let map = match (&self.windows.margin, padded) {
            (Some(margin), Some(padded)) => {
                margin.fill(input, padded);
                &*padded
            }
            _ => input,
        };
        let map = match (&self.sums, tails) {
            (Sums::Bytes { tails: Some(tails), .. }, Some(both)) => {
                tails.fill(map, both);
                &*both
            }
            _ => map,
        };
        let count = self.windows.count();
        if let (Some(limits), None, Store::Bits(words)) =
            (&self.limits, &accumulators, &mut *output)
        {
            let classes = self.windows.classes(0..count);
            self.decide(map, &Decisions { limits, classes }, words);
            return;
        }
        if let Sums::Wide(plain) = &self.sums {
            for window in 0..count {
                plain.sum_up(map, window, wide);
                let class = class(self.windows.classes(window..window + 1), 0);
                self.finish.wide_pixel((window, class), wide, pixel, output);
                if let Some(kept) = &mut accumulators {
                    self.keep(class, wide.iter().copied(), kept);
                }
            }
            return;
        }
        let mut first = 0;
        while first < count {
            let windows = first..count.min(first + self.together);
            first = windows.end;
            self.sum_up(map, windows.clone(), sums.ints_mut());
            let classes = self.windows.classes(windows.clone());
            let (sums, stride) = (sums.ints(), self.stride);
            let which = (windows.clone(), classes);
            self.finish.pixels(self.kernel, which, (sums, stride), pixel, output);
            if let Some(kept) = &mut accumulators {
                for (at, sums) in sums.chunks(stride).take(windows.len()).enumerate() {
                    let sums = sums[..self.rows].iter().map(|&sum| i64::from(sum));
                    self.keep(class(classes, at), sums, kept);
                }
            }
        }
    }

    /// Sums and comparisons of all windows at once.
    fn decide(&self, map: &Store, decisions: &Decisions<'_>, words: &mut [u64]) {
        let windows = 0..self.windows.count();
        match (&self.sums, map) {
            (Sums::Bits { places, differences, weights, pairs }, Store::Bits(map)) => {
                let job = BitJob {
                    rows: &weights[pairs[0].weights],
                    differences: *differences,
                    map,
                    places,
                    windows,
                    factor: pairs[0].factor,
                    first: true,
                    stride: self.stride,
                };
                self.kernel.count_and_decide(&job, decisions, words);
            }
            (Sums::Bytes { places, rows, .. }, Store::Bytes(map)) => {
                let stride = self.stride;
                let job = ByteJob { rows, map, places, windows, stride };
                self.kernel.multiply_and_decide(&job, decisions, words);
            }
            _ => unreachable!("there are limits for these two"),
        }
    }

    /// The sums of some windows.
    fn sum_up(&self, map: &Store, windows: Range<usize>, sums: &mut [i32]) {
        let stride = self.stride;
        match (&self.sums, map) {
            (Sums::Bits { places, differences, weights, pairs }, Store::Bits(map)) => {
                for pair in pairs {
                    let job = BitJob {
                        rows: &weights[pair.weights],
                        differences: *differences,
                        map: &map[pair.first_word..],
                        places,
                        windows: windows.clone(),
                        factor: pair.factor,
                        first: pair.first,
                        stride,
                    };
                    self.kernel.count(&job, &mut sums[pair.first_row..]);
                }
            }
            (Sums::Bytes { places, rows, .. }, Store::Bytes(map)) => {
                self.kernel.multiply(&ByteJob { rows, map, places, windows, stride }, sums);
            }
            (Sums::Ints(plain), map) => {
                for (window, sums) in windows.zip(sums.chunks_mut(stride)) {
                    plain.sum_up(self.kernel, map, window, &mut sums[..self.rows]);
                }
            }
            _ => unreachable!("the map has the form that the sums were made for"),
        }
    }

    fn keep(&self, class: usize, sums: impl Iterator<Item = i64>, kept: &mut Vec<i64>) {
        let first = kept.len();
        let accumulators = sums.enumerate();
        kept.extend(accumulators.map(|(row, sum)| self.finish.accumulator(class, row, sum)));
        for &row in &self.negated {
            kept[first + row] = -kept[first + row];
        }
    }
}

fn class(classes: &[u32], at: usize) -> usize {
    classes.get(at).map_or(0, |&class| class as usize)
}

fn bits(kernel: Kernel, dense: &Dense, groups: usize, windows: &Windows) -> Sums {
    let padded = windows.padded;
    let group_channels = padded.map.channels / groups;
    let (pixel_words, group_words) = (padded.pixel_words(), group_channels.div_ceil(64));
    let rows = dense.weights.nrows() / groups;
    let offsets: Vec<u32> = windows
        .taps()
        .flat_map(|tap| (0..group_words).map(move |word| (tap * pixel_words + word) as u32))
        .collect();
    let differences = dense.weight == ElementType::Bipolar;
    let (mut packed, mut pairs) = (Vec::new(), Vec::new());
    for group in 0..groups {
        for weight_plane in 0..dense.weight.bits() {
            let word = |row: usize, at: usize| {
                let (tap, word) = (at / group_words, at % group_words);
                let channels = 64 * word..group_channels.min(64 * (word + 1));
                channels.enumerate().fold(0, |bits, (bit, channel)| {
                    let column = tap * group_channels + channel;
                    let weight = dense.weights[[group * rows + row, column]];
                    bits | (dense.weight.encode(weight) >> weight_plane & 1) << bit
                })
            };
            packed.push(BitRows::new(kernel, rows, offsets.len(), word));
            for (plane, factor) in planes(padded.element).into_iter().enumerate() {
                let weight_factor = planes(dense.weight)[weight_plane as usize];
                let factor = if differences { -factor } else { weight_factor * factor };
                pairs.push(Pair {
                    weights: packed.len() - 1,
                    first_word: plane * padded.plane_words() + group * group_words,
                    first_row: group * rows,
                    factor: factor as i32,
                    first: weight_plane == 0 && plane == 0,
                });
            }
        }
    }
    let places = Places::new(windows.starts(pixel_words), offsets);
    Sums::Bits { places, differences, weights: packed, pairs }
}

fn bytes(kernel: Kernel, dense: &Dense, windows: &Windows) -> Sums {
    let channels = windows.padded.map.channels;
    let taps: Vec<usize> = windows.taps().collect();
    let (runs, tails) = (windows.runs(), Tails::new(windows));
    // Fours of each run; the last one of a run may reach beyond it, where the weights are zero.
    let (mut offsets, mut columns) = (Vec::new(), Vec::new());
    let tail = tails.as_ref().map_or(0, |tails| tails.length);
    for &(first, count) in &runs {
        let length = count * channels - tail;
        for at in (0..length).step_by(4) {
            offsets.push((taps[first] * channels + at) as u32);
            columns.extend((at..at + 4).map(|at| (at < length).then_some(first * channels + at)));
        }
    }
    if let Some(tails) = &tails {
        for runs in runs.chunks(tails.together) {
            offsets.push((tails.first + taps[runs[0].0] * channels) as u32);
            columns.extend((0..4).map(|at| {
                let &(first, count) = runs.get(at / tail)?;
                Some((first + count) * channels - tail + at % tail)
            }));
        }
    }
    let weight = |row: usize, at: usize| columns[at].map_or(0, |c| dense.weights[[row, c]] as i8);
    let rows = ByteRows::new(kernel, dense.weights.nrows(), offsets.len(), weight);
    Sums::Bytes { places: Places::new(windows.starts(channels), offsets), rows, tails }
}
