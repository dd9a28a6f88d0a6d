//! How a map lies in memory between two layers.

use crate::View;
use tensor::{ElementType, Map};

/// What the numbers of a map are held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A plane of bits for each bit of the element's code, pixels in whole words.
    Bits,
    /// Bytes that count from the lowest value of the type.
    Bytes,
    /// 32-bit integers.
    Ints,
    /// 64-bit integers.
    Wide,
}

impl Form {
    /// What holds an element that no matrix reads.
    pub(crate) fn of(element: ElementType) -> Self {
        match element.bits() {
            0..=4 => Form::Bits,
            5..=8 => Form::Bytes,
            9..=31 => Form::Ints,
            _ => Form::Wide,
        }
    }
}

/// A map, the type of its elements, and how they are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) element: ElementType,
    pub(crate) map: Map,
    pub(crate) form: Form,
}

impl Layout {
    /// Words of a pixel in one plane.
    pub(crate) fn pixel_words(self) -> usize {
        self.map.channels.div_ceil(64)
    }

    /// Words of one plane.
    pub(crate) fn plane_words(self) -> usize {
        self.map.pixels() * self.pixel_words()
    }

    /// Planes of bits.
    pub(crate) fn planes(self) -> usize {
        self.element.bits() as usize
    }

    /// A store of this layout, all zeros.
    pub(crate) fn store(self) -> Store {
        match self.form {
            Form::Bits => Store::Bits(vec![0; self.planes() * self.plane_words()]),
            // The kernels read fours.
            Form::Bytes => Store::Bytes(vec![0; self.map.elements() + 3]),
            Form::Ints => Store::Ints(vec![0; self.map.elements()]),
            Form::Wide => Store::Wide(vec![0; self.map.elements()]),
        }
    }

    /// The store as others see it.
    pub(crate) fn view(self, store: &Store) -> View<'_> {
        match store {
            Store::Bits(words) => View::Bits {
                element: self.element,
                words,
                words_per_pixel: self.pixel_words(),
                channels: self.map.channels,
            },
            Store::Bytes(bytes) => View::Bytes {
                lowest: self.element.min() as i32,
                bytes: &bytes[..self.map.elements()],
            },
            Store::Ints(ints) => View::Ints(ints),
            Store::Wide(ints) => View::Wide(ints),
        }
    }

    /// The numbers of a pixel.
    pub(crate) fn read(self, store: &Store, pixel: usize, numbers: &mut [i32]) {
        let channels = self.map.channels;
        let elements = pixel * channels..(pixel + 1) * channels;
        match store {
            Store::Bytes(bytes) => {
                let lowest = self.element.min() as i32;
                let bytes = &bytes[elements];
                numbers.iter_mut().zip(bytes).for_each(|(n, &b)| *n = i32::from(b) + lowest);
            }
            Store::Ints(ints) => numbers.copy_from_slice(&ints[elements]),
            Store::Bits(_) | Store::Wide(_) => {
                let view = self.view(store);
                numbers.iter_mut().zip(elements).for_each(|(n, e)| *n = view.value(e) as i32);
            }
        }
    }

    /// Puts the numbers of a pixel.
    pub(crate) fn write(self, store: &mut Store, pixel: usize, numbers: &[i64]) {
        let channels = self.map.channels;
        let elements = pixel * channels..(pixel + 1) * channels;
        match store {
            Store::Bits(words) => {
                let (per_pixel, plane_words) = (self.pixel_words(), self.plane_words());
                for plane in 0..self.planes() {
                    let words = &mut words[plane * plane_words + pixel * per_pixel..][..per_pixel];
                    for (word, numbers) in words.iter_mut().zip(numbers.chunks(64)) {
                        let bits = numbers.iter().enumerate();
                        let bit = |n| self.element.encode(n) >> plane & 1;
                        *word = bits.fold(0, |word, (at, &n)| word | bit(n) << at);
                    }
                }
            }
            Store::Bytes(bytes) => {
                let lowest = self.element.min();
                let bytes = &mut bytes[elements];
                bytes.iter_mut().zip(numbers).for_each(|(b, n)| *b = (n - lowest) as u8);
            }
            Store::Ints(ints) => {
                ints[elements].iter_mut().zip(numbers).for_each(|(i, &n)| *i = n as i32);
            }
            Store::Wide(ints) => ints[elements].copy_from_slice(numbers),
        }
    }
}

/// The memory of a map.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    Bits(Vec<u64>),
    Bytes(Vec<u8>),
    Ints(Vec<i32>),
    Wide(Vec<i64>),
}
