//! `xnorflow sim`

use super::{say, say_json};
use crate::arrays::{self, Results};
use crate::cli::Sim;
use crate::frames::Source;
use crate::{cli, progress};
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use emit::{Design, Expected, Trace};
use sim::{Activity, Run, Stalls, Words};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Instant;

/// Frames for a run without `--input`.
const DEFAULT_FRAMES: usize = 16;

/// What goes through a design, and its waits.
pub(crate) struct Task {
    pub(crate) frames: Source,
    pub(crate) stalls: Stalls,
}

impl Task {
    pub(crate) fn new(design: &Design, arrays: &cli::Arrays, stalls: &cli::Stalls) -> Result<Self> {
        if !(0.0..1.0).contains(&stalls.stall) {
            let text = format!("--stall {} is no probability below 1", stalls.stall);
            return Err(Diagnostic::new(Code::Usage, text).hint("use 0 to 0.99").into());
        }
        let input = &design.network.input;
        let count = arrays.frames.map(arrays::frame_count).transpose()?;
        let frames = match &arrays.input {
            Some(path) => Source::file(path, input)?.first(count.unwrap_or(usize::MAX)),
            None => Source::seeded(input, stalls.seed, count.unwrap_or(DEFAULT_FRAMES)),
        };
        Ok(Self { frames, stalls: Stalls::random(stalls.stall, stalls.seed) })
    }

    /// What every stream carries and when, before the first frame.
    pub(crate) fn expected(&self, design: &Design) -> Expected {
        Expected::of_no_frame(design, &self.stalls)
    }
}

/// What a simulation shows.
pub(crate) struct Simulated<'d> {
    design: &'d Design,
    run: Run<'d>,
    activity: Activity<'d>,
    accuracy: Option<f64>,
    /// One thread, values and cycles of every word.
    seconds: f64,
}

/// Simulates frame after frame. `trace` is where to write the waveform; `expected` gets every frame.
pub(crate) fn simulate<'d>(
    design: &'d Design,
    arrays: &cli::Arrays,
    task: &mut Task,
    trace: Option<&Path>,
    mut expected: Option<&mut Expected>,
) -> Result<Simulated<'d>> {
    let mut words = Words::new(&design.dataflow, &design.network);
    let mut run = Run::new(&design.dataflow, &task.stalls).counting();
    let mut trace = match trace {
        None => None,
        Some(path) => {
            run = run.recording();
            let file = File::create(path).and_then(|f| Trace::new(design, BufWriter::new(f)));
            Some((path, file.map_err(access(path))?))
        }
    };
    let mut activity = Activity::new(&design.dataflow);
    let mut results = Results::new(arrays, task.frames.len())?;
    let bar = progress::bar("simulating", task.frames.len());
    let mut seconds = 0.0;
    task.frames.each(|frames| -> Result<()> {
        for frame in frames.iter() {
            let start = Instant::now();
            let moved = run.frame()?;
            activity.observe(&moved);
            words.run(frame);
            seconds += start.elapsed().as_secs_f64();
            if let Some(expected) = &mut expected {
                expected.add(&moved, &words);
            }
            if let Some((path, trace)) = &mut trace {
                trace.frame(&moved, &words).map_err(access(path))?;
            }
            if results.are_wanted() {
                let (golden, scratch) = words.golden();
                results.add(golden, &golden.outcome(scratch));
            }
            bar.inc(1);
        }
        Ok(())
    })?;
    if let Some((path, trace)) = trace {
        trace.finish().map_err(access(path))?;
    }
    bar.finish_and_clear();
    let accuracy = results.accuracy();
    results.write()?;
    Ok(Simulated { design, run, activity, accuracy, seconds })
}

