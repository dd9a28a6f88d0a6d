//! Matrix-vector-threshold unit.

mod arithmetic;
mod cost;
mod cycles;
mod groups;
mod wired;

pub use arithmetic::{Encoding, significance, uses_xnor};
pub use cost::cost;
pub use cycles::{
    bisection_latency, latency, level_bits, operand_latency, planes, popcount_latency, row,
    sum_latency,
};
pub use groups::{Group, groups};
pub use wired::wired;
