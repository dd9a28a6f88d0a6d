//! What can be read from signals and expressions.

use crate::expr::{BinaryOp, Expr, Node, ReduceOp, Signal, address_bits, concat, lit, ones, zeros};

/// What a [`Signal`] and an [`Expr`] have in common: reading them. Results are new expressions.
pub trait Value {
    /// This value as an expression.
    fn expr(&self) -> Expr;

    /// Width in bits.
    fn width(&self) -> usize {
        self.expr().width
    }

    /// Bit `index`, one bit wide.
    #[track_caller]
    fn bit(&self, index: usize) -> Expr {
        self.slice(index, 1)
    }

    /// The highest bit: the sign in two's complement.
    fn top_bit(&self) -> Expr {
        self.bit(self.width() - 1)
    }

    /// `width` bits from bit `low` up.
    #[track_caller]
    fn slice(&self, low: usize, width: usize) -> Expr {
        let whole = self.expr();
        let inside = width > 0 && low + width <= whole.width;
        assert!(inside, "hdl: slice of {width} bits from bit {low} of {} bits", whole.width);
        whole.sliced(low, width)
    }

    /// Lane `index` of a word of lanes of `lane_width` bits, lane 0 in the low bits.
    #[track_caller]
    fn lane(&self, index: usize, lane_width: usize) -> Expr {
        self.slice(index * lane_width, lane_width)
    }

    /// All lanes of `lane_width` bits, lane 0 first.
    #[track_caller]
    fn lanes(&self, lane_width: usize) -> Vec<Expr> {
        let width = self.width();
        assert!(width.is_multiple_of(lane_width), "hdl: {width} bits in lanes of {lane_width}");
        (0..width / lane_width).map(|i| self.lane(i, lane_width)).collect()
    }

    /// The bit that `index` points at. The index has exactly [`address_bits`] of the width.
    #[track_caller]
    fn select_bit(&self, index: impl Into<Expr>) -> Expr {
        self.select_lane(index, 1)
    }

    /// The lane that `index` points at, lane 0 in the low bits. The index has exactly
    /// [`address_bits`] of the number of lanes; beyond the last lane the result is undefined.
    #[track_caller]
    fn select_lane(&self, index: impl Into<Expr>, lane_width: usize) -> Expr {
        let (whole, index) = (self.expr(), index.into());
        assert!(whole.width.is_multiple_of(lane_width), "hdl: lanes must fill the word");
        let lanes = whole.width / lane_width;
        assert!(
            index.width == address_bits(lanes),
            "hdl: {lanes} lanes want an index of {} bits, not {}",
            address_bits(lanes),
            index.width
        );
        if lanes == 1 {
            return whole;
        }
        let offset_bits = address_bits(whole.width);
        let offset = if lane_width.is_power_of_two() {
            match lane_width.trailing_zeros() as usize {
                0 => index,
                shift => concat([index, zeros(shift)]),
            }
        } else {
            let wide = index.zero_extend(offset_bits);
            Expr::binary(BinaryOp::Mul, wide, lit(offset_bits, lane_width as u64))
        };
        Expr::new(lane_width, Node::Select(whole, offset))
    }

    /// This value `count` times side by side.
    #[track_caller]
    fn replicate(&self, count: usize) -> Expr {
        assert!(count > 0, "hdl: replication needs a count of at least 1");
        let part = self.expr();
        match (&*part.node, count) {
            (_, 1) => part,
            (Node::Constant(c), _) if c.is_zeros() => zeros(part.width * count),
            (Node::Constant(c), _) if c.is_ones() => ones(part.width * count),
            _ => Expr::new(part.width * count, Node::Replicate(count, part)),
        }
    }

    /// Zeros above, up to `width` bits (at least the present width).
    #[track_caller]
    fn zero_extend(&self, width: usize) -> Expr {
        let part = self.expr();
        assert!(width >= part.width, "hdl: cannot extend {} bits to {width}", part.width);
        match width - part.width {
            0 => part,
            more => concat([zeros(more), part]),
        }
    }

    /// Copies of the top bit above, up to `width` bits (at least the present width).
    #[track_caller]
    fn sign_extend(&self, width: usize) -> Expr {
        let part = self.expr();
        assert!(width >= part.width, "hdl: cannot extend {} bits to {width}", part.width);
        match width - part.width {
            0 => part,
            more => concat([part.top_bit().replicate(more), part]),
        }
    }

    /// Zero-extended or cut to `width` bits.
    #[track_caller]
    fn resize(&self, width: usize) -> Expr {
        if width < self.width() { self.slice(0, width) } else { self.zero_extend(width) }
    }

    /// Sign-extended or cut to `width` bits.
    #[track_caller]
    fn resize_signed(&self, width: usize) -> Expr {
        if width < self.width() { self.slice(0, width) } else { self.sign_extend(width) }
    }

