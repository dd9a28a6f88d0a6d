//! Parallel window unit.

mod cost;
mod cycles;

pub use cost::cost;
pub use cycles::{Place, Raster, Tap, latency};
