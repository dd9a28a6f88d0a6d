//! The largest (or smallest) element of each channel in windows.

use crate::layout::{Form, Layout, Store};
use streamline::Pool;
use tensor::{Axis, ElementType};

/// A pool made ready.
#[derive(Debug, Clone)]
pub(crate) struct Pooling {
    input: Layout,
    smallest: bool,
    /// The pixels of each window, one after another: those that exist.
    pixels: Vec<u32>,
    /// Where those of each window end.
    ends: Vec<u32>,
}

impl Pooling {
    pub(crate) fn new(pool: &Pool, input: Layout) -> Self {
        let [height, width] = pool.input.extents();
        let along = |axis, extent| pool.window.outputs(axis, extent).unwrap_or(0);
        let (mut pixels, mut ends) = (Vec::new(), Vec::new());
        for y in 0..along(Axis::Rows, height) {
            for x in 0..along(Axis::Columns, width) {
                for ky in 0..pool.window.kernel[0] {
                    for kx in 0..pool.window.kernel[1] {
                        let row = pool.window.place(Axis::Rows, y, ky, height);
                        let column = pool.window.place(Axis::Columns, x, kx, width);
                        let Some((row, column)) = row.zip(column) else { continue };
                        pixels.push((row * width + column) as u32);
                    }
                }
                ends.push(pixels.len() as u32);
            }
        }
        Self { input, smallest: pool.smallest, pixels, ends }
    }

    /// Runs a frame.
    pub(crate) fn run(&self, input: &Store, output: &mut Store) {
        let channels = self.input.map.channels;
        match (input, output) {
            (Store::Bits(from), Store::Bits(to)) => self.planes(from, to),
            (Store::Bytes(from), Store::Bytes(to)) => self.numbers(channels, from, to),
            (Store::Ints(from), Store::Ints(to)) => self.numbers(channels, from, to),
            (Store::Wide(from), Store::Wide(to)) => self.numbers(channels, from, to),
            _ => unreachable!("a pool keeps the form"),
        }
    }

    /// The pixels of each window.
    fn windows(&self) -> impl Iterator<Item = &[u32]> {
        let mut first = 0;
        self.ends.iter().map(move |&end| {
            let pixels = &self.pixels[first as usize..end as usize];
            first = end;
            assert!(!pixels.is_empty(), "no window lies in the padding");
            pixels
        })
    }

    fn numbers<T: Ord + Copy>(&self, channels: usize, from: &[T], to: &mut [T]) {
        for (pixels, to) in self.windows().zip(to.chunks_mut(channels)) {
            let pixel = |at: u32| &from[at as usize * channels..][..channels];
            to.copy_from_slice(pixel(pixels[0]));
            for &at in &pixels[1..] {
                for (best, &x) in to.iter_mut().zip(pixel(at)) {
                    *best = if self.smallest { x.min(*best) } else { x.max(*best) };
                }
            }
        }
    }

    /// 64 channels at a time: codes are compared plane by plane, the highest first.
    fn planes(&self, from: &[u64], to: &mut [u64]) {
        debug_assert_eq!(self.input.form, Form::Bits);
        let (unit, planes) = (self.input.pixel_words(), self.input.planes());
        let (from_plane, to_plane) = (self.input.plane_words(), self.ends.len() * unit);
        if planes == 1 && self.input.element != ElementType::Int(1) {
            for (pixels, to) in self.windows().zip(to.chunks_mut(unit)) {
                for (word, best) in to.iter_mut().enumerate() {
                    let words = pixels.iter().map(|&at| from[at as usize * unit + word]);
                    *best = if self.smallest {
                        words.fold(u64::MAX, |all, x| all & x)
                    } else {
                        words.fold(0, |all, x| all | x)
                    };
                }
            }
            return;
        }
        for (window, pixels) in self.windows().enumerate() {
            for word in 0..unit {
                let place = |plane: usize| plane * to_plane + window * unit + word;
                let bits = |at: u32, plane| from[plane * from_plane + at as usize * unit + word];
                for plane in 0..planes {
                    to[place(plane)] = bits(pixels[0], plane);
                }
                for &at in &pixels[1..] {
                    let (mut better, mut equal) = (0, u64::MAX);
                    for plane in (0..planes).rev() {
                        let (x, best) = (bits(at, plane), to[place(plane)]);
                        // The sign counts the other way.
                        let sign = plane + 1 == planes && self.input.element.is_signed();
                        let higher = if sign != self.smallest { best & !x } else { x & !best };
                        better |= equal & higher;
                        equal &= !(x ^ best);
                    }
                    for plane in 0..planes {
                        let best = to[place(plane)];
                        to[place(plane)] = bits(at, plane) & better | best & !better;
                    }
                }
            }
        }
    }
}
