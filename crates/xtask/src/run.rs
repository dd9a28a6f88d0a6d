//! Running other programs: shown, timed, and never failing in silence.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Shows the command, runs it with its output on this terminal, and tells how long it took.
pub(crate) fn step(command: &mut Command) -> Result<Duration> {
    println!("$ {}", show(command));
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot run `{}`", show(command)))?;
    let took = start.elapsed();
    if !status.success() {
        bail!("`{}` ended with {status}", show(command));
    }
    println!("  done in {:.1} s\n", took.as_secs_f64());
    Ok(took)
}

/// Runs a command and returns what it wrote to stdout; both streams go into the error.
pub(crate) fn text(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run `{}`", show(command)))?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let said = last_lines(&format!("{stdout}\n{stderr}"), 40);
        bail!("`{}` ended with {}\n{said}", show(command), output.status);
    }
    Ok(stdout)
}

/// Shows the command, runs it with progress on this terminal, and reads the one JSON object that it
/// prints. A status other than 0 is an error.
pub(crate) fn json(command: &mut Command) -> Result<(Value, Duration)> {
    println!("$ {}", show(command));
    let (value, took) = quiet_json(command.stderr(Stdio::inherit()))?;
    println!("  done in {:.1} s\n", took.as_secs_f64());
    Ok((value, took))
}

/// [`json`] without a word on this terminal.
pub(crate) fn quiet_json(command: &mut Command) -> Result<(Value, Duration)> {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run `{}`", show(command)))?;
    let took = start.elapsed();
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let said = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
        bail!("`{}` ended with {}\n{}", show(command), output.status, last_lines(&said, 40));
    }
    let value = serde_json::from_str(&stdout)
        .with_context(|| format!("`{}` did not print one JSON object", show(command)))?;
    Ok((value, took))
}

/// Whether a program can be started at all.
pub(crate) fn exists(program: &str, version_option: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(version_option).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok()
}

/// A number of a JSON object, by key.
pub(crate) fn number(object: &Value, key: &str) -> Result<f64> {
    object
        .get(key)
        .and_then(Value::as_f64)
        .with_context(|| format!("the JSON output has no number `{key}`"))
}

/// A command as a person would type it in the root of the workspace.
pub(crate) fn show(command: &Command) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| quoted(word, &here)).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &OsStr, here: &Path) -> String {
    let path = Path::new(word);
    let shorter = path.strip_prefix(here).ok().filter(|p| !p.as_os_str().is_empty());
    let text = shorter.unwrap_or(path).to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "_-./=+:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/somewhere/target/release/xnorflow");
        command.args(["build", "a b.onnx", "--stall", "0.3"]);
        assert_eq!(show(&command), "xnorflow build 'a b.onnx' --stall 0.3");
    }

    #[test]
    fn a_failure_shows_what_the_program_said() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2; exit 7"]);
        let error = text(&mut command).unwrap_err().to_string();
        assert!(error.contains("exit status: 7"), "{error}");
        assert!(error.contains("one") && error.contains("two"), "{error}");
    }

    #[test]
    fn a_status_other_than_zero_beats_any_output() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo '{\"mismatches\": 0}'; exit 1"]);
        assert!(quiet_json(&mut command).is_err());
    }
}
