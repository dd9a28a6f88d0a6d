//! One module into the text of one file.

use std::collections::BTreeSet;

use crate::block::targets;
use crate::emission::{self, Declaration, DeclarationKind, InstanceShape, PrintedInstance, always};
use crate::instance::{Direction, InstanceItem};
use crate::layout::{Part, Writer};
use crate::lowering::Lowering;
use crate::module::{Declared, Driver, Item, Module, Role};

/// A piece of the body, in order. `Local` is filled in once `rust_hdl` has printed it.
enum Piece {
    Section(String),
    Lines(Part, Vec<String>),
    Local { local: usize, value: Option<String>, note: Option<String>, keep: bool },
    Memory { local: usize, memory: usize },
}

/// Yosys knows the first only, Vivado both.
const KEEP: &str = "(* keep = \"true\", shreg_extract = \"no\" *)";

/// The body before declarations are printed.
#[derive(Default)]
struct Body {
    pieces: Vec<Piece>,
    locals: Vec<Declaration>,
    named_so_far: usize,
}

/// The text of the module's file.
pub(crate) fn print_module(module: &Module) -> String {
    let mut lowering = Lowering::new(module);
    let mut body = Body::default();
    let mut instances = print_instances(module).into_iter();
    for item in &module.items {
        let piece = print_item(module, item, &mut lowering, &mut body, &mut instances);
        body.named_wires(&lowering);
        body.pieces.push(piece);
    }
    if let Some(piece) = unused_wire(module, &mut lowering, &mut body) {
        body.named_wires(&lowering);
        body.pieces.push(piece);
    }
    let ports: Vec<(u32, Declaration)> = (0u32..)
        .zip(&module.signals)
        .filter(|(_, s)| matches!(s.role, Role::Input | Role::Output))
        .map(|(index, signal)| (index, declaration(signal)))
        .collect();
    let port_declarations: Vec<Declaration> = ports.iter().map(|(_, d)| d.clone()).collect();
    let printed = emission::declarations(&module.name, &port_declarations, &body.locals);

    let mut out = Writer::default();
    module.header.iter().for_each(|line| out.comment(0, line));
    out.raw("`default_nettype none");
    out.raw("");
    out.raw(&format!("{} (", printed.module));
    for (at, ((index, _), line)) in ports.iter().zip(&printed.ports).enumerate() {
        if let Some(note) = module.note_of(*index) {
            out.comment(1, note);
        }
        let comma = if at + 1 < ports.len() { "," } else { "" };
        out.code(1, &format!("{line}{comma}"));
    }
    out.raw(");");
    for piece in &body.pieces {
        piece.write(module, &printed.locals, &mut out);
    }
    out.raw("");
    out.raw("endmodule");
    out.raw("");
    out.raw("`default_nettype wire");
    out.finish()
}

fn print_item(
    module: &Module,
    item: &Item,
    lowering: &mut Lowering,
    body: &mut Body,
    instances: &mut impl Iterator<Item = PrintedInstance>,
) -> Piece {
    match item {
        Item::Section(text) => Piece::Section(text.clone()),
        Item::Declare(signal) | Item::Net(signal, _) => {
            let value = match item {
                Item::Net(_, value) => Some(lowering.text(value)),
                _ => None,
            };
            body.named_wires(lowering);
            let note = module.note_of(signal.index).map(str::to_owned);
            let local = body.local(declaration(module.declared(*signal)));
            let keep = module.keeps_flip_flops(signal.index);
            Piece::Local { local, value, note, keep }
        }
        Item::Assign(target, value) => {
            let value = lowering.text(value);
            let line = format!("assign {} = {value};", module.name_of(*target));
            Piece::Lines(Part::Line, vec![line])
        }
        Item::Comb(statements) => {
            let lowered = lowering.comb(statements, targets(statements));
            Piece::Lines(Part::Block, always(lowered, None))
        }
        Item::Clocked(clock, statements) => {
            let lowered = lowering.statements(statements);
            Piece::Lines(Part::Block, always(lowered, Some(module.name_of(*clock))))
        }
        Item::Memory(memory) => {
            let item = &module.memories[*memory];
            let name = match item.is_register() {
                true => item.name.clone(),
                false => format!("{} [0:{}]", item.name, item.depth - 1),
            };
            let kind = DeclarationKind::Variable;
            let local = body.local(Declaration { name, width: item.width, kind });
            Piece::Memory { local, memory: *memory }
        }
        Item::Instance(instance) => {
            let printed = instances.next().expect("one printed instance for each");
            Piece::Lines(Part::Block, instance_lines(instance, &printed, lowering))
        }
    }
}

