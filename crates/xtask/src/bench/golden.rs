//! `cargo xtask bench golden`: the golden model against onnxruntime's float arithmetic.
//!
//! Both run the same network on the same images, one thread each: the golden model on bits, and
//! onnxruntime on a plain float graph that is written from the streamlined network and gives equal
//! outputs, which is checked. They take turns, and processor time is counted, so that whatever else the
//! machine does meets both.

use super::figures::{median_and_spread, three_digits};
use super::talk::Talk;
use crate::workspace::Workspace;
use crate::{run, setup};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often and how long to measure.
#[derive(clap::Args)]
#[group(id = "bench_golden")]
pub(crate) struct Options {
    /// Runs of each measurement.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Seconds of a run.
    #[arg(long, default_value_t = 0.3)]
    seconds: f64,
    /// Only networks whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

/// Images that are run together.
const BATCHES: [usize; 2] = [1, 100];

/// Measures and prints.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.runs == 0 {
        bail!("--runs must be at least 1");
    }
    let python = setup::ensure_onnxruntime(workspace)?;
    let build = ["build", "--release", "--package", "tests", "--example", "engine"];
    run::step(&mut workspace.cargo(&build))?;
    let work = workspace.fresh_folder("bench-golden")?;
    let mut rows = Vec::new();
    for (name, model, input) in networks(workspace) {
        if name.contains(&options.only) {
            let folder = work.join(name);
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot create {}", folder.display()))?;
            let engine = workspace.target.join("release/examples/engine");
            let mut engine = Command::new(engine);
            engine.arg(model).arg(input).arg(&folder);
            rows.extend(measure(name, &mut engine, &python, &folder, options)?);
        }
    }
    println!(
        "| network | batch | kernel | golden | onnxruntime | ratio | spread | share of peak | runs |"
    );
    println!("|---|---:|---|---:|---:|---:|---:|---:|---:|");
    rows.iter().for_each(|row| println!("{row}"));
    Ok(())
}

/// Name, model and inputs: the published networks where they are at hand, else the shipped examples.
fn networks(workspace: &Workspace) -> Vec<(&'static str, PathBuf, PathBuf)> {
    let published = workspace.data().into_iter().flat_map(|data| {
        [("CNV W1A1", "cifar10-cnvW1A1/cnvW1A1.onnx"), ("TFC W1A1", "TFC_1W1A/TFC_1W1A.onnx")].map(
            |(name, model)| {
                let model = data.join(model);
                let input = model.with_file_name("expected/inputs.npy");
                (name, model, input)
            },
        )
    });
    let published: Vec<_> = published.filter(|(_, model, _)| model.is_file()).collect();
    if !published.is_empty() {
        return published;
    }
    let example = |name| {
        let folder = workspace.root.join("examples").join(name);
        (name, folder.join(format!("{name}.onnx")), folder.join("images.npy"))
    };
    ["fashion-cnv", "fashion-mlp"].map(example).into()
}

/// The rows of a network.
fn measure(
    name: &str,
    engine: &mut Command,
    python: &Path,
    folder: &Path,
    options: &Options,
) -> Result<Vec<String>> {
    let mut engine = Talk::start(engine)?;
    let kernels = engine.line()?;
    let kernels: Vec<&str> = kernels.split_whitespace().collect();
    let script = folder.join("golden.py");
    std::fs::write(&script, include_str!("golden.py"))
        .with_context(|| format!("cannot write {}", script.display()))?;
    let mut onnxruntime = Talk::start(Command::new(python).arg(script).arg(folder))?;
    let version = onnxruntime.line()?;
    println!("{name}: outputs equal those of onnxruntime {version}");

    let work = engine.number("work")?;
    let mut rows = Vec::new();
    for batch in BATCHES {
        let mut times = vec![Vec::new(); kernels.len()];
        let mut ratios = times.clone();
        let mut shares = times.clone();
        let mut theirs = Vec::new();
        for _ in 0..options.runs {
            let other = onnxruntime.number(&format!("{batch} {}", options.seconds))?;
            theirs.push(other);
            for (index, kernel) in kernels.iter().enumerate() {
                let peak = engine.number(&format!("peak {kernel}"))?;
                let own = engine.number(&format!("{kernel} {batch} {}", options.seconds))?;
                times[index].push(own);
                ratios[index].push(other / own);
                shares[index].push(100.0 * work / (own * 1e-9) / peak);
            }
        }
        let median = |values: &[f64]| median_and_spread(values).context("nothing was measured");
        let microseconds = |values: &[f64]| {
            let (median, spread) = median(values)?;
            anyhow::Ok(format!("{} us +- {:.0} %", three_digits(median / 1000.0), spread / 2.0))
        };
        for (index, kernel) in kernels.iter().enumerate() {
            let (ratio, spread) = median(&ratios[index])?;
            let (share, _) = median(&shares[index])?;
            rows.push(format!(
                "| {name} | {batch} | {kernel} | {} | {} | {} x | {spread:.0} % | {share:.0} % | {} |",
                microseconds(&times[index])?,
                microseconds(&theirs)?,
                three_digits(ratio),
                options.runs,
            ));
        }
    }
    Ok(rows)
}
