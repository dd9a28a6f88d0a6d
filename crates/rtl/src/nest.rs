//! Nested counters, and values that follow them by constant steps.

use crate::context::Ports;
use crate::control::{counter, outer_counter};
use hdl::{Expr, Module, Signal, Value, address_bits, high, lit, lit_signed, low, mux, zeros};
use std::ops::Range;

/// A nest of loops, innermost first, without the endless outermost one.
pub(crate) struct Nest {
    counts: Vec<usize>,
    /// The rounds of each loop that has more than one.
    rounds: Vec<Option<Expr>>,
    /// Whether each loop is in its last round.
    at_end: Vec<Expr>,
    step: Signal,
}

impl Nest {
    /// Counters for loops of `counts` rounds with names for their registers, advanced by `step`.
    pub(crate) fn new(m: &mut Module, p: &Ports, loops: &[(&str, usize)], step: Signal) -> Self {
        let mut advance = step.expr();
        let (mut rounds, mut at_end) = (Vec::new(), Vec::new());
        let outer = loops.iter().rposition(|&(_, count)| count > 1);
        for (level, &(name, count)) in loops.iter().enumerate() {
            let counter = if Some(level) == outer { outer_counter } else { counter };
            let (q, end) = counter(m, p, &format!("{name}_q"), count, advance.clone());
            if count > 1 {
                advance = advance & end.clone();
            }
            rounds.push((count > 1).then_some(q));
            at_end.push(end);
        }
        let counts = loops.iter().map(|&(_, count)| count).collect();
        Self { counts, rounds, at_end, step }
    }

    /// The present round of a loop, if it has more than one.
    pub(crate) fn round(&self, level: usize) -> Option<Expr> {
        self.rounds[level].clone()
    }

    /// Whether a loop is in its last round.
    pub(crate) fn at_end(&self, level: usize) -> Expr {
        self.at_end[level].clone()
    }

    /// Whether the loops up to, not including, `level` are all in their last round.
    pub(crate) fn ends(&self, level: usize) -> Expr {
        let inner = self.counts.iter().zip(&self.at_end).take(level);
        hdl::and_all(
            inner.filter(|(count, _)| **count > 1).map(|(_, end)| end.clone()).chain([high()]),
        )
    }

    /// A register that says whether the round of a loop lies in a range.
    pub(crate) fn lies_in(
        &self,
        m: &mut Module,
        p: &Ports,
        name: &str,
        level: usize,
        range: &Range<usize>,
    ) -> Expr {
        let (count, round) = match self.between(level, range) {
            Ok(always) => return always,
            Err(round) => (self.counts[level], round),
        };
        let at_start = bit(range.contains(&0));
        // What holds of the next round, seen from this one.
        let next = within(&round, count - 1, range.start.saturating_sub(1)..range.end - 1);
        let q = m.reg(name, 1);
        let goes = self.step & self.ends(level);
        let next = mux(self.at_end(level), at_start.clone(), next);
        m.register_reset_enabled(p.clk, p.rst, q, at_start, goes, next);
        q.expr()
    }

    /// The same without a register of its own.
    pub(crate) fn lies_in_now(&self, level: usize, range: &Range<usize>) -> Expr {
        match self.between(level, range) {
            Ok(always) => always,
            Err(round) => within(&round, self.counts[level], range.clone()),
        }
    }

    /// Whether the round of a loop lies in a range, if it always or never does; else the round.
    fn between(&self, level: usize, range: &Range<usize>) -> Result<Expr, Expr> {
        let count = self.counts[level];
        let never = range.is_empty() || range.start >= count;
        let always = range.start == 0 && range.end >= count;
        match self.round(level) {
            Some(round) if !never && !always => Err(round),
            _ => Ok(bit(range.contains(&0))),
        }
    }

    /// What is added when each loop goes round, so that a value is the sum of `strides` times
    /// rounds; the last entry is that of the endless loop.
    pub(crate) fn steps(&self, strides: &[i64]) -> Vec<i64> {
        let mut wound = 0;
        let mut steps = Vec::new();
        for (i, &stride) in strides.iter().enumerate() {
            steps.push(stride - wound);
            wound += self.counts.get(i).map_or(0, |&count| (count as i64 - 1) * stride);
        }
        steps
    }

    /// The entry of the loop that goes round in this step.
    pub(crate) fn choose(&self, entries: &[Expr]) -> Expr {
        let mut chosen = entries.last().expect("there is the endless loop").clone();
        for level in (0..self.counts.len()).rev() {
            if self.counts[level] > 1 {
                chosen = mux(!self.at_end[level].clone(), entries[level].clone(), chosen);
            }
        }
        chosen
    }

    /// A signed register that follows the loops: `start` plus `strides` times rounds.
    pub(crate) fn follow(
        &self,
        m: &mut Module,
        p: &Ports,
        name: &str,
        start: i64,
        strides: &[i64],
        width: usize,
    ) -> Signal {
        let steps = self.steps(strides);
        let q = m.reg(name, width);
        if steps.iter().enumerate().all(|(i, &s)| s == 0 || self.counts.get(i) == Some(&1)) {
            m.register(p.clk, q, lit_signed(width, start));
            return q;
        }
        let entries: Vec<Expr> = steps.iter().map(|&s| wrapped(width, s)).collect();
        let after = q + self.choose(&entries);
        m.register_reset_enabled(p.clk, p.rst, q, lit_signed(width, start), self.step, after);
        q
    }

    /// A register that follows the loops modulo `size`.
    pub(crate) fn follow_ring(
        &self,
        m: &mut Module,
        p: &Ports,
        name: &str,
        start: i64,
        strides: &[i64],
        size: usize,
    ) -> Expr {
        if size == 1 {
            return zeros(1);
        }
        let width = address_bits(size);
        let around = |s: i64| s.rem_euclid(size as i64) as u64;
        let entries: Vec<Expr> =
            self.steps(strides).iter().map(|&s| lit(width, around(s))).collect();
        let q = m.reg(name, width);
        let sum = q.add_wide(self.choose(&entries), width + 1);
        let after = if size == 1 << width {
            sum.slice(0, width)
        } else {
            let sum = m.net(&format!("{name}_sum"), sum);
            let over = sum.at_least(lit(width + 1, size as u64));
            let less = sum - lit(width + 1, size as u64);
            mux(over, less.slice(0, width), sum.slice(0, width))
        };
        m.register_reset_enabled(p.clk, p.rst, q, lit(width, around(start)), self.step, after);
        q.expr()
    }
}

fn bit(value: bool) -> Expr {
    if value { high() } else { low() }
}

/// Whether a round, among `count`, lies in a range.
fn within(round: &Expr, count: usize, range: Range<usize>) -> Expr {
    let width = round.width();
    let from = (range.start > 0).then(|| round.at_least(lit(width, range.start as u64)));
    let to = (range.end < count).then(|| round.less_than(lit(width, range.end as u64)));
    hdl::and_all(from.into_iter().chain(to).chain([high()]))
}

/// The low `width` bits of a number: enough where sums are taken modulo 2^width.
pub(crate) fn wrapped(width: usize, value: i64) -> Expr {
    lit(width, value as u64 & (u64::MAX >> (64 - width)))
}
