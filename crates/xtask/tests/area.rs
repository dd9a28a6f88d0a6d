//! `cargo xtask area` counts as the outside instrument `../shared/tools/xc7-area` does.

mod program;

use program::{root, xnorflow};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn said(command: &mut Command) -> String {
    let output = command.output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What the instrument prints behind a word, e.g. behind `LUTS`.
fn behind(text: &str, word: &str) -> f64 {
    let mut words = text.split_whitespace();
    words.find(|w| *w == word).expect("the instrument prints it");
    words.next().and_then(|n| n.parse().ok()).expect("a number")
}

/// LUTs, flip-flops, carry chains and block RAMs of a module, by both.
fn compare(folder: &Path, instrument: &Path, top: &str) {
    let mut area = Command::new(env!("CARGO_BIN_EXE_xtask"));
    area.args(["area", "--json", "--top", top]).arg(folder).current_dir(root());
    let own = said(&mut area);
    let json = own.find('{').map(|at| &own[at..]).expect("an object");
    let own: Value = serde_json::from_str(json).expect("JSON");

    let list = std::fs::read_to_string(folder.join("files.f")).expect("the list of files");
    let files = list.lines().filter_map(|line| line.trim().strip_prefix("rtl/"));
    let mut other = Command::new(instrument);
    other.args(files.filter(|name| name.ends_with(".v"))).arg(top);
    let other = said(other.current_dir(folder.join("rtl")));

    for (key, word) in [("luts", "LUTS"), ("ffs", "FF"), ("carry4", "CARRY4"), ("bram36", "BRAM36")]
    {
        assert_eq!(own[key].as_f64(), Some(behind(&other, word)), "{word} of {top}: {other}");
    }
}

#[test]
fn both_instruments_print_the_same() {
    let shared = root().join("../shared");
    let instrument = shared.join("tools/xc7-area");
    let model = shared.join("data/TFC_1W1A/TFC_1W1A.onnx");
    if !instrument.is_file() || !model.is_file() {
        eprintln!("skipped: {} is not there", shared.display());
        return;
    }
    let temp = tempfile::tempdir().expect("a folder");
    let folder: PathBuf = temp.path().join("tfc");
    let mut build = Command::new(xnorflow());
    build.arg("build").arg(&model).args(["--fps", "20000", "--name", "tfc", "--frames", "1"]);
    said(build.arg("-o").arg(&folder));
    // A threshold unit, matrix-vector units with weights in LUTs and in block RAM, an adapter.
    let report = std::fs::read_to_string(folder.join("report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let engines = report["engines"].as_array().expect("engines");
    let few = engines.iter().filter_map(|e| e["name"].as_str()).take(4);
    few.for_each(|name| compare(&folder, &instrument, &format!("tfc_{name}")));
    compare(&folder, &instrument, "tfc");
}
