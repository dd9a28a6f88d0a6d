//! Yosys as a Python package in a virtual environment of its own.
//!
//! Debian's Yosys 0.23 aborts on some block RAMs of these designs; the package `pyosys` holds a
//! newer one.

use super::debian;
use crate::run;
use crate::workspace::{Workspace, remove_folder};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package and its version: estimates are compared with what this version makes.
const PACKAGE: &str = "pyosys==0.70";

/// A first try and two more.
const TRIES: usize = 3;

/// The Python of a virtual environment in which `pyosys` can be imported.
pub(crate) fn ensure_yosys(workspace: &Workspace) -> Result<PathBuf> {
    let tools = workspace.target.join("tools");
    fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
    let folder = tools.join("pyosys");
    let (marker, python) = (folder.join("ready"), folder.join("bin/python"));

    // Two set-ups at once: the second waits here and then finds everything done.
    let lock = tools.join("pyosys.lock");
    let lock = File::create(&lock).with_context(|| format!("cannot create {}", lock.display()))?;
    lock.lock().context("cannot lock target/tools/pyosys.lock")?;

    let current = fs::read_to_string(&marker).is_ok_and(|text| text.trim() == PACKAGE);
    if current && version(&python).is_ok() {
        return Ok(python);
    }
    println!("Yosys is missing: installing {PACKAGE} from PyPI into {}", folder.display());
    ensure_python()?;
    let mut tries = 1;
    while let Err(error) = install(&folder, &python) {
        if tries == TRIES {
            return Err(error.context(format!(
                "Yosys is needed and cannot be installed: see that `python3 -m pip download {PACKAGE}` works, then start again"
            )));
        }
        eprintln!("{error:#}: trying again");
        tries += 1;
    }
    fs::write(&marker, PACKAGE).with_context(|| format!("cannot write {}", marker.display()))?;
    Ok(python)
}

/// The version of Yosys behind a Python, as Yosys says it.
pub(crate) fn version(python: &Path) -> Result<String> {
    let program = "from pyosys import libyosys as y; print(y.yosys_maybe_version())";
    let said = run::text(Command::new(python).args(["-c", program]))?;
    Ok(said.trim().to_string())
}

fn ensure_python() -> Result<()> {
    if !run::exists("python3", "--version") {
        debian::install(&["python3", "python3-venv"]).context("python3 is needed and missing")?;
    }
    let venv = ["-c", "import venv, ensurepip"];
    if run::text(Command::new("python3").args(venv)).is_err() {
        debian::install(&["python3-venv"])
            .context("the module `venv` of python3 is needed and missing")?;
        if run::text(Command::new("python3").args(venv)).is_err() {
            bail!("`python3` cannot import venv and ensurepip: install them for that python3");
        }
    }
    Ok(())
}

fn install(folder: &Path, python: &Path) -> Result<()> {
    remove_folder(folder)?;
    run::step(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", PACKAGE];
    run::step(Command::new(python).args(pip))?;
    version(python).map(|_| ())
}
