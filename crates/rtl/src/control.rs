//! Steps against credit: the control that all pipelines share.

use crate::context::{Context, Ports};
use crate::count::{next, up_down};
use crate::fifo;
use hdl::{
    Block, Expr, Module, RamStyle, Signal, Value, address_bits, bits_for, high, lit, low, mux,
    zeros,
};

/// The control of a pipeline.
pub(crate) struct Steps {
    /// A step is taken in this cycle.
    pub(crate) step: Signal,
    /// It is the first step of an output word.
    pub(crate) first: Expr,
    /// It is the last one.
    pub(crate) last: Expr,
    /// The input word that it takes.
    pub(crate) word: Expr,
    /// Step within the output word; one bit, zero, when there is a single step.
    pub(crate) word_index: Expr,
    /// Pass over the frame; one bit, zero, when there is a single pass.
    pub(crate) pass_index: Expr,
    /// Whether the pass is the last one.
    pub(crate) final_pass: Expr,
    queue: Queue,
}

/// The output queue of a pipeline, whose departures give credit back.
#[derive(Clone, Copy)]
pub(crate) struct Queue {
    /// Credits that are left: not yet connected to the queue.
    credits_q: Signal,
    credits: usize,
}

impl Queue {
    /// Declares the credits.
    pub(crate) fn new(m: &mut Module, credits: usize) -> Self {
        let credits_q = m.reg("credits_q", bits_for(credits));
        Self { credits_q, credits }
    }

    /// Whether there is room for a result.
    pub(crate) fn has_credit(&self) -> Expr {
        !self.credits_q.is(0)
    }

    /// The queue itself: `take` uses a credit up, `done` puts `result` in.
    pub(crate) fn finish(
        &self,
        context: &mut Context<'_>,
        m: &mut Module,
        p: &Ports,
        take: Expr,
        done: Expr,
        result: Expr,
    ) {
        m.section("Output queue");
        let queue = fifo::fifo(context, p.m_data.width(), self.credits);
        let built = m
            .instance("u_queue", &queue)
            .connect("clk", p.clk)
            .connect("rst", p.rst)
            .connect("s_data", result)
            .connect("s_valid", done)
            .connect("m_data", p.m_data)
            .connect("m_valid", p.m_valid)
            .connect("m_ready", p.m_ready)
            .place();
        m.sink_unused([built.output("s_ready")]);
        let take = m.net("take", take);
        let give = m.net("give", p.m_valid & p.m_ready);
        let all = lit(self.credits_q.width(), self.credits as u64);
        let balance = up_down(self.credits_q, give, take);
        m.register_reset(p.clk, p.rst, self.credits_q, all, balance);
    }
}

/// The shape of a pipeline's work.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// Steps of an output word.
    pub(crate) words: usize,
    /// Output words of a frame.
    pub(crate) passes: usize,
    /// Words of the input buffer; 0 for none.
    pub(crate) buffer: usize,
    /// Output words on their way at once.
    pub(crate) credits: usize,
}

/// A counter that advances with `enable`: its register, and one that says whether it is at its end. A count
/// of one needs no register, a count of two only one.
pub(crate) fn counter(
    m: &mut Module,
    p: &Ports,
    name: &str,
    count: usize,
    enable: Expr,
) -> (Expr, Expr) {
    let round = place(m, p, name, count, enable.clone());
    match count {
        1 => (round, high()),
        2 => (round.clone(), round),
        _ => {
            let end_q = m.reg(&format!("{name}_end"), 1);
            let comes = round.is(count as u64 - 2);
            m.register_reset_enabled(p.clk, p.rst, end_q, low(), enable, comes);
            (round, end_q.expr())
        }
    }
}

/// The same without a register for the end, of a counter that is not in the way of any other.
pub(crate) fn outer_counter(
    m: &mut Module,
    p: &Ports,
    name: &str,
    count: usize,
    enable: Expr,
) -> (Expr, Expr) {
    let round = place(m, p, name, count, enable);
    let end = if count == 1 { high() } else { round.is(count as u64 - 1) };
    (round, end)
}

/// A place in a ring of `count`, which advances with `enable`.
pub(crate) fn place(m: &mut Module, p: &Ports, name: &str, count: usize, enable: Expr) -> Expr {
    if count == 1 {
        return low();
    }
    let q = m.reg(name, address_bits(count));
    m.register_reset_enabled(p.clk, p.rst, q, zeros(q.width()), enable, next(q, count));
    q.expr()
}

/// A word read from a memory, `reads` registers behind the address: the memory's own is the first.
pub(crate) fn read_registers(
    m: &mut Module,
    p: &Ports,
    name: &str,
    word: Signal,
    reads: usize,
) -> Signal {
    (2..=reads).fold(word, |word, k| {
        let q = m.reg(&format!("{name}{k}"), word.width());
        m.register(p.clk, q, word);
        q
    })
}

/// Builds the step control and, when there is one, the input buffer.
pub(crate) fn steps(m: &mut Module, p: &Ports, shape: Shape) -> Steps {
    let Shape { words, passes, buffer, credits } = shape;
    m.section("Steps: one a cycle, the last of an output word only against credit");
    let step = m.wire("step", 1);
    let (word_index, last) = counter(m, p, "word_q", words, step.expr());
    let (pass_index, final_pass) = if buffer > 0 {
        counter(m, p, "pass_q", passes, step & &last)
    } else {
        outer_counter(m, p, "pass_q", passes, step & &last)
    };
    let queue = Queue::new(m, credits);
    let may_step = if words == 1 {
        m.net("may_step", queue.has_credit())
    } else {
        m.net("may_step", queue.has_credit() | !last.clone())
    };
    let word = if buffer == 0 {
        m.assign(p.s_ready, !p.rst & may_step);
        m.assign(step, p.s_valid & p.s_ready);
        p.s_data.expr()
    } else {
        let (word, ready) = input_buffer(m, p, shape, step, &last, &final_pass);
        m.assign(step, ready & may_step);
        word
    };
    let first = if words == 1 { high() } else { word_index.is(0) };
    Steps { step, first, last, word, word_index, pass_index, final_pass, queue }
}

