//! Pool.

mod cost;
mod cycles;

pub use cost::cost;
pub use cycles::{latency, tree_latency};
