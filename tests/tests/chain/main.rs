//! Whole-chain tests in Verilator: random networks, grids of engines, the AXI4-Stream top, faults.
//!
//! `XNORFLOW_SWEEP_SEEDS=FROM..TO` chooses the random networks; 256 of each kind run every day.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests: what fails here fails them")]

mod axi;
mod binary;
mod branches;
mod convs;
mod deadlock;
mod depthwise;
mod first_layer;
mod grids;
mod mutation;
mod parallel_windows;
mod random;
mod sizing;
mod windows;
mod wired;

use std::path::{Path, PathBuf};
use tests::networks::{Case, verify_all};

/// A folder of its own for each test; kept when it fails.
fn work(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("chain").join(name)
}

/// Builds and runs cases; all failures at once.
fn all_agree(name: &str, cases: &[Case]) {
    let failures = verify_all(&work(name), cases).unwrap_or_else(|text| vec![text]);
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n\n"));
}
