//! Help, boards, wrong usage, missing tools.

use super::{built, small};
use tests::command::{Folder, keys};

#[test]
fn help_has_examples_for_every_command() {
    let folder = Folder::new();
    for command in ["", "inspect", "build", "sim", "verify", "infer"] {
        let help = folder.run(&format!("{command} --help")).succeeds().stdout;
        assert!(help.contains(&format!("\n  xnorflow {command}")), "{help}");
        assert!(help.contains("Example"), "{help}");
    }
    folder.run("boards --help").says(
        "List the boards\n\nUsage: xnorflow boards [OPTIONS]\n\nOptions:\n      \
         --json  Print one JSON object\n  -h, --help  Print help",
    );
    let version = folder.run("--version").succeeds().stdout;
    assert_eq!(version, format!("xnorflow {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn boards_are_listed_as_text_and_as_json() {
    let folder = Folder::new();
    let json = folder.run("boards --json").json();
    assert_eq!(keys(&json), ["boards"]);
    let text = folder.run("boards").succeeds().stdout;
    let boards = json["boards"].as_array().unwrap();
    assert!(boards.len() >= 10);
    for board in boards {
        assert_eq!(
            keys(board),
            [
                "name",
                "description",
                "part",
                "family",
                "luts",
                "ffs",
                "bram36",
                "uram",
                "dsps",
                "clock_mhz",
                "link"
            ]
        );
        let name = board["name"].as_str().unwrap();
        let line = text.lines().find(|l| l.starts_with(&format!("{name} "))).unwrap();
        assert!(line.contains(&board["luts"].to_string()), "{line}");
    }
    let pynq = boards.iter().find(|b| b["name"] == "pynq-z2").unwrap();
    assert_eq!((pynq["luts"].as_u64(), pynq["bram36"].as_u64()), (Some(53200), Some(140)));
}

#[test]
fn wrong_usage_ends_with_status_2() {
    let folder = Folder::new();
    folder.run("").fails(2, "
        From a trained binarized neural network to verified Verilog

        Usage: xnorflow <COMMAND>

        Commands:
          inspect  List layers, value types, parameters and whatever is not supported
          build    Fold a model for a board and write Verilog, testbench and report
          explore  Show what a board can do: rate against LUTs and block RAMs
          sim      Run the cycle-accurate simulator on a built design
          verify   Compare Verilator, simulator and golden model: every word and cycle of every stream
          infer    Run the software golden model
          boards   List the boards
          help     Print this message or the help of the given subcommand(s)

        Options:
          -h, --help     Print help
          -V, --version  Print version

        Examples:
          xnorflow inspect model.onnx
          xnorflow build model.onnx --board pynq-z2 --fps 10000 -o out
          xnorflow explore model.onnx --board pynq-z2
          xnorflow sim out --input images.npy --labels labels.npy
          xnorflow verify out --input images.npy --stall 0.3
          xnorflow infer model.onnx --input images.npy --labels labels.npy

        Exit status: 0 done and equal; 1 refused, or a mismatch; 2 wrong usage; 3 an external tool is
        missing or failed.
    ");
    folder.run("frobnicate").fails(
        2,
        "
        error: unrecognized subcommand 'frobnicate'

        Usage: xnorflow <COMMAND>

        For more information, try '--help'.
    ",
    );
    folder.run("build m.onnx").fails(
        2,
        "
        error: the following required arguments were not provided:
          --output <DIR>

        Usage: xnorflow build --output <DIR> <MODEL>

        For more information, try '--help'.
    ",
    );
    folder.run("build m.onnx -o out --fps many").fails(
        2,
        "
        error: invalid value 'many' for '--fps <N>': invalid float literal

        For more information, try '--help'.
    ",
    );
    folder.run("build m.onnx -o out --fold f.toml --fps 1").fails(
        2,
        "
        error: the argument '--fold <FILE>' cannot be used with '--fps <N>'

        Usage: xnorflow build --output <DIR> --fold <FILE> <MODEL>

        For more information, try '--help'.
    ",
    );
    folder.run("infer m.onnx --raw --classes").fails(
        2,
        "
        error: the argument '--raw' cannot be used with '--classes'

        Usage: xnorflow infer --raw <MODEL>

        For more information, try '--help'.
    ",
    );
    folder.run("inspect m.onnx --decide float16").fails(
        2,
        "
        error: invalid value 'float16' for '--decide <DECIDE>'
          [possible values: float64, float32]

          tip: a similar value exists: 'float64'

        For more information, try '--help'.
    ",
    );
    folder.run("boards --colour").fails(
        2,
        "
        error: unexpected argument '--colour' found

        Usage: xnorflow boards [OPTIONS]

        For more information, try '--help'.
    ",
    );
}

#[test]
fn options_with_impossible_values_end_with_status_2() {
    let folder = built();
    for (option, value, most) in [
        ("--fps", "0", "1000000000000"),
        ("--fps", "-5", "1000000000000"),
        ("--fps", "NaN", "1000000000000"),
        ("--fps", "inf", "1000000000000"),
        ("--budget", "0", "1"),
        ("--budget", "1.5", "1"),
        ("--clock", "0", "2000"),
        ("--clock", "3000", "2000"),
    ] {
        folder.run(&format!("build m.onnx -o out2 {option}={value}")).fails(
            2,
            &format!(
                "error[usage]: {option} {value} is out of range\n\n\
                 hint: use a number above 0, at most {most}"
            ),
        );
    }
    for value in ["1", "-0.1", "2", "NaN"] {
        folder.run(&format!("sim out --stall={value}")).fails(
            2,
            &format!(
                "error[usage]: --stall {value} is no probability below 1\n\nhint: use 0 to 0.99"
            ),
        );
    }
    folder.run("inspect m.onnx --head tail").fails(
        2,
        "
        error[usage]: there is no head `tail`

        hint: use model, logits, class or topk:K
    ",
    );
    folder.run("inspect m.onnx --head topk:0").fails(
        2,
        "
        error[usage]: there is no head `topk:0`

        hint: use model, logits, class or topk:K
    ",
    );
    folder.run("inspect m.onnx --head topk:5").fails(
        2,
        "
        error[usage]: top-5 of 4 outputs
          from: m.onnx

        hint: use k from 1 to 4
    ",
    );
    folder.run("inspect m.onnx --sign-zero 3").fails(
        2,
        "
        error[usage]: --sign-zero takes +1 or -1
    ",
    );
    folder.run("inspect m.onnx --input-planes 256").fails(
        2,
        "
        error[usage]: --input-planes 256 is out of range
          from: m.onnx

        hint: use 1 to 255
    ",
    );
    folder.run("inspect m.onnx --input-scale big").fails(
        2,
        "
        error[usage]: --input-scale big is no positive number

        hint: use `none` or a factor such as 0.0039215689
    ",
    );
    folder.run("inspect m.onnx --input-scale=-1").fails(
        2,
        "
        error[usage]: --input-scale -1 is no positive number

        hint: use `none` or a factor such as 0.0039215689
    ",
    );
    folder.run("inspect m.onnx --input-type int9").fails(
        2,
        "
        error[usage]: --input-type: `int9` is not an element type

        hint: use bipolar, uint<n>, int<n> or fixed<n,frac> with n from 1 to 63
    ",
    );
    folder.run("infer m.onnx").fails(
        2,
        "
        error[usage]: --input is needed

        hint: give an array with --input X.npy
    ",
    );
    folder.run("infer m.onnx --input x.npy --frames 0").fails(
        2,
        "
        error[usage]: --frames 0 is out of range

        hint: use 1 to 1000000
    ",
    );
    folder.run("sim out --frames 0").fails(
        2,
        "
        error[usage]: --frames 0 is out of range

        hint: use 1 to 1000000
    ",
    );
    folder.run("build m.onnx -o out2 --seed=-1").fails(
        2,
        "
        error: invalid value '-1' for '--seed <SEED>': invalid digit found in string

        For more information, try '--help'.
    ",
    );
    folder.run("infer m.onnx --input x.npy --threads 0").succeeds();
}

#[test]
fn without_verilator_verify_ends_with_status_3() {
    let folder = built();
    folder.outcome(folder.command("verify out --frames 2").env("PATH", "")).fails(3, "
        error[tool-missing]: cannot start verilator: No such file or directory (os error 2)

        hint: install Verilator, make and a C++ compiler (Debian: apt-get install verilator make g++)
    ");
}

/// A Verilator that is there and fails.
#[test]
#[cfg(unix)]
fn a_verilator_that_fails_ends_with_status_3() {
    use std::os::unix::fs::PermissionsExt;
    let folder = built();
    folder.write(
        "bin/verilator",
        "#!/bin/sh\n[ \"$1\" = --version ] || { echo out of order >&2; exit 7; }\n",
    );
    let all = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path("bin/verilator"), all).unwrap();
    let path = format!("{}:{}", folder.path("bin").display(), std::env::var("PATH").unwrap());
    let outcome = folder.outcome(folder.command("verify out --frames 2").env("PATH", path));
    assert_eq!((outcome.status, outcome.stdout.as_str()), (3, ""));
    assert!(outcome.stderr.starts_with("error[tool-failed]: "), "{}", outcome.stderr);
    assert!(outcome.stderr.contains("out of order"), "{}", outcome.stderr);
}

#[test]
fn a_closed_pipe_is_no_crash() {
    let folder = small();
    let mut child = folder
        .command("inspect m.onnx")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let outcome = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&outcome.stderr), "");
    assert!(outcome.status.success());
}
