//! Building and running the harness.

use diagnostic::{Code, Diagnostic, Result};
use serde::Deserialize;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A simulation built by Verilator.
#[derive(Debug, Clone)]
pub struct Harness {
    executable: PathBuf,
    /// The folder of the memory files, in which it must run.
    rtl: PathBuf,
}

/// What the harness says of a run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Run {
    /// Whether all frames came out.
    pub finished: bool,
    /// Cycles that it ran.
    pub cycles: u64,
    /// Words that moved, all streams together.
    pub words: u64,
    /// Breaches of the stream contract.
    pub violations: u64,
    /// Differences from the folder given with `--expect`.
    pub differences: u64,
    /// The sticky error flag at the end.
    pub frame_error: bool,
    /// Seconds of the run alone.
    pub seconds: f64,
    /// Seconds of processor time of the run alone.
    pub processor_seconds: f64,
    /// What it wrote to its error stream.
    #[serde(default)]
    pub messages: String,
}

/// Verilator's version line.
///
/// # Errors
/// `tool-missing` when it cannot be started.
pub fn verilator_version() -> Result<String> {
    let output = start(Command::new("verilator").arg("--version"), "verilator")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// Models of primitives, in folders of designs that have any.
const PRIMITIVES: &str = "sim/primitives";

impl Harness {
    /// Builds the simulation of an output folder in `work`, an existing folder whose path has no
    /// white space: make cannot deal with that, so what it needs of the folder is copied there.
    ///
    /// # Errors
    /// `tool-missing` without Verilator or make; `tool-failed` with the end of what they said.
    pub fn build(folder: &Path, work: &Path) -> Result<Self> {
        verilator_version()?;
        let copy = work.join("design");
        for part in ["rtl", "sim", PRIMITIVES] {
            if part != PRIMITIVES || folder.join(part).is_dir() {
                copy_files(&folder.join(part), &copy.join(part))?;
            }
        }
        let list = (folder.join("files.f"), copy.join("files.f"));
        fs::copy(&list.0, &list.1).map_err(|e| access(&list.0, &e))?;
        let mut command = Command::new("make");
        command.arg("--no-print-directory").arg("-C").arg(copy.join("sim")).arg("build");
        command.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL");
        let output = start(&mut command, "make")?;
        if !output.status.success() {
            return Err(failed("building the simulation", &output));
        }
        let executable = copy.join("sim").join("build").join(emit::bench::EXECUTABLE);
        Ok(Self { executable, rtl: copy.join("rtl") })
    }

    /// Runs the words in `input`, recording every stream in `record`.
    ///
    /// # Errors
    /// `tool-failed` when the harness cannot run; differences are no error here.
    pub fn run(&self, input: &Path, record: &Path, seed: u64, more: &[&str]) -> Result<Run> {
        let mut command = Command::new(&self.executable);
        command.current_dir(&self.rtl).arg("--input").arg(input).arg("--record").arg(record);
        command.arg("--seed").arg(seed.to_string()).args(more);
        let output = start(&mut command, "the simulation")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rev().find(|l| l.starts_with('{'));
        let run: Option<Run> = line.and_then(|l| serde_json::from_str(l).ok());
        let Some(mut run) = run else { return Err(failed("running the simulation", &output)) };
        run.messages = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(run)
    }
}

/// Copies the plain files of a folder.
fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).map_err(|e| access(to, &e))?;
    for entry in fs::read_dir(from).map_err(|e| access(from, &e))? {
        let path = entry.map_err(|e| access(from, &e))?.path();
        if let (true, Some(name)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, to.join(name)).map_err(|e| access(&path, &e))?;
        }
    }
    Ok(())
}

fn access(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(Code::FileAccess, error.to_string()).from(path.display().to_string())
}

fn start(command: &mut Command, tool: &str) -> Result<Output> {
    command.output().map_err(|e| {
        let code = if e.kind() == ErrorKind::NotFound { Code::ToolMissing } else { Code::ToolFailed };
        Diagnostic::new(code, format!("cannot start {tool}: {e}")).hint(
            "install Verilator, make and a C++ compiler (Debian: apt-get install verilator make g++)",
        )
    })
}

fn failed(what: &str, output: &Output) -> Diagnostic {
    let mut text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.trim().is_empty() {
        text = String::from_utf8_lossy(&output.stdout).into_owned();
    }
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(12)..].join("\n");
    Diagnostic::new(Code::ToolFailed, format!("{what} failed ({}):\n{end}", output.status))
}
