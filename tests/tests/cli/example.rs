//! The shipped example: accuracy, outputs, heads, and the keys of `--json`.

use ndarray::{ArrayD, Axis};
use std::path::Path;
use tensor::npy::{self, NpyArray};
use tests::command::{Folder, Outcome, example, keys};

fn shipped() -> Folder {
    let folder = Folder::new();
    for name in ["fashion-mlp.onnx", "images.npy", "labels.npy"] {
        folder.take_example(name);
    }
    folder
}

const INFER: &str = "infer fashion-mlp.onnx --input images.npy";

fn floats(path: &Path) -> ArrayD<f32> {
    match npy::read(path).unwrap() {
        NpyArray::F32(a) => a,
        other => panic!("{} instead of float32", other.type_name()),
    }
}

fn rows(array: &ArrayD<f32>) -> Vec<Vec<f32>> {
    array.axis_iter(Axis(0)).map(|row| row.iter().copied().collect()).collect()
}

/// Indices of the `k` largest, the lowest first among equals.
fn best(row: &[f32], k: usize) -> Vec<f32> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
    order[..k].iter().map(|&i| i as f32).collect()
}

#[test]
fn accuracy_of_every_command_is_90_percent() {
    let folder = shipped();
    let infer = folder.run(&format!("{INFER} --labels labels.npy")).succeeds().stdout;
    let lines: Vec<&str> = infer.lines().collect();
    assert!(lines[0].starts_with("200 images, ") && lines[0].ends_with(" images a second"));
    assert_eq!(lines[1..], ["accuracy 90.00 %"]);
    folder.run("build fashion-mlp.onnx -o out --fps 20000").succeeds();
    let sim = folder.run("sim out --input images.npy --labels labels.npy").succeeds().stdout;
    assert_eq!(sim.lines().nth(1), Some("accuracy 90.00 %"), "{sim}");
}

#[test]
fn outputs_are_those_of_the_trained_model() {
    let folder = shipped();
    folder.run(&format!("{INFER} --output z.npy")).says_nothing_wrong();
    let (found, expected) =
        (floats(&folder.path("z.npy")), floats(&example("expected_logits.npy")));
    assert_eq!(found.shape(), [200, 10]);
    let far = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(far <= 1e-5, "{far}");

    folder.run(&format!("{INFER} --output c.npy --classes")).succeeds();
    let NpyArray::I64(classes) = npy::read(&folder.path("c.npy")).unwrap() else { panic!("int64") };
    assert_eq!(classes.shape(), [200]);
    let largest: Vec<i64> = rows(&expected).iter().map(|r| best(r, 1)[0] as i64).collect();
    assert_eq!(classes.into_raw_vec_and_offset().0, largest);

    folder.run(&format!("{INFER} --output r.npy --raw")).succeeds();
    let NpyArray::I32(raw) = npy::read(&folder.path("r.npy")).unwrap() else { panic!("int32") };
    assert_eq!(raw.shape(), [200, 10]);
    // 256 terms of -1 and +1 each.
    assert!(raw.iter().all(|v| v % 2 == 0 && v.abs() <= 256));
    let sums = raw.mapv(|v| v as f32);
    let orders = |a: &ArrayD<f32>| rows(a).iter().map(|r| best(r, 1)).collect::<Vec<_>>();
    assert_eq!(orders(&sums), orders(&expected));

    // `sim` writes the same arrays, here with stalls; words and cycles with -o.
    folder.run("build fashion-mlp.onnx -o out --fps 20000").succeeds();
    for (option, name) in [("", "z"), ("--classes", "c"), ("--raw", "r")] {
        let command = format!("sim out --input images.npy --stall 0.2 --output s.npy {option}");
        folder.run(&command).succeeds();
        assert!(folder.read("s.npy") == folder.read(&format!("{name}.npy")), "{name}");
    }
    folder.run("sim out --input images.npy --frames 2 -o kept").succeeds();
    let NpyArray::U8(words) = npy::read(&folder.path("kept/m_axis.words.npy")).unwrap() else {
        panic!("uint8")
    };
    let NpyArray::U64(cycles) = npy::read(&folder.path("kept/m_axis.cycles.npy")).unwrap() else {
        panic!("uint64")
    };
    assert_eq!(words.shape()[0], cycles.len());
}

