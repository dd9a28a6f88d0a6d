//! Matrix-vector-threshold unit.

mod arithmetic;
mod cost;
mod cycles;

pub use arithmetic::{Encoding, significance, uses_xnor};
pub use cost::cost;
pub use cycles::{bisection_latency, latency, level_bits, planes, popcount_latency};
