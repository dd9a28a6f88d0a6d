//! From a heap and its schedule to the netlist: which bits go into which counter.

use std::collections::{BTreeMap, VecDeque};

use crate::bit::{Bit, Wires};
use crate::counter::{Counter, Place};
use crate::heap::Heap;
use crate::last::Position;
use crate::netlist::{Netlist, Stage};
use crate::schedule::{self, Search, schedule};

impl Heap {
    /// A compressor tree for the heap, with a register after each stage. The same heap and search
    /// give the same netlist.
    pub fn compress(&self, search: &Search) -> Netlist {
        let bits = self.bits();
        let counts: Vec<usize> = bits.iter().map(Vec::len).collect();
        let late: Vec<usize> = self.late.iter().map(|bit| usize::from(bit.is_some())).collect();
        let plan = schedule(&counts, &late, search);
        let inputs = u32::try_from(self.inputs).expect("fewer than 2^32 inputs");
        let mut builder = Builder::new(inputs);
        builder.load(bits);
        let mut stages: Vec<Stage> = Vec::new();
        for planned in &plan.stages {
            builder.compress(planned);
            stages.push(builder.end_of_stage());
        }
        for (column, late) in builder.columns.iter_mut().zip(&self.late) {
            column.extend(late);
        }
        builder.last_chain(&plan.last);
        stages.push(builder.end_of_stage());
        let outputs = builder.columns.iter().map(|column| column.front().copied());
        Netlist {
            inputs: self.inputs,
            late: self.late_inputs.clone(),
            outputs: outputs.map(|bit| bit.unwrap_or(Bit::ZERO)).collect(),
            wires: builder.wires.count(),
            stages,
        }
    }
}

/// One stage under construction.
pub(crate) struct Builder {
    pub(crate) wires: Wires,
    /// Bits that nothing has taken yet.
    columns: Vec<VecDeque<Bit>>,
    /// Bits that the counters of this stage give.
    given: Vec<Vec<Bit>>,
    pub(crate) stage: Stage,
}

impl Builder {
    /// The first `inputs` wires are in use.
    pub(crate) fn new(inputs: u32) -> Self {
        Self {
            wires: Wires::after(inputs),
            columns: Vec::new(),
            given: Vec::new(),
            stage: Stage::default(),
        }
    }

    /// The heap that counters are formed of from now on.
    pub(crate) fn load(&mut self, bits: Vec<Vec<Bit>>) {
        self.given = vec![Vec::new(); bits.len()];
        self.columns = bits.into_iter().map(VecDeque::from).collect();
    }

    /// What its counters leave and give.
    pub(crate) fn unload(&mut self) -> Vec<Vec<Bit>> {
        let columns = std::mem::take(&mut self.columns).into_iter().map(Vec::from);
        let given = std::mem::take(&mut self.given);
        columns.zip(given).map(|(left, given)| [left, given].concat()).collect()
    }

    fn place(&self, column: usize) -> Place {
        Place { column, width: self.columns.len() }
    }

    /// Blocks of all chains, low columns first: a chain takes its first carry from the same bits.
    pub(crate) fn compress(&mut self, planned: &schedule::Stage) {
        for chain in &planned.chains {
            let mut counters: Vec<Counter> = Vec::new();
            for (column, count) in &chain.blocks {
                let below = counters.last().and_then(Counter::carry_out);
                let carry = match below {
                    Some(wire) => wire.into(),
                    None if chain.carry_in => self.plain(*column),
                    None => Bit::ZERO,
                };
                let first = self.plain(*column);
                let mut bits = vec![first];
                bits.extend(self.take(*column, count - 1));
                let at = self.place(*column);
                counters.push(Counter::six(&mut self.wires, at, &bits, carry));
            }
            self.push(counters);
        }
        for column in &planned.adders {
            let (at, bits) = (self.place(*column), self.take(*column, 3));
            let counter = Counter::full_adder(&mut self.wires, at, &bits);
            self.push(vec![counter]);
        }
        let top = self.columns.len() - 1;
        for count in &planned.parities {
            let (at, bits) = (self.place(top), self.take(top, *count));
            let counter = Counter::parity(&mut self.wires, at, &bits);
            self.push(vec![counter]);
        }
    }

