//! Estimated resources of the matrix-vector-threshold unit.

use super::{level_bits, planes};
use crate::{Resources, lut_ram, rom, threshold};
use dataflow::{MemoryStyle, Mvu, Stream};

/// LUTs of a registered popcount for each input bit, XNOR or AND included.
const LUTS_PER_PRODUCT: f64 = 1.55;

/// LUTs and flip-flops, block RAM.
pub fn cost(mvu: &Mvu, input: &Stream, output: &Stream) -> Resources {
    let pairs = (planes(mvu.weight) * planes(input.element)) as f64;
    let (pe, simd) = ((mvu.pe * mvu.vectors) as f64, mvu.simd as f64);
    let acc = f64::from(mvu.accumulator_bits);
    let (sf, nf) = (mvu.synapse_fold(), mvu.neuron_fold());
    let weight_bits = mvu.pe * mvu.simd * mvu.weight.bits() as usize;
    let hard_wired = sf * nf == 1;
    // With constant weights the XNOR vanishes into the first table.
    let per_product = if hard_wired { 0.75 } else { LUTS_PER_PRODUCT };
    let dot = Resources::logic(
        pe * pairs * simd * per_product + pe * (pairs - 1.0) * acc,
        pe * pairs * simd * 0.85,
    );
    let accumulators = Resources::logic(if sf > 1 { pe * acc } else { 0.0 }, pe * acc);
    let weights = rom(sf * nf, weight_bits, mvu.weight_memory == MemoryStyle::Block);
    let decide = if mvu.thresholds > 0 {
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
    let word = Resources::logic(0.0, input.bits() as f64);
    let fifo = Resources::logic(lut_ram(mvu.credits, output.bits()) + 8.0, 8.0);
    let control = Resources::logic(18.0, 24.0 + 2.0 * f64::from(level_bits(mvu.thresholds)));
    dot + accumulators + weights + decide + buffer + word + fifo + control
}
