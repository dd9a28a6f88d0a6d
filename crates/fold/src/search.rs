//! The search for the smallest folding that meets a rate.
//!
//! Layers are chosen jointly by dynamic programming over the chain: the state is the number of
//! lanes that a layer puts out, so that width converters are paid for. The cost of a choice is the
//! share of the part's LUTs and block RAMs that it takes, weighted.

use crate::board::Board;
use crate::build::conversion;
use crate::file::{Fold, LayerFold, divisors};
use dataflow::{EngineKind, MemoryStyle, Mvu, OUTSIDE, Stream, Threshold};
use engines::Resources;
use std::collections::BTreeMap;
use streamline::{Dense, LayerOp, Streamlined};
use tensor::ElementType;

/// One way to fold a fully connected layer.
#[derive(Debug, Clone, Copy)]
struct Choice {
    pe: usize,
    simd: usize,
    weights: MemoryStyle,
    cycles: u64,
    resources: Resources,
}

/// A fully connected layer with all its foldings.
struct Candidate<'n> {
    name: &'n str,
    input: ElementType,
    columns: usize,
    choices: Vec<Choice>,
}

/// The foldings of a network on a board.
pub(crate) struct Space<'n> {
    network: &'n Streamlined,
    board: &'n Board,
    layers: Vec<Candidate<'n>>,
}

/// What counts: the weight of a share of LUTs and of block RAMs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weighting {
    pub(crate) luts: f64,
    pub(crate) brams: f64,
}

impl<'n> Space<'n> {
    pub(crate) fn new(network: &'n Streamlined, board: &'n Board) -> Self {
        let mut layers = Vec::new();
        let (mut element, mut elements) = (network.input.element, network.input.elements());
        for layer in &network.layers {
            if let LayerOp::Dense(dense) = &layer.op {
                let shape = (layer.elements, elements);
                layers.push(Candidate {
                    name: &layer.name,
                    input: element,
                    columns: elements,
                    choices: choices(dense, shape, element, layer.element),
                });
            }
            (element, elements) = (layer.element, layer.elements);
        }
        Self { network, board, layers }
    }

    /// Every cycle count that some layer can have, ascending: the rates worth trying.
    pub(crate) fn cycle_counts(&self) -> Vec<u64> {
        let mut counts: Vec<u64> =
            self.layers.iter().flat_map(|l| l.choices.iter().map(|c| c.cycles)).collect();
        counts.retain(|&c| c >= self.fewest_cycles());
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// Cycles a frame below which no folding goes.
    pub(crate) fn fewest_cycles(&self) -> u64 {
        let serial = self
            .network
            .layers
            .iter()
            .zip(std::iter::once(0).chain(self.network.layers.iter().map(|l| l.elements)));
        serial
            .map(|(layer, inputs)| match layer.op {
                LayerOp::LabelSelect { k: 2.., .. } => inputs as u64,
                _ => 1,
            })
            .max()
            .unwrap_or(1)
    }

    /// The cheapest folding in which no layer takes more than `cycles` cycles a frame.
    pub(crate) fn cheapest(&self, cycles: u64, weighting: Weighting) -> Option<Fold> {
        // Best way to reach each lane count: cost and the choices so far.
        let mut best: BTreeMap<usize, (f64, Vec<usize>)> = BTreeMap::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut next: BTreeMap<usize, (f64, Vec<usize>)> = BTreeMap::new();
            for (c, choice) in layer.choices.iter().enumerate() {
                if choice.cycles > cycles {
                    continue;
                }
                let own = self.share(choice.resources, weighting);
                let arrive = if index == 0 {
                    let lanes = input_lanes(layer.columns, choice.simd, cycles);
                    Some((self.share(self.entry(lanes, choice.simd), weighting), Vec::new()))
                } else {
                    best.iter()
                        .map(|(&from, (cost, path))| {
                            let width = converters(from, choice.simd, layer.columns, layer.input);
                            (cost + self.share(width, weighting), path)
                        })
                        .min_by(|a, b| a.0.total_cmp(&b.0))
                        .map(|(cost, path)| (cost, path.clone()))
                };
                let Some((cost, mut path)) = arrive else { continue };
                let total = cost + own;
                if next.get(&choice.pe).is_none_or(|(known, _)| total < *known) {
                    path.push(c);
                    next.insert(choice.pe, (total, path));
                }
            }
            best = next;
        }
        let (_, path) = best.into_values().min_by(|a, b| a.0.total_cmp(&b.0))?;
        Some(self.to_fold(&path, cycles))
    }

