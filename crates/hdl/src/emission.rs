//! The bridge to `rust_hdl`: run-time-sized atoms and blocks, and its Verilog printer.
//!
//! `rust_hdl`'s derive macros size everything at compile time. Its `Atom`, `Logic` and `Block`
//! traits give names and widths as values, so they are implemented here by hand; the printer
//! (`ModuleDefines` for headers, declarations and instances, `verilog_combinatorial` for
//! statements and expressions) then works at run-time sizes. [`print`](crate::print) arranges what it prints.

use rust_hdl::core::ast::{BlackBox, Verilog, VerilogExpression, VerilogLiteral, VerilogStatement};
use rust_hdl::core::atom::{Atom, AtomKind};
use rust_hdl::core::block::Block;
use rust_hdl::core::constraint::PinConstraint;
use rust_hdl::core::logic::Logic;
use rust_hdl::core::module_defines::ModuleDefines;
use rust_hdl::core::probe::Probe;
use rust_hdl::core::synth::VCDValue;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};
use rust_hdl::core::verilog_gen::verilog_combinatorial;

/// One declaration to be printed.
#[derive(Clone, Debug)]
pub(crate) struct Declaration {
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) kind: DeclarationKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeclarationKind {
    Input,
    OutputNet,
    OutputVariable,
    Net,
    Variable,
}

/// A module header and its declarations, line by line, without the final `;`.
pub(crate) struct PrintedDeclarations {
    /// `module NAME`
    pub(crate) module: String,
    pub(crate) ports: Vec<String>,
    pub(crate) locals: Vec<String>,
}

/// One instance to be printed.
pub(crate) struct InstanceShape<'a> {
    pub(crate) name: &'a str,
    pub(crate) definition: &'a str,
    /// Name, width, is an output.
    pub(crate) ports: Vec<(&'a str, usize, bool)>,
}

/// An instance as printed: the connections name `rust_hdl`'s stub nets.
pub(crate) struct PrintedInstance {
    pub(crate) definition: String,
    /// Port name and the stub text between the parentheses, in port order.
    pub(crate) ports: Vec<(String, String)>,
}

impl Atom for Declaration {
    fn bits(&self) -> usize {
        self.width
    }

    fn connected(&self) -> bool {
        true
    }

    fn changed(&self) -> bool {
        false
    }

    fn kind(&self) -> AtomKind {
        match self.kind {
            DeclarationKind::Input => AtomKind::InputParameter,
            DeclarationKind::OutputNet => AtomKind::OutputPassthrough,
            DeclarationKind::OutputVariable => AtomKind::OutputParameter,
            DeclarationKind::Net => AtomKind::StubOutputSignal,
            DeclarationKind::Variable => AtomKind::LocalSignal,
        }
    }

    fn descriptor(&self) -> TypeDescriptor {
        TypeDescriptor { name: "bits".into(), kind: TypeKind::Bits(self.width) }
    }

    fn vcd(&self) -> VCDValue {
        false.into()
    }

    fn id(&self) -> usize {
        0
    }

    fn verilog(&self) -> VerilogLiteral {
        false.into()
    }

    fn constraints(&self) -> Vec<PinConstraint> {
        Vec::new()
    }
}

/// A run-time-sized block: atoms, children and the kind of code it stands for.
struct RunTimeBlock {
    atoms: Vec<Declaration>,
    children: Vec<(String, RunTimeBlock)>,
    code: Verilog,
}

impl Logic for RunTimeBlock {
    fn update(&mut self) {}

    fn hdl(&self) -> Verilog {
        self.code.clone()
    }
}

impl Block for RunTimeBlock {
    fn connect_all(&mut self) {}

    fn update_all(&mut self) {}

    fn has_changed(&self) -> bool {
        false
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        for atom in &self.atoms {
            probe.visit_atom(&atom.name, atom);
        }
        for (child_name, child) in &self.children {
            child.accept(child_name, probe);
        }
        probe.visit_end_scope(name, self);
    }
}

