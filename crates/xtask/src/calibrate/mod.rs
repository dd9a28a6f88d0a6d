//! `cargo xtask calibrate`: the constants that bring cost formulas to what synthesis makes.
//!
//! Designs of the shipped examples are built for several rates; each engine of them is synthesised on
//! its own. For every kind of engine a line is fitted through (figure of the formula, synthesised
//! figure), least in relative squares, and written to `crates/engines/src/fits.rs`.

mod fit;

use crate::area::engines::{Measured, measure};
use crate::workspace::Workspace;
use crate::xnorflow::Xnorflow;
use crate::{run, setup};
use anyhow::{Context, Result};
use fit::{Line, fit};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The grid: shipped examples, each for several rates.
const GRID: [(&str, &[&str]); 3] = [
    ("fashion-mlp", &["2000", "60000", "1500000", "25000000"]),
    ("fashion-cnv", &["300", "3000", "12000", "60000"]),
    ("fashion-sign", &["300", "3000", "12000", "28000"]),
];

/// Fewer engines of a kind are not fitted.
const FEWEST: usize = 4;

/// Where the constants are kept.
const FITS: &str = "crates/engines/src/fits.rs";

/// What to calibrate.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only engines of these kinds, e.g. `window`; the constants of others stay; may come several
    /// times.
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
}

/// Synthesises the grid and writes the constants anew.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let python = setup::ensure_yosys(workspace)?;
    let xnorflow = Xnorflow::release(workspace)?;
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let known = known(&workspace.root.join(FITS))?;
    let mut seen = BTreeSet::new();
    let mut kinds: BTreeMap<String, Vec<Measured>> = BTreeMap::new();
    for (example, rates) in GRID {
        let model = workspace.root.join("examples").join(example).join(format!("{example}.onnx"));
        for rate in rates {
            let folder = temporary.path().join(format!("{example}-{rate}"));
            let build = [&"build" as &dyn AsRef<std::ffi::OsStr>, &model, &"--fps", rate];
            let mut command = xnorflow.command(&build);
            command.args(["--board", "zc706", "--budget", "1", "--frames", "1", "-o"]);
            run::text(command.arg(&folder))?;
            eprintln!("{example} at {rate} frames a second");
            let found = measure(&python, &folder, |engine| {
                let wanted = options.kind.is_empty() || options.kind.contains(&engine.kind);
                let alike = (engine.kind.clone(), engine.folding.clone(), engine.luts as u64);
                wanted && seen.insert(alike)
            })?;
            for engine in found {
                kinds.entry(engine.kind.clone()).or_default().push(engine);
            }
        }
    }
    let mut lines = known.clone();
    println!(
        "| kind | engines | LUT: median off by | worst | FF: median off by | worst | BRAM36 not exact |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    for (kind, engines) in &kinds {
        let before = known.get(kind).copied().unwrap_or_default();
        // The report has figures of the present constants: the formula's own are looked for.
        let luts = pairs(engines, |e| (before.luts.back(e.estimated_luts), e.luts));
        let ffs = pairs(engines, |e| (before.ffs.back(e.estimated_ffs), e.ffs));
        let inexact = engines.iter().filter(|e| e.bram36 != e.estimated_bram36).count();
        let (of_luts, of_ffs) = (fit(&luts), fit(&ffs));
        println!(
            "| {kind} | {} | {:.1} % | {:.1} % | {:.1} % | {:.1} % | {inexact} |",
            engines.len(),
            100.0 * of_luts.median,
            100.0 * of_luts.worst,
            100.0 * of_ffs.median,
            100.0 * of_ffs.worst,
        );
        if engines.len() >= FEWEST {
            let (error, worst) = (of_luts.median, of_luts.worst);
            let constants = Constants { luts: of_luts.line, ffs: of_ffs.line, error, worst };
            lines.insert(kind.clone(), constants);
        }
    }
    let path = workspace.root.join(FITS);
    fs::write(&path, text(&lines)).with_context(|| format!("cannot write {}", path.display()))?;
    println!("\nwrote {FITS}");
    Ok(())
}

fn pairs(engines: &[Measured], of: impl Fn(&Measured) -> (f64, f64)) -> Vec<(f64, f64)> {
    engines.iter().map(of).collect()
}

/// The constants of a kind.
#[derive(Debug, Clone, Copy, Default)]
struct Constants {
    luts: Line,
    ffs: Line,
    error: f64,
    worst: f64,
}

/// The text of the file of constants.
fn text(lines: &BTreeMap<String, Constants>) -> String {
    let mut text = String::from(
        "//! Written by `cargo xtask calibrate`: do not edit.\n\n\
         use crate::calibration::Fit;\n\n\
         #[rustfmt::skip]\n\
         pub(crate) const FITS: &[Fit] = &[\n",
    );
    for (kind, Constants { luts, ffs, error, worst }) in lines {
        let _ = writeln!(
            text,
            "    Fit {{ kind: {kind:?}, luts: [{:?}, {:?}], ffs: [{:?}, {:?}], error: {error:.3}, worst: {worst:.3} }},",
            luts.factor, luts.addend, ffs.factor, ffs.addend
        );
    }
    text.push_str("];\n");
    text
}

/// The constants that the file has.
fn known(path: &Path) -> Result<BTreeMap<String, Constants>> {
    let file = fs::read_to_string(path).with_context(|| format!("no {}", path.display()))?;
    let mut known = BTreeMap::new();
    for line in file.lines().filter(|line| line.trim_start().starts_with("Fit {")) {
        let kind = line.split('"').nth(1).context("a fit without a kind")?;
        let digits = |c: char| c.is_ascii_digit() || c == '.' || c == '-';
        let numbers: Vec<f64> = line[line.find("luts").unwrap_or(0)..]
            .split(|c: char| !digits(c))
            .filter_map(|word| word.parse().ok())
            .collect();
        let [a, b, c, d, error, worst] = numbers[..] else { continue };
        let (luts, ffs) = (Line { factor: a, addend: b }, Line { factor: c, addend: d });
        known.insert(kind.to_string(), Constants { luts, ffs, error, worst });
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_come_back_as_they_went() {
        let of = Constants {
            luts: Line { factor: 0.75, addend: -2.5 },
            ffs: Line { factor: 1.25, addend: 3.0 },
            error: 0.05,
            worst: 0.125,
        };
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("fits.rs");
        fs::write(&path, text(&BTreeMap::from([("window".to_string(), of)]))).unwrap();
        let known = known(&path).unwrap();
        let window = known["window"];
        assert_eq!((window.luts, window.ffs), (of.luts, of.ffs));
        assert_eq!((window.error, window.worst), (0.05, 0.125));
    }
}
