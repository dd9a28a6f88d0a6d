//! What the whole-chain tests share: the program under test, models made in memory, networks.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a library for tests")]

pub mod command;
pub mod float_graph;
pub mod models;
pub mod networks;
