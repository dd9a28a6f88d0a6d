//! `cargo xtask setup`: the external tools, installed where they are missing.
//!
//! A tool that cannot be had is an error that says what to do, never a reason to skip something.

mod debian;
mod python;
mod yosys;

use crate::run;
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

pub(crate) use yosys::ensure_yosys;

/// A program and where it comes from.
struct Tool {
    program: &'static str,
    /// An option that makes it end at once.
    version_option: &'static str,
    /// The Debian package that holds it.
    package: &'static str,
}

const VERILATOR: Tool =
    Tool { program: "verilator", version_option: "--version", package: "verilator" };
const ICARUS: Tool = Tool { program: "iverilog", version_option: "-V", package: "iverilog" };
const MAKE: Tool = Tool { program: "make", version_option: "--version", package: "make" };
const COMPILER: Tool = Tool { program: "g++", version_option: "--version", package: "g++" };

/// The oldest Verilator that is known to take the emitted designs.
const OLDEST_VERILATOR: f64 = 5.006;

/// What plain ONNX graphs are compared with.
const ONNXRUNTIME: python::Package = python::Package {
    what: "onnxruntime",
    name: "onnxruntime",
    package: "onnxruntime==1.32.0",
    version: "import numpy, onnxruntime; print(onnxruntime.__version__)",
};

/// Installs whatever is missing and prints the versions.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    ensure_verilator()?;
    ensure_iverilog()?;
    let python = ensure_yosys(workspace)?;
    println!("{}", run::text(Command::new("verilator").arg("--version"))?.trim());
    let icarus = run::text(Command::new("iverilog").arg("-V"))?;
    println!("{}", icarus.lines().next().unwrap_or("Icarus Verilog").trim());
    println!("{} (pyosys in {})", yosys::version(&python)?, python.display());
    Ok(())
}

/// The Python of a virtual environment in which `onnxruntime` can be imported.
pub(crate) fn ensure_onnxruntime(workspace: &Workspace) -> Result<PathBuf> {
    ONNXRUNTIME.ensure(workspace)
}

/// Verilator with the compiler and `make` that it builds simulations with.
pub(crate) fn ensure_verilator() -> Result<()> {
    ensure(&[VERILATOR, MAKE, COMPILER])?;
    let version = run::text(Command::new("verilator").arg("--version"))?;
    match version.split_whitespace().nth(1).and_then(|v| v.parse::<f64>().ok()) {
        Some(number) if number < OLDEST_VERILATOR => bail!(
            "Verilator {number} is too old: install {OLDEST_VERILATOR} or later and put it first in PATH"
        ),
        _ => Ok(()),
    }
}

/// Icarus Verilog.
pub(crate) fn ensure_iverilog() -> Result<()> {
    ensure(&[ICARUS])
}

fn ensure(tools: &[Tool]) -> Result<()> {
    let is_missing = |tool: &&Tool| !run::exists(tool.program, tool.version_option);
    let missing: Vec<&Tool> = tools.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let programs: Vec<&str> = missing.iter().map(|t| t.program).collect();
    let packages: Vec<&str> = missing.iter().map(|t| t.package).collect();
    println!("{} is missing: installing it", programs.join(", "));
    debian::install(&packages)
        .with_context(|| format!("{} is needed and missing", programs.join(", ")))?;
    if let Some(tool) = missing.iter().copied().find(is_missing) {
        let Tool { program, package, .. } = tool;
        bail!("`{program}` is still missing after package {package} was installed: put it in PATH");
    }
    Ok(())
}
