//! Instances of defined modules and of vendor primitives.

use std::sync::Arc;

use crate::constant::Constant;
use crate::expr::{Expr, Node, Signal};
use crate::ident;
use crate::module::{Driver, Item, Module};

/// A module that can be instantiated: defined in a [`Library`](crate::Library), or external.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleRef {
    pub(crate) inner: Arc<Interface>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) ports: Vec<Port>,
}

/// One port of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name of the port.
    pub name: String,
    /// Width in bits.
    pub width: usize,
    /// Which way it goes.
    pub direction: Direction,
}

/// Which way a port goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Driven by the parent.
    Input,
    /// Driven by the module.
    Output,
}

#[derive(Debug)]
pub(crate) struct InstanceItem {
    pub(crate) name: String,
    pub(crate) definition: ModuleRef,
    pub(crate) parameters: Vec<(String, Constant)>,
    /// One per port, in port order.
    pub(crate) bound: Vec<Expr>,
}

impl Port {
    /// An input port.
    pub fn input(name: &str, width: usize) -> Self {
        Self { name: name.to_owned(), width, direction: Direction::Input }
    }

    /// An output port.
    pub fn output(name: &str, width: usize) -> Self {
        Self { name: name.to_owned(), width, direction: Direction::Output }
    }
}

impl ModuleRef {
    /// A module that is not in the library, such as the primitive `LUT6_2`. No file is written.
    #[track_caller]
    pub fn external(name: &str, ports: Vec<Port>) -> Self {
        assert!(ident::is_legal(name), "hdl: `{name}` is not a legal module name");
        Self { inner: Arc::new(Interface { name: name.to_owned(), ports }) }
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The ports, in the order of the module header.
    pub fn ports(&self) -> &[Port] {
        &self.inner.ports
    }
}

/// An instance under construction; [`place`](Self::place) puts it into the module.
#[derive(Debug)]
#[must_use = "an instance is made by `place`"]
pub struct InstanceBuilder<'m> {
    module: &'m mut Module,
    name: String,
    definition: ModuleRef,
    parameters: Vec<(String, Constant)>,
    bound: Vec<Option<Expr>>,
}

/// A placed instance: its outputs as signals of the parent.
#[derive(Debug)]
pub struct Instance {
    outputs: Vec<(String, Signal)>,
}

impl Module {
    /// Starts an instance. `name` by habit begins with `u_`.
    #[track_caller]
    pub fn instance(&mut self, name: &str, definition: &ModuleRef) -> InstanceBuilder<'_> {
        self.take_name(name);
        InstanceBuilder {
            name: name.to_owned(),
            parameters: Vec::new(),
            bound: vec![None; definition.ports().len()],
            definition: definition.clone(),
            module: self,
        }
    }
}

impl InstanceBuilder<'_> {
    /// Connects a port: an input to any expression, an output to a wire or output port of the
    /// parent that nothing else drives.
    #[track_caller]
    pub fn connect(mut self, port: &str, value: impl Into<Expr>) -> Self {
        let value = value.into();
        let index = self.definition.ports().iter().position(|p| p.name == port);
        let Some(index) = index else {
            panic!("hdl: `{}` has no port `{port}`", self.definition.name());
        };
        let width = self.definition.ports()[index].width;
        assert!(
            width == value.width,
            "hdl: port `{port}` of `{}` has {width} bits, not {}",
            self.name,
            value.width
        );
        let before = self.bound[index].replace(value);
        assert!(before.is_none(), "hdl: port `{port}` of `{}` is connected twice", self.name);
        self
    }

    /// A parameter of an external module: `#(.NAME(value))`.
    pub fn parameter(mut self, name: &str, value: Constant) -> Self {
        assert!(ident::is_legal(name), "hdl: `{name}` is not a legal parameter name");
        self.parameters.push((name.to_owned(), value));
        self
    }

    /// Finishes the instance. Inputs must all be connected; an output that is not connected gets
    /// a new wire `<instance without u_>_<port>`.
    #[track_caller]
    pub fn place(self) -> Instance {
        let Self { module, name, definition, parameters, bound } = self;
        let stem = name.strip_prefix("u_").unwrap_or(&name).to_owned();
        let mut outputs = Vec::new();
        let mut all = Vec::new();
        for (port, value) in definition.ports().iter().zip(bound) {
            all.push(match (port.direction, value) {
                (Direction::Input, Some(value)) => value,
                (Direction::Input, None) => {
                    panic!("hdl: input `{}` of `{name}` is not connected", port.name)
                }
                (Direction::Output, value) => {
                    let signal = match value {
                        Some(value) => match &*value.node {
                            Node::Signal(signal) => *signal,
                            _ => panic!("hdl: output `{}` of `{name}` wants a wire", port.name),
                        },
                        None => module.wire(&format!("{stem}_{}", port.name), port.width),
                    };
                    module.drive(signal, Driver::Continuous);
                    outputs.push((port.name.clone(), signal));
                    signal.into()
                }
            });
        }
        module.items.push(Item::Instance(InstanceItem {
            name,
            definition,
            parameters,
            bound: all,
        }));
        Instance { outputs }
    }
}

impl Instance {
    /// The parent's signal on output `port`.
    #[track_caller]
    pub fn output(&self, port: &str) -> Signal {
        let found = self.outputs.iter().find(|(name, _)| name == port);
        let Some((_, signal)) = found else { panic!("hdl: no output port `{port}`") };
        *signal
    }
}
