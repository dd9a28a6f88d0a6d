//! Expressions with explicit widths, checked when they are built.

use std::sync::Arc;

use crate::constant::Constant;
use crate::memory::Memory;
use crate::value::Value;

/// A port, wire or register of one [`Module`](crate::Module): a small copyable handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal {
    pub(crate) module: u32,
    pub(crate) index: u32,
    pub(crate) width: u32,
}

/// A combinational value of known width.
///
/// Built from [`Signal`]s and [`Constant`]s with the operators `& | ^ ! + -` (equal widths), the
/// methods of [`Value`] and the functions [`mux`], [`concat()`], [`lit`]. Cloning is cheap.
/// A width mismatch panics at the line that made it.
#[derive(Clone, Debug)]
pub struct Expr {
    pub(crate) node: Arc<Node>,
    pub(crate) width: usize,
}

#[derive(Debug)]
pub(crate) enum Node {
    Signal(Signal),
    Constant(Constant),
    Not(Expr),
    Binary(BinaryOp, Expr, Expr),
    /// Operands read as two's complement.
    SignedBinary(BinaryOp, Expr, Expr),
    Reduce(ReduceOp, Expr),
    Mux(Expr, Expr, Expr),
    /// Highest part first, as in Verilog.
    Concat(Vec<Expr>),
    Replicate(usize, Expr),
    Slice(Expr, usize),
    /// Bits from a run-time offset up.
    Select(Expr, Expr),
    /// One word of a memory.
    Word(Memory, Expr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    And,
    Or,
    Xor,
    Add,
    Sub,
    Mul,
    Shl,
    Shr,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl BinaryOp {
    /// Whether `a first b self c` reads as `(a first b) self c` without parentheses.
    pub(crate) fn continues(self, first: Self) -> bool {
        let is_sum = |op| matches!(op, Self::Add | Self::Sub);
        match self {
            Self::And | Self::Or | Self::Xor => self == first,
            Self::Add | Self::Sub => is_sum(first),
            _ => false,
        }
    }

    /// A comparison with its only constant on the right.
    fn constant_last(self, a: Expr, b: Expr) -> (Self, Expr, Expr) {
        let is_constant = |e: &Expr| matches!(&*e.node, Node::Constant(_));
        if !is_constant(&a) || is_constant(&b) {
            return (self, a, b);
        }
        let mirrored = match self {
            Self::Lt => Self::Gt,
            Self::Gt => Self::Lt,
            Self::Le => Self::Ge,
            Self::Ge => Self::Le,
            _ => self,
        };
        (mirrored, b, a)
    }

    /// The comparison that holds where this one does not.
    fn opposite(self) -> Option<Self> {
        match self {
            Self::Eq => Some(Self::Ne),
            Self::Ne => Some(Self::Eq),
            Self::Lt => Some(Self::Ge),
            Self::Ge => Some(Self::Lt),
            Self::Gt => Some(Self::Le),
            Self::Le => Some(Self::Gt),
            Self::And | Self::Or | Self::Xor => None,
            Self::Add | Self::Sub | Self::Mul | Self::Shl | Self::Shr => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReduceOp {
    And,
    Or,
    Xor,
}

/// Bits that address `depth` words: at least 1, so that every address is a real signal.
pub fn address_bits(depth: usize) -> usize {
    bits_for(depth.saturating_sub(1))
}

/// Bits that hold the unsigned number `value`: at least 1.
pub fn bits_for(value: usize) -> usize {
    (usize::BITS - value.leading_zeros()).max(1) as usize
}

/// `value` as a constant of `width` bits. Panics when it does not fit.
#[track_caller]
pub fn lit(width: usize, value: u64) -> Expr {
    Constant::new(width, value).into()
}

/// `value` as a two's complement constant of `width` bits. Panics when it does not fit.
#[track_caller]
pub fn lit_signed(width: usize, value: i64) -> Expr {
    Constant::signed(width, value).into()
}

/// `width` zero bits.
#[track_caller]
pub fn zeros(width: usize) -> Expr {
    Constant::zeros(width).into()
}

/// `width` one bits.
#[track_caller]
pub fn ones(width: usize) -> Expr {
    Constant::ones(width).into()
}

/// One bit, 0.
pub fn low() -> Expr {
    zeros(1)
}

/// One bit, 1.
pub fn high() -> Expr {
    ones(1)
}

/// `condition ? when_high : when_low`. The condition has one bit, the branches equal widths.
#[track_caller]
pub fn mux(
    condition: impl Into<Expr>,
    when_high: impl Into<Expr>,
    when_low: impl Into<Expr>,
) -> Expr {
    let (c, a, b) = (condition.into(), when_high.into(), when_low.into());
    assert!(c.width == 1, "hdl: a mux condition has 1 bit, this one {}", c.width);
    assert!(a.width == b.width, "hdl: mux of {} and {} bits", a.width, b.width);
    match c.constant_bit() {
        Some(true) => a,
        Some(false) => b,
        None => Expr::new(a.width, Node::Mux(c, a, b)),
    }
}

/// `{first, second, ...}`: the first part takes the highest bits, as in Verilog.
/// Parts of different types: [`cat!`](crate::cat).
#[track_caller]
pub fn concat<P: Into<Expr>>(parts_high_first: impl IntoIterator<Item = P>) -> Expr {
    let mut parts: Vec<Expr> = Vec::new();
    for part in parts_high_first.into_iter().map(Into::into) {
        match &*part.node {
            Node::Concat(inner) => parts.extend(inner.iter().cloned()),
            _ => parts.push(part),
        }
    }
    assert!(!parts.is_empty(), "hdl: a concatenation needs at least one part");
    let mut parts = joined_constants(&parts);
    if parts.len() == 1 {
        return parts.remove(0);
    }
    Expr::new(parts.iter().map(|p| p.width).sum(), Node::Concat(parts))
}

/// The parts with neighbouring constants made one.
fn joined_constants(parts: &[Expr]) -> Vec<Expr> {
    let constant = |part: &Expr| match &*part.node {
        Node::Constant(c) => Some(c.clone()),
        _ => None,
    };
    let is_constant = |part: &Expr| matches!(&*part.node, Node::Constant(_));
    let mut joined = Vec::new();
    for run in parts.chunk_by(|a, b| is_constant(a) && is_constant(b)) {
        match run {
            [single] => joined.push(single.clone()),
            run => {
                let low_first = run.iter().rev().filter_map(constant);
                let bits = low_first.flat_map(|c| (0..c.width()).map(move |i| c.bit(i)));
                joined.push(Constant::from_bits(bits.collect::<Vec<_>>()).into());
            }
        }
    }
    joined
}

/// Concatenation of lanes: item 0 takes the lowest bits (the order of stream words).
#[track_caller]
pub fn pack<P: Into<Expr>>(lanes_low_first: impl IntoIterator<Item = P>) -> Expr {
    let mut lanes: Vec<Expr> = lanes_low_first.into_iter().map(Into::into).collect();
    lanes.reverse();
    concat(lanes)
}

/// AND of all items (equal widths, at least one).
#[track_caller]
pub fn and_all<P: Into<Expr>>(items: impl IntoIterator<Item = P>) -> Expr {
    fold(items, BinaryOp::And)
}

/// OR of all items (equal widths, at least one).
#[track_caller]
pub fn or_all<P: Into<Expr>>(items: impl IntoIterator<Item = P>) -> Expr {
    fold(items, BinaryOp::Or)
}

/// XOR of all items (equal widths, at least one).
#[track_caller]
pub fn xor_all<P: Into<Expr>>(items: impl IntoIterator<Item = P>) -> Expr {
    fold(items, BinaryOp::Xor)
}

/// Sum of unsigned items (at least one), each extended to `width` bits first.
#[track_caller]
pub fn sum<P: Into<Expr>>(width: usize, items: impl IntoIterator<Item = P>) -> Expr {
    fold(items.into_iter().map(|item| item.into().zero_extend(width)), BinaryOp::Add)
}

#[track_caller]
fn fold<P: Into<Expr>>(items: impl IntoIterator<Item = P>, op: BinaryOp) -> Expr {
    let mut items = items.into_iter().map(Into::into);
    let mut result: Expr = items.next().expect("hdl: a fold needs at least one item");
    for item in items {
        result = Expr::binary(op, result, item);
    }
    result
}

impl Expr {
    pub(crate) fn new(width: usize, node: Node) -> Self {
        Self { node: Arc::new(node), width }
    }

    /// Result as wide as the operands, or one bit for a comparison.
    #[track_caller]
    pub(crate) fn binary(op: BinaryOp, a: Expr, b: Expr) -> Self {
        use BinaryOp::{And, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Shl, Shr, Sub, Xor};
        let same = a.width == b.width || matches!(op, Shl | Shr);
        assert!(same, "hdl: {op:?} of {} and {} bits", a.width, b.width);
        match op {
            And | Or | Xor | BinaryOp::Add | Sub | Mul | Shl | Shr => {
                Self::new(a.width, Node::Binary(op, a, b))
            }
            Eq | Ne | Lt | Le | Gt | Ge => {
                let (op, a, b) = op.constant_last(a, b);
                // Comparisons that cannot fail are lint warnings: decide them here.
                match (op, &*b.node) {
                    (Lt, Node::Constant(c)) if c.is_zeros() => low(),
                    (Ge, Node::Constant(c)) if c.is_zeros() => high(),
                    (Gt, Node::Constant(c)) if c.is_ones() => low(),
                    (Le, Node::Constant(c)) if c.is_ones() => high(),
                    _ => Self::new(1, Node::Binary(op, a, b)),
                }
            }
        }
    }

    #[track_caller]
    pub(crate) fn signed_compare(op: BinaryOp, a: Expr, b: Expr) -> Self {
        assert!(a.width == b.width, "hdl: signed {op:?} of {} and {} bits", a.width, b.width);
        let (op, a, b) = op.constant_last(a, b);
        match (op, &*b.node) {
            (BinaryOp::Lt, Node::Constant(c)) if c.is_signed_limit(false) => low(),
            (BinaryOp::Ge, Node::Constant(c)) if c.is_signed_limit(false) => high(),
            (BinaryOp::Gt, Node::Constant(c)) if c.is_signed_limit(true) => low(),
            (BinaryOp::Le, Node::Constant(c)) if c.is_signed_limit(true) => high(),
            _ => Self::new(1, Node::SignedBinary(op, a, b)),
        }
    }

    /// A word of a memory, at an address of the right width.
    pub(crate) fn word(memory: Memory, address: Expr) -> Self {
        Self::new(memory.width(), Node::Word(memory, address))
    }

    pub(crate) fn negated(self) -> Self {
        match &*self.node {
            Node::Not(inner) => inner.clone(),
            Node::Constant(c) => c.inverted().into(),
            Node::Binary(op, a, b) | Node::SignedBinary(op, a, b) => match op.opposite() {
                Some(op) if matches!(*self.node, Node::Binary(..)) => {
                    Self::new(1, Node::Binary(op, a.clone(), b.clone()))
                }
                Some(op) => Self::new(1, Node::SignedBinary(op, a.clone(), b.clone())),
                None => Self::new(self.width, Node::Not(self)),
            },
            _ => Self::new(self.width, Node::Not(self)),
        }
    }

    pub(crate) fn reduced(self, op: ReduceOp) -> Self {
        match self.width {
            1 => self,
            _ => Self::new(1, Node::Reduce(op, self)),
        }
    }

    /// The value of a one-bit constant.
    pub(crate) fn constant_bit(&self) -> Option<bool> {
        match &*self.node {
            Node::Constant(c) if c.width() == 1 => Some(c.is_ones()),
            _ => None,
        }
    }

    /// Slices of constants, concatenations and slices are taken apart; the rest is left to the
    /// printer, which names what Verilog cannot slice.
    pub(crate) fn sliced(&self, low: usize, width: usize) -> Self {
        if width == self.width {
            return self.clone();
        }
        match &*self.node {
            Node::Constant(c) => c.slice(low, width).into(),
            Node::Slice(base, start) => base.sliced(start + low, width),
            Node::Concat(parts) => {
                let (mut taken, mut start) = (Vec::new(), 0);
                for part in parts.iter().rev() {
                    let (from, to) = (low.max(start), (low + width).min(start + part.width));
                    if from < to {
                        taken.push(part.sliced(from - start, to - from));
                    }
                    start += part.width;
                }
                pack(taken)
            }
            Node::Replicate(_, part) if part.width == 1 => part.replicate(width),
            _ => Self::new(width, Node::Slice(self.clone(), low)),
        }
    }
}

impl From<Signal> for Expr {
    fn from(signal: Signal) -> Self {
        Self::new(signal.width as usize, Node::Signal(signal))
    }
}

impl From<&Signal> for Expr {
    fn from(signal: &Signal) -> Self {
        (*signal).into()
    }
}

impl From<&Expr> for Expr {
    fn from(expr: &Expr) -> Self {
        expr.clone()
    }
}

impl From<Constant> for Expr {
    fn from(constant: Constant) -> Self {
        Self::new(constant.width(), Node::Constant(constant))
    }
}

impl From<bool> for Expr {
    fn from(bit: bool) -> Self {
        Constant::new(1, u64::from(bit)).into()
    }
}
