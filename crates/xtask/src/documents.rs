//! The generated pages of `docs/`: written by `regenerate`, compared by `test`.

use crate::run;
use crate::workspace::Workspace;
use crate::xnorflow::Xnorflow;
use anyhow::{Context, Result, bail};
use diagnostic::{Code, Exit};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const ERRORS: &str = "docs/errors.md";
const COMMANDS: &str = "docs/cli.md";

/// Writes every generated page.
pub(crate) fn regenerate(workspace: &Workspace) -> Result<()> {
    let write = |page: &str, text: String| {
        std::fs::write(workspace.root.join(page), text)
            .with_context(|| format!("cannot write {page}"))?;
        println!("wrote {page}");
        anyhow::Ok(())
    };
    write(ERRORS, errors()?)?;
    write(COMMANDS, commands(&Xnorflow::release(workspace)?.program)?)
}

/// Fails when `docs/errors.md` is not what would be written now.
pub(crate) fn check_errors(workspace: &Workspace) -> Result<()> {
    check(workspace, ERRORS, &errors()?)
}

/// Fails when `docs/cli.md` is not what would be written now.
pub(crate) fn check_commands(workspace: &Workspace, program: &Path) -> Result<()> {
    check(workspace, COMMANDS, &commands(program)?)
}

fn check(workspace: &Workspace, page: &str, expected: &str) -> Result<()> {
    let found = std::fs::read_to_string(workspace.root.join(page)).unwrap_or_default();
    if found == expected {
        println!("{page} is up to date");
        return Ok(());
    }
    let lines = found.lines().zip(expected.lines());
    let line = lines.take_while(|(a, b)| a == b).count() + 1;
    bail!("{page} is out of date from line {line} on: run `cargo xtask regenerate`")
}

/// `docs/errors.md`.
fn errors() -> Result<String> {
    let mut page = String::from(
        "# Errors\n\n\
        <!-- Written by `cargo xtask regenerate` from `diagnostic::Code`: do not edit. -->\n\n\
        Every error of `xnorflow` shows its code as `error[code]`, then what is wrong, the node of\n\
        the model and the file that it is about, and a hint. With `--json` the object on stdout has\n\
        the same parts under `error`; further errors of the same pass are in its list `more`.\n\n\
        | exit status | meaning |\n|---|---|\n\
        | 0 | done, and everything that was compared is equal |\n\
        | 1 | the input is refused, or something that was compared differs |\n\
        | 2 | wrong usage of the command line |\n\
        | 3 | an external tool is missing or failed |\n",
    );
    for code in Code::ALL {
        let status = match code.exit() {
            Exit::Refused => 1,
            Exit::Usage => 2,
            Exit::Tool => 3,
        };
        write!(page, "\n## {code}\n\n{}\n\nExit status {status}.\n", code.explanation())?;
    }
    Ok(page)
}

/// `docs/cli.md`.
fn commands(program: &Path) -> Result<String> {
    let overview = help(program, &[])?;
    let mut page = String::from(
        "# Command line\n\n\
        <!-- Written by `cargo xtask regenerate` from `xnorflow --help`: do not edit. -->\n\n",
    );
    write!(page, "```text\n{overview}\n```\n")?;
    let names = subcommands(&overview);
    if names.is_empty() {
        bail!("`xnorflow --help` lists no commands");
    }
    for name in names {
        let text = help(program, &[&name])?;
        write!(page, "\n## xnorflow {name}\n\n```text\n{text}\n```\n")?;
    }
    Ok(page)
}

/// The text of `--help`, the same on every terminal.
fn help(program: &Path, command: &[&str]) -> Result<String> {
    let mut help = Command::new(program);
    help.args(command).arg("--help").env("COLUMNS", "100").env("NO_COLOR", "1");
    let text = run::text(&mut help)?;
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    Ok(lines.join("\n"))
}

/// The names under `Commands:`.
fn subcommands(overview: &str) -> Vec<String> {
    let lines = overview.lines().skip_while(|line| line.trim() != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // Names stand in the third column, the rest of a wrapped description further right.
    let names = lines.filter_map(|line| line.strip_prefix("  ").filter(|l| !l.starts_with(' ')));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_section() {
        let page = errors().unwrap();
        for code in Code::ALL {
            assert!(page.contains(&format!("\n## {code}\n\n")), "{code}");
        }
    }

    #[test]
    fn finds_the_commands() {
        let overview = "About\n\nUsage: x <COMMAND>\n\nCommands:\n  build  Builds it,\n         long\n  \
            sim    Simulates\n  help   Print this\n\nOptions:\n  -h, --help  Print\n";
        assert_eq!(subcommands(overview), ["build", "sim"]);
    }
}
