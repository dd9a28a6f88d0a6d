//! Depths as `build` chooses them: enough for the full rate, and none of them by a word too many.

use crate::{branches, work};
use dataflow::{Dataflow, EngineKind, MemoryStyle};
use diagnostic::Code;
use engines::{Timing, cycles_per_frame, full_rate_credits};
use fold::{Fold, Folded};
use sim::{Stalls, pace};
use std::collections::BTreeMap;
use streamline::Streamlined;
use tests::networks::{Draw, random_fold, random_map_network, random_network, verify_all};

/// Seeds of random chains, of each kind, and of random branches.
const CHAINS: u64 = 40;
const BRANCHES: u64 = 40;

/// Seeds of chains that need FIFOs for the full rate.
const WITH_FIFOS: [u64; 6] = [202, 387, 471, 510, 555, 573];

fn closed_form(dataflow: &Dataflow) -> u64 {
    (0..dataflow.engines.len()).map(|e| cycles_per_frame(dataflow, e)).max().unwrap()
}

/// Sets the depth of an engine, as `fold` builds it.
fn set_depth(kind: &mut EngineKind, words: usize) {
    match kind {
        EngineKind::Fifo { depth } | EngineKind::Fork { depth } => *depth = words,
        EngineKind::Add(add) => add.depth = words,
        EngineKind::Mvu(mvu) => mvu.buffer_words = words,
        EngineKind::Window(unit) => {
            unit.depth = words;
            unit.credits = full_rate_credits(engines::window::latency(unit), 1);
        }
        other => panic!("{other:?} has no depth"),
    }
}

/// Gives every pipeline the credits that keep it full.
fn fill_pipelines(dataflow: &mut Dataflow) {
    for index in 0..dataflow.engines.len() {
        let full = match engines::timing(dataflow, index) {
            Timing::Compute(unit) => full_rate_credits(unit.latency, unit.words),
            Timing::Shifting(unit) => full_rate_credits(unit.latency, 1),
            _ => 2,
        };
        match &mut dataflow.engines[index].kind {
            EngineKind::Add(unit) => unit.credits = full,
            EngineKind::Mvu(unit) => unit.credits = full,
            EngineKind::Threshold(unit) => unit.credits = full,
            EngineKind::Pool(unit) => unit.credits = full,
            EngineKind::ParallelWindow(unit) => unit.credits = full,
            _ => {}
        }
    }
}

fn depth(kind: &EngineKind) -> Option<usize> {
    match kind {
        EngineKind::Fifo { depth } | EngineKind::Fork { depth } => Some(*depth),
        EngineKind::Add(add) => Some(add.depth),
        EngineKind::Mvu(mvu) => Some(mvu.buffer_words),
        EngineKind::Window(unit) => Some(unit.depth),
        _ => None,
    }
}

/// The dataflow with its fewest words in place of those that are built.
fn tight(dataflow: &Dataflow, fewest: &BTreeMap<String, usize>) -> Dataflow {
    let mut tight = dataflow.clone();
    for engine in &mut tight.engines {
        let Some(&words) = fewest.get(&engine.name) else { continue };
        assert!(depth(&engine.kind).unwrap() >= words, "{} is rounded down", engine.name);
        set_depth(&mut engine.kind, words);
    }
    tight
}

/// That the fewest words keep the interval, and that none of the depths can be cut by one.
fn check_tight(dataflow: &Dataflow, fewest: &BTreeMap<String, usize>) -> u64 {
    let goal = pace(dataflow).unwrap().interval;
    let tight = tight(dataflow, fewest);
    tight.check().unwrap();
    assert_eq!(pace(&tight).unwrap().interval, goal, "{}", dataflow.name);
    for (index, engine) in tight.engines.iter().enumerate() {
        let Some(&words) = fewest.get(&engine.name) else { continue };
        let mut shorter = tight.clone();
        set_depth(&mut shorter.engines[index].kind, words - 1);
        if words == 1 || shorter.check().is_err() {
            continue;
        }
        let kept = pace(&shorter).is_ok_and(|pace| pace.interval <= goal);
        assert!(!kept, "{}: {} does with {} words", dataflow.name, engine.name, words - 1);
    }
    goal
}

