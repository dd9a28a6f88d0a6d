//! One row of a matrix-vector unit: bit planes joined, counted, weighted and added.

use crate::context::Context;
use crate::popcount::popcount;
use engines::mvu::{planes, significance, uses_xnor};
use hdl::{Expr, Module, ModuleRef, Value, lit, pack, zeros};
use tensor::ElementType;

/// Ports `clk x w sum`; `sum` has `bits` bits and is right modulo 2^bits.
pub(crate) fn dot(
    context: &mut Context<'_>,
    simd: usize,
    input: ElementType,
    weight: ElementType,
    bits: usize,
) -> ModuleRef {
    let short = |t: ElementType| t.to_string().replace(['<', '>'], "");
    let stem = format!("dot_{simd}x_{}_{}_{bits}", short(input), short(weight));
    let name = context.name(&stem);
    if let Some(known) = context.library.get(&name) {
        return known;
    }
    let counter = popcount(context, simd);
    let mut m = Module::new(&name);
    m.comment(&format!("Dot product of {simd} {input} inputs with {weight} weights."));
    m.comment("Counts ones over pairs of bit planes; see the encoding of weights in docs/.");
    let clk = m.input("clk", 1);
    let x = m.input("x", simd * planes(input));
    let w = m.input("w", simd * planes(weight));
    let sum = m.output("sum", bits);
    // Bit `bit` of every element.
    let plane = |word: hdl::Signal, element: ElementType, bit: usize| -> Expr {
        let step = planes(element);
        if step == 1 {
            return word.expr();
        }
        pack((0..simd).map(|i| word.bit(i * step + bit)))
    };
    let mut terms = Vec::new();
    for (a, sa) in significance(weight).into_iter().enumerate() {
        let w_plane = m.net(&format!("w_plane_{a}"), plane(w, weight, a));
        for (b, sb) in significance(input).into_iter().enumerate() {
            m.section(&format!("Weight bit {a}, input bit {b}"));
            let x_plane = plane(x, input, b);
            let joined = if uses_xnor(weight) { !(w_plane ^ x_plane) } else { w_plane & x_plane };
            let built = m
                .instance(&format!("u_count_{a}_{b}"), &counter)
                .connect("clk", clk)
                .connect("bits", joined)
                .place();
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
    context.library.define(m)
}
