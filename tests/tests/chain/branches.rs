//! Streams that part and meet: fork and add, with all other engines between them.

use crate::work;
use dataflow::{Add, Dataflow, EngineKind};
use diagnostic::Code;
use emit::{Design, Expected};
use ndarray::Array2;
use sim::Stalls;
use std::collections::BTreeMap;
use tensor::{ElementType, Map};
use tests::networks::{
    Bundle, Case, Draw, Growing, Loose, Pieces, Timed, Unit, Words, build_folder, verify_more,
};

const TYPES: [ElementType; 5] = [
    ElementType::Bipolar,
    ElementType::Uint(1),
    ElementType::Uint(3),
    ElementType::Int(2),
    ElementType::Int(5),
];

/// Seeds of waits, and frames of each.
const WAITS: (u64, usize) = (5, 8);

pub(crate) fn case(name: String, origin: String, design: Design, seed: u64) -> Case {
    Case { name, origin, design, timed: Timed::Simulated, seed }
}

fn pieces(name: &str, seed: u64, input: Words) -> (Pieces, Loose) {
    let (growing, at) = Growing::new(name, input);
    (Pieces { growing, draw: Draw::new(seed) }, at)
}

/// Every pair of types at an adder, on words of one lane, of many, and with partly filled last words.
fn pairs() -> Vec<Case> {
    let shapes = [(1, Map::vector(5)), (3, Map::vector(7)), (24, Map::vector(24))];
    let map = Map { height: 3, width: 2, channels: 5 };
    let mut cases = Vec::new();
    for a in TYPES {
        for b in TYPES {
            let index = cases.len();
            let (lanes, map) = [&shapes[..], &[(2, map)]].concat()[index % 4];
            let element = TYPES[index % 3];
            let name = format!("pair_{index}");
            let (mut pieces, at) = pieces(&name, index as u64, Words { element, lanes, map });
            let branches = pieces.growing.fork(at, 2, pieces.draw.size(1, 3));
            let types = [a, b];
            let ends = [0, 1].map(|side| match element == types[side] {
                true => pieces.fifo(branches[side], 16),
                false => pieces.threshold(branches[side], types[side]),
            });
            let unit = Add { depth: pieces.draw.size(8, 12), credits: pieces.draw.size(1, 3) };
            let sum = pieces.growing.meet(ends, unit);
            let design = pieces.growing.finish(sum).unwrap();
            let origin = format!("{a} + {b}, {lanes} lanes of {map:?}");
            cases.push(case(name, origin, design, index as u64));
        }
    }
    cases
}

/// Streams that part, grow and meet at random, with queues of up to `depth` words; too short ones
/// stand still.
pub(crate) fn random(seed: u64, depth: usize) -> Open {
    let mut draw = Draw::new(seed);
    let channels = draw.size(2, 6);
    let map = match draw.chance(0.3) {
        true => Map::vector(4 * channels),
        false => Map { height: draw.size(2, 5), width: draw.size(2, 5), channels },
    };
    let divisors = (1..=map.channels).filter(|n| map.channels.is_multiple_of(*n));
    let divisors: Vec<usize> = divisors.collect();
    let lanes = match draw.chance(0.75) {
        true => draw.pick(&divisors),
        false => draw.size(1, map.channels),
    };
    let element = draw.pick(&TYPES);
    let (mut pieces, at) =
        pieces(&format!("branches_{seed}"), seed + 1, Words { element, lanes, map });
    let queue = |draw: &mut Draw| draw.size(1, depth);
    let mut ends = pieces.growing.fork(at, 2, queue(&mut draw));
    let mut forks = draw.size(0, 2);
    for _ in 0..draw.size(2, 7) {
        let chosen = draw.size(0, ends.len() - 1);
        match draw.size(0, 4) {
            0 if forks > 0 => {
                forks -= 1;
                let end = ends.swap_remove(chosen);
                let branches = draw.size(2, 3);
                ends.extend(pieces.growing.fork(end, branches, queue(&mut draw)));
            }
            1 if ends.len() > 2 => meet(&mut pieces, &mut draw, &mut ends, depth),
            _ => ends[chosen] = grow(&mut pieces, &mut draw, ends[chosen], depth),
        }
    }
    while ends.len() > 1 {
        meet(&mut pieces, &mut draw, &mut ends, depth);
    }
    // The sums are read again.
    let last = grow(&mut pieces, &mut draw, ends[0], depth);
    Open { pieces, last }
}

