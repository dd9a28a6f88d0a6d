//! Fixed-point scale and shift for each channel.

use crate::context::{Context, Ports, bits_of};
use crate::control::{Delay, Shape, finish, place, steps};
use dataflow::ChannelAffine;
use hdl::{Expr, Module, ModuleRef, RomStyle, Value, pack};
use streamline::LayerOp;

/// Builds the unit of engine `index`.
pub(crate) fn affine(context: &mut Context<'_>, index: usize, unit: &ChannelAffine) -> ModuleRef {
    let (input, output) = context.ends(index);
    let LayerOp::ChannelAffine(layer) = &context.layer(index).op else {
        unreachable!("a channel unit computes a channel layer")
    };
    let engine = context.engine(index).name.clone();
    let mut m = Module::new(&context.name(&engine));
    let what = format!("Fixed point: multiplier * x + addend, in units of 2^-{}.", layer.frac);
    context.describe(&mut m, index, &what);
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let shape = Shape { words: 1, passes: 1, buffer: 0, credits: unit.credits };
    let control = steps(&mut m, &p, shape);

    let words = input.words_per_frame();
    let lanes = input.lanes;
    let [x_bits, m_bits, a_bits, y_bits] =
        [input.element, unit.multiplier, unit.addend, output.element].map(|t| t.bits() as usize);
    m.section("Constants of the word");
    let word = place(&mut m, &p, "frame_word_q", words, control.step.expr());
    let mut constants = |kind: &str, values: &[i64], bits: usize| {
        let word = |w: usize| -> Vec<bool> {
            let value = |lane: usize| values.get(w * lanes + lane).copied().unwrap_or(0);
            (0..lanes).flat_map(|lane| bits_of(value(lane), bits)).collect()
        };
        context.memory(&format!("{engine}_{kind}"), (0..words).map(word))
    };
    let multiplier_file = constants("multipliers", &layer.multipliers, m_bits);
    let addend_file = constants("addends", &layer.addends, a_bits);
    let rom = m.rom("multipliers", m_bits * lanes, words, &multiplier_file, RomStyle::Logic);
    let multipliers = m.read_every_cycle("multiplier_q", rom, p.clk, word.clone());
    let rom = m.rom("addends", a_bits * lanes, words, &addend_file, RomStyle::Logic);
    let addends = m.read_every_cycle("addend_q", rom, p.clk, word);
    let addends = Delay::new(&mut m, &p, "addend_q", addends.expr(), 1, false).at(1);

    m.section("Product, then sum");
    let x_q = m.reg("x_q", input.bits());
    m.register(p.clk, x_q, control.word.clone());
    // Sums that are never negative come without a sign.
    let signed_bits = x_bits + usize::from(!input.element.is_signed());
    let product_bits = signed_bits + m_bits;
    let product = |l| {
        let x = x_q.lane(l, x_bits);
        let x = if input.element.is_signed() { x } else { x.zero_extend(signed_bits) };
        x.mul_signed(multipliers.lane(l, m_bits))
    };
    let products: Vec<Expr> = (0..lanes).map(product).collect();
    let product_q = m.reg("product_q", product_bits * lanes);
    m.register(p.clk, product_q, pack(products));
    let sums: Vec<Expr> = (0..lanes)
        .map(|l| {
            let wide = y_bits.max(product_bits).max(a_bits);
            let sum = product_q.lane(l, product_bits).sign_extend(wide)
                + addends.lane(l, a_bits).sign_extend(wide);
            sum.slice(0, y_bits)
        })
        .collect();
    let y_q = m.reg("y_q", y_bits * lanes);
    m.register(p.clk, y_q, pack(sums));
    let result_at = engines::affine::LATENCY as usize - 1;
    let done = Delay::new(&mut m, &p, "done", control.step.expr(), result_at, true);
    finish(context, &mut m, &p, &control, done.at(result_at), y_q.expr());
    context.library.define(m)
}
