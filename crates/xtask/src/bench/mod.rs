//! `cargo xtask bench`: how long things take, as Markdown tables.

mod chain;
mod figures;
mod golden;
mod simulator;
mod talk;

use crate::workspace::Workspace;
use anyhow::Result;

/// What to measure.
#[derive(clap::Args)]
#[group(id = "bench")]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    chain: chain::Options,
}

#[derive(clap::Subcommand)]
enum What {
    /// Build, inference and simulation (the default).
    Chain(chain::Options),
    /// The golden model against onnxruntime on an equal float graph, one thread each.
    Golden(golden::Options),
    /// The simulator against Verilator on the same runs, one thread each.
    Simulator(simulator::Options),
}

/// Measures and prints.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    match &options.what {
        None => chain::run(workspace, &options.chain),
        Some(What::Chain(options)) => chain::run(workspace, options),
        Some(What::Golden(options)) => golden::run(workspace, options),
        Some(What::Simulator(options)) => simulator::run(workspace, options),
    }
}
