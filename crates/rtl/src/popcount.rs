//! Pipelined popcount: groups of six in full adders, then a tree of pairs, a register each level.
//!
//! The full adders of all groups are written as operations on whole vectors (bit slices): synthesis
//! sees the same tables, and simulators compute 64 groups at a time.

use crate::context::Context;
use engines::mvu::popcount_latency;
use hdl::{Expr, Module, ModuleRef, Value, bits_for, concat, pack, zeros};

/// A popcount of `inputs` bits: ports `clk bits count`.
pub(crate) fn popcount(context: &mut Context<'_>, inputs: usize) -> ModuleRef {
    let name = context.name(&format!("popcount_{inputs}"));
    if let Some(known) = context.library.get(&name) {
        return known;
    }
    let mut m = Module::new(&name);
    let registers = popcount_latency(inputs);
    m.comment(&format!("Number of ones among {inputs} bits, {registers} registers deep."));
    let clk = m.input("clk", 1);
    let bits = m.input("bits", inputs);
    let count = m.output("count", bits_for(inputs));
    let groups = inputs.div_ceil(6);
    m.section("Six bits to a count of three bits, all groups at once");
    let slice = |index: usize| -> Expr {
        let from = index * groups;
        let width = inputs.saturating_sub(from).min(groups);
        if width == 0 { zeros(groups) } else { bits.slice(from, width).zero_extend(groups) }
    };
    let [a, b, c, d, e, f] = [0, 1, 2, 3, 4, 5].map(|i| m.net(&format!("slice_{i}"), slice(i)));
    let majority = |x: hdl::Signal, y: hdl::Signal, z: hdl::Signal| (x & y) | (z & (x | y));
    let sum_0 = m.net("sum_0", a ^ b ^ c);
    let carry_0 = m.net("carry_0", majority(a, b, c));
    let sum_1 = m.net("sum_1", d ^ e ^ f);
    let carry_1 = m.net("carry_1", majority(d, e, f));
    let carry_2 = m.net("carry_2", sum_0 & sum_1);
    let ones_q = m.reg("ones_q", groups);
    let twos_q = m.reg("twos_q", groups);
    let fours_q = m.reg("fours_q", groups);
    m.clocked(clk, |block| {
        block.set(ones_q, sum_0 ^ sum_1);
        block.set(twos_q, carry_0 ^ carry_1 ^ carry_2);
        block.set(fours_q, majority(carry_0, carry_1, carry_2));
    });
    let mut counts: Vec<Expr> =
        (0..groups).map(|g| concat([fours_q.bit(g), twos_q.bit(g), ones_q.bit(g)])).collect();
    let mut level = 1;
    while counts.len() > 1 {
        m.section(&format!("Level {level}: pairs"));
        let width = counts[0].width() + 1;
        let pairs = counts.chunks(2).map(|pair| match pair {
            [x, y] => x.add_wide(y.clone(), width),
            [single] => single.zero_extend(width),
            _ => unreachable!("chunks of two"),
        });
        let packed = pack(pairs.collect::<Vec<_>>());
        let q = m.reg(&format!("level_{level}_q"), packed.width());
        m.register(clk, q, packed);
        counts = q.lanes(width);
        level += 1;
    }
    let total = counts.remove(0);
    let wanted = count.width();
    if total.width() > wanted {
        m.sink_unused([total.slice(wanted, total.width() - wanted)]);
        m.assign(count, total.slice(0, wanted));
    } else {
        m.assign(count, total.zero_extend(wanted));
    }
    context.library.define(m)
}
