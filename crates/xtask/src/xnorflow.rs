//! The program under test: `xnorflow`, built and run.

use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A built `xnorflow`.
#[derive(Debug)]
pub(crate) struct Xnorflow {
    /// The binary.
    pub(crate) program: PathBuf,
}

impl Xnorflow {
    /// Builds it as users get it.
    pub(crate) fn release(workspace: &Workspace) -> Result<Self> {
        let built = built(workspace, &["build", "--release", "--package", "xnorflow"])?;
        Ok(Self { program: built.context("cargo built no binary `xnorflow`")? })
    }

    /// A command of it, made of words and paths.
    pub(crate) fn command(&self, arguments: &[&dyn AsRef<OsStr>]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments.iter().map(AsRef::as_ref));
        command
    }
}

/// Runs a cargo command that builds, and returns the binary `xnorflow` if it was among the results.
pub(crate) fn built(workspace: &Workspace, arguments: &[&str]) -> Result<Option<PathBuf>> {
    let mut command = workspace.cargo(arguments);
    command.arg("--message-format=json-render-diagnostics");
    println!("$ cargo {}", arguments.join(" "));
    let start = std::time::Instant::now();
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot run cargo")?;
    if !output.status.success() {
        bail!("`cargo {}` ended with {}", arguments.join(" "), output.status);
    }
    println!("  done in {:.1} s\n", start.elapsed().as_secs_f64());
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages.lines().filter_map(binary).next_back())
}

/// The path in a message of cargo that says that the binary `xnorflow` (not its tests) is built.
fn binary(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let target = message.get("target")?;
    let is_bin = target.get("kind")?.as_array()?.iter().any(|kind| kind == "bin");
    let is_test = message.get("profile")?.get("test")?.as_bool()?;
    let wanted = is_bin && !is_test && target.get("name")? == "xnorflow";
    wanted.then_some(())?;
    Some(Path::new(message.get("executable")?.as_str()?).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::binary;
    use std::path::PathBuf;

    #[test]
    fn finds_the_binary_and_not_its_tests() {
        let message = |test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"kind":["bin"],"name":"xnorflow"}},"profile":{{"test":{test}}},"executable":"t/xnorflow"}}"#
            )
        };
        assert_eq!(binary(&message(false)), Some(PathBuf::from("t/xnorflow")));
        assert_eq!(binary(&message(true)), None);
        assert_eq!(binary(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
