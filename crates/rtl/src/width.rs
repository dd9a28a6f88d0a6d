//! Width converters.

use crate::context::{Context, Ports};
use crate::control::counter;
use crate::count::up_down;
use hdl::{Expr, Module, ModuleRef, Signal, Value, address_bits, lit, low, mux, pack, zeros};

/// Builds the converter of engine `index`.
pub(crate) fn width(context: &mut Context<'_>, index: usize) -> ModuleRef {
    let (input, output) = context.ends(index);
    let name = context.name(&context.engine(index).name);
    let mut m = Module::new(&name);
    let what = format!("Width converter: {} to {} elements a word.", input.lanes, output.lanes);
    context.describe(&mut m, index, &what);
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    if output.lanes > input.lanes {
        pack_words(&mut m, &p, output.lanes / input.lanes, input.words_per_pixel());
    } else {
        // The output may look at its words as other pixels.
        let words = input.pixel.div_ceil(output.lanes);
        split_words(&mut m, &p, input.lanes / output.lanes, words);
    }
    context.library.define(m)
}

fn pack_words(m: &mut Module, p: &Ports, ratio: usize, words: usize) {
    let part_bits = p.s_data.width();
    let full_q = m.reg("full_q", 1);
    let completes = m.wire("completes", 1);
    m.section("Handshakes: the word that completes an output word waits for the register");
    m.assign(p.s_ready, !p.rst & (!completes | !full_q));
    m.assign(p.m_valid, full_q);
    let push = m.net("push", p.s_valid & p.s_ready);
    let word = if words.is_multiple_of(ratio) {
        m.section("Position in the output word");
        let (_, last) = counter(m, p, "position_q", ratio, push.expr());
        m.assign(completes, last);
        m.section("Parts that came before move down");
        let parts_q = m.reg("parts_q", (ratio - 1) * part_bits);
        let all = m.net("all", pack([parts_q.expr(), p.s_data.expr()]));
        m.register_enabled(p.clk, push, parts_q, all.slice(part_bits, parts_q.width()));
        all.expr()
    } else {
        parts(m, p, ratio, words, completes, push)
    };
    let word_q = m.reg("word_q", p.m_data.width());
    let load = m.net("load", push & completes);
    m.register_enabled(p.clk, load, word_q, word);
    m.assign(p.m_data, word_q);
    let taken = full_q & p.m_ready;
    m.register_reset(p.clk, p.rst, full_q, low(), load | (full_q & !taken));
}

/// The output word where the last one of a pixel can come to its end early.
fn parts(
    m: &mut Module,
    p: &Ports,
    ratio: usize,
    words: usize,
    completes: Signal,
    push: Signal,
) -> Expr {
    let part_bits = p.s_data.width();
    m.section("Position in the output word and in the pixel");
    let position_bits = address_bits(ratio);
    let position_q = m.reg("position_q", position_bits);
    let (_, pixel_end) = counter(m, p, "pixel_word_q", words, push.expr());
    m.assign(completes, position_q.is(ratio as u64 - 1) | pixel_end);
    let after = mux(completes, zeros(position_bits), position_q + lit(position_bits, 1));
    m.register_reset_enabled(p.clk, p.rst, position_q, zeros(position_bits), push, after);
    m.section("Parts, then the whole word; parts that did not come are zero");
    let mut lanes = Vec::new();
    for part in 0..ratio {
        let here = position_q.is(part as u64);
        if part + 1 == ratio {
            lanes.push(mux(here, p.s_data, zeros(part_bits)));
            break;
        }
        let q = m.reg(&format!("part_{part}_q"), part_bits);
        m.register_enabled(p.clk, push & &here, q, p.s_data);
        let came = position_q.greater_than(lit(position_bits, part as u64));
        lanes.push(mux(came, q, mux(here, p.s_data, zeros(part_bits))));
    }
    pack(lanes)
}

fn split_words(m: &mut Module, p: &Ports, ratio: usize, words: usize) {
    let part_bits = p.m_data.width();
    let count_q = m.reg("count_q", 2);
    m.note(count_q, "words held, at most 2");
    m.section("Handshakes");
    m.assign(p.s_ready, !p.rst & !count_q.bit(1));
    m.assign(p.m_valid, !count_q.is(0));
    let push = m.net("push", p.s_valid & p.s_ready);
    let give = m.net("give", p.m_valid & p.m_ready);
    m.section("Position in the input word and in the pixel");
    let (position, last) = if words.is_multiple_of(ratio) {
        let (position, last) = counter(m, p, "position_q", ratio, give.expr());
        (position, m.net("last", last))
    } else {
        let position_bits = address_bits(ratio);
        let position_q = m.reg("position_q", position_bits);
        let (_, pixel_end) = counter(m, p, "pixel_word_q", words, give.expr());
        let last = m.net("last", position_q.is(ratio as u64 - 1) | pixel_end);
        let after = mux(last, zeros(position_bits), position_q + lit(position_bits, 1));
        m.register_reset_enabled(p.clk, p.rst, position_q, zeros(position_bits), give, after);
        (position_q.expr(), last)
    };
    let pop = m.net("pop", give & last);
    m.section("Two words");
    let write_q = m.reg("write_q", 1);
    let read_q = m.reg("read_q", 1);
    m.register_reset_enabled(p.clk, p.rst, write_q, low(), push, !write_q);
    m.register_reset_enabled(p.clk, p.rst, read_q, low(), pop, !read_q);
    let word_0_q = m.reg("word_0_q", p.s_data.width());
    let word_1_q = m.reg("word_1_q", p.s_data.width());
    m.register_enabled(p.clk, push & !write_q, word_0_q, p.s_data);
    m.register_enabled(p.clk, push & write_q, word_1_q, p.s_data);
    let word = m.net("word", mux(read_q, word_1_q, word_0_q));
    m.assign(p.m_data, word.select_lane(position, part_bits));
    let fill = up_down(count_q, push, pop);
    m.register_reset(p.clk, p.rst, count_q, zeros(2), fill);
}
