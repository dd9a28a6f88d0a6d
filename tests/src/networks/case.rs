//! A design with everything that is checked of it.

use super::bundle::in_parallel;
use super::{Bundle, Draw, Unit, build_folder};
use diagnostic::Diagnostic;
use emit::{Design, Expected, Manifest};
use fold::{Board, Folded};
use rtl::Primitives;
use sim::{Stalls, Words};
use std::fs;
use std::path::Path;
use streamline::{Frames, Streamlined};

/// What is promised of the initiation interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timed {
    /// The slowest engine's cycles, exactly: buffers have their default size.
    ClosedForm,
    /// What the simulator says.
    Simulated,
}

/// A design to build and run.
#[derive(Debug, Clone)]
pub struct Case {
    /// Unique in its bundle; the name of the top module.
    pub name: String,
    /// How to make it again: printed when it fails.
    pub origin: String,
    /// The design.
    pub design: Design,
    /// What is promised of its interval.
    pub timed: Timed,
    /// Seed of frames and waits.
    pub seed: u64,
}

/// A design of a network and its folding.
///
/// # Errors
/// When there is no such board.
pub fn prepare(name: &str, network: Streamlined, folded: Folded) -> Result<Design, Diagnostic> {
    let manifest = Manifest {
        xnorflow: env!("CARGO_PKG_VERSION").into(),
        design: name.into(),
        model: name.into(),
        model_sha256: emit::sha256(b""),
        board: "pynq-z2".into(),
        options: Default::default(),
        seed: 0,
        input: network.input.describe(),
        output: folded.dataflow.output().element.to_string(),
        files: Default::default(),
    };
    Ok(Design::new(network, folded, Board::find("pynq-z2")?, manifest))
}

/// Cycles without a word until the harness takes a design for stuck, and the longest wait.
const IDLE: u64 = 70_000;
const LONGEST_WAIT: u64 = IDLE / 2;

impl Case {
    /// Each form of the counters in its turn.
    fn primitives(&self) -> Primitives {
        let all = [Primitives::Series7, Primitives::Portable, Primitives::UltraScale];
        all[(self.seed % 3) as usize]
    }
}

/// Frames until a design without stalls repeats itself, as `sim` counts them.
fn settled_frames(design: &Design) -> usize {
    4 * design.dataflow.engines.iter().filter(|e| !e.layer.is_empty()).count() + 12
}

/// Builds all cases in one bundle in `work` and compares every word and cycle of every stream, with
/// and without waits. Gives the report of each case that failed; the folders of those are kept.
///
/// # Errors
/// When a case does not build, or a tool is missing.
pub fn verify_all(work: &Path, cases: &[Case]) -> Result<Vec<String>, String> {
    verify_more(work, cases, (0, 0))
}

/// The same with further runs: so many seeds of waits, and frames of each.
///
/// # Errors
/// When a case does not build, or a tool is missing.
pub fn verify_more(
    work: &Path,
    cases: &[Case],
    further: (u64, usize),
) -> Result<Vec<String>, String> {
    let _ = fs::remove_dir_all(work);
    if cases.is_empty() {
        return Ok(Vec::new());
    }
    let mut units = Vec::new();
    for case in cases {
        let folder = work.join(&case.name);
        build_folder(
            &folder,
            &case.design.dataflow,
            &rtl::build(&case.design.dataflow, &case.design.network, case.primitives()),
        )?;
        units.push(Unit {
            name: case.name.clone(),
            folder,
            top: case.design.dataflow.name.clone(),
            strict: true,
        });
    }
    let explain = |text: String| {
        let origins: Vec<String> =
            cases.iter().filter(|c| text.starts_with(&c.name)).map(|c| c.origin.clone()).collect();
        format!("{text}\n{}\nkept: {}", origins.join("\n"), work.display())
    };
    let bundle = Bundle::build(work, &units).map_err(explain)?;
    let pairs: Vec<(&Case, &Unit)> = cases.iter().zip(&units).collect();
    let verified = in_parallel(&pairs, |(case, unit)| {
        let text = match verify_one(&bundle, case, unit, further) {
            Ok(()) => {
                let _ = fs::remove_dir_all(&unit.folder);
                return None;
            }
            Err(text) => text,
        };
        keep(case, &unit.folder);
        let (name, origin, fold) = (&case.name, &case.origin, &case.design.fold_text);
        Some(format!("{name}: {text}\n{origin}\n{fold}\nkept: {}", unit.folder.display()))
    });
    let failed: Vec<String> = verified.into_iter().flatten().collect();
    if failed.is_empty() {
        let _ = fs::remove_dir_all(work);
    }
    Ok(failed)
}

/// Leaves the whole output folder of a case that failed, for `xnorflow verify`.
fn keep(case: &Case, folder: &Path) {
    let frames = emit::seeded_frames(&case.design.network.input, case.seed, 4);
    if let Ok(files) = case.design.files(&frames) {
        let _ = emit::folder::write(&folder.join("out"), &files);
    }
}

