//! The folded design with its figures.

use crate::board::Board;
use crate::build;
use crate::file::Fold;
use crate::search::{Space, Weighting, is_mvu};
use crate::size::{Sizing, closed_form_interval, size};
use dataflow::{Dataflow, Dot, EngineKind};
use diagnostic::{Code, Diagnostic, Result};
use engines::Resources;
use serde::{Deserialize, Serialize};
use sim::Pace;
use std::collections::BTreeMap;
use streamline::Streamlined;

/// What a folding is searched for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Clock in MHz.
    pub clock_mhz: f64,
    /// Frames a second to reach; `None` for the fastest that fits.
    pub fps: Option<f64>,
    /// Share of the part that may be used.
    pub budget: f64,
}

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
}

/// Searches a folding for a target and sizes its buffers.
///
/// # Errors
/// `fold-rate` when no folding is fast enough; `fold-budget` when none fits.
pub fn fold(name: &str, network: &Streamlined, board: &Board, target: &Target) -> Result<Folded> {
    let space = Space::new(network, board);
    let clock_hz = target.clock_mhz * 1e6;
    let chosen = match target.fps {
        Some(fps) => {
            let cycles = (clock_hz / fps).floor() as u64;
            if cycles < space.fewest_cycles() {
                let most = clock_hz / space.fewest_cycles() as f64;
                let text =
                    format!("{fps} frames a second is out of reach at {} MHz", target.clock_mhz);
                return Err(Diagnostic::new(Code::FoldRate, text).hint(format!(
                    "at most {most:.0} frames a second are possible at this clock"
                )));
            }
            fitting(name, network, board, target, &space, cycles)?
        }
        None => fastest(name, network, board, target, &space)?,
    };
    refold(name, network, &chosen, target.clock_mhz)
}

/// The cheapest folding within `cycles`, if it fits; the weighting is turned toward the resource
/// that is short.
fn fitting(
    name: &str,
    network: &Streamlined,
    board: &Board,
    target: &Target,
    space: &Space<'_>,
    cycles: u64,
) -> Result<Fold> {
    let mut last = None;
    for (luts, brams) in [(1.0, 1.0), (1.0, 0.1), (0.1, 1.0)] {
        let Some(fold) = space.cheapest(cycles, Weighting { luts, brams }) else { continue };
        let total = resources(&build::dataflow(name, network, &fold));
        if fits(total, board, target.budget) {
            return Ok(fold);
        }
        last = last.or(Some(total));
    }
    let text = match last {
        Some(r) => format!(
            "{:.0} LUTs, {:.1} BRAM36 and {:.0} DSPs are needed; {:.0}, {:.1} and {:.0} are in the budget of {}",
            r.luts,
            r.bram36,
            r.dsps,
            f64::from(board.luts) * target.budget,
            f64::from(board.bram36) * target.budget,
            f64::from(board.dsps) * target.budget,
            board.name
        ),
        None => format!("no folding takes {cycles} cycles a frame or fewer"),
    };
    Err(Diagnostic::new(Code::FoldBudget, text)
        .hint("ask for fewer frames a second, a larger --budget (at most 1) or a larger board"))
}

fn fastest(
    name: &str,
    network: &Streamlined,
    board: &Board,
    target: &Target,
    space: &Space<'_>,
) -> Result<Fold> {
    let counts = space.cycle_counts();
    let attempt = |cycles| fitting(name, network, board, target, space, cycles);
    let (mut low, mut high) = (0, counts.len().saturating_sub(1));
    let mut best = attempt(counts.get(high).copied().unwrap_or(1))?;
    while low < high {
        let middle = low + (high - low) / 2;
        match attempt(counts[middle]) {
            Ok(fold) => {
                best = fold;
                high = middle;
            }
            Err(_) => low = middle + 1,
        }
    }
    Ok(best)
}

fn fits(r: Resources, board: &Board, budget: f64) -> bool {
    r.luts <= f64::from(board.luts) * budget
        && r.ffs <= f64::from(board.ffs) * budget
        && r.bram36 <= f64::from(board.bram36) * budget
        && r.dsps <= f64::from(board.dsps) * budget
}

fn resources(dataflow: &Dataflow) -> Resources {
    (0..dataflow.engines.len()).map(|e| engines::cost(dataflow, e)).sum()
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
                let input = dataflow.streams[engine.input()].element;
                entry.dot = Dot::Add.takes(input).then_some(mvu.dot);
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
            EngineKind::Window(unit) => entry.buffer = Some(unit.depth),
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
    let dataflow = build::dataflow(name, network, &widest);
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
    }
}

fn folding_text(dataflow: &Dataflow, index: usize) -> String {
    let engine = &dataflow.engines[index];
    let (input, output) = (&dataflow.streams[engine.input()], &dataflow.streams[engine.output()]);
    if let EngineKind::Depthwise(_) = engine.kind {
        return format!("PE {}", input.lanes);
    }
    match is_mvu(&engine.kind) {
        Some(m) if !Dot::Add.takes(input.element) => format!("PE {} SIMD {}", m.pe, m.simd),
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
