//! The golden model's side of `cargo xtask bench golden`.
//!
//! `engine MODEL INPUT.npy FOLDER` writes the network as a plain float graph (`plain.onnx`), its inputs
//! (`inputs.npy`) and what it makes of them (`outputs.npy`) into the folder, and prints the kernels that
//! the processor has. Then it answers each line of its input with a number:
//!
//! - `work`: multiply-accumulates of a frame that are products of single bits,
//! - `peak KERNEL`: multiply-accumulates a second in a loop of nothing but XOR, popcount and addition,
//! - `KERNEL BATCH SECONDS`: nanoseconds that an image takes, measured for that long.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "what fails here fails the bench")]

use golden::{Golden, Kernel};
use ndarray::{Array2, ArrayD, IxDyn};
use std::io::{BufRead, Write};
use std::path::Path;
use streamline::{Frames, LayerOp, Streamlined};
use tensor::{ElementType, npy};
use tests::clock::seconds_of_thread;
use tests::float_graph::{float_graph, is_exact};

mod peak;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, model, input, folder] = arguments.as_slice() else {
        panic!("usage: engine MODEL INPUT.npy FOLDER")
    };
    let graph = import::load(Path::new(model), &import::Options::default()).unwrap();
    let network = streamline::streamline(&graph, &streamline::Options::default()).unwrap();
    let frames = network.input.frames(&npy::read(Path::new(input)).unwrap()).unwrap();
    write(&network, &frames, Path::new(folder));
    let kernels = Kernel::ALL.into_iter().rev().filter(|kernel| kernel.is_available());
    println!("{}", kernels.map(|kernel| kernel.to_string()).collect::<Vec<_>>().join(" "));
    std::io::stdout().flush().unwrap();
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let kernel = |name: &str| Kernel::ALL.into_iter().find(|k| k.to_string() == name).unwrap();
        let answer = match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["work"] => bit_products(&network),
            ["peak", name] => peak::products_a_second(kernel(name)),
            [name, batch, seconds] => {
                let golden = Golden::with_kernel(&network, kernel(name));
                nanoseconds(&golden, &frames, batch.parse().unwrap(), seconds.parse().unwrap())
            }
            _ => panic!("`{line}` is no question"),
        };
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
}

/// The time that an image takes when a batch is run again and again.
fn nanoseconds(golden: &Golden<'_>, frames: &Frames, batch: usize, seconds: f64) -> f64 {
    // Frames as callers have them: bytes.
    let bytes: Vec<u8> = frames.values.iter().map(|&v| v.try_into().unwrap()).collect();
    let mut scratch = golden.scratch();
    let (start, mut images, mut took) = (seconds_of_thread(), 0, 0.0);
    let mut batches = bytes.chunks_exact(batch * frames.elements).cycle();
    while took < seconds {
        // Asking for the time takes time.
        for _ in 0..100usize.div_ceil(batch) {
            for frame in batches.next().unwrap().chunks_exact(frames.elements) {
                golden.run_into(frame, &mut scratch);
                std::hint::black_box(&scratch);
            }
            images += batch;
        }
        took = seconds_of_thread() - start;
    }
    took * 1e9 / images as f64
}

/// Products of bipolar weights with bipolar inputs in a frame.
fn bit_products(network: &Streamlined) -> f64 {
    let mut element = network.input.element;
    let mut products = 0;
    for layer in &network.layers {
        let windows = match &layer.op {
            LayerOp::Conv(_) => layer.map.pixels(),
            LayerOp::Dense(_)
            | LayerOp::Threshold(_)
            | LayerOp::Pool(_)
            | LayerOp::ChannelAffine(_)
            | LayerOp::LabelSelect { .. } => 1,
        };
        let bits = |weight| element == ElementType::Bipolar && weight == ElementType::Bipolar;
        let dense = layer.dense().filter(|dense| bits(dense.weight));
        products += windows * dense.map_or(0, |dense| dense.weights.len());
        element = layer.element;
    }
    products as f64
}

fn write(network: &Streamlined, frames: &Frames, folder: &Path) {
    std::fs::write(folder.join("plain.onnx"), float_graph(network).unwrap().bytes()).unwrap();
    let map = network.input.map;
    let (channels, pixels) = (map.channels, map.pixels());
    let images = frames.iter().flat_map(|frame| {
        let all = (0..channels).flat_map(move |c| (0..pixels).map(move |p| p * channels + c));
        all.map(|at| frame[at] as f32)
    });
    let shape = [frames.len(), channels, map.height, map.width];
    let images = ArrayD::from_shape_vec(IxDyn(&shape), images.collect()).unwrap();
    npy::write(&folder.join("inputs.npy"), &images).unwrap();

    let last = network.layers.iter().take_while(|layer| is_exact(layer)).count() - 1;
    let golden = Golden::new(network);
    let mut scratch = golden.scratch();
    let map = network.layers[last].map;
    let mut outputs: Vec<f32> = Vec::new();
    for frame in frames.iter() {
        golden.run_into(frame, &mut scratch);
        let numbers = scratch.layer(last).to_vec();
        let all =
            (0..map.channels).flat_map(|c| (0..map.pixels()).map(move |p| p * map.channels + c));
        outputs.extend(all.map(|at| numbers[at] as f32));
    }
    let outputs = Array2::from_shape_vec((frames.len(), map.elements()), outputs).unwrap();
    npy::write(&folder.join("outputs.npy"), &outputs.into_dyn()).unwrap();
}