/// A ring of words that replays each frame for every pass; in the last step of a vector it goes back to
/// its start, but for the last pass. Gives the word at the read pointer, and whether there is one.
fn input_buffer(
    m: &mut Module,
    p: &Ports,
    shape: Shape,
    step: Signal,
    last: &Expr,
    final_pass: &Expr,
) -> (Expr, Expr) {
    let Shape { buffer, passes, .. } = shape;
    m.section("Input buffer: a ring that replays the frame for every pass");
    let count_bits = bits_for(buffer);
    let used_q = m.reg("used_q", count_bits);
    m.note(used_q, "words that hold a place");
    let unread_q = m.reg("unread_q", count_bits);
    m.note(unread_q, "words that no pass has read");
    let any_unread_q = m.reg("any_unread_q", 1);
    // Later passes read what the first has read.
    let later = if passes == 1 {
        low()
    } else {
        let later_q = m.reg("later_q", 1);
        m.note(later_q, "not the first pass");
        m.register_reset_enabled(p.clk, p.rst, later_q, low(), step & last, !final_pass.clone());
        later_q.expr()
    };
    m.assign(p.s_ready, !p.rst & !used_q.is(buffer as u64));
    let push = m.net("push", p.s_valid & p.s_ready);
    let ram = m.ram("frame", p.s_data.width(), buffer, RamStyle::Lut);
    let free = m.net("free", step & final_pass.clone());
    let read_first = m.net("read_first", step & !later.clone());
    let (write, read): (Expr, Expr) = if buffer == 1 {
        (low(), low())
    } else {
        let width = address_bits(buffer);
        let write_q = m.reg("write_q", width);
        let read_q = m.reg("read_q", width);
        let start_q = m.reg("start_q", width);
        m.note(start_q, "place of the first word of the frame");
        let after = m.net("after", next(read_q, buffer));
        let rewind = m.net("rewind", last & !final_pass.clone());
        m.clocked(p.clk, |b| {
            b.when_else(
                p.rst,
                |b| {
                    b.set(write_q, zeros(width));
                    b.set(read_q, zeros(width));
                    b.set(start_q, zeros(width));
                },
                |b| {
                    b.when(push, |b| b.set(write_q, next(write_q, buffer)));
                    b.when(step, |b| b.set(read_q, mux(rewind, start_q, after)));
                    b.when(free & last, |b| b.set(start_q, after));
                },
            );
        });
        (write_q.expr(), read_q.expr())
    };
    m.write(ram, p.clk, push, write, p.s_data);
    let word = m.read("frame_word", ram, read);
    m.clocked(p.clk, |b| {
        b.when_else(
            p.rst,
            |b| {
                b.set(used_q, zeros(count_bits));
                b.set(unread_q, zeros(count_bits));
                b.set(any_unread_q, low());
            },
            |b| {
                b.set(used_q, up_down(used_q, push, free));
                b.set(unread_q, up_down(unread_q, push, read_first));
                let goes = read_first & unread_q.is(1);
                b.set(any_unread_q, push | any_unread_q & !goes);
            },
        );
    });
    (word.expr(), any_unread_q | later)
}

/// Carries a value along with the pipeline: `delayed[k]` is the value `k` registers later.
pub(crate) struct Delay {
    taps: Vec<Expr>,
}

impl Delay {
    /// A line of `length` registers behind `value`. With `reset` its registers clear in reset.
    pub(crate) fn new(
        m: &mut Module,
        p: &Ports,
        name: &str,
        value: Expr,
        length: usize,
        reset: bool,
    ) -> Self {
        let width = value.width();
        let registers: Vec<Signal> =
            (1..=length).map(|k| m.reg(&format!("{name}_d{k}"), width)).collect();
        // A shift register of tables is slow at its end: the last one stays a flip-flop.
        if let (Some(last), false) = (registers.get(2..).and_then(<[Signal]>::last), reset) {
            m.keep_flip_flops(*last);
        }
        let mut taps = vec![value];
        taps.extend(registers.iter().map(|q| q.expr()));
        let shift = |b: &mut Block| {
            for (q, from) in registers.iter().zip(&taps) {
                b.set(*q, from.clone());
            }
        };
        let clear = |b: &mut Block| registers.iter().for_each(|q| b.set(*q, zeros(width)));
        match (length, reset) {
            (0, _) => {}
            (_, true) => m.clocked(p.clk, |b| b.when_else(p.rst, clear, shift)),
            (_, false) => m.clocked(p.clk, shift),
        }
        Self { taps }
    }

    pub(crate) fn at(&self, registers: usize) -> Expr {
        self.taps[registers].clone()
    }
}

/// The end of a pipeline: results go to the output queue, whose departures give credit back.
pub(crate) fn finish(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    steps: &Steps,
    done: Expr,
    result: Expr,
) {
    let take = steps.step & &steps.last;
    steps.queue.finish(context, m, p, take, done, result);
}
