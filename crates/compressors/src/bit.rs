//! Wires, and bits: what a wire says, possibly inverted, or a constant.

use std::fmt;

/// A wire of one netlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wire(pub(crate) u32);

impl Wire {
    /// The wire's place among all wires of its netlist; inputs come first.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A bit of a heap: a literal (a wire or its inverse) or a constant.
///
/// Inversions and constants cost nothing where the bit meets a look-up table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bit {
    /// The wire; none for a constant.
    pub wire: Option<Wire>,
    /// Whether the wire is read inverted. A constant is 0 inverted or not.
    pub inverted: bool,
}

impl Bit {
    /// The constant 0.
    pub const ZERO: Self = Self { wire: None, inverted: false };
    /// The constant 1.
    pub const ONE: Self = Self { wire: None, inverted: true };

    /// Whether a pin without a look-up table in front can carry the bit.
    pub fn is_plain(self) -> bool {
        self.wire.is_none() || !self.inverted
    }

    /// The bit when its wire has this value.
    pub(crate) fn of(self, wire: bool) -> bool {
        (self.wire.is_some() && wire) ^ self.inverted
    }
}

impl From<Wire> for Bit {
    fn from(wire: Wire) -> Self {
        Self { wire: Some(wire), inverted: false }
    }
}

impl std::ops::Not for Bit {
    type Output = Self;

    fn not(self) -> Self {
        Self { inverted: !self.inverted, ..self }
    }
}

impl fmt::Display for Bit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wire {
            None => write!(f, "{}", u8::from(self.inverted)),
            Some(Wire(number)) => {
                let sign = if self.inverted { "~" } else { "" };
                write!(f, "{sign}w{number}")
            }
        }
    }
}

/// Hands out wires.
#[derive(Clone, Debug)]
pub(crate) struct Wires {
    next: u32,
}

impl Wires {
    /// The first `taken` wires are in use.
    pub(crate) fn after(taken: u32) -> Self {
        Self { next: taken }
    }

    pub(crate) fn fresh(&mut self) -> Wire {
        self.next += 1;
        Wire(self.next - 1)
    }

    pub(crate) fn count(&self) -> usize {
        self.next as usize
    }
}
