//! Sliding window unit: a ring of line buffers, read window by window.

use crate::context::{Context, Ports, ram_style};
use crate::control::{Delay, Queue, place, read_registers};
use crate::nest::{Nest, wrapped};
use crate::surround::Standing;
use dataflow::{Frees, SlidingWindow, Stream};
use engines::window::{Walk, latency};
use hdl::{Expr, Module, ModuleRef, Signal, Value, bits_for, high, lit, lit_signed, mux, zeros};

/// Builds the unit of engine `index`.
pub(crate) fn window(context: &mut Context<'_>, index: usize, unit: &SlidingWindow) -> ModuleRef {
    let (input, output) = context.ends(index);
    let engine = context.engine(index).name.clone();
    let mut m = Module::new(&context.name(&engine));
    let [kernel, stride, dilation] = [unit.window.kernel, unit.window.stride, unit.window.dilation];
    context.describe(
        &mut m,
        index,
        &format!(
            "Sliding window unit: {} x {} windows, stride {stride:?}, dilation {dilation:?}, over \
             {} x {} pixels of {} channels; each word of a window comes {} times.",
            kernel[0], kernel[1], unit.map.height, unit.map.width, unit.map.channels, unit.repeats
        ),
    );
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let walk = Walk::of(unit, input.lanes);
    let size = Sizes::of(unit, &walk, input.lanes);

    m.section("Steps: one a cycle, against credit, when the word has come");
    let step = m.wire("step", 1);
    let queue = Queue::new(&mut m, unit.credits);
    m.section("Loops, innermost first");
    let loops = [
        ("word", size.group_words),
        ("kernel_column", kernel[1]),
        ("kernel_row", kernel[0]),
        ("repeat", unit.repeats),
        ("group", unit.groups),
        ("column", size.outputs[1]),
        ("row", size.outputs[0]),
    ];
    let nest = Nest::new(&mut m, &p, &loops, step);
    let window_end = m.net("window_end", nest.ends(5));

    m.section("Ring of words; places count from the first one of the window");
    let used_q = ring_fill(&mut m, &p, unit, &walk, &nest, &size, step, window_end);
    let push = m.net("push", p.s_valid & p.s_ready);
    let ring = m.ram("ring", input.bits(), unit.depth, ram_style(unit.memory));
    let write = place(&mut m, &p, "write_q", unit.depth, push.expr());
    m.write(ring, p.clk, push, write, p.s_data);
    let address = nest.follow_ring(&mut m, &p, "read_q", walk.base(0), &size.address, unit.depth);
    let reads = latency(unit) as usize - 1;
    let first = m.read_every_cycle("data_q", ring, p.clk, address);
    let word = read_registers(&mut m, &p, "data_q", first, reads);

    m.section("Which places are padding");
    let place = nest.follow(&mut m, &p, "place_q", 0, &size.place, size.place_bits);
    let bits = used_q.width().max(size.place_bits + 1);
    let has_come = place.zero_extend(bits).less_than_signed(used_q.sign_extend(bits));
    let inside = inside(&mut m, &p, unit, &nest);
    let (may_read, result) = match inside {
        None => (has_come, word.expr()),
        Some(inside) => {
            let outside = Delay::new(&mut m, &p, "outside", !inside.clone(), reads, false);
            let around = standing(context, &mut m, &p, unit, &nest, &engine, input, reads);
            m.section("Padding waits for the first word of its frame");
            let strides: Vec<i64> =
                [0; 5].into_iter().chain(size.base.map(|s| -s)).take(7).chain([0]).collect();
            let bits = size.place_bits.max(used_q.width()) + 1 + size.frame_bits;
            let start = nest.follow(&mut m, &p, "frame_start_q", -walk.base(0), &strides, bits);
            let begun = m.net("begun", start.less_than_signed(used_q.sign_extend(bits)));
            let may_read = mux(inside, has_come, begun);
            (may_read, mux(outside.at(reads), around, word))
        }
    };
    m.assign(step, may_read & queue.has_credit());
    m.section("Pipeline control");
    let done = Delay::new(&mut m, &p, "done", step.expr(), reads, true).at(reads);
    queue.finish(context, &mut m, &p, step.expr(), done, result);
    context.library.define(m)
}

/// Strides of the loops in words.
struct Sizes {
    group_words: usize,
    outputs: [usize; 2],
    /// Of the place in the ring: all loops and the frame.
    address: Vec<i64>,
    /// Of the place in the window, counted from the first one that is held.
    place: Vec<i64>,
    place_bits: usize,
    /// Bits of the number of words of a frame.
    frame_bits: usize,
    /// Of the first place that is held: by column, row and frame.
    base: [i64; 3],
}

