//! Counters. Synthesis puts every sum on a carry chain, however short; a counter of a few bits is smaller
//! and faster as one table for each bit.

use hdl::{Expr, Signal, Value, and_all, high, lit, mux, or_all, pack, zeros};

/// Bits of a counter up to which one table a bit is enough.
const UP: usize = 6;

/// The same of one that goes up and down.
const UP_DOWN: usize = 4;

/// `q + 1`, or 0 after `count - 1`.
pub(crate) fn next(q: Signal, count: usize) -> Expr {
    let width = q.width();
    let step = if width <= UP {
        pack((0..width).map(|i| q.bit(i) ^ are_ones(q, i)))
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
    let less = down & !up;
    if width > UP_DOWN {
        let others = less.replicate(width - 1);
        return q + pack([up ^ down, others]);
    }
    let more = up & !down;
    let bit = |i: usize| {
        let turns = more.clone() & are_ones(q, i) | less.clone() & are_zeros(q, i);
        q.bit(i) ^ turns
    };
    pack((0..width).map(bit))
}

/// Whether all bits below one are 1.
fn are_ones(q: Signal, bit: usize) -> Expr {
    and_all((0..bit).map(|i| q.bit(i)).chain([high()]))
}

/// Whether all bits below one are 0.
fn are_zeros(q: Signal, bit: usize) -> Expr {
    if bit == 0 { high() } else { !or_all((0..bit).map(|i| q.bit(i))) }
}
