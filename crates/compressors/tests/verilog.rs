//! The written modules in Icarus Verilog, Verilator and Yosys.

use std::fs;
use std::path::Path;
use std::process::Command;

use compressors::{Bit, Heap, Netlist, Search, simulation_models};
use hdl::Library;

/// Runs a tool in `folder` and returns what it said. A missing or failing tool fails the test.
fn run(folder: &Path, tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool).args(arguments).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("`{tool}` cannot be run: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{tool} {arguments:?}: {said}");
    said.lines()
        .filter(|line| !line.contains("Unable to get version"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Writes the module `tree` and the models of its primitives; returns all file names.
fn write(folder: &Path, netlist: &Netlist) -> Vec<String> {
    let mut library = Library::new();
    netlist.module(&mut library, "tree");
    let models = simulation_models().map(|(name, text)| (name.to_owned(), text.to_owned()));
    let files = library.files().into_iter().chain(models);
    let write = |(name, text): (String, String)| {
        fs::write(folder.join(&name), text).expect("a file");
        name
    };
    files.map(write).collect()
}

/// Applies a vector a cycle, those of the heap's own sums; the sums appear `latency` edges later.
fn bench(heap: &Heap, netlist: &Netlist) -> (String, Vec<String>) {
    let (inputs, width, latency) = (netlist.inputs, netlist.outputs.len(), netlist.latency());
    let mut state = 1u64;
    let mut word = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 32) << 32 | state.rotate_left(13) >> 32
    };
    let words: Vec<u64> = (0..inputs).map(|_| word()).collect();
    // The first two vectors are all zeros and all ones.
    let words: Vec<u64> = words.iter().map(|word| word & !1 | 2).collect();
    let mut text = format!(
        "module bench;\nreg clk = 0;\nreg [{}:0] bits;\nwire [{}:0] sum;\n\
         tree u (.clk(clk), .bits(bits), .sum(sum));\ninitial begin\n",
        inputs - 1,
        width - 1
    );
    for cycle in 0..64 + latency {
        if cycle < 64 {
            let bits = words.iter().rev().map(|w| if w >> cycle & 1 == 1 { '1' } else { '0' });
            let bits: String = bits.collect();
            text.push_str(&format!("bits = {inputs}'b{bits}; "));
        }
        if cycle >= latency {
            text.push_str("$display(\"%0d\", sum); ");
        }
        text.push_str("#1 clk = 1; #1 clk = 0;\n");
    }
    text.push_str("$finish;\nend\nendmodule\n");
    (text, heap.sums(&words).iter().map(u64::to_string).collect())
}

/// A heap that adds up its own sums: the late bits are those of the sum.
#[test]
fn the_last_chain_accumulates() {
    let mut heap = Heap::new(12);
    let inputs = 40;
    for _ in 0..inputs {
        let wire = heap.input();
        heap.add(0, wire.into());
    }
    for column in 0..12 {
        let wire = heap.late_input();
        heap.add(column, wire.into());
    }
    let netlist = heap.compress(&Search { runs: 100, seed: 0 });
    netlist.check(&heap).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), &netlist);
    // The pipeline starts full of unknown bits: zeros move in while the sum is not fed back.
    let latency = netlist.latency();
    let mut text = String::from(
        "module bench;\nreg clk = 0;\nreg [39:0] bits = 0;\nwire [11:0] sum;\nreg clear = 1;\n\
         tree u (.clk(clk), .bits(bits), .late(clear ? 12'd0 : sum), .sum(sum));\ninitial begin\n",
    );
    text.push_str(&format!("repeat ({latency}) begin #1 clk = 1; #1 clk = 0; end\nclear = 0;\n"));
    let (mut total, mut expected) = (0u64, Vec::new());
    for cycle in 0..20u64 {
        let ones = (cycle * 7 + 3) % 41;
        text.push_str(&format!("bits = (41'd1 << {ones}) - 1; #1 clk = 1; #1 clk = 0;\n"));
        if cycle + 1 >= latency as u64 {
            text.push_str("$display(\"%0d\", sum);\n");
            total += ((cycle + 1 - latency as u64) * 7 + 3) % 41;
            expected.push(total.to_string());
        }
    }
    text.push_str("end\nendmodule\n");
    fs::write(folder.path().join("bench.v"), text).unwrap();
    let mut arguments = vec!["-g2005", "-Wno-timescale", "-o", "bench", "bench.v"];
    arguments.extend(files.iter().map(String::as_str));
    run(folder.path(), "iverilog", &arguments);
    let said = run(folder.path(), "vvp", &["-n", "bench"]);
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

