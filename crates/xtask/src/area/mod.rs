//! `cargo xtask area`: what an output folder takes after synthesis, beside its estimate.
//!
//! Yosys maps the design to 7-series cells; the LUT sites, flip-flops, block RAMs and DSP slices of
//! the netlist are counted and set against the estimate in `report.json`. Without place and route
//! these are not the figures of the vendor's tool, but they are good for comparing.

mod count;
pub(crate) mod engines;
mod netlist;
mod order;

use crate::workspace::Workspace;
use crate::{run, setup};
use anyhow::{Context, Result, bail};
use count::Area;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to synthesise.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Output folder of `xnorflow build`.
    folder: PathBuf,
    /// Top module, or a module below it [default: the top of the design].
    #[arg(long)]
    top: Option<String>,
    /// Each engine on its own beside its estimate, instead of the whole.
    #[arg(long, conflicts_with = "top")]
    engines: bool,
    /// Only engines of this kind, e.g. `parallel-window`; may come several times.
    #[arg(long, value_name = "KIND", requires = "engines")]
    kind: Vec<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Synthesises and compares.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let python = setup::ensure_yosys(workspace)?;
    if options.engines {
        return engines::run(&python, options);
    }
    let top = match &options.top {
        Some(top) => top.clone(),
        None => top(&options.folder)?,
    };
    let start = std::time::Instant::now();
    let found = synthesise(&python, &options.folder, &top)?;
    let seconds = start.elapsed().as_secs_f64();
    // An estimate is for the whole design.
    let report = options.folder.join("report.json");
    let estimate = match options.top {
        None => Some(estimate(&read_json(&report)?).context("report.json has no estimate")?),
        Some(_) => None,
    };
    if options.json {
        let rows = rows(&found, estimate.as_ref());
        let mut object = serde_json::Map::new();
        for (name, found, estimate) in rows {
            object.insert(name.into(), found.into());
            if let Some(estimate) = estimate {
                object.insert(format!("estimated_{name}"), estimate.into());
            }
        }
        println!("{}", Value::Object(object));
        return Ok(());
    }
    println!("\n{top}, synthesised by Yosys in {seconds:.1} s\n");
    println!("| what | synthesised | estimated | estimate is off by |\n|---|---:|---:|---:|");
    for (name, found, estimate) in rows(&found, estimate.as_ref()) {
        let estimated = estimate.map_or("-".into(), |e| e.to_string());
        let off = estimate.map_or("-".into(), |e| off(found, e));
        println!("| {name} | {found} | {estimated} | {off} |");
    }
    println!(
        "\nLUT sites: {} LUT cells less {} pairs that share a site, {} LUT RAM, {} SRL",
        found.lut_cells, found.lut_pairs, found.lut_ram, found.shift_registers
    );
    if !found.others.is_empty() {
        println!("other cells: {:?}", found.others);
    }
    Ok(())
}

/// By how much an estimate misses what was found.
fn off(found: f64, estimate: f64) -> String {
    if found == 0.0 {
        return "-".into();
    }
    format!("{:+.1} %", (estimate / found - 1.0) * 100.0)
}

/// Estimates of a design.
struct Estimate {
    luts: f64,
    ffs: f64,
    bram36: f64,
    dsps: f64,
}

/// Name, found and estimated.
fn rows(area: &Area, estimate: Option<&Estimate>) -> [(&'static str, f64, Option<f64>); 5] {
    [
        ("luts", area.lut_sites() as f64, estimate.map(|e| e.luts)),
        ("ffs", area.flip_flops as f64, estimate.map(|e| e.ffs)),
        ("bram36", area.bram36(), estimate.map(|e| e.bram36)),
        ("dsps", area.dsps as f64, estimate.map(|e| e.dsps)),
        ("carry4", area.carries as f64, None),
    ]
}

/// The four figures, wherever they stand in the report: the outermost object that has them all.
fn estimate(report: &Value) -> Option<Estimate> {
    let mut level = vec![report];
    while !level.is_empty() {
        for value in &level {
            let get = |key: &str| value.get(key).and_then(Value::as_f64);
            if let (Some(luts), Some(ffs), Some(bram36), Some(dsps)) =
                (get("luts"), get("ffs"), get("bram36"), get("dsps"))
            {
                return Some(Estimate { luts, ffs, bram36, dsps });
            }
        }
        let objects = level.iter().filter_map(|value| value.as_object());
        level = objects.flat_map(|object| object.values()).collect();
    }
    None
}

fn read_json(path: &Path) -> Result<Value> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// The name of the top module, from the folder's own dataflow.
fn top(folder: &Path) -> Result<String> {
    let path = folder.join("network/dataflow.toml");
    let text = fs::read_to_string(&path)
        .with_context(|| format!("{} is no output folder of xnorflow", folder.display()))?;
    let dataflow: toml::Table = text.parse().context("network/dataflow.toml is not TOML")?;
    let name = dataflow.get("name").and_then(toml::Value::as_str);
    Ok(name.context("network/dataflow.toml has no name")?.to_string())
}

/// Runs Yosys in the folder of the memory files and counts the cells of the result.
fn synthesise(python: &Path, folder: &Path, top: &str) -> Result<Area> {
    let rtl = folder.join("rtl");
    let list = folder.join("files.f");
    let list =
        fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    let names = list.lines().filter_map(|line| line.trim().strip_prefix("rtl/"));
    let names: Vec<&str> = names.filter(|name| name.ends_with(".v")).collect();
    if names.is_empty() {
        bail!("files.f of {} lists no Verilog", folder.display());
    }
    let result = tempfile::tempdir().context("cannot make a temporary folder")?;
    let netlist = result.path().join("netlist.json");
    let passes = format!(
        "read_verilog {}\n\
         synth_xilinx -family xc7 -flatten -abc9 -noiopad -noclkbuf -top {top}\n\
         write_json {}",
        names.join(" "),
        netlist.display()
    );
    let program = "import sys\n\
        from pyosys import libyosys as y\n\
        d = y.Design()\n\
        for p in sys.argv[1].splitlines():\n    d.run_pass(p)\n";
    let mut command = Command::new(python);
    run::text(command.args(["-c", program, &passes]).current_dir(&rtl))
        .context("Yosys refuses the design")?;
    let file = fs::File::open(&netlist).context("Yosys wrote no netlist")?;
    let netlist = netlist::Netlist::read(std::io::BufReader::new(file))?;
    let module = netlist.modules.get(top);
    Ok(Area::of(module.with_context(|| format!("the netlist has no module `{top}`"))?))
}

#[cfg(test)]
mod tests {
    use super::estimate;
    use serde_json::json;

    #[test]
    fn finds_the_estimate_of_the_whole_design() {
        let inner = json!({"luts": 1, "ffs": 1, "bram36": 1, "dsps": 1});
        let outer = json!({"luts": 7, "ffs": 8, "bram36": 1.5, "dsps": 0});
        let found = estimate(&json!({"engines": [inner], "facts": outer.clone()})).unwrap();
        assert_eq!((found.luts, found.bram36), (7.0, 1.5));
        assert_eq!(estimate(&outer).unwrap().ffs, 8.0);
        assert!(estimate(&json!({"luts": 7})).is_none());
    }
}
