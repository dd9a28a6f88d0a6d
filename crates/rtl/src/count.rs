//! Counters. Synthesis puts every sum on a carry chain, however short; a counter of a few bits is smaller
//! and faster as one table for each bit.

use hdl::{Expr, Signal, Value, and_all, lit, mux, pack, zeros};

/// Bits of a counter up to which one table a bit is enough.
const UP: usize = 6;

/// The same of one that goes up and down.
const UP_DOWN: usize = 4;

/// `q + 1`, or 0 after `count - 1`.
pub(crate) fn next(q: Signal, count: usize) -> Expr {
    let width = q.width();
    let step = if width <= UP {
        let carries = (1..width).map(|i| q.bit(i) ^ and_all((0..i).map(|low| q.bit(low))));
        pack([!q.bit(0)].into_iter().chain(carries))
    } else {
        q + lit(width, 1)
    };
    if count == 1 << width {
        return step;
    }
    mux(q.is(count as u64 - 1), zeros(width), step)
}

/// `q`, and 1 more with `up`, 1 less with `down`; as it is with both.
pub(crate) fn up_down(q: Signal, up: Signal, down: Signal) -> Expr {
    let width = q.width();
    if width > UP_DOWN {
        return q + pack([up ^ down, (down & !up).replicate(width - 1)]);
    }
    let bit = |i: usize| {
        let below = || (0..i).map(|low| q.bit(low));
        let more = and_all(below().chain([up & !down]));
        let less = and_all(below().map(|bit| !bit).chain([down & !up]));
        q.bit(i) ^ (more | less)
    };
    pack((0..width).map(bit))
}
