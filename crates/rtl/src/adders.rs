//! A dot product by adding whole elements.
//!
//! Joined with one bit of a weight, an element is itself, or inverted (XNOR), or zero (AND). These
//! terms, shifted by the significance of the weight's bit, are added by pairs, a register each level.
//! Every sum is as wide as its range needs.

use engines::mvu::{planes, significance, uses_xnor};
use hdl::{Expr, Module, Signal, Value, lit, pack, zeros};
use tensor::ElementType;

/// A summand with the range of its values.
struct Term {
    /// Two's complement where the range has negative numbers.
    value: Expr,
    low: i64,
    high: i64,
    /// It is to be subtracted.
    minus: bool,
}

/// The ports `clk x w sum` of a module, and what is between them.
pub(crate) fn adders(
    m: &mut Module,
    simd: usize,
    input: ElementType,
    weight: ElementType,
    bits: usize,
) {
    let clk = m.input("clk", 1);
    let x = m.input("x", simd * planes(input));
    let w = m.input("w", simd * planes(weight));
    let sum = m.output("sum", bits);
    let mut terms: Vec<Term> =
        (0..simd).flat_map(|lane| products(x, w, lane, input, weight)).collect();
    let mut level = 0;
    while level == 0 || terms.len() > 1 {
        m.section(&format!("Level {level}: pairs"));
        terms = registered(m, clk, level, terms, bits);
        level += 1;
    }
    let total = terms.remove(0);
    m.assign(sum, total.extended(bits));
}

/// An element joined with each bit of its weight.
fn products(
    x: Signal,
    w: Signal,
    lane: usize,
    input: ElementType,
    weight: ElementType,
) -> Vec<Term> {
    let element = x.lane(lane, planes(input));
    let term = |(bit, significance): (usize, i64)| {
        let w_bit = w.bit(lane * planes(weight) + bit).replicate(planes(input));
        let joined = if uses_xnor(weight) { !(w_bit ^ &element) } else { w_bit & &element };
        let shift = significance.unsigned_abs().trailing_zeros() as usize;
        let value = if shift == 0 { joined } else { pack([zeros(shift), joined]) };
        let (low, high) = (input.min() << shift, input.max() << shift);
        Term { value, low, high, minus: significance < 0 }
    };
    significance(weight).into_iter().enumerate().map(term).collect()
}

/// The sums of pairs in registers.
fn registered(
    m: &mut Module,
    clk: Signal,
    level: usize,
    terms: Vec<Term>,
    bits: usize,
) -> Vec<Term> {
    let mut rest = terms.into_iter();
    let mut sums = Vec::new();
    while let Some(first) = rest.next() {
        sums.push(match rest.next() {
            Some(second) => first.plus(second, bits),
            None => first.plain(bits),
        });
    }
    let widths: Vec<usize> = sums.iter().map(|s| s.value.width()).collect();
    let q = m.reg(&format!("sums_{level}_q"), widths.iter().sum());
    m.register(clk, q, pack(sums.iter().map(|s| s.value.clone()).collect::<Vec<_>>()));
    let mut from = 0;
    for (sum, width) in sums.iter_mut().zip(widths) {
        sum.value = q.slice(from, width);
        from += width;
    }
    sums
}

impl Term {
    /// In `width` bits.
    fn extended(&self, width: usize) -> Expr {
        if self.low < 0 { self.value.resize_signed(width) } else { self.value.resize(width) }
    }

    /// What it adds to a sum, at least and at most.
    fn range(&self) -> (i64, i64) {
        if self.minus { (-self.high, -self.low) } else { (self.low, self.high) }
    }

    /// The sum with another term; no wider than `bits`.
    fn plus(self, other: Self, bits: usize) -> Self {
        let ((a, b), (c, d)) = (self.range(), other.range());
        let (low, high) = (a + c, b + d);
        let width = width(low, high, bits);
        let (x, y) = (self.extended(width), other.extended(width));
        let value = match (self.minus, other.minus) {
            (false, false) => x + y,
            (false, true) => x - y,
            (true, false) => y - x,
            (true, true) => lit(width, 0) - x - y,
        };
        Self { value, low, high, minus: false }
    }

    /// The same without a sign of its own; no wider than `bits`.
    fn plain(self, bits: usize) -> Self {
        let (low, high) = self.range();
        let width = width(low, high, bits);
        let x = self.extended(width);
        Self { value: if self.minus { lit(width, 0) - x } else { x }, low, high, minus: false }
    }
}

/// Bits for a range; sums are only needed modulo 2^most.
fn width(low: i64, high: i64, most: usize) -> usize {
    (ElementType::smallest(low, high).bits() as usize).min(most)
}