/// `rust_hdl`'s instances with its stub nets replaced by what they stand for.
fn instance_lines(
    instance: &InstanceItem,
    printed: &PrintedInstance,
    lowering: &mut Lowering,
) -> Vec<String> {
    let InstanceItem { name, parameters, bound, .. } = instance;
    let parameters: Vec<String> =
        parameters.iter().map(|(name, value)| format!(".{name}({value})")).collect();
    let parameters = match parameters.as_slice() {
        [] => String::new(),
        some => format!("#({}) ", some.join(", ")),
    };
    let mut lines = vec![format!("{} {parameters}{name} (", printed.definition)];
    for (at, ((port, stub), value)) in printed.ports.iter().zip(bound).enumerate() {
        assert!(*stub == format!("{name}${port}"), "rust_hdl names a stub after its port");
        let comma = if at + 1 < bound.len() { "," } else { "" };
        lines.push(format!("    .{port}({}){comma}", lowering.text(value)));
    }
    lines.push(");".to_owned());
    lines
}

fn print_instances(module: &Module) -> Vec<PrintedInstance> {
    let shapes = module.items.iter().filter_map(|item| match item {
        Item::Instance(instance) => Some(InstanceShape {
            name: &instance.name,
            definition: instance.definition.name(),
            ports: instance
                .definition
                .ports()
                .iter()
                .map(|p| (p.name.as_str(), p.width, p.direction == Direction::Output))
                .collect(),
        }),
        _ => None,
    });
    emission::instances(&shapes.collect::<Vec<_>>())
}

/// One wire that reads all that is unused on purpose.
fn unused_wire(module: &Module, lowering: &mut Lowering, body: &mut Body) -> Option<Piece> {
    let mut parts = vec!["1'b0".to_owned()];
    let mut seen = BTreeSet::new();
    let stated: Vec<String> = module.unused.iter().map(|value| lowering.text(value)).collect();
    body.named_wires(lowering);
    let all = stated.into_iter().chain(lowering.unread_parts());
    parts.extend(all.filter(|part| seen.insert(part.clone())));
    if parts.len() == 1 {
        return None;
    }
    let name = "unused_ok".to_owned();
    assert!(!module.names.contains(&name), "hdl: the name `unused_ok` is taken");
    body.pieces.push(Piece::Section("Read by nothing, on purpose.".to_owned()));
    let local = body.local(Declaration { name, width: 1, kind: DeclarationKind::Net });
    let value = Some(format!("&{{{}}}", parts.join(", ")));
    Some(Piece::Local { local, value, note: None, keep: false })
}

fn declaration(signal: &Declared) -> Declaration {
    let kind = match (signal.role, signal.driver) {
        (Role::Input, _) => DeclarationKind::Input,
        (Role::Output, Driver::Procedural) => DeclarationKind::OutputVariable,
        (Role::Output, _) => DeclarationKind::OutputNet,
        (_, Driver::Procedural) => DeclarationKind::Variable,
        (_, _) => DeclarationKind::Net,
    };
    Declaration { name: signal.name.clone(), width: signal.width, kind }
}

impl Body {
    fn local(&mut self, declaration: Declaration) -> usize {
        self.locals.push(declaration);
        self.locals.len() - 1
    }

    /// Wires for sliced expressions go just before the item that first needs them.
    fn named_wires(&mut self, lowering: &Lowering) {
        for named in &lowering.named[self.named_so_far..] {
            let (name, width) = (named.name.clone(), named.width);
            let local = self.local(Declaration { name, width, kind: DeclarationKind::Net });
            let value = Some(named.text.clone());
            self.pieces.push(Piece::Local { local, value, note: None, keep: false });
        }
        self.named_so_far = lowering.named.len();
    }
}

impl Piece {
    fn write(&self, module: &Module, locals: &[String], out: &mut Writer) {
        match self {
            Piece::Section(text) => {
                out.begin(Part::Section);
                out.comment(1, text);
            }
            Piece::Lines(part, lines) => {
                out.begin(*part);
                lines.iter().for_each(|line| out.code(1, line));
            }
            Piece::Local { local, value, note, keep } => {
                out.begin(Part::Line);
                if let Some(note) = note {
                    out.comment(1, note);
                }
                if *keep {
                    out.code(1, KEEP);
                }
                let value = value.as_ref().map_or(String::new(), |v| format!(" = {v}"));
                out.code(1, &format!("{}{value};", locals[*local]));
            }
            Piece::Memory { local, memory } => {
                let item = &module.memories[*memory];
                out.begin(Part::Block);
                if !item.is_register() {
                    out.code(1, item.attribute);
                }
                out.code(1, &format!("{};", locals[*local]));
                if let Some(file) = &item.file {
                    out.code(1, &format!("initial $readmemh(\"{file}\", {});", item.name));
                }
            }
        }
    }
}
