//! Faults put into Verilog and memory files of a small design: every one must be found.

use crate::axi::{Bench, mixed_frames, reset};
use crate::work;
use dataflow::{Add, EngineKind};
use emit::{Design, Expected};
use fold::{Fold, LayerFold};
use graph::{Elementwise, Graph, Op, Param, Weights};
use ndarray::Array2;
use sim::Stalls;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use streamline::{Head, Options};
use tensor::ElementType;
use tests::networks::{Bundle, Draw, Growing, Pieces, Unit, Words, build_folder, prepare};

/// Changes that cannot be seen, each with the reason.
const EQUIVALENT: &[(&str, &str)] = &[
    ("`read_q <= read_q + 1'b1;` to `read_q <= read_q - 1'b1;`", "one bit: adding is subtracting"),
    (
        "`wire carry_0 = (slice_0 & slice_1) | (slice_2 & (slice_0 | slice_1));` to \
         `wire carry_0 = (slice_0 & slice_1) & (slice_2 & (slice_0 | slice_1));`",
        "a popcount of one bit: all other slices are zero",
    ),
    (
        "`assign s_ready = ~rst & (count_q != 7'h40);` to \
         `assign s_ready = ~rst & (count_q != 7'h41);`",
        "fewer frames than places are between the adapters: their reports never fill the FIFO",
    ),
    (
        "`assign s_ready = ~rst & (count_q != 7'h40);` to \
         `assign s_ready = ~rst | (count_q != 7'h40);`",
        "the same FIFO: nobody asks whether it is ready",
    ),
    (
        "`assign s_ready = ~rst & (count_q != 2'h2);` to \
         `assign s_ready = ~rst | (count_q != 2'h2);`",
        "an output queue: credits, not its readiness, keep it from overflowing",
    ),
    (
        "`if (~full) begin` to `if (full) begin`",
        "an output queue of two words in front of a faster unit: it never holds both",
    ),
];

/// A small design with an engine of each kind, folded so that buffers and passes are in use.
fn design() -> Design {
    let mut draw = Draw::new(4);
    let mut g = Graph::new("tiny");
    let x = g.input("x", vec![1, 6], Some(ElementType::Int(3)));
    let matmul = |values: Array2<f32>| Op::MatMul(Weights { values, quantized: None });
    let thresholds = |draw: &mut Draw, rows: usize, reach: i64| {
        let mut values = Array2::zeros((rows, 3));
        for mut row in values.rows_mut() {
            let first = draw.integer(-reach, reach - 2);
            let second = draw.integer(first + 1, reach - 1);
            let third = draw.integer(second + 1, reach);
            row.assign(&ndarray::arr1(&[first as f32, second as f32, third as f32]));
        }
        Op::Elementwise(Elementwise::MultiThreshold {
            thresholds: values,
            out_scale: 1.0,
            out_bias: 0.0,
            channel_axis: 1,
        })
    };
    let quantizer = thresholds(&mut draw, 6, 3);
    let at = g.add("quantizer", "MultiThreshold", quantizer, x, vec![1, 6]);
    // Sums from -9 to 9 or so: every threshold is met.
    let weights = ndarray::arr2(&[
        [1.0, -2.0, 1.0, 0.0, -1.0, 1.0],
        [-2.0, 1.0, 1.0, 1.0, -1.0, 0.0],
        [0.0, 1.0, -1.0, -2.0, 1.0, 1.0],
        [1.0, 1.0, 0.0, -1.0, 1.0, -2.0],
    ]);
    let at = g.add("fc", "MatMul", matmul(weights), at, vec![1, 4]);
    let levels = thresholds(&mut draw, 4, 4);
    let at = g.add("act", "MultiThreshold", levels, at, vec![1, 4]);
    let weights = Array2::from_shape_simple_fn((4, 4), || draw.pick(&[-1.0, 1.0]));
    let at = g.add("scores", "MatMul", matmul(weights), at, vec![1, 4]);
    let scale = Elementwise::mul(Param::per_channel(&[1.0, 1.25, -0.75, 1.5], 2));
    let at = g.add("scale", "Mul", Op::Elementwise(scale), at, vec![1, 4]);
    g.set_output(at);
    let options = Options { head: Head::TopK(2), ..Options::default() };
    let network = streamline::streamline(&g, &options).unwrap();
    let unit = |pe, simd| LayerFold { pe: Some(pe), simd: Some(simd), ..LayerFold::default() };
    let fold = Fold {
        input_lanes: Some(2),
        layers: [("fc0".to_string(), unit(2, 3)), ("fc1".to_string(), unit(4, 1))].into(),
        fifos: [("fc1".to_string(), 3)].into(),
    };
    let folded = fold::refold("tiny", &network, &fold, 100.0).unwrap();
    prepare("tiny", network, folded).unwrap()
}