    fn to_fold(&self, path: &[usize], cycles: u64) -> Fold {
        let mut fold = Fold::default();
        for (layer, &c) in self.layers.iter().zip(path) {
            let Choice { pe, simd, weights, .. } = layer.choices[c];
            let entry = LayerFold {
                pe: Some(pe),
                simd: Some(simd),
                weights: Some(weights),
                ..LayerFold::default()
            };
            fold.layers.insert(layer.name.to_string(), entry);
        }
        if let (Some(first), Some(&c)) = (self.layers.first(), path.first()) {
            // No wider than the slowest layer needs.
            let slowest = self.layers.iter().zip(path).map(|(l, &c)| l.choices[c].cycles).max();
            let budget = slowest.unwrap_or(cycles);
            fold.input_lanes = Some(input_lanes(first.columns, first.choices[c].simd, budget));
        }
        fold
    }

    fn share(&self, r: Resources, weighting: Weighting) -> f64 {
        let board = self.board;
        weighting.luts * (r.luts / f64::from(board.luts) + 0.3 * r.ffs / f64::from(board.ffs))
            + weighting.brams * r.bram36 / f64::from(board.bram36.max(1))
            + r.dsps / f64::from(board.dsps.max(1))
    }

    /// The input quantizer and the converters in front of the first layer.
    fn entry(&self, lanes: usize, simd: usize) -> Resources {
        let input = &self.network.input;
        let elements = input.elements();
        let mut element = input.element;
        let mut total = engines::stream::adapter_cost(&stream(element, lanes, elements));
        if let Some(layer) = self.network.layers.first()
            && let LayerOp::Threshold(t) = &layer.op
        {
            let unit = Threshold {
                thresholds: t.values.ncols(),
                shared: t.values.nrows() == 1,
                memory: MemoryStyle::Lut,
                credits: 4,
            };
            let (from, to) =
                (stream(element, lanes, elements), stream(layer.element, lanes, elements));
            total += engines::threshold::cost(&unit, &from, &to);
            element = layer.element;
        }
        total + converters(lanes, simd, elements, element)
    }
}

fn stream(element: ElementType, lanes: usize, elements: usize) -> Stream {
    Stream { name: String::new(), element, lanes, elements, from: OUTSIDE, to: OUTSIDE }
}

/// The fewest lanes that bring a frame in within `cycles`, going well with `simd`.
fn input_lanes(elements: usize, simd: usize, cycles: u64) -> usize {
    divisors(elements)
        .into_iter()
        .filter(|lanes| simd.is_multiple_of(*lanes) || lanes.is_multiple_of(simd))
        .find(|lanes| (elements / lanes) as u64 <= cycles)
        .unwrap_or(elements)
}

fn converters(from: usize, to: usize, elements: usize, element: ElementType) -> Resources {
    let mut at = from;
    conversion(from, to, elements)
        .into_iter()
        .map(|lanes| {
            let ends = (stream(element, at, elements), stream(element, lanes, elements));
            at = lanes;
            engines::stream::width_cost(&ends.0, &ends.1)
        })
        .sum()
}

fn choices(
    dense: &Dense,
    (rows, columns): (usize, usize),
    input: ElementType,
    output: ElementType,
) -> Vec<Choice> {
    let bits = ElementType::smallest(dense.accumulator.0.min(-1), dense.accumulator.1).bits();
    let mut choices = Vec::new();
    for pe in divisors(rows) {
        for simd in divisors(columns) {
            let (sf, nf) = (columns / simd, rows / pe);
            for weights in [MemoryStyle::Lut, MemoryStyle::Block] {
                let useless = weights == MemoryStyle::Block && sf * nf <= 16
                    || weights == MemoryStyle::Lut && sf * nf > 4096;
                if useless {
                    continue;
                }
                let mvu = Mvu {
                    rows,
                    columns,
                    pe,
                    simd,
                    weight: dense.weight,
                    accumulator_bits: bits,
                    thresholds: dense.thresholds.as_ref().map_or(0, |t| t.values.ncols()),
                    weight_memory: weights,
                    threshold_memory: if nf > 128 { MemoryStyle::Block } else { MemoryStyle::Lut },
                    buffer_words: if nf > 1 { 2 * sf } else { 0 },
                    credits: 8,
                };
                let (from, to) = (stream(input, simd, columns), stream(output, pe, rows));
                let resources = engines::mvu::cost(&mvu, &from, &to);
                choices.push(Choice { pe, simd, weights, cycles: (sf * nf) as u64, resources });
            }
        }
    }
    choices
}

/// Whether an engine's parameters name a single fully connected layer.
pub(crate) fn is_mvu(kind: &EngineKind) -> Option<&Mvu> {
    match kind {
        EngineKind::Mvu(mvu) => Some(mvu),
        EngineKind::Input
        | EngineKind::Output
        | EngineKind::Fifo { .. }
        | EngineKind::Width
        | EngineKind::Threshold(_)
        | EngineKind::ChannelAffine(_)
        | EngineKind::LabelSelect(_) => None,
    }
}
