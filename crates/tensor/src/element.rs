//! The type of one element of a tensor or stream.

use diagnostic::{Code, Diagnostic};
use std::{fmt, str::FromStr};

/// The type of one element. Values are always integers; `Fixed` counts in units of 2^-frac.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ElementType {
    /// One bit: 1 is +1, 0 is -1.
    Bipolar,
    /// Unsigned, 1 to 63 bits.
    Uint(u32),
    /// Two's complement, 1 to 63 bits.
    Int(u32),
    /// Two's complement of `bits` bits in units of 2^-`frac`.
    Fixed {
        /// All bits, the sign included.
        bits: u32,
        /// Bits after the binary point.
        frac: u32,
    },
}

impl ElementType {
    /// Width in bits.
    pub fn bits(self) -> u32 {
        match self {
            ElementType::Bipolar => 1,
            ElementType::Uint(bits)
            | ElementType::Int(bits)
            | ElementType::Fixed { bits, frac: _ } => bits,
        }
    }

    /// Smallest value (in units of the last place).
    pub fn min(self) -> i64 {
        match self {
            ElementType::Bipolar => -1,
            ElementType::Uint(_) => 0,
            ElementType::Int(bits) | ElementType::Fixed { bits, frac: _ } => -(1 << (bits - 1)),
        }
    }

    /// Largest value (in units of the last place).
    pub fn max(self) -> i64 {
        match self {
            ElementType::Bipolar => 1,
            ElementType::Uint(bits) => (1 << bits) - 1,
            ElementType::Int(bits) | ElementType::Fixed { bits, frac: _ } => (1 << (bits - 1)) - 1,
        }
    }

    /// Whether the most significant bit counts negatively.
    pub fn is_signed(self) -> bool {
        matches!(self, ElementType::Int(_) | ElementType::Fixed { .. })
    }

    /// Whether `value` is one of this type's values.
    pub fn holds(self, value: i64) -> bool {
        match self {
            ElementType::Bipolar => value == 1 || value == -1,
            ElementType::Uint(_) | ElementType::Int(_) | ElementType::Fixed { .. } => {
                (self.min()..=self.max()).contains(&value)
            }
        }
    }

    /// The bits that stand for `value`, in the low [`bits`](Self::bits) bits.
    ///
    /// # Panics
    /// If the type does not hold the value: that is a bug of the caller.
    pub fn encode(self, value: i64) -> u64 {
        assert!(self.holds(value), "{value} is not a value of {self}");
        match self {
            ElementType::Bipolar => u64::from(value == 1),
            ElementType::Uint(_) => value as u64,
            ElementType::Int(bits) | ElementType::Fixed { bits, frac: _ } => {
                value as u64 & ((1u64 << bits) - 1)
            }
        }
    }

    /// The value that the low bits of `code` stand for.
    pub fn decode(self, code: u64) -> i64 {
        match self {
            ElementType::Bipolar => 2 * (code & 1) as i64 - 1,
            ElementType::Uint(bits) => (code & ((1u64 << bits) - 1)) as i64,
            ElementType::Int(bits) | ElementType::Fixed { bits, frac: _ } => {
                ((code << (64 - bits)) as i64) >> (64 - bits)
            }
        }
    }

    /// The smallest integer type that holds every integer of `low..=high`: unsigned when it can be.
    pub fn smallest(low: i64, high: i64) -> Self {
        assert!(low <= high, "empty range {low}..={high}");
        if low >= 0 {
            ElementType::Uint((64 - (high as u64).leading_zeros()).max(1))
        } else {
            let negative = 64 - ((-(low + 1)) as u64).leading_zeros();
            let positive = if high > 0 { 64 - (high as u64).leading_zeros() } else { 0 };
            ElementType::Int(negative.max(positive) + 1)
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ElementType::Bipolar => write!(f, "bipolar"),
            ElementType::Uint(bits) => write!(f, "uint<{bits}>"),
            ElementType::Int(bits) => write!(f, "int<{bits}>"),
            ElementType::Fixed { bits, frac } => write!(f, "fixed<{bits},{frac}>"),
        }
    }
}

impl FromStr for ElementType {
    type Err = Diagnostic;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || {
            Diagnostic::new(Code::FileFormat, format!("`{text}` is not an element type"))
                .hint("use bipolar, uint<n>, int<n> or fixed<n,frac> with n from 1 to 63")
        };
        let inside = |prefix: &str| text.strip_prefix(prefix).and_then(|t| t.strip_suffix('>'));
        let bits = |t: &str| t.parse().ok().filter(|n| (1..=63).contains(n));
        let parsed = if text == "bipolar" {
            Some(ElementType::Bipolar)
        } else if let Some(t) = inside("uint<") {
            bits(t).map(ElementType::Uint)
        } else if let Some(t) = inside("int<") {
            bits(t).map(ElementType::Int)
        } else if let Some((n, frac)) = inside("fixed<").and_then(|t| t.split_once(',')) {
            bits(n).zip(frac.parse().ok()).map(|(bits, frac)| ElementType::Fixed { bits, frac })
        } else {
            None
        };
        parsed.ok_or_else(bad)
    }
}

impl serde::Serialize for ElementType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for ElementType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|e: Diagnostic| serde::de::Error::custom(e.message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_small_types_survives_encoding() {
        for t in [
            ElementType::Bipolar,
            ElementType::Uint(1),
            ElementType::Uint(5),
            ElementType::Int(1),
            ElementType::Int(6),
            ElementType::Fixed { bits: 7, frac: 3 },
        ] {
            for value in (t.min()..=t.max()).filter(|&v| t.holds(v)) {
                assert_eq!(t.decode(t.encode(value)), value, "{t}");
            }
            assert_eq!(t.to_string().parse::<ElementType>().unwrap(), t);
        }
    }

    #[test]
    fn smallest_type_is_tight() {
        assert_eq!(ElementType::smallest(0, 0), ElementType::Uint(1));
        assert_eq!(ElementType::smallest(0, 255), ElementType::Uint(8));
        assert_eq!(ElementType::smallest(-1, 1), ElementType::Int(2));
        assert_eq!(ElementType::smallest(-1, 0), ElementType::Int(1));
        assert_eq!(ElementType::smallest(-128, 127), ElementType::Int(8));
        assert_eq!(ElementType::smallest(-129, 127), ElementType::Int(9));
    }

    #[test]
    fn malformed_names_are_refused() {
        for text in ["", "uint", "uint<0>", "uint<64>", "int<x>", "fixed<8>", "bipolar "] {
            assert!(text.parse::<ElementType>().is_err(), "{text}");
        }
    }
}
