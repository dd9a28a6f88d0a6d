//! Shapes, element types, bit-packed integers and `.npy` files.
//!
//! What comes in: arrays from files and from the importers. What goes out: [`ElementType`] (the
//! type of one element of a stream or tensor), [`BitMatrix`] (rows of bits in 64-bit words),
//! [`words`] (elements packed into stream words), [`Window`] (what slides over a [`Map`] of pixels), [`Surround`] (what stands around one)
//! and [`npy`] (NumPy files in and out).
//!
//! ```
//! use tensor::ElementType;
//! let t: ElementType = "int<2>".parse().unwrap();
//! assert_eq!((t.min(), t.max(), t.bits()), (-2, 1, 2));
//! assert_eq!(ElementType::Bipolar.decode(0), -1);
//! assert_eq!(ElementType::smallest(0, 5), ElementType::Uint(3));
//! ```

mod bits;
mod element;
pub mod npy;
mod surround;
mod window;
pub mod words;

pub use bits::BitMatrix;
pub use element::ElementType;
pub use ndarray;
pub use surround::Surround;
pub use window::{Axis, Map, Window};