impl RunTimeBlock {
    fn printed(&self, name: &str) -> String {
        let mut defines = ModuleDefines::default();
        self.accept(name, &mut defines);
        defines.defines()
    }
}

/// Prints the header and the declarations of a module. Locals come back in the given order.
pub(crate) fn declarations(
    name: &str,
    ports: &[Declaration],
    locals: &[Declaration],
) -> PrintedDeclarations {
    let atoms = ports.iter().chain(locals).cloned().collect();
    let block = RunTimeBlock { atoms, children: Vec::new(), code: Verilog::Empty };
    let text = block.printed(name);
    let mut lines = text.lines().map(str::trim);
    let module = lines
        .find_map(|line| line.starts_with("module ").then(|| line.split('(').next()).flatten())
        .expect("rust_hdl prints a module header");
    let declared: Vec<String> = lines
        .filter_map(|line| line.strip_suffix(';'))
        .map(|line| line.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(declared.len(), ports.len() + locals.len(), "rust_hdl prints every declaration");
    // Printed order: ports, nets, variables.
    let (printed_ports, rest) = declared.split_at(ports.len());
    let net_count = locals.iter().filter(|l| l.kind == DeclarationKind::Net).count();
    let (mut nets, mut variables) = (rest[..net_count].iter(), rest[net_count..].iter());
    let in_order = locals.iter().map(|local| {
        let next = match local.kind {
            DeclarationKind::Net => nets.next(),
            _ => variables.next(),
        };
        let line = next.expect("counted above");
        assert!(line.ends_with(&local.name), "rust_hdl keeps the order of declarations");
        line.clone()
    });
    PrintedDeclarations {
        module: module.to_owned(),
        ports: printed_ports.to_vec(),
        locals: in_order.collect(),
    }
}

/// Prints the instances of a module. They hang in a shell without ports of its own, because
/// `rust_hdl` compares every port of a parent with every port of every child.
pub(crate) fn instances(shapes: &[InstanceShape]) -> Vec<PrintedInstance> {
    if shapes.is_empty() {
        return Vec::new();
    }
    let children = shapes.iter().map(|shape| {
        let atoms = shape.ports.iter().map(|(name, width, is_output)| Declaration {
            name: (*name).to_owned(),
            width: *width,
            kind: if *is_output { DeclarationKind::OutputNet } else { DeclarationKind::Input },
        });
        let code =
            Verilog::Blackbox(BlackBox { code: String::new(), name: shape.definition.into() });
        let child = RunTimeBlock { atoms: atoms.collect(), children: Vec::new(), code };
        (shape.name.to_owned(), child)
    });
    let shell =
        RunTimeBlock { atoms: Vec::new(), children: children.collect(), code: Verilog::Empty };
    let text = shell.printed("shell");
    let mut lines = text.lines().map(str::trim).skip_while(|l| *l != "// Sub module instances");
    lines.next();
    let mut next = || lines.next().expect("rust_hdl prints every instance");
    let printed = shapes.iter().map(|shape| {
        let head = next().strip_suffix("(").and_then(|h| h.strip_suffix(shape.name));
        let definition = head.expect("an instance starts with its names").trim().to_owned();
        let ports = shape.ports.iter().map(|_| {
            let line = next().trim_end_matches(',');
            let body = line.strip_prefix('.').and_then(|l| l.strip_suffix(')'));
            let (port, stub) = body.and_then(|b| b.split_once('(')).expect("a named connection");
            (port.to_owned(), stub.to_owned())
        });
        let ports = ports.collect();
        assert_eq!(next(), ");", "an instance ends after its ports");
        PrintedInstance { definition, ports }
    });
    printed.collect()
}

/// Stands for `[` inside the text of a `Signal` node, where `rust_hdl` would evaluate an index.
const BRACKET: char = '\u{1}';

/// Text that `rust_hdl` passes on as it is: for the forms that its tree does not have.
pub(crate) fn verbatim(text: &str) -> VerilogExpression {
    VerilogExpression::Signal(text.replace('[', "\u{1}"))
}

/// Prints one expression.
pub(crate) fn expression(value: VerilogExpression) -> String {
    if let VerilogExpression::Signal(text) = value {
        return text.replace(BRACKET, "[");
    }
    let target = VerilogExpression::Signal("x".into());
    let text = verilog_combinatorial(&vec![VerilogStatement::Assignment(target, value)]);
    let (_, tail) = text.split_once("x = ").expect("rust_hdl prints the assignment");
    let end = tail.rfind(';').expect("rust_hdl ends a statement");
    tidy(&tail[..end])
}

/// Prints an `always @(*)` block, or with a clock an edge-triggered one.
pub(crate) fn always(statements: Vec<VerilogStatement>, clock: Option<&str>) -> Vec<String> {
    let text = verilog_combinatorial(&statements);
    let mut lines: Vec<String> = Vec::new();
    // Indentation of the `begin`s that were joined to their case label; what is inside moves left.
    let mut joined: Vec<usize> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let moved = indent - 4 * joined.len();
        let last = lines.last_mut();
        let last_body = last.as_ref().map_or("", |l| l.trim_start());
        let is_comment = |l: &str| l.starts_with("//");
        match last {
            Some(last) if last_body == "end" && body.starts_with("else ") => {
                last.push(' ');
                last.push_str(body);
            }
            Some(last) if body == "begin" && last_body.ends_with(':') && !is_comment(last_body) => {
                joined.push(indent);
                last.push_str(" begin");
            }
            _ => {
                let edge = clock.is_some() && body.ends_with(';') && !is_comment(body);
                let body = if edge { body.replacen(" = ", " <= ", 1) } else { body.to_owned() };
                lines.push(format!("{}{body}", " ".repeat(moved)));
            }
        }
        if body == "end" && joined.last() == Some(&indent) {
            joined.pop();
        }
    }
    if let Some(clock) = clock {
        lines[0] = lines[0].replacen("@(*)", &format!("@(posedge {clock})"), 1);
    }
    lines.iter().map(|line| tidy(line)).collect()
}

