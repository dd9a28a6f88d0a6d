//! `xnorflow verify`

use super::sim::{Task, simulate, write_files};
use super::{say, say_json};
use crate::cli::Verify;
use crate::progress;
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use emit::{Design, Expected};
use std::path::{Path, PathBuf};
use verify::{Comparison, Harness};

/// Frames of the second run, with other power-up values.
const SECOND_RUN_FRAMES: usize = 8;

pub(crate) fn run(options: &Verify) -> Result<()> {
    let design = Design::load(&options.design)?;
    let temporary = tempfile::Builder::new().prefix("xnorflow-").tempdir()?;
    let mut task = Task::new(&design, &options.arrays, &options.stalls)?;
    let mut expected = task.expected(&design);
    let simulated = simulate(&design, &options.arrays, &mut task, None, Some(&mut expected))?;

    let spinner = progress::spinner("building the simulation");
    let harness = Harness::build(&options.design, temporary.path())?;
    spinner.finish_and_clear();

    let folders = Folders::new(options.folder.as_deref(), temporary.path())?;
    let spinner = progress::spinner("running Verilator");
    write_files(&folders.expected, expected.files())?;
    let (run, comparison) = once(&design, &harness, &folders, &expected, 1)?;
    // Nothing may depend on what registers and memories hold at power-up: another seed.
    let (_, second) = second_run(options, &design, &harness, temporary.path())?;
    spinner.finish_and_clear();

    let equal = comparison.is_equal() && second.is_equal();
    if options.json {
        let mut json = simulated.json();
        json["mismatches"] = (comparison.mismatches + second.mismatches).into();
        json["cycle_mismatches"] = (comparison.cycle_mismatches + second.cycle_mismatches).into();
        json["streams_compared"] = comparison.streams_compared.into();
        json["words_compared"] = comparison.words_compared.into();
        json["verilator_seconds"] = run.seconds.into();
        json["differences"] = serde_json::to_value(&comparison.first)?;
        say_json(&json);
    } else {
        simulated.show();
        if equal {
            say(&format!(
                "Verilator, simulator and golden model agree: {} streams, {} words, all cycles",
                comparison.streams_compared,
                report::thousands(comparison.words_compared as u64),
            ));
        }
    }
    comparison.into_result()?;
    second.into_result()?;
    Ok(())
}

struct Folders {
    expected: PathBuf,
    recorded: PathBuf,
}

impl Folders {
    fn new(asked: Option<&Path>, temporary: &Path) -> Result<Self> {
        let base = match asked {
            Some(folder) => std::path::absolute(folder)?,
            None => temporary.join("run"),
        };
        let folders = Self { expected: base.join("expected"), recorded: base.join("recorded") };
        std::fs::create_dir_all(&folders.expected)?;
        std::fs::create_dir_all(&folders.recorded)?;
        Ok(folders)
    }
}

fn once(
    design: &Design,
    harness: &Harness,
    folders: &Folders,
    expected: &Expected,
    seed: u64,
) -> diagnostic::Result<(verify::Run, Comparison)> {
    let run = harness.run(&folders.expected, &folders.recorded, seed, &[])?;
    if run.violations > 0 {
        return Err(Diagnostic::new(Code::Mismatch, "the stream contract is broken")
            .hint(run.messages.trim().to_string()));
    }
    let comparison = verify::compare(&design.dataflow, expected, &folders.recorded)?;
    Ok((run, comparison))
}

fn second_run(
    options: &Verify,
    design: &Design,
    harness: &Harness,
    temporary: &Path,
) -> Result<(verify::Run, Comparison)> {
    let folders = Folders::new(Some(&temporary.join("second")), temporary)?;
    let asked = options.arrays.frames.unwrap_or(SECOND_RUN_FRAMES);
    let arrays = crate::cli::Arrays {
        input: options.arrays.input.clone(),
        labels: None,
        output: None,
        raw: false,
        classes: false,
        frames: Some(asked.min(SECOND_RUN_FRAMES)),
    };
    let mut task = Task::new(design, &arrays, &options.stalls)?;
    let expected = Expected::new(design, &task.frames.all()?, &task.stalls)?;
    write_files(&folders.expected, expected.files())?;
    Ok(once(design, harness, &folders, &expected, 2)?)
}
