//! A second opinion on time: a machine that visits every cycle and keeps nothing but registers.
//!
//! Random dataflows of all engines run on it and in `sim`; every word of every stream has to move in
//! the same cycle, or both have to say that the design stands still. `XNORFLOW_SWEEP_SEEDS=FROM..TO`
//! chooses the dataflows.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests: what fails here fails them")]

mod draw;
mod kinds;
mod machine;
mod random;
mod registers;

use dataflow::Dataflow;
use diagnostic::{Code, Diagnostic};
use draw::{Draw, Waits};
use machine::Outcome;
use sim::{Handshake, Run, Stalls};
use std::collections::BTreeMap;
use std::ops::Range;

/// `from..to` in `XNORFLOW_SWEEP_SEEDS`, or the seeds of every day.
fn seeds(daily: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("XNORFLOW_SWEEP_SEEDS") else { return daily };
    let parse = |t: &str| t.trim().parse::<u64>().ok();
    let range = text.split_once("..").and_then(|(a, b)| Some(parse(a)?..parse(b)?));
    range.expect("XNORFLOW_SWEEP_SEEDS is FROM..TO")
}

/// Where simulator and machine differ first.
fn difference(
    dataflow: &Dataflow,
    frames: usize,
    stalls: &Stalls,
    found: &Outcome,
) -> Option<String> {
    let times = match sim::timing(dataflow, frames, stalls) {
        Ok(_) if found.stuck => return Some("only the machine stands still".into()),
        Err(e) if e.code == Code::Deadlock && found.stuck => {
            return wrong_report(dataflow, found, &e);
        }
        Err(e) => return Some(format!("the machine goes on: {e}")),
        Ok(times) => times,
    };
    for ((stream, sim), machine) in dataflow.streams.iter().zip(&times.streams).zip(&found.streams)
    {
        let name = &stream.name;
        if sim.len() != machine.len() {
            return Some(format!("stream {name}: {} words, {}", sim.len(), machine.len()));
        }
        if let Some(word) = (0..sim.len()).find(|&n| sim[n] != machine[n]) {
            let (sim, machine) = (sim[word], machine[word]);
            return Some(format!(
                "stream {name}, word {word}: cycle {sim} in the simulator, {machine} in the machine"
            ));
        }
    }
    let mut run = Run::new(dataflow, stalls).recording();
    let mut counting = Run::new(dataflow, stalls).counting();
    let mut waits = vec![Handshake::default(); dataflow.streams.len()];
    for _ in 0..frames {
        counting.frame().expect("it came to its end before");
        let frame = run.frame().expect("it came to its end before");
        for (s, sum) in waits.iter_mut().enumerate() {
            let words = frame.waits(s).expect("it is recording");
            assert_eq!(words.len(), dataflow.streams[s].words_per_frame());
            sum.stalled += words.iter().map(|word| word.stalled).sum::<u64>();
            sum.starved += words.iter().map(|word| word.starved).sum::<u64>();
        }
    }
    for (s, (stream, &machine)) in dataflow.streams.iter().zip(&found.handshakes).enumerate() {
        let sim = run.handshake(s);
        assert_eq!(sim, waits[s], "of all words together");
        assert_eq!(sim, counting.handshake(s), "recorded or not");
        if sim != machine {
            let name = &stream.name;
            return Some(format!("stream {name}: {sim:?} in the simulator, {machine:?}"));
        }
    }
    None
}

/// What is wrong with the report of a design that stands still: it names a stream with the words that
/// moved on it, and engines each of which is joined to the next, the last to the first.
fn wrong_report(dataflow: &Dataflow, found: &Outcome, report: &Diagnostic) -> Option<String> {
    let stream = dataflow.streams.iter().position(|s| Some(&s.name) == report.node.as_ref());
    let words = stream.map(|s| format!("stands still after {} words", found.streams[s].len()));
    if !words.is_some_and(|words| report.message.contains(&words)) {
        return Some(format!("other words moved in the machine: {report}"));
    }
    let (_, ring) = report.message.split_once("waiting for each other: ").unwrap_or_default();
    let find = |name: &str| dataflow.engines.iter().position(|e| e.name == name);
    let Some(ring) = ring.split(" <- ").map(find).collect::<Option<Vec<usize>>>() else {
        return Some(format!("engines that are not there: {report}"));
    };
    let joined = |a: usize, b: usize| {
        dataflow.streams.iter().any(|s| [(a, b), (b, a)].contains(&(s.from, s.to)))
    };
    let whole = ring.iter().zip(ring.iter().cycle().skip(1)).all(|(&a, &b)| joined(a, b));
    (ring.len() < 2 || !whole).then(|| format!("no ring: {report}"))
}