/// A design that only its last stream lacks.
pub(crate) struct Open {
    pub(crate) pieces: Pieces,
    pub(crate) last: Loose,
}

/// An engine or two behind which the words are the same.
fn grow(pieces: &mut Pieces, draw: &mut Draw, at: Loose, depth: usize) -> Loose {
    let words = pieces.growing.words(at);
    let full = words.map.channels.is_multiple_of(words.lanes);
    let to = draw.pick(&TYPES);
    match draw.size(0, 5) {
        0 => pieces.threshold(at, to),
        1 => pieces.matrix(at, to),
        2 if full => {
            let window = pieces.same_window();
            pieces.convolution(at, window, to)
        }
        3 if full => {
            let window = pieces.same_window();
            pieces.pool(at, window)
        }
        4 if words.lanes > 1 => {
            let narrow = pieces.width(at, 1);
            pieces.width(narrow, words.lanes)
        }
        _ => pieces.fifo(at, draw.size(1, depth)),
    }
}

/// Adds two of the streams.
fn meet(pieces: &mut Pieces, draw: &mut Draw, ends: &mut Vec<Loose>, depth: usize) {
    let both = [(); 2].map(|()| ends.swap_remove(draw.size(0, ends.len() - 1)));
    let unit = Add { depth: draw.size(1, depth), credits: draw.size(1, 3) };
    ends.push(pieces.growing.meet(both, unit));
}

/// The design of a seed with the shortest queues that do not stand still, and one that does.
fn shortest(seed: u64) -> (Design, Option<Design>) {
    let mut stuck = None;
    for depth in [2, 4, 8, 16, 32, 64, 128, 256, 512] {
        let made = random(seed, depth);
        match made.pieces.growing.clone().finish(made.last) {
            Ok(design) => return (design, stuck),
            Err(e) if e.code == Code::Deadlock => {
                stuck = Some(made.pieces.growing.finish_untimed(made.last).unwrap());
            }
            Err(e) => panic!("seed {seed}: {e}"),
        }
    }
    panic!("seed {seed}: it stands still with all queues");
}

#[test]
fn streams_part_and_meet() {
    let mut cases = pairs();
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 0..32 {
        let (design, _) = shortest(seed);
        for engine in &design.dataflow.engines {
            *kinds.entry(engine.kind.name()).or_default() += 1;
        }
        let origin = format!("random branches of seed {seed}");
        cases.push(case(format!("branches_{seed}"), origin, design, seed));
    }
    println!("{} designs; engines of the random ones: {kinds:?}", cases.len());
    let names = ["fork", "add", "fifo", "width", "threshold", "mvu", "window", "parallel-window"];
    assert!(names.iter().all(|name| kinds.contains_key(name)), "{kinds:?}");
    let failures = verify_more(&work("branches"), &cases, WAITS).unwrap_or_else(|text| vec![text]);
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n\n"));
}

/// A convolution beside a FIFO of `depth` words.
pub(crate) fn skip(name: &str, depth: usize) -> Design {
    skip_over(name, Map { height: 4, width: 5, channels: 2 }, 1, depth)
}

/// The same over another map, in words of so many lanes.
pub(crate) fn skip_over(name: &str, map: Map, lanes: usize, depth: usize) -> Design {
    let input = Words { element: ElementType::Int(3), lanes, map };
    let (mut pieces, at) = pieces(name, 7, input);
    let branches = pieces.growing.fork(at, 2, 1);
    let mut window = tensor::Window::of([3, 3]);
    (window.before, window.after) = ([1, 1], [1, 1]);
    let sums = pieces.convolution(branches[0], window, ElementType::Uint(2));
    let skipped = pieces.fifo(branches[1], depth);
    let sum = pieces.growing.meet([sums, skipped], Add { depth: 1, credits: 2 });
    pieces.growing.finish_untimed(sum).unwrap()
}

