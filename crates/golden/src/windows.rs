//! Where the windows of a linear layer lie in a map, and the map with its padding around it.

use crate::layout::{Form, Layout, Store};
use std::ops::Range;
use streamline::{Conv, Padding};
use tensor::{ElementType, Map, Window};

/// The windows of a layer over the map that it reads. A matrix times a whole frame is a single window.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    /// The map as the windows see it: with its padding.
    pub(crate) padded: Layout,
    kernel: [usize; 2],
    dilation: [usize; 2],
    /// The first pixel of each window, in the padded map.
    places: Vec<usize>,
    /// The border class of each window; empty if there is a single class.
    classes: Vec<u32>,
    /// The padding, if any.
    pub(crate) margin: Option<Margin>,
}

impl Windows {
    /// The single window of a matrix.
    pub(crate) fn whole(input: Layout) -> Self {
        Self {
            padded: input,
            kernel: input.map.extents(),
            dilation: [1, 1],
            places: vec![0],
            classes: Vec::new(),
            margin: None,
        }
    }

    /// The windows of a convolution.
    pub(crate) fn of(conv: &Conv, input: Layout) -> Self {
        let Window { kernel, stride, dilation, .. } = conv.window;
        let margin = conv.window.is_padded().then(|| Margin::new(conv, input));
        let padded = margin.as_ref().map_or(input, |margin| margin.padded);
        let borders = conv.borders();
        let outputs = || {
            let columns = 0..borders.columns.len();
            (0..borders.rows.len()).flat_map(move |y| columns.clone().map(move |x| (y, x)))
        };
        let place = |(y, x)| y * stride[0] * padded.map.width + x * stride[1];
        let places = outputs().map(place).collect();
        let one = borders.count() == 1;
        let classes = outputs().map(|(y, x)| borders.class(y, x) as u32);
        let classes = if one { Vec::new() } else { classes.collect() };
        Self { padded, kernel, dilation, places, classes, margin }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.places.len()
    }

    /// The classes of some windows; none, if there is one class.
    pub(crate) fn classes(&self, windows: Range<usize>) -> &[u32] {
        if self.classes.is_empty() { &[] } else { &self.classes[windows] }
    }

    /// Where each window starts, if a pixel has `unit` units of memory.
    pub(crate) fn starts(&self, unit: usize) -> Vec<u32> {
        let narrow = |place: &usize| u32::try_from(place * unit).expect("a map has less than 2^32");
        self.places.iter().map(narrow).collect()
    }

    /// The pixel of each tap, from the first one.
    pub(crate) fn taps(&self) -> impl Iterator<Item = usize> + '_ {
        let row = move |ky: usize| {
            let first = ky * self.dilation[0] * self.padded.map.width;
            (0..self.kernel[1]).map(move |kx| first + kx * self.dilation[1])
        };
        (0..self.kernel[0]).flat_map(row)
    }

    /// The taps that follow each other in memory: the first tap of each run and how many there are.
    pub(crate) fn runs(&self) -> Vec<(usize, usize)> {
        let taps: Vec<usize> = self.taps().collect();
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for (tap, &place) in taps.iter().enumerate() {
            match runs.last_mut() {
                Some((first, count)) if taps[*first] + *count == place => *count += 1,
                _ => runs.push((tap, 1)),
            }
        }
        runs
    }
}

/// What stands around a map.
#[derive(Debug, Clone)]
pub(crate) struct Margin {
    input: Layout,
    padded: Layout,
    before: [usize; 2],
    around: Store,
}

impl Margin {
    fn new(conv: &Conv, input: Layout) -> Self {
        let Window { before, after, .. } = conv.window;
        let Map { height, width, channels } = input.map;
        let [height, width] = [height + before[0] + after[0], width + before[1] + after[1]];
        let padded = Layout { map: Map { height, width, channels }, ..input };
        let mut around = padded.store();
        // As a bit, nothing is a zero, which would count -1: the classes' constants make up for it.
        let nothing =
            if input.form == Form::Bits && input.element == ElementType::Bipolar { -1 } else { 0 };
        for row in 0..height {
            for column in 0..width {
                let value = |channel| match &conv.padding {
                    Padding::Nothing => nothing,
                    Padding::Value(surround) => surround.at([row, column], channel),
                };
                let numbers: Vec<i64> = (0..channels).map(value).collect();
                padded.write(&mut around, row * width + column, &numbers);
            }
        }
        Self { input, padded, before, around }
    }

    /// Memory for the padded map, its margin filled in.
    pub(crate) fn store(&self) -> Store {
        self.around.clone()
    }

    /// Copies a map into the middle of a store that [`store`](Self::store) made.
    pub(crate) fn fill(&self, map: &Store, padded: &mut Store) {
        let (planes, unit) = match self.input.form {
            Form::Bits => (self.input.planes(), self.input.pixel_words()),
            Form::Bytes | Form::Ints | Form::Wide => (1, self.input.map.channels),
        };
        match (map, padded) {
            (Store::Bits(from), Store::Bits(to)) => self.copy(planes, unit, from, to),
            (Store::Bytes(from), Store::Bytes(to)) => self.copy(planes, unit, from, to),
            (Store::Ints(from), Store::Ints(to)) => self.copy(planes, unit, from, to),
            (Store::Wide(from), Store::Wide(to)) => self.copy(planes, unit, from, to),
            _ => unreachable!("both are of the input's form"),
        }
    }

    fn copy<T: Copy>(&self, planes: usize, unit: usize, from: &[T], to: &mut [T]) {
        let (inner, outer) = (self.input.map, self.padded.map);
        let first = (self.before[0] * outer.width + self.before[1]) * unit;
        for plane in 0..planes {
            let from = &from[plane * inner.pixels() * unit..];
            let to = &mut to[plane * outer.pixels() * unit + first..];
            let rows = from.chunks(inner.width * unit).zip(to.chunks_mut(outer.width * unit));
            for (from, to) in rows.take(inner.height) {
                to[..from.len()].copy_from_slice(from);
            }
        }
    }
}
