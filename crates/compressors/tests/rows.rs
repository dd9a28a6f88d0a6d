//! Rows of coded products: against counting, and both forms against each other.

#![allow(clippy::print_stderr, reason = "a test says why it is skipped")]

use std::fs;
use std::path::Path;
use std::process::Command;

use compressors::{Primitives, Row, encode, simulation_models};
use hdl::Library;

/// The Python that has Yosys; none where a test may do without.
fn python() -> Option<String> {
    let python = std::env::var("PYOSYS_PYTHON").ok();
    if python.is_none() {
        assert!(std::env::var_os("XNORFLOW_REQUIRE_TOOLS").is_none(), "PYOSYS_PYTHON is not set");
        eprintln!("skipped: PYOSYS_PYTHON names no Python with pyosys");
    }
    python
}

/// Runs passes of Yosys in `folder`: whether all of them succeed.
fn yosys(python: &str, folder: &Path, passes: &str) -> bool {
    let program = "import sys\nfrom pyosys import libyosys as y\nd = y.Design()\n\
        for p in sys.argv[1].splitlines():\n    d.run_pass(p)\n";
    let mut command = Command::new(python);
    command.args(["-c", program, passes]).current_dir(folder);
    let output = command.output().expect("Python can be run");
    let said = [output.stdout, output.stderr].concat();
    fs::write(folder.join("said.txt"), said).expect("a file");
    output.status.success()
}

/// Writes the row with names that begin with `prefix`, and gives its files.
fn write(folder: &Path, prefix: &str, row: &Row, primitives: Primitives) -> Vec<String> {
    let mut library = Library::new();
    row.module(primitives, &mut library, prefix);
    let files = library.files();
    for (name, text) in &files {
        fs::write(folder.join(name), text).expect("a file");
    }
    files.into_keys().collect()
}

fn write_models(folder: &Path) -> String {
    let models = simulation_models();
    for (name, text) in models {
        fs::write(folder.join(name), text).expect("a file");
    }
    models.map(|(name, _)| name).join(" ")
}

/// Registers as wires: a pipeline without feedback computes the same, only at once.
const WIRES: &str = "(* techmap_celltype = \"$dff\" *)\n\
    module wires (CLK, D, Q);\nparameter WIDTH = 1;\nparameter CLK_POLARITY = 1;\n\
    input CLK;\ninput [WIDTH-1:0] D;\noutput [WIDTH-1:0] Q;\nassign Q = D;\nendmodule\n";

/// What a row has to be: it counts ones of XNOR. The code is written out here once more.
fn meaning(simd: usize, bits: usize) -> String {
    let mut code = String::new();
    for first in (0..simd).step_by(9) {
        for i in first..(first + 9).min(simd) {
            let from = if (i - first).is_multiple_of(2) { first } else { i };
            code += &format!("assign xc[{i}] = ^x[{i}:{from}];\nassign wc[{i}] = ^(~w[{i}:{from}]");
            code += &format!(" & {{{}{{1'b1}}}});\n", i + 1 - from);
        }
    }
    let ones: Vec<String> =
        (0..simd).map(|i| format!("{{{bits}'d0, ~(x[{i}] ^ w[{i}])}}")).collect();
    format!(
        "module top (input [{0}:0] x, input [{0}:0] w, input [{1}:0] late, output same);\n\
         wire [{0}:0] xc, wc;\nwire [{1}:0] next;\n{code}\
         row u (.clk(1'b0), .x(xc), .w(wc), .late(late), .next(next));\n\
         wire [{bits}:0] sum = late + {2};\n\
         assign same = next == sum[{1}:0];\nendmodule\n",
        simd - 1,
        bits - 1,
        ones.join(" + ")
    )
}

/// Whether the row counts, for all inputs, weights and accumulators.
fn counts(python: &str, folder: &Path, simd: usize, files: &[String], bits: usize) -> bool {
    let models = write_models(folder);
    fs::write(folder.join("top.sv"), meaning(simd, bits)).expect("a file");
    fs::write(folder.join("wires.txt"), WIRES).expect("a file");
    let passes = format!(
        "read_verilog {} {models}\nread_verilog -sv top.sv\nhierarchy -top top\nproc\nflatten\n\
         opt_expr\ntechmap -map wires.txt\nopt_clean\nsat -verify -prove same 1 top",
        files.join(" ")
    );
    yosys(python, folder, &passes)
}

