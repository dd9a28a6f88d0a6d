//! The folded design with its figures.

use crate::build;
use crate::file::Fold;
use crate::size::{Sizing, closed_form_interval, size};
use dataflow::{Dataflow, EngineKind};
use diagnostic::Result;
use engines::Resources;
use serde::{Deserialize, Serialize};
use sim::Pace;
use std::collections::BTreeMap;
use streamline::Streamlined;

/// A folding with the dataflow that follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Folded {
    /// The folding, complete.
    pub fold: Fold,
    /// The engines and streams.
    pub dataflow: Dataflow,
    /// Its figures.
    pub facts: Facts,
}

/// The figures of a folded design.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Estimated LUT sites.
    pub luts: u64,
    /// Estimated flip-flops.
    pub ffs: u64,
    /// Estimated block RAMs of 36 kbit.
    pub bram36: f64,
    /// Estimated DSP slices.
    pub dsps: u64,
    /// Cycles between frames in steady state: the closed form, met by the simulator.
    pub ii_cycles: u64,
    /// Cycles from the first input word to the last output word of a frame.
    pub latency_cycles: u64,
    /// Frames a second at the clock.
    pub fps: f64,
    /// Clock in MHz.
    pub clock_mhz: f64,
    /// The engines, in order.
    pub engines: Vec<EngineFacts>,
    /// The fewest words at the full rate of each depth that was sized, by its engine; what is built
    /// is rounded up.
    #[serde(default)]
    pub fewest_words: BTreeMap<String, usize>,
    /// For a folding that was searched: how far it may be from the best, 0 when none is better by
    /// the estimates. Of the frames a second when the fastest was wanted, else of the shares of LUTs
    /// and block RAMs together, without FIFOs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<f64>,
}

impl Facts {
    pub(crate) fn resources(&self) -> Resources {
        Resources {
            luts: self.luts as f64,
            ffs: self.ffs as f64,
            bram36: self.bram36,
            dsps: self.dsps as f64,
        }
    }
}

/// The figures of an engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its folding in words.
    pub folding: String,
    /// Cycles a frame when nothing makes it wait.
    pub cycles: u64,
    /// Estimated LUT sites.
    pub luts: u64,
    /// Estimated flip-flops.
    pub ffs: u64,
    /// Estimated block RAMs of 36 kbit.
    pub bram36: f64,
    /// Estimated DSP slices.
    pub dsps: u64,
    /// By what share the LUTs of half of the engines of its kind were off, where engines were
    /// synthesised for comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub luts_error: Option<f64>,
}

/// Builds the dataflow of a given folding; buffers and FIFOs that it does not set are sized.
///
/// # Errors
/// As [`Fold::check`]; `deadlock` when the buffers that it sets are too small.
pub fn refold(name: &str, network: &Streamlined, fold: &Fold, clock_mhz: f64) -> Result<Folded> {
    fold.check(network)?;
    let mut fold = fold.clone();
    if fold.input_lanes.is_none() {
        fold.input_lanes = Some(default_input_lanes(name, network, &fold));
    }
    build::dataflow(name, network, &fold).check()?;
    let sizing = size(&with_open_fifos(name, network, &fold), |engine| {
        fold.layers.get(&engine.layer).map_or(!engine.layer.is_empty(), |l| l.buffer.is_none())
    })?;
    let dataflow = &sizing.dataflow;
    for engine in &dataflow.engines {
        if let (EngineKind::Fifo { depth }, Some(layer)) =
            (&engine.kind, engine.name.strip_suffix("_fifo"))
        {
            fold.fifos.insert(layer.into(), *depth);
        }
        if engine.layer.is_empty() {
            continue;
        }
        let mut entry = fold.layers.get(&engine.layer).cloned().unwrap_or_default();
        match &engine.kind {
            EngineKind::Mvu(mvu) => {
                entry.pe = Some(mvu.pe);
                entry.simd = Some(mvu.simd);
                entry.dot = Some(mvu.dot);
                entry.weights = Some(mvu.weight_memory);
                entry.thresholds = Some(mvu.threshold_memory);
                if mvu.buffer_words > 0 {
                    entry.buffer = Some(mvu.buffer_words);
                }
            }
            EngineKind::Depthwise(unit) => {
                entry.pe = Some(dataflow.streams[engine.input()].lanes);
                entry.weights = unit.weight.map(|_| unit.weight_memory);
                entry.thresholds = Some(unit.threshold_memory);
            }
            EngineKind::Window(unit) => {
                entry.buffer = Some(unit.depth);
                entry.lines = Some(unit.memory);
            }
            EngineKind::ParallelWindow(unit) if unit.window.kernel[0] > 1 => {
                entry.lines = Some(unit.memory);
            }
            EngineKind::Pool(pool) => {
                let lanes = dataflow.streams[engine.output()].lanes;
                entry.lanes = Some(lanes / pool.windows);
            }
            EngineKind::Input
            | EngineKind::Output
            | EngineKind::Fifo { .. }
            | EngineKind::Fork { .. }
            | EngineKind::Add(_)
            | EngineKind::Width
            | EngineKind::Threshold(_)
            | EngineKind::ParallelWindow(_)
            | EngineKind::ChannelAffine(_)
            | EngineKind::LabelSelect(_) => continue,
        }
        fold.layers.insert(engine.layer.clone(), entry);
    }
    let facts = facts(&sizing, clock_mhz);
    Ok(Folded { fold, dataflow: sizing.dataflow, facts })
}

