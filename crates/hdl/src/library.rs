//! All modules of a design, one file each.

use std::collections::BTreeMap;

use crate::instance::{Direction, Interface, ModuleRef, Port};
use crate::module::{Module, Role};
use crate::print::print_module;

/// The defined modules and their Verilog text.
#[derive(Debug, Default)]
pub struct Library {
    modules: BTreeMap<String, (ModuleRef, String)>,
    /// Lower-case name to name: file systems may ignore case.
    folded: BTreeMap<String, String>,
}

impl Library {
    /// An empty library.
    pub fn new() -> Self {
        Self::default()
    }

    /// Prints the module and makes it available to instances. Defining the same module again
    /// returns the first one; the same name with another text is a bug and panics.
    #[track_caller]
    pub fn define(&mut self, module: Module) -> ModuleRef {
        module.check_complete();
        let text = print_module(&module);
        if let Some((known, known_text)) = self.modules.get(&module.name) {
            assert!(*known_text == text, "hdl: two different modules named `{}`", module.name);
            return known.clone();
        }
        let clash = self.folded.insert(module.name.to_lowercase(), module.name.clone());
        if let Some(other) = clash {
            panic!("hdl: modules `{other}` and `{}` differ in case only", module.name);
        }
        let ports = module.signals.iter().filter_map(|signal| {
            let direction = match signal.role {
                Role::Input => Direction::Input,
                Role::Output => Direction::Output,
                Role::Wire | Role::Register => return None,
            };
            Some(Port { name: signal.name.clone(), width: signal.width, direction })
        });
        let ports = ports.collect();
        let inner = Interface { name: module.name.clone(), ports }.into();
        let reference = ModuleRef { inner };
        self.modules.insert(module.name, (reference.clone(), text));
        reference
    }

    /// A module defined before, by name.
    pub fn get(&self, name: &str) -> Option<ModuleRef> {
        self.modules.get(name).map(|(reference, _)| reference.clone())
    }

    /// The text of a module defined before, by name.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.modules.get(name).map(|(_, text)| text.as_str())
    }

    /// File name (`<module>.v`) to text.
    pub fn files(&self) -> BTreeMap<String, String> {
        let files = self.modules.iter();
        files.map(|(name, (_, text))| (format!("{name}.v"), text.clone())).collect()
    }
}
