//! A netlist as a Verilog module: of instantiated primitives, or of operators.

use std::collections::BTreeSet;

use hdl::{Constant, Expr, Library, Module, ModuleRef, Port, Signal, Value, low, pack};

use crate::bit::{Bit, Wire};
use crate::counter::{Carry, Counter};
use crate::lut::Lut;
use crate::netlist::{Netlist, Stage};

/// What a netlist is written in. Ports, registers and values are the same in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primitives {
    /// Operators: for any device.
    Portable,
    /// `LUT6_2`, `LUT1` to `LUT6` and `CARRY4`: 7 series.
    Series7,
    /// The same tables and `CARRY8`: UltraScale and UltraScale+.
    UltraScale,
}

impl Primitives {
    /// Positions of a primitive of the carry chain; 0 where there is none.
    fn positions(self) -> usize {
        match self {
            Self::Portable => 0,
            Self::Series7 => 4,
            Self::UltraScale => 8,
        }
    }
}

/// What comes behind the last stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A register for each bit of the sum.
    Registers,
    /// Nothing: the register is the caller's, an accumulator with its own start value.
    Open,
}

/// Models of the primitives as file name and text, for simulators only: synthesis knows them.
pub fn simulation_models() -> [(&'static str, &'static str); 9] {
    [
        ("LUT1.v", include_str!("../models/LUT1.v")),
        ("LUT2.v", include_str!("../models/LUT2.v")),
        ("LUT3.v", include_str!("../models/LUT3.v")),
        ("LUT4.v", include_str!("../models/LUT4.v")),
        ("LUT5.v", include_str!("../models/LUT5.v")),
        ("LUT6.v", include_str!("../models/LUT6.v")),
        ("LUT6_2.v", include_str!("../models/LUT6_2.v")),
        ("CARRY4.v", include_str!("../models/CARRY4.v")),
        ("CARRY8.v", include_str!("../models/CARRY8.v")),
    ]
}

impl Netlist {
    /// Defines the module `name` of 7-series primitives; see [`module_of`](Self::module_of).
    pub fn module(&self, library: &mut Library, name: &str) -> ModuleRef {
        self.module_of(Primitives::Series7, End::Registers, library, name)
    }

    /// Defines the module `name` with the ports `clk`, `bits` (a bit for each input wire that is not
    /// late), `late` (the others) and `sum`. There is no port without bits, and no `clk` without
    /// registers.
    pub fn module_of(
        &self,
        primitives: Primitives,
        end: End,
        library: &mut Library,
        name: &str,
    ) -> ModuleRef {
        let mut m = Module::new(name);
        let last = usize::from(end == End::Open);
        let registers = self.latency() - last;
        m.comment(&format!(
            "Compressor tree of {} bits to a sum of {}, {registers} registers deep.",
            self.inputs,
            self.outputs.len(),
        ));
        m.comment(&match primitives {
            Primitives::Portable => "Written in operators.".to_owned(),
            Primitives::Series7 => {
                format!("{} LUT sites and {} CARRY4 of the 7 series.", self.luts(), self.carries(4))
            }
            Primitives::UltraScale => {
                format!("{} LUT sites and {} CARRY8 of UltraScale.", self.luts(), self.carries(8))
            }
        });
        let clk = (registers > 0).then(|| m.input("clk", 1));
        let (late, early): (Vec<Wire>, Vec<Wire>) =
            (0..self.inputs as u32).map(Wire).partition(|wire| self.late.contains(wire));
        let mut inputs = Vec::new();
        for (port, wires) in [("bits", early), ("late", late)] {
            if !wires.is_empty() {
                let port = m.input(port, wires.len());
                inputs.extend(wires.into_iter().enumerate().map(|(i, wire)| (wire, port.bit(i))));
            }
        }
        let sum = m.output("sum", self.outputs.len());
        let mut values: Vec<Option<Expr>> = vec![None; self.wires];
        inputs.into_iter().for_each(|(wire, bit)| values[wire.index()] = Some(bit));
        let read = self.read_outside_carries();
        let unread = (0..self.inputs as u32).map(Wire).filter(|wire| !read.contains(wire));
        m.sink_unused(unread.filter_map(|wire| values[wire.index()].clone()).collect::<Vec<_>>());
        let mut writer = Writer { module: m, values, read, primitives };
        for (number, stage) in self.stages.iter().enumerate() {
            writer.section(number, stage);
            match clk.filter(|_| number < registers) {
                Some(clk) => writer.all_registers(clk, number, stage, self.stages.get(number + 1)),
                None => stage.registers.iter().for_each(|(from, to)| {
                    let value = writer.value((*from).into());
                    writer.set(*to, value);
                }),
            }
        }
        let outputs: Vec<Expr> = self.outputs.iter().map(|bit| writer.value(*bit)).collect();
        writer.module.assign(sum, pack(outputs));
        library.define(writer.module)
    }

