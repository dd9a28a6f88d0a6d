//! Hard-wired layers: `cargo run --release -p compressors --example wired -- 64x784 64x64`, rows by
//! columns of random weights; or files with a row on each line, `+`, `-` and `0` for its weights and
//! then the constant, none for layers whose sums are wanted.

#![expect(clippy::print_stdout, reason = "an example for people")]

use std::time::Instant;

use compressors::{Neuron, Output, Wired};
use rand::{RngExt, SeedableRng};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:28} {:>6} {:>7} {:>6} {:>7} {:>8}",
        "layer", "LUT", "per MAC", "FF", "stages", "ms"
    );
    let (mut luts, mut macs) = (0, 0);
    for layer in std::env::args().skip(1) {
        let (neurons, output) = match layer.split_once('x').map(|(r, c)| (r.parse(), c.parse())) {
            Some((Ok(rows), Ok(columns))) => (random(rows, columns), Output::Sign),
            _ => read(&std::fs::read_to_string(&layer)?)?,
        };
        let start = Instant::now();
        let wired = Wired::new(&neurons, output);
        let time = start.elapsed().as_millis();
        wired.check(&neurons)?;
        let weights: usize = neurons.iter().map(|neuron| neuron.weights.len()).sum();
        let each = wired.luts() as f64 / weights as f64;
        let (registers, latency) = (wired.registers(), wired.latency());
        println!("{layer:28} {:6} {each:7.3} {registers:6} {latency:7} {time:8}", wired.luts());
        luts += wired.luts();
        macs += weights;
    }
    println!("{:28} {luts:6} {:7.3}", "all", luts as f64 / macs as f64);
    Ok(())
}

/// Random weights, and thresholds about the middle.
fn random(rows: usize, columns: usize) -> Vec<Neuron> {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(rows as u64);
    let spread = (columns as f64).sqrt() as i64 + 1;
    (0..rows)
        .map(|_| Neuron {
            weights: (0..columns).map(|_| if random.random_bool(0.5) { 1 } else { -1 }).collect(),
            constant: -(columns as i64) / 2 + random.random_range(-spread..=spread),
        })
        .collect()
}

fn read(text: &str) -> Result<(Vec<Neuron>, Output), Box<dyn std::error::Error>> {
    let mut output = Output::Sign;
    let mut neurons = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let weight = |c| match c {
            '+' => Ok(1),
            '-' => Ok(-1),
            '0' => Ok(0),
            _ => Err(format!("`{c}` is no weight")),
        };
        let weights = words.next().unwrap_or("").chars().map(weight);
        let weights: Vec<i8> = weights.collect::<Result<_, _>>()?;
        let columns = weights.len();
        let constant = words.next().map(str::parse).transpose()?;
        if constant.is_none() {
            let bits = (usize::BITS - columns.leading_zeros()) as usize + 1;
            output = Output::Sum { bits, shift: 1 };
        }
        neurons.push(Neuron { weights, constant: constant.unwrap_or(-(columns as i64)) });
    }
    Ok((neurons, output))
}
