//! Compressor trees as values: stages of counters with a register for every bit after each.

use std::collections::BTreeSet;

use crate::bit::{Bit, Wire};
use crate::counter::{Counter, Kind};

/// A pipelined compressor tree.
///
/// The wires 0 to `inputs` - 1 come from outside. A stage reads the wires that the registers of the
/// stage before drive (the first one the inputs) and its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Netlist {
    /// Number of input wires.
    pub inputs: usize,
    /// Those of them that the last stage reads, whatever the latency.
    pub late: BTreeSet<Wire>,
    /// Number of wires.
    pub wires: usize,
    /// In the order of the pipeline.
    pub stages: Vec<Stage>,
    /// The sum, lowest bit first: after the last register.
    pub outputs: Vec<Bit>,
}

/// Everything between two rows of registers, and the second row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// Counters in the order in which they depend on each other. Each list is one carry chain, or
    /// holds counters without a chain.
    pub chains: Vec<Vec<Counter>>,
    /// Registers: from which wire to which.
    pub registers: Vec<(Wire, Wire)>,
}

impl Netlist {
    /// All counters, stage by stage.
    pub fn counters(&self) -> impl Iterator<Item = &Counter> {
        self.stages.iter().flat_map(|stage| stage.chains.iter().flatten())
    }

    /// Sites of look-up tables.
    pub fn luts(&self) -> usize {
        self.counters().map(|counter| counter.kind.luts()).sum()
    }

    /// Flip-flops.
    pub fn registers(&self) -> usize {
        self.stages.iter().map(|stage| stage.registers.len()).sum()
    }

    /// Primitives of the carry chain, of `size` positions each.
    pub fn carries(&self, size: usize) -> usize {
        let chains = self.stages.iter().flat_map(|stage| &stage.chains);
        let positions = |chain: &Vec<Counter>| chain.iter().map(|c| c.carries.len()).sum::<usize>();
        chains.map(|chain| positions(chain).div_ceil(size)).sum()
    }

    /// Cycles from the inputs to the sum.
    pub fn latency(&self) -> usize {
        self.stages.len()
    }

    /// Number of counters of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.counters().filter(|counter| counter.kind == kind).count()
    }

    /// The sum over 64 vectors, a word for each column; `inputs` has a word for each input wire.
    pub fn evaluate(&self, inputs: &[u64]) -> Vec<u64> {
        assert_eq!(inputs.len(), self.inputs, "a word for each input");
        let mut values = Values(inputs.to_vec());
        values.0.resize(self.wires, 0);
        for stage in &self.stages {
            for counter in stage.chains.iter().flatten() {
                values.run(counter);
            }
            for (from, to) in &stage.registers {
                values.0[to.index()] = values.0[from.index()];
            }
        }
        self.outputs.iter().map(|bit| values.of(*bit)).collect()
    }
}

/// 64 vectors of every wire.
struct Values(Vec<u64>);

impl Values {
    fn of(&self, bit: Bit) -> u64 {
        let wire = bit.wire.map_or(0, |wire| self.0[wire.index()]);
        if bit.inverted { !wire } else { wire }
    }

    fn run(&mut self, counter: &Counter) {
        counter.run(
            self,
            |values, bit| values.of(bit),
            |values, wire, value| {
                values.0[wire.index()] = value;
            },
        );
    }
}

impl Counter {
    /// Computes every wire that the counter drives, 64 vectors at once, from tables and carries.
    pub(crate) fn run<T>(
        &self,
        values: &mut T,
        get: impl Fn(&T, Bit) -> u64,
        mut set: impl FnMut(&mut T, Wire, u64),
    ) {
        for lut in &self.luts {
            let o6 = lut.o6(|bit| get(values, bit));
            let o5 = lut.o5.map(|wire| (wire, lut.o5(|bit| get(values, bit))));
            set(values, lut.o6, o6);
            if let Some((wire, o5)) = o5 {
                set(values, wire, o5);
            }
        }
        for carry in &self.carries {
            let [s, di, ci] = [carry.s, carry.di, carry.ci].map(|bit| get(values, bit));
            set(values, carry.o, s ^ ci);
            set(values, carry.co, s & ci | !s & di);
        }
    }

    /// Every wire that the counter drives.
    pub(crate) fn drives(&self) -> impl Iterator<Item = Wire> {
        let tables = self.luts.iter().flat_map(|lut| [Some(lut.o6), lut.o5]).flatten();
        tables.chain(self.carries.iter().flat_map(|carry| [carry.o, carry.co]))
    }

    /// Every bit that its tables and carries read.
    pub(crate) fn reads(&self) -> impl Iterator<Item = Bit> {
        let pins = self.luts.iter().flat_map(|lut| lut.pins.iter().copied());
        pins.chain(self.carries.iter().flat_map(|carry| [carry.s, carry.di, carry.ci]))
    }
}