    /// Wires that something reads other than the next position of a carry chain.
    fn read_outside_carries(&self) -> BTreeSet<Wire> {
        let inside = |carry: &Carry| [carry.s, carry.di];
        let counters = self.counters().flat_map(|counter| {
            let pins = counter.luts.iter().flat_map(|lut| lut.pins.iter().copied());
            pins.chain(counter.carries.iter().flat_map(inside))
        });
        let bits = counters.chain(self.outputs.iter().copied()).filter_map(|bit| bit.wire);
        let registers = self.stages.iter().flat_map(|stage| stage.registers.iter().map(|r| r.0));
        bits.chain(registers).collect()
    }
}

/// A module under construction, and what its wires are called there.
pub(crate) struct Writer {
    pub(crate) module: Module,
    values: Vec<Option<Expr>>,
    /// Wires for which a bit of a carry primitive needs to be read.
    read: BTreeSet<Wire>,
    primitives: Primitives,
}

/// Instantiates a table; gives its outputs.
pub(crate) fn place(
    module: &mut Module,
    name: &str,
    lut: &Lut,
    pins: Vec<Expr>,
) -> Vec<(Wire, Signal)> {
    let (kind, outputs) = match lut.o5 {
        Some(o5) => ("LUT6_2".to_owned(), vec![("O6", lut.o6), ("O5", o5)]),
        None => (format!("LUT{}", pins.len()), vec![("O", lut.o6)]),
    };
    let inputs = (0..pins.len()).map(|pin| Port::input(&format!("I{pin}"), 1));
    let ports = inputs.chain(outputs.iter().map(|(port, _)| Port::output(port, 1)));
    let primitive = ModuleRef::external(&kind, ports.collect());
    let init = Constant::new(1 << pins.len(), lut.init);
    let mut instance = module.instance(name, &primitive).parameter("INIT", init);
    for (pin, value) in pins.into_iter().enumerate() {
        instance = instance.connect(&format!("I{pin}"), value);
    }
    let placed = instance.place();
    outputs.into_iter().map(|(port, wire)| (wire, placed.output(port))).collect()
}

impl Writer {
    pub(crate) fn value(&self, bit: Bit) -> Expr {
        let Some(wire) = bit.wire else { return bit.inverted.into() };
        let value = self.values[wire.index()].clone().expect("counters stand in order");
        if bit.inverted { !value } else { value }
    }

    pub(crate) fn set(&mut self, wire: Wire, value: impl Into<Expr>) {
        self.values[wire.index()] = Some(value.into());
    }

    /// Says of a wire that nothing reads that this is so.
    pub(crate) fn sink_unread(&mut self, wire: Wire) {
        if !self.read.contains(&wire) {
            let value = self.value(wire.into());
            self.module.sink_unused([value]);
        }
    }

    /// The chains of a stage.
    fn section(&mut self, number: usize, stage: &Stage) {
        self.module.section(&format!("Stage {number}"));
        for (index, chain) in stage.chains.iter().enumerate() {
            let name = format!("s{number}_c{index}");
            match self.primitives {
                Primitives::Portable => self.sum(&name, chain),
                Primitives::Series7 | Primitives::UltraScale => self.chain(&name, chain),
            }
        }
    }

    /// The registers behind a stage.
    fn all_registers(&mut self, clk: Signal, number: usize, stage: &Stage, next: Option<&Stage>) {
        // A bit that waits for stages may not become a shift register: that takes a table.
        let next: BTreeSet<Wire> =
            next.iter().flat_map(|stage| &stage.registers).map(|r| r.0).collect();
        let (waiting, used): (Vec<_>, Vec<_>) =
            stage.registers.iter().partition(|(_, to)| next.contains(to));
        self.registers(clk, &format!("s{number}_q"), &used, false);
        self.registers(clk, &format!("s{number}_waiting_q"), &waiting, true);
    }

