//! How many stages each level of the trees has, and what they are made of.

use std::collections::BTreeMap;

use super::ending::{Ending, MOST_STAGES};
use super::plan::Plan;
use super::{Neuron, Output};
use crate::schedule::{COST_STAGE, Search};

/// What a stage forms of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The fewest bits of a block "6".
    pub(super) least: usize,
    /// Whether what is left goes into full adders.
    pub(super) adders: bool,
}

const SIX: Rule = Rule { least: 6, adders: false };
const SIX_AND_ADDERS: Rule = Rule { least: 6, adders: true };
const FIVE_AND_ADDERS: Rule = Rule { least: 5, adders: true };

/// What a level may do.
const CHOICES: [&[Rule]; 11] = [
    &[],
    &[SIX_AND_ADDERS],
    &[FIVE_AND_ADDERS],
    &[SIX, SIX_AND_ADDERS],
    &[SIX, FIVE_AND_ADDERS],
    &[SIX, SIX, SIX_AND_ADDERS],
    &[SIX, SIX, FIVE_AND_ADDERS],
    &[SIX, FIVE_AND_ADDERS, FIVE_AND_ADDERS],
    &[SIX, SIX, SIX, FIVE_AND_ADDERS],
    &[SIX, SIX, FIVE_AND_ADDERS, FIVE_AND_ADDERS],
    &[SIX, SIX, SIX, SIX, FIVE_AND_ADDERS],
];

/// Sizes of the groups and of the nodes below them, down to pairs.
const SIZES: [&[usize]; 5] = [&[8, 4, 2], &[5, 2], &[4, 2], &[2], &[1]];

/// Groups that a recipe is tried on.
const TRIED_GROUPS: usize = 6;

/// The choices for all levels above single neurons.
#[derive(Clone, Debug)]
pub(super) struct Recipe {
    pub(super) sizes: &'static [usize],
    choices: Vec<usize>,
}

impl Recipe {
    /// The size of the nodes and the stages of each level.
    pub(super) fn levels(&self) -> impl Iterator<Item = (usize, &'static [Rule])> {
        self.sizes.iter().zip(&self.choices).map(|(size, choice)| (*size, CHOICES[*choice]))
    }

    /// The cheapest recipe found for neurons in this order: for each sizes, level by level, what is
    /// cheapest while the other levels stay as they are.
    pub(super) fn find(neurons: &[&Neuron], output: Output) -> Self {
        let mut memo = Memo { output, known: BTreeMap::new() };
        let found = SIZES.iter().map(|sizes| {
            let mut best = Self { sizes, choices: vec![4; sizes.len()] };
            let mut least = best.cost(neurons, &mut memo);
            loop {
                let before = least;
                for level in (0..sizes.len()).rev() {
                    for choice in 0..CHOICES.len() {
                        let mut other = best.clone();
                        other.choices[level] = choice;
                        let cost = other.cost(neurons, &mut memo);
                        if cost < least {
                            (best, least) = (other, cost);
                        }
                    }
                }
                if least == before {
                    return (least, best);
                }
            }
        });
        let found = found.min_by_key(|(cost, _)| *cost);
        found.expect("there are sizes to choose from").1
    }

    /// The cost of some groups, for each neuron in them.
    fn cost(&self, neurons: &[&Neuron], memo: &mut Memo) -> u64 {
        let groups = groups(neurons.len(), self.sizes[0]);
        let step = groups.len().div_ceil(TRIED_GROUPS).max(1);
        let (mut total, mut ends, mut tried) = (0, vec![0; MOST_STAGES], 0);
        for group in groups.into_iter().step_by(step) {
            let members = &neurons[group];
            tried += members.len() as u64;
            let plan = Plan::new(members, self);
            total += plan.cost + plan.stages.len() as u64 * COST_STAGE;
            for (neuron, parts) in members.iter().zip(&plan.heaps) {
                let costs = memo.costs(&Ending::new(&plan, parts, neuron, memo.output));
                ends.iter_mut().zip(costs).for_each(|(all, more)| *all += more);
            }
        }
        let end = ends.into_iter().min().unwrap_or(0);
        1000 * (total + end) / tried.max(1)
    }
}

/// Consecutive neurons, at most `size` in each group, about the same number in all.
pub(super) fn groups(neurons: usize, size: usize) -> Vec<std::ops::Range<usize>> {
    let count = neurons.div_ceil(size);
    (0..count).map(|g| g * neurons / count..(g + 1) * neurons / count).collect()
}

/// Costs of endings that are known from recipes before.
struct Memo {
    output: Output,
    known: BTreeMap<Vec<usize>, Vec<u64>>,
}

impl Memo {
    fn costs(&mut self, ending: &Ending) -> &[u64] {
        let quick = Search { runs: 4, seed: 0 };
        self.known.entry(ending.counts()).or_insert_with(|| ending.costs(&ending.schedules(&quick)))
    }
}