/// A random network with a random folding that leaves all depths open.
fn chain(seed: u64) -> Option<(Streamlined, Fold)> {
    let mut draw = Draw::new(seed);
    let name = format!("chain_{seed}");
    let network = match seed % 4 {
        0 => random_network(&mut draw, &name),
        _ => random_map_network(&mut draw, &name),
    };
    let network = streamline::streamline(&network.graph, &network.options).ok()?;
    let mut fold = random_fold(&mut draw, &network);
    fold.layers.values_mut().for_each(|layer| layer.buffer = None);
    fold.fifos.clear();
    Some((network, fold))
}

#[test]
fn no_depth_of_a_chain_can_be_cut() {
    let (mut designs, mut depths, mut fifos) = (0, 0, 0);
    for seed in (0..CHAINS).chain(WITH_FIFOS) {
        let Some((network, fold)) = chain(seed) else { continue };
        let Folded { fold: chosen, dataflow, facts } =
            fold::refold("chain", &network, &fold, 100.0).unwrap();
        let goal = check_tight(&dataflow, &facts.fewest_words);
        let (interval, closed) = (facts.ii_cycles, closed_form(&dataflow));
        assert_eq!((interval, goal), (closed, closed), "seed {seed}");
        // The folding that comes out gives the same design, by itself and when it is sized again.
        assert_eq!(fold::dataflow("chain", &network, &chosen), dataflow);
        let again = fold::refold("chain", &network, &chosen, 100.0).unwrap();
        assert_eq!((again.fold, again.dataflow), (chosen.clone(), dataflow));
        // A FIFO that is not there is not needed, and one that is there is.
        for layer in chosen.fifos.keys() {
            let mut without = chosen.clone();
            without.fifos.remove(layer);
            for (name, entry) in &mut without.layers {
                let mut names = [name.clone(), format!("{name}_window")].into_iter();
                if entry.buffer.is_some() {
                    entry.buffer = names.find_map(|n| facts.fewest_words.get(&n).copied());
                }
            }
            for (name, words) in &mut without.fifos {
                *words = facts.fewest_words[&format!("{name}_fifo")];
            }
            let without = fold::dataflow("chain", &network, &without);
            assert!(!pace(&without).is_ok_and(|pace| pace.interval <= goal), "{seed}: {layer}");
        }
        designs += 1;
        depths += facts.fewest_words.len();
        fifos += chosen.fifos.len();
    }
    println!("{designs} chains, {depths} depths, {fifos} FIFOs among them");
    assert!(designs > 40 && depths > 2 * designs && fifos >= WITH_FIFOS.len());
}

#[test]
fn no_depth_of_a_branch_can_be_cut() {
    let (mut depths, mut slower, mut cases) = (0, 0, Vec::new());
    for seed in 0..BRANCHES {
        let made = branches::random(seed, 8);
        let mut design = made.pieces.growing.finish_untimed(made.last).unwrap();
        let few_credits = seed % 2 == 1;
        if !few_credits {
            fill_pipelines(&mut design.dataflow);
        }
        let sizing = fold::size(&design.dataflow, |_| true).unwrap();
        sizing.dataflow.check().unwrap();
        let goal = check_tight(&sizing.dataflow, &sizing.fewest);
        assert_eq!((sizing.pace.interval, sizing.pace.proven), (goal, true));
        let is_slower = goal > closed_form(&sizing.dataflow);
        assert!(few_credits || !is_slower, "seed {seed}");
        slower += usize::from(is_slower);
        depths += sizing.fewest.len();
        if seed < 12 {
            // Frames may come by turns: of as many as are compared, the last two count there.
            let frames = 4 * design.network.layers.len() + 12;
            let times = sim::timing(&sizing.dataflow, frames, &Stalls::none()).unwrap();
            design.facts.ii_cycles = sim::interval(&sizing.dataflow, &times);
            design.facts.latency_cycles = sizing.pace.latency;
            design.dataflow = sizing.dataflow;
            let origin = format!("sized branches of seed {seed}");
            cases.push(branches::case(format!("sized_{seed}"), origin, design, seed));
        }
    }
    println!("{depths} depths of {BRANCHES} designs; for want of credits {slower} are slower");
    let failures = verify_all(&work("sized"), &cases).unwrap_or_else(|text| vec![text]);
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n\n"));
}