    fn registers(&mut self, clk: Signal, name: &str, registers: &[(Wire, Wire)], keep: bool) {
        if registers.is_empty() {
            return;
        }
        let q = self.module.reg(name, registers.len());
        if keep {
            self.module.keep_flip_flops(q);
        }
        let next: Vec<Expr> =
            registers.iter().map(|(from, _)| self.value((*from).into())).collect();
        self.module.register(clk, q, pack(next));
        for (index, (_, to)) in registers.iter().enumerate() {
            self.set(*to, q.bit(index));
            self.sink_unread(*to);
        }
    }

    /// The tables of a chain, and four positions to each `CARRY4`, or eight to each `CARRY8`.
    ///
    /// Tables read no carry of their own chain, so all of them come first.
    fn chain(&mut self, name: &str, chain: &[Counter]) {
        for (index, lut) in chain.iter().flat_map(|counter| &counter.luts).enumerate() {
            self.lut(&format!("u_{name}_lut{index}"), lut);
        }
        let carries: Vec<Carry> = chain.iter().flat_map(|c| c.carries.iter().copied()).collect();
        let mut below = None;
        let size = self.primitives.positions();
        for (index, some) in carries.chunks(size).enumerate() {
            let is_last = size * index + some.len() == carries.len();
            below = Some(self.carry(&format!("u_{name}_carry{index}"), some, below, is_last));
        }
    }

    fn lut(&mut self, name: &str, lut: &Lut) {
        let pins: Vec<Expr> = lut.pins.iter().map(|pin| self.value(*pin)).collect();
        for (wire, value) in place(&mut self.module, name, lut, pins) {
            self.set(wire, value);
            if !self.read.contains(&wire) {
                self.module.sink_unused([value]);
            }
        }
    }

    /// One primitive of the carry chain; `below` is the carry out of the one below. Returns its own,
    /// which nothing reads of the last.
    fn carry(
        &mut self,
        name: &str,
        positions: &[Carry],
        below: Option<Expr>,
        is_last: bool,
    ) -> Expr {
        let size = self.primitives.positions();
        let first = self.value(positions[0].ci);
        let all = |of: fn(&Carry) -> Bit| {
            pack(positions.iter().map(|position| self.value(of(position))).collect::<Vec<_>>())
                .zero_extend(size)
        };
        let (di, s) = (all(|position| position.di), all(|position| position.s));
        // The carry from the primitive below and that from outside have a pin each in the 7 series.
        let (kind, ins) = match (self.primitives, below) {
            (Primitives::UltraScale, below) => {
                ("CARRY8", [("CI", below.unwrap_or(first)), ("CI_TOP", low())])
            }
            (_, Some(below)) => ("CARRY4", [("CI", below), ("CYINIT", low())]),
            (_, None) => ("CARRY4", [("CI", low()), ("CYINIT", first)]),
        };
        let inputs = ins.iter().map(|(port, _)| Port::input(port, 1));
        let words = [Port::input("DI", size), Port::input("S", size)];
        let outputs = [Port::output("CO", size), Port::output("O", size)];
        let primitive = ModuleRef::external(kind, inputs.chain(words).chain(outputs).collect());
        let mut instance = self.module.instance(name, &primitive);
        for (port, value) in ins {
            instance = instance.connect(port, value);
        }
        let placed = instance.connect("DI", di).connect("S", s).place();
        let (co, o) = (placed.output("CO"), placed.output("O"));
        for (index, position) in positions.iter().enumerate() {
            self.set(position.o, o.bit(index));
            self.set(position.co, co.bit(index));
        }
        let is_read = |of: fn(&Carry) -> Wire, index: usize| {
            positions.get(index).is_some_and(|position| self.read.contains(&of(position)))
        };
        let carries = (0..size).filter(|i| !is_read(|p| p.co, *i) && (is_last || *i + 1 < size));
        let sums = (0..size).filter(|i| !is_read(|p| p.o, *i));
        let unused: Vec<Expr> = carries.map(|i| co.bit(i)).chain(sums.map(|i| o.bit(i))).collect();
        self.module.sink_unused(unused);
        co.bit(size - 1)
    }
}
