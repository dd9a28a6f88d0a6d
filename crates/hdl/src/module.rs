//! Modules under construction: ports, wires, registers and what drives them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::block::{Block, Statement, always_sets, targets};
use crate::expr::{Expr, Signal};
use crate::ident;
use crate::instance::InstanceItem;
use crate::layout::clean_comment;
use crate::memory::MemoryItem;
use crate::value::Value;

/// One hardware module under construction. Items are printed in the order in which they were
/// made, so the Verilog reads like the code that built it.
///
/// Every wire, register and output must be driven exactly once: by [`assign`](Self::assign),
/// [`net`](Self::net), a [`comb`](Self::comb) or clocked block, or an instance. Anything else
/// panics, as does a name that is illegal or used twice.
#[derive(Debug)]
pub struct Module {
    pub(crate) name: String,
    pub(crate) id: u32,
    pub(crate) header: Vec<String>,
    pub(crate) signals: Vec<Declared>,
    pub(crate) items: Vec<Item>,
    pub(crate) memories: Vec<MemoryItem>,
    pub(crate) unused: Vec<Expr>,
    pub(crate) names: BTreeSet<String>,
    notes: BTreeMap<u32, String>,
    flip_flops: BTreeSet<u32>,
}

#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) role: Role,
    pub(crate) driver: Driver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Input,
    Output,
    Wire,
    Register,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    None,
    /// `assign` or an instance: a net.
    Continuous,
    /// An `always` block: a variable.
    Procedural,
}

#[derive(Debug)]
pub(crate) enum Item {
    Section(String),
    Declare(Signal),
    Net(Signal, Expr),
    Assign(Signal, Expr),
    Comb(Vec<Statement>),
    Clocked(Signal, Vec<Statement>),
    Memory(usize),
    Instance(InstanceItem),
}

static NEXT_MODULE: AtomicU32 = AtomicU32::new(0);

