//! Each engine of an output folder, synthesised on its own beside its estimate.

use super::{Options, off, read_json, synthesise, top};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::fs;
use std::path::Path;

/// What `report.json` says of an engine.
#[derive(Debug, Deserialize)]
pub(crate) struct Engine {
    name: String,
    pub(crate) kind: String,
    pub(crate) folding: String,
    pub(crate) luts: f64,
    ffs: f64,
    bram36: f64,
}

#[derive(Deserialize)]
struct Engines {
    engines: Vec<Engine>,
}

/// An engine as it was synthesised, beside its estimate.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) folding: String,
    pub(crate) luts: f64,
    pub(crate) estimated_luts: f64,
    pub(crate) ffs: f64,
    pub(crate) estimated_ffs: f64,
    pub(crate) bram36: f64,
    pub(crate) estimated_bram36: f64,
    pub(crate) carry4: usize,
}

/// Synthesises those engines of a folder that are wanted, one after another.
pub(crate) fn measure(
    python: &Path,
    folder: &Path,
    mut wanted: impl FnMut(&Engine) -> bool,
) -> Result<Vec<Measured>> {
    let top = top(folder)?;
    let file = folder.join("rtl").join(format!("{top}.v"));
    let verilog =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let report = read_json(&folder.join("report.json"))?;
    let all: Engines = serde_json::from_value(report).context("report.json has no engines")?;
    let mut measured = Vec::new();
    for e in all.engines {
        if !wanted(&e) {
            continue;
        }
        let module = module(&verilog, &e.name)
            .with_context(|| format!("{} has no instance of {}", file.display(), e.name))?;
        let found = synthesise(python, folder, module)?;
        measured.push(Measured {
            name: e.name,
            kind: e.kind,
            folding: e.folding,
            luts: found.lut_sites() as f64,
            estimated_luts: e.luts,
            ffs: found.flip_flops as f64,
            estimated_ffs: e.ffs,
            bram36: found.bram36(),
            estimated_bram36: e.bram36,
            carry4: found.carries,
        });
    }
    Ok(measured)
}

/// Synthesises all engines and prints a row for each.
pub(super) fn run(python: &Path, options: &Options) -> Result<()> {
    let wanted = |e: &Engine| options.kind.is_empty() || options.kind.contains(&e.kind);
    let measured = measure(python, &options.folder, wanted)?;
    if options.json {
        println!("{}", json!({ "engines": measured }));
        return Ok(());
    }
    println!(
        "| engine | kind | folding | LUT | estimated | off by | FF | estimated | off by | BRAM36 | estimated |"
    );
    println!("|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for e in &measured {
        println!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            e.name,
            e.kind,
            e.folding,
            e.luts,
            e.estimated_luts,
            off(e.luts, e.estimated_luts),
            e.ffs,
            e.estimated_ffs,
            off(e.ffs, e.estimated_ffs),
            e.bram36,
            e.estimated_bram36,
        );
    }
    let sum = |of: fn(&Measured) -> f64| measured.iter().map(of).sum::<f64>();
    let (luts, estimated) = (sum(|e| e.luts), sum(|e| e.estimated_luts));
    println!("| all | | | {luts} | {estimated} | {} | | | | | |", off(luts, estimated));
    Ok(())
}

/// The module of an engine's instance: engines that are alike share one.
fn module<'v>(verilog: &'v str, engine: &str) -> Option<&'v str> {
    let instance = format!(" u_{engine} (");
    let line = verilog.lines().find(|line| line.contains(&instance))?;
    line.split_whitespace().next()
}
