//! `xnorflow sim`

use super::{say, say_json};
use crate::cli::Sim;
use crate::{arrays, cli};
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use emit::{Design, Expected};
use golden::{Golden, Outcome};
use std::time::Instant;
use streamline::Frames;

/// Frames for a run without `--input`.
const DEFAULT_FRAMES: usize = 16;

/// What a simulation gives.
pub(crate) struct Simulated {
    pub(crate) frames: Frames,
    pub(crate) expected: Expected,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) accuracy: Option<f64>,
    /// One thread, values and cycles of every word.
    pub(crate) seconds: f64,
}

pub(crate) fn simulate(
    design: &Design,
    arrays: &cli::Arrays,
    stalls: &cli::Stalls,
) -> Result<Simulated> {
    if !(0.0..1.0).contains(&stalls.stall) {
        let text = format!("--stall {} is no probability below 1", stalls.stall);
        return Err(Diagnostic::new(Code::Usage, text).hint("use 0 to 0.99").into());
    }
    let frames = match arrays::frames(arrays, &design.network.input)? {
        Some(frames) => frames,
        None => {
            let count = arrays.frames.unwrap_or(DEFAULT_FRAMES);
            emit::seeded_frames(&design.network.input, stalls.seed, count)
        }
    };
    if frames.is_empty() {
        return Err(Diagnostic::new(Code::Usage, "there are no frames to run").into());
    }
    let labels = arrays::labels(arrays, frames.len())?;
    let (input, output) = (design.dataflow.input(), design.dataflow.output());
    let waits = if stalls.stall > 0.0 {
        let words = |s: &dataflow::Stream| s.words_per_frame() * frames.len();
        sim::Stalls::random(stalls.stall, stalls.seed, words(input), words(output))
    } else {
        sim::Stalls::none()
    };
    let start = Instant::now();
    let expected = Expected::new(design, &frames, &waits)?;
    let seconds = start.elapsed().as_secs_f64();
    let golden = Golden::new(&design.network);
    let outcomes = golden.run_all(&frames, || ());
    arrays::write(arrays, &golden, &outcomes)?;
    let accuracy = labels.map(|l| arrays::accuracy(&golden, &outcomes, &l));
    Ok(Simulated { frames, expected, outcomes, accuracy, seconds })
}

impl Simulated {
    /// Cycles between the last two frames; of a single frame, what the design takes.
    fn interval(&self, design: &Design) -> u64 {
        match sim::interval(&design.dataflow, &self.expected.times) {
            0 => design.facts.ii_cycles,
            interval => interval,
        }
    }

    /// The keys that `sim` and `verify` share.
    pub(crate) fn json(&self, design: &Design) -> serde_json::Value {
        let times = &self.expected.times;
        serde_json::json!({
            "frames": self.frames.len(),
            "cycles": times.cycles(),
            "ii_cycles": self.interval(design),
            "latency_cycles": sim::latency(&design.dataflow, times),
            "accuracy": self.accuracy,
            "simulator_seconds": self.seconds,
        })
    }

    pub(crate) fn show(&self, design: &Design) {
        let times = &self.expected.times;
        say(&format!(
            "{} frames in {} cycles; interval {} cycles, latency {} cycles",
            self.frames.len(),
            report::thousands(times.cycles()),
            report::thousands(self.interval(design)),
            report::thousands(sim::latency(&design.dataflow, times)),
        ));
        if let Some(accuracy) = self.accuracy {
            say(&format!("accuracy {:.2} %", 100.0 * accuracy));
        }
    }
}

pub(crate) fn run(options: &Sim) -> Result<()> {
    let design = Design::load(&options.design)?;
    let simulated = simulate(&design, &options.arrays, &options.stalls)?;
    if let Some(folder) = &options.folder {
        write_files(folder, simulated.expected.files())?;
    }
    debug_assert_eq!(simulated.outcomes.len(), simulated.frames.len());
    if options.json {
        say_json(&simulated.json(&design));
    } else {
        simulated.show(&design);
    }
    Ok(())
}

/// Writes plain files into a folder, which is made if need be.
pub(crate) fn write_files(
    folder: &std::path::Path,
    files: Vec<(String, Vec<u8>)>,
) -> diagnostic::Result<()> {
    let access = |e: std::io::Error| {
        Diagnostic::new(Code::FileAccess, e.to_string()).from(folder.display().to_string())
    };
    std::fs::create_dir_all(folder).map_err(access)?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).map_err(access)?;
    }
    Ok(())
}
