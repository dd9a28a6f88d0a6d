//! Matrix-vector-threshold unit.

mod arithmetic;
mod cost;
mod cycles;
mod groups;

pub use arithmetic::{Encoding, significance, uses_xnor};
pub use cost::cost;
pub use cycles::{bisection_latency, dot_latency, latency, level_bits, planes, popcount_latency};
pub use groups::{Group, groups};
