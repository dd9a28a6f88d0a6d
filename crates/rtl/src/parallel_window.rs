//! Parallel window unit: line delays, a history of each line, and all taps at once.

use crate::context::{Context, Ports, ram_style};
use crate::control::{Delay, Queue, place, read_registers};
use crate::nest::Nest;
use crate::surround::Standing;
use dataflow::{ParallelWindow, Stream};
use engines::parallel_window::{Raster, latency};
use hdl::{Expr, Module, ModuleRef, Signal, Value, lit, low, mux, or_all, pack};
use std::ops::Range;
use tensor::Window;

/// Loops of the raster, innermost first.
const WORD: usize = 0;
const SLOT: usize = 1;
const LINE: usize = 2;

/// Builds the unit of engine `index`.
pub(crate) fn parallel_window(
    context: &mut Context<'_>,
    index: usize,
    unit: &ParallelWindow,
) -> ModuleRef {
    let (input, output) = context.ends(index);
    let engine = context.engine(index).name.clone();
    let mut m = Module::new(&context.name(&engine));
    let [kernel, stride, dilation] = [unit.window.kernel, unit.window.stride, unit.window.dilation];
    context.describe(
        &mut m,
        index,
        &format!(
            "Parallel window unit: {} x {} windows, stride {stride:?}, dilation {dilation:?}, over \
             {} x {} pixels of {} channels; {} pixels come and {} windows go at once.",
            kernel[0],
            kernel[1],
            unit.map.height,
            unit.map.width,
            unit.map.channels,
            unit.pixels,
            unit.windows()
        ),
    );
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let raster = Raster::of(unit, input.lanes);
    let [lines, slots, words] = raster.counts();

    m.section("Steps: one a cycle; where windows are completed, against credit");
    let step = m.wire("step", 1);
    let queue = Queue::new(&mut m, unit.credits);
    let nest = Nest::new(&mut m, &p, &[("word", words), ("slot", slots), ("line", lines)], step);
    let [of_lines, of_slots] = raster.completing();
    let on_line = completing(&mut m, &p, &nest, step, LINE, of_lines);
    let on_slot = completing(&mut m, &p, &nest, step, SLOT, of_slots);
    let completes = m.net("completes", on_line & on_slot);
    let [map_lines, map_slots] = raster.on_map();
    let line = nest.lies_in(&mut m, &p, "line_on_map_q", LINE, &(0..map_lines));
    let slot = nest.lies_in(&mut m, &p, "slot_on_map_q", SLOT, &(0..map_slots));
    let on_map = m.net("on_map", line & slot);
    let may_step = m.net("may_step", queue.has_credit() | !completes);
    m.assign(p.s_ready, !p.rst & on_map & may_step);
    m.assign(step, may_step & (p.s_valid | !on_map));

    m.section("Delays of whole lines");
    let reads = latency(unit) as usize - 1;
    let last = (0..unit.windows()).map(|w| raster.tap(w, [0, 0]).slots).max().unwrap_or(0);
    // Nothing shifts when windows are single words.
    let length = if kernel[0] > 1 || last > 0 { reads } else { 0 };
    let shift = Delay::new(&mut m, &p, "shift", step.expr(), length, true).at(length);
    let newest = Delay::new(&mut m, &p, "newest", p.s_data.expr(), reads, false).at(reads);
    let delayed = delays(&mut m, &p, unit, &raster, newest, step, &shift, reads);

    m.section("Words that were in each line before");
    let bits = input.bits();
    let histories: Vec<Expr> = delayed
        .into_iter()
        .enumerate()
        .map(|(row, word)| history(&mut m, &p, row, word, last * words, &shift))
        .collect();
    let lanes = input.lanes / unit.pixels;
    let element = input.element.bits() as usize;
    let around = Around::new(context, &mut m, &p, unit, &raster, &nest, &engine, input, reads);
    let outside = Outside::new(&mut m, &p, unit, &raster, &nest, reads);
    let mut taps = Vec::new();
    for window in 0..unit.windows() {
        for (ky, history) in histories.iter().enumerate() {
            for kx in 0..kernel[1] {
                let tap = raster.tap(window, [ky, kx]);
                let at = tap.slots * words * bits + tap.pixel * lanes * element;
                let there = history.slice(at, lanes * element);
                taps.push(match outside.of(window, [ky, kx]) {
                    None => there,
                    Some(outside) => mux(outside, around.at(window, [ky, kx]), there),
                });
            }
        }
    }
    m.section("Windows");
    let window = m.net("window", pack(taps));
    let completed = Delay::new(&mut m, &p, "completed", step & completes, reads, true).at(reads);
    queue.finish(context, &mut m, &p, step & completes, completed, window.expr());
    sink_unread(&mut m, unit, &raster, &histories, [words * bits, lanes * element]);
    context.library.define(m)
}

