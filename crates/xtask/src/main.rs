//! Developer automation, run as `cargo xtask COMMAND`.
//!
//! What comes in: a clean clone and a machine with Rust, a C++ compiler and Python. What goes out:
//! a demonstration, a verdict of the tests, generated documentation, or a measurement. One file (or
//! folder) for each command; every external program goes through [`run`].

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: it tells what it does as it does it"
)]

mod area;
mod bench;
mod boards;
mod calibrate;
mod demo;
mod directions;
mod documents;
mod onnxruntime;
mod run;
mod setup;
mod sweep;
mod test;
mod workspace;
mod xnorflow;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Developer automation of xnorflow.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install the external tools that are missing: Verilator, Icarus Verilog, Yosys.
    Setup,
    /// From a clean clone to a verified accelerator: the shipped example, start to end.
    Demo,
    /// The whole test suite as CI runs it: checks, lints, documentation, tests.
    Test,
    /// The same as `test`.
    Ci,
    /// Write the generated pages of `docs/` anew.
    Regenerate,
    /// Verify published networks at many foldings on many images (long).
    Sweep(sweep::Options),
    /// Compare random plain ONNX graphs with onnxruntime.
    Onnxruntime(onnxruntime::Options),
    /// Synthesise an output folder with Yosys and compare with its estimate.
    Area(area::Options),
    /// Fit the cost models to synthesis: writes their constants anew.
    Calibrate(calibrate::Options),
    /// Build TFC, LFC and CNV (or the shipped examples) for every board; prints a Markdown table.
    Boards,
    /// Measure build, inference and simulation; prints a Markdown table.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let result = workspace::Workspace::find().and_then(|workspace| match command {
        Command::Setup => setup::run(&workspace),
        Command::Demo => demo::run(&workspace),
        Command::Test | Command::Ci => test::run(&workspace),
        Command::Regenerate => documents::regenerate(&workspace),
        Command::Sweep(options) => sweep::run(&workspace, &options),
        Command::Onnxruntime(options) => onnxruntime::run(&workspace, &options),
        Command::Area(options) => area::run(&workspace, &options),
        Command::Calibrate(options) => calibrate::run(&workspace, &options),
        Command::Boards => boards::run(&workspace),
        Command::Bench(options) => bench::run(&workspace, &options),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
