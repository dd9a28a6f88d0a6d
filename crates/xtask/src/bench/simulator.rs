//! `cargo xtask bench simulator`: the simulator against Verilator.
//!
//! Both run the same design on the same frames with the same waits, one thread each, and every word and
//! cycle of every stream is compared in every run. They take turns, and processor time of the runs alone
//! is counted.

use super::figures::{median_and_spread, three_digits};
use super::talk::Talk;
use crate::run::{self, number};
use crate::setup;
use crate::sweep::network::{Network, all};
use crate::workspace::Workspace;
use crate::xnorflow::Xnorflow;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How often to measure.
#[derive(clap::Args)]
#[group(id = "bench_simulator")]
pub(crate) struct Options {
    /// Runs of each measurement; each has frames and waits of its own.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Only designs whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Frames of a run in both programs.
    #[arg(long, default_value_t = 64)]
    frames: usize,
}

/// Frames of a further run of the simulator; fewer where streams part, and values take their time.
const MANY_FRAMES: usize = 16_384;
const MANY_PARTING_FRAMES: usize = 256;

/// Probabilities of a wait.
const STALLS: [&str; 2] = ["0", "0.3"];

/// How Verilator's C++ is compiled.
const COMPILER: &str = "-O3 -march=native";

/// The published networks to measure, and in their place the shipped ones.
const PUBLISHED: [&str; 3] = ["cnvW1A1", "TFC_1W1A", "lfcW1A1"];
const SHIPPED: [&str; 2] = ["fashion-cnv", "fashion-mlp"];

/// The design that is no trained network: streams that part and meet.
const FORK_ADD: &str = "fork-add";

/// An output folder.
struct Design {
    name: &'static str,
    folder: PathBuf,
    /// Without one, random frames.
    input: Option<PathBuf>,
    /// Frames of the further run.
    many: usize,
}

/// Measures and prints.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    if options.runs == 0 || options.frames == 0 {
        bail!("--runs and --frames must be at least 1");
    }
    setup::ensure_verilator()?;
    let xnorflow = Xnorflow::release(workspace)?;
    let build = ["build", "--release", "--package", "tests", "--example", "simulator"];
    run::step(&mut workspace.cargo(&build))?;
    let program = workspace.target.join("release/examples/simulator");
    let work = workspace.fresh_folder("bench-simulator")?;
    let mut networks = networks(workspace, &work)?;
    networks.retain(|network| network.name.contains(&options.only));
    let mut designs = Vec::new();
    for network in networks {
        designs.push(built(&xnorflow, network, &work)?);
    }
    if FORK_ADD.contains(&options.only) {
        let folder = work.join(FORK_ADD);
        run::step(Command::new(&program).arg(FORK_ADD).arg(&folder))?;
        designs.push(Design { name: FORK_ADD, folder, input: None, many: MANY_PARTING_FRAMES });
    }
    let mut rows = Vec::new();
    for design in &designs {
        rows.extend(measure(&program, design, options)?);
    }
    println!(
        "\n| design | stall | frames | Verilator, cycles/s | images/s | simulator, cycles/s | images/s \
         | ratio | spread | copied out | cycles alone | runs |\n\
         |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    rows.iter().for_each(|row| println!("{row}"));
    Ok(())
}

/// The published networks that are at hand, else the shipped ones.
fn networks(workspace: &Workspace, work: &Path) -> Result<Vec<Network>> {
    let mut networks = all(workspace, work)?;
    networks.retain(|network| PUBLISHED.contains(&network.name));
    if networks.is_empty() {
        networks.extend(SHIPPED.map(|name| {
            let folder = workspace.root.join("examples").join(name);
            let (model, input) = (folder.join(format!("{name}.onnx")), folder.join("images.npy"));
            Network { name, model, input, images: 200, board: "pynq-z2", foldings: &[] }
        }));
    }
    Ok(networks)
}

/// Builds at the first published folding, or at the fastest that fits.
fn built(xnorflow: &Xnorflow, network: Network, work: &Path) -> Result<Design> {
    let Network { name, model, input, board, foldings, .. } = network;
    let folder = work.join(name);
    let mut command = xnorflow.command(&[&"build", &model, &"-o", &folder]);
    command.args(["--json", "--board", board]);
    if let Some(folding) = foldings.first() {
        let file = work.join(format!("{name}.toml"));
        std::fs::write(&file, folding.text)
            .with_context(|| format!("cannot write {}", file.display()))?;
        command.arg("--fold").arg(file);
    }
    run::json(&mut command)?;
    Ok(Design { name, folder, input: Some(input), many: MANY_FRAMES })
}

