//! What a layer put out, as it lies in memory.

use tensor::ElementType;

/// The output of a layer (or the input of the network) as it lies in memory: elements in stream
/// order, pixels row by row, the channels of a pixel together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View<'a> {
    /// Planes of bits: plane `p` has bit `p` of the [code](ElementType::encode) of every element, so
    /// a bipolar map is a single plane in which 1 is +1. A plane has `words_per_pixel` words for each
    /// pixel; channel `c` is bit `c % 64` of word `c / 64`; bits behind the last channel are zero.
    ///
    /// A pixel is one of the layer's map, except that a map which only a matrix reads may be held as
    /// one long pixel. `channels` tells: element `e` is channel `e % channels` of pixel
    /// `e / channels`.
    Bits {
        /// The type of the elements.
        element: ElementType,
        /// Plane after plane, [`bits`](ElementType::bits) of them.
        words: &'a [u64],
        /// Words of a pixel in one plane.
        words_per_pixel: usize,
        /// Elements of a pixel.
        channels: usize,
    },
    /// A byte for each element.
    Bytes {
        /// What byte 0 stands for; a byte counts up from there.
        lowest: i32,
        /// A byte for each element.
        bytes: &'a [u8],
    },
    /// The numbers themselves.
    Ints(&'a [i32]),
    /// The numbers themselves, where 32 bits may be too few.
    Wide(&'a [i64]),
}

impl View<'_> {
    /// How many elements there are.
    pub fn len(&self) -> usize {
        match *self {
            View::Bits { element, words, words_per_pixel, channels } => {
                words.len() / (words_per_pixel * element.bits() as usize) * channels
            }
            View::Bytes { bytes, lowest: _ } => bytes.len(),
            View::Ints(ints) => ints.len(),
            View::Wide(ints) => ints.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number that element `index` has.
    pub fn value(&self, index: usize) -> i64 {
        match *self {
            View::Bits { element, words, words_per_pixel, channels } => {
                let planes = element.bits() as usize;
                let (pixel, channel) = (index / channels, index % channels);
                let place = pixel * words_per_pixel + channel / 64;
                let plane_words = words.len() / planes;
                let bit = |plane| words[plane * plane_words + place] >> (channel % 64) & 1;
                element.decode((0..planes).fold(0, |code, plane| code | bit(plane) << plane))
            }
            View::Bytes { bytes, lowest } => i64::from(bytes[index]) + i64::from(lowest),
            View::Ints(ints) => i64::from(ints[index]),
            View::Wide(ints) => ints[index],
        }
    }

    /// The numbers of all elements.
    pub fn to_vec(&self) -> Vec<i64> {
        (0..self.len()).map(|index| self.value(index)).collect()
    }
}
