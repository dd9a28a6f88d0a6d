//! `cargo xtask boards`: every board with published networks, or what is missing and by how much.

use crate::sweep::network;
use crate::workspace::Workspace;
use crate::xnorflow::Xnorflow;
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Builds all models for all boards and prints a row for each.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let xnorflow = Xnorflow::release(workspace)?;
    let listed = json(&xnorflow, &[&"boards", &"--json"])?;
    let boards = listed["boards"].as_array().context("`xnorflow boards` lists none")?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut networks = network::all(workspace, folder.path())?;
    if networks.iter().any(|n| NETWORKS.contains(&n.name)) {
        networks.retain(|n| NETWORKS.contains(&n.name));
    }
    println!("| board | network | frames/s | MHz | LUT | % | FF | BRAM36 | % | gap % |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|");
    for board in boards {
        let name = board["name"].as_str().context("a board without a name")?;
        for network::Network { name: network, model, .. } in &networks {
            let out = folder.path().join(format!("{name}-{network}"));
            let arguments: [&dyn AsRef<std::ffi::OsStr>; 9] =
                [&"build", model, &"--board", &name, &"--frames", &"1", &"-o", &out, &"--json"];
            let said = json(&xnorflow, &arguments)?;
            println!("{}", row(name, network, board, &said));
            if !said["error"].is_null() && said["error"]["code"] != "fold-budget" {
                bail!("{network} on {name}: {}", said["error"]);
            }
        }
    }
    Ok(())
}

/// Of the networks that are swept the published ones, or where they are not at hand the shipped one.
const NETWORKS: [&str; 3] = ["TFC_1W1A", "lfcW1A1", "cnvW1A1"];

/// A row of figures, or the error of a design that does not fit.
fn row(board: &str, network: &str, facts: &Value, said: &Value) -> String {
    if let Some(text) = said["error"]["message"].as_str() {
        return format!("| {board} | {network} | {text} | | | | | | | |");
    }
    let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
    let share = |key: &str| 100.0 * number(&said[key]) / number(&facts[key]);
    format!(
        "| {board} | {network} | {:.0} | {} | {} | {:.1} | {} | {} | {:.1} | {:.1} |",
        number(&said["fps"]),
        said["clock_mhz"],
        said["luts"],
        share("luts"),
        said["ffs"],
        said["bram36"],
        share("bram36"),
        100.0 * number(&said["gap"]),
    )
}

/// What a command prints with `--json`, errors included.
fn json(xnorflow: &Xnorflow, arguments: &[&dyn AsRef<std::ffi::OsStr>]) -> Result<Value> {
    let output = xnorflow.command(arguments).output().context("cannot run xnorflow")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("xnorflow said {}", String::from_utf8_lossy(&output.stderr)))
}
