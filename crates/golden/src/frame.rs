//! From a caller's integers to the first layer's form.

use crate::layout::{Layout, Store};
use tensor::ElementType;

/// An integer type that frames may consist of.
pub trait Sample: Copy + Into<i64> {
    /// The smallest number of the type.
    const LOWEST: i64;
    /// The largest number of the type.
    const HIGHEST: i64;
}

macro_rules! samples {
    ($($number:ty),*) => {
        $(impl Sample for $number {
            const LOWEST: i64 = <$number>::MIN as i64;
            const HIGHEST: i64 = <$number>::MAX as i64;
        })*
    };
}
samples!(u8, i8, u16, i16, u32, i32, i64);

/// Takes a frame in stream order.
///
/// # Panics
/// If it has another length, or an integer that the input's type does not hold.
pub(crate) fn load<T: Sample>(frame: &[T], layout: Layout, store: &mut Store) {
    let elements = layout.map.elements();
    assert_eq!(frame.len(), elements, "a frame of this network has {elements} elements");
    let element = layout.element;
    let held = match element {
        ElementType::Bipolar => frame.iter().all(|&x| x.into() * x.into() == 1),
        // A whole type that fits needs no look.
        _ if element.min() <= T::LOWEST && T::HIGHEST <= element.max() => true,
        ElementType::Uint(bits) | ElementType::Int(bits) | ElementType::Fixed { bits, .. } => {
            // One look at all bits that must be zero is faster than comparisons.
            let lowest = element.min();
            let code = |all: u64, &x: &T| all | x.into().wrapping_sub(lowest) as u64;
            frame.iter().fold(0, code) >> bits == 0
        }
    };
    assert!(held, "an integer of the frame is no value of {element}");
    match store {
        Store::Bits(words) => {
            let (per_pixel, plane_words) = (layout.pixel_words(), layout.plane_words());
            for plane in 0..layout.planes() {
                let words = words[plane * plane_words..].chunks_mut(per_pixel);
                for (words, pixel) in words.zip(frame.chunks(layout.map.channels)) {
                    for (word, numbers) in words.iter_mut().zip(pixel.chunks(64)) {
                        let bit = |x: T| match element {
                            ElementType::Bipolar => u64::from(x.into() > 0),
                            ElementType::Uint(_)
                            | ElementType::Int(_)
                            | ElementType::Fixed { .. } => x.into() as u64 >> plane & 1,
                        };
                        let bits = numbers.iter().enumerate();
                        *word = bits.fold(0, |word, (at, &x)| word | bit(x) << at);
                    }
                }
            }
        }
        Store::Bytes(bytes) => {
            let lowest = element.min();
            bytes.iter_mut().zip(frame).for_each(|(b, &x)| *b = (x.into() - lowest) as u8);
        }
        Store::Ints(ints) => {
            ints.iter_mut().zip(frame).for_each(|(i, &x)| *i = x.into() as i32);
        }
        Store::Wide(ints) => ints.iter_mut().zip(frame).for_each(|(i, &x)| *i = x.into()),
    }
}
