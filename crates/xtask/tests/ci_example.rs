//! `examples/ci/verify.sh` on the shipped example: passes as shipped, fails when anything is broken.

mod program;

use program::{root, xnorflow};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Two images are enough: how many does not matter to the script.
const FRAMES: &str = "2";

/// The script with a program and arguments, the rest of its environment empty of wishes.
fn script(program: &Path, model: &Path, wishes: &[(&str, &Path)]) -> Output {
    let example = root().join("examples/fashion-mlp");
    let mut command = Command::new("sh");
    command.arg(root().join("examples/ci/verify.sh")).arg(model);
    command.arg(example.join("images.npy")).arg(example.join("labels.npy"));
    for name in ["BOARD", "STALL", "EXPECTED", "OUT"] {
        command.env_remove(name);
    }
    command.env("XNORFLOW", program).env("FPS", "100000").env("FRAMES", FRAMES);
    command.envs(wishes.iter().copied()).output().expect("sh runs")
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&both).into_owned()
}

fn shipped() -> PathBuf {
    root().join("examples/fashion-mlp/fashion-mlp.onnx")
}

/// The classes of the shipped images, and a copy of them with one other class.
fn classes(folder: &Path) -> (PathBuf, PathBuf) {
    let right = folder.join("right.npy");
    let mut infer = Command::new(xnorflow());
    infer.arg("infer").arg(shipped()).arg("--input");
    infer.arg(root().join("examples/fashion-mlp/images.npy"));
    let output = infer.arg("--classes").arg("--output").arg(&right).output().expect("it runs");
    assert!(output.status.success(), "{}", said(&output));
    let mut bytes = fs::read(&right).expect("it was written");
    // int64, little-endian: the low byte of the last class.
    let last = bytes.len() - 8;
    bytes[last] ^= 1;
    let wrong = folder.join("wrong.npy");
    fs::write(&wrong, bytes).expect("a file");
    (right, wrong)
}

#[test]
fn the_shipped_example_passes_and_keeps_its_folder() {
    let temp = tempfile::tempdir().unwrap();
    let (right, _) = classes(temp.path());
    let out = temp.path().join("out");
    let output = script(xnorflow(), &shipped(), &[("EXPECTED", &right), ("OUT", &out)]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("verified: "), "{}", said(&output));
    assert!(out.join("files.f").is_file());
}

#[test]
fn another_class_than_expected_fails() {
    let temp = tempfile::tempdir().unwrap();
    let (_, wrong) = classes(temp.path());
    let output = script(xnorflow(), &shipped(), &[("EXPECTED", &wrong)]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("the classes are not those of"), "{}", said(&output));
    assert!(!said(&output).contains("verified: "));
}

#[test]
fn a_damaged_model_fails() {
    let temp = tempfile::tempdir().unwrap();
    let damaged = temp.path().join("damaged.onnx");
    let bytes = fs::read(shipped()).unwrap();
    fs::write(&damaged, &bytes[..bytes.len() / 2]).unwrap();
    let output = script(xnorflow(), &damaged, &[]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("error["), "{}", said(&output));
}

/// A design whose Verilog says something else than its network: the script must end with the
/// status of `verify`. A wrapper damages a weight memory after the build.
#[cfg(unix)]
#[test]
fn a_design_that_computes_something_else_fails() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    let wrapper = temp.path().join("xnorflow");
    // Memories hold binary or hexadecimal words: every 0 becomes 1.
    let text = format!(
        "#!/bin/sh\n'{}' \"$@\" || exit $?\n\
         [ \"$1\" = build ] || exit 0\n\
         for last do :; done\n\
         for file in \"$last\"/rtl/*.v \"$last\"/rtl/*.mem; do\n\
         case $file in *.mem) sed 's/0/1/g' \"$file\" > \"$file.new\" && mv \"$file.new\" \"$file\";; esac\n\
         done\n",
        xnorflow().display()
    );
    fs::write(&wrapper, text).unwrap();
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    let out = temp.path().join("out");
    let output = script(&wrapper, &shipped(), &[("OUT", &out)]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("== verify, nothing waits"), "{}", said(&output));
    assert!(said(&output).contains("error[mismatch]"), "{}", said(&output));
    assert!(!said(&output).contains("verified: "), "{}", said(&output));
}

#[test]
fn wrong_usage_and_a_missing_program_fail() {
    let verify = root().join("examples/ci/verify.sh");
    let output = Command::new("sh").arg(&verify).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = script(Path::new("/nonexistent/xnorflow"), &shipped(), &[]);
    assert!(!output.status.success());
}
