//! The cycle-accurate simulator.
//!
//! What comes in: a [`dataflow::Dataflow`], frames, and the gaps and stalls at its two ends. What
//! goes out: the cycle in which every word of every stream moves ([`Run`], [`timing`]), and its bits
//! ([`values`]). The two are computed apart, since values never depend on time.
//!
//! The cycle of a move is a maximum of a few earlier moves plus constants (max-plus algebra: Baccelli,
//! Cohen, Olsder, Quadrat, *Synchronization and Linearity*, 1992), so no cycle is visited in which
//! nothing moves, words that follow each other without a wait move as a run, and a design without
//! waits is simulated only until it provably repeats itself.
//!
//! Conventions: cycle 0 is the first rising edge with reset low; "moved in cycle c" means that
//! valid and ready were both high at edge c.

mod activity;
mod deadlock;
mod grants;
mod memory;
mod moves;
mod regular;
mod repeat;
mod run;
pub mod stall;
mod steady;
mod stream;
mod times;
mod units;
pub mod values;
mod waiting;
mod words;

pub use activity::{Activity, EngineActivity, FifoActivity, Spread};
pub use run::{Frame, Moves, Run};
pub use stall::Stalls;
pub use steady::{Pace, pace};
pub use stream::Handshake;
pub use times::{Times, interval, latency, timing};
pub use words::Words;
