//! The search for the smallest folding that meets a rate.
//!
//! Layers are chosen jointly by dynamic programming over the chain: the state is the number of
//! lanes that a layer puts out, so that width converters are paid for. The cost of a choice is the
//! share of the part's LUTs and block RAMs that it takes, weighted.

use crate::board::Board;
use crate::build::{conversion, first_pixelwise};
use crate::choices::{Candidate, Choice, candidates};
use crate::file::{Fold, divisors};
use dataflow::{EngineKind, MemoryStyle, Mvu, OUTSIDE, Stream, Threshold};
use engines::Resources;
use std::collections::BTreeMap;
use streamline::{LayerOp, Streamlined};
use tensor::ElementType;

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
        Self { network, board, layers: candidates(network) }
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
        let (mut fewest, mut inputs) = (1, self.network.input.elements() as u64);
        for layer in &self.network.layers {
            if let LayerOp::LabelSelect { k: 2.., .. } = layer.op {
                fewest = fewest.max(inputs);
            }
            inputs = layer.elements() as u64;
        }
        let fastest = |l: &Candidate<'_>| l.choices.iter().map(|c| c.cycles).min().unwrap_or(1);
        self.layers.iter().map(fastest).fold(fewest, u64::max)
    }

    /// Words of an input frame.
    fn input_words(&self, lanes: usize) -> usize {
        self.network.input.elements() / lanes
    }

    /// The cheapest folding in which no layer takes more than `cycles` cycles a frame.
    pub(crate) fn cheapest(&self, cycles: u64, weighting: Weighting) -> Option<Fold> {
        // Best way to reach each lane count: cost and the choices so far.
        let mut best: BTreeMap<usize, (f64, Vec<usize>)> = BTreeMap::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let mut next: BTreeMap<usize, (f64, Vec<usize>)> = BTreeMap::new();
            // What it costs to come to each lane count.
            let mut arrivals: BTreeMap<usize, (f64, Vec<usize>)> = BTreeMap::new();
            for (c, choice) in layer.choices.iter().enumerate() {
                if choice.cycles > cycles {
                    continue;
                }
                let arrive = arrivals.entry(choice.input).or_insert_with(|| {
                    if index == 0 {
                        let lanes = self.input_lanes(choice, cycles);
                        let entry = self.entry(lanes, choice);
                        return (self.share(entry, weighting), Vec::new());
                    }
                    best.iter()
                        .map(|(&from, (cost, path))| {
                            let width = converters(from, choice.input, choice.pixel, layer.element);
                            (cost + self.share(width, weighting), path)
                        })
                        .min_by(|a, b| a.0.total_cmp(&b.0))
                        .map(|(cost, path)| (cost, path.clone()))
                        .unwrap_or((f64::INFINITY, Vec::new()))
                });
                let total = arrive.0 + self.share(choice.resources, weighting);
                let known = next.get(&choice.output).map_or(f64::INFINITY, |(known, _)| *known);
                if total < known {
                    let mut path = arrive.1.clone();
                    path.push(c);
                    next.insert(choice.output, (total, path));
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
            fold.layers.insert(layer.name.to_string(), layer.choices[c].fold.clone());
        }
        if let (Some(first), Some(&c)) = (self.layers.first(), path.first()) {
            // No wider than the slowest layer needs.
            let slowest = self.layers.iter().zip(path).map(|(l, &c)| l.choices[c].cycles).max();
            let budget = slowest.unwrap_or(cycles);
            fold.input_lanes = Some(self.input_lanes(&first.choices[c], budget));
        }
        fold
    }

    fn share(&self, r: Resources, weighting: Weighting) -> f64 {
        let board = self.board;
        weighting.luts * (r.luts / f64::from(board.luts) + 0.3 * r.ffs / f64::from(board.ffs))
            + weighting.brams * r.bram36 / f64::from(board.bram36.max(1))
            + r.dsps / f64::from(board.dsps.max(1))
    }

    /// The fewest lanes that bring a frame in within `cycles`, going well with those of a choice for
    /// the first layer.
    fn input_lanes(&self, choice: &Choice, cycles: u64) -> usize {
        let (simd, pixel) = (choice.input, self.input_pixel(choice));
        divisors(pixel)
            .into_iter()
            .filter(|lanes| simd.is_multiple_of(*lanes) || lanes.is_multiple_of(simd))
            .find(|&lanes| self.input_words(lanes) as u64 <= cycles)
            .unwrap_or(pixel)
    }

    /// Elements that input words do not straddle.
    fn input_pixel(&self, choice: &Choice) -> usize {
        match first_pixelwise(self.network) {
            Some(_) => choice.pixel,
            None => self.network.input.elements(),
        }
    }

    /// The input quantizer and the converters in front of the first layer.
    fn entry(&self, lanes: usize, choice: &Choice) -> Resources {
        let input = &self.network.input;
        let (simd, pixel) = (choice.input, self.input_pixel(choice));
        let mut element = input.element;
        let mut total = engines::stream::adapter_cost(&stream(element, lanes, pixel));
        if let Some(layer) = self.network.layers.first()
            && let LayerOp::Threshold(t) = &layer.op
        {
            let unit = Threshold {
                thresholds: t.values.ncols(),
                shared: t.values.nrows() == 1,
                memory: MemoryStyle::Lut,
                credits: 4,
            };
            let (from, to) = (stream(element, lanes, pixel), stream(layer.element, lanes, pixel));
            total += engines::threshold::cost(&unit, &from, &to);
            element = layer.element;
        }
        total + converters(lanes, simd, pixel, element)
    }
}

/// A stream of one pixel a frame, for costs.
pub(crate) fn stream(element: ElementType, lanes: usize, pixel: usize) -> Stream {
    let (from, to) = (OUTSIDE, OUTSIDE);
    Stream { name: String::new(), element, lanes, elements: pixel, pixel, from, to }
}

fn converters(from: usize, to: usize, pixel: usize, element: ElementType) -> Resources {
    let mut at = from;
    conversion(from, to, pixel)
        .into_iter()
        .map(|lanes| {
            let ends = (stream(element, at, pixel), stream(element, lanes, pixel));
            at = lanes;
            engines::stream::width_cost(&ends.0, &ends.1)
        })
        .sum()
}

/// Whether an engine's parameters name a single linear layer.
pub(crate) fn is_mvu(kind: &EngineKind) -> Option<&Mvu> {
    match kind {
        EngineKind::Mvu(mvu) => Some(mvu),
        EngineKind::Input
        | EngineKind::Output
        | EngineKind::Fifo { .. }
        | EngineKind::Fork { .. }
        | EngineKind::Add(_)
        | EngineKind::Width
        | EngineKind::Threshold(_)
        | EngineKind::Window(_)
        | EngineKind::ParallelWindow(_)
        | EngineKind::Depthwise(_)
        | EngineKind::Pool(_)
        | EngineKind::ChannelAffine(_)
        | EngineKind::LabelSelect(_) => None,
    }
}
