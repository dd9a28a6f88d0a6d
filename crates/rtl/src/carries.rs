//! Rows of bipolar products, counted by carries ([`compressors::Row`]), with their accumulators.

use crate::context::{Context, Ports};
use crate::control::{Delay, Steps};
use crate::mvu::lane_text;
use dataflow::Mvu;
use engines::mvu::row;
use hdl::{Expr, Module, Value, lit_signed, pack, xor_all};

/// The code of an input word: of each vector, as [`compressors::encode`] has it.
pub(crate) fn parities(m: &mut Module, word: &Expr, unit: &Mvu) -> Expr {
    let word = m.net("x_bits", word.clone());
    let ranges = compressors::parities(unit.simd);
    let bits = (0..unit.vectors).flat_map(|vector| {
        let first = vector * unit.simd;
        let parity = move |range: &std::ops::Range<usize>| {
            xor_all(range.clone().map(|i| word.bit(first + i)))
        };
        ranges.iter().map(parity)
    });
    let bits: Vec<Expr> = bits.collect();
    pack(bits)
}

/// What the weight memory holds for these weights: the code of the complemented weights of each row.
pub(crate) fn stored(weights: &[bool], simd: usize) -> Vec<bool> {
    let complemented: Vec<bool> = weights.iter().map(|weight| !weight).collect();
    complemented.chunks(simd).flat_map(compressors::encode).collect()
}

/// The rows of a unit.
pub(crate) struct Counting<'u> {
    pub(crate) unit: &'u Mvu,
    /// Registers behind a step at which its sum appears.
    pub(crate) sum_at: usize,
    /// The last step of each output word.
    pub(crate) done: &'u Delay,
    /// Where the accumulator of each lane starts.
    pub(crate) starts: Vec<i64>,
}

impl Counting<'_> {
    /// One tree for each lane, of coded inputs and weights. Gives the sums of an output word; they
    /// stand for one cycle, `sum_at` registers behind its last step.
    ///
    /// With several steps an accumulator goes back to its start as the last one comes in, and what it
    /// would have become goes to a register of its own: no table chooses between sum and start.
    pub(crate) fn build(
        self,
        context: &mut Context<'_>,
        m: &mut Module,
        p: &Ports,
        control: &Steps,
        operands: Vec<(Expr, Expr)>,
    ) -> Vec<Expr> {
        let (unit, bits) = (self.unit, self.unit.accumulator_bits as usize);
        let accumulates = unit.synapse_fold() > 1;
        let kind = if accumulates { "row" } else { "sum" };
        let name = context.name(&format!("{kind}_{}x_{bits}", unit.simd));
        let known = context.library.get(&name);
        let primitives = context.primitives;
        let row =
            known.unwrap_or_else(|| row(unit).module(primitives, &mut context.library, &name));
        let lanes = operands.len();
        let sums = accumulates.then(|| m.reg("sums_q", bits * lanes));
        let mut next = Vec::new();
        for (lane, (x, w)) in operands.into_iter().enumerate() {
            m.section(&lane_text(unit, lane));
            let mut instance = m.instance(&format!("u_row_{lane}"), &row);
            instance = instance.connect("clk", p.clk).connect("x", x).connect("w", w);
            if let Some(sums) = sums {
                instance = instance.connect("late", sums.lane(lane, bits));
            }
            next.push(instance.place().output("next"));
        }
        m.section("Sums");
        if let Some(sums) = sums {
            let before = self.sum_at - 1;
            let taken = Delay::new(m, p, "taken", control.step.expr(), before, true).at(before);
            // From 2^(bits - 1) further up, the top bit is not the sign but its inverse: the level.
            let level = if unit.from_threshold { 1 << (bits - 1) } else { 0 };
            let start = (0..lanes).map(|lane| self.starts[lane % unit.pe] + level);
            let start = pack(start.map(|start| lit_signed(bits + 1, start).slice(0, bits)));
            let restart = m.net("restart", self.done.at(before) | p.rst);
            let all = pack(next.iter().copied());
            m.register_reset_enabled(p.clk, restart, sums, start, taken, all);
        }
        let last: Vec<Expr> = match unit.from_threshold {
            true => next.iter().map(|next| next.top_bit()).collect(),
            false => next.iter().map(|next| next.expr()).collect(),
        };
        let width = last[0].width();
        let last_q = m.reg("last_q", width * lanes);
        m.register(p.clk, last_q, pack(last));
        last_q.lanes(width)
    }
}