/// A changed file of the design.
struct Mutation {
    /// File, line and change.
    name: String,
    file: String,
    text: String,
}

/// One bit of one memory word flipped.
fn flipped_bit(file: &str, text: &str, width: usize, draw: &mut Draw) -> Mutation {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    let line = draw.size(0, lines.len() - 1);
    let bit = draw.size(0, width - 1);
    let digit = lines[line].len() - 1 - bit / 4;
    let mut changed: Vec<char> = lines[line].chars().collect();
    let value = changed[digit].to_digit(16).unwrap() ^ (1 << (bit % 4));
    changed[digit] = char::from_digit(value, 16).unwrap();
    lines[line] = changed.into_iter().collect();
    let name = format!("{file}: bit {bit} of word {line}");
    Mutation { name, file: file.into(), text: lines.join("\n") + "\n" }
}

/// Bits of a word of a memory file: those of the memory that reads it.
fn width_of(file: &str, verilog: &BTreeMap<String, String>) -> usize {
    let reads = format!("\"{file}\", ");
    let owner = verilog.values().find(|text| text.contains(&reads)).unwrap();
    let name = owner.split(&reads).nth(1).unwrap().split(')').next().unwrap();
    let declared = owner.lines().find(|l| l.contains(&format!("{name} [0:"))).unwrap();
    let range = declared.split_once("[").unwrap().1;
    if range.starts_with("0:") {
        1
    } else {
        range.split(':').next().unwrap().parse::<usize>().unwrap() + 1
    }
}

/// What can be done to a line of Verilog: pairs of texts, and constants.
const CHANGES: &[(&str, &str)] = &[
    (" + ", " - "),
    (" - ", " + "),
    (" & ", " | "),
    (" | ", " & "),
    (" ^ ", " & "),
    (" == ", " != "),
    (" < ", " > "),
    (" > ", " >= "),
    (" >= ", " > "),
    ("~", ""),
];

