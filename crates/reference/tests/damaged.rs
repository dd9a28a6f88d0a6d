//! Damaged files: whatever their bytes are, they are refused or can be run.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

#[path = "../../import/tests/model/mod.rs"]
mod model;

use import::Options;
use model::{Model, convolutional_network, int, list, small_network, wide_network};
use rand::{Rng, RngExt, SeedableRng};

/// Imports, and runs what was accepted; whether it was.
fn try_bytes(bytes: &[u8]) -> bool {
    let Ok(graph) = import::onnx::parse(bytes, "damaged", &Options::default()) else {
        return false;
    };
    let reference = reference::Reference::new(&graph);
    if reference.input_elements() <= 1000 {
        let image = vec![0.5; reference.input_elements()];
        reference.run::<f32>(&image);
        reference.run::<f64>(&image);
    }
    true
}

/// Flips bits and bytes at seeded places, sometimes cuts, and imports; runs what was accepted.
fn damage(original: &[u8], rounds: usize) -> usize {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut accepted = 0;
    for round in 0..rounds {
        let mut bytes = original.to_vec();
        for _ in 0..=round % 3 {
            let at = random.random_range(0..bytes.len());
            bytes[at] = if random.random_range(0..2) == 0 {
                bytes[at] ^ 1 << random.random_range(0..8)
            } else {
                (random.next_u32() & 0xff) as u8
            };
        }
        if round % 5 == 0 {
            bytes.truncate(random.random_range(0..bytes.len()));
        }
        accepted += usize::from(try_bytes(&bytes));
    }
    accepted
}

#[test]
fn damaged_models_are_refused_or_run() {
    for model in [small_network(), wide_network(), convolutional_network()] {
        assert!(model.load().is_ok(), "{}", model.load().unwrap_err());
        assert!(damage(&model.bytes(), 2000) > 0);
    }
}

/// Well-formed files with wrong contents: operators, inputs, attributes and shapes exchanged.
fn scramble(model: &Model, rounds: usize) -> usize {
    const NUMBERS: [i64; 9] = [-2, -1, 0, 1, 2, 3, 6, 1 << 40, i64::MIN];
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(11);
    let mut accepted = 0;
    let original = model.0.graph.clone().unwrap();
    let tensors: Vec<String> = original
        .initializer
        .iter()
        .map(|t| t.name.clone())
        .chain(original.node.iter().flat_map(|n| n.output.clone()))
        .chain(["x".into(), String::new()])
        .collect();
    for round in 0..rounds {
        let mut model = Model(model.0.clone());
        let graph = model.graph();
        for _ in 0..=round % 4 {
            let at = random.random_range(0..graph.node.len());
            let other = random.random_range(0..graph.node.len());
            let number = NUMBERS[random.random_range(0..NUMBERS.len())];
            match random.random_range(0..6) {
                0 => {
                    graph.node[at].op_type = graph.node[other].op_type.clone();
                    graph.node[at].domain = graph.node[other].domain.clone();
                }
                1 => {
                    let inputs = &mut graph.node[at].input;
                    let input = random.random_range(0..=inputs.len());
                    let name = tensors[random.random_range(0..tensors.len())].clone();
                    if input == inputs.len() { inputs.push(name) } else { inputs[input] = name }
                }
                2 => {
                    let node = &mut graph.node[at];
                    for attribute in &mut node.attribute {
                        attribute.i = number;
                        attribute.f = number as f32;
                        attribute.ints.push(number);
                    }
                }
                3 => {
                    let names = [
                        "axis",
                        "axes",
                        "perm",
                        "keepdims",
                        "transB",
                        "allowzero",
                        "pads",
                        "group",
                        "strides",
                        "dilations",
                        "kernel_shape",
                        "ceil_mode",
                    ];
                    let name = names[random.random_range(0..names.len())];
                    graph.node[at].attribute.push(int(name, number));
                    graph.node[at].attribute.push(list(name, &[number, 0]));
                }
                4 => {
                    let at = random.random_range(0..graph.initializer.len());
                    let dims = &mut graph.initializer[at].dims;
                    if random.random_range(0..2) == 0 { dims.insert(0, 1) } else { dims.reverse() }
                }
                _ => {
                    let at = random.random_range(0..graph.initializer.len());
                    let tensor = &mut graph.initializer[at];
                    tensor.raw_data = tensor.raw_data.iter().map(|_| number as u8).collect();
                    tensor.float_data.iter_mut().for_each(|v| *v = number as f32);
                }
            }
        }
        accepted += usize::from(try_bytes(&model.bytes()));
    }
    accepted
}

#[test]
fn scrambled_models_are_refused_or_run() {
    for model in [small_network(), wide_network(), convolutional_network()] {
        assert!(scramble(&model, 3000) > 0);
    }
}

#[test]
fn damaged_networks_of_others_are_refused_or_run() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let Ok(bytes) = std::fs::read(root.join("unsw_nb15_mlp_w2a2/unsw_nb15-mlp-w2a2.onnx")) else {
        println!("skipped: {} is not there", root.display());
        return;
    };
    damage(&bytes, 100);
}
