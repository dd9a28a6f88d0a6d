//! Pool: the maximum (or minimum) of the taps of a word, then the running one of each lane.

use crate::context::{Context, Ports};
use crate::control::{Delay, Shape, finish, steps};
use dataflow::Pool;
use engines::pool::tree_latency;
use hdl::{Expr, Module, ModuleRef, Value, mux, pack};
use tensor::ElementType;

/// Builds the pool of engine `index`.
pub(crate) fn pool(context: &mut Context<'_>, index: usize, unit: &Pool) -> ModuleRef {
    let (input, output) = context.ends(index);
    let mut m = Module::new(&context.name(&context.engine(index).name));
    let what = if unit.smallest { "minimum" } else { "maximum" };
    let what =
        format!("Pool: {what} of {} taps of a word, then of each {} words.", unit.taps, unit.words);
    context.describe(&mut m, index, &what);
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let shape = Shape { words: unit.words, passes: 1, buffer: 0, credits: unit.credits };
    let control = steps(&mut m, &p, shape);
    let bits = input.element.bits() as usize;
    let best_of = |a: &Expr, b: &Expr| choice(input.element, unit.smallest, a, b);
    let tree = tree_latency(unit.taps) as usize;
    let taken = Delay::new(&mut m, &p, "taken", control.step.expr(), tree, true).at(tree);
    let word = best_of_taps(&mut m, &p, unit, control.word.lanes(bits), &best_of);
    m.section("The best element of each lane so far");
    let best_q = m.reg("best_q", output.bits());
    let after = if unit.words == 1 {
        pack(word)
    } else {
        let first = Delay::new(&mut m, &p, "first", control.first.clone(), tree, false).at(tree);
        let so_far = best_q.lanes(bits).into_iter().zip(word);
        let better = so_far.map(|(best, x)| mux(&first, x.clone(), best_of(&best, &x)));
        pack(better.collect::<Vec<_>>())
    };
    m.register_enabled(p.clk, taken, best_q, after);
    m.section("Pipeline control");
    let done_at = tree + 1;
    let done = Delay::new(&mut m, &p, "done", control.step & &control.last, done_at, true);
    finish(context, &mut m, &p, &control, done.at(done_at), best_q.expr());
    context.library.define(m)
}

/// The best of the taps of a word, for each window and channel: a tree of registers that take four
/// at a time.
fn best_of_taps(
    m: &mut Module,
    p: &Ports,
    unit: &Pool,
    elements: Vec<Expr>,
    best_of: &dyn Fn(&Expr, &Expr) -> Expr,
) -> Vec<Expr> {
    let channels = elements.len() / unit.taps / unit.windows;
    let bits = elements[0].width();
    // By tap: the elements of all windows.
    let mut taps: Vec<Vec<Expr>> = (0..unit.taps)
        .map(|tap| {
            let of = |window: usize| {
                let at = (window * unit.taps + tap) * channels;
                elements[at..at + channels].to_vec()
            };
            (0..unit.windows).flat_map(of).collect()
        })
        .collect();
    let mut level = 0;
    while taps.len() > 1 {
        level += 1;
        m.section(&format!("Best of the taps, level {level}"));
        let groups: Vec<&[Vec<Expr>]> = taps.chunks(4).collect();
        let next = groups.iter().enumerate().map(|(i, group)| {
            let lane = |lane: usize| {
                let of = group.iter().map(|tap| tap[lane].clone());
                of.reduce(|a, b| best_of(&a, &b)).expect("a group has a tap")
            };
            let q = m.reg(&format!("best_{level}_{i}_q"), unit.windows * channels * bits);
            m.register(p.clk, q, pack((0..unit.windows * channels).map(lane)));
            q.lanes(bits)
        });
        taps = next.collect();
    }
    taps.swap_remove(0)
}

fn choice(element: ElementType, smallest: bool, best: &Expr, x: &Expr) -> Expr {
    if element.bits() == 1 {
        // One bit's code: bipolar and unsigned count up, a sign bit counts down.
        let all = smallest != element.is_signed();
        return if all { best.clone() & x.clone() } else { best.clone() | x.clone() };
    }
    let greater = if element.is_signed() {
        x.greater_than_signed(best.clone())
    } else {
        x.greater_than(best.clone())
    };
    if smallest {
        mux(greater, best.clone(), x.clone())
    } else {
        mux(greater, x.clone(), best.clone())
    }
}
