//! Compressor trees: many bits of equal weight to their sum, in the fewest look-up tables.
//!
//! What comes in: a [`Heap`] of bits in columns. What goes out: a pipelined [`Netlist`] of the
//! primitives of 7-series slices, with a register after each stage, that is evaluated here
//! ([`Netlist::evaluate`]), proven by composition ([`Netlist::check`]) and written as Verilog
//! ([`Netlist::module`]).
//!
//! The counter that carries it is block "6": a (7;3) counter on two positions of the carry chain,
//! which removes two bits for each table, where a full adder or a 6:3 counter removes one. It is of
//! the family of generalised parallel counters on carry chains (Kumm and Zipf, "Efficient
//! high-speed compression trees on Xilinx FPGAs", MBMV 2014; Preusser, "Generic and universal
//! parallel matrix summation with a flexible compression goal for Xilinx FPGAs", FPL 2017).

mod bit;
mod check;
mod compress;
mod counter;
mod heap;
mod last;
mod lut;
mod netlist;
mod operators;
mod row;
mod schedule;
mod verilog;
mod wired;

pub use bit::{Bit, Wire};
pub use check::Flaw;
pub use counter::{Carry, Counter, Kind};
pub use heap::Heap;
pub use lut::Lut;
pub use netlist::{Netlist, Stage};
pub use row::{Row, encode, parities};
pub use schedule::Search;
pub use verilog::{End, Primitives, simulation_models};
pub use wired::{Group, Miswired, Neuron, Output, Wired};
