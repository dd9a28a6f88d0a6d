//! The proof of a netlist by composition.
//!
//! Every counter gives bits with the weighted sum of those that it takes, found by trying all
//! values of these, and every bit of the heap and of each counter is taken exactly once, in its
//! column and in its stage. So the sum of all columns is the same after each stage, and at the end,
//! with one bit a column, it is the output. No case of the whole heap needs to be tried.

use std::collections::{BTreeMap, BTreeSet};

use crate::bit::{Bit, Wire};
use crate::counter::Counter;
use crate::heap::Heap;
use crate::netlist::{Netlist, Stage};

/// What is wrong with a netlist. Stages, and counters of a stage, are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// The weighted sums differ for some values.
    #[error("counter {counter} of stage {stage} does not keep the sum")]
    Sum {
        /// The stage.
        stage: usize,
        /// The counter.
        counter: usize,
    },
    /// A table or carry reads what its counter does not take or make.
    #[error("counter {counter} of stage {stage} reads {bit}, which it does not take")]
    Reads {
        /// The stage.
        stage: usize,
        /// The counter.
        counter: usize,
        /// What it reads.
        bit: Bit,
    },
    /// A carry chain that a slice cannot hold.
    #[error("the carry chain at counter {counter} of stage {stage} cannot be built")]
    Chain {
        /// The stage.
        stage: usize,
        /// The counter.
        counter: usize,
    },
    /// A bit is taken that is not there in this column and stage, or no longer.
    #[error("{bit} in column {column} of stage {stage} is not there to be taken")]
    Absent {
        /// The stage, or that after the last for an output.
        stage: usize,
        /// The column.
        column: usize,
        /// The bit.
        bit: Bit,
    },
    /// A bit is never taken.
    #[error("{bit} in column {column} is not used in stage {stage}")]
    Unused {
        /// The stage, or that after the last for an output.
        stage: usize,
        /// The column.
        column: usize,
        /// The bit.
        bit: Bit,
    },
    /// A wire has two drivers, or drives an input.
    #[error("wire {} has two drivers", .0.index())]
    Driven(Wire),
}

/// Bits that wait to be taken, with their columns, and how often.
type Ledger = BTreeMap<(Bit, usize), usize>;

impl Netlist {
    /// Proves that the netlist sums up the heap.
    pub fn check(&self, heap: &Heap) -> Result<(), Flaw> {
        let mut ledger = Ledger::new();
        for (column, bits) in heap.bits().into_iter().enumerate() {
            bits.into_iter().for_each(|bit| *ledger.entry((bit, column)).or_default() += 1);
        }
        let mut driven: BTreeSet<Wire> = (0..self.inputs as u32).map(Wire).collect();
        let mut drive =
            |wire: Wire| if driven.insert(wire) { Ok(()) } else { Err(Flaw::Driven(wire)) };
        for (number, stage) in self.stages.iter().enumerate() {
            if number + 1 == self.stages.len() {
                for (column, late) in heap.late.iter().enumerate() {
                    late.iter().for_each(|bit| *ledger.entry((*bit, column)).or_default() += 1);
                }
            }
            let mut counter_number = 0;
            for chain in &stage.chains {
                let mut below = None;
                for counter in chain {
                    counter.check(heap.mask(), number, counter_number)?;
                    if !counter.fits_chain(below) {
                        return Err(Flaw::Chain { stage: number, counter: counter_number });
                    }
                    below = counter.carry_out().or(below);
                    for (bit, column) in &counter.takes {
                        take(&mut ledger, *bit, *column, number)?;
                    }
                    counter.drives().try_for_each(&mut drive)?;
                    for (wire, column) in &counter.gives {
                        *ledger.entry(((*wire).into(), *column)).or_default() += 1;
                    }
                    counter_number += 1;
                }
            }
            stage.registers.iter().try_for_each(|(_, to)| drive(*to))?;
            ledger = stage.registered(ledger, number)?;
        }
        let end = self.stages.len();
        for (column, bit) in self.outputs.iter().enumerate() {
            if *bit != Bit::ZERO {
                take(&mut ledger, *bit, column, end)?;
            }
        }
        let left = ledger.into_keys().next();
        left.map_or(Ok(()), |(bit, column)| Err(Flaw::Unused { stage: end, column, bit }))
    }
}