#[test]
fn heads_say_which_part_of_the_output_comes_out() {
    let folder = shipped();
    let expected = rows(&floats(&example("expected_logits.npy")));
    let run = |head: &str| {
        let accuracy = folder
            .run(&format!("{INFER} --labels labels.npy --head {head} --output h.npy --json"))
            .json()["accuracy"]
            .as_f64();
        assert_eq!(accuracy, Some(0.9), "{head}");
        rows(&floats(&folder.path("h.npy")))
    };
    let order = |k: usize| expected.iter().map(|r| best(r, k)).collect::<Vec<_>>();
    assert_eq!(run("class"), order(1));
    assert_eq!(run("topk:3"), order(3));
    assert_eq!(run("topk:10"), order(10));
    let model = run("model");
    assert_eq!(run("logits"), model);
    // The same heads in hardware: as many output elements as asked for.
    for (head, elements) in [("class", 1), ("topk:3", 3), ("logits", 10)] {
        let build = format!("build fashion-mlp.onnx -o {head} --fps 20000 --head {head} --json");
        assert_eq!(folder.run(&build).json()["output"], head);
        let sim =
            format!("sim {head} --input images.npy --labels labels.npy --output s.npy --json");
        assert_eq!(folder.run(&sim).json()["accuracy"], 0.9);
        assert_eq!(floats(&folder.path("s.npy")).shape(), [200, elements]);
    }
}

#[test]
fn json_has_its_keys() {
    let folder = shipped();
    let inspect = folder.run("inspect fashion-mlp.onnx --json").json();
    assert_eq!(
        keys(&inspect),
        ["name", "supported", "input", "parameters", "macs", "layers", "knife_edges", "input_rule"]
    );
    assert_eq!(
        (inspect["macs"].as_u64(), inspect["supported"].as_bool()),
        (Some(334_336), Some(true))
    );
    assert_eq!(
        keys(&inspect["layers"][0]),
        [
            "name",
            "nodes",
            "kind",
            "inputs",
            "outputs",
            "weight",
            "input_type",
            "output_type",
            "thresholds",
            "parameters",
            "macs"
        ]
    );

    let build = folder.run("build fashion-mlp.onnx -o out --fps 20000 --json").json();
    assert_eq!(
        keys(&build),
        [
            "name",
            "model",
            "board",
            "luts",
            "ffs",
            "bram36",
            "dsps",
            "ii_cycles",
            "latency_cycles",
            "fps",
            "clock_mhz",
            "gap",
            "engines",
            "fifos",
            "fifo_bits",
            "tensor_bits",
            "accuracy",
            "notes",
            "output"
        ]
    );
    assert_eq!(
        keys(&build["engines"][0]),
        ["name", "kind", "folding", "cycles", "luts", "ffs", "bram36", "dsps", "luts_error"]
    );
    assert_eq!(keys(&build["fifos"][0]), ["name", "words", "bits", "fewest_words", "tensor_words"]);
    assert!(build["fps"].as_f64().unwrap() >= 20000.0);

    let infer = folder.run(&format!("{INFER} --labels labels.npy --json")).json();
    let figures = ["images", "images_per_second", "accuracy", "accuracy_without_input_planes"];
    assert_eq!(keys(&infer), figures);
    assert!(infer["accuracy_without_input_planes"].is_null());
    assert_eq!((infer["images"].as_u64(), infer["accuracy"].as_f64()), (Some(200), Some(0.9)));
    let infer = folder.run(&format!("{INFER} --frames 7 --json")).json();
    assert_eq!((infer["images"].as_u64(), infer["accuracy"].is_null()), (Some(7), true));

    let sim = folder.run("sim out --input images.npy --labels labels.npy --json").json();
    let shared = [
        "frames",
        "cycles",
        "ii_cycles",
        "latency_cycles",
        "accuracy",
        "simulator_seconds",
        "activity",
    ];
    assert_eq!(keys(&sim), shared);
    assert_eq!((sim["frames"].as_u64(), sim["accuracy"].as_f64()), (Some(200), Some(0.9)));
    assert_eq!(sim["ii_cycles"], build["ii_cycles"]);
    assert_eq!(sim["latency_cycles"], build["latency_cycles"]);
}

#[test]
fn verify_agrees_and_gives_the_keys_of_sim_and_more() {
    let folder = shipped();
    folder.run("build fashion-mlp.onnx -o out --fps 20000").succeeds();
    let verify =
        "verify out --input images.npy --labels labels.npy --frames 20 --output z.npy --json";
    let json = folder.run(verify).json();
    let sim =
        folder.run("sim out --input images.npy --labels labels.npy --frames 20 --json").json();
    let more = [
        "mismatches",
        "cycle_mismatches",
        "streams_compared",
        "words_compared",
        "verilator_seconds",
        "differences",
    ];
    assert_eq!(keys(&json), [keys(&sim), more.to_vec()].concat());
    for key in ["frames", "cycles", "ii_cycles", "latency_cycles", "accuracy"] {
        assert_eq!(json[key], sim[key], "{key}");
    }
    assert_eq!(
        (json["mismatches"].as_u64(), json["cycle_mismatches"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(json["differences"].as_array().map(Vec::len), Some(0));
    assert_eq!(floats(&folder.path("z.npy")).shape(), [20, 10]);
}

trait Quiet {
    fn says_nothing_wrong(self);
}

impl Quiet for Outcome {
    fn says_nothing_wrong(self) {
        assert!(!self.succeeds().stdout.contains("accuracy"));
    }
}
