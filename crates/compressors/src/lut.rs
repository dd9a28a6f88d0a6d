//! Look-up tables, their contents computed from functions.

use crate::bit::{Bit, Wire};

/// A `LUT1` to `LUT6`, or with a second output a `LUT6_2`.
///
/// Bit `k` of `init` is the output when pin `i` carries bit `i` of `k`. In a `LUT6_2` the low half
/// is O5, and O6 reads the high half while I5 is high and the low half while it is low.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lut {
    /// I0 first: wires and constants, never inverted. A `LUT6_2` has all six.
    pub pins: Vec<Bit>,
    /// The table.
    pub init: u64,
    /// O, or O6.
    pub o6: Wire,
    /// O5.
    pub o5: Option<Wire>,
}

impl Lut {
    /// `function` of one to six bits.
    ///
    /// Inversions go into the table; constants take no pin.
    pub(crate) fn single(bits: &[Bit], o6: Wire, function: impl Fn(&[bool]) -> bool) -> Self {
        let mut pins: Vec<Bit> = bits.iter().filter_map(|bit| bit.wire.map(Bit::from)).collect();
        assert!(pins.len() <= 6, "a table has six pins");
        let init = table(bits, pins.len(), function);
        if pins.is_empty() {
            pins.push(Bit::ZERO);
        }
        Self { pins, init, o6, o5: None }
    }

    /// Two functions: O5 of up to five bits, O6 of the same and `sixth` as the last.
    ///
    /// Pin I5 has no table in front of it: `sixth` is a plain wire or a constant, and where it can
    /// be 0 the two functions must agree.
    pub(crate) fn dual(
        five: &[Bit],
        sixth: Bit,
        (o6, o5): (Wire, Wire),
        six_function: impl Fn(&[bool]) -> bool,
        five_function: impl Fn(&[bool]) -> bool,
    ) -> Self {
        assert!(five.len() <= 5 && sixth.is_plain(), "I5 of a LUT6_2 cannot invert");
        let with = |last: bool| {
            let function = &six_function;
            move |values: &[bool]| function(&[values, &[last]].concat())
        };
        let mut pins: Vec<Bit> = five.iter().filter_map(|bit| bit.wire.map(Bit::from)).collect();
        pins.resize(5, Bit::ZERO);
        let low = table(five, 5, five_function);
        let high = table(five, 5, with(true));
        assert!(sixth == Bit::ONE || low == table(five, 5, with(false)), "O6 with I5 low is O5");
        pins.push(sixth);
        Self { pins, init: low | high << 32, o6, o5: Some(o5) }
    }

    /// O6 over 64 vectors; `value` gives those of a bit.
    pub(crate) fn o6(&self, value: impl Fn(Bit) -> u64) -> u64 {
        look_up(self.init, &self.pins, value)
    }

    /// O5 over 64 vectors.
    pub(crate) fn o5(&self, value: impl Fn(Bit) -> u64) -> u64 {
        look_up(self.init & u64::from(u32::MAX), &self.pins[..5], value)
    }
}

/// The table of a function of bits, of which those with a wire have a pin each, in order.
fn table(bits: &[Bit], pins: usize, function: impl Fn(&[bool]) -> bool) -> u64 {
    let entry = |index: u64| {
        let mut pin = 0;
        let values = bits.iter().map(|bit| {
            let wire = bit.wire.is_some() && index >> pin & 1 == 1;
            pin += usize::from(bit.wire.is_some());
            bit.of(wire)
        });
        function(&values.collect::<Vec<_>>())
    };
    // A table without pins is printed with one.
    (0..1u64 << pins.max(1)).fold(0, |init, index| init | u64::from(entry(index)) << index)
}

fn look_up(init: u64, pins: &[Bit], value: impl Fn(Bit) -> u64) -> u64 {
    let values: Vec<u64> = pins.iter().map(|pin| value(*pin)).collect();
    let entries = (0..1u64 << pins.len()).filter(|index| init >> index & 1 == 1);
    entries.fold(0, |out, index| {
        let pick = |all: u64, (pin, value): (usize, &u64)| {
            all & if index >> pin & 1 == 1 { *value } else { !value }
        };
        out | values.iter().enumerate().fold(u64::MAX, pick)
    })
}

/// Whether an odd number of bits is 1.
pub(crate) fn parity(values: &[bool]) -> bool {
    ones(values) % 2 == 1
}

/// How many bits are 1.
pub(crate) fn ones(values: &[bool]) -> usize {
    values.iter().filter(|value| **value).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inversions_and_constants_go_into_the_table() {
        let (a, b, o) = (Bit::from(Wire(0)), Bit::from(Wire(1)), Wire(2));
        let and = |values: &[bool]| values.iter().all(|v| *v);
        assert_eq!(Lut::single(&[a, b], o, and).init, 0b1000);
        assert_eq!(Lut::single(&[a, !b], o, and).init, 0b0010);
        let with_one = Lut::single(&[a, Bit::ONE, b], o, and);
        assert_eq!((with_one.pins.len(), with_one.init), (2, 0b1000));
        assert_eq!(Lut::single(&[Bit::ONE], o, and).init, 0b11);
    }

    #[test]
    fn a_full_adder_has_its_known_table() {
        let bits = [0, 1, 2].map(|i| Bit::from(Wire(i)));
        let lut =
            Lut::dual(&bits, Bit::ONE, (Wire(3), Wire(4)), |v| parity(&v[..3]), |v| ones(v) >= 2);
        assert_eq!(lut.init, 0x9696_9696_e8e8_e8e8);
        let values = [0b1100, 0b1010, 0b1111];
        let value = |bit: Bit| {
            bit.wire.map_or(0, |w| values[w.index()]) ^ u64::from(bit.inverted).wrapping_neg()
        };
        assert_eq!((lut.o6(value) & 15, lut.o5(value) & 15), (0b1001, 0b1110));
    }
}