/// Whether the line or slot completes windows.
fn completing(
    m: &mut Module,
    p: &Ports,
    nest: &Nest,
    step: Signal,
    level: usize,
    (first, every, windows): (usize, usize, usize),
) -> Expr {
    let range = first..first + (windows - 1) * every + 1;
    let name = if level == LINE { "line_completes_q" } else { "slot_completes_q" };
    let within = nest.lies_in(m, p, name, level, &range);
    if every == 1 || windows == 1 {
        return within;
    }
    let name = if level == LINE { "line_wait_q" } else { "slot_wait_q" };
    let width = hdl::bits_for(every.max(first + 1) - 1);
    let wait_q = m.reg(name, width);
    m.note(wait_q, "until the next one that completes windows");
    let ends = m.net(&format!("{name}_step"), step & nest.ends(level));
    let start = lit(width, first as u64);
    let next = mux(wait_q.is(0), lit(width, every as u64 - 1), wait_q - lit(width, 1));
    let next = mux(nest.at_end(level), start.clone(), next);
    m.register_reset_enabled(p.clk, p.rst, wait_q, start, ends, next);
    within & wait_q.is(0)
}

/// The words of each kernel row, the top one first, when the delays shift.
#[expect(clippy::too_many_arguments, reason = "one caller; the parts of one memory")]
fn delays(
    m: &mut Module,
    p: &Ports,
    unit: &ParallelWindow,
    raster: &Raster,
    newest: Expr,
    step: Signal,
    shift: &Expr,
    reads: usize,
) -> Vec<Expr> {
    let bits = newest.width();
    let rows = unit.window.kernel[0];
    let depth = raster.delay();
    if rows == 1 {
        return vec![newest];
    }
    let newest = m.net("newest", newest);
    if depth <= reads {
        // Too short for a memory.
        let q = m.reg("lines_q", (rows - 1) * depth * bits);
        let all = hdl::concat([newest.expr(), q.expr()]);
        m.register_enabled(p.clk, shift.clone(), q, all.slice(bits, q.width()));
        return (0..rows).map(|row| all.slice(row * depth * bits, bits)).collect();
    }
    let ram = m.ram("lines", (rows - 1) * bits, depth, ram_style(unit.memory));
    let place = place(m, p, "place_q", depth, step.expr());
    let first = m.read_every_cycle("old_q", ram, p.clk, place.clone());
    let old = read_registers(m, p, "old_q", first, reads);
    let write = Delay::new(m, p, "place", place, reads, false).at(reads);
    // A line's word moves up by a row.
    let all = hdl::concat([newest.expr(), old.expr()]);
    m.write(ram, p.clk, shift.clone(), write, all.slice(bits, old.width()));
    all.lanes(bits)
}

/// A line's word with the `length` words before it behind: the present one is lowest.
fn history(m: &mut Module, p: &Ports, row: usize, word: Expr, length: usize, shift: &Expr) -> Expr {
    if length == 0 {
        return word;
    }
    let bits = word.width();
    let q = m.reg(&format!("line_{row}_q"), length * bits);
    let all = m.net(&format!("line_{row}"), hdl::concat([q.expr(), word]));
    m.register_enabled(p.clk, shift.clone(), q, all.slice(0, length * bits));
    all.expr()
}

/// What stands at taps outside the map, for the channels of a word, when the window is put together.
struct Around {
    /// The word for taps whose place is even when the first place of the first window is, and the one
    /// for the others.
    words: [Expr; 2],
    stride: usize,
    dilation: [usize; 2],
}