/// Designs that stand still by the simulator do so in Verilator: the words that come out are those
/// of the same design with longer queues, up to the one that never comes.
#[test]
fn what_stands_still_gives_no_more_words() {
    let enough = (1..64).find(|&depth| {
        let design = skip("skip", depth);
        sim::timing(&design.dataflow, 3, &Stalls::none()).is_ok()
    });
    let enough = enough.unwrap();
    assert!(enough > 4, "a FIFO of {enough} words is enough");
    let mut designs = vec![skip("skip_short", enough - 1), skip("skip_enough", enough)];
    designs.extend((0..32).filter_map(|seed| shortest(seed).1).take(8));
    let work = work("stuck");
    let _ = std::fs::remove_dir_all(&work);
    let mut units = Vec::new();
    for (index, design) in designs.iter().enumerate() {
        let name = format!("stuck_{index}");
        let folder = work.join(&name);
        let rtl = rtl::build(&design.dataflow, &design.network, rtl::Primitives::Portable);
        build_folder(&folder, &design.dataflow, &rtl).unwrap();
        units.push(Unit { name, folder, top: design.dataflow.name.clone(), strict: true });
    }
    let bundle = Bundle::build(&work, &units).unwrap();
    for (index, (design, unit)) in designs.iter().zip(&units).enumerate() {
        const FRAMES: usize = 4;
        let stuck = index != 1;
        let timing = sim::timing(&design.dataflow, FRAMES, &Stalls::none());
        assert_eq!(timing.is_err(), stuck, "{}", unit.name);
        let frames = emit::seeded_frames(&design.network.input, 3, FRAMES);
        // What it is given, from the same design with queues in which everything has room.
        let roomy = roomy(design);
        let expected = Expected::new(&roomy, &frames, &Stalls::none()).unwrap();
        let (given, found) = (unit.folder.join("given"), unit.folder.join("found"));
        for folder in [&given, &found] {
            std::fs::create_dir_all(folder).unwrap();
        }
        for (name, bytes) in expected.files() {
            std::fs::write(given.join(name), bytes).unwrap();
        }
        let more = ["--idle", "5000"];
        let run = bundle.run(unit, &unit.folder.join("rtl"), &given, &found, &more).unwrap();
        assert_eq!(run.violations, 0, "{}: {}", unit.name, run.messages);
        assert_eq!(run.finished, !stuck, "{}: {}", unit.name, run.messages);
        for (name, bytes, words) in &expected.words {
            let came: Array2<u8> =
                ndarray_npy::read_npy(found.join(format!("{name}.words.npy"))).unwrap();
            let come: Vec<u8> = came.iter().copied().collect();
            assert!(words.starts_with(&come), "{}: other words on {name}", unit.name);
            let all = come.len() == words.len();
            assert!(all || stuck, "{}: too few words on {name}", unit.name);
            if let Err(e) = &timing
                && e.node.as_ref() == Some(name)
            {
                let text = format!("`{name}` stands still after {} words", come.len() / bytes);
                assert!(e.message.contains(&text), "{}: {e}, but {text}", unit.name);
            }
        }
        if let Err(e) = timing {
            assert_eq!(e.code, Code::Deadlock);
            check_ring(&design.dataflow, &e.message);
        }
    }
    std::fs::remove_dir_all(&work).unwrap();
}

/// Engines that wait for each other are there, and each is joined to the next by a stream.
pub(crate) fn check_ring(dataflow: &Dataflow, message: &str) {
    let (_, ring) = message.split_once("waiting for each other: ").unwrap();
    let find = |name: &str| dataflow.engines.iter().position(|e| e.name == name).unwrap();
    let ring: Vec<usize> = ring.split(" <- ").map(find).collect();
    let joined = |a: usize, b: usize| {
        dataflow.streams.iter().any(|s| [(a, b), (b, a)].contains(&(s.from, s.to)))
    };
    let next = ring.iter().cycle().skip(1);
    assert!(ring.len() > 1 && ring.iter().zip(next).all(|(&a, &b)| joined(a, b)), "{message}");
}

/// The same design with deep queues.
fn roomy(design: &Design) -> Design {
    let mut design = design.clone();
    for engine in &mut design.dataflow.engines {
        match &mut engine.kind {
            EngineKind::Fifo { depth } | EngineKind::Fork { depth } => *depth = 4096,
            EngineKind::Add(add) => add.depth = 4096,
            _ => {}
        }
    }
    design
}
