//! Random networks with random foldings: reference, golden, simulator and Verilator agree.

use crate::work;
use diagnostic::Code;
use tests::networks::{
    Case, Draw, RandomNetwork, Timed, equals_reference, prepare, random_fold, random_map_network,
    random_network, verify_all,
};

/// Designs in one build.
const BUNDLE: u64 = 64;

/// Frames that reference and golden model are compared on.
const REFERENCE_FRAMES: usize = 40;

/// A kind of random networks.
struct Kind {
    /// Of the test and of its networks.
    name: &'static str,
    network: fn(&mut Draw, &str) -> RandomNetwork,
}

/// What is refused on purpose: an arg-max over outputs that a ReLU makes equal, a pool in front of
/// which some channels rise and others fall, padding with a level that is never reached, and a zero
/// point that shifts levels of 8 bits out of 8 bits.
const REFUSED: [&str; 4] = [
    "arg-max",
    "some channels in front of the pool fall",
    "the padding is neither 0 nor a value that occurs in the map",
    "which no 8 bits hold",
];

/// The network of a seed, streamlined and folded; `None` when it is one of the few that are refused.
fn case(kind: &Kind, seed: u64) -> Result<Option<Case>, String> {
    let name = format!("{}_{seed}", kind.name);
    let mut draw = Draw::new(seed);
    let network = (kind.network)(&mut draw, &name);
    let streamlined = match streamline::streamline(&network.graph, &network.options) {
        Err(e)
            if matches!(e.code, Code::UnsupportedStructure | Code::NotQuantized)
                && REFUSED.iter().any(|text| e.message.contains(text)) =>
        {
            return Ok(None);
        }
        other => other.map_err(|e| format!("streamlining: {e}"))?,
    };
    let frames = emit::seeded_frames(&streamlined.input, seed, REFERENCE_FRAMES);
    equals_reference(&network, &streamlined, &frames)?;
    let fold = random_fold(&mut draw, &streamlined);
    let folded = fold::refold(&name, &streamlined, &fold, 100.0)
        .map_err(|e| format!("folding: {e}\n{fold:?}"))?;
    let default_buffers = fold.layers.values().all(|l| l.buffer.is_none());
    let waits = |layer: &String| fold.layers.get(layer).is_some_and(|l| l.parallel_window);
    let short = |(layer, &depth): (&String, &usize)| depth == 1 || waits(layer);
    let full_rate = default_buffers && !fold.fifos.iter().any(short);
    let timed = if full_rate { Timed::ClosedForm } else { Timed::Simulated };
    let design = prepare(&name, streamlined, folded).map_err(|e| e.to_string())?;
    let again = format!(
        "XNORFLOW_SWEEP_SEEDS={seed}..{} cargo test -p tests --test chain random_{}",
        seed + 1,
        kind.name
    );
    Ok(Some(Case { name, origin: again, design, timed, seed }))
}

/// Builds and runs the networks of some seeds.
fn sweep(kind: &Kind, seeds: std::ops::Range<u64>) {
    let (mut failures, mut refused, mut agree) = (Vec::new(), 0, 0);
    let mut first = seeds.start;
    let count = seeds.end - seeds.start;
    while first < seeds.end {
        let last = (first + BUNDLE).min(seeds.end);
        let mut cases = Vec::new();
        for seed in first..last {
            match case(kind, seed) {
                Ok(Some(case)) => cases.push(case),
                Ok(None) => refused += 1,
                Err(text) => failures.push(format!("seed {seed}: {text}")),
            }
        }
        match verify_all(&work(&format!("{}_{first}", kind.name)), &cases) {
            Ok(failed) => {
                agree += cases.len() - failed.len();
                failures.extend(failed);
            }
            Err(text) => failures.push(text),
        }
        first = last;
    }
    let (name, failed) = (kind.name, failures.len());
    println!("{count} networks of {name}: {agree} agree, {refused} refused, {failed} failures");
    assert!(refused * 10 <= count.max(100), "{refused} of {count} networks are refused");
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n\n"));
}

/// `from..to` in `XNORFLOW_SWEEP_SEEDS`, or the seeds of every day.
fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("XNORFLOW_SWEEP_SEEDS") else { return 0..256 };
    let parse = |t: &str| t.trim().parse::<u64>().ok();
    let range = text.split_once("..").and_then(|(a, b)| Some(parse(a)?..parse(b)?));
    range.expect("XNORFLOW_SWEEP_SEEDS is FROM..TO")
}

#[test]
fn random_vectors() {
    sweep(&Kind { name: "vectors", network: random_network }, seeds());
}

#[test]
fn random_maps() {
    sweep(&Kind { name: "maps", network: random_map_network }, seeds());
}