/// A heap with inverted literals, several columns and a constant.
fn mixed() -> Heap {
    let mut heap = Heap::new(8);
    for index in 0..60 {
        let wire = heap.input();
        heap.add(index % 4, Bit { wire: Some(wire), inverted: index % 3 != 0 });
    }
    heap.add_constant(0xa5);
    heap
}

#[test]
fn icarus_counts_as_the_heap_does() {
    for heap in [7, 16, 64, 144].map(Heap::popcount).into_iter().chain([mixed()]) {
        let netlist = heap.compress(&Search { runs: 100, seed: 0 });
        let folder = tempfile::tempdir().unwrap();
        let (bench, expected) = bench(&heap, &netlist);
        fs::write(folder.path().join("bench.v"), bench).unwrap();
        let files = write(folder.path(), &netlist);
        let mut arguments = vec!["-g2005", "-Wall", "-Wno-timescale", "-o", "bench", "bench.v"];
        arguments.extend(files.iter().map(String::as_str));
        assert_eq!(run(folder.path(), "iverilog", &arguments), "");
        let said = run(folder.path(), "vvp", &["-n", "bench"]);
        let said: Vec<&str> = said.lines().filter(|line| !line.contains("$finish")).collect();
        assert_eq!(said, expected, "{} inputs", netlist.inputs);
    }
}

#[test]
fn verilator_has_nothing_to_say_and_counts_the_same() {
    let heap = mixed();
    let netlist = heap.compress(&Search { runs: 100, seed: 0 });
    let folder = tempfile::tempdir().unwrap();
    let (bench, expected) = bench(&heap, &netlist);
    fs::write(folder.path().join("bench.v"), bench).unwrap();
    write(folder.path(), &netlist);
    let lint = ["--lint-only", "-Wall", "--top-module", "tree", "-y", ".", "tree.v"];
    assert_eq!(run(folder.path(), "verilator", &lint), "");
    let build =
        ["--binary", "-Wno-lint", "-Wno-STMTDLY", "--top-module", "bench", "-y", ".", "bench.v"];
    run(folder.path(), "verilator", &build);
    let said = run(folder.path(), "obj_dir/Vbench", &[]);
    let said: Vec<&str> = said.lines().filter(|line| !line.contains("$finish")).collect();
    assert_eq!(said, expected);
}

/// Yosys keeps the primitives as they are and adds none: its sites are those of the netlist.
#[test]
fn yosys_counts_the_same_tables() {
    let Ok(python) = std::env::var("PYOSYS_PYTHON") else {
        assert!(std::env::var_os("XNORFLOW_REQUIRE_TOOLS").is_none(), "PYOSYS_PYTHON is not set");
        eprintln!("skipped: PYOSYS_PYTHON names no Python with pyosys");
        return;
    };
    let netlist = Heap::popcount(64).compress(&Search::default());
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &netlist);
    let passes = "read_verilog tree.v\n\
        synth_xilinx -family xc7 -flatten -abc9 -noiopad -noclkbuf -top tree\n\
        write_json tree.json";
    let program = "import sys\nfrom pyosys import libyosys as y\nd = y.Design()\n\
        for p in sys.argv[1].splitlines():\n    d.run_pass(p)\n";
    run(folder.path(), &python, &["-c", program, passes]);
    let text = fs::read_to_string(folder.path().join("tree.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cells = json["modules"]["tree"]["cells"].as_object().unwrap();
    let of = |kind: &str| cells.values().filter(|c| c["type"] == kind).count();
    let is_table = |kind: &str| kind.starts_with("LUT") || kind == "INV";
    // A ternary position is two cells on one site.
    let written: usize = netlist.counters().map(|counter| counter.luts.len()).sum();
    let found = cells.values().filter(|c| is_table(c["type"].as_str().unwrap())).count();
    assert_eq!(found, written);
    assert_eq!((of("CARRY4"), of("FDRE")), (netlist.carries(4), netlist.registers()));
    assert!(netlist.luts() * 100 <= 64 * 52, "0.52 tables for each bit");
}
