//! Fixed-point scale and shift for each channel.

mod cost;
mod cycles;

pub use cost::*;
pub use cycles::*;
