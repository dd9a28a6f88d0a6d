//! Stand-alone threshold unit.

use crate::bisect::{Bisection, bisect};
use crate::context::{Context, Ports};
use crate::control::{Delay, Shape, finish, place, steps};
use crate::mvu::level_value;
use dataflow::Threshold;
use hdl::{Expr, Module, ModuleRef, Value, low, pack, zeros};
use streamline::LayerOp;

/// Builds the unit of engine `index`.
pub(crate) fn threshold(context: &mut Context<'_>, index: usize, unit: &Threshold) -> ModuleRef {
    let (input, output) = context.ends(index);
    let LayerOp::Threshold(layer) = &context.layer(index).op else {
        unreachable!("a threshold unit computes a threshold layer")
    };
    let engine = context.engine(index).name.clone();
    let mut m = Module::new(&context.name(&engine));
    let what = format!("Threshold unit: {} thresholds for each element.", unit.thresholds);
    context.describe(&mut m, index, &what);
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let shape = Shape { words: 1, passes: 1, buffer: 0, credits: unit.credits };
    let control = steps(&mut m, &p, shape);
    let result_at = engines::threshold::latency(unit) as usize - 1;

    let words = input.words_per_pixel();
    let counted = !unit.shared && words > 1 || !input.pixel.is_multiple_of(input.lanes);
    let word: Expr = if counted && words > 1 {
        m.section("Word of the pixel");
        place(&mut m, &p, "pixel_word_q", words, control.step.expr())
    } else {
        low()
    };
    m.section("Input word");
    let x_q = m.reg("x_q", input.bits());
    m.register(p.clk, x_q, control.word.clone());
    let element_bits = input.element.bits() as usize;
    // One value above the largest must exist, for thresholds that are never reached.
    let bits = element_bits + 2;
    let values: Vec<Expr> = x_q
        .lanes(element_bits)
        .into_iter()
        .map(|x| if input.element.is_signed() { x.sign_extend(bits) } else { x.zero_extend(bits) })
        .collect();
    let rows = layer.values.nrows();
    let elements = input.pixel;
    // A bipolar input is compared by its code: -1 and +1 are 0 and 1.
    let code = |t: i64| {
        let bipolar = input.element == tensor::ElementType::Bipolar;
        if bipolar { (t + 1).div_euclid(2) + (t + 1).rem_euclid(2) } else { t }
    };
    let thresholds = |set: usize, lane: usize| -> Vec<i64> {
        let row = if unit.shared { 0 } else { set * input.lanes + lane };
        let row = if row < elements { row % rows } else { rows };
        let limit = (1i64 << (bits - 1)) - 1;
        let known = (row < rows).then(|| layer.values.row(row));
        known.map_or_else(Vec::new, |r| r.iter().map(|&t| code(t).clamp(-limit, limit)).collect())
    };
    let bisection = Bisection {
        name: engine,
        tag: String::new(),
        bits,
        thresholds: &thresholds,
        count: unit.thresholds,
        sets: if unit.shared { 1 } else { words },
        lanes: input.lanes,
        shared: unit.shared,
        memory: unit.memory,
    };
    let levels = bisect(context, &mut m, &p, &bisection, &word, &values);
    let mut results: Vec<Expr> =
        levels.into_iter().map(|l| level_value(l, layer, output.element)).collect();
    if !input.pixel.is_multiple_of(input.lanes) {
        m.section("Lanes of the last word that stand for no element");
        let last = if words > 1 { word.is(words as u64 - 1) } else { hdl::high() };
        let last = Delay::new(&mut m, &p, "last_word", last, result_at, false).at(result_at);
        let real = input.pixel - (words - 1) * input.lanes;
        for value in results.iter_mut().skip(real) {
            *value = hdl::mux(&last, zeros(value.width()), value.clone());
        }
    }
    m.section("Pipeline control");
    let done = Delay::new(&mut m, &p, "done", control.step.expr(), result_at, true);
    finish(context, &mut m, &p, &control, done.at(result_at), pack(results));
    context.library.define(m)
}
