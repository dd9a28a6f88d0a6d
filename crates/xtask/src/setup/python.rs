//! Python packages, each in a virtual environment of its own below `target/tools`.

use super::debian;
use crate::run;
use crate::workspace::{Workspace, remove_folder};
use anyhow::{Context, Result, bail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A package of PyPI.
pub(super) struct Package {
    /// What it is to people.
    pub(super) what: &'static str,
    /// Its environment's name.
    pub(super) name: &'static str,
    /// The package and its version.
    pub(super) package: &'static str,
    /// A program that prints its version.
    pub(super) version: &'static str,
}

/// A first try and two more.
const TRIES: usize = 3;

impl Package {
    /// The Python of a virtual environment that has the package.
    pub(super) fn ensure(&self, workspace: &Workspace) -> Result<PathBuf> {
        let Self { what, name, package, .. } = self;
        let tools = workspace.target.join("tools");
        fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
        let folder = tools.join(name);
        let (marker, python) = (folder.join("ready"), folder.join("bin/python"));

        // Two set-ups at once: the second waits here and then finds everything done.
        let lock = tools.join(format!("{name}.lock"));
        let file =
            File::create(&lock).with_context(|| format!("cannot create {}", lock.display()))?;
        file.lock().with_context(|| format!("cannot lock {}", lock.display()))?;

        let current = fs::read_to_string(&marker).is_ok_and(|text| text.trim() == *package);
        if current && self.version(&python).is_ok() {
            return Ok(python);
        }
        println!("{what} is missing: installing {package} from PyPI into {}", folder.display());
        ensure_python()?;
        let mut tries = 1;
        while let Err(error) = self.install(&folder, &python) {
            if tries == TRIES {
                return Err(error.context(format!(
                    "{what} is needed and cannot be installed: see that `python3 -m pip download {package}` works, then start again"
                )));
            }
            eprintln!("{error:#}: trying again");
            tries += 1;
        }
        fs::write(&marker, package)
            .with_context(|| format!("cannot write {}", marker.display()))?;
        Ok(python)
    }

    /// The version behind a Python, as the package says it.
    pub(super) fn version(&self, python: &Path) -> Result<String> {
        let said = run::text(Command::new(python).args(["-c", self.version]))?;
        Ok(said.trim().to_string())
    }

    fn install(&self, folder: &Path, python: &Path) -> Result<()> {
        remove_folder(folder)?;
        run::step(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", self.package];
        run::step(Command::new(python).args(pip))?;
        self.version(python).map(|_| ())
    }
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
