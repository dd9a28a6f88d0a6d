//! A carry chain as a sum in operators.
//!
//! A chain gives one bit for each of its columns (its counters hand everything else to each other),
//! so what it gives is the binary form of the sum of what it takes: an addition says the same.

use std::collections::BTreeSet;

use hdl::{Expr, Value, bits_for, pack, sum, zeros};

use crate::bit::{Bit, Wire};
use crate::counter::Counter;
use crate::verilog::Writer;

/// Bits of a column up to which they are rows of a sum; more are counted first.
const ROWS: usize = 3;

impl Writer {
    /// The chain as an addition of all that comes from outside of it.
    pub(crate) fn sum(&mut self, name: &str, chain: &[Counter]) {
        let own: BTreeSet<Wire> = chain.iter().flat_map(Counter::drives).collect();
        let taken: BTreeSet<Bit> =
            chain.iter().flat_map(|counter| counter.takes.iter().map(|t| t.0)).collect();
        let all = chain.iter().flat_map(|counter| &counter.gives);
        let gives: Vec<(Wire, usize)> =
            all.filter(|(wire, _)| !taken.contains(&(*wire).into())).copied().collect();
        let from = gives.iter().map(|give| give.1).min().expect("a chain gives something");
        let width = gives.iter().map(|give| give.1 + 1 - from).max().unwrap_or(1);
        let mut columns: Vec<Vec<Expr>> = vec![Vec::new(); width];
        for (bit, column) in chain.iter().flat_map(|counter| &counter.takes) {
            if bit.wire.is_none_or(|wire| !own.contains(&wire)) {
                columns[column - from].push(self.value(*bit));
            }
        }
        let mut terms = Vec::new();
        for (column, bits) in columns.iter_mut().enumerate().filter(|(_, b)| b.len() > ROWS) {
            let bits = std::mem::take(bits);
            let count_bits = bits_for(bits.len()).min(width - column);
            let count = sum(count_bits, bits);
            let count = self.module.net(&format!("{name}_count{column}"), count);
            let low = (column > 0).then(|| zeros(column));
            terms.push(pack(low.into_iter().chain([count.expr()])).zero_extend(width));
        }
        for row in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
            let bit = |bits: &Vec<Expr>| bits.get(row).cloned().unwrap_or_else(|| zeros(1));
            terms.push(pack(columns.iter().map(bit)));
        }
        let total = self.module.net(&format!("{name}_sum"), sum(width, terms));
        for (wire, column) in gives {
            self.set(wire, total.bit(column - from));
            self.sink_unread(wire);
        }
    }
}