    /// Sum of unsigned operands of any width in `width` bits.
    #[track_caller]
    fn add_wide(&self, other: impl Into<Expr>, width: usize) -> Expr {
        Expr::binary(BinaryOp::Add, self.zero_extend(width), other.into().zero_extend(width))
    }

    /// Sum of signed operands of any width in `width` bits.
    #[track_caller]
    fn add_signed_wide(&self, other: impl Into<Expr>, width: usize) -> Expr {
        Expr::binary(BinaryOp::Add, self.sign_extend(width), other.into().sign_extend(width))
    }

    /// Difference of signed operands of any width in `width` bits.
    #[track_caller]
    fn sub_signed_wide(&self, other: impl Into<Expr>, width: usize) -> Expr {
        Expr::binary(BinaryOp::Sub, self.sign_extend(width), other.into().sign_extend(width))
    }

    /// Signed product, as wide as both operands together.
    fn mul_signed(&self, other: impl Into<Expr>) -> Expr {
        let (a, b) = (self.expr(), other.into());
        let width = a.width + b.width;
        let (a, b) = (a.sign_extend(width), b.sign_extend(width));
        Expr::new(width, Node::SignedBinary(BinaryOp::Mul, a, b))
    }

    /// Unsigned product, as wide as both operands together.
    fn mul(&self, other: impl Into<Expr>) -> Expr {
        let (a, b) = (self.expr(), other.into());
        let width = a.width + b.width;
        Expr::binary(BinaryOp::Mul, a.zero_extend(width), b.zero_extend(width))
    }

    /// Two's complement negation in the same width.
    fn negate(&self) -> Expr {
        Expr::binary(BinaryOp::Sub, zeros(self.width()), self.expr())
    }

    /// Shifted up by a run-time `amount`, zeros moving in; the width stays.
    fn shift_up(&self, amount: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Shl, self.expr(), amount.into())
    }

    /// Shifted down by a run-time `amount`, zeros moving in; the width stays.
    fn shift_down(&self, amount: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Shr, self.expr(), amount.into())
    }

    /// `==`
    #[track_caller]
    fn equals(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Eq, self.expr(), other.into())
    }

    /// `!=`
    #[track_caller]
    fn differs(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Ne, self.expr(), other.into())
    }

    /// `== value`, the value taken in this width. Panics when it does not fit.
    #[track_caller]
    fn is(&self, value: u64) -> Expr {
        self.equals(lit(self.width(), value))
    }

    /// Unsigned `<`
    #[track_caller]
    fn less_than(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Lt, self.expr(), other.into())
    }

    /// Unsigned `<=`
    #[track_caller]
    fn at_most(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Le, self.expr(), other.into())
    }

    /// Unsigned `>`
    #[track_caller]
    fn greater_than(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Gt, self.expr(), other.into())
    }

    /// Unsigned `>=`
    #[track_caller]
    fn at_least(&self, other: impl Into<Expr>) -> Expr {
        Expr::binary(BinaryOp::Ge, self.expr(), other.into())
    }

    /// Signed `<`
    #[track_caller]
    fn less_than_signed(&self, other: impl Into<Expr>) -> Expr {
        Expr::signed_compare(BinaryOp::Lt, self.expr(), other.into())
    }

    /// Signed `<=`
    #[track_caller]
    fn at_most_signed(&self, other: impl Into<Expr>) -> Expr {
        Expr::signed_compare(BinaryOp::Le, self.expr(), other.into())
    }

    /// Signed `>`
    #[track_caller]
    fn greater_than_signed(&self, other: impl Into<Expr>) -> Expr {
        Expr::signed_compare(BinaryOp::Gt, self.expr(), other.into())
    }

    /// Signed `>=`
    #[track_caller]
    fn at_least_signed(&self, other: impl Into<Expr>) -> Expr {
        Expr::signed_compare(BinaryOp::Ge, self.expr(), other.into())
    }

    /// One bit: AND of all bits.
    fn all_ones(&self) -> Expr {
        self.expr().reduced(ReduceOp::And)
    }

    /// One bit: OR of all bits.
    fn any_one(&self) -> Expr {
        self.expr().reduced(ReduceOp::Or)
    }

    /// One bit: XOR of all bits.
    fn parity(&self) -> Expr {
        self.expr().reduced(ReduceOp::Xor)
    }
}

impl Value for Expr {
    fn expr(&self) -> Expr {
        self.clone()
    }

    fn width(&self) -> usize {
        self.width
    }
}

impl Value for Signal {
    fn expr(&self) -> Expr {
        self.into()
    }

    fn width(&self) -> usize {
        self.width as usize
    }
}
