//! Whole-chain tests in Verilator: random networks, grids of engines, the AXI4-Stream top, faults.

mod random;

use std::path::{Path, PathBuf};

/// A folder of its own for each test; kept when it fails.
fn work(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("chain").join(name)
}