#[test]
fn small_rows_count_all_there_is_to_count() {
    let Some(python) = python() else { return };
    for simd in [1, 2, 3, 5, 9, 10, 12] {
        for primitives in [Primitives::Portable, Primitives::Series7, Primitives::UltraScale] {
            let folder = tempfile::tempdir().unwrap();
            let files = write(folder.path(), "row", &Row::of(simd, 5, true), primitives);
            let found = counts(&python, folder.path(), simd, &files, 5);
            let said = fs::read_to_string(folder.path().join("said.txt")).unwrap();
            assert!(found, "{simd} {primitives:?}: {said}");
        }
    }
}

/// A wrong entry of any of the first tables is found.
#[test]
fn a_wrong_table_does_not_count() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = write(folder.path(), "row", &Row::of(11, 5, true), Primitives::Series7);
    let path = folder.path().join("row.v");
    let text = fs::read_to_string(&path).unwrap();
    let tables: Vec<usize> = text.match_indices("64'h").map(|(at, _)| at + 4).collect();
    assert_eq!(tables.len(), 5, "four carries, and two of the three products that are left");
    for (number, at) in tables.into_iter().enumerate() {
        let digit = at + number * 3 % 8 + 8;
        let value = u8::from_str_radix(&text[digit..digit + 1], 16).unwrap();
        let wrong = format!("{}{:x}{}", &text[..digit], value ^ 4, &text[digit + 1..]);
        fs::write(&path, wrong).unwrap();
        assert!(!counts(&python, folder.path(), 11, &files, 5), "table {number}");
        let said = fs::read_to_string(folder.path().join("said.txt")).unwrap();
        assert!(said.contains("model found"), "{said}");
    }
}

/// Registers of both forms have the same names: what is between them is compared, at any size.
fn equal(python: &str, folder: &Path, gold: &[String], gate: &[String]) -> bool {
    let models = write_models(folder);
    let passes = format!(
        "read_verilog {} {} {models}\nhierarchy\nproc\nflatten\nopt_clean\nequiv_make gold gate equal\n\
         hierarchy -top equal\nopt_clean\nequiv_simple -seq 2\nequiv_status -assert",
        gold.join(" "),
        gate.join(" ")
    );
    yosys(python, folder, &passes)
}

#[test]
fn both_forms_are_equal_at_any_size() {
    let Some(python) = python() else { return };
    for (simd, bits, accumulates) in [(16, 8, true), (64, 9, true), (144, 10, true), (33, 7, false)]
    {
        let row = Row::of(simd, bits, accumulates);
        for primitives in [Primitives::Series7, Primitives::UltraScale] {
            let folder = tempfile::tempdir().unwrap();
            let gold = write(folder.path(), "gold", &row, primitives);
            let gate = write(folder.path(), "gate", &row, Primitives::Portable);
            let found = equal(&python, folder.path(), &gold, &gate);
            let said = fs::read_to_string(folder.path().join("said.txt")).unwrap();
            assert!(found, "{simd} {primitives:?}: {said}");
        }
    }
}

/// The trees of rows are proven as all others are.
#[test]
fn trees_of_rows_keep_their_sums() {
    for simd in [1, 2, 8, 9, 16, 31, 32, 64, 100, 144, 288] {
        for (bits, accumulates) in [(4, true), (9, true), (12, true), (10, false)] {
            let row = Row::of(simd, bits, accumulates);
            let (tree, heap) = row.tree();
            assert_eq!(tree.check(heap), Ok(()), "{simd} {bits}");
        }
    }
}

#[test]
fn rows_take_what_they_are_known_to_take() {
    for (simd, bits, most) in [(16, 8, 18), (32, 9, 30), (64, 9, 56), (144, 10, 119)] {
        let row = Row::of(simd, bits, true);
        assert!(row.luts() <= most, "{simd}: {} tables", row.luts());
        assert!(row.registers() <= 2 * row.luts(), "{simd}: {} registers", row.registers());
    }
}

#[test]
fn a_code_can_be_read_back() {
    let word: Vec<bool> = (0..23).map(|i| i * i % 7 < 3).collect();
    let code = encode(&word);
    let back = (0..23).map(|i| match i % 9 {
        0 => code[i],
        in_group if in_group % 2 == 1 => code[i],
        _ => code[i] ^ code[i - 1] ^ code[i - 2],
    });
    assert_eq!(back.collect::<Vec<_>>(), word);
}
