//! Which counters stand where: a greedy heap scheduler with random restarts.
//!
//! Only the numbers of bits in the columns matter here (Kumm and Zipf, "Pipelined compressor tree
//! optimization using integer linear programming", FPL 2014, cost the same choice; popcounts are so
//! regular that greed with some luck comes within a few percent of the bound of two bits a table).

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::last::{Position, last_chain};

/// How long to look for a good schedule. Equal searches find equal schedules.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Number of schedules that are tried.
    pub runs: usize,
    /// Seed of their random choices.
    pub seed: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self { runs: 2000, seed: 0 }
    }
}

/// Counters of one stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stage {
    pub(crate) chains: Vec<Blocks>,
    /// Columns of full adders.
    pub(crate) adders: Vec<usize>,
    /// Numbers of bits of parities in the top column.
    pub(crate) parities: Vec<usize>,
}

/// Blocks "6" joined by their carries: column and number of bits of each.
#[derive(Clone, Debug)]
pub(crate) struct Blocks {
    /// Whether the first takes one more bit as its carry in.
    pub(crate) carry_in: bool,
    pub(crate) blocks: Vec<(usize, usize)>,
}

/// All stages and the last chain.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    pub(crate) stages: Vec<Stage>,
    pub(crate) last: Vec<Position>,
    pub(crate) cost: u64,
}

/// Costs in fiftieths of a table.
pub(crate) const COST_LUT: u64 = 50;
pub(crate) const COST_REGISTER: u64 = 1;
pub(crate) const COST_STAGE: u64 = 15;

/// The best schedule found for columns of these numbers of bits, of which `late` come with the last
/// chain only.
pub(crate) fn schedule(counts: &[usize], late: &[usize], search: &Search) -> Schedule {
    let mut random = ChaCha8Rng::seed_from_u64(search.seed);
    let mut best: Option<Schedule> = None;
    // The first run has no luck in it; those after differ in how much they rely on it.
    for run in 0..search.runs.max(1) {
        let policy = if run == 0 { Policy::GREEDY } else { Policy::drawn(&mut random) };
        attempt(counts, late, policy, &mut random, &mut best);
    }
    best.expect("every run ends with a last chain")
}

/// The best schedules found with 1, 2, ... `most` stages, the last chain among them.
pub(crate) fn schedules(counts: &[usize], most: usize, search: &Search) -> Vec<Option<Schedule>> {
    let mut random = ChaCha8Rng::seed_from_u64(search.seed);
    let mut best: Vec<Option<Schedule>> = vec![None; most];
    for run in 0..search.runs.max(1) {
        let policy = if run == 0 { Policy::GREEDY } else { Policy::drawn(&mut random) };
        let (mut counts, mut stages, mut cost) = (counts.to_vec(), Vec::new(), 0);
        for number in 0..most {
            if best[number..].iter().all(|b| b.as_ref().is_some_and(|b| b.cost <= cost)) {
                break;
            }
            let better = |total| best[number].as_ref().is_none_or(|b| total < b.cost);
            let chain = last_chain(&counts);
            if let Some((luts, last)) = &chain
                && better(cost + *luts as u64 * COST_LUT)
            {
                let (stages, last) = (stages.clone(), last.clone());
                best[number] =
                    Some(Schedule { stages, last, cost: cost + *luts as u64 * COST_LUT });
            }
            let mut next = compress(&counts, 5, policy, &mut random);
            if next.1 == 0 {
                // No full block; full adders help wherever a column is too high.
                let adders = Policy { adder: 100, skip: 0, ..policy };
                next = compress(&counts, 5, adders, &mut random);
            }
            let (stage, luts, after) = next;
            if luts == 0 {
                break;
            }
            counts = after;
            cost += luts * COST_LUT + counts.iter().sum::<usize>() as u64 * COST_REGISTER;
            stages.push(stage);
        }
    }
    best
}

/// One stage that leaves nothing to chance: blocks of `least` to six bits, and perhaps full adders of
/// what they leave. Its tables and the numbers of bits after it.
pub(crate) fn one_stage(counts: &[usize], least: usize, adders: bool) -> (Stage, u64, Vec<usize>) {
    let always = |yes: bool| if yes { 100 } else { 0 };
    let policy = Policy {
        skip: 0,
        five: always(least <= 5),
        four: always(least <= 4),
        adder: always(adders),
    };
    // No column is the top one, in which carries would be dropped.
    let mut counts = counts.to_vec();
    counts.resize(counts.len() + 3, 0);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let (stage, luts, mut after) = compress(&counts, 0, policy, &mut random);
    while after.last() == Some(&0) {
        after.pop();
    }
    (stage, luts, after)
}

