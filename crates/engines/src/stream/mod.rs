//! FIFO, width converter and the AXI adapters.

mod cost;

pub use cost::*;
