//! The part of Yosys' JSON netlist that counting needs.

use super::order::table_order;
use anyhow::{Context, Result};
use indexmap::IndexMap;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read;

/// A design as `write_json` writes it.
#[derive(Debug, Deserialize)]
pub(super) struct Netlist {
    pub(super) modules: BTreeMap<String, Module>,
}

/// A flat module; cells and ports are in the order of the file.
#[derive(Debug, Deserialize)]
pub(super) struct Module {
    pub(super) cells: IndexMap<String, Cell>,
}

/// A cell of the technology.
#[derive(Debug, Deserialize)]
pub(super) struct Cell {
    #[serde(rename = "type")]
    pub(super) kind: String,
    connections: IndexMap<String, Vec<Bit>>,
}

/// What a bit of a port is tied to.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Bit {
    Net(u64),
    /// `0`, `1`, `x` or `z`.
    #[expect(dead_code, reason = "only told apart from nets")]
    Constant(String),
}

impl Netlist {
    /// Reads a netlist.
    pub(super) fn read(reader: impl Read) -> Result<Self> {
        serde_json::from_reader(reader).context("this is no netlist of Yosys")
    }
}

impl Cell {
    /// The different nets at the inputs of a look-up table, in the order in which partners are looked
    /// for.
    pub(super) fn lut_inputs(&self) -> Vec<u64> {
        let inputs = self.connections.iter().filter(|(port, _)| *port != "O");
        let bits = inputs.flat_map(|(_, bits)| bits);
        table_order(bits.filter_map(|bit| match bit {
            Bit::Net(net) => Some(*net),
            Bit::Constant(_) => None,
        }))
    }
}
