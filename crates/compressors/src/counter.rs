//! Counters as data: the tables and carry positions of one cell of a compressor tree.
//!
//! Each takes bits of certain columns and gives bits whose weighted sum is the same (modulo the
//! width of the heap). What a counter gives follows from its tables alone; `check` compares.

use crate::bit::{Bit, Wire, Wires};
use crate::lut::{Lut, ones, parity};

/// A generalised parallel counter (GPC) made of primitives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Which one.
    pub kind: Kind,
    /// Its look-up tables, in the order in which they depend on each other.
    pub luts: Vec<Lut>,
    /// Its positions on the carry chain, low first; none for a counter without a chain.
    pub carries: Vec<Carry>,
    /// Bits that it counts, with their columns; the carry in is the last.
    pub takes: Vec<(Bit, usize)>,
    /// Bits of the sum, with their columns.
    pub gives: Vec<(Wire, usize)>,
}

/// The counters, with the names of `docs/decisions/0013-compressor-trees.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// (7;3): six bits and the carry in, on two positions of the carry chain.
    Six,
    /// (3;2) in a `LUT6_2`.
    FullAdder,
    /// Up to six bits of the top column: their sum modulo 2.
    Parity,
    /// A position of a ternary adder: three bits, one more on the way up, the carry in.
    Ternary,
    /// A position of a plain adder: two bits and the carry in.
    Two,
    /// The top position of an adder: up to six bits and the carry in, modulo 2.
    Top,
    /// Makes an inverted bit plain, for a pin that has no table.
    Inverter,
}

/// One position of a carry chain: an XORCY and a MUXCY of a `CARRY4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carry {
    /// Propagates the carry in while high.
    pub s: Bit,
    /// The carry out while `s` is low.
    pub di: Bit,
    /// The carry in.
    pub ci: Bit,
    /// `s ^ ci`
    pub o: Wire,
    /// `s ? ci : di`
    pub co: Wire,
}

impl Kind {
    /// Sites of look-up tables that one takes.
    pub fn luts(self) -> usize {
        match self {
            Self::Six => 2,
            _ => 1,
        }
    }
}

impl Counter {
    /// Up to six bits and a carry in of one column.
    ///
    /// The first table has the parity of all bits at O6 and that of all but the first at O5: where
    /// the position does not propagate these are equal, so O5 is the carry out and no further pin
    /// is needed. The second has the higher bits of the count of all but the first. The first bit
    /// and the carry in must be plain.
    pub(crate) fn six(wires: &mut Wires, at: Place, bits: &[Bit], carry_in: Bit) -> Self {
        let (first, five) = (bits[0], &bits[1..]);
        let [s, di, s_high, di_high] = [(); 4].map(|()| wires.fresh());
        let low = Lut::dual(five, first, (s, di), parity, parity);
        let high = Lut::dual(
            five,
            Bit::ONE,
            (s_high, di_high),
            |values| ones(&values[..five.len()]) & 2 != 0,
            |values| ones(values) & 4 != 0,
        );
        let first = Carry::new(wires, s.into(), di.into(), carry_in);
        let second = Carry::new(wires, s_high.into(), di_high.into(), first.co.into());
        Self {
            kind: Kind::Six,
            luts: vec![low, high],
            carries: vec![first, second],
            takes: at.taken(bits, carry_in),
            gives: at.given(&[(first.o, 0), (second.o, 1), (second.co, 2)]),
        }
    }

    /// Three bits of one column.
    pub(crate) fn full_adder(wires: &mut Wires, at: Place, bits: &[Bit]) -> Self {
        let (sum, carry) = (wires.fresh(), wires.fresh());
        let outputs = (sum, carry);
        let lut =
            Lut::dual(bits, Bit::ONE, outputs, |v| parity(&v[..bits.len()]), |v| ones(v) >= 2);
        Self {
            kind: Kind::FullAdder,
            luts: vec![lut],
            carries: Vec::new(),
            takes: at.taken(bits, Bit::ZERO),
            gives: at.given(&[(sum, 0), (carry, 1)]),
        }
    }

