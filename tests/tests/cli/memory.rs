//! `sim` and `infer` take no more memory for many frames than for few.
#![cfg(target_os = "linux")]

use std::fs;
use std::process::Stdio;
use std::time::Duration;
use tests::command::Folder;
use tests::models::npy;

const FEW: usize = 1000;
const MANY: usize = 10_000;

/// The most memory that a run had resident shortly before its end, in megabytes.
fn most_memory(folder: &Folder, arguments: &str) -> u64 {
    let mut command = folder.command(arguments);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0;
    let status = loop {
        let text = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = most.max(line.map_or(0, |l| l.trim().trim_end_matches(" kB").parse().unwrap()));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    assert!(status.success(), "{arguments}");
    most >> 10
}

#[test]
fn memory_does_not_grow_with_the_frames() {
    let folder = Folder::new();
    folder.take_example("fashion-mlp.onnx");
    folder.run("build fashion-mlp.onnx -o out --fps 20000").succeeds();
    let pixels = (0..MANY * 784).map(|i| (i * 193 % 251) as u8).collect();
    folder.write("x.npy", npy(&[MANY, 28, 28, 1], pixels));
    for run in [
        "sim out --frames",
        "sim out --stall 0.3 --frames",
        "sim out --input x.npy --frames",
        "infer fashion-mlp.onnx --input x.npy --frames",
    ] {
        let [few, many] =
            [FEW, MANY].map(|frames| most_memory(&folder, &format!("{run} {frames}")));
        assert!(few > 0 && many < few + 6, "{run}: {few} MB for {FEW} frames, {many} for {MANY}");
    }
}
