//! `cargo xtask onnxruntime`: random plain ONNX graphs with `Sign`, here and in onnxruntime.
//!
//! Convolutions with zero padding on bipolar maps, which no other accelerator generator builds: what
//! they mean is what onnxruntime computes, without optimisations. Images that meet a knife edge are
//! left out by name.

use crate::workspace::Workspace;
use crate::{run, setup};
use anyhow::Result;

/// What to compare.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How many graphs.
    #[arg(long, default_value_t = 500)]
    graphs: u64,
}

/// Compares; prints how many graphs agree.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let python = setup::ensure_onnxruntime(workspace)?;
    let test = ["test", "-p", "tests", "--test", "onnxruntime", "--features", "onnxruntime"];
    let mut command = workspace.cargo(&test);
    command.args(["--", "--nocapture"]);
    command.env("ONNXRUNTIME_PYTHON", python);
    command.env("XNORFLOW_SWEEP_SEEDS", format!("0..{}", options.graphs));
    run::step(&mut command).map(|_| ())
}
