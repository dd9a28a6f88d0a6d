//! `& | ^ + - !` on signals and expressions, by value and by reference.

use std::ops::{Add, BitAnd, BitOr, BitXor, Not, Sub};

use crate::expr::{BinaryOp, Expr, Signal};

/// Concatenation of parts of mixed types, the first part in the highest bits:
/// `cat![valid, &count, lit(3, 0)]`.
#[macro_export]
macro_rules! cat {
    ($($part:expr),+ $(,)?) => {
        $crate::concat([$($crate::Expr::from($part)),+])
    };
}

macro_rules! binary_operator {
    ($operator:ident, $method:ident, $op:expr, $($left:ty),+) => {
        $(impl<R: Into<Expr>> $operator<R> for $left {
            type Output = Expr;

            #[track_caller]
            fn $method(self, right: R) -> Expr {
                Expr::binary($op, self.into(), right.into())
            }
        })+
    };
}

macro_rules! operators {
    ($($left:ty),+) => {
        binary_operator!(BitAnd, bitand, BinaryOp::And, $($left),+);
        binary_operator!(BitOr, bitor, BinaryOp::Or, $($left),+);
        binary_operator!(BitXor, bitxor, BinaryOp::Xor, $($left),+);
        binary_operator!(Add, add, BinaryOp::Add, $($left),+);
        binary_operator!(Sub, sub, BinaryOp::Sub, $($left),+);
        $(impl Not for $left {
            type Output = Expr;

            fn not(self) -> Expr {
                Expr::from(self).negated()
            }
        })+
    };
}

operators!(Signal, &Signal, Expr, &Expr);