/// All changes of one line.
fn changes(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let is_code = ["assign ", "<=", "wire ", "if ("].iter().any(|key| code.contains(key))
        && code.contains([';', '(']);
    if !is_code {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (from, to) in CHANGES {
        // `<=` assigns; the operators below it have spaces around and differ from it.
        all.extend(
            code.match_indices(from)
                .map(|(at, _)| format!("{}{to}{}", &code[..at], &code[at + from.len()..])),
        );
    }
    for (at, _) in code.match_indices("'h") {
        let digits: String = code[at + 2..].chars().take_while(char::is_ascii_hexdigit).collect();
        if let Ok(value) = u64::from_str_radix(&digits, 16) {
            let rest = &code[at + 2 + digits.len()..];
            all.push(format!("{}'h{:x}{rest}", &code[..at], value ^ 1));
        }
    }
    for (at, _) in code.match_indices("'d") {
        let digits: String = code[at + 2..].chars().take_while(char::is_ascii_digit).collect();
        if let Ok(value) = digits.parse::<u64>() {
            let rest = &code[at + 2 + digits.len()..];
            all.push(format!("{}'d{}{rest}", &code[..at], value ^ 1));
        }
    }
    // The arms of a choice without brackets or further choices.
    if code.matches(" ? ").count() == 1
        && let Some((condition, arms)) = code.split_once(" ? ")
        && let Some((yes, no)) = arms.split_once(" : ")
        && let Some((no, end)) = no.rsplit_once(';')
        && !no.contains(')')
    {
        all.push(format!("{condition} ? {no} : {yes};{end}"));
    }
    all
}

/// One random change in one random line.
fn changed_line(files: &BTreeMap<String, String>, draw: &mut Draw) -> Mutation {
    loop {
        let names: Vec<&String> = files.keys().collect();
        let file = draw.pick(&names);
        let mut lines: Vec<String> = files[file].lines().map(String::from).collect();
        let line = draw.size(0, lines.len() - 1);
        let all = changes(&lines[line]);
        if all.is_empty() {
            continue;
        }
        let new = all[draw.size(0, all.len() - 1)].clone();
        let name = format!("{file}:{}: `{}` to `{}`", line + 1, lines[line].trim(), new.trim());
        lines[line] = new;
        return Mutation { name, file: file.clone(), text: lines.join("\n") + "\n" };
    }
}

/// Whether a run finds the fault: words, cycles, contract, frames of the wrong length, reset.
fn is_caught(bundle: &Bundle, bench: &Bench, expected: &Expected) -> bool {
    let run = |name: &str| bench.unit.folder.join(name);
    for folder in ["expected", "found"] {
        fs::create_dir_all(run(folder)).unwrap();
    }
    for (name, bytes) in expected.files() {
        fs::write(run("expected").join(name), bytes).unwrap();
    }
    let rtl = run("rtl");
    let more = ["--idle", "2000", "--limit", "100000"];
    let ended = bundle.run(&bench.unit, &rtl, &run("expected"), &run("found"), &more);
    let right = ended.is_ok_and(|r| r.finished && r.violations == 0 && !r.frame_error);
    if !right {
        return true;
    }
    let compared = verify::compare(&bench.design.dataflow, expected, &run("found")).unwrap();
    if !compared.is_equal() {
        return true;
    }
    let mut draw = Draw::new(9);
    let wrong = |draw: &mut Draw, stall| {
        mixed_frames(bundle, bench, draw, stall).is_err()
            || reset(bundle, bench, draw, stall).is_err()
    };
    [0.5, 0.0, 0.8, 0.3, 0.6].into_iter().any(|stall| wrong(&mut draw, stall))
}

fn unit(folder: &Path, name: &str, strict: bool) -> Unit {
    Unit { name: name.into(), folder: folder.into(), top: "tiny".into(), strict }
}

/// How many of each kind.
fn mutations(rtl: &rtl::Rtl) -> Vec<Mutation> {
    let [in_memory, in_verilog] = match std::env::var("XNORFLOW_MUTATIONS") {
        Err(_) => [9, 16],
        Ok(text) => {
            let all: usize = text.parse().expect("XNORFLOW_MUTATIONS is a number");
            [all / 3, all - all / 3]
        }
    };
    let mut draw = Draw::new(2024);
    let memories: Vec<(&String, &String)> = rtl.memories.iter().collect();
    let mut all = Vec::new();
    while all.len() < in_memory {
        let (file, text) = draw.pick(&memories);
        all.push(flipped_bit(file, text, width_of(file, &rtl.verilog), &mut draw));
    }
    while all.len() < in_memory + in_verilog {
        all.push(changed_line(&rtl.verilog, &mut draw));
    }
    all
}

#[test]
fn every_fault_is_found() {
    let design = design();
    let rtl = rtl::build(&design.dataflow, &design.network, rtl::Primitives::Portable);
    all_are_found("mutation", &design, &rtl, &mutations(&rtl));
}

/// Streams that part, change their type on one branch, and meet; the last word of a frame is partly
/// filled. A matrix behind them needs the whole frame, so that all its results tell of a wrong one.
fn branched() -> Design {
    let words = Words::from((ElementType::Bipolar, 2, 11));
    let (growing, at) = Growing::new("tiny", words);
    let mut pieces = Pieces { growing, draw: Draw::new(3) };
    let branches = pieces.growing.fork(at, 2, 2);
    let levels = pieces.threshold(branches[0], ElementType::Int(2));
    let sum = pieces.growing.meet([levels, branches[1]], Add { depth: 8, credits: 2 });
    let results = pieces.matrix(sum, ElementType::Uint(2));
    pieces.growing.finish(results).unwrap()
}

/// Every change of every line of the fork and of the adder.
#[test]
fn every_fault_is_found_where_streams_meet() {
    let design = branched();
    let rtl = rtl::build(&design.dataflow, &design.network, rtl::Primitives::Portable);
    let engines = design.dataflow.engines.iter();
    let ends = engines.filter(|e| matches!(e.kind, EngineKind::Fork { .. } | EngineKind::Add(_)));
    let mut all = Vec::new();
    for file in ends.map(|e| format!("tiny_{}.v", e.name)) {
        let lines: Vec<&str> = rtl.verilog[&file].lines().collect();
        for (at, line) in lines.iter().enumerate() {
            for new in changes(line) {
                let name = format!("{file}:{}: `{}` to `{}`", at + 1, line.trim(), new.trim());
                let changed = [&lines[..at], &[new.as_str()], &lines[at + 1..]].concat();
                all.push(Mutation { name, file: file.clone(), text: changed.join("\n") + "\n" });
            }
        }
    }
    assert!(all.len() > 10, "{} changes", all.len());
    all_are_found("mutation_branches", &design, &rtl, &all);
}

/// Builds the design once unchanged and once with each change, and runs all of them.
fn all_are_found(name: &str, design: &Design, rtl: &rtl::Rtl, mutations: &[Mutation]) {
    let work = work(name);
    let _ = fs::remove_dir_all(&work);
    let mut units = Vec::new();
    for (index, mutation) in std::iter::once(None).chain(mutations.iter().map(Some)).enumerate() {
        let folder = work.join(format!("m{index}"));
        build_folder(&folder, &design.dataflow, rtl).unwrap();
        if let Some(mutation) = mutation {
            fs::write(folder.join("rtl").join(&mutation.file), &mutation.text).unwrap();
        }
        units.push(unit(&folder, &format!("m{index}"), index == 0));
    }
    let bundle = Bundle::build(&work, &units).unwrap();
    const FRAMES: usize = 300;
    let frames = emit::seeded_frames(&design.network.input, 3, FRAMES);
    let stalls = Stalls::random(0.4, 8);
    let expected = Expected::new(design, &frames, &stalls).unwrap();
    let mut benches = units.into_iter().map(|unit| Bench { design: design.clone(), unit });
    let sound = benches.next().unwrap();
    assert!(!is_caught(&bundle, &sound, &expected), "the unchanged design fails");
    let (mut caught, mut refused, mut survivors) = (0, 0, Vec::new());
    for (mutation, bench) in mutations.iter().zip(benches) {
        if bundle.refused.contains_key(&bench.unit.name) {
            refused += 1;
        } else if is_caught(&bundle, &bench, &expected) {
            caught += 1;
        } else if !EQUIVALENT.iter().any(|(change, _)| mutation.name.ends_with(change)) {
            survivors.push(mutation.name.clone());
        }
    }
    println!("{caught} faults found, {refused} refused by Verilator");
    assert!(survivors.is_empty(), "{} not found:\n{}", survivors.len(), survivors.join("\n"));
    assert!(caught * 10 >= mutations.len() * 7, "only {caught} faults were tried");
    fs::remove_dir_all(&work).unwrap();
}
