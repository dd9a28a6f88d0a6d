//! What the whole-chain tests and benchmarks share: the program under test, models made in memory,
//! networks, a clock.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a library for tests")]

pub mod clock;
pub mod command;
pub mod float_graph;
pub mod models;
pub mod networks;
