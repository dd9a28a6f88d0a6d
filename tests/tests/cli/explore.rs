//! `xnorflow explore`: the front, its folder, and designs built from it.

use serde_json::Value;
use tests::command::{Folder, keys};

fn shipped() -> Folder {
    let folder = Folder::new();
    folder.take_example("fashion-mlp.onnx");
    folder
}

#[test]
fn no_design_of_the_front_is_better_than_another() {
    let folder = shipped();
    let found = folder.run("explore fashion-mlp.onnx --rows 12 --json").json();
    assert_eq!(keys(&found), ["name", "board", "clock_mhz", "budget", "designs"]);
    let designs = found["designs"].as_array().unwrap();
    assert!((2..=12).contains(&designs.len()));
    let number = |d: &Value, key: &str| d[key].as_f64().unwrap();
    for (i, a) in designs.iter().enumerate() {
        assert!(number(a, "luts") <= 53_200.0 && number(a, "bram36") <= 140.0);
        for (_, b) in designs.iter().enumerate().filter(|(j, _)| *j != i) {
            let better = number(a, "fps") >= number(b, "fps")
                && number(a, "luts") <= number(b, "luts")
                && number(a, "bram36") <= number(b, "bram36");
            assert!(!better, "{a} and {b}");
        }
    }
}

#[test]
fn a_folding_of_the_front_builds_what_the_front_says() {
    let folder = shipped();
    let text = folder.run("explore fashion-mlp.onnx --rows 5 -o front").succeeds().stdout;
    assert!(text.contains("written to front: see front/explore.html"), "{text}");
    let page = std::fs::read_to_string(folder.path("front/explore.html")).unwrap();
    assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("http://"));
    let found = std::fs::read(folder.path("front/explore.json")).unwrap();
    let found: Value = serde_json::from_slice(&found).unwrap();
    let designs = found["designs"].as_array().unwrap();
    assert_eq!(std::fs::read_dir(folder.path("front/folds")).unwrap().count(), designs.len());
    let design = designs.last().unwrap();
    let fold = design["fold"].as_str().unwrap();
    let built = folder.run(&format!("build fashion-mlp.onnx --fold front/{fold} -o out --json"));
    let built = built.json();
    for key in ["fps", "ii_cycles", "latency_cycles", "luts", "ffs", "bram36", "dsps"] {
        assert_eq!(built[key], design[key], "{key}");
    }
    // A folder of its own is written anew, another's is refused.
    folder.run("explore fashion-mlp.onnx --rows 2 -o front").succeeds();
    folder.write("other/thesis.tex", b"x");
    let refused = folder.run("explore fashion-mlp.onnx -o other").status_is(1);
    assert!(refused.stderr.starts_with("error[output-folder]"), "{}", refused.stderr);
}

#[test]
fn wrong_wishes_are_refused() {
    let folder = shipped();
    for (wish, code, status) in [
        ("--rows 1", "usage", 2),
        ("--budget 0", "usage", 2),
        ("--clock 9999", "usage", 2),
        ("--board nexys", "board-invalid", 1),
    ] {
        let refused = folder.run(&format!("explore fashion-mlp.onnx {wish}")).status_is(status);
        assert!(refused.stderr.starts_with(&format!("error[{code}]")), "{}", refused.stderr);
    }
    folder.write("tiny.toml", TINY.as_bytes());
    let refused = folder.run("explore fashion-mlp.onnx --board tiny.toml").status_is(1);
    assert!(refused.stderr.starts_with("error[fold-budget]: no folding fits tiny"));
}

const TINY: &str = "name = \"tiny\"
description = \"\"
part = \"none\"
family = \"xc7\"
luts = 100
ffs = 100
bram36 = 1
uram = 0
dsps = 0
clock_mhz = 50.0
";
