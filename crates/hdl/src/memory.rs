//! Memories: ROMs filled from a file and RAMs with one write port.

use crate::block::{Block, Statement};
use crate::expr::{Expr, Signal, address_bits, high};
use crate::module::{Item, Module};
use crate::value::Value;

/// A memory of one [`Module`]: a small copyable handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    pub(crate) module: u32,
    pub(crate) index: usize,
    width: usize,
    depth: usize,
}

/// What a ROM is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RomStyle {
    /// Block RAM; read it with [`Module::read_clocked`].
    Block,
    /// LUT logic, whatever the size.
    Logic,
}

/// What a RAM is built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RamStyle {
    /// LUT RAM; may be read without a clock.
    Lut,
    /// Block RAM; read it with [`Module::read_clocked`].
    Block,
}

#[derive(Debug)]
pub(crate) struct MemoryItem {
    pub(crate) name: String,
    pub(crate) width: usize,
    pub(crate) depth: usize,
    pub(crate) attribute: &'static str,
    /// Bare name of the `$readmemh` file of a ROM.
    pub(crate) file: Option<String>,
}

impl MemoryItem {
    /// A RAM of one word is a plain register: tools warn of a memory that never needs an address.
    pub(crate) fn is_register(&self) -> bool {
        self.depth == 1 && self.file.is_none()
    }
}

impl Memory {
    /// Bits of one word.
    pub fn width(self) -> usize {
        self.width
    }

    /// Number of words.
    pub fn depth(self) -> usize {
        self.depth
    }

    /// Exact width of every address of this memory; 1 for a single word.
    pub fn address_bits(self) -> usize {
        address_bits(self.depth)
    }
}

impl Module {
    /// A ROM of `depth` words loaded from `file` (a bare name, one hexadecimal word a line).
    #[track_caller]
    pub fn rom(
        &mut self,
        name: &str,
        width: usize,
        depth: usize,
        file: &str,
        style: RomStyle,
    ) -> Memory {
        let bare = !file.is_empty()
            && file.bytes().all(|c| c.is_ascii_alphanumeric() || b"_-.".contains(&c));
        assert!(bare, "hdl: `{file}` is not a bare file name");
        let attribute = match style {
            RomStyle::Block => "(* rom_style = \"block\" *)",
            // Yosys refuses "distributed" on a ROM; Vivado ignores `logic_block`.
            RomStyle::Logic => "(* logic_block = 1 *)",
        };
        self.memory(name, width, depth, attribute, Some(file.to_owned()))
    }

    /// A RAM of `depth` words; contents are undefined until written.
    #[track_caller]
    pub fn ram(&mut self, name: &str, width: usize, depth: usize, style: RamStyle) -> Memory {
        let attribute = match style {
            RamStyle::Lut => "(* ram_style = \"distributed\" *)",
            RamStyle::Block => "(* ram_style = \"block\" *)",
        };
        self.memory(name, width, depth, attribute, None)
    }

    #[track_caller]
    fn memory(
        &mut self,
        name: &str,
        width: usize,
        depth: usize,
        attribute: &'static str,
        file: Option<String>,
    ) -> Memory {
        assert!(width > 0 && depth > 0, "hdl: memory `{name}` is empty");
        self.take_name(name);
        let index = self.memories.len();
        self.memories.push(MemoryItem { name: name.to_owned(), width, depth, attribute, file });
        self.items.push(Item::Memory(index));
        Memory { module: self.id, index, width, depth }
    }

    /// `if (enable) memory[address] <= data` at every edge of `clk`. Call it once per RAM.
    #[track_caller]
    pub fn write(
        &mut self,
        memory: Memory,
        clk: Signal,
        enable: impl Into<Expr>,
        address: impl Into<Expr>,
        data: impl Into<Expr>,
    ) {
        let (address, data) = (self.checked_address(memory, address.into()), data.into());
        let item = &self.memories[memory.index];
        assert!(item.file.is_none(), "hdl: ROM `{}` is written", item.name);
        assert!(
            data.width == memory.width,
            "hdl: {} bits written to `{}` of {} bits",
            data.width,
            item.name,
            memory.width
        );
        let write = Statement::Write { memory: memory.index, address, data };
        let statements = Block::build(|b| b.when(enable, |b| b.statements.push(write)));
        self.clocked_statements(clk, statements);
    }

    /// A new wire `name` that shows `memory[address]` without a clock.
    #[track_caller]
    pub fn read(&mut self, name: &str, memory: Memory, address: impl Into<Expr>) -> Signal {
        let word = self.word(memory, address.into());
        self.net(name, word)
    }

    /// A new register `name` that takes `memory[address]` at every edge of `clk` with `enable`
    /// (the old contents when the same word is being written).
    #[track_caller]
    pub fn read_clocked(
        &mut self,
        name: &str,
        memory: Memory,
        clk: Signal,
        enable: impl Into<Expr>,
        address: impl Into<Expr>,
    ) -> Signal {
        let word = self.word(memory, address.into());
        let q = self.reg(name, memory.width);
        self.register_enabled(clk, enable, q, word);
        q
    }

    /// As [`read_clocked`](Self::read_clocked) at every edge.
    #[track_caller]
    pub fn read_every_cycle(
        &mut self,
        name: &str,
        memory: Memory,
        clk: Signal,
        address: impl Into<Expr>,
    ) -> Signal {
        self.read_clocked(name, memory, clk, high(), address)
    }

    #[track_caller]
    fn word(&mut self, memory: Memory, address: Expr) -> Expr {
        let address = self.checked_address(memory, address);
        Expr::word(memory, address)
    }

    /// A single word needs no address: the given one is stated as unused.
    #[track_caller]
    fn checked_address(&mut self, memory: Memory, address: Expr) -> Expr {
        assert!(memory.module == self.id, "hdl: a memory of another module in `{}`", self.name);
        assert!(
            address.width == memory.address_bits(),
            "hdl: `{}` has {} words and wants an address of {} bits, not {}",
            self.memories[memory.index].name,
            memory.depth,
            memory.address_bits(),
            address.width
        );
        if memory.depth > 1 {
            return address;
        }
        let zero = crate::expr::zeros(address.width());
        self.sink_unused([address]);
        zero
    }
}
