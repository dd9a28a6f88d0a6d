//! Constants of any width, printed as sized hexadecimal literals.

use std::fmt;

/// A bit vector known when the hardware is built. Bit 0 is the lowest bit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constant {
    width: usize,
    /// Low word first; bits at and above `width` are zero.
    words: Vec<u64>,
}

impl Constant {
    /// `value` in `width` bits. Panics when it does not fit.
    #[track_caller]
    pub fn new(width: usize, value: u64) -> Self {
        assert!(width >= 64 || value >> width == 0, "hdl: {value} does not fit in {width} bits");
        Self::from_words(width, &[value])
    }

    /// `value` in two's complement, in `width` bits. Panics when it does not fit.
    #[track_caller]
    pub fn signed(width: usize, value: i64) -> Self {
        let fits = width >= 64
            || (width >= 1 && (-(1i64 << (width - 1))..1i64 << (width - 1)).contains(&value));
        assert!(fits, "hdl: {value} does not fit in {width} signed bits");
        let fill = if value < 0 { u64::MAX } else { 0 };
        let mut words = vec![fill; width.div_ceil(64)];
        words[0] = value as u64;
        Self::from_words(width, &words)
    }

    /// The low `width` bits of `words`, low word first; missing words are zero.
    #[track_caller]
    pub fn from_words(width: usize, words: &[u64]) -> Self {
        assert!(width > 0, "hdl: a constant needs at least one bit");
        let mut own: Vec<u64> = words.iter().copied().take(width.div_ceil(64)).collect();
        own.resize(width.div_ceil(64), 0);
        if !width.is_multiple_of(64) {
            let last = own.len() - 1;
            own[last] &= (1u64 << (width % 64)) - 1;
        }
        Self { width, words: own }
    }

    /// One bit per item, bit 0 first.
    #[track_caller]
    pub fn from_bits(bits: impl IntoIterator<Item = bool>) -> Self {
        let mut words = Vec::new();
        let mut width = 0;
        for bit in bits {
            if width % 64 == 0 {
                words.push(0u64);
            }
            words[width / 64] |= u64::from(bit) << (width % 64);
            width += 1;
        }
        Self::from_words(width, &words)
    }

    /// All bits zero.
    #[track_caller]
    pub fn zeros(width: usize) -> Self {
        Self::from_words(width, &[])
    }

    /// All bits one.
    #[track_caller]
    pub fn ones(width: usize) -> Self {
        Self::from_words(width, &vec![u64::MAX; width.div_ceil(64)])
    }

    /// Width in bits.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Bit `index`, counted from the lowest.
    #[track_caller]
    pub fn bit(&self, index: usize) -> bool {
        assert!(index < self.width, "hdl: bit {index} of a {}-bit constant", self.width);
        self.words[index / 64] >> (index % 64) & 1 == 1
    }

    /// `width` bits from bit `low` up.
    #[track_caller]
    pub fn slice(&self, low: usize, width: usize) -> Self {
        assert!(low + width <= self.width, "hdl: slice {low}+{width} of {} bits", self.width);
        let word = |i: usize| self.words.get(i).copied().unwrap_or(0);
        let (first, shift) = (low / 64, low % 64);
        let words: Vec<u64> = (0..width.div_ceil(64))
            .map(|i| match shift {
                0 => word(first + i),
                _ => word(first + i) >> shift | word(first + i + 1) << (64 - shift),
            })
            .collect();
        Self::from_words(width, &words)
    }

    pub(crate) fn inverted(&self) -> Self {
        let words: Vec<u64> = self.words.iter().map(|w| !w).collect();
        Self::from_words(self.width, &words)
    }

    pub(crate) fn is_zeros(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    pub(crate) fn is_ones(&self) -> bool {
        self.inverted().is_zeros()
    }

    /// The lowest (or highest) number in two's complement.
    pub(crate) fn is_signed_limit(&self, highest: bool) -> bool {
        let top = self.width - 1;
        (0..top).all(|i| self.bit(i) == highest) && self.bit(top) != highest
    }
}

impl fmt::Display for Constant {
    /// `8'hff`; one bit is written `1'b0` or `1'b1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.width == 1 {
            return write!(f, "1'b{}", self.words[0]);
        }
        let top = self.words.iter().rposition(|w| *w != 0).unwrap_or(0);
        write!(f, "{}'h{:x}", self.width, self.words[top])?;
        self.words[..top].iter().rev().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_any_width() {
        assert_eq!(Constant::new(1, 1).to_string(), "1'b1");
        assert_eq!(Constant::new(8, 255).to_string(), "8'hff");
        assert_eq!(Constant::signed(8, -2).to_string(), "8'hfe");
        assert_eq!(Constant::signed(65, -1).to_string(), "65'h1ffffffffffffffff");
        assert_eq!(Constant::from_words(70, &[5, 1]).to_string(), "70'h10000000000000005");
        assert_eq!(Constant::zeros(200).to_string(), "200'h0");
        assert!(Constant::ones(129).is_ones());
    }

    #[test]
    fn slices_cross_words() {
        let c = Constant::from_bits((0..200).map(|i| i % 3 == 0));
        for (low, width) in [(0, 200), (1, 64), (63, 65), (130, 70), (199, 1)] {
            let s = c.slice(low, width);
            assert!((0..width).all(|i| s.bit(i) == c.bit(low + i)));
        }
    }

    #[test]
    fn signed_limits() {
        assert!(Constant::signed(8, -128).is_signed_limit(false));
        assert!(Constant::signed(8, 127).is_signed_limit(true));
        assert!(Constant::signed(1, -1).is_signed_limit(false));
        assert!(!Constant::signed(8, 0).is_signed_limit(false));
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn too_large_is_a_bug() {
        Constant::new(3, 8);
    }
}
