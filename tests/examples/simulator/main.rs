//! Both sides of `cargo xtask bench simulator`.
//!
//! `simulator fork-add FOLDER` writes a design whose streams part and meet. `simulator run DESIGN WORK
//! [INPUT.npy]` builds the simulation of an output folder as `xnorflow verify` does (`CXXOPT` says with
//! which options of the compiler) and prints Verilator's version. Then it answers each line of its
//! input with a JSON object:
//!
//! - `verilator FRAMES STALL SEED`: runs the frames through Verilator, which records every stream, and
//!   compares each word and cycle with the simulator's,
//! - `simulator FRAMES STALL SEED`: simulates the same frames, again and again.
//!
//! Seconds are processor time of the runs alone. The frames are those of the input, from the one on that
//! the seed says, or random.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what fails here fails the bench"
)]

use emit::{Design, Expected};
use golden::Sample;
use serde_json::{Value, json};
use sim::{Run, Stalls, Words};
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::path::Path;
use streamline::Frames;
use tensor::npy;
use tests::clock::seconds_of_thread;
use verify::Harness;

mod fork_add;

/// Seconds of a measurement of the simulator, at least.
const SECONDS: f64 = 0.2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fork-add", folder] => fork_add::write(Path::new(folder)),
        ["run", design, work] => answer(Path::new(design), Path::new(work), None),
        ["run", design, work, input] => {
            answer(Path::new(design), Path::new(work), Some(Path::new(input)));
        }
        _ => panic!("usage: simulator fork-add FOLDER | run DESIGN WORK [INPUT.npy]"),
    }
}

/// A run.
struct Task<'d> {
    design: &'d Design,
    frames: Frames,
    stalls: Stalls,
    /// Of the waits, and of what is in registers and memories at power-up.
    seed: u64,
}

fn answer(folder: &Path, work: &Path, input: Option<&Path>) {
    let design = Design::load(folder).unwrap();
    let images = input.map(|path| design.network.input.frames(&npy::read(path).unwrap()).unwrap());
    let harness = Harness::build(folder, work).unwrap();
    println!("{}", verify::verilator_version().unwrap());
    std::io::stdout().flush().unwrap();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let [side, frames, stall, seed] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("`{line}` is no question")
        };
        let (count, seed) = (frames.parse().unwrap(), seed.parse().unwrap());
        let stalls = Stalls::random(stall.parse().unwrap(), seed);
        let frames = frames_of(&design, images.as_ref(), count, seed);
        let task = Task { design: &design, frames, stalls, seed };
        let answer = match side {
            "verilator" => verilator(&task, &harness, work),
            "simulator" => simulator(&task),
            _ => panic!("`{side}` is neither verilator nor simulator"),
        };
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}

fn frames_of(design: &Design, images: Option<&Frames>, count: usize, seed: u64) -> Frames {
    let Some(images) = images else {
        return emit::seeded_frames(&design.network.input, seed, count);
    };
    let first = seed as usize * count % images.len();
    let chosen = (first..first + count).map(|n| images.frame(n % images.len()));
    Frames { values: chosen.flatten().copied().collect(), elements: images.elements }
}

/// Runs Verilator and compares.
fn verilator(task: &Task<'_>, harness: &Harness, work: &Path) -> Value {
    let Task { design, frames, stalls, seed } = task;
    let expected = Expected::new(design, frames, stalls).unwrap();
    let [given, recorded] = ["given", "recorded"].map(|name| work.join(name));
    for folder in [&given, &recorded] {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
    }
    for (name, bytes) in expected.files() {
        fs::write(given.join(name), bytes).unwrap();
    }
    let run = harness.run(&given, &recorded, *seed, &[]).unwrap();
    assert!(run.finished && run.violations == 0 && !run.frame_error, "{}", run.messages);
    let found = verify::compare(&design.dataflow, &expected, &recorded).unwrap();
    if let Some(first) = found.first.first() {
        eprintln!("{first}");
    }
    json!({
        "seconds": run.processor_seconds,
        "cycles": expected.times.streams.last().unwrap().last().unwrap() + 1,
        "streams_compared": found.streams_compared,
        "words_compared": found.words_compared,
        "mismatches": found.mismatches,
        "cycle_mismatches": found.cycle_mismatches,
    })
}

/// Measures with frames of bytes, as images are, where all integers are some.
fn simulator(task: &Task<'_>) -> Value {
    let bytes =
        task.frames.values.iter().map(|&x| u8::try_from(x).ok()).collect::<Option<Vec<_>>>();
    match bytes {
        Some(bytes) => simulate(task, &bytes),
        None => simulate(task, &task.frames.values),
    }
}

/// The seconds of a simulation of words and cycles, with and without everything copied out, and of cycles
/// alone.
fn simulate<T: Sample>(task: &Task<'_>, values: &[T]) -> Value {
    let Task { design, frames, stalls, .. } = task;
    let frames = || values.chunks(frames.elements);
    let (dataflow, streams) = (&design.dataflow, 0..design.dataflow.streams.len());
    let mut words = Words::new(dataflow, &design.network);
    let mut cycles = 0;
    let both = mean_seconds(|| {
        let mut run = Run::new(dataflow, stalls);
        seconds(|| {
            for frame in frames() {
                words.run(frame);
                cycles = black_box(run.frame().unwrap()).last() + 1;
                black_box(&words);
            }
        })
    });
    let (mut all_words, mut all_cycles) = (Vec::new(), Vec::new());
    let copied = mean_seconds(|| {
        let mut run = Run::new(dataflow, stalls);
        seconds(|| {
            for frame in frames() {
                all_words.clear();
                all_cycles.clear();
                words.run(frame);
                let moved = run.frame().unwrap();
                for stream in streams.clone() {
                    all_words.extend_from_slice(&words.stream(stream));
                    all_cycles.extend(moved.moves(stream).iter());
                }
                black_box((&all_words, &all_cycles));
            }
        })
    });
    let alone = mean_seconds(|| {
        let mut run = Run::new(dataflow, stalls);
        seconds(|| {
            for _ in frames() {
                black_box(run.frame().unwrap());
            }
        })
    });
    json!({ "cycles": cycles, "seconds": both, "copied": copied, "cycles_alone": alone })
}

fn seconds(mut work: impl FnMut()) -> f64 {
    let start = seconds_of_thread();
    work();
    seconds_of_thread() - start
}

/// Measures for a while.
fn mean_seconds(mut measure: impl FnMut() -> f64) -> f64 {
    let (mut took, mut times) = (0.0, 0);
    while took < SECONDS {
        took += measure();
        times += 1;
    }
    took / f64::from(times)
}
