//! Where streams part and meet again: fork and add.

use crate::context::{Context, Side};
use crate::count::next;
use crate::fifo::{fifo, place};
use dataflow::Add;
use hdl::{Expr, Module, ModuleRef, Value, address_bits, high, mux, pack, zeros};
use tensor::ElementType;

/// Fork of engine `index`: a FIFO of `depth` words for each branch, all filled at once.
pub(crate) fn fork(context: &mut Context<'_>, index: usize, depth: usize) -> ModuleRef {
    let engine = context.engine(index);
    let bits = context.dataflow.streams[engine.input()].bits();
    let queue = fifo(context, bits, depth);
    let mut m = Module::new(&context.name(&engine.name));
    context.describe(&mut m, index, "Fork: every branch takes each word when it can.");
    let (clk, rst) = (m.input("clk", 1), m.input("rst", 1));
    let input = Side::input(&mut m, "s", bits);
    m.section("A queue for each branch: a word comes in when all have room");
    let push = m.wire("push", 1);
    let mut all: Expr = input.valid.expr();
    let mut room: Option<Expr> = None;
    for branch in 0..engine.outputs.len() {
        let output = Side::output(&mut m, &format!("m{branch}"), bits);
        let ready = m.wire(&format!("room{branch}"), 1);
        let from = Side { data: input.data.clone(), valid: push, ready };
        place(&mut m, &format!("u_queue{branch}"), &queue, (clk, rst), &from, &output);
        all = all & ready;
        room = Some(room.map_or_else(|| ready.expr(), |room| room & ready));
    }
    m.assign(push, all);
    m.assign(input.ready, room.expect("checked: a fork has branches"));
    context.library.define(m)
}

/// Add of engine `index`: a queue at each input, and one behind the sums.
pub(crate) fn add(context: &mut Context<'_>, index: usize, unit: &Add) -> ModuleRef {
    let engine = context.engine(index);
    let stream = |s: usize| &context.dataflow.streams[s];
    let inputs = [stream(engine.inputs[0]), stream(engine.inputs[1])];
    let output = stream(engine.output());
    let queues = inputs.map(|s| fifo(context, s.bits(), unit.depth));
    let sums = fifo(context, output.bits(), unit.credits);
    let mut m = Module::new(&context.name(&engine.name));
    let [x, y] = inputs.map(|s| s.element);
    context.describe(&mut m, index, &format!("Adds two streams, lane by lane: {x} and {y}."));
    let (clk, rst) = (m.input("clk", 1), m.input("rst", 1));
    let to = Side::output(&mut m, "m", output.bits());
    m.section("A queue at each input");
    let step = m.wire("step", 1);
    let room = m.wire("room", 1);
    let mut ready: Expr = room.expr();
    let mut words = Vec::new();
    for (side, (queue, stream)) in queues.iter().zip(inputs).enumerate() {
        let from = Side::input(&mut m, &format!("s{side}"), stream.bits());
        let word = m.wire(&format!("word{side}"), stream.bits());
        let valid = m.wire(&format!("valid{side}"), 1);
        let first = Side { data: word.expr(), valid, ready: step };
        place(&mut m, &format!("u_queue{side}"), queue, (clk, rst), &from, &first);
        ready = ready & valid;
        words.push(word);
    }
    m.assign(step, ready);
    m.section("Sums");
    let width = output.element.bits() as usize;
    let term = |side: usize, lane: usize| -> Expr {
        let element = inputs[side].element;
        let bits = element.bits() as usize;
        let raw = words[side].lane(lane, bits);
        match element {
            // +1 is 01 and -1 is 11.
            ElementType::Bipolar => pack([high(), !raw]).sign_extend(width),
            _ if element.is_signed() => raw.sign_extend(width),
            _ => raw.zero_extend(width),
        }
    };
    let filled = output.pixel % output.lanes;
    let partly =
        (filled > 0 && inputs.iter().any(|s| s.element == ElementType::Bipolar)).then(|| {
            m.section("The last word of a pixel: lanes that are not there are zero, not -1");
            let words = output.words_per_pixel();
            let q = m.reg("pixel_word_q", address_bits(words));
            m.register_reset_enabled(clk, rst, q, zeros(q.width()), step, next(q, words));
            m.net("last", q.is(words as u64 - 1))
        });
    let sum = |lane| match partly {
        Some(last) if lane >= filled => mux(last, zeros(width), term(0, lane) + term(1, lane)),
        _ => term(0, lane) + term(1, lane),
    };
    let word = m.net("sum", pack((0..output.lanes).map(sum).collect::<Vec<_>>()));
    let sum = Side { data: word.expr(), valid: step, ready: room };
    place(&mut m, "u_sums", &sums, (clk, rst), &sum, &to);
    context.library.define(m)
}
