//! Depthwise convolution unit.

mod cost;
mod cycles;

pub use cost::cost;
pub use cycles::latency;
