//! The statements inside one `always` block.

use crate::constant::Constant;
use crate::expr::{Expr, Signal};
use crate::value::Value;

/// A list of statements under construction.
///
/// In [`Module::comb`](crate::Module::comb) an assignment is blocking, in
/// [`Module::clocked`](crate::Module::clocked) it is non-blocking.
#[derive(Debug, Default)]
pub struct Block {
    pub(crate) statements: Vec<Statement>,
}

#[derive(Debug)]
pub(crate) enum Statement {
    Set(Signal, Expr),
    Write { memory: usize, address: Expr, data: Expr },
    If(Expr, Vec<Statement>, Vec<Statement>),
    Case { selector: Expr, arms: Vec<(Constant, Vec<Statement>)>, default: Vec<Statement> },
    Comment(String),
}

/// The arms of a `case` under construction.
#[derive(Debug)]
pub struct Case {
    width: usize,
    arms: Vec<(Constant, Vec<Statement>)>,
    default: Vec<Statement>,
}

impl Block {
    /// Statements made by `build`.
    pub(crate) fn build(build: impl FnOnce(&mut Block)) -> Vec<Statement> {
        let mut block = Block::default();
        build(&mut block);
        block.statements
    }

    /// `target = value` or `target <= value`; equal widths.
    #[track_caller]
    pub fn set(&mut self, target: Signal, value: impl Into<Expr>) {
        let value = value.into();
        assert!(
            target.width() == value.width,
            "hdl: {} bits assigned to {} bits",
            value.width,
            target.width()
        );
        self.statements.push(Statement::Set(target, value));
    }

    /// `if (condition)`. A constant condition is decided here.
    #[track_caller]
    pub fn when(&mut self, condition: impl Into<Expr>, then: impl FnOnce(&mut Block)) {
        self.when_else(condition, then, |_| {});
    }

    /// `if (condition) ... else ...`. An `else` that holds one `when` prints as `else if`.
    #[track_caller]
    pub fn when_else(
        &mut self,
        condition: impl Into<Expr>,
        then: impl FnOnce(&mut Block),
        otherwise: impl FnOnce(&mut Block),
    ) {
        let condition = condition.into();
        assert!(condition.width == 1, "hdl: a condition has 1 bit, not {}", condition.width);
        match condition.constant_bit() {
            Some(true) => then(self),
            Some(false) => otherwise(self),
            None => {
                let (then, otherwise) = (Block::build(then), Block::build(otherwise));
                self.statements.push(Statement::If(condition, then, otherwise));
            }
        }
    }

    /// `case (selector)` over constants; always prints a `default`.
    pub fn case(&mut self, selector: impl Into<Expr>, arms: impl FnOnce(&mut Case)) {
        let selector = selector.into();
        let mut case = Case { width: selector.width, arms: Vec::new(), default: Vec::new() };
        arms(&mut case);
        let Case { arms, default, .. } = case;
        self.statements.push(Statement::Case { selector, arms, default });
    }

    /// A comment line.
    pub fn comment(&mut self, text: &str) {
        self.statements.push(Statement::Comment(crate::layout::clean_comment(text)));
    }
}

impl Case {
    /// The arm taken when the selector is `value`.
    #[track_caller]
    pub fn arm(&mut self, value: u64, then: impl FnOnce(&mut Block)) {
        let value = Constant::new(self.width, value);
        assert!(self.arms.iter().all(|(v, _)| *v != value), "hdl: two case arms for {value}");
        self.arms.push((value, Block::build(then)));
    }

    /// What happens for all other values; nothing unless called.
    pub fn default(&mut self, then: impl FnOnce(&mut Block)) {
        self.default.extend(Block::build(then));
    }
}

/// Signals that the statements assign on some path.
pub(crate) fn targets(statements: &[Statement]) -> Vec<Signal> {
    let mut found = Vec::new();
    for statement in statements {
        match statement {
            Statement::Set(target, _) => found.push(*target),
            Statement::If(_, then, otherwise) => {
                found.extend(targets(then));
                found.extend(targets(otherwise));
            }
            Statement::Case { arms, default, .. } => {
                arms.iter().for_each(|(_, arm)| found.extend(targets(arm)));
                found.extend(targets(default));
            }
            Statement::Write { .. } | Statement::Comment(_) => {}
        }
    }
    found.sort_by_key(|s| s.index);
    found.dedup();
    found
}

/// Whether every path through the statements assigns `signal` (else it would be a latch).
pub(crate) fn always_sets(statements: &[Statement], signal: Signal) -> bool {
    statements.iter().any(|statement| match statement {
        Statement::Set(target, _) => *target == signal,
        Statement::If(_, then, otherwise) => {
            always_sets(then, signal) && always_sets(otherwise, signal)
        }
        Statement::Case { arms, default, .. } => {
            always_sets(default, signal) && arms.iter().all(|(_, arm)| always_sets(arm, signal))
        }
        Statement::Write { .. } | Statement::Comment(_) => false,
    })
}
