//! A netlist as a Verilog module of instantiated primitives, and models of these for simulators.

use std::collections::BTreeSet;

use hdl::{Constant, Expr, Library, Module, ModuleRef, Port, Signal, Value, low, pack};

use crate::bit::{Bit, Wire};
use crate::counter::{Carry, Counter};
use crate::lut::Lut;
use crate::netlist::{Netlist, Stage};

/// Models of the primitives as file name and text, for simulators only: synthesis knows them.
pub fn simulation_models() -> [(&'static str, &'static str); 8] {
    [
        ("LUT1.v", include_str!("../models/LUT1.v")),
        ("LUT2.v", include_str!("../models/LUT2.v")),
        ("LUT3.v", include_str!("../models/LUT3.v")),
        ("LUT4.v", include_str!("../models/LUT4.v")),
        ("LUT5.v", include_str!("../models/LUT5.v")),
        ("LUT6.v", include_str!("../models/LUT6.v")),
        ("LUT6_2.v", include_str!("../models/LUT6_2.v")),
        ("CARRY4.v", include_str!("../models/CARRY4.v")),
    ]
}

impl Netlist {
    /// Defines the module `name` with the ports `clk`, `bits` (a bit for each input wire that is not
    /// late), `late` (the others) and `sum`. There is no port without bits.
    pub fn module(&self, library: &mut Library, name: &str) -> ModuleRef {
        let mut m = Module::new(name);
        m.comment(&format!(
            "Compressor tree of {} bits to a sum of {}, {} registers deep.\n\
             {} LUT sites, {} flip-flops and {} CARRY4 of the 7 series.",
            self.inputs,
            self.outputs.len(),
            self.latency(),
            self.luts(),
            self.registers(),
            self.carries(),
        ));
        let clk = m.input("clk", 1);
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
        let mut writer = Writer { module: m, values, read: self.read_outside_carries() };
        for (number, stage) in self.stages.iter().enumerate() {
            writer.stage(clk, number, stage, self.stages.get(number + 1));
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
struct Writer {
    module: Module,
    values: Vec<Option<Expr>>,
    /// Wires for which a bit of a `CARRY4` needs to be read.
    read: BTreeSet<Wire>,
}

impl Writer {
    fn value(&self, bit: Bit) -> Expr {
        let Some(wire) = bit.wire else { return bit.inverted.into() };
        let value = self.values[wire.index()].clone().expect("counters stand in order");
        if bit.inverted { !value } else { value }
    }

    fn set(&mut self, wire: Wire, value: impl Into<Expr>) {
        self.values[wire.index()] = Some(value.into());
    }

    fn stage(&mut self, clk: Signal, number: usize, stage: &Stage, next: Option<&Stage>) {
        self.module.section(&format!("Stage {number}"));
        for (index, chain) in stage.chains.iter().enumerate() {
            self.chain(&format!("s{number}_c{index}"), chain);
        }
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
        }
    }

    /// The tables of a chain, and four positions to each `CARRY4`.
    ///
    /// Tables read no carry of their own chain, so all of them come first.
    fn chain(&mut self, name: &str, chain: &[Counter]) {
        for (index, lut) in chain.iter().flat_map(|counter| &counter.luts).enumerate() {
            self.lut(&format!("u_{name}_lut{index}"), lut);
        }
        let carries: Vec<Carry> = chain.iter().flat_map(|c| c.carries.iter().copied()).collect();
        let mut below = None;
        for (index, four) in carries.chunks(4).enumerate() {
            let is_last = 4 * index + four.len() == carries.len();
            below = Some(self.carry4(&format!("u_{name}_carry{index}"), four, below, is_last));
        }
    }

    fn lut(&mut self, name: &str, lut: &Lut) {
        let pins: Vec<Expr> = lut.pins.iter().map(|pin| self.value(*pin)).collect();
        let (kind, outputs) = match lut.o5 {
            Some(o5) => ("LUT6_2".to_owned(), vec![("O6", lut.o6), ("O5", o5)]),
            None => (format!("LUT{}", pins.len()), vec![("O", lut.o6)]),
        };
        let inputs = (0..pins.len()).map(|pin| Port::input(&format!("I{pin}"), 1));
        let ports = inputs.chain(outputs.iter().map(|(port, _)| Port::output(port, 1)));
        let primitive = ModuleRef::external(&kind, ports.collect());
        let init = Constant::new(1 << pins.len(), lut.init);
        let mut instance = self.module.instance(name, &primitive).parameter("INIT", init);
        for (pin, value) in pins.into_iter().enumerate() {
            instance = instance.connect(&format!("I{pin}"), value);
        }
        let placed = instance.place();
        for (port, wire) in outputs {
            self.set(wire, placed.output(port));
            if !self.read.contains(&wire) {
                self.module.sink_unused([placed.output(port)]);
            }
        }
    }

    /// One to four positions; `below` is the carry out of the `CARRY4` below. Returns its own,
    /// which nothing reads of the last.
    fn carry4(
        &mut self,
        name: &str,
        positions: &[Carry],
        below: Option<Expr>,
        is_last: bool,
    ) -> Expr {
        let inputs = [("CI", 1), ("CYINIT", 1), ("DI", 4), ("S", 4)];
        let inputs = inputs.map(|(port, width)| Port::input(port, width));
        let outputs = [Port::output("CO", 4), Port::output("O", 4)];
        let primitive = ModuleRef::external("CARRY4", inputs.into_iter().chain(outputs).collect());
        let outside = if below.is_some() { low() } else { self.value(positions[0].ci) };
        let four = |of: fn(&Carry) -> Bit| {
            pack(positions.iter().map(|position| self.value(of(position))).collect::<Vec<_>>())
                .zero_extend(4)
        };
        let (di, s) = (four(|position| position.di), four(|position| position.s));
        let instance = self.module.instance(name, &primitive);
        let instance = instance.connect("CI", below.unwrap_or_else(low));
        let instance = instance.connect("CYINIT", outside).connect("DI", di).connect("S", s);
        let placed = instance.place();
        let (co, o) = (placed.output("CO"), placed.output("O"));
        for (index, position) in positions.iter().enumerate() {
            self.set(position.o, o.bit(index));
            self.set(position.co, co.bit(index));
        }
        let is_read = |of: fn(&Carry) -> Wire, index: usize| {
            positions.get(index).is_some_and(|position| self.read.contains(&of(position)))
        };
        let carries = (0..4).filter(|i| !is_read(|p| p.co, *i) && (is_last || *i < 3));
        let sums = (0..4).filter(|i| !is_read(|p| p.o, *i));
        let unused: Vec<Expr> = carries.map(|i| co.bit(i)).chain(sums.map(|i| o.bit(i))).collect();
        self.module.sink_unused(unused);
        co.bit(3)
    }
}
