//! Hard-wired layers: proven, evaluated, run as Verilog, and the proof itself tested by mutation.

use std::fs;
use std::process::Command;

use compressors::{Neuron, Output, Wired, simulation_models};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random weights with this share of zeros, and thresholds about the middle.
fn layer(rows: usize, columns: usize, zeros: f64, seed: u64) -> Vec<Neuron> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let neuron = |_| {
        let mut weight = |_| match random.random_bool(zeros) {
            true => 0,
            false => 1 - 2 * i8::from(random.random_bool(0.5)),
        };
        let weights: Vec<i8> = (0..columns).map(&mut weight).collect();
        let middle = weights.iter().filter(|w| **w != 0).count() as i64 / 2;
        Neuron { weights, constant: random.random_range(-3..=3) - middle }
    };
    (0..rows).map(neuron).collect()
}

/// Random vectors; a third has few ones, a third many.
fn vectors(inputs: usize, seed: u64) -> Vec<u64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let word = |_| {
        let [a, b]: [u64; 2] = random.random();
        let third = (1 << 21) - 1;
        a & b & third | (a | b) & third << 21 | a & !0 << 42
    };
    (0..inputs).map(word).collect()
}

/// What the layer should give, bit by bit, from integers.
fn expected(neurons: &[Neuron], output: Output, inputs: &[u64]) -> Vec<u64> {
    let value = |neuron: &Neuron, vector: usize| {
        let counts = |(weight, word): (&i8, &u64)| match (*weight, *word >> vector & 1) {
            (1, 1) | (-1, 0) => 1,
            _ => 0,
        };
        let count: i64 = neuron.weights.iter().zip(inputs).map(counts).sum();
        match output {
            Output::Sign => i64::from(count + neuron.constant >= 0),
            Output::Sum { shift, .. } => (count << shift) + neuron.constant,
        }
    };
    let bits = (0..neurons.len()).flat_map(|n| (0..output.bits()).map(move |bit| (n, bit)));
    let word = |(n, bit)| {
        (0..64).fold(0, |word, v| word | ((value(&neurons[n], v) >> bit & 1) as u64) << v)
    };
    bits.map(word).collect()
}

fn agrees(neurons: &[Neuron], wired: &Wired, seed: u64) -> bool {
    let inputs = vectors(neurons[0].weights.len(), seed);
    wired.evaluate(&inputs) == expected(neurons, wired.output, &inputs)
}

const SUMS: Output = Output::Sum { bits: 9, shift: 1 };

#[test]
fn layers_of_many_shapes() {
    let shapes = [(1, 1), (1, 2), (2, 3), (3, 17), (5, 64), (8, 33), (9, 20), (16, 100), (10, 64)];
    for (rows, columns) in shapes {
        for (zeros, output) in [(0.0, Output::Sign), (0.4, Output::Sign), (0.0, SUMS), (0.3, SUMS)]
        {
            let neurons = layer(rows, columns, zeros, (rows * columns) as u64);
            let wired = Wired::new(&neurons, output);
            assert_eq!(wired.check(&neurons), Ok(()), "{rows} x {columns}, {output:?}");
            assert!(agrees(&neurons, &wired, 1), "{rows} x {columns}, {output:?}");
            assert_eq!(wired, Wired::new(&neurons, output), "the same layer, the same trees");
        }
    }
}

/// Rows that are equal or opposite, and rows that nothing can change.
#[test]
fn degenerate_layers() {
    let row = |weight: i8, constant| Neuron { weights: vec![weight; 30], constant };
    let rows =
        [row(1, -15), row(-1, -15), row(1, 0), row(1, -31), row(0, 0), row(0, -1), row(1, -30)];
    for output in [Output::Sign, SUMS] {
        let wired = Wired::new(&rows, output);
        assert_eq!(wired.check(&rows), Ok(()));
        assert!(agrees(&rows, &wired, 3));
        let decided = if output == Output::Sign { 4 } else { 0 };
        assert_eq!(wired.decided.len(), decided);
    }
    let none = Wired::new(&[], Output::Sign);
    assert_eq!((none.check(&[]), none.luts(), none.latency()), (Ok(()), 0, 1));
}