fn take(ledger: &mut Ledger, bit: Bit, column: usize, stage: usize) -> Result<(), Flaw> {
    match ledger.get_mut(&(bit, column)) {
        None => return Err(Flaw::Absent { stage, column, bit }),
        Some(1) => {
            ledger.remove(&(bit, column));
        }
        Some(count) => *count -= 1,
    }
    Ok(())
}

impl Stage {
    /// The bits behind the registers: every waiting wire has one, and every register a bit.
    fn registered(&self, ledger: Ledger, stage: usize) -> Result<Ledger, Flaw> {
        let registers: BTreeMap<Wire, Wire> = self.registers.iter().copied().collect();
        let waiting: BTreeSet<Wire> = ledger.keys().filter_map(|(bit, _)| bit.wire).collect();
        if let Some(wire) = registers.keys().find(|wire| !waiting.contains(wire)) {
            return Err(Flaw::Absent { stage, column: 0, bit: (*wire).into() });
        }
        let next = ledger.into_iter().map(|((bit, column), count)| {
            let wire = match bit.wire {
                None => None,
                Some(wire) => {
                    let register = registers.get(&wire).copied();
                    Some(register.ok_or(Flaw::Unused { stage, column, bit })?)
                }
            };
            Ok(((Bit { wire, ..bit }, column), count))
        });
        next.collect()
    }
}

impl Counter {
    fn check(&self, mask: u64, stage: usize, number: usize) -> Result<(), Flaw> {
        match self.difference() {
            Err(bit) => Err(Flaw::Reads { stage, counter: number, bit }),
            Ok(Some(difference)) if difference & mask == 0 => Ok(()),
            Ok(_) => Err(Flaw::Sum { stage, counter: number }),
        }
    }

    /// Tries all values of the wires that it takes, and joins the differences between the sums of
    /// what it takes and what it gives; none when it gives what it does not drive. An error is a bit
    /// that it reads and neither takes nor makes.
    pub(crate) fn difference(&self) -> Result<Option<u64>, Bit> {
        let wires: BTreeSet<Wire> = self.takes.iter().filter_map(|(bit, _)| bit.wire).collect();
        let wires: Vec<Wire> = wires.into_iter().collect();
        let known: BTreeSet<Wire> = wires.iter().copied().chain(self.drives()).collect();
        let foreign = self.reads().find(|bit| bit.wire.is_some_and(|wire| !known.contains(&wire)));
        if let Some(bit) = foreign {
            return Err(bit);
        }
        if !self.gives.iter().all(|(wire, _)| self.drives().any(|own| own == *wire)) {
            return Ok(None);
        }
        let difference = |values: u64| {
            let mut known: BTreeMap<Wire, bool> =
                wires.iter().enumerate().map(|(i, wire)| (*wire, values >> i & 1 == 1)).collect();
            let get = |known: &BTreeMap<Wire, bool>, bit: Bit| {
                u64::from(bit.of(bit.wire.is_some_and(|wire| known.get(&wire) == Some(&true))))
            };
            let before: u64 = self.takes.iter().map(|(bit, c)| get(&known, *bit) << c).sum();
            self.run(&mut known, get, |known, wire, value| {
                known.insert(wire, value & 1 == 1);
            });
            let after: u64 =
                self.gives.iter().map(|(wire, c)| get(&known, (*wire).into()) << c).sum();
            before.wrapping_sub(after)
        };
        Ok(Some((0..1u64 << wires.len()).fold(0, |joined, values| joined | difference(values))))
    }

    /// Whether its positions join each other and the carry of the chain below, with no pin asked
    /// for two things.
    pub(crate) fn fits_chain(&self, below: Option<Wire>) -> bool {
        let own_table = |di: Bit| self.luts.iter().any(|lut| lut.o5.map(Bit::from) == Some(di));
        let mut below = below;
        self.carries.iter().all(|carry| {
            let joins = match below {
                Some(wire) => carry.ci == wire.into(),
                // Both the first carry and what comes not from O5 go through pin AX.
                None => carry.ci.wire.is_none() || own_table(carry.di),
            };
            below = Some(carry.co);
            joins && carry.ci.is_plain() && carry.di.is_plain() && carry.s.is_plain()
        })
    }
}
