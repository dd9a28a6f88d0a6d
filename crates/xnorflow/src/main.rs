//! The command line of xnorflow. See `xnorflow --help`.

mod arrays;
mod cli;
mod commands;
mod frames;
mod model;
mod progress;

use clap::Parser;
use cli::{Cli, Command};
use diagnostic::{Diagnostic, Exit};
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let done = match &cli.command {
        Command::Inspect(options) => commands::inspect::run(options),
        Command::Build(options) => commands::build::run(options),
        Command::Explore(options) => commands::explore::run(options),
        Command::Sim(options) => commands::sim::run(options),
        Command::Verify(options) => commands::verify::run(options),
        Command::Infer(options) => commands::infer::run(options),
        Command::Boards(options) => commands::boards::run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, cli.command.json()),
    }
}

/// Shows an error on stderr, and with `--json` on stdout, and gives its exit status.
fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let mut stderr = std::io::stderr();
    let Some(diagnostic) = error.downcast_ref::<Diagnostic>() else {
        let _ = writeln!(stderr, "error: {error:#}");
        return ExitCode::from(1);
    };
    if json {
        commands::say_json_error(diagnostic);
    }
    let _ = writeln!(stderr, "{diagnostic}");
    ExitCode::from(match diagnostic.code.exit() {
        Exit::Refused => 1,
        Exit::Usage => 2,
        Exit::Tool => 3,
    })
}
