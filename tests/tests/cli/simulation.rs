//! The emitted simulation by itself, and hardware that says something else than the network.

use super::built;
use std::process::Command;
use tensor::npy;
use tests::command::{Folder, Outcome, files};

/// `make` in the folder of the simulation: no part of xnorflow.
pub(crate) fn make(folder: &Folder, arguments: &[&str]) -> Outcome {
    let mut make = Command::new("make");
    make.arg("-C").arg(folder.path("out/sim")).args(arguments);
    make.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL");
    make.output().unwrap().into()
}

/// The memory file whose name ends so.
fn memory(folder: &Folder, end: &str) -> String {
    let all = files(&folder.path("out/rtl"));
    let name = all.iter().map(|(name, _)| name).find(|name| name.ends_with(end));
    format!("out/rtl/{}", name.unwrap())
}

/// Flips the lowest bit of the first word of a memory file.
fn flip(folder: &Folder, file: &str) {
    let text = String::from_utf8(folder.read(file)).unwrap();
    let at = text.find(['\n', ' ']).unwrap() - 1;
    let mut bytes = text.into_bytes();
    let digit = char::from(bytes[at]).to_digit(16).unwrap() ^ 1;
    bytes[at] = char::from_digit(digit, 16).unwrap() as u8;
    folder.write(file, bytes);
}

#[test]
fn the_makefile_compares_without_xnorflow_and_verify_names_a_changed_weight() {
    let folder = built();
    // Options for the compiler may be several.
    let quiet = make(&folder, &["CXXOPT=-O1 -fno-math-errno"]);
    assert_eq!(quiet.status, 0, "{quiet:?}");
    let lint = make(&folder, &["lint"]);
    assert_eq!((lint.status, lint.stderr.as_str()), (0, ""), "{lint:?}");

    let weights = memory(&folder, "_fc1_weights.mem");
    let kept = folder.read(&weights);
    flip(&folder, &weights);
    let broken = make(&folder, &[]);
    assert_ne!(broken.status, 0, "{broken:?}");
    assert!(broken.stderr.contains("fc1_out"), "{broken:?}");

    // The RTL is not hashed when a design is loaded: the comparison must find it.
    let verify = folder.run("verify out --input x.npy --json");
    assert_eq!(verify.status, 1);
    let lines: Vec<&str> = verify.stderr.lines().collect();
    let start = "error[mismatch]: engine `fc1`, stream `fc1_out`, frame 0, word 0: expected ";
    assert!(lines[0].starts_with(start), "{}", verify.stderr);
    assert!(lines[0].contains(" in cycle ") && lines[0].contains(", found "), "{}", verify.stderr);
    assert_eq!(lines[1], "  node: fc1");
    let value: serde_json::Value = serde_json::from_str(&verify.stdout).unwrap();
    assert!(value["mismatches"].as_u64().unwrap() > 0);
    assert_eq!(value["cycle_mismatches"].as_u64(), Some(0));
    let first = &value["differences"][0];
    assert_eq!(
        tests::command::keys(first),
        ["stream", "engine", "frame", "word", "expected", "found"]
    );
    assert_eq!((first["engine"].as_str(), first["frame"].as_u64()), (Some("fc1"), Some(0)));

    folder.write(&weights, kept);
    assert_eq!(make(&folder, &[]).status, 0);
}

#[test]
fn a_changed_threshold_and_a_late_word_are_found() {
    let folder = built();
    // The result of layer 0 one value off, as if a threshold were another.
    let thresholds = memory(&folder, "_fc0_t0.mem");
    let kept = folder.read(&thresholds);
    let text = String::from_utf8(kept.clone()).unwrap();
    let inverted: String = text
        .chars()
        .map(|c| c.to_digit(16).map_or(c, |d| char::from_digit(d ^ 15, 16).unwrap()))
        .collect();
    folder.write(&thresholds, inverted);
    let verify = folder.run("verify out --input x.npy");
    assert_eq!(verify.status, 1, "{verify:?}");
    assert!(verify.stderr.starts_with("error[mismatch]: "), "{}", verify.stderr);
    assert!(verify.stderr.contains("engine `fc0`"), "{}", verify.stderr);
    folder.write(&thresholds, kept);

    // A simulator that believes in fewer output slots expects other cycles, and the same words.
    let (dataflow, manifest) = ("out/network/dataflow.toml", "out/manifest.json");
    let [old, hashes] = [dataflow, manifest].map(|f| String::from_utf8(folder.read(f)).unwrap());
    let at = old.find("credits = ").unwrap();
    let end = at + old[at..].find('\n').unwrap();
    let new = format!("{}credits = 1{}", &old[..at], &old[end..]);
    assert_ne!(old, new);
    let hash = |text: &str| emit::sha256(text.as_bytes());
    folder.write(manifest, hashes.replace(&hash(&old), &hash(&new))).write(dataflow, new);
    let json = folder.run("verify out --input x.npy --json");
    assert_eq!(json.status, 1, "{json:?}");
    let value: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(value["mismatches"].as_u64(), Some(0));
    assert!(value["cycle_mismatches"].as_u64().unwrap() > 0);
    assert!(json.stderr.starts_with("error[mismatch]: engine `"), "{}", json.stderr);
}

#[test]
fn a_frame_that_ends_too_early_is_found() {
    let folder = built();
    let adapter = "out/rtl/m_axis_out.v";
    let text = String::from_utf8(folder.read(adapter)).unwrap();
    let at = text.find("assign m_last = ").unwrap();
    let end = at + text[at..].find(';').unwrap();
    let last = &text[at..end];
    let never = last.replace("= ", "= 1'h0 & ");
    folder.write(adapter, format!("{}{never}{}", &text[..at], &text[end..]));
    let verify = folder.run("verify out --input x.npy");
    assert_eq!(verify.status, 1, "{verify:?}");
    assert!(verify.stderr.contains("expected tlast 1 tuser 0 in cycle "), "{}", verify.stderr);
    assert!(verify.stderr.contains("found tlast 0 tuser 0 in cycle "), "{}", verify.stderr);
}

#[test]
fn verilog_that_does_not_compile_is_the_tools_failure() {
    let folder = built();
    let top = String::from_utf8(folder.read("out/rtl/m.v")).unwrap();
    folder.write("out/rtl/m.v", top.replace("endmodule", "endmodul"));
    let verify = folder.run("verify out --frames 2");
    assert_eq!((verify.status, verify.stdout.as_str()), (3, ""));
    assert!(
        verify.stderr.starts_with("error[tool-failed]: building the simulation failed"),
        "{}",
        verify.stderr
    );
}

#[test]
fn verify_keeps_its_recordings_where_asked() {
    let folder = built();
    folder.run("verify out --input x.npy --stall 0.4 --seed 7 -o kept").succeeds();
    let recorded = files(&folder.path("kept/recorded"));
    assert!(!recorded.is_empty());
    let compared = |name: &str| name.ends_with(".words.npy") || name.ends_with(".cycles.npy");
    for (name, bytes) in recorded.into_iter().filter(|(name, _)| compared(name)) {
        let expected = npy::parse(&folder.read(&format!("kept/expected/{name}"))).unwrap();
        assert!(npy::parse(&bytes).unwrap() == expected, "{name}");
    }
}
