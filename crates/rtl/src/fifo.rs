//! FIFO: also the output queue of every pipeline.

use crate::context::{Context, Ports, Side};
use crate::count::{next, up_down};
use hdl::{Expr, Module, ModuleRef, RamStyle, Signal, Value, address_bits, bits_for, mux, zeros};

/// A FIFO of `depth` words of `bits` bits; fall-through in one cycle.
pub(crate) fn fifo(context: &mut Context<'_>, bits: usize, depth: usize) -> ModuleRef {
    let name = context.name(&format!("fifo_{bits}x{depth}"));
    if let Some(known) = context.library.get(&name) {
        return known;
    }
    let mut m = Module::new(&name);
    m.comment(&format!("FIFO of {depth} words of {bits} bits."));
    m.comment("A word can leave one cycle after it came; a freed place is free one cycle later.");
    m.comment("Paths cut: both; s_ready and m_valid come from registers (and rst) only.");
    let p = Ports::declare(&mut m, bits, bits);
    let count_bits = bits_for(depth);
    let count_q = m.reg("count_q", count_bits);
    m.section("Handshakes");
    m.assign(p.s_ready, !p.rst & !count_q.is(depth as u64));
    m.assign(p.m_valid, !count_q.is(0));
    let push = m.net("push", p.s_valid & p.s_ready);
    let pop = m.net("pop", p.m_valid & p.m_ready);
    if depth == 2 {
        two_words(&mut m, &p, count_q, pop);
    } else {
        ring(&mut m, &p, depth, (push, pop));
    }
    m.section("Fill");
    let fill = up_down(count_q, push, pop);
    m.register_reset(p.clk, p.rst, count_q, zeros(count_bits), fill);
    context.library.define(m)
}

/// Two words in registers: half a table a bit, none for bits that nobody reads.
fn two_words(m: &mut Module, p: &Ports, count_q: Signal, pop: Signal) {
    m.section("Words: the first one is at the output");
    let (first_q, second_q) =
        (m.reg("first_q", p.s_data.width()), m.reg("second_q", p.s_data.width()));
    let full = m.net("full", count_q.is(2));
    m.register_enabled(p.clk, !full.expr(), second_q, p.s_data.expr());
    m.register_enabled(p.clk, pop | count_q.is(0), first_q, mux(full, second_q, p.s_data));
    m.assign(p.m_data, first_q);
}

/// Words in LUT RAM.
fn ring(m: &mut Module, p: &Ports, depth: usize, (push, pop): (Signal, Signal)) {
    m.section("Words");
    let bits = p.s_data.width();
    let ram = m.ram("words", bits, depth, RamStyle::Lut);
    let pointer_bits = address_bits(depth);
    let (write, read): (Expr, Expr) = if depth == 1 {
        (zeros(1), zeros(1))
    } else {
        let write_q = m.reg("write_q", pointer_bits);
        let read_q = m.reg("read_q", pointer_bits);
        m.clocked(p.clk, |b| {
            b.when_else(
                p.rst,
                |b| {
                    b.set(write_q, zeros(pointer_bits));
                    b.set(read_q, zeros(pointer_bits));
                },
                |b| {
                    b.when(push, |b| b.set(write_q, next(write_q, depth)));
                    b.when(pop, |b| b.set(read_q, next(read_q, depth)));
                },
            );
        });
        (write_q.expr(), read_q.expr())
    };
    m.write(ram, p.clk, push, write, p.s_data);
    let word = m.read("word", ram, read);
    m.assign(p.m_data, word);
}

/// Places a FIFO between two streams.
pub(crate) fn place(
    m: &mut Module,
    name: &str,
    fifo: &ModuleRef,
    (clk, rst): (Signal, Signal),
    from: &Side,
    to: &Side,
) {
    m.instance(name, fifo)
        .connect("clk", clk)
        .connect("rst", rst)
        .connect("s_data", from.data.clone())
        .connect("s_valid", from.valid)
        .connect("s_ready", from.ready)
        .connect("m_data", to.data.clone())
        .connect("m_valid", to.valid)
        .connect("m_ready", to.ready)
        .place();
}