/// Probabilities, in percent.
#[derive(Clone, Copy, Debug)]
struct Policy {
    /// To leave the bits for a full block to the next stage.
    skip: u32,
    /// To form a block of five bits, of four.
    five: u32,
    four: u32,
    /// To form a full adder of what is left.
    adder: u32,
}

impl Policy {
    const GREEDY: Self = Self { skip: 0, five: 0, four: 0, adder: 0 };

    fn drawn(random: &mut ChaCha8Rng) -> Self {
        let mut one_of = |choices: [u32; 4]| choices[random.random_range(0..4)];
        Self {
            skip: one_of([0, 0, 5, 15]),
            five: one_of([0, 10, 30, 100]),
            four: one_of([0, 0, 5, 30]),
            adder: one_of([0, 10, 50, 100]),
        }
    }
}

/// Compresses stage by stage; keeps the schedule at every stage at which a last chain covers the
/// rest for less than the best so far.
fn attempt(
    counts: &[usize],
    late: &[usize],
    policy: Policy,
    random: &mut ChaCha8Rng,
    best: &mut Option<Schedule>,
) {
    let mut counts = counts.to_vec();
    let mut stages = Vec::new();
    let mut cost = 0;
    // The last chain takes six bits in the top column, one of which may come from below.
    let top = 5 - late.last().copied().unwrap_or(0);
    loop {
        // The last chain has a register for each column.
        cost += COST_STAGE;
        let limit = best.as_ref().map_or(u64::MAX, |best| best.cost);
        if cost >= limit {
            return;
        }
        let all: Vec<usize> = counts.iter().zip(late).map(|(count, late)| count + late).collect();
        let chain = last_chain(&all);
        if let Some((luts, last)) = &chain {
            let registers = counts.len() as u64 * COST_REGISTER;
            let total = cost + *luts as u64 * COST_LUT + registers;
            if total < limit {
                let stages = stages.clone();
                *best = Some(Schedule { stages, last: last.clone(), cost: total });
            }
        }
        let (stage, luts, next) = compress(&counts, top, policy, random);
        let (stage, luts, next) = match (luts, &chain) {
            (0, Some(_)) => return,
            // No full block, and still too high for a chain: full adders help always.
            (0, None) => compress(&counts, top, Policy { adder: 100, skip: 0, ..policy }, random),
            _ => (stage, luts, next),
        };
        assert!(luts > 0, "columns too high for a chain can be compressed");
        counts = next;
        cost += luts * COST_LUT + counts.iter().sum::<usize>() as u64 * COST_REGISTER;
        stages.push(stage);
    }
}

/// One stage, columns from low to high: its tables and the numbers of bits after it. The top column
/// is left alone at up to `top` bits.
fn compress(
    counts: &[usize],
    top: usize,
    policy: Policy,
    random: &mut ChaCha8Rng,
) -> (Stage, u64, Vec<usize>) {
    let width = counts.len();
    let mut stage = Stage::default();
    let mut luts = 0;
    let mut next = Next(vec![0; width]);
    // Chains whose carry out waits at a column.
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); width];
    for column in 0..width {
        let mut left = counts[column];
        let mut happens = |percent: u32| percent > 0 && random.random_range(0..100) < percent;
        let is_top = column + 1 == width;
        while left >= 3 {
            let fits = match left {
                6.. => !happens(policy.skip),
                5 => happens(policy.five),
                4 => happens(policy.four),
                _ => false,
            };
            if is_top {
                if left <= top {
                    break;
                }
                let bits = left.min(6);
                stage.parities.push(bits);
                left -= bits;
                luts += 1;
                next.add(column);
            } else if fits {
                let bits = left.min(6);
                left -= bits;
                let chain = match waiting[column].pop() {
                    Some(chain) => chain,
                    None => {
                        let carry_in = left > 0;
                        left -= usize::from(carry_in);
                        stage.chains.push(Blocks { carry_in, blocks: Vec::new() });
                        stage.chains.len() - 1
                    }
                };
                stage.chains[chain].blocks.push((column, bits));
                luts += 2;
                next.add(column);
                next.add(column + 1);
                if let Some(chains) = waiting.get_mut(column + 2) {
                    chains.push(chain);
                }
            } else if happens(policy.adder) {
                left -= 3;
                stage.adders.push(column);
                luts += 1;
                next.add(column);
                next.add(column + 1);
            } else {
                break;
            }
        }
        next.0[column] += left + waiting[column].len();
    }
    (stage, luts, next.0)
}

/// Bits after a stage; those above the top column are dropped.
struct Next(Vec<usize>);

impl Next {
    fn add(&mut self, column: usize) {
        if let Some(count) = self.0.get_mut(column) {
            *count += 1;
        }
    }
}