    /// The last chain: it is cut where a column passes or has the carry alone.
    pub(crate) fn last_chain(&mut self, positions: &[Position]) {
        let mut counters: Vec<Counter> = Vec::new();
        let mut column = 0;
        for position in positions {
            let below = counters.last().and_then(Counter::carry_out).map(Bit::from);
            // What a ternary position passes up beside the carry is taken here or nowhere.
            let middle = counters.last().and_then(Counter::middle).map(Bit::from);
            let at = self.place(column);
            let carry = |builder: &mut Self, outside: bool| match below {
                Some(carry) => carry,
                None if outside => builder.plain(column),
                None => Bit::ZERO,
            };
            let counter = match position {
                Position::Pass | Position::CarryAlone => None,
                Position::Two { outside } => {
                    let carry = carry(self, *outside);
                    let bits = self.rest(column, middle);
                    Some(Counter::two(&mut self.wires, at, &bits, carry))
                }
                Position::Ternary { outside } => {
                    let middle = match middle {
                        Some(middle) => middle,
                        None if *outside => self.plain(column),
                        None => Bit::ZERO,
                    };
                    let carry = carry(self, false);
                    let bits = self.rest(column, None);
                    Some(Counter::ternary(&mut self.wires, at, &bits, middle, carry))
                }
                Position::Six { outside } => {
                    let carry = carry(self, *outside);
                    let first = middle.unwrap_or_else(|| self.plain(column));
                    let bits = [vec![first], self.rest(column, None)].concat();
                    Some(Counter::six(&mut self.wires, at, &bits, carry))
                }
                Position::Top => {
                    let bits = self.rest(column, middle);
                    Some(match below {
                        Some(carry) => Counter::top(&mut self.wires, at, &bits, carry),
                        None => Counter::parity(&mut self.wires, at, &bits),
                    })
                }
            };
            match counter {
                Some(counter) => counters.push(counter),
                None => self.push(std::mem::take(&mut counters)),
            }
            column += if matches!(position, Position::Six { .. }) { 2 } else { 1 };
        }
        self.push(counters);
    }

    /// Ends a chain. What its counters take of each other does not count as given.
    fn push(&mut self, counters: Vec<Counter>) {
        if counters.is_empty() {
            return;
        }
        let taken: Vec<Bit> = counters.iter().flat_map(|c| c.takes.iter().map(|t| t.0)).collect();
        for (wire, column) in counters.iter().flat_map(|counter| &counter.gives) {
            if !taken.contains(&(*wire).into()) {
                self.given[*column].push((*wire).into());
            }
        }
        self.stage.chains.push(counters);
    }

    /// A bit for a pin without a table: plain where the column has one, else through an inverter.
    fn plain(&mut self, column: usize) -> Bit {
        let bits = &mut self.columns[column];
        let plain = bits.iter().position(|bit| bit.is_plain());
        let bit = bits.remove(plain.unwrap_or(0)).expect("the schedule counts the bits");
        if bit.is_plain() {
            return bit;
        }
        let at = self.place(column);
        let counter = Counter::inverter(&mut self.wires, at, bit);
        let wire = counter.gives[0].0;
        self.stage.chains.push(vec![counter]);
        wire.into()
    }

    /// Bits for pins with a table: inverted ones first.
    fn take(&mut self, column: usize, count: usize) -> Vec<Bit> {
        let bits = &mut self.columns[column];
        let one = |_| {
            let inverted = bits.iter().position(|bit| !bit.is_plain());
            bits.remove(inverted.unwrap_or(0)).expect("the schedule counts the bits")
        };
        (0..count).map(one).collect()
    }

    /// All bits of a column, and one more.
    fn rest(&mut self, column: usize, more: Option<Bit>) -> Vec<Bit> {
        more.into_iter().chain(self.columns[column].drain(..)).collect()
    }

    /// A register for every wire that is left or given, and the next stage's bits.
    fn end_of_stage(&mut self) -> Stage {
        let mut registers = BTreeMap::new();
        for (column, given) in self.columns.iter_mut().zip(&mut self.given) {
            column.extend(given.drain(..));
            for bit in column.iter_mut() {
                let wires = &mut self.wires;
                let register = |wire| *registers.entry(wire).or_insert_with(|| wires.fresh());
                bit.wire = bit.wire.map(register);
            }
        }
        let mut stage = std::mem::take(&mut self.stage);
        stage.registers = registers.into_iter().collect();
        stage
    }
}
