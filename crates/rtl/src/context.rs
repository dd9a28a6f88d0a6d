//! What all engines share while they are built.

use compressors::Primitives;
use dataflow::{Dataflow, Engine, MemoryStyle, Stream};
use engines::{Timing, cycles_per_frame, timing};
use hdl::{Expr, Library, Module, RamStyle, RomStyle, Signal, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use streamline::{Layer, Streamlined};

pub(crate) struct Context<'d> {
    pub(crate) dataflow: &'d Dataflow,
    pub(crate) network: &'d Streamlined,
    pub(crate) primitives: Primitives,
    pub(crate) library: Library,
    pub(crate) memories: BTreeMap<String, String>,
}

/// The ports that every engine has.
pub(crate) struct Ports {
    pub(crate) clk: Signal,
    pub(crate) rst: Signal,
    pub(crate) s_data: Signal,
    pub(crate) s_valid: Signal,
    pub(crate) s_ready: Signal,
    pub(crate) m_data: Signal,
    pub(crate) m_valid: Signal,
    pub(crate) m_ready: Signal,
}

/// The three wires of a stream: ports of an engine that has several on a side, or inner wires.
pub(crate) struct Side {
    pub(crate) data: Expr,
    pub(crate) valid: Signal,
    pub(crate) ready: Signal,
}

impl Side {
    /// Declares an input of words of `bits`, named with a prefix.
    pub(crate) fn input(m: &mut Module, prefix: &str, bits: usize) -> Self {
        Self {
            data: m.input(&format!("{prefix}_data"), bits).expr(),
            valid: m.input(&format!("{prefix}_valid"), 1),
            ready: m.output(&format!("{prefix}_ready"), 1),
        }
    }

    /// Declares an output of words of `bits`, named with a prefix.
    pub(crate) fn output(m: &mut Module, prefix: &str, bits: usize) -> Self {
        Self {
            data: m.output(&format!("{prefix}_data"), bits).expr(),
            valid: m.output(&format!("{prefix}_valid"), 1),
            ready: m.input(&format!("{prefix}_ready"), 1),
        }
    }

    /// Declares wires for words of `bits`, named with a prefix.
    pub(crate) fn wires(m: &mut Module, prefix: &str, bits: usize) -> Self {
        Self {
            data: m.wire(&format!("{prefix}_data"), bits).expr(),
            valid: m.wire(&format!("{prefix}_valid"), 1),
            ready: m.wire(&format!("{prefix}_ready"), 1),
        }
    }
}

impl Ports {
    /// The output.
    pub(crate) fn to(&self) -> Side {
        Side { data: self.m_data.expr(), valid: self.m_valid, ready: self.m_ready }
    }

    /// Declares them, for words of `s_bits` and `m_bits`.
    pub(crate) fn declare(m: &mut Module, s_bits: usize, m_bits: usize) -> Self {
        Self {
            clk: m.input("clk", 1),
            rst: m.input("rst", 1),
            s_data: m.input("s_data", s_bits),
            s_valid: m.input("s_valid", 1),
            s_ready: m.output("s_ready", 1),
            m_data: m.output("m_data", m_bits),
            m_valid: m.output("m_valid", 1),
            m_ready: m.input("m_ready", 1),
        }
    }
}

impl<'d> Context<'d> {
    pub(crate) fn new(
        dataflow: &'d Dataflow,
        network: &'d Streamlined,
        primitives: Primitives,
    ) -> Self {
        let (library, memories) = (Library::new(), BTreeMap::new());
        Self { dataflow, network, primitives, library, memories }
    }

    /// A module's name with the design's prefix.
    pub(crate) fn name(&self, stem: &str) -> String {
        format!("{}_{stem}", self.dataflow.name)
    }

    pub(crate) fn engine(&self, index: usize) -> &'d Engine {
        &self.dataflow.engines[index]
    }

    pub(crate) fn ends(&self, index: usize) -> (&'d Stream, &'d Stream) {
        let engine = self.engine(index);
        (&self.dataflow.streams[engine.input()], &self.dataflow.streams[engine.output()])
    }

    pub(crate) fn layer(&self, index: usize) -> &'d Layer {
        let name = &self.engine(index).layer;
        let found = self.network.layers.iter().find(|l| l.name == *name);
        found.expect("every computing engine has its layer")
    }

    /// The header of an engine's module: layer, nodes, streams, cycles.
    pub(crate) fn describe(&self, m: &mut Module, index: usize, what: &str) {
        let engine = self.engine(index);
        let (i, o) = self.ends(index);
        m.comment(what);
        if !engine.layer.is_empty() {
            let nodes = self.layer(index).nodes.join(", ");
            m.comment(&format!("Layer `{}` of the model's nodes: {nodes}", engine.layer));
        }
        let words = |s: &Stream| format!("{} x {}", s.lanes, s.element);
        m.comment(&format!(
            "In:  {} words a frame of {}. Out: {} words a frame of {}.",
            i.words_per_frame(),
            words(i),
            o.words_per_frame(),
            words(o)
        ));
        let cycles = cycles_per_frame(self.dataflow, index);
        m.comment(&format!("Cycles a frame: {cycles}."));
        let (latency, credits) = match timing(self.dataflow, index) {
            Timing::Compute(c) => (c.latency, c.credits),
            Timing::Sliding(s) => (s.latency, s.credits),
            Timing::Shifting(s) => (s.latency, s.credits),
            Timing::Join { credits, .. } => (1, credits),
            Timing::Fifo { .. }
            | Timing::Fork { .. }
            | Timing::Pack { .. }
            | Timing::Split { .. } => (0, 0),
        };
        if credits > 0 {
            m.comment(&format!(
                "Latency from the last step of a word to its offer: {latency} cycles; credits: {credits}."
            ));
        }
        m.comment("Paths cut: s_ready and m_valid come from registers (and rst) only.");
    }

    /// Adds a memory file of `words`, each given as bits from the lowest.
    pub(crate) fn memory(&mut self, name: &str, words: impl Iterator<Item = Vec<bool>>) -> String {
        let file = format!("{}.mem", self.name(name));
        let mut text = String::new();
        for word in words {
            for digit in word.chunks(4).rev() {
                let value = digit.iter().rev().fold(0, |v, &bit| v << 1 | u8::from(bit));
                write!(text, "{value:x}").expect("writing to a string does not fail");
            }
            text.push('\n');
        }
        let before = self.memories.insert(file.clone(), text);
        assert!(before.is_none(), "memory file {file} is written twice");
        file
    }
}

pub(crate) fn rom_style(style: MemoryStyle) -> RomStyle {
    match style {
        MemoryStyle::Block => RomStyle::Block,
        MemoryStyle::Lut => RomStyle::Logic,
    }
}

pub(crate) fn ram_style(style: MemoryStyle) -> RamStyle {
    match style {
        MemoryStyle::Block => RamStyle::Block,
        MemoryStyle::Lut => RamStyle::Lut,
    }
}

/// The low `width` bits of a two's complement number, lowest first.
pub(crate) fn bits_of(value: i64, width: usize) -> impl Iterator<Item = bool> {
    (0..width).map(move |bit| value >> bit.min(63) & 1 == 1)
}
