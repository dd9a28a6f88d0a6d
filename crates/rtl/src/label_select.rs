//! Arg-max by a tournament between lanes; top-k by insertion.
//!
//! Values are compared as signed keys wider than the values, complemented when the smallest is
//! wanted; the most negative key, which no value has, stands for "no element". A later element wins
//! only when its key is strictly greater, so ties go to the lowest index.

use crate::context::{Context, Ports};
use crate::control::{Delay, Shape, finish, steps};
use dataflow::LabelSelect;
use hdl::{Expr, Module, ModuleRef, Value, bits_for, concat, lit, lit_signed, mux, pack};

/// Builds the unit of engine `index`.
pub(crate) fn label_select(
    context: &mut Context<'_>,
    index: usize,
    unit: &LabelSelect,
) -> ModuleRef {
    let (input, output) = context.ends(index);
    let engine = context.engine(index).name.clone();
    let mut m = Module::new(&context.name(&engine));
    let which = if unit.smallest { "smallest" } else { "largest" };
    context.describe(&mut m, index, &format!("Indices of the {} {which} elements.", unit.k));
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let words = input.words_per_frame();
    let shape = Shape { words, passes: 1, buffer: 0, credits: unit.credits };
    let control = steps(&mut m, &p, shape);

    let value_bits = input.element.bits() as usize;
    // The complement of the largest unsigned value needs room above the most negative key.
    let key_bits = value_bits + if unit.smallest && !input.element.is_signed() { 2 } else { 1 };
    let index_bits = output.element.bits() as usize;
    let none = lit_signed(key_bits, -(1i64 << (key_bits - 1)));
    let real = input.elements - (words - 1) * input.lanes;
    m.section("Keys of the word");
    let keys: Vec<Expr> = control
        .word
        .lanes(value_bits)
        .into_iter()
        .enumerate()
        .map(|(lane, value)| {
            let signed = input.element.is_signed();
            let wide =
                if signed { value.sign_extend(key_bits) } else { value.zero_extend(key_bits) };
            let key = if unit.smallest { !wide } else { wide };
            if lane < real { key } else { mux(&control.last, none.clone(), key) }
        })
        .collect();
    let keys_q = m.reg("keys_q", key_bits * input.lanes);
    m.register(p.clk, keys_q, pack(keys));

    let result_at = engines::label_select::latency(input.lanes, unit.k) as usize - 1;
    let rounds = result_at - 2;
    let before_best = result_at - 1;
    let taken = Delay::new(&mut m, &p, "taken", control.step.expr(), before_best, true);
    let first = Delay::new(&mut m, &p, "first", control.first.clone(), before_best, false);
    let steps_behind = if words > 1 { before_best } else { 0 };
    let word = Delay::new(&mut m, &p, "word", control.word_index.clone(), steps_behind, false);

    // The winner of each lane group: key and lane.
    let lane_bits = bits_for(input.lanes - 1);
    let mut players: Vec<(Expr, Expr)> = keys_q
        .lanes(key_bits)
        .into_iter()
        .enumerate()
        .map(|(lane, key)| (key, lit(lane_bits, lane as u64)))
        .collect();
    for round in 1..=rounds {
        m.section(&format!("Tournament, round {round}"));
        let winners: Vec<Expr> = players
            .chunks(2)
            .map(|pair| match pair {
                [a, b] => {
                    let later = b.0.greater_than_signed(a.0.clone());
                    concat([mux(&later, &b.1, &a.1), mux(&later, &b.0, &a.0)])
                }
                [a] => concat([a.1.clone(), a.0.clone()]),
                _ => unreachable!("chunks of two"),
            })
            .collect();
        let entry = key_bits + lane_bits;
        let q = m.reg(&format!("round_{round}_q"), entry * winners.len());
        m.register(p.clk, q, pack(winners));
        players = q
            .lanes(entry)
            .into_iter()
            .map(|e| (e.slice(0, key_bits), e.slice(key_bits, lane_bits)))
            .collect();
    }
    let (key, lane) = players.remove(0);
    let position = global_index(&word.at(steps_behind), words, input.lanes, lane, index_bits);

    m.section("Best so far");
    let best: Vec<(hdl::Signal, hdl::Signal)> = (0..unit.k)
        .map(|rank| {
            (
                m.reg(&format!("key_{rank}_q"), key_bits),
                m.reg(&format!("index_{rank}_q"), index_bits),
            )
        })
        .collect();
    let first = first.at(before_best);
    let beats: Vec<Expr> = best
        .iter()
        .map(|(k, _)| {
            let old = mux(&first, none.clone(), *k);
            key.greater_than_signed(old)
        })
        .collect();
    let taken = taken.at(before_best);
    for (rank, &(key_q, index_q)) in best.iter().enumerate() {
        let old_key = mux(&first, none.clone(), key_q);
        let (pushed_key, pushed_index) = match rank.checked_sub(1) {
            None => (key.clone(), position.clone()),
            Some(above) => {
                let (k, i) = best[above];
                let above_key = mux(&first, none.clone(), k);
                (mux(&beats[above], above_key, &key), mux(&beats[above], i, &position))
            }
        };
        m.register_enabled(p.clk, taken.clone(), key_q, mux(&beats[rank], pushed_key, old_key));
        m.register_enabled(p.clk, taken.clone(), index_q, mux(&beats[rank], pushed_index, index_q));
    }
    let result = pack(best.iter().map(|&(_, i)| i));
    let done = Delay::new(&mut m, &p, "done", control.step & &control.last, result_at, true);
    finish(context, &mut m, &p, &control, done.at(result_at), result);
    context.library.define(m)
}

/// `word * lanes + lane`.
fn global_index(word: &Expr, words: usize, lanes: usize, lane: Expr, bits: usize) -> Expr {
    if words == 1 {
        return lane.resize(bits);
    }
    if lanes == 1 {
        return word.resize(bits);
    }
    let base = if lanes.is_power_of_two() {
        let shift = lanes.ilog2() as usize;
        pack([lit(shift, 0), word.clone()])
    } else {
        word.mul(lit(bits_for(lanes), lanes as u64))
    };
    base.resize(bits) + lane.resize(bits)
}
