//! Expressions and statements of a module into `rust_hdl`'s syntax tree.

use std::collections::HashMap;

use rust_hdl::core::ast::{
    VerilogBlockOrConditional, VerilogCase, VerilogConditional, VerilogExpression, VerilogMatch,
    VerilogOp, VerilogOpUnary, VerilogStatement,
};

use crate::block::Statement;
use crate::emission::{expression, verbatim};
use crate::expr::{BinaryOp, Expr, Node, ReduceOp, Signal};
use crate::module::Module;

/// Lowers one module. Verilog can slice names only: a sliced expression becomes a wire here.
pub(crate) struct Lowering<'m> {
    module: &'m Module,
    pub(crate) named: Vec<NamedExpr>,
    by_node: HashMap<*const Node, usize>,
    /// Targets of the combinational block at hand: they must not be read by a wire outside it.
    inside: Vec<Signal>,
    naming_depth: usize,
    /// Signals read since the start of the combinational block.
    reads: usize,
    next_number: usize,
}

/// An expression that got a wire of its own because it is sliced.
pub(crate) struct NamedExpr {
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) text: String,
    used: Vec<bool>,
    /// Keeps the node's address taken.
    _source: Expr,
}

impl<'m> Lowering<'m> {
    pub(crate) fn new(module: &'m Module) -> Self {
        Self {
            module,
            named: Vec::new(),
            by_node: HashMap::new(),
            inside: Vec::new(),
            naming_depth: 0,
            reads: 0,
            next_number: 0,
        }
    }

    /// The Verilog text of an expression.
    pub(crate) fn text(&mut self, expr: &Expr) -> String {
        let lowered = self.lower(expr);
        expression(lowered)
    }