/// The rows of a design.
fn measure(program: &Path, design: &Design, options: &Options) -> Result<Vec<String>> {
    // Make cannot deal with white space, which the folder of build results may have.
    let work = tempfile::tempdir()?;
    let mut command = Command::new(program);
    command.env("CXXOPT", COMPILER).arg("run").arg(&design.folder).arg(work.path());
    let mut both = Talk::start(command.args(&design.input))?;
    println!("{}: built by {}, {COMPILER}", design.name, both.line()?);
    let mut rows = Vec::new();
    for stall in STALLS {
        let mut compared = Compared::default();
        let mut figures = [options.frames, design.many].map(Figures::new);
        for seed in 1..=options.runs {
            let mut ask = |side: &str, frames: usize| -> Result<Value> {
                let question = format!("{side} {frames} {stall} {seed}");
                Ok(serde_json::from_str(&both.ask(&question)?)?)
            };
            let verilator = ask("verilator", options.frames)?;
            compared.add(&verilator)?;
            for figures in &mut figures {
                let frames = figures.frames;
                figures.add(options.frames, &verilator, &ask("simulator", frames)?)?;
            }
        }
        println!("  stall {stall}: {compared}");
        for figures in figures {
            let cells = figures.cells()?;
            rows.push(format!("| {} | {stall} | {cells} | {} |", design.name, options.runs));
        }
    }
    Ok(rows)
}

/// What was compared in all runs.
#[derive(Default)]
struct Compared {
    runs: usize,
    streams: f64,
    words: f64,
}

impl Compared {
    /// Adds a run; an error when anything differs.
    fn add(&mut self, verilator: &Value) -> Result<()> {
        self.streams = crate::demo::agreed(verilator)?;
        self.words += number(verilator, "words_compared")?;
        self.runs += 1;
        Ok(())
    }
}

impl std::fmt::Display for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { runs, streams, words } = self;
        write!(
            f,
            "{words} words on {streams} streams in {runs} runs, 0 mismatches, 0 cycle mismatches"
        )
    }
}

/// One value for each run.
struct Figures {
    /// Of the simulator.
    frames: usize,
    /// Cycles and images a second.
    verilator: [Vec<f64>; 2],
    simulator: [Vec<f64>; 2],
    /// Verilator's time for a cycle by the simulator's: for words and cycles, with all of them copied
    /// out, for cycles alone.
    ratios: [Vec<f64>; 3],
}

impl Figures {
    fn new(frames: usize) -> Self {
        Self {
            frames,
            verilator: Default::default(),
            simulator: Default::default(),
            ratios: Default::default(),
        }
    }

    fn add(&mut self, frames: usize, verilator: &Value, simulator: &Value) -> Result<()> {
        let speed =
            |of: &Value, key| Ok::<_, anyhow::Error>(number(of, "cycles")? / number(of, key)?);
        let theirs = speed(verilator, "seconds")?;
        self.verilator[0].push(theirs);
        self.verilator[1].push(frames as f64 / number(verilator, "seconds")?);
        self.simulator[0].push(speed(simulator, "seconds")?);
        self.simulator[1].push(self.frames as f64 / number(simulator, "seconds")?);
        for (ratios, key) in self.ratios.iter_mut().zip(["seconds", "copied", "cycles_alone"]) {
            ratios.push(speed(simulator, key)? / theirs);
        }
        Ok(())
    }

    /// The cells of the table from the number of frames on.
    fn cells(&self) -> Result<String> {
        let median = |values: &[f64]| median_and_spread(values).context("nothing was measured");
        let speeds = |[cycles, images]: &[Vec<f64>; 2]| {
            let (cycles, images) = (median(cycles)?.0 / 1e6, median(images)?.0);
            anyhow::Ok(format!("{} M | {}", three_digits(cycles), three_digits(images)))
        };
        let (verilator, simulator) = (speeds(&self.verilator)?, speeds(&self.simulator)?);
        let [(ratio, spread), (copied, _), (alone, _)] =
            [median(&self.ratios[0])?, median(&self.ratios[1])?, median(&self.ratios[2])?];
        let [ratio, copied, alone] = [ratio, copied, alone].map(three_digits);
        Ok(format!(
            "{} | {verilator} | {simulator} | {ratio} x | {spread:.0} % | {copied} x | {alone} x",
            self.frames
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ratios_are_those_of_cycles_a_second() {
        let verilator = json!({"seconds": 2.0, "cycles": 4_000_000});
        let mut figures = Figures::new(1024);
        for cycles in [32_000_000, 64_000_000, 64_000_000] {
            let simulator =
                json!({"seconds": 0.5, "copied": 1.0, "cycles_alone": 0.25, "cycles": cycles});
            figures.add(64, &verilator, &simulator).unwrap();
        }
        let cells = figures.cells().unwrap();
        let expected = "1024 | 2.00 M | 32.0 | 128 M | 2048 | 64.0 x | 50 % | 32.0 x | 128 x";
        assert_eq!(cells, expected);
    }

    #[test]
    fn nothing_may_differ() {
        let mut verilator = json!({"mismatches": 0, "cycle_mismatches": 0, "streams_compared": 3,
            "words_compared": 40});
        let mut compared = Compared::default();
        compared.add(&verilator).unwrap();
        compared.add(&verilator).unwrap();
        assert!(compared.to_string().starts_with("80 words on 3 streams in 2 runs"), "{compared}");
        verilator["cycle_mismatches"] = json!(1);
        assert!(compared.add(&verilator).is_err());
    }
}
