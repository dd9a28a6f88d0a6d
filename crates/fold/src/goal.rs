//! What is searched for: the fastest folding that fits, or the smallest that is fast enough.

use crate::board::Board;
use crate::design::{Folded, refold};
use crate::limits::Limits;
use crate::search::{Plan, Space};
use diagnostic::{Code, Diagnostic, Result};
use engines::Resources;
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

/// What a flip-flop costs in LUTs where flip-flops are short: tried one after another.
pub(crate) const FLIP_FLOP_SHARES: [f64; 6] = [0.0, 0.05, 0.1, 0.2, 0.4, 0.8];

/// How often the search starts again with less room, for the FIFOs that sizing has added.
const TRIES: usize = 8;

/// Searches a folding for a target and sizes its buffers.
///
/// # Errors
/// `fold-rate` when no folding is fast enough; `fold-budget` when none fits.
pub fn fold(name: &str, network: &Streamlined, board: &Board, target: &Target) -> Result<Folded> {
    let space = Space::new(network);
    let clock_hz = target.clock_mhz * 1e6;
    let counts = match target.fps {
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
            vec![cycles]
        }
        None => space.cycle_counts(),
    };
    let goal = Goal { space, board, counts };
    let budget = Limits::of(board, target.budget);
    // What sizing adds is not known before: it is taken off the limits, and the search starts again.
    let mut limits = budget;
    let mut from = 0;
    for _ in 0..TRIES {
        let Some((index, plan)) = goal.first(from, &limits) else { break };
        let mut folded = refold(name, network, &plan.fold, target.clock_mhz)?;
        let used = folded.facts.resources();
        if budget.hold(used) {
            let gap = match target.fps {
                Some(_) => goal.size(plan.resources) / goal.smallest(index, &budget).bound,
                None => folded.facts.ii_cycles as f64 / goal.fewest_possible(index, &budget) as f64,
            };
            folded.facts.gap = Some((gap - 1.0).max(0.0));
            return Ok(folded);
        }
        limits = budget.less_twice(used, plan.resources);
        from = index;
    }
    Err(goal.too_large(&budget))
}

/// The smallest folding that was found, and what none can be smaller than.
struct Smallest {
    plan: Option<Plan>,
    /// Infinite when it is proven that none fits.
    bound: f64,
}

struct Goal<'n> {
    space: Space<'n>,
    board: &'n Board,
    /// Cycles a frame to try, ascending.
    counts: Vec<u64>,
}

impl Goal<'_> {
    /// What is to be small: the shares of the board's LUTs and block RAMs together.
    fn size(&self, r: Resources) -> f64 {
        let Board { luts, bram36, .. } = *self.board;
        r.luts / f64::from(luts.max(1)) + r.bram36 / f64::from(bram36.max(1))
    }

    /// The smallest folding at a count of cycles.
    fn smallest(&self, index: usize, limits: &Limits) -> Smallest {
        let mut bound = f64::INFINITY;
        let mut best: Option<(f64, Plan)> = None;
        for share in FLIP_FLOP_SHARES {
            let front = self.space.front(self.counts[index], share, limits);
            let most = limits.luts + share * limits.ffs;
            let possible = |p: &&Plan| p.resources.luts + share * p.resources.ffs <= most;
            let least = front.iter().filter(possible).map(|p| self.size(p.resources));
            let least = least.min_by(f64::total_cmp);
            let Some(least) = least else {
                // Proven: at this price of flip-flops, nothing is within both limits together.
                return Smallest { plan: None, bound: f64::INFINITY };
            };
            if share == 0.0 {
                bound = least;
            }
            for plan in front.into_iter().filter(|p| limits.hold(p.resources)) {
                let size = self.size(plan.resources);
                if best.as_ref().is_none_or(|(known, _)| size < *known) {
                    best = Some((size, plan));
                }
            }
            if best.as_ref().is_some_and(|(size, _)| *size <= bound) {
                break;
            }
        }
        Smallest { plan: best.map(|(_, plan)| plan), bound }
    }

    /// The fewest cycles at which a folding is found, not below `from`, and the smallest one there.
    fn first(&self, from: usize, limits: &Limits) -> Option<(usize, Plan)> {
        let (mut low, mut high) = (from, self.counts.len() - 1);
        let mut best = (high, self.smallest(high, limits).plan?);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.smallest(middle, limits).plan {
                Some(plan) => {
                    best = (middle, plan);
                    high = middle;
                }
                None => low = middle + 1,
            }
        }
        Some(best)
    }

    /// The fewest cycles at which it is not proven that nothing fits.
    fn fewest_possible(&self, found: usize, limits: &Limits) -> u64 {
        let mut index = found;
        while index > 0 && self.smallest(index - 1, limits).bound.is_finite() {
            index -= 1;
        }
        self.counts[index]
    }

    /// What the folding takes that is nearest to the limits, beside what there is.
    fn too_large(&self, limits: &Limits) -> Diagnostic {
        let cycles = self.counts.last().copied().unwrap_or(1);
        let fronts = [0.0, 0.2].map(|share| self.space.front(cycles, share, &Limits::NONE));
        let plans = fronts.iter().flatten().map(|plan| plan.resources);
        let nearest = plans.min_by(|a, b| limits.excess(*a).total_cmp(&limits.excess(*b)));
        let text = match nearest {
            Some(r) => limits.missing(r, &self.board.name),
            None => format!("no folding takes {cycles} cycles a frame or fewer"),
        };
        Diagnostic::new(Code::FoldBudget, text)
            .hint("ask for fewer frames a second, a larger --budget (at most 1) or a larger board")
    }
}