/// Restores brackets and writes `[(4)+:(3)]` as `[6:4]`, `[(a)+:(3)]` as `[a +: 3]`.
fn tidy(text: &str) -> String {
    let text = text.replace(BRACKET, "[");
    if !text.contains(")+:(") {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("[(") {
        let inner_start = at + 2;
        let close = matching_parenthesis(&rest[inner_start..]).map(|i| inner_start + i);
        let parts = close.and_then(|close| {
            let (width, _) = rest[close..].strip_prefix(")+:(")?.split_once(")]")?;
            Some((close, width))
        });
        out.push_str(&rest[..at]);
        let Some((close, width)) = parts else {
            out.push_str("[(");
            rest = &rest[inner_start..];
            continue;
        };
        let offset = tidy(&rest[inner_start..close]);
        match (offset.parse::<usize>(), width.parse::<usize>()) {
            (Ok(low), Ok(bits)) => out.push_str(&format!("[{}:{low}]", low + bits - 1)),
            _ => out.push_str(&format!("[{offset} +: {width}]")),
        }
        rest = &rest[close + ")+:(".len() + width.len() + ")]".len()..];
    }
    out.push_str(rest);
    out
}

/// Where the parenthesis closes that was opened just before `text`.
fn matching_parenthesis(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 0 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_selects_are_tidied() {
        assert_eq!(tidy("a[(4)+:(3)] & b[(0)+:(1)]"), "a[6:4] & b[0:0]");
        assert_eq!(tidy("a[(i + b[(1)+:(2)])+:(3)]"), "a[i + b[2:1] +: 3]");
        assert_eq!(tidy("m[(a + b) & c] + x[(2)+:(2)]"), "m[(a + b) & c] + x[3:2]");
        assert_eq!(tidy("{\u{1}"), "{[");
    }
}