impl Module {
    /// An empty module; `name` is also the file name.
    #[track_caller]
    pub fn new(name: &str) -> Self {
        assert!(ident::is_legal(name), "hdl: `{name}` is not a legal module name");
        Self {
            name: name.to_owned(),
            id: NEXT_MODULE.fetch_add(1, Ordering::Relaxed),
            header: Vec::new(),
            signals: Vec::new(),
            items: Vec::new(),
            memories: Vec::new(),
            unused: Vec::new(),
            names: BTreeSet::new(),
            notes: BTreeMap::new(),
            flip_flops: BTreeSet::new(),
        }
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds lines to the comment above the module. Text is made printable ASCII.
    pub fn comment(&mut self, text: &str) -> &mut Self {
        self.header.extend(text.split('\n').map(clean_comment));
        self
    }

    /// An input port.
    #[track_caller]
    pub fn input(&mut self, name: &str, width: usize) -> Signal {
        self.declare(name, width, Role::Input)
    }

    /// An output port, driven like a wire or like a register. It may be read inside.
    #[track_caller]
    pub fn output(&mut self, name: &str, width: usize) -> Signal {
        self.declare(name, width, Role::Output)
    }

    /// A wire that is driven later, by `assign`, `comb` or an instance.
    #[track_caller]
    pub fn wire(&mut self, name: &str, width: usize) -> Signal {
        let signal = self.declare(name, width, Role::Wire);
        self.items.push(Item::Declare(signal));
        signal
    }

    /// A named expression: `wire [..] name = value;`.
    #[track_caller]
    pub fn net(&mut self, name: &str, value: impl Into<Expr>) -> Signal {
        let value = value.into();
        let signal = self.declare(name, value.width, Role::Wire);
        self.drive(signal, Driver::Continuous);
        self.items.push(Item::Net(signal, value));
        signal
    }

    /// A register, driven later by a clocked block.
    #[track_caller]
    pub fn reg(&mut self, name: &str, width: usize) -> Signal {
        let signal = self.declare(name, width, Role::Register);
        self.items.push(Item::Declare(signal));
        signal
    }

    /// A comment line that opens a part of the module; a blank line goes before it.
    pub fn section(&mut self, text: &str) {
        self.items.push(Item::Section(clean_comment(text)));
    }

    /// A comment at the declaration of a port, wire or register.
    pub fn note(&mut self, signal: Signal, text: &str) {
        self.notes.insert(signal.index, clean_comment(text));
    }

    /// Has a register stay flip-flops: synthesis makes no shift register in LUTs of a row of such
    /// registers, and removes none.
    pub fn keep_flip_flops(&mut self, register: Signal) {
        self.flip_flops.insert(register.index);
    }

    /// `assign target = value;` of a wire or output.
    #[track_caller]
    pub fn assign(&mut self, target: Signal, value: impl Into<Expr>) {
        let value = value.into();
        assert!(
            value.width == target.width(),
            "hdl: {} bits assigned to `{}` of {} bits",
            value.width,
            self.name_of(target),
            target.width()
        );
        self.drive(target, Driver::Continuous);
        self.items.push(Item::Assign(target, value));
    }

    /// One `always @(*)` block. Every target must be assigned on every path (no latches).
    #[track_caller]
    pub fn comb(&mut self, build: impl FnOnce(&mut Block)) {
        let statements = Block::build(build);
        for target in targets(&statements) {
            assert!(
                always_sets(&statements, target),
                "hdl: `{}` is not assigned on every path: give it a default first",
                self.name_of(target)
            );
            let role = self.declared(target).role;
            assert!(role != Role::Register, "hdl: `{}` is a register", self.name_of(target));
            self.drive(target, Driver::Procedural);
        }
        self.items.push(Item::Comb(statements));
    }

    /// One `always @(posedge clk)` block; assignments are non-blocking.
    #[track_caller]
    pub fn clocked(&mut self, clk: Signal, build: impl FnOnce(&mut Block)) {
        self.clocked_statements(clk, Block::build(build));
    }

    #[track_caller]
    pub(crate) fn clocked_statements(&mut self, clk: Signal, statements: Vec<Statement>) {
        assert!(clk.width() == 1, "hdl: a clock has 1 bit");
        for target in targets(&statements) {
            let role = self.declared(target).role;
            assert!(role != Role::Wire, "hdl: `{}` is a wire", self.name_of(target));
            self.drive(target, Driver::Procedural);
        }
        self.items.push(Item::Clocked(clk, statements));
    }

    /// `q <= next` at every edge.
    #[track_caller]
    pub fn register(&mut self, clk: Signal, q: Signal, next: impl Into<Expr>) {
        self.clocked(clk, |b| b.set(q, next));
    }

    /// `if (enable) q <= next`. A constant 1 as enable prints no `if`.
    #[track_caller]
    pub fn register_enabled(
        &mut self,
        clk: Signal,
        enable: impl Into<Expr>,
        q: Signal,
        next: impl Into<Expr>,
    ) {
        self.clocked(clk, |b| b.when(enable, |b| b.set(q, next)));
    }

    /// `if (rst) q <= reset_value; else q <= next`.
    #[track_caller]
    pub fn register_reset(
        &mut self,
        clk: Signal,
        rst: Signal,
        q: Signal,
        reset_value: impl Into<Expr>,
        next: impl Into<Expr>,
    ) {
        self.clocked(clk, |b| b.when_else(rst, |b| b.set(q, reset_value), |b| b.set(q, next)));
    }

    /// `if (rst) q <= reset_value; else if (enable) q <= next`.
    #[track_caller]
    pub fn register_reset_enabled(
        &mut self,
        clk: Signal,
        rst: Signal,
        q: Signal,
        reset_value: impl Into<Expr>,
        enable: impl Into<Expr>,
        next: impl Into<Expr>,
    ) {
        self.clocked(clk, |b| {
            b.when_else(rst, |b| b.set(q, reset_value), |b| b.when(enable, |b| b.set(q, next)));
        });
    }

    /// States that these values are not read on purpose (bits of inputs, outputs of instances),
    /// so that lint stays silent. Printed as one `unused_ok` wire at the end.
    pub fn sink_unused<P: Into<Expr>>(&mut self, values: impl IntoIterator<Item = P>) {
        self.unused.extend(values.into_iter().map(Into::into));
    }

    /// The name of one of this module's signals.
    #[track_caller]
    pub fn name_of(&self, signal: Signal) -> &str {
        &self.declared(signal).name
    }

    #[track_caller]
    pub(crate) fn declared(&self, signal: Signal) -> &Declared {
        assert!(
            signal.module == self.id,
            "hdl: a signal of another module is used in `{}`",
            self.name
        );
        &self.signals[signal.index as usize]
    }

    pub(crate) fn note_of(&self, signal: u32) -> Option<&str> {
        self.notes.get(&signal).map(String::as_str)
    }

    pub(crate) fn keeps_flip_flops(&self, signal: u32) -> bool {
        self.flip_flops.contains(&signal)
    }

    #[track_caller]
    fn declare(&mut self, name: &str, width: usize, role: Role) -> Signal {
        assert!(width > 0, "hdl: `{name}` in `{}` has no bits", self.name);
        self.take_name(name);
        let width_bits = u32::try_from(width).expect("hdl: a signal has fewer than 2^32 bits");
        let index = u32::try_from(self.signals.len()).expect("hdl: fewer than 2^32 signals");
        let driver = Driver::None;
        self.signals.push(Declared { name: name.to_owned(), width, role, driver });
        Signal { module: self.id, index, width: width_bits }
    }

    #[track_caller]
    pub(crate) fn take_name(&mut self, name: &str) {
        assert!(ident::is_legal(name), "hdl: `{name}` in `{}` is not a legal name", self.name);
        let fresh = self.names.insert(name.to_owned());
        assert!(fresh, "hdl: `{name}` is declared twice in `{}`", self.name);
    }

    #[track_caller]
    pub(crate) fn drive(&mut self, target: Signal, driver: Driver) {
        let Declared { name, role, driver: before, .. } = self.declared(target);
        assert!(*role != Role::Input, "hdl: input `{name}` is driven inside `{}`", self.name);
        assert!(*before == Driver::None, "hdl: `{name}` in `{}` is driven twice", self.name);
        assert!(
            *role != Role::Register || driver == Driver::Procedural,
            "hdl: register `{name}` in `{}` needs a clocked block",
            self.name
        );
        self.signals[target.index as usize].driver = driver;
    }

    /// Everything that can be checked only when the module is complete.
    pub(crate) fn check_complete(&self) {
        for signal in &self.signals {
            let driven = signal.role == Role::Input || signal.driver != Driver::None;
            assert!(driven, "hdl: `{}` in `{}` is never driven", signal.name, self.name);
        }
    }
}