/// More words in any depths never make a design slower, fewer never faster.
#[test]
fn the_pace_is_monotone_in_every_depth() {
    let mut draw = Draw::new(11);
    let mut dataflows: Vec<Dataflow> = (0..12)
        .filter_map(chain)
        .map(|(network, fold)| fold::refold("chain", &network, &fold, 100.0).unwrap().dataflow)
        .collect();
    dataflows.push(fold::size(&branches::skip("skip", 64).dataflow, |_| true).unwrap().dataflow);
    for dataflow in &dataflows {
        let mut longer = dataflow.clone();
        let mut before = pace(&longer).unwrap().interval;
        for _ in 0..6 {
            for engine in &mut longer.engines {
                // A ring keeps the memory that it is in.
                let most = match &engine.kind {
                    EngineKind::Window(unit) if unit.memory == MemoryStyle::Lut => 128,
                    _ => usize::MAX,
                };
                if let Some(words @ 1..) = depth(&engine.kind) {
                    set_depth(&mut engine.kind, (words + draw.size(0, 9)).min(most).max(words));
                }
            }
            let now = pace(&longer).unwrap().interval;
            assert!(now <= before, "{}: from {before} to {now}", dataflow.name);
            before = now;
        }
    }
}

#[test]
fn depths_that_are_given_stay() {
    let mut seen = [0; 2];
    for seed in 100..140 {
        let Some((network, fold)) = chain(seed) else { continue };
        let free = fold::refold("chain", &network, &fold, 100.0).unwrap();
        let mut given = fold.clone();
        // The shortest buffer that is legal, and a FIFO where none was needed.
        let Some(layer) = network
            .layers
            .iter()
            .find(|l| free.fold.layers.get(&l.name).is_some_and(|entry| entry.buffer.is_some()))
        else {
            continue;
        };
        given.layers.get_mut(&layer.name).unwrap().buffer = Some(1);
        given.fifos.insert(layer.name.clone(), 3);
        let kept = fold::refold("chain", &network, &given, 100.0).unwrap();
        let shortest = fold::dataflow("chain", &network, &given);
        let of = |dataflow: &Dataflow, name: &str| {
            dataflow.engines.iter().find(|e| e.name == name).and_then(|e| depth(&e.kind))
        };
        let buffers = [layer.name.clone(), format!("{}_window", layer.name)];
        for name in buffers.iter().chain([&format!("{}_fifo", layer.name)]) {
            assert_eq!(of(&kept.dataflow, name), of(&shortest, name));
            assert!(!kept.facts.fewest_words.contains_key(name));
        }
        assert_eq!(kept.fold.fifos[&layer.name], 3);
        check_tight(&kept.dataflow, &kept.facts.fewest_words);
        seen[usize::from(kept.facts.ii_cycles > free.facts.ii_cycles)] += 1;
    }
    println!("{} at the full rate, {} slower", seen[0], seen[1]);
    assert!(seen.iter().all(|&n| n > 0));
}

#[test]
fn depths_that_are_too_small_stand_still() {
    let short = branches::skip("skip", 2).dataflow;
    let error = fold::size(&short, |_| false).unwrap_err();
    assert_eq!(error.code, Code::Deadlock);
    // The rest cannot make up for a FIFO between two queues that are given too.
    let kept = |engine: &dataflow::Engine| matches!(engine.kind, EngineKind::Window(_));
    assert_eq!(fold::size(&short, kept).unwrap_err().code, Code::Deadlock);
    let sized = fold::size(&short, |_| true).unwrap();
    assert_eq!(sized.pace.interval, closed_form(&sized.dataflow));
    println!("fewest: {:?}", sized.fewest);
    assert!(sized.fewest["unit4"] > 2, "the FIFO of the branch that skips");
}
