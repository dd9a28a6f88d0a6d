//! Verilator against the simulator, which takes its values from the golden model.
//!
//! What comes in: an output folder and what the simulator [expects](emit::Expected). What goes
//! out: a [`Comparison`] of every word and every cycle of every stream. Verilator and the compiler
//! run as child processes through the Makefile of the folder, so that a user without xnorflow
//! builds the very same simulation.

mod compare;
mod run;

pub use compare::{Comparison, Difference, compare};
pub use run::{Harness, Run, verilator_version};
