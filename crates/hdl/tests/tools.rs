//! Every kind of module through Verilator with `-Wall` and Icarus Verilog: not one message.

mod designs;

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs a tool in `folder` and returns what it said. A missing tool fails the test.
fn run(folder: &Path, tool: &str, arguments: &[&str]) -> String {
    let output = Command::new(tool)
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("`{tool}` cannot be run: {error}"));
    let said = [output.stdout, output.stderr].concat();
    let mut said = String::from_utf8_lossy(&said).into_owned();
    if !output.status.success() {
        said.push_str("\nfailed");
    }
    said
}

fn lint(library: &hdl::Library, extra: &[(&str, &str)]) {
    let folder = tempfile::tempdir().expect("a folder");
    let files = library.files();
    for (name, text) in &files {
        assert!(text.is_ascii());
        fs::write(folder.path().join(name), text).expect("a file");
    }
    for (name, text) in extra {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let mut all: Vec<&str> = vec!["-g2005", "-Wall", "-Wno-timescale", "-tnull"];
    all.extend(files.keys().map(String::as_str));
    all.extend(extra.iter().map(|(name, _)| *name));
    let said = run(folder.path(), "iverilog", &all);
    let said: Vec<&str> = said.lines().filter(|l| !l.contains("Unable to get version")).collect();
    assert!(said.is_empty(), "iverilog: {}", said.join("\n"));
    for name in files.keys() {
        let top = name.trim_end_matches(".v");
        let arguments = ["--lint-only", "-Wall", "--top-module", top, name];
        let said = run(folder.path(), "verilator", &arguments);
        assert!(said.is_empty(), "verilator on {name}: {said}\n{}", files[name]);
    }
}

#[test]
fn every_module_lints_clean() {
    lint(&designs::all(), &[]);
}

#[test]
fn a_primitive_lints_clean_with_its_model() {
    let mut library = hdl::Library::new();
    designs::primitive(&mut library);
    let model = "module LUT6_2 (input wire I0, I1, I2, I3, I4, I5, output wire O5, O6);\n\
        parameter [63:0] INIT = 64'h0;\n\
        wire [4:0] a = {I4, I3, I2, I1, I0};\n\
        assign O5 = INIT[{1'b0, a}];\n\
        assign O6 = INIT[{I5, a}];\n\
        endmodule\n";
    lint(&library, &[("LUT6_2.v", model)]);
}

/// Simulates the operators against their meaning in Rust.
#[test]
fn operators_mean_what_they_say() {
    let mut library = hdl::Library::new();
    designs::operators(&mut library, 8);
    let folder = tempfile::tempdir().unwrap();
    let (bench, expected) = operator_bench();
    fs::write(folder.path().join("operators_8.v"), &library.files()["operators_8.v"]).unwrap();
    fs::write(folder.path().join("bench.v"), bench).unwrap();
    let built = run(folder.path(), "iverilog", &["-o", "bench", "bench.v", "operators_8.v"]);
    assert!(!built.contains("failed"), "{built}");
    let said = run(folder.path(), "vvp", &["bench"]);
    let said: Vec<&str> = said.lines().filter(|l| !l.contains("Unable to get version")).collect();
    assert_eq!(said, expected);
}

fn operator_bench() -> (String, Vec<String>) {
    let mut bench = String::from(
        "module bench;\nreg [7:0] a, b;\nreg s;\nreg [2:0] i;\nreg [39:0] w;\n\
         wire [16:0] compared;\nwire [15:0] product;\nwire [7:0] chosen, lane;\nwire one;\n\
         wire [10:0] total;\nwire [9:0] signed_sum;\n\
         operators_8 u (.a(a), .b(b), .select(s), .index(i), .lane(i), .wide(w),\n\
         .compared(compared), .product(product), .chosen(chosen), .one_lane(lane),\n\
         .one_bit(one), .total(total), .signed_sum(signed_sum));\ninitial begin\n",
    );
    let mut expected = Vec::new();
    let mut seed = 1u64;
    for _ in 0..200 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let word = seed >> 20;
        let (a, b, s) = (word as u8, (word >> 8) as u8, word >> 16 & 1);
        let b = if word >> 17 & 7 == 0 { a } else { b };
        let (i, w) = ((word >> 20) % 5, seed.rotate_left(17) & 0xff_ffff_ffff);
        let (sa, sb) = (i16::from(a as i8), i16::from(b as i8));
        let flags = [
            a == b,
            a != b,
            a < b,
            a <= b,
            a > b,
            a >= b,
            sa < sb,
            sa <= sb,
            sa > sb,
            sa >= sb,
            a == 0,
            false,
            true,
            true,
            sa < -1,
            true,
            true,
        ];
        let flags = flags.iter().rev().fold(0u32, |f, bit| f << 1 | u32::from(*bit));
        let odd = |x: u8| x.count_ones() % 2 == 1;
        let chosen = match (s, a != 0, odd(b)) {
            (1, ..) => a,
            (_, true, _) => b,
            (_, _, true) => !a,
            _ => a.wrapping_add(b),
        };
        let total: u64 = (0..5).map(|k| w >> (8 * k) & 0xff).sum();
        expected.push(format!(
            "{flags:05x} {:04x} {chosen:02x} {:02x} {} {total:03x} {:03x}",
            (sa * sb) as u16,
            w >> (8 * i) & 0xff,
            a >> i & 1,
            (sa + sb) as u16 & 0x3ff,
        ));
        bench.push_str(&format!(
            "a = {a}; b = {b}; s = {s}; i = {i}; w = 40'd{w}; #1 $display(\"%h %h %h %h %h %h %h\", \
             compared, product, chosen, lane, one, total, signed_sum);\n"
        ));
    }
    bench.push_str("end\nendmodule\n");
    (bench, expected)
}
