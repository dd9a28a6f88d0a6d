//! `cargo xtask test`: everything that CI checks.
//!
//! Cheap checks first, then lints, then one build in the profile of the tests: documentation, `cargo
//! test` and `cargo nextest` share it, and the command line that they run is one of its results.

use crate::workspace::Workspace;
use crate::xnorflow::built;
use crate::{directions, documents, run, setup};
use anyhow::{Context, Result};
use std::time::Instant;

/// Runs all checks and all tests.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let start = Instant::now();
    setup::ensure_verilator()?;
    setup::ensure_iverilog()?;
    let python = setup::ensure_yosys(workspace)?;

    run::step(&mut workspace.cargo(&["fmt", "--all", "--check"]))?;
    directions::check(workspace)?;
    documents::check_errors(workspace)?;
    let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    run::step(&mut workspace.cargo(&clippy))?;

    // The whole workspace, so that the tests find every library built with the features they need.
    let bins = built(workspace, &["build", "--workspace", "--bins", "--profile", "test"])?;
    let program = bins.context("cargo built no binary `xnorflow`")?;
    documents::check_commands(workspace, &program)?;

    let with_tools = |arguments: &[&str]| {
        let mut command = workspace.cargo(arguments);
        // What tests may rely on: a missing tool fails them, and these programs are there.
        command.env("XNORFLOW_REQUIRE_TOOLS", "1");
        command.env("XNORFLOW_BIN", &program).env("PYOSYS_PYTHON", &python);
        command
    };
    run::step(&mut with_tools(&["test", "--workspace", "--doc"]))?;
    let nextest = run::text(&mut workspace.cargo(&["nextest", "--version"])).is_ok();
    let tests: &[&str] = if nextest {
        &["nextest", "run", "--workspace", "--no-fail-fast"]
    } else {
        &["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]
    };
    run::step(&mut with_tools(tests))?;

    println!("everything is in order, in {:.0} s", start.elapsed().as_secs_f64());
    Ok(())
}
