//! Depths of FIFOs, queues, input buffers and rings, found by the simulator.

use crate::{depth, splice};
use dataflow::{Dataflow, Engine, EngineKind, Stream};
use diagnostic::Result;
use engines::cycles_per_frame;
use sim::{Pace, pace};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A dataflow with its depths.
#[derive(Debug, Clone, PartialEq)]
pub struct Sizing {
    /// With every open depth rounded up to what its memory makes free.
    pub dataflow: Dataflow,
    /// The fewest words of each depth that was open, by the engine's name: none of them can be one
    /// less at the same rate.
    pub fewest: BTreeMap<String, usize>,
    /// The pace of the dataflow.
    pub pace: Pace,
}

/// The initiation interval that the slowest engine or edge allows: the closed form.
pub(crate) fn closed_form_interval(dataflow: &Dataflow) -> u64 {
    (0..dataflow.engines.len()).map(|e| cycles_per_frame(dataflow, e)).max().unwrap_or(1)
}

/// Frames of further words in all open depths: tried one after another until the rate is that of the
/// slowest engine.
const MORE_FRAMES: [usize; 5] = [0, 1, 2, 4, 8];

/// Chooses the depths of the engines that are open: as few words as keep the full rate, then as many
/// as cost no more.
///
/// The full rate is that of the slowest engine or, where other depths or the network itself do not
/// allow it, the best that deep queues reach. A FIFO may hold 0 words, which is to be none; where forks
/// or adders are open, FIFOs are added between any two engines where they help.
///
/// # Errors
/// `deadlock` when a depth that is not open is too small.
pub fn size(dataflow: &Dataflow, is_open: impl Fn(&Engine) -> bool) -> Result<Sizing> {
    let mut search = Search::new(dataflow, is_open);
    search.start()?;
    search.tighten();
    let tight = search.dataflow.clone();
    for engine in search.open.clone() {
        search.set(engine, depth::at_no_cost(&tight, engine));
    }
    let mut pace = search.pace()?;
    // More words never slow a design down, but a pace that is not proven is a mean, and can be off.
    if pace.interval > search.goal || search.proven && !pace.proven {
        search.dataflow.clone_from(&tight);
        pace = search.pace()?;
    }
    let mut fewest = BTreeMap::new();
    for engine in search.open.iter().map(|&e| &tight.engines[e]) {
        if let Some(words @ 1..) = depth::words(&engine.kind) {
            fewest.insert(engine.name.clone(), words);
        }
    }
    Ok(Sizing { dataflow: splice::without_empty(&search.dataflow), fewest, pace })
}

/// Depths on their way down.
struct Search {
    /// With FIFOs that hold nothing where there may be one.
    dataflow: Dataflow,
    /// The engines whose depths are open, those first where a word less saves most.
    open: Vec<usize>,
    /// The interval to keep, and whether it was proven.
    goal: u64,
    proven: bool,
}

impl Search {
    fn new(dataflow: &Dataflow, is_open: impl Fn(&Engine) -> bool) -> Self {
        let mut dataflow = dataflow.clone();
        let is_fifo = |d: &Dataflow, engine: usize| {
            d.engines.get(engine).is_some_and(|e| matches!(e.kind, EngineKind::Fifo { .. }))
        };
        let parts = |e: &Engine| matches!(e.kind, EngineKind::Fork { .. } | EngineKind::Add(_));
        if dataflow.engines.iter().any(|e| parts(e) && is_open(e)) {
            for stream in (1..dataflow.streams.len() - 1).rev() {
                let Stream { from, to, .. } = dataflow.streams[stream];
                if !is_fifo(&dataflow, from) && !is_fifo(&dataflow, to) {
                    splice::insert(&mut dataflow, stream);
                }
            }
        }
        let opens =
            |engine: &Engine| engine.kind == EngineKind::Fifo { depth: 0 } || is_open(engine);
        let mut open: Vec<usize> = (0..dataflow.engines.len())
            .filter(|&e| depth::words(&dataflow.engines[e].kind).is_some())
            .filter(|&e| opens(&dataflow.engines[e]))
            .collect();
        open.sort_by_key(|&e| {
            (Reverse(depth::bits_of_frame(&dataflow, e)), !is_fifo(&dataflow, e), e)
        });
        let goal = closed_form_interval(&dataflow);
        Self { dataflow, open, goal, proven: false }
    }

    /// Makes all open depths generous, and the goal what they reach.
    fn start(&mut self) -> Result<()> {
        let given = self.dataflow.clone();
        let mut best: Option<(Pace, Dataflow)> = None;
        let mut error = None;
        for frames in MORE_FRAMES {
            for engine in self.open.clone() {
                self.set(engine, depth::generous(&given, engine, frames));
            }
            match self.pace() {
                Ok(pace) => {
                    if best.as_ref().is_none_or(|(best, _)| pace.interval < best.interval) {
                        best = Some((pace, self.dataflow.clone()));
                    }
                    if pace.interval <= self.goal || self.open.is_empty() {
                        break;
                    }
                }
                Err(e) => error = Some(e),
            }
        }
        let Some((pace, dataflow)) = best else {
            return error.map_or(Ok(()), Err);
        };
        self.goal = self.goal.max(pace.interval);
        self.proven = pace.proven;
        self.dataflow = dataflow;
        Ok(())
    }

    /// Cuts all open depths until none can be one less.
    fn tighten(&mut self) {
        let open = self.open.clone();
        open.iter().for_each(|&engine| self.cut(engine));
        let mut again = true;
        while again {
            again = false;
            for &engine in &open {
                if self.can_be_less(engine) {
                    self.cut(engine);
                    again = true;
                }
            }
        }
    }

    /// Cuts the depth of an engine to the fewest words that keep the goal, as its own do.
    fn cut(&mut self, engine: usize) {
        let mut high = self.words(engine);
        if self.may_be_none(engine) && (high == 0 || self.keeps(engine, 0)) {
            return;
        }
        // Often the least is enough: it is tried first.
        let mut low = depth::least(&self.dataflow, engine);
        let mut middle = low;
        while low < high {
            if self.keeps(engine, middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
            middle = low + (high - low) / 2;
        }
        self.set(engine, high);
    }

    /// Whether a word less, or none at all, keeps the goal.
    fn can_be_less(&mut self, engine: usize) -> bool {
        let words = self.words(engine);
        let less = (words > depth::least(&self.dataflow, engine)).then(|| words - 1);
        let none = (self.may_be_none(engine) && words > 0).then_some(0);
        let can = less.into_iter().chain(none).any(|less| self.keeps(engine, less));
        self.set(engine, words);
        can
    }

    fn may_be_none(&self, engine: usize) -> bool {
        matches!(self.dataflow.engines[engine].kind, EngineKind::Fifo { .. })
    }

    fn words(&self, engine: usize) -> usize {
        depth::words(&self.dataflow.engines[engine].kind).unwrap_or(0)
    }

    fn set(&mut self, engine: usize, words: usize) {
        depth::set(&mut self.dataflow.engines[engine].kind, words);
    }

    /// Whether the goal is kept with so many words, which are set, at an engine.
    fn keeps(&mut self, engine: usize, words: usize) -> bool {
        self.set(engine, words);
        self.pace().is_ok_and(|pace| pace.interval <= self.goal && (pace.proven || !self.proven))
    }

    fn pace(&self) -> Result<Pace> {
        pace(&splice::without_empty(&self.dataflow))
    }
}
