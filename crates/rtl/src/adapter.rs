//! The AXI4-Stream adapters at the top.
//!
//! The input adapter checks `tlast`. A frame that ends early is filled up with zeros; of one that
//! does not end, the surplus is dropped up to `tlast`. For every frame it reports, with the frame's
//! last word, whether the frame was wrong. The output adapter makes `tlast`, and shows the reports
//! as `tuser`, in order.

use crate::context::{Context, Ports, Side};
use crate::control::counter;
use crate::fifo::{fifo, place};
use engines::{Timing, timing};
use hdl::{Module, ModuleRef, Value, low, mux, zeros};

/// Input adapter: further ports `s_last`, `report`, `report_valid`.
pub(crate) fn input(context: &mut Context<'_>, index: usize) -> ModuleRef {
    let (input, _) = context.ends(index);
    let words = input.words_per_frame();
    let queue = fifo(context, input.bits(), 2);
    let mut m = Module::new(&context.name(&context.engine(index).name));
    context.describe(&mut m, index, "AXI4-Stream input adapter: frames of the right length only.");
    m.comment("A short frame is filled up with zeros, the surplus of a long one is dropped.");
    let p = Ports::declare(&mut m, input.bits(), input.bits());
    let s_last = m.input("s_last", 1);
    let report_valid = m.output("report_valid", 1);
    let report = m.output("report", 1);
    m.note(report, "High with report_valid: the frame was too short or too long.");

    m.section("State: taking words, filling a short frame, dropping the rest of a long one");
    let filling_q = m.reg("filling_q", 1);
    let dropping_q = m.reg("dropping_q", 1);
    let room = m.wire("room", 1);
    let take = m.net("take", p.s_valid & p.s_ready);
    let word_valid = m.net("word_valid", filling_q | (p.s_valid & !dropping_q));
    let push = m.net("push", word_valid & room & !p.rst);
    let (_, end) = counter(&mut m, &p, "word_q", words, push.expr());
    let end = m.net("end_of_frame", end);
    m.assign(p.s_ready, !p.rst & (dropping_q | (!filling_q & room)));
    let ends_early = m.net("ends_early", push & !filling_q & s_last & !end);
    let runs_on = m.net("runs_on", push & !filling_q & !s_last & end);
    m.clocked(p.clk, |b| {
        b.when_else(
            p.rst,
            |b| {
                b.set(filling_q, low());
                b.set(dropping_q, low());
            },
            |b| {
                b.set(filling_q, ends_early | (filling_q & !(push & end)));
                b.set(dropping_q, runs_on | (dropping_q & !(take & s_last)));
            },
        );
    });
    m.section("Report, with the last word of the frame");
    m.assign(report_valid, push & end);
    m.assign(report, filling_q | !s_last);
    m.section("Two words that cut the paths");
    // A frame of one word cannot be too short.
    let data = match words {
        1 => p.s_data.expr(),
        _ => mux(filling_q, zeros(input.bits()), p.s_data),
    };
    let from = Side { data, valid: push, ready: room };
    place(&mut m, "u_queue", &queue, (p.clk, p.rst), &from, &p.to());
    context.library.define(m)
}

/// Output adapter: further ports `report`, `report_valid`, `m_last`, `m_user`.
pub(crate) fn output(context: &mut Context<'_>, index: usize) -> ModuleRef {
    let (input, _) = context.ends(index);
    let words = input.words_per_frame();
    let queue = fifo(context, input.bits(), 2);
    let reports = fifo(context, 1, frames_in_flight(context));
    let mut m = Module::new(&context.name(&context.engine(index).name));
    context.describe(&mut m, index, "AXI4-Stream output adapter: makes tlast and tuser.");
    let p = Ports::declare(&mut m, input.bits(), input.bits());
    let report_valid = m.input("report_valid", 1);
    let report = m.input("report", 1);
    let m_last = m.output("m_last", 1);
    let m_user = m.output("m_user", 1);
    m.section("Two words that cut the paths");
    let from = Side { data: p.s_data.expr(), valid: p.s_valid, ready: p.s_ready };
    place(&mut m, "u_queue", &queue, (p.clk, p.rst), &from, &p.to());
    m.section("Last word of the frame");
    let give = m.net("give", p.m_valid & p.m_ready);
    let (_, last) = counter(&mut m, &p, "word_q", words, give.expr());
    m.assign(m_last, last);
    m.section("Reports of the frames on their way: never full, by its depth");
    let built = m
        .instance("u_reports", &reports)
        .connect("clk", p.clk)
        .connect("rst", p.rst)
        .connect("s_data", report)
        .connect("s_valid", report_valid)
        .connect("m_ready", give & m_last)
        .place();
    m.assign(m_user, built.output("m_valid") & built.output("m_data"));
    m.sink_unused([built.output("s_ready")]);
    context.library.define(m)
}

/// No more frames than this can be between the two adapters: every place that holds a word may
/// belong to another frame.
fn frames_in_flight(context: &Context<'_>) -> usize {
    let dataflow = context.dataflow;
    let frames = |index: usize| -> usize {
        let (i, o) = context.ends(index);
        let (i_words, o_words) = (i.words_per_frame(), o.words_per_frame());
        match timing(dataflow, index) {
            Timing::Fifo { depth } | Timing::Fork { depth } => depth.div_ceil(i_words) + 1,
            Timing::Join { depth, credits } => (depth + credits).div_ceil(i_words) + 2,
            Timing::Pack { ratio, .. } => (2 * ratio).div_ceil(i_words) + 1,
            Timing::Split { .. } => 2usize.div_ceil(i_words) + 1,
            Timing::Sliding(s) => s.depth.div_ceil(i_words) + s.credits.div_ceil(o_words) + 2,
            Timing::Shifting(s) => s.credits.div_ceil(o_words) + 2,
            Timing::Compute(c) => c.buffer.div_ceil(i_words) + c.credits.div_ceil(o_words) + 2,
        }
    };
    let total: usize = (0..dataflow.engines.len()).map(frames).sum();
    (total + 2).next_power_of_two().max(16)
}
