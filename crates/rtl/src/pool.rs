//! Pool: the running maximum (or minimum) of each lane.

use crate::context::{Context, Ports};
use crate::control::{Delay, Shape, finish, steps};
use dataflow::Pool;
use hdl::{Expr, Module, ModuleRef, Value, mux, pack};
use tensor::ElementType;

/// Builds the pool of engine `index`.
pub(crate) fn pool(context: &mut Context<'_>, index: usize, unit: &Pool) -> ModuleRef {
    let (input, output) = context.ends(index);
    let mut m = Module::new(&context.name(&context.engine(index).name));
    let what = if unit.smallest { "minimum" } else { "maximum" };
    context.describe(&mut m, index, &format!("Pool: {what} of each {} words.", unit.taps));
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let shape = Shape { words: unit.taps, passes: 1, buffer: 0, credits: unit.credits };
    let control = steps(&mut m, &p, shape);
    m.section("The best element of each lane so far");
    let bits = input.element.bits() as usize;
    let best_q = m.reg("best_q", input.bits());
    let better = best_q.lanes(bits).into_iter().zip(control.word.lanes(bits)).map(|(best, x)| {
        let next = choice(input.element, unit.smallest, &best, &x);
        if unit.taps == 1 { x } else { mux(&control.first, x, next) }
    });
    let after = pack(better.collect::<Vec<_>>());
    m.register_enabled(p.clk, control.step, best_q, after);
    m.section("Pipeline control");
    let done = Delay::new(&mut m, &p, "done", control.step & &control.last, 1, true).at(1);
    finish(context, &mut m, &p, &control, done, best_q.expr());
    context.library.define(m)
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