impl Sizes {
    fn of(unit: &SlidingWindow, walk: &Walk, lanes: usize) -> Self {
        let pixel = walk.words_per_pixel() as i64;
        let row = pixel * unit.map.width as i64;
        let along = |n: usize, stride: i64| n as i64 * stride;
        let group_words = walk.words_per_pixel() / unit.groups;
        let [stride, dilation] = [unit.window.stride, unit.window.dilation];
        let windows = [along(stride[1], pixel), along(stride[0], row), along(unit.map.height, row)];
        let [column, down, _] = match unit.frees() {
            Frees::Window => [0, 0, 0],
            Frees::Row => [windows[0], 0, 0],
            Frees::Frame => windows,
        };
        let base = [windows[0] - column, windows[1] - down, windows[2]];
        let inner = [1, along(dilation[1], pixel), along(dilation[0], row), 0, group_words as i64];
        let outputs = unit.window.over(unit.map, 1).expect("checked: a window fits").extents();
        Self {
            group_words,
            outputs,
            address: inner.iter().chain(&windows).copied().collect(),
            place: inner.iter().chain(&[column, down, 0]).copied().collect(),
            place_bits: bits_for(unit.shortest_ring(lanes)),
            frame_bits: bits_for(walk.words_per_frame()),
            base,
        }
    }
}

/// How many words have come from the window's first place on; drives `s_ready`.
#[expect(clippy::too_many_arguments, reason = "one caller; the parts of one counter")]
fn ring_fill(
    m: &mut Module,
    p: &Ports,
    unit: &SlidingWindow,
    walk: &Walk,
    nest: &Nest,
    size: &Sizes,
    step: Signal,
    window_end: Signal,
) -> Signal {
    // Below zero while words come that no window reads.
    let skipped = size.base.iter().max().copied().unwrap_or(0) as usize;
    let width = bits_for(unit.depth.max(skipped)) + 1;
    let used_q = m.reg("used_q", width);
    m.note(used_q, "words that have come, counted from the first place of the window");
    m.assign(p.s_ready, !p.rst & used_q.less_than_signed(lit_signed(width, unit.depth as i64)));
    let push = p.s_valid & p.s_ready;
    let strides: Vec<i64> = [0; 5].iter().chain(&size.base).copied().collect();
    let entries: Vec<Expr> = nest.steps(&strides).iter().map(|&s| wrapped(width, s)).collect();
    let freed = mux(step & window_end, nest.choose(&entries), zeros(width));
    let after = used_q + push.zero_extend(width) - freed;
    m.register_reset(p.clk, p.rst, used_q, lit(width, (-walk.base(0)) as u64), after);
    used_q
}

/// Whether the step's place is on the map; `None` when there is no padding.
fn inside(m: &mut Module, p: &Ports, unit: &SlidingWindow, nest: &Nest) -> Option<Expr> {
    if !unit.window.is_padded() {
        return None;
    }
    let mut along = |name: &str, axis: usize, kernel_level: usize, output_level: usize| {
        let extent = unit.map.extents()[axis];
        let (before, after) = (unit.window.before[axis], unit.window.after[axis]);
        if before + after == 0 {
            return high();
        }
        let mut strides = [0i64; 8];
        strides[kernel_level] = unit.window.dilation[axis] as i64;
        strides[output_level] = unit.window.stride[axis] as i64;
        let width = bits_for(extent + after) + 1;
        let width = width.max(bits_for(before) + 1);
        let q = nest.follow(m, p, name, -(before as i64), &strides, width);
        !q.top_bit() & q.less_than_signed(lit_signed(width, extent as i64))
    };
    let rows = along("map_row_q", 0, 2, 6);
    let columns = along("map_column_q", 1, 1, 5);
    Some(m.net("on_map", rows & columns).expr())
}

/// The word that stands around the map, in step with the ring's word.
#[expect(clippy::too_many_arguments, reason = "one caller; the parts of one constant")]
fn standing(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    unit: &SlidingWindow,
    nest: &Nest,
    engine: &str,
    input: &Stream,
    reads: usize,
) -> Expr {
    let standing = Standing {
        engine,
        padding: &unit.padding,
        element: input.element,
        lanes: input.lanes,
        parts: unit.map.channels / input.lanes,
    };
    let part = standing.differs_by_part().then(|| {
        let group_words = (standing.parts / unit.groups) as i64;
        let strides = [1, 0, 0, 0, group_words, 0, 0, 0];
        nest.follow_ring(m, p, "part_q", 0, &strides, standing.parts)
    });
    let mut words = standing.words(context, m, p, part, reads);
    let even = words.remove(0);
    let Some(other) = words.pop() else { return even };
    m.section("Whether row + column of the place is odd");
    let [stride, dilation] = [unit.window.stride, unit.window.dilation];
    let strides = [0, dilation[1], dilation[0], 0, 0, stride[1], stride[0], 0].map(|n| n as i64);
    let odd = nest.follow_ring(m, p, "odd_q", 0, &strides, 2);
    let odd = Delay::new(m, p, "odd_q", odd, reads, false).at(reads);
    mux(odd, other, even)
}
