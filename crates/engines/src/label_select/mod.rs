//! Arg-max and top-k.

mod cost;
mod cycles;

pub use cost::*;
pub use cycles::*;
