//! The Pareto front: rate against LUTs and block RAMs.

use crate::board::Board;
use crate::design::{Folded, refold};
use crate::file::Fold;
use crate::goal::FLIP_FLOP_SHARES;
use crate::limits::Limits;
use crate::search::{Plan, Space};
use diagnostic::{Code, Diagnostic, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::available_parallelism;
use streamline::Streamlined;

/// Rates that are looked at.
const RATES: usize = 96;

/// A slower design is shown when it is smaller than all faster ones by this share.
const WORTH: f64 = 0.04;

/// The Pareto front of a network on a board, coarsely: designs of which each is smaller than all that
/// are faster. For a rate there are up to three: what needs the smallest share of the board, what has
/// the fewest LUTs, and what has the fewest block RAMs. The fastest come first. Buffers are not sized
/// yet: see [`size_all`].
///
/// # Errors
/// `fold-budget` when none fits the whole board.
pub fn explore(network: &Streamlined, board: &Board, rows: usize) -> Result<Vec<Fold>> {
    let space = Space::new(network);
    let limits = Limits::of(board, 1.0);
    let mut least = [f64::INFINITY; 3];
    let mut kept: Vec<Plan> = Vec::new();
    for cycles in spread(&space.cycle_counts(), RATES) {
        let fits = |plan: &Plan| limits.hold(plan.resources);
        let front = FLIP_FLOP_SHARES
            .map(|share| space.front(cycles, share, &limits).into_iter().filter(fits).collect())
            .into_iter()
            .find(|front: &Vec<Plan>| !front.is_empty());
        let Some(front) = front else { continue };
        let share = |plan: &Plan| limits.excess(plan.resources);
        let middle = front.iter().min_by(|a, b| share(a).total_cmp(&share(b)));
        // Few block RAMs come first, few LUTs last.
        let kinds = [
            (middle, middle.map_or(0.0, share)),
            (front.last(), front.last().map_or(0.0, |p| p.resources.luts)),
            (front.first(), front.first().map_or(0.0, |p| p.resources.bram36)),
        ];
        for ((plan, size), least) in kinds.into_iter().zip(&mut least) {
            let (Some(plan), true) = (plan, size < *least * (1.0 - WORTH)) else { continue };
            *least = size;
            if !kept.iter().any(|known| known.resources == plan.resources) {
                kept.push(plan.clone());
            }
        }
    }
    if kept.is_empty() {
        let text = format!("no folding fits {}", board.name);
        return Err(Diagnostic::new(Code::FoldBudget, text)
            .hint("`xnorflow build` says what is missing; take a larger board"));
    }
    Ok(spread(&kept, rows).into_iter().map(|plan| plan.fold).collect())
}

/// Sizes the buffers of foldings, several at once, and keeps those that no other is better than then:
/// as fast with no more LUTs and no more block RAMs. `sized` is called for each.
///
/// # Errors
/// As [`refold`].
pub fn size_all(
    name: &str,
    network: &Streamlined,
    folds: &[Fold],
    clock_mhz: f64,
    sized: impl Fn() + Sync,
) -> Result<Vec<Folded>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let workers = available_parallelism().map_or(1, usize::from).min(folds.len());
    let work = || {
        while let Some(fold) = folds.get(next.fetch_add(1, Ordering::Relaxed)) {
            let folded = refold(name, network, fold, clock_mhz);
            done.lock().unwrap_or_else(PoisonError::into_inner).push(folded);
            sized();
        }
    };
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut all = done.into_iter().collect::<Result<Vec<Folded>>>()?;
    let figures = |f: &Folded| (f.facts.ii_cycles, f.facts.luts, f.facts.bram36);
    all.sort_by(|a, b| figures(a).partial_cmp(&figures(b)).expect("figures are numbers"));
    let mut best: Vec<Folded> = Vec::new();
    for folded in all {
        let better = |known: &Folded| {
            known.facts.luts <= folded.facts.luts && known.facts.bram36 <= folded.facts.bram36
        };
        if !best.iter().any(better) {
            best.push(folded);
        }
    }
    Ok(best)
}

/// So many of the things in a row, the ends among them, about as far apart as can be.
fn spread<T: Clone>(all: &[T], count: usize) -> Vec<T> {
    let last = all.len().saturating_sub(1);
    if all.len() <= count || count < 2 {
        return all.to_vec();
    }
    (0..count).map(|i| all[i * last / (count - 1)].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn few_of_many_have_both_ends() {
        let all: Vec<usize> = (0..100).collect();
        let few = spread(&all, 8);
        assert_eq!((few.len(), few[0], few[7]), (8, 0, 99));
        assert_eq!(spread(&all, 100), all);
        assert_eq!(spread(&[7], 2), [7]);
    }
}