/// Dataflows of a kind, each with all kinds of waits. Gives the runs that stood still.
fn sweep(name: &str, seeds: Range<u64>, make: fn(u64) -> Dataflow) -> usize {
    let count = seeds.end - seeds.start;
    let (mut runs, mut stuck, mut words, mut cycles) = (0, 0, 0, 0);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    let mut failures: Vec<String> = Vec::new();
    for seed in seeds {
        let dataflow = make(seed);
        for engine in &dataflow.engines {
            *kinds.entry(engine.kind.name()).or_default() += 1;
        }
        let mut draw = Draw::new(seed);
        let [ins, outs] = [dataflow.input(), dataflow.output()].map(|s| s.words_per_frame());
        for waits in Waits::ALL {
            let frames = waits.frames(&mut draw);
            let stalls = waits.draw(&mut draw, ins * frames, outs * frames);
            let found = machine::run(&dataflow, frames, &stalls);
            runs += 1;
            stuck += usize::from(found.stuck);
            words += found.streams.iter().map(Vec::len).sum::<usize>();
            cycles += found.streams.iter().filter_map(|s| s.last()).max().unwrap_or(&0);
            if let Some(text) = difference(&dataflow, frames, &stalls, &found) {
                failures.push(format!(
                    "seed {seed}, {frames} frames, {waits:?} waits: {text}\n\
                     XNORFLOW_SWEEP_SEEDS={seed}..{} cargo test -p sim --test cycle_by_cycle {name}\n\
                     {stalls:?}\n{}",
                    seed + 1,
                    dataflow.to_text()
                ));
            }
        }
    }
    println!(
        "{count} dataflows of {name}: {runs} runs of {cycles} cycles, {words} moves, {stuck} stand \
         still, {} failures; {kinds:?}",
        failures.len()
    );
    // The smallest is the one to read.
    if let Some(least) = failures.iter().min_by_key(|text| text.len()) {
        panic!("{} of {runs} runs differ, the smallest:\n{least}", failures.len());
    }
    stuck
}

#[test]
fn chains() {
    let stuck = sweep("chains", seeds(0..500), random::chain);
    assert_eq!(stuck, 0, "a chain does not wait for itself");
}

#[test]
fn branches() {
    let seeds = seeds(0..500);
    let many = seeds.end - seeds.start >= 100;
    let stuck = sweep("branches", seeds, random::branched);
    assert!(!many || stuck > 0, "some queues are too short for their branch");
}

#[test]
fn leads() {
    for seed in seeds(0..40) {
        let dataflow = random::leading(seed);
        let found = machine::run(&dataflow, 150, &Stalls::none());
        if let Some(text) = difference(&dataflow, 150, &Stalls::none(), &found) {
            panic!("seed {seed}: {text}\n{}", dataflow.to_text());
        }
    }
}

/// What `pace` proves of random designs is what they do much later, over a common multiple of their
/// periods.
#[test]
fn paces() {
    const PERIODS: usize = 2520;
    let mut paces = 0;
    for seed in seeds(0..60) {
        for dataflow in [random::chain(seed), random::branched(seed), random::leading(seed)] {
            let Ok(pace) = sim::pace(&dataflow) else { continue };
            let mut run = Run::new(&dataflow, &Stalls::None);
            let mut after =
                |frames| (0..frames).map(|_| run.frame().unwrap().last()).last().unwrap();
            let (then, now) = (after(2000), after(PERIODS));
            let interval = (now - then).div_ceil(PERIODS as u64);
            assert!(
                pace.proven && pace.interval == interval,
                "seed {seed}: {pace:?}, but {interval}\n{}",
                dataflow.to_text()
            );
            paces += 1;
        }
    }
    println!("{paces} paces are proven");
}
