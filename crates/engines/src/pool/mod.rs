//! Pool.

mod cost;
mod cycles;

pub use cost::cost;
pub use cycles::LATENCY;
