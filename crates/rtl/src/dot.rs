//! One row of a matrix-vector unit: its dot product.

use crate::adders::adders;
use crate::context::Context;
use crate::popcount::popcount;
use dataflow::{Dot, Mvu};
use engines::mvu::{Group, groups, planes, significance, uses_xnor};
use hdl::{Expr, Module, ModuleRef, Value, lit, pack, zeros};
use tensor::ElementType;

/// Ports `clk x w sum`; `sum` has `bits` bits and is right modulo 2^bits. Elements of `x` are as in
/// the input stream, or thermometers.
pub(crate) fn dot(
    context: &mut Context<'_>,
    unit: &Mvu,
    input: ElementType,
    bits: usize,
) -> ModuleRef {
    let short = |t: ElementType| t.to_string().replace(['<', '>'], "");
    let (simd, weight) = (unit.simd, unit.weight);
    let operands = format!("{simd}x_{}_{}_{bits}", short(input), short(weight));
    let stem = match unit.dot {
        Dot::Planes => format!("dot_{operands}"),
        Dot::Add => format!("add_{operands}"),
        Dot::Carries | Dot::Wired => unreachable!("it has a module of its own"),
        Dot::Thermometer => format!("levels_{}_{}_{operands}", -unit.levels.0, unit.levels.1),
    };
    let name = context.name(&stem);
    if let Some(known) = context.library.get(&name) {
        return known;
    }
    let mut m = Module::new(&name);
    m.comment(&format!("Dot product of {simd} {input} inputs with {weight} weights."));
    m.comment("Weighted count of ones over pairs of bits; see the encoding of weights in docs/.");
    match unit.dot {
        Dot::Planes | Dot::Thermometer => {
            let groups = groups(unit.dot, input, unit.levels);
            counts(context, &mut m, simd, &groups, weight, bits);
        }
        Dot::Carries | Dot::Wired => unreachable!("it has a module of its own"),
        Dot::Add => adders(&mut m, simd, input, weight, bits),
    }
    context.library.define(m)
}

/// A popcount for each weight plane and group of input bits, and their weighted sum.
fn counts(
    context: &mut Context<'_>,
    m: &mut Module,
    simd: usize,
    groups: &[Group],
    weight: ElementType,
    bits: usize,
) {
    let element: usize = groups.iter().map(|g| g.bits).sum();
    let widest = groups.iter().map(|g| g.bits).max().expect("an element has bits");
    // One counter for all groups, so that all counts come at once.
    let counter = popcount(context, simd * widest);
    let clk = m.input("clk", 1);
    let x = m.input("x", simd * element);
    let w = m.input("w", simd * planes(weight));
    let sum = m.output("sum", bits);
    let mut terms = Vec::new();
    for (a, sa) in significance(weight).into_iter().enumerate() {
        let w_plane = (0..simd).map(|i| w.bit(i * planes(weight) + a));
        let w_plane = m.net(&format!("w_plane_{a}"), pack(w_plane));
        let mut first = 0;
        for (b, group) in groups.iter().enumerate() {
            m.section(&format!("Weight bit {a}, input bits from {first}"));
            let x_bits = pack((0..simd).map(|i| x.slice(i * element + first, group.bits)));
            let w_bits = pack((0..simd).map(|i| w_plane.bit(i).replicate(group.bits)));
            let joined = if uses_xnor(weight) { !(w_bits ^ x_bits) } else { w_bits & x_bits };
            let built = m
                .instance(&format!("u_count_{a}_{b}"), &counter)
                .connect("clk", clk)
                .connect("bits", joined.zero_extend(simd * widest))
                .place();
            first += group.bits;
            let sb = group.significance;
            let count = built.output("count");
            let shift = (sa * sb).unsigned_abs().trailing_zeros() as usize;
            let extended = if count.width() > bits {
                m.sink_unused([count.slice(bits, count.width() - bits)]);
                count.slice(0, bits)
            } else {
                count.zero_extend(bits)
            };
            let shifted = if shift == 0 {
                extended
            } else if shift >= bits {
                m.sink_unused([count]);
                zeros(bits)
            } else {
                if count.width() + shift > bits {
                    m.sink_unused([count.slice(bits - shift, count.width() + shift - bits)]);
                }
                pack([zeros(shift), extended.slice(0, bits - shift)])
            };
            let signed = if sa * sb < 0 { lit(bits, 0) - shifted } else { shifted };
            terms.push(m.net(&format!("term_{a}_{b}"), signed).expr());
        }
    }
    let mut level = 1;
    while terms.len() > 1 {
        m.section(&format!("Sum of planes, level {level}"));
        let pairs: Vec<Expr> = terms
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => a.clone() + b.clone(),
                [single] => single.clone(),
                _ => unreachable!("chunks of two"),
            })
            .collect();
        let packed = pack(pairs);
        let q = m.reg(&format!("planes_{level}_q"), packed.width());
        m.register(clk, q, packed);
        terms = q.lanes(bits);
        level += 1;
    }
    m.assign(sum, terms.remove(0));
}