impl Simulated<'_> {
    /// Cycles between the last two frames; of a single frame, what the design takes.
    fn interval(&self) -> u64 {
        match self.activity.interval().last {
            0 => self.design.facts.ii_cycles,
            interval => interval,
        }
    }

    /// The keys that `sim` and `verify` share.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "frames": self.activity.frames(),
            "cycles": self.activity.cycles(),
            "ii_cycles": self.interval(),
            "latency_cycles": self.activity.latency().first,
            "accuracy": self.accuracy,
            "simulator_seconds": self.seconds,
            "activity": self.activity_json(),
        })
    }

    /// Where the cycles went.
    fn activity_json(&self) -> serde_json::Value {
        let spread = |s: sim::Spread| serde_json::json!({ "least": s.least, "most": s.most, "mean": s.mean() });
        let engines = &self.design.dataflow.engines;
        let engine = |(index, engine): (usize, &dataflow::Engine)| {
            let a = self.activity.engine(&self.run, index);
            serde_json::json!({
                "name": engine.name,
                "kind": engine.kind.name(),
                "busy": a.busy,
                "starved": a.starved,
                "stalled": a.stalled,
            })
        };
        let fifo = |f: sim::FifoActivity| {
            serde_json::json!({
                "name": engines[f.engine].name,
                "depth": f.depth,
                "most": f.most,
                "mean": f.mean,
            })
        };
        serde_json::json!({
            "latency": spread(self.activity.latency()),
            "interval": spread(self.activity.interval()),
            "engines": engines.iter().enumerate().map(engine).collect::<Vec<_>>(),
            "fifos": self.activity.fifos().into_iter().map(fifo).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn show(&self) {
        say(&format!(
            "{} frames in {} cycles; interval {} cycles, latency {} cycles",
            self.activity.frames(),
            report::thousands(self.activity.cycles()),
            report::thousands(self.interval()),
            report::thousands(self.activity.latency().first),
        ));
        if let Some(accuracy) = self.accuracy {
            say(&format!("accuracy {:.2} %", 100.0 * accuracy));
        }
    }

    /// A table of where the cycles went.
    fn show_activity(&self) {
        let cycles = self.activity.cycles().max(1) as f64;
        let share = |part: u64| format!("{:.1} %", 100.0 * part as f64 / cycles);
        let engines = &self.design.dataflow.engines;
        let row = |(index, engine): (usize, &dataflow::Engine)| {
            let a = self.activity.engine(&self.run, index);
            vec![
                engine.name.clone(),
                engine.kind.name().to_string(),
                share(a.busy),
                share(a.starved),
                share(a.stalled),
            ]
        };
        let rows: Vec<Vec<String>> = engines.iter().enumerate().map(row).collect();
        say(&report::table(&["engine", "kind", "busy", "starved", "stalled"], &rows));
        let row = |f: sim::FifoActivity| {
            let name = engines[f.engine].name.clone();
            vec![name, f.depth.to_string(), f.most.to_string(), format!("{:.1}", f.mean)]
        };
        let rows: Vec<Vec<String>> = self.activity.fifos().into_iter().map(row).collect();
        if !rows.is_empty() {
            say(&report::table(&["FIFO", "depth", "most words", "mean"], &rows));
        }
    }
}

pub(crate) fn run(options: &Sim) -> Result<()> {
    let design = Design::load(&options.design)?;
    let mut task = Task::new(&design, &options.arrays, &options.stalls)?;
    let mut kept = options.folder.as_ref().map(|_| task.expected(&design));
    let trace = options.trace.as_deref();
    let simulated = simulate(&design, &options.arrays, &mut task, trace, kept.as_mut())?;
    if let Some((folder, kept)) = options.folder.as_ref().zip(kept) {
        write_files(folder, kept.files())?;
    }
    if options.json {
        say_json(&simulated.json());
    } else {
        simulated.show();
        simulated.show_activity();
    }
    Ok(())
}

/// Writes plain files into a folder, which is made if need be.
pub(crate) fn write_files(folder: &Path, files: Vec<(String, Vec<u8>)>) -> diagnostic::Result<()> {
    std::fs::create_dir_all(folder).map_err(access(folder))?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).map_err(access(folder))?;
    }
    Ok(())
}

/// The error of a place that could not be written to.
fn access(path: &Path) -> impl Fn(std::io::Error) -> Diagnostic {
    let from = path.display().to_string();
    move |e| Diagnostic::new(Code::FileAccess, e.to_string()).from(from.clone())
}