impl Around {
    #[expect(clippy::too_many_arguments, reason = "one caller; the parts of one constant")]
    fn new(
        context: &mut Context<'_>,
        m: &mut Module,
        p: &Ports,
        unit: &ParallelWindow,
        raster: &Raster,
        nest: &Nest,
        engine: &str,
        input: &Stream,
        reads: usize,
    ) -> Self {
        let lanes = input.lanes / unit.pixels;
        let standing = Standing {
            engine,
            padding: &unit.padding,
            element: input.element,
            lanes,
            parts: unit.map.channels / lanes,
        };
        let read = unit.window.reads_padding(unit.map);
        let part = if standing.differs_by_part() && read { nest.round(WORD) } else { None };
        let mut words = standing.words(context, m, p, part, reads);
        let even = words.remove(0);
        let words = match words.pop().filter(|_| read) {
            None => [even.clone(), even],
            Some(odd) => {
                m.section("Whether row + column of the first place is odd");
                let first = first_is_odd(unit, raster, nest);
                let first = Delay::new(m, p, "first_is_odd", first, reads, false).at(reads);
                let swapped = mux(first.clone(), odd.clone(), even.clone());
                [swapped, mux(first, even, odd)]
            }
        };
        let Window { stride, dilation, .. } = unit.window;
        Self { words, stride: stride[1], dilation }
    }

    fn at(&self, window: usize, [ky, kx]: [usize; 2]) -> Expr {
        let place = ky * self.dilation[0] + window * self.stride + kx * self.dilation[1];
        self.words[place % 2].clone()
    }
}

/// Whether row + column of the first place of the windows that a step completes is odd: lines count
/// rows, and slots their pixels.
fn first_is_odd(unit: &ParallelWindow, raster: &Raster, nest: &Nest) -> Expr {
    let [(first_line, ..), (first_slot, ..)] = raster.completing();
    let lowest = |level: usize| nest.round(level).map_or(low(), |q| q.bit(0));
    let (line, slot) = (lowest(LINE), lowest(SLOT));
    let odd_slots = unit.pixels % 2;
    let start = (first_line + odd_slots * first_slot) % 2 == 1;
    let counted = if odd_slots == 1 { line ^ slot } else { line };
    if start { !counted } else { counted }
}

/// Which taps lie in the padding, in step with the windows.
struct Outside {
    rows: Vec<Option<Expr>>,
    /// By window and kernel column.
    columns: Vec<Vec<Option<Expr>>>,
}

impl Outside {
    fn new(
        m: &mut Module,
        p: &Ports,
        unit: &ParallelWindow,
        raster: &Raster,
        nest: &Nest,
        reads: usize,
    ) -> Self {
        let [of_lines, of_slots] = raster.completing();
        let mut beyond = |name: &str,
                          level: usize,
                          (first, every, n): (usize, usize, usize),
                          inside: Range<usize>| {
            let last = first + (n - 1) * every;
            if inside.contains(&first) && inside.contains(&last) {
                return None;
            }
            let lies = nest.lies_in_now(level, &inside);
            Some(Delay::new(m, p, name, !lies, reads, false).at(reads))
        };
        let rows = (0..unit.window.kernel[0]).map(|ky| {
            beyond(&format!("row_{ky}_outside"), LINE, of_lines, raster.lines_inside(ky))
        });
        let rows = rows.collect();
        let columns = (0..unit.windows()).map(|w| {
            let of = (0..unit.window.kernel[1]).map(|kx| {
                let name = format!("column_{w}_{kx}_outside");
                beyond(&name, SLOT, of_slots, raster.slots_inside(w, kx))
            });
            of.collect()
        });
        Self { columns: columns.collect(), rows }
    }

    fn of(&self, window: usize, [ky, kx]: [usize; 2]) -> Option<Expr> {
        let parts: Vec<Expr> =
            [&self.rows[ky], &self.columns[window][kx]].into_iter().flatten().cloned().collect();
        (!parts.is_empty()).then(|| or_all(parts))
    }
}

/// Names the bits of the histories that no tap reads.
fn sink_unread(
    m: &mut Module,
    unit: &ParallelWindow,
    raster: &Raster,
    histories: &[Expr],
    [slot, pixel]: [usize; 2],
) {
    for (ky, history) in histories.iter().enumerate() {
        let mut read = vec![false; history.width()];
        for window in 0..unit.windows() {
            for kx in 0..unit.window.kernel[1] {
                let tap = raster.tap(window, [ky, kx]);
                let at = tap.slots * slot + tap.pixel * pixel;
                read[at..at + pixel].fill(true);
            }
        }
        // The history itself reads all but its oldest word.
        let word = slot / raster.counts()[2];
        let kept = history.width() - word;
        read[..kept].fill(true);
        let Some(first) = read.iter().position(|read| !read) else { continue };
        m.sink_unused([history.slice(first, history.width() - first)]);
    }
}
