//! `build` killed at any moment leaves the old folder or the new one, whole.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tests::command::{Folder, files, is_whole};

/// Names beside the output folder that begin as our temporary ones do.
fn leftovers(folder: &Folder) -> usize {
    fs::read_dir(folder.path("."))
        .unwrap()
        .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(".out.xnorflow-"))
        .count()
}

#[test]
fn killed_builds_leave_a_whole_folder() {
    let folder = Folder::new();
    folder.take_example("fashion-mlp.onnx");
    let build = |rate: u32| format!("build fashion-mlp.onnx -o out --fps {rate}");
    let start = Instant::now();
    folder.run(&build(3000)).succeeds();
    let mut estimate = start.elapsed();
    let mut states = vec![files(&folder.path("out"))];
    folder.run(&build(50000)).succeeds();
    states.push(files(&folder.path("out")));
    assert!(states[0] != states[1]);

    // Writing is the last part: most kills go there, however fast the machine is just now.
    let (mut killed, mut left) = (0, 0);
    for round in 0..60u32 {
        let mut child = folder
            .command(&build([3000, 50000][round as usize % 2]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(estimate.mul_f64(f64::from(50 + round * 37 % 60) / 100.0));
        child.kill().unwrap();
        let done = child.wait().unwrap().success();
        estimate = estimate.mul_f64(if done { 0.9 } else { 1.04 });
        killed += u32::from(!done);
        left += leftovers(&folder);
        assert!(is_whole(&folder.path("out")), "round {round}");
        let now = files(&folder.path("out"));
        assert!(states.contains(&now), "round {round}: neither the old folder nor the new one");
    }
    println!("{killed} of 60 builds were killed, {left} times something was left beside");
    assert!(killed > 10, "only {killed} builds were killed");
    folder.run(&build(3000)).succeeds();
    assert_eq!(leftovers(&folder), 0);
    assert!(files(&folder.path("out")) == states[0]);
    folder.run("sim out --frames 1").succeeds();
}

/// Killed before there is anything: nothing, or a whole folder.
#[test]
fn killed_first_builds_leave_nothing_or_a_whole_folder() {
    let folder = Folder::new();
    folder.take_example("fashion-mlp.onnx");
    for delay in 0..25 {
        let mut child = folder
            .command("build fashion-mlp.onnx -o out --fps 50000")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(8 * delay));
        child.kill().unwrap();
        child.wait().unwrap();
        if folder.path("out").exists() {
            assert!(is_whole(&folder.path("out")), "after {} ms", 8 * delay);
            fs::remove_dir_all(folder.path("out")).unwrap();
        }
    }
    folder.run("build fashion-mlp.onnx -o out").succeeds();
    assert_eq!(leftovers(&folder), 0);
}