/// The dataflow of a folding with a FIFO that holds nothing yet in front of each layer that it gives
/// none.
fn with_open_fifos(name: &str, network: &Streamlined, fold: &Fold) -> Dataflow {
    let mut open = fold.clone();
    for layer in &network.layers {
        open.fifos.entry(layer.name.clone()).or_insert(0);
    }
    build::dataflow(name, network, &open)
}

/// The fewest lanes that do not limit the rate of the rest.
fn default_input_lanes(name: &str, network: &Streamlined, fold: &Fold) -> usize {
    let pixel = build::input_pixel(network, fold);
    let pixels = (network.input.elements() / pixel) as u64;
    let widest = Fold { input_lanes: Some(pixel), ..fold.clone() };
    let dataflow = build::sketch(name, network, &widest);
    let slowest = closed_form_interval(&dataflow);
    let simd = network.layers.iter().find_map(|l| fold.layers.get(&l.name).and_then(|f| f.simd));
    let simd = simd.unwrap_or(1);
    let all = crate::file::divisors(pixel);
    let enough = |lanes: &&usize| (pixel / **lanes) as u64 * pixels <= slowest;
    let smooth = |lanes: &&usize| simd.is_multiple_of(**lanes) || lanes.is_multiple_of(simd);
    let lanes = all.iter().filter(smooth).find(enough).or_else(|| all.iter().find(enough));
    lanes.copied().unwrap_or(pixel)
}

fn facts(sizing: &Sizing, clock_mhz: f64) -> Facts {
    let dataflow = &sizing.dataflow;
    let Pace { interval: ii_cycles, latency: latency_cycles, .. } = sizing.pace;
    let mut total = Resources::default();
    let engines = (0..dataflow.engines.len())
        .map(|index| {
            let engine = &dataflow.engines[index];
            let cost = engines::cost(dataflow, index);
            total += cost;
            EngineFacts {
                name: engine.name.clone(),
                kind: engine.kind.name().into(),
                folding: folding_text(dataflow, index),
                cycles: engines::cycles_per_frame(dataflow, index),
                luts: cost.luts.round() as u64,
                ffs: cost.ffs.round() as u64,
                bram36: cost.bram36,
                dsps: cost.dsps.round() as u64,
                luts_error: engines::Fit::of(engine.kind.name()).map(|fit| fit.error),
            }
        })
        .collect();
    Facts {
        luts: total.luts.round() as u64,
        ffs: total.ffs.round() as u64,
        bram36: total.bram36,
        dsps: total.dsps.round() as u64,
        ii_cycles,
        latency_cycles,
        fps: clock_mhz * 1e6 / ii_cycles.max(1) as f64,
        clock_mhz,
        engines,
        fewest_words: sizing.fewest.clone(),
        gap: None,
    }
}

fn folding_text(dataflow: &Dataflow, index: usize) -> String {
    let engine = &dataflow.engines[index];
    let (input, output) = (&dataflow.streams[engine.input()], &dataflow.streams[engine.output()]);
    if let EngineKind::Depthwise(_) = engine.kind {
        return format!("PE {}", input.lanes);
    }
    let mvu = match &engine.kind {
        EngineKind::Mvu(mvu) => Some(mvu),
        _ => None,
    };
    match mvu {
        Some(m) => format!("PE {} SIMD {}, {}", m.pe, m.simd, m.dot.name()),
        None if input.lanes == output.lanes => format!("{} lanes", input.lanes),
        None => format!("{} -> {} lanes", input.lanes, output.lanes),
    }
}

/// The cycles of each layer, for the comments of a folding file.
impl Folded {
    /// The text of `fold.toml`.
    pub fn fold_text(&self, network: &Streamlined) -> String {
        let cycles: BTreeMap<String, u64> = self
            .dataflow
            .engines
            .iter()
            .enumerate()
            .filter(|(_, e)| !e.layer.is_empty())
            .map(|(i, e)| (e.layer.clone(), engines::cycles_per_frame(&self.dataflow, i)))
            .collect();
        self.fold.to_text(network, &cycles)
    }
}
