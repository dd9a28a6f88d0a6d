//! Stand-alone threshold unit.

mod cost;
mod cycles;

pub use cost::*;
pub use cycles::*;
