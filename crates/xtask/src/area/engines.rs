//! Each engine of an output folder, synthesised on its own beside its estimate.

use super::count::Area;
use super::{Options, off, read_json, synthesise, top};
use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use std::fs;
use std::path::Path;

/// What `report.json` says of an engine.
#[derive(Debug, Deserialize)]
struct Engine {
    name: String,
    kind: String,
    folding: String,
    luts: f64,
    ffs: f64,
    bram36: f64,
}

#[derive(Deserialize)]
struct Engines {
    engines: Vec<Engine>,
}

/// Synthesises all engines one after another and prints a row for each.
pub(super) fn run(python: &Path, options: &Options) -> Result<()> {
    let (folder, json) = (options.folder.as_path(), options.json);
    let top = top(folder)?;
    let file = folder.join("rtl").join(format!("{top}.v"));
    let verilog =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let report = read_json(&folder.join("report.json"))?;
    let all: Engines = serde_json::from_value(report).context("report.json has no engines")?;
    let mut objects = Vec::new();
    if !json {
        println!(
            "| engine | kind | folding | LUT | estimated | off by | FF | estimated | off by | BRAM36 | estimated |"
        );
        println!("|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    }
    let mut sum = (0.0, 0.0);
    let wanted = |e: &&Engine| options.kind.is_empty() || options.kind.contains(&e.kind);
    for engine in all.engines.iter().filter(wanted) {
        let module = module(&verilog, &engine.name)
            .with_context(|| format!("{} has no instance of {}", file.display(), engine.name))?;
        let found = synthesise(python, folder, module)?;
        sum = (sum.0 + found.lut_sites() as f64, sum.1 + engine.luts);
        if json {
            objects.push(object(engine, &found));
        } else {
            println!("{}", row(engine, &found));
        }
    }
    if json {
        println!("{}", json!({ "engines": objects }));
    } else {
        println!("| all | | | {} | {} | {} |", sum.0, sum.1, off(sum.0, sum.1));
    }
    Ok(())
}

/// The module of an engine's instance: engines that are alike share one.
fn module<'v>(verilog: &'v str, engine: &str) -> Option<&'v str> {
    let instance = format!(" u_{engine} (");
    let line = verilog.lines().find(|line| line.contains(&instance))?;
    line.split_whitespace().next()
}

fn row(e: &Engine, found: &Area) -> String {
    let (luts, ffs) = (found.lut_sites() as f64, found.flip_flops as f64);
    format!(
        "| {} | {} | {} | {luts} | {} | {} | {ffs} | {} | {} | {} | {} |",
        e.name,
        e.kind,
        e.folding,
        e.luts,
        off(luts, e.luts),
        e.ffs,
        off(ffs, e.ffs),
        found.bram36(),
        e.bram36,
    )
}

fn object(e: &Engine, found: &Area) -> serde_json::Value {
    json!({
        "name": e.name,
        "kind": e.kind,
        "folding": e.folding,
        "luts": found.lut_sites(),
        "estimated_luts": e.luts,
        "ffs": found.flip_flops,
        "estimated_ffs": e.ffs,
        "bram36": found.bram36(),
        "estimated_bram36": e.bram36,
        "carry4": found.carries,
    })
}
