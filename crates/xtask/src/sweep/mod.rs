//! `cargo xtask sweep`: verification at many foldings on many images.
//!
//! Every network runs at the fastest folding that fits, at a slow one, with everything serial
//! (PE = SIMD = 1) and with one layer entirely parallel, or at a folding with published figures;
//! each without and with stalls. Then random convolutional networks run. Any difference between
//! golden model, simulator and Verilator fails the sweep.

mod folding;
pub(crate) mod network;

use crate::demo::agreed;
use crate::run::{self, number};
use crate::setup;
use crate::workspace::Workspace;
use crate::xnorflow::Xnorflow;
use anyhow::{Context, Result, bail};
use folding::{FASTEST, Folding};
use network::{Network, Published};
use std::ffi::OsString;
use std::path::Path;

/// What to sweep over.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only networks whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// At most this many images of each network.
    #[arg(long)]
    images: Option<usize>,
    /// Random networks with maps after the trained ones; none with --only.
    #[arg(long, value_name = "COUNT", default_value_t = 2000)]
    random: u64,
    /// Random networks of both kinds with these seeds in place of all others, e.g. `64..1064`.
    #[arg(long, value_name = "FROM..TO", conflicts_with_all = ["only", "images", "random"])]
    seeds: Option<String>,
}

/// Probability of a stall in the second run of each folding.
const STALL: &str = "0.3";

/// Seeds below this one run in `cargo xtask test`.
const EVERYDAY_SEEDS: u64 = 256;

/// One run of `verify`.
struct Row {
    network: &'static str,
    folding: &'static str,
    stall: &'static str,
    result: Result<String>,
}

/// Runs the sweep; prints a table.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    setup::ensure_verilator()?;
    if let Some(seeds) = &options.seeds {
        return random_networks(workspace, "random", seeds);
    }
    let xnorflow = Xnorflow::release(workspace)?;
    let work = workspace.fresh_folder("sweep")?;
    let mut networks = network::all(workspace, &work)?;
    networks.retain(|n| options.only.as_ref().is_none_or(|only| n.name.contains(only.as_str())));
    if networks.is_empty() {
        bail!("there is no network of that name");
    }
    let mut rows = Vec::new();
    for mut network in networks {
        network.images = network.images.min(options.images.unwrap_or(usize::MAX));
        println!("== {} ({} images)\n", network.name, network.images);
        sweep(&xnorflow, &network, &work.join(network.name), &mut rows)?;
    }
    let failed = print_table(&rows);
    if failed > 0 {
        bail!("{failed} of {} runs failed", rows.len());
    }
    println!("\nall {} runs agree: 0 mismatches, 0 cycle mismatches", rows.len());
    if options.only.is_none() && options.random > 0 {
        let seeds = format!("{EVERYDAY_SEEDS}..{}", EVERYDAY_SEEDS + options.random);
        random_networks(workspace, "random_maps", &seeds)?;
    }
    Ok(())
}

/// Random networks of the tests whose name starts with `kind`; each says how many agreed.
fn random_networks(workspace: &Workspace, kind: &str, seeds: &str) -> Result<()> {
    let test = ["test", "-p", "tests", "--test", "chain", kind, "--", "--nocapture"];
    run::step(workspace.cargo(&test).env("XNORFLOW_SWEEP_SEEDS", seeds))?;
    Ok(())
}

fn sweep(xnorflow: &Xnorflow, network: &Network, work: &Path, rows: &mut Vec<Row>) -> Result<()> {
    std::fs::create_dir_all(work).with_context(|| format!("cannot create {}", work.display()))?;
    let build = |out: &Path, options: &[OsString]| {
        let mut command = xnorflow.command(&[&"build", &network.model, &"-o", &out]);
        command.args(["--json", "--board", network.board]).args(options);
        let (facts, _) = run::json(&mut command)?;
        Ok((number(&facts, "ii_cycles")?, number(&facts, "fps")?))
    };
    let mut add = |folding, stall, result: Result<String>| {
        if let Err(error) = &result {
            eprintln!("{error:#}\n");
        }
        rows.push(Row { network: network.name, folding, stall, result });
    };
    for Published { name, text, interval, latency } in network.foldings {
        let (file, out) = (work.join(format!("{name}.toml")), work.join(name));
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        match build(&out, &["--fold".into(), file.into_os_string()]) {
            Err(error) => add(name, "-", Err(error)),
            Ok(_) => {
                for stall in ["0", STALL] {
                    let limits = (*interval as f64, *latency as f64);
                    add(name, stall, verify(xnorflow, network, &out, stall, limits));
                }
            }
        }
    }
    if !network.foldings.is_empty() {
        return Ok(());
    }
    let fastest = work.join(FASTEST);
    let (interval, fps) = match build(&fastest, &[]) {
        Ok(facts) => facts,
        Err(error) => {
            add(FASTEST, "-", Err(error));
            return Ok(());
        }
    };
    for Folding { name, out, options } in folding::all(&fastest, work, fps)? {
        let built = if options.is_empty() { Ok((interval, fps)) } else { build(&out, &options) };
        match built {
            Err(error) => add(name, "-", Err(error)),
            Ok((interval, _)) => {
                for stall in ["0", STALL] {
                    let limits = (interval, f64::INFINITY);
                    add(name, stall, verify(xnorflow, network, &out, stall, limits));
                }
            }
        }
    }
    Ok(())
}

/// Verifies; the cells of the table from the number of frames on.
fn verify(
    xnorflow: &Xnorflow,
    network: &Network,
    out: &Path,
    stall: &str,
    (interval, latency): (f64, f64),
) -> Result<String> {
    let frames = network.images.to_string();
    let mut command = xnorflow.command(&[
        &"verify",
        &out,
        &"--json",
        &"--input",
        &network.input,
        &"--frames",
        &frames,
    ]);
    if stall != "0" {
        command.args(["--stall", stall]);
    }
    let (found, _) = run::json(&mut command)?;
    let streams = agreed(&found)?;
    let get = |key: &str| number(&found, key);
    if get("frames")? != network.images as f64 {
        bail!("verify ran {} frames in place of {frames}", get("frames")?);
    }
    // Without stalls the steady state is the closed form: no bubbles between frames.
    if stall == "0" && network.images > 1 && get("ii_cycles")? != interval {
        bail!("{} cycles a frame in place of {interval}", get("ii_cycles")?);
    }
    if stall == "0" && get("latency_cycles")? > latency {
        bail!("a latency of {} cycles, more than {latency}", get("latency_cycles")?);
    }
    Ok(format!(
        "{frames} | {} | {} | {streams} | 0 | 0 | {:.2} | {:.2}",
        get("ii_cycles")?,
        get("latency_cycles")?,
        get("simulator_seconds")?,
        get("verilator_seconds")?,
    ))
}

fn print_table(rows: &[Row]) -> usize {
    println!(
        "| network | folding | stall | frames | cycles a frame | latency | streams | mismatches \
         | cycle mismatches | simulator s | Verilator s |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    );
    for Row { network, folding, stall, result } in rows {
        match result {
            Ok(cells) => println!("| {network} | {folding} | {stall} | {cells} |"),
            Err(error) => {
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default().replace('|', "/");
                println!("| {network} | {folding} | {stall} | failed: {line} |||||||| ");
            }
        }
    }
    rows.iter().filter(|row| row.result.is_err()).count()
}
