//! Sliding window unit.

mod cost;
mod cycles;

pub use cost::cost;
pub use cycles::{Step, Walk, latency};
