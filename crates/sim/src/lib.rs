//! The cycle-accurate simulator.
//!
//! What comes in: a [`dataflow::Dataflow`], frames, and the gaps and stalls at its two ends. What
//! goes out: the cycle in which every word of every stream moves ([`timing`]), and its bits
//! ([`values`]). The two are computed apart, since values never depend on time: the cycle of a move
//! is a maximum of a few earlier moves plus constants (max-plus algebra), so no cycle is visited in
//! which nothing moves, and values come from the golden model frame by frame.
//!
//! Conventions: cycle 0 is the first rising edge with reset low; "moved in cycle c" means that
//! valid and ready were both high at edge c.

mod engine;
mod network;
mod shifting;
mod sliding;
pub mod stall;
pub mod values;

pub use network::{Run, Times, interval, latency, timing};
pub use stall::Stalls;
