//! Estimated resources of the matrix-vector-threshold unit.

use super::{groups, level_bits, planes};
use crate::{Resources, lut_ram, rom, threshold};
use dataflow::{Dot, MemoryStyle, Mvu, Stream};
use tensor::ElementType;

/// LUTs that add a count to others, in a weighted sum of several.
const LUTS_PER_COUNT: f64 = 4.0;

/// LUTs of a registered popcount for each of its `inputs`, XNOR or AND included: two tables of six
/// inputs take three products, and adders come on top.
fn luts_per_product(inputs: usize) -> f64 {
    match inputs {
        0..=1 => 0.5,
        2..=3 => 0.67,
        4..=6 => 1.1,
        7..=12 => 1.35,
        _ => 1.55,
    }
}

/// LUTs and flip-flops, block RAM.
pub fn cost(mvu: &Mvu, input: &Stream, output: &Stream) -> Resources {
    let pe = (mvu.pe * mvu.vectors) as f64;
    let acc = f64::from(mvu.accumulator_bits);
    let (sf, nf) = (mvu.synapse_fold(), mvu.neuron_fold());
    let weight_bits = mvu.pe * mvu.simd * mvu.weight.bits() as usize;
    let word = Resources::logic(0.0, input.bits() as f64);
    let fifo = Resources::logic(lut_ram(mvu.credits, output.bits()) + 8.0, 8.0);
    let control = Resources::logic(18.0, 24.0 + 2.0 * f64::from(level_bits(mvu.thresholds)));
    if mvu.dot == Dot::Wired {
        return trees_cost(mvu) + word + fifo + control;
    }
    let row = row_cost(mvu, input.element, sf * nf == 1);
    let dot = Resources::logic(pe * row.luts, pe * row.ffs) + encoder_cost(mvu);
    let accumulators = match mvu.dot {
        // In the tree; the last sum waits in a register of its own.
        Dot::Carries if sf > 1 => {
            Resources::logic(0.0, if mvu.from_threshold { pe } else { pe * acc })
        }
        Dot::Carries => Resources::default(),
        _ => Resources::logic(if sf > 1 { pe * acc } else { 0.0 }, pe * acc),
    };
    let weights = rom(sf * nf, weight_bits, mvu.weight_memory == MemoryStyle::Block);
    let decide = if mvu.from_threshold {
        Resources::default()
    } else if mvu.thresholds > 0 {
        threshold::unit_cost(
            mvu.pe * mvu.vectors,
            mvu.accumulator_bits as usize,
            mvu.thresholds,
            nf,
            mvu.threshold_memory == MemoryStyle::Block,
        )
    } else {
        rom(nf, mvu.pe * mvu.vectors * mvu.accumulator_bits as usize, false)
            + Resources::logic(pe * acc, pe * acc)
    };
    let buffer = if mvu.buffer_words > 0 {
        Resources::logic(lut_ram(mvu.buffer_words, input.bits()) + 24.0, 24.0)
    } else {
        Resources::default()
    };
    let parities = if mvu.dot == Dot::Carries { input.bits() as f64 } else { 0.0 };
    let word = word + Resources::logic(0.0, parities);
    dot + accumulators + weights + decide + buffer + word + fifo + control
}

/// The trees of a unit whose weights are wires; before they are planted, what trees take of random
/// weights.
fn trees_cost(mvu: &Mvu) -> Resources {
    let one = match mvu.trees {
        Some(trees) => Resources::logic(trees.luts as f64, trees.ffs as f64),
        None => {
            let luts = mvu.rows as f64 * (0.13 * mvu.columns as f64 + 10.5);
            Resources::logic(luts, 2.2 * luts)
        }
    };
    (0..mvu.vectors).map(|_| one).sum()
}

/// The dot product of one row.
fn row_cost(mvu: &Mvu, input: ElementType, hard_wired: bool) -> Resources {
    let groups = groups(mvu.dot, input, mvu.levels);
    match mvu.dot {
        Dot::Planes | Dot::Thermometer => {
            let counts = (planes(mvu.weight) * groups.len()) as f64;
            let bits: usize = groups.iter().map(|g| g.bits).sum();
            let products = (mvu.simd * planes(mvu.weight) * bits) as f64;
            let widest = groups.iter().map(|g| g.bits).max().unwrap_or(1);
            let per_product = luts_per_product(mvu.simd * widest);
            // With constant weights the XNOR vanishes into the first table.
            let per_product = if hard_wired { per_product.min(0.75) } else { per_product };
            let sums = (counts - 1.0) * LUTS_PER_COUNT;
            Resources::logic(products * per_product + sums, products * 0.85 + 2.0 * sums)
        }
        Dot::Wired => Resources::default(),
        Dot::Carries => {
            let row = super::row(mvu);
            // With constant weights two of the first tables share a site.
            let shared = if hard_wired { mvu.simd as f64 / 4.0 } else { 0.0 };
            Resources::logic(row.luts() as f64 - shared, row.registers() as f64)
        }
        Dot::Add => {
            let (mut terms, mut width) = (mvu.simd * planes(mvu.weight), planes(input));
            // A single product is no sum: two tables share a site.
            let alone = if terms == 1 { width as f64 / 2.0 } else { 0.0 };
            let mut total = Resources::logic(alone, 0.0);
            let mut added = 1.0f64;
            loop {
                width += usize::from(terms > 1);
                added *= 2.0;
                // With constant weights, rows share the sums that they have in common: each bit of a
                // weight gives two kinds of a term.
                let kinds = added.exp2();
                let share = if hard_wired { (kinds / mvu.pe as f64).min(1.0) } else { 1.0 };
                let sums = terms.div_ceil(2);
                let (luts, ffs) = ((terms / 2 * width) as f64, (sums * width) as f64);
                total += Resources::logic(share * luts, share * ffs);
                terms = sums;
                if terms == 1 {
                    return total;
                }
            }
        }
    }
}

/// What makes thermometers or parities of the input word, for all rows.
fn encoder_cost(mvu: &Mvu) -> Resources {
    match mvu.dot {
        Dot::Planes | Dot::Add | Dot::Wired => Resources::default(),
        Dot::Carries => Resources::logic((mvu.vectors * mvu.simd) as f64 / 4.0, 0.0),
        Dot::Thermometer => {
            let levels = (mvu.levels.1 - mvu.levels.0) as usize;
            let bits = (mvu.vectors * mvu.simd * levels) as f64;
            Resources::logic(bits, bits)
        }
    }
}
