//! Fronts: of many designs those that are best for some number of block RAMs.

use engines::Resources;

/// What a partial design takes, and how it was come to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    pub(crate) resources: Resources,
    /// LUTs and a share of the flip-flops.
    pub(crate) cost: f64,
    pub(crate) trail: usize,
}

impl Point {
    pub(crate) fn new(resources: Resources, share: f64, trail: usize) -> Self {
        Self { resources, cost: resources.luts + share * resources.ffs, trail }
    }
}

/// Points, of which none is needed that has neither fewer block RAMs than another nor costs less.
#[derive(Debug, Clone, Default)]
pub(crate) struct Front {
    pub(crate) points: Vec<Point>,
}

impl Front {
    /// All points with something more.
    pub(crate) fn plus(&self, more: Resources, share: f64) -> Self {
        let with = |p: &Point| Point::new(p.resources + more, share, p.trail);
        Self { points: self.points.iter().map(with).collect() }
    }

    /// Only the points that are needed, those with few block RAMs first.
    pub(crate) fn pruned(mut self) -> Self {
        self.points.sort_by(|a, b| {
            let brams = a.resources.bram36.total_cmp(&b.resources.bram36);
            brams.then(a.cost.total_cmp(&b.cost)).then(a.trail.cmp(&b.trail))
        });
        let mut least = f64::INFINITY;
        self.points.retain(|p| {
            let needed = p.cost < least;
            least = least.min(p.cost);
            needed
        });
        self
    }
}

/// The choices of all points, each behind the one before it.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// The step before, or itself for the first; and the choice, or the lanes of the input.
    steps: Vec<(usize, usize)>,
}

impl Trail {
    /// A first step.
    pub(crate) fn start(&mut self, lanes: usize) -> usize {
        let at = self.steps.len();
        self.steps.push((at, lanes));
        at
    }

    /// A choice behind a step.
    pub(crate) fn step(&mut self, before: usize, choice: usize) -> usize {
        self.steps.push((before, choice));
        self.steps.len() - 1
    }

    /// The lanes of the input, and all choices up to a step.
    pub(crate) fn path(&self, mut at: usize) -> (usize, Vec<usize>) {
        let mut choices = Vec::new();
        while self.steps[at].0 != at {
            choices.push(self.steps[at].1);
            at = self.steps[at].0;
        }
        choices.reverse();
        (self.steps[at].1, choices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_front_keeps_what_is_best_for_some_number_of_block_rams() {
        let point =
            |bram36, luts| Point::new(Resources { luts, ffs: 100.0, bram36, dsps: 0.0 }, 0.1, 0);
        let points = [(2.0, 5.0), (0.0, 9.0), (0.0, 8.0), (1.0, 8.0), (3.0, 4.0), (3.0, 6.0)];
        let front = Front { points: points.map(|(b, l)| point(b, l)).into() }.pruned();
        let kept: Vec<f64> = front.points.iter().map(|p| p.resources.luts).collect();
        assert_eq!(kept, [8.0, 5.0, 4.0]);
        assert_eq!(front.points[0].cost, 18.0);
    }

    #[test]
    fn trails_lead_back_to_their_start() {
        let mut trail = Trail::default();
        let (a, b) = (trail.start(3), trail.start(7));
        let (c, d) = (trail.step(a, 1), trail.step(b, 2));
        let e = trail.step(c, 5);
        assert_eq!(trail.path(e), (3, vec![1, 5]));
        assert_eq!(trail.path(d), (7, vec![2]));
    }
}