    /// Slices of named expressions that nothing reads, as text.
    pub(crate) fn unread_parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        for named in &self.named {
            let mut low = 0;
            for run in named.used.chunk_by(|a, b| a == b) {
                let high = low + run.len() - 1;
                match (run[0], high == low) {
                    (true, _) => {}
                    (false, true) => parts.push(format!("{}[{low}]", named.name)),
                    (false, false) => parts.push(format!("{}[{high}:{low}]", named.name)),
                }
                low = high + 1;
            }
        }
        parts
    }

    /// Statements of a combinational block that assigns `targets`.
    pub(crate) fn comb(
        &mut self,
        statements: &[Statement],
        targets: Vec<Signal>,
    ) -> Vec<VerilogStatement> {
        self.inside = targets;
        self.reads = 0;
        let lowered = self.statements(statements);
        self.inside.clear();
        let module = &self.module.name;
        // Simulators would never run such a block.
        assert!(self.reads > 0, "hdl: a `comb` block in `{module}` reads no signal: use `assign`");
        lowered
    }

    pub(crate) fn statements(&mut self, statements: &[Statement]) -> Vec<VerilogStatement> {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &Statement) -> VerilogStatement {
        match statement {
            Statement::Set(target, value) => {
                VerilogStatement::Assignment(self.signal(*target), self.lower(value))
            }
            Statement::Write { memory, address, data } => {
                let word = self.word(*memory, address);
                VerilogStatement::Assignment(word, self.lower(data))
            }
            Statement::If(condition, then, otherwise) => {
                let otherwise = match otherwise.as_slice() {
                    [] => VerilogBlockOrConditional::None,
                    [inner @ Statement::If(..)] => {
                        VerilogBlockOrConditional::Conditional(Box::new(self.statement(inner)))
                    }
                    block => VerilogBlockOrConditional::Block(self.statements(block)),
                };
                VerilogStatement::If(VerilogConditional {
                    test: self.lower(condition),
                    then: self.statements(then),
                    otherwise,
                })
            }
            Statement::Case { selector, arms, default } => {
                let mut cases: Vec<VerilogCase> = Vec::new();
                for (value, arm) in arms {
                    let block = self.statements(arm);
                    cases.push(VerilogCase { condition: value.to_string(), block });
                }
                let block = self.statements(default);
                cases.push(VerilogCase { condition: "default".into(), block });
                VerilogStatement::Match(VerilogMatch { test: self.lower(selector), cases })
            }
            Statement::Comment(text) => VerilogStatement::Comment(text.clone()),
        }
    }

    fn lower(&mut self, expr: &Expr) -> VerilogExpression {
        match &*expr.node {
            Node::Signal(signal) => self.read(*signal),
            Node::Constant(constant) => VerilogExpression::Signal(constant.to_string()),
            Node::Not(inner) => {
                VerilogExpression::Unary(VerilogOpUnary::Not, Box::new(self.operand(inner)))
            }
            Node::Reduce(op, inner) => {
                let op = match op {
                    ReduceOp::And => VerilogOpUnary::All,
                    ReduceOp::Or => VerilogOpUnary::Any,
                    ReduceOp::Xor => VerilogOpUnary::Xor,
                };
                VerilogExpression::Unary(op, Box::new(self.operand(inner)))
            }
            Node::Binary(op, a, b) => {
                let left = match &*a.node {
                    Node::Binary(inner, ..) if op.continues(*inner) => self.lower(a),
                    _ => self.operand(a),
                };
                let right = self.operand(b);
                VerilogExpression::Binary(Box::new(left), verilog_op(*op), Box::new(right))
            }
            Node::SignedBinary(op, a, b) => {
                let left = VerilogExpression::Signed(Box::new(self.lower(a)));
                let right = VerilogExpression::Signed(Box::new(self.lower(b)));
                VerilogExpression::Binary(Box::new(left), verilog_op(*op), Box::new(right))
            }
            Node::Mux(condition, a, b) => {
                let condition = self.operand(condition);
                let (a, b) = (self.text(a), self.text(b));
                verbatim(&format!("{} ? {a} : {b}", expression(condition)))
            }
            Node::Concat(parts) => {
                let parts: Vec<String> = parts.iter().map(|part| self.text(part)).collect();
                verbatim(&format!("{{{}}}", parts.join(", ")))
            }
            Node::Replicate(count, part) => {
                let part = self.text(part);
                verbatim(&format!("{{{count}{{{part}}}}}"))
            }
            Node::Slice(base, low) => {
                let named = self.name(base, *low, expr.width);
                let low = VerilogExpression::Signal(low.to_string());
                match expr.width {
                    1 => VerilogExpression::Index(Box::new(named), Box::new(low)),
                    width => VerilogExpression::Slice(Box::new(named), width, Box::new(low)),
                }
            }
            Node::Select(base, offset) => {
                let named = self.name(base, 0, base.width);
                let offset = self.lower(offset);
                match expr.width {
                    1 => VerilogExpression::Index(Box::new(named), Box::new(offset)),
                    width => VerilogExpression::Slice(Box::new(named), width, Box::new(offset)),
                }
            }
            Node::Word(memory, address) => {
                assert!(memory.module == self.module.id, "hdl: a memory of another module");
                self.word(memory.index, address)
            }
        }
    }

    /// An operand, in parentheses where it is itself an operation.
    fn operand(&mut self, expr: &Expr) -> VerilogExpression {
        let lowered = self.lower(expr);
        match &*expr.node {
            Node::Binary(..) | Node::SignedBinary(..) | Node::Mux(..) | Node::Reduce(..) => {
                VerilogExpression::Paren(Box::new(lowered))
            }
            Node::Signal(_)
            | Node::Constant(_)
            | Node::Not(_)
            | Node::Concat(_)
            | Node::Replicate(..)
            | Node::Slice(..)
            | Node::Select(..)
            | Node::Word(..) => lowered,
        }
    }

    fn signal(&self, signal: Signal) -> VerilogExpression {
        VerilogExpression::Signal(self.module.name_of(signal).to_owned())
    }

    fn read(&mut self, signal: Signal) -> VerilogExpression {
        self.reads += 1;
        let name = self.module.name_of(signal);
        assert!(
            self.naming_depth == 0 || !self.inside.contains(&signal),
            "hdl: an expression over `{name}` is sliced in the block that assigns it: give it a wire"
        );
        self.signal(signal)
    }

    /// One word, to be read or written.
    fn word(&mut self, memory: usize, address: &Expr) -> VerilogExpression {
        let item = &self.module.memories[memory];
        let name = VerilogExpression::Signal(item.name.clone());
        if item.is_register() {
            return name;
        }
        let address = match item.depth {
            1 => VerilogExpression::Signal("0".into()),
            _ => self.lower(address),
        };
        VerilogExpression::Index(Box::new(name), Box::new(address))
    }

    /// A name for a value of which bits are taken.
    fn name(&mut self, base: &Expr, low: usize, width: usize) -> VerilogExpression {
        if let Node::Signal(signal) = &*base.node {
            return self.read(*signal);
        }
        let key = std::sync::Arc::as_ptr(&base.node);
        self.reads += 1;
        let index = match self.by_node.get(&key) {
            Some(index) => *index,
            None => {
                self.naming_depth += 1;
                let text = self.text(base);
                self.naming_depth -= 1;
                let name = self.fresh_name();
                self.named.push(NamedExpr {
                    name,
                    width: base.width,
                    text,
                    used: vec![false; base.width],
                    _source: base.clone(),
                });
                self.by_node.insert(key, self.named.len() - 1);
                self.named.len() - 1
            }
        };
        let named = &mut self.named[index];
        named.used[low..low + width].fill(true);
        VerilogExpression::Signal(named.name.clone())
    }

    fn fresh_name(&mut self) -> String {
        loop {
            let name = format!("expr_{}", self.next_number);
            self.next_number += 1;
            if !self.module.names.contains(&name) {
                return name;
            }
        }
    }
}

fn verilog_op(op: BinaryOp) -> VerilogOp {
    match op {
        BinaryOp::And => VerilogOp::BitAnd,
        BinaryOp::Or => VerilogOp::BitOr,
        BinaryOp::Xor => VerilogOp::BitXor,
        BinaryOp::Add => VerilogOp::Add,
        BinaryOp::Sub => VerilogOp::Sub,
        BinaryOp::Mul => VerilogOp::Mul,
        BinaryOp::Shl => VerilogOp::Shl,
        BinaryOp::Shr => VerilogOp::Shr,
        BinaryOp::Eq => VerilogOp::Eq,
        BinaryOp::Ne => VerilogOp::Ne,
        BinaryOp::Lt => VerilogOp::Lt,
        BinaryOp::Le => VerilogOp::Le,
        BinaryOp::Gt => VerilogOp::Gt,
        BinaryOp::Ge => VerilogOp::Ge,
    }
}
