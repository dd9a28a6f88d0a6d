//! `cargo xtask bench chain`: build, inference and simulation of a network.

use super::figures::{median_and_spread, three_digits};
use crate::run::{self, number};
use crate::setup;
use crate::sweep::network::{Network, all};
use crate::workspace::Workspace;
use crate::xnorflow::Xnorflow;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// How often to measure.
#[derive(clap::Args)]
#[group(id = "bench_chain")]
pub(crate) struct Options {
    /// Runs of each measurement.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only networks whose name contains this [default: TFC_1W1A if at hand, else the example].
    #[arg(long)]
    only: Option<String>,
    /// Frames through simulator and Verilator.
    #[arg(long, default_value_t = 100)]
    frames: usize,
}

/// Measures and prints.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.runs == 0 {
        bail!("--runs must be at least 1");
    }
    setup::ensure_verilator()?;
    let xnorflow = Xnorflow::release(workspace)?;
    let work = workspace.fresh_folder("bench")?;
    let mut networks = all(workspace, &work)?;
    match &options.only {
        Some(only) => networks.retain(|network| network.name.contains(only.as_str())),
        None => {
            let wanted = networks.iter().position(|n| n.name == "TFC_1W1A").unwrap_or(0);
            networks = vec![networks.swap_remove(wanted)];
        }
    }
    println!("| network | what | median | spread | runs |\n|---|---|---:|---:|---:|");
    for network in &networks {
        measure(&xnorflow, network, &work, options)?;
    }
    Ok(())
}

fn measure(xnorflow: &Xnorflow, network: &Network, work: &Path, options: &Options) -> Result<()> {
    let out = work.join(network.name);
    let repeated =
        |each: &mut dyn FnMut() -> Result<()>| (0..options.runs).try_for_each(|_| each());
    let row = |what: &str, unit: &str, values: &[f64]| {
        let (median, spread) = median_and_spread(values).context("nothing was measured")?;
        let (name, runs) = (network.name, values.len());
        println!("| {name} | {what} | {} {unit} | {spread:.0} % | {runs} |", three_digits(median));
        anyhow::Ok(())
    };

    let mut build_seconds = Vec::new();
    repeated(&mut || {
        let board = network.board;
        let mut command = xnorflow.command(&[
            &"build",
            &network.model,
            &"--json",
            &"--board",
            &board,
            &"-o",
            &out,
        ]);
        let (_, took) = run::quiet_json(&mut command)?;
        build_seconds.push(took.as_secs_f64());
        Ok(())
    })?;
    row("build, whole command", "s", &build_seconds)?;

    let mut images = Vec::new();
    repeated(&mut || {
        let input = &network.input;
        let mut command =
            xnorflow.command(&[&"infer", &network.model, &"--json", &"--input", input]);
        images.push(number(&run::quiet_json(&mut command)?.0, "images_per_second")?);
        Ok(())
    })?;
    row("infer", "images/s", &images)?;

    let (mut simulator, mut verilator, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    repeated(&mut || {
        let (input, frames) = (&network.input, options.frames.to_string());
        let mut command = xnorflow.command(&[
            &"verify",
            &out,
            &"--json",
            &"--input",
            input,
            &"--frames",
            &frames,
        ]);
        let (found, _) = run::quiet_json(&mut command)?;
        let (ours, theirs) =
            (number(&found, "simulator_seconds")?, number(&found, "verilator_seconds")?);
        simulator.push(ours);
        verilator.push(theirs);
        ratio.push(theirs / ours);
        Ok(())
    })?;
    let frames = options.frames;
    row(&format!("simulator, {frames} frames"), "s", &simulator)?;
    row(&format!("Verilator, {frames} frames"), "s", &verilator)?;
    row("Verilator's time by the simulator's", "x", &ratio)
}
