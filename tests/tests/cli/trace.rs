//! `sim --trace`: the waveform against words and cycles of the simulator, and against Verilator's.

use super::{built, maps, simulation::make};
use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use tensor::npy::{self, NpyArray};
use tests::command::{Folder, Outcome};
use vcd::{IdCode, Value};

/// Picoseconds of a cycle on the default board.
const CYCLE: u64 = 10_000;

/// What every signal shows at the end of a cycle: bits by name, the highest first.
type Shown = BTreeMap<String, String>;

/// All cycles of the signals in a scope of a waveform.
fn cycles(folder: &Folder, file: &str, scope: &[&str]) -> Vec<Shown> {
    let bytes = folder.read(file);
    let mut parser = vcd::Parser::new(&bytes[..]);
    let header = parser.parse_header().unwrap();
    assert_eq!(header.timescale, Some((1, vcd::TimescaleUnit::PS)));
    let variables: Vec<&vcd::Var> = header
        .find_scope(scope)
        .unwrap()
        .items
        .iter()
        .filter_map(|item| if let vcd::ScopeItem::Var(var) = item { Some(var) } else { None })
        .collect();
    let mut values: HashMap<IdCode, String> = HashMap::new();
    let mut cycles = Vec::new();
    for command in parser {
        match command.unwrap() {
            vcd::Command::Timestamp(time) => {
                while (cycles.len() as u64 + 1) * CYCLE <= time {
                    let text = |var: &vcd::Var| {
                        let known = values.get(&var.code).map_or("x", String::as_str);
                        let fill = if known.starts_with('x') { "x" } else { "0" };
                        fill.repeat(var.size as usize - known.len()) + known
                    };
                    let shown = variables.iter().map(|v| (v.reference.clone(), text(v)));
                    cycles.push(shown.collect());
                }
            }
            vcd::Command::ChangeScalar(id, value) => {
                values.insert(id, value.to_string());
            }
            vcd::Command::ChangeVector(id, value) => {
                values.insert(id, value.iter().map(|bit: Value| bit.to_string()).collect());
            }
            _ => {}
        }
    }
    cycles
}

/// The name of a signal of a stream.
fn signal(stream: &str, part: &str) -> String {
    let axi = if stream.ends_with("_axis") { "t" } else { "" };
    format!("{stream}_{axi}{part}")
}

/// Whether the words of a stream move as `sim -o kept` says.
fn has_the_moves_of(folder: &Folder, stream: &dataflow::Stream, shown: &[Shown]) {
    let name = &stream.name;
    let array = |what: &str| npy::parse(&folder.read(&format!("kept/{name}.{what}.npy"))).unwrap();
    let (NpyArray::U8(words), NpyArray::U64(moves)) = (array("words"), array("cycles")) else {
        panic!("{name} is recorded as something else")
    };
    let words = words.as_slice().unwrap().chunks(stream.bytes());
    let mut moves = moves.iter();
    let [valid, ready, data] = ["valid", "ready", "data"].map(|part| signal(name, part));
    let moved = |(_, shown): &(usize, &Shown)| shown[&valid] == "1" && shown[&ready] == "1";
    let mut handshakes = shown.iter().enumerate().filter(moved);
    for (index, word) in words.enumerate() {
        let (cycle, shown) = handshakes.next().unwrap();
        assert_eq!(Some(&(cycle as u64)), moves.next(), "{name}, word {index}");
        let bits: String = word.iter().rev().map(|byte| format!("{byte:08b}")).collect();
        assert_eq!(bits.trim_start_matches('0'), shown[&data].trim_start_matches('0'));
        let frame = usize::from_str_radix(&shown[&format!("{name}_frame")], 2).unwrap();
        assert_eq!(frame, index / stream.words_per_frame(), "{name}, word {index}");
    }
    assert!(handshakes.next().is_none() && moves.next().is_none(), "{name}");
}

/// Whether valid, ready and what a valid word says are those of Verilator in every cycle.
fn is_as_in_verilator(dataflow: &dataflow::Dataflow, shown: &[Shown], verilator: &[Shown]) {
    assert!(shown.len() <= verilator.len());
    for stream in &dataflow.streams {
        let name = &stream.name;
        let [valid, ready, data, last] =
            ["valid", "ready", "data", "last"].map(|part| signal(name, part));
        let last_move = shown.iter().rposition(|s| s[&valid] == "1" && s[&ready] == "1").unwrap();
        for (cycle, (ours, theirs)) in shown.iter().zip(verilator).enumerate() {
            let place = format!("{name}, cycle {cycle}");
            assert_eq!(ours[&valid], theirs[&valid], "valid of {place}");
            assert_eq!(ours[&ready] == "x", cycle > last_move, "ready of {place}");
            if cycle <= last_move {
                assert_eq!(ours[&ready], theirs[&ready], "ready of {place}");
            }
            if ours[&valid] == "1" {
                assert_eq!(ours[&data], theirs[&data], "data of {place}");
                assert_eq!(ours.get(&last), theirs.get(&last), "last of {place}");
            } else {
                assert_eq!(ours[&data].replace('x', ""), "", "data of {place}");
            }
        }
    }
}

/// Traces a run of the simulator and one of Verilator; all have to agree.
fn agrees(folder: &Folder, name: &str, options: &str) {
    let text = String::from_utf8(folder.read("out/network/dataflow.toml")).unwrap();
    let dataflow = dataflow::Dataflow::parse(&text).unwrap();
    folder.run(&format!("sim out --input x.npy {options} -o kept --trace sim.vcd")).succeeds();
    let shown = cycles(folder, "sim.vcd", &[name]);
    dataflow.streams.iter().for_each(|stream| has_the_moves_of(folder, stream, &shown));
    let mut run = Command::new(folder.path("out/sim/build-trace/sim"));
    run.current_dir(folder.path("out/rtl"));
    run.args("--input ../../kept --expect ../../kept --trace ../../rtl.vcd".split(' '));
    let run = Outcome::from(run.output().unwrap());
    assert_eq!(run.status, 0, "{run:?}");
    is_as_in_verilator(&dataflow, &shown, &cycles(folder, "rtl.vcd", &["TOP", name]));
}

#[test]
fn waveforms_are_those_of_verilator() {
    for (folder, name) in [(built(), "m"), (maps::built(), "m")] {
        let built = make(&folder, &["build", "TRACE=1", "CXXOPT=-O1"]);
        assert_eq!(built.status, 0, "{built:?}");
        agrees(&folder, name, "--frames 5");
        agrees(&folder, name, "--frames 5 --stall 0.5 --seed 7");
    }
}

#[test]
fn a_waveform_that_cannot_be_written_is_refused_by_name() {
    let folder = built();
    let refused = folder.run("sim out --frames 1 --trace nowhere/out.vcd");
    assert_eq!((refused.status, refused.stdout.as_str()), (1, ""));
    assert!(refused.stderr.starts_with("error[file-access]: "), "{}", refused.stderr);
    assert!(refused.stderr.contains("nowhere/out.vcd"), "{}", refused.stderr);
}