    /// Up to six bits of the top column.
    pub(crate) fn parity(wires: &mut Wires, at: Place, bits: &[Bit]) -> Self {
        let sum = wires.fresh();
        Self {
            kind: Kind::Parity,
            luts: vec![Lut::single(bits, sum, parity)],
            carries: Vec::new(),
            takes: at.taken(bits, Bit::ZERO),
            gives: at.given(&[(sum, 0)]),
        }
    }

    /// A plain wire for an inverted bit.
    pub(crate) fn inverter(wires: &mut Wires, at: Place, bit: Bit) -> Self {
        Self { kind: Kind::Inverter, ..Self::parity(wires, at, &[bit]) }
    }

    /// A ternary position: three bits, `middle` (plain) and the carry in. The second of what it
    /// gives is the middle bit of the next position.
    ///
    /// The two tables share a site. They are two cells, because a `LUT6_2` has a path from `middle`
    /// to the next one in the eyes of timing tools.
    pub(crate) fn ternary(
        wires: &mut Wires,
        at: Place,
        three: &[Bit],
        middle: Bit,
        carry_in: Bit,
    ) -> Self {
        let bits = [three, &[middle]].concat();
        let (s, next) = (wires.fresh(), wires.fresh());
        let luts = vec![Lut::single(&bits, s, parity), Lut::single(three, next, |v| ones(v) >= 2)];
        let carry = Carry::new(wires, s.into(), middle, carry_in);
        Self {
            kind: Kind::Ternary,
            luts,
            carries: vec![carry],
            takes: at.taken(&bits, carry_in),
            gives: at.given(&[(carry.o, 0), (next, 1), (carry.co, 1)]),
        }
    }

    /// A plain position: one or two bits and the carry in.
    pub(crate) fn two(wires: &mut Wires, at: Place, bits: &[Bit], carry_in: Bit) -> Self {
        let (s, di) = (wires.fresh(), wires.fresh());
        let both = |v: &[bool]| parity(&v[..bits.len()]);
        // Of two equal bits each is the carry; one bit alone makes none.
        let lut = Lut::dual(bits, Bit::ONE, (s, di), both, |v| v.len() == 2 && v[0]);
        let carry = Carry::new(wires, s.into(), di.into(), carry_in);
        Self {
            kind: Kind::Two,
            luts: vec![lut],
            carries: vec![carry],
            takes: at.taken(bits, carry_in),
            gives: at.given(&[(carry.o, 0), (carry.co, 1)]),
        }
    }

    /// The top position of a chain: up to six bits and the carry in.
    pub(crate) fn top(wires: &mut Wires, at: Place, bits: &[Bit], carry_in: Bit) -> Self {
        let s = wires.fresh();
        let carry = Carry::new(wires, s.into(), Bit::ZERO, carry_in);
        Self {
            kind: Kind::Top,
            luts: vec![Lut::single(bits, s, parity)],
            carries: vec![carry],
            takes: at.taken(bits, carry_in),
            gives: at.given(&[(carry.o, 0)]),
        }
    }

    /// The carry out of its last position, whether something reads it or not.
    pub(crate) fn carry_out(&self) -> Option<Wire> {
        self.carries.last().map(|carry| carry.co)
    }

    /// What a ternary position passes up beside its carry.
    pub(crate) fn middle(&self) -> Option<Wire> {
        (self.kind == Kind::Ternary).then(|| self.luts[1].o6)
    }
}

impl Carry {
    fn new(wires: &mut Wires, s: Bit, di: Bit, ci: Bit) -> Self {
        Self { s, di, ci, o: wires.fresh(), co: wires.fresh() }
    }
}

/// Where a counter stands: its column, and how many columns the heap has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) column: usize,
    pub(crate) width: usize,
}

impl Place {
    fn taken(self, bits: &[Bit], carry_in: Bit) -> Vec<(Bit, usize)> {
        let all = bits.iter().chain([&carry_in]).filter(|bit| **bit != Bit::ZERO);
        all.map(|bit| (*bit, self.column)).collect()
    }

    /// Outputs above the top column are dropped.
    fn given(self, outputs: &[(Wire, usize)]) -> Vec<(Wire, usize)> {
        let all = outputs.iter().map(|(wire, up)| (*wire, self.column + up));
        all.filter(|(_, column)| *column < self.width).collect()
    }
}