/// At most the shares of the issue for random weights; trained ones take less.
#[test]
fn few_tables_for_each_weight() {
    for (rows, columns, most) in [(16, 784, 0.15), (64, 64, 0.31)] {
        let neurons = layer(rows, columns, 0.0, 7);
        let wired = Wired::new(&neurons, Output::Sign);
        assert_eq!(wired.check(&neurons), Ok(()));
        let each = wired.luts() as f64 / (rows * columns) as f64;
        println!("{rows} x {columns}: {} tables, {each:.3} for each weight", wired.luts());
        assert!(each <= most, "{rows} x {columns}: {each:.3}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_layer(
        rows in 1..12usize, columns in 1..50usize, zeros in 0.0..0.9f64, seed: u64, sums: bool,
    ) {
        let neurons = layer(rows, columns, zeros, seed);
        let wired = Wired::new(&neurons, if sums { SUMS } else { Output::Sign });
        prop_assert_eq!(wired.check(&neurons), Ok(()));
        prop_assert!(agrees(&neurons, &wired, seed));
    }
}

/// Whatever is changed in the trees is found, or changes nothing.
#[test]
fn mutations_are_found() {
    let neurons = layer(10, 40, 0.1, 5);
    for output in [Output::Sign, SUMS] {
        let wired = Wired::new(&neurons, output);
        assert_eq!(wired.check(&neurons), Ok(()));
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let (mut found, mut tried) = (0, 0);
        for _ in 0..400 {
            let mut mutant = wired.clone();
            let group = random.random_range(0..mutant.groups.len());
            let netlist = &mut mutant.groups[group].netlist;
            let wires = netlist.wires;
            let stage = random.random_range(0..netlist.stages.len());
            let stage = &mut netlist.stages[stage];
            let register = random.random_range(0..stage.registers.len());
            let other = stage.registers[random.random_range(0..stage.registers.len())];
            let chain =
                (!stage.chains.is_empty()).then(|| random.random_range(0..stage.chains.len()));
            match (random.random_range(0..8), chain.map(|chain| &mut stage.chains[chain])) {
                (0, _) => stage.registers[register].0 = other.0,
                (1, _) => drop(stage.registers.remove(register)),
                (2, _) => netlist.outputs.swap(0, 1),
                (kind, Some(chain)) => {
                    let counter = random.random_range(0..chain.len());
                    let counter = &mut chain[counter];
                    match kind {
                        3 => {
                            let lut = random.random_range(0..counter.luts.len());
                            counter.luts[lut].init ^= 1 << random.random_range(0..64);
                        }
                        4 => {
                            let lut = random.random_range(0..counter.luts.len());
                            let pins = &mut counter.luts[lut].pins;
                            let pin = random.random_range(0..pins.len());
                            pins[pin] = other.1.into();
                        }
                        5 => {
                            let taken = random.random_range(0..counter.takes.len());
                            counter.takes[taken].0 = !counter.takes[taken].0;
                        }
                        6 => drop(counter.gives.pop()),
                        _ => counter.takes[0].1 += 1,
                    }
                }
                (_, None) => continue,
            }
            assert_eq!(wires, mutant.groups[group].netlist.wires);
            tried += 1;
            match mutant.check(&neurons) {
                Err(_) => found += 1,
                Ok(()) => assert!((0..4).all(|seed| agrees(&neurons, &mutant, seed))),
            }
        }
        println!("{output:?}: {found} of {tried} mutants found, the others change nothing");
        assert!(found * 4 > tried * 3);
    }
}

/// A tree for other neurons.
#[test]
fn other_weights_are_found() {
    let neurons = layer(9, 30, 0.2, 8);
    let wired = Wired::new(&neurons, Output::Sign);
    for row in 0..9 {
        let mut others = neurons.clone();
        others[row].constant += 1;
        assert!(wired.check(&others).is_err());
        for column in 0..30 {
            let mut others = neurons.clone();
            others[row].weights[column] = if neurons[row].weights[column] == 1 { -1 } else { 1 };
            assert!(wired.check(&others).is_err());
        }
    }
    let mut fewer = wired.clone();
    fewer.groups.pop();
    assert!(fewer.check(&neurons).is_err());
}

fn run(folder: &std::path::Path, tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("`{tool}` cannot be run: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{tool} {arguments:?}: {said}");
    said
}

/// The groups as Verilog: a vector a cycle, the outputs a latency later.
#[test]
fn icarus_and_verilator_compute_the_same() {
    for output in [Output::Sign, SUMS] {
        let neurons = layer(12, 60, 0.05, 4);
        let wired = Wired::new(&neurons, output);
        let inputs = vectors(60, 9);
        let values = expected(&neurons, output, &inputs);
        let mut library = hdl::Library::new();
        let mut text = String::from("module bench;\nreg clk = 0;\nreg [59:0] bits;\n");
        let mut shown = Vec::new();
        for (number, group) in wired.groups.iter().enumerate() {
            group.netlist.module(&mut library, &format!("group{number}"));
            let width = group.netlist.outputs.len();
            text.push_str(&format!(
                "wire [{}:0] sum{number};\ngroup{number} u{number} (.clk(clk), .bits(bits), .sum(sum{number}));\n",
                width - 1
            ));
            shown.push(format!("$display(\"%b\", sum{number});"));
        }
        text.push_str("initial begin\n");
        let latency = wired.latency();
        for cycle in 0..64 + latency {
            let bits =
                inputs.iter().rev().map(|w| if w >> (cycle % 64) & 1 == 1 { '1' } else { '0' });
            text.push_str(&format!("bits = 60'b{};\n", bits.collect::<String>()));
            if cycle >= latency {
                text.push_str(&shown.join("\n"));
            }
            text.push_str("\n#1 clk = 1; #1 clk = 0;\n");
        }
        text.push_str("$finish;\nend\nendmodule\n");
        let mut lines = Vec::new();
        for vector in 0..64 {
            for group in &wired.groups {
                let bits = group
                    .neurons
                    .iter()
                    .flat_map(|n| (0..output.bits()).map(move |bit| n * output.bits() + bit));
                let digits: Vec<char> =
                    bits.map(|b| if values[b] >> vector & 1 == 1 { '1' } else { '0' }).collect();
                lines.push(digits.into_iter().rev().collect::<String>());
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::write(folder.join("bench.v"), text).unwrap();
        let models = simulation_models().map(|(name, text)| (name.to_owned(), text.to_owned()));
        let files: Vec<String> = library
            .files()
            .into_iter()
            .chain(models)
            .map(|(name, text)| {
                fs::write(folder.join(&name), text).unwrap();
                name
            })
            .collect();
        let mut arguments = vec!["-g2005", "-Wno-timescale", "-o", "bench", "bench.v"];
        arguments.extend(files.iter().map(String::as_str));
        run(folder, "iverilog", &arguments);
        let check = |said: String| {
            let said: Vec<&str> = said.lines().filter(|l| l.starts_with(['0', '1'])).collect();
            assert_eq!(said, lines);
        };
        check(run(folder, "vvp", &["-n", "bench"]));
        run(
            folder,
            "verilator",
            &["--lint-only", "-Wall", "--top-module", "group0", "-y", ".", "group0.v"],
        );
        run(
            folder,
            "verilator",
            &[
                "--binary",
                "-Wno-lint",
                "-Wno-STMTDLY",
                "--top-module",
                "bench",
                "-y",
                ".",
                "bench.v",
            ],
        );
        check(run(folder, "obj_dir/Vbench", &[]));
    }
}