fn verify_one(
    bundle: &Bundle,
    case: &Case,
    unit: &Unit,
    (seeds, frames_each): (u64, usize),
) -> Result<(), String> {
    let design = &case.design;
    let input = &design.network.input;
    let settled = settled_frames(design);
    let frames = emit::seeded_frames(input, case.seed, settled);
    let expected = run_once(bundle, case, unit, &frames, &Stalls::none(), 1)?;
    check_times(case, &expected)?;
    check_words(case, &frames, &expected)?;
    let mut draw = Draw::new(case.seed ^ 0x5741_4954);
    let few = 6.min(settled);
    let values = expected.words.last().map(|(_, _, words)| words.clone()).unwrap_or_default();
    for run in 0..4u64 {
        let count = if run == 0 { 3 } else { few };
        let words = |s: &dataflow::Stream| s.words_per_frame() * count;
        let (ins, outs) = (words(design.dataflow.input()), words(design.dataflow.output()));
        let probability = match run {
            0 | 3 => 0.0,
            1 => draw.pick(&[0.1, 0.3, 0.5]),
            _ => draw.pick(&[0.6, 0.8, 0.9]),
        };
        let mut stalls = Stalls::random(probability, draw.bits());
        if run == 3 {
            stalls = long_waits(&mut draw, design.facts.ii_cycles, ins, outs);
        }
        if run == 2 {
            // A slow source or a slow sink alone fill and empty all buffers.
            stalls = match draw.size(0, 2) {
                0 => Stalls::Trace { gaps: Vec::new(), stalls: stalls.stalls(outs) },
                1 => Stalls::Trace { gaps: stalls.gaps(ins), stalls: Vec::new() },
                _ => stalls,
            };
        }
        let some = frames.clone().first(count);
        let stalled = run_once(bundle, case, unit, &some, &stalls, 2 + run)?;
        let same = stalled.words.last().is_some_and(|(_, _, w)| values.starts_with(w));
        if !same {
            return Err("stalls change the values that come out".into());
        }
    }
    for seed in 0..seeds {
        let frames = emit::seeded_frames(input, case.seed ^ seed << 32, frames_each);
        let stalls = Stalls::random(draw.pick(&[0.2, 0.4, 0.6, 0.8]), draw.bits());
        run_once(bundle, case, unit, &frames, &stalls, 6 + seed)?;
    }
    Ok(())
}

/// A word that is asked for by itself is the one that the files have.
fn check_words(case: &Case, frames: &Frames, expected: &Expected) -> Result<(), String> {
    let dataflow = &case.design.dataflow;
    let mut words = Words::new(dataflow, &case.design.network);
    for (frame, values) in frames.iter().take(2).enumerate() {
        words.run(values);
        for (index, stream) in dataflow.streams.iter().enumerate() {
            let (name, bytes, all) = &expected.words[index];
            let count = stream.words_per_frame();
            let of_frame = all.chunks(*bytes).skip(frame * count).take(count);
            for (at, word) in of_frame.enumerate() {
                if words.word(index, at) != word {
                    return Err(format!("word {at} of `{name}` in frame {frame} differs"));
                }
            }
        }
    }
    Ok(())
}

/// A few waits of up to four frames: everything fills up to the input, or runs empty.
fn long_waits(draw: &mut Draw, interval: u64, inputs: usize, outputs: usize) -> Stalls {
    let longest = (4 * interval).min(LONGEST_WAIT) as usize;
    let mut waits = |words: usize| {
        let mut waits = vec![0; words];
        for _ in 0..2 {
            waits[draw.size(0, words - 1)] = draw.size(0, longest) as u32;
        }
        waits
    };
    Stalls::Trace { gaps: waits(inputs), stalls: waits(outputs) }
}

/// One run of the simulator and of Verilator, equal in every word and cycle.
fn run_once(
    bundle: &Bundle,
    case: &Case,
    unit: &Unit,
    frames: &Frames,
    stalls: &Stalls,
    power_up: u64,
) -> Result<Expected, String> {
    let expected = Expected::new(&case.design, frames, stalls).map_err(|e| e.to_string())?;
    let folder = unit.folder.join("run");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|e| e.to_string())?;
    for (name, bytes) in expected.files() {
        fs::write(folder.join(name), bytes).map_err(|e| e.to_string())?;
    }
    let record = unit.folder.join("recorded");
    fs::create_dir_all(&record).map_err(|e| e.to_string())?;
    let rtl = unit.folder.join("rtl");
    let (seed, idle) = (power_up.to_string(), IDLE.to_string());
    let more = ["--seed", seed.as_str(), "--idle", idle.as_str()];
    let run = bundle.run(unit, &rtl, &folder, &record, &more)?;
    if run.violations > 0 || run.frame_error {
        return Err(format!("the stream contract is broken:\n{}", run.messages));
    }
    let comparison = verify::compare(&case.design.dataflow, &expected, &record);
    comparison.and_then(verify::Comparison::into_result).map_err(|e| e.to_string())?;
    if !run.finished {
        return Err(format!("it did not finish:\n{}", run.messages));
    }
    Ok(expected)
}

/// Interval and latency of the run without waits are those that the design states.
fn check_times(case: &Case, expected: &Expected) -> Result<(), String> {
    let (dataflow, facts) = (&case.design.dataflow, &case.design.facts);
    let interval = sim::interval(dataflow, &expected.times);
    let latency = sim::latency(dataflow, &expected.times);
    let stated = (facts.ii_cycles, facts.latency_cycles);
    if (interval, latency) != stated {
        return Err(format!("interval {interval} and latency {latency}, stated are {stated:?}"));
    }
    let engines = 0..dataflow.engines.len();
    let closed = engines.map(|e| engines::cycles_per_frame(dataflow, e)).max().unwrap_or(1);
    let right = match case.timed {
        Timed::ClosedForm => interval == closed,
        Timed::Simulated => interval >= closed,
    };
    if right {
        Ok(())
    } else {
        Err(format!("interval {interval}, but the slowest engine needs {closed} cycles"))
    }
}
