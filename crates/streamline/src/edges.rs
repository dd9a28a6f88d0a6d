//! Knife edges: decisions that float32 and float64 take differently, or nearly so.

use crate::decide::Occurring;
use crate::lower::Decide;
use crate::network::{KnifeEdge, SMALL_MARGIN, Thresholds};
use crate::segment::Segment;

/// Where to look: one row of thresholds.
pub(crate) struct Edges<'s> {
    pub(crate) segment: &'s Segment,
    /// The channel.
    pub(crate) row: usize,
    /// The row among all thresholds.
    pub(crate) place: usize,
    /// -1 where the integers that are compared are negated.
    pub(crate) sign: i64,
    pub(crate) occurring: Occurring,
    pub(crate) layer: &'s str,
}

impl Edges<'_> {
    /// Compares the thresholds that decide with those of the other float format, and looks at the
    /// margins on both sides of each threshold.
    pub(crate) fn find(
        &self,
        decided: &Thresholds,
        other: &Thresholds,
        decide: Decide,
    ) -> Vec<KnifeEdge> {
        let mut edges = Vec::new();
        let (low, high) = {
            let (a, b) = (self.sign * self.occurring.low, self.sign * self.occurring.high);
            (a.min(b), a.max(b))
        };
        let step = self.occurring.step;
        let comparable = other.values.dim() == decided.values.dim();
        for (i, &a) in decided.values.row(self.place).iter().enumerate() {
            let b = if comparable { other.values[[self.place, i]] } else { a };
            let value = |reached: bool| decided.value(i as i64 + i64::from(reached));
            if a != b {
                let mut outputs = (value(a < b), value(a > b));
                if decide == Decide::Float32 {
                    outputs = (outputs.1, outputs.0);
                }
                edges.push(self.edge(a.min(b), a.max(b) - step, outputs));
                continue;
            }
            for (n, reached) in [(a - step, false), (a, true)] {
                let occurs = a > low && (low..=high).contains(&n);
                let edge = self.edge(n, n, (value(reached), value(reached)));
                if occurs && edge.margin < SMALL_MARGIN && !edges.contains(&edge) {
                    edges.push(edge);
                }
            }
        }
        edges
    }

    fn edge(&self, first: i64, last: i64, outputs: (i64, i64)) -> KnifeEdge {
        let (x, y) = (self.sign * first, self.sign * last);
        let margin = [x, y].map(|n| self.segment.margin(self.row, n));
        KnifeEdge {
            layer: self.layer.to_string(),
            channel: self.row,
            accumulators: (x.min(y), x.max(y)),
            outputs,
            margin: margin[0].min(margin[1]),
        }
    }
}
