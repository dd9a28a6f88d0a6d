//! Counting cells of the 7 series, and which look-up tables share a site.

use super::netlist::Module;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// Inputs of a site when both of its outputs are in use.
const SHARED_INPUTS: usize = 5;

/// A net with more readers than this offers only so many of them as partners.
const PARTNERS_OF_A_NET: usize = 200;

/// What a module takes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Area {
    /// Look-up tables and inverters, one for each cell.
    pub(super) lut_cells: usize,
    /// Pairs of them that fit into one site.
    pub(super) lut_pairs: usize,
    /// Sites used as memory.
    pub(super) lut_ram: usize,
    /// Sites used as shift registers.
    pub(super) shift_registers: usize,
    /// Flip-flops and latches.
    pub(super) flip_flops: usize,
    /// Block RAMs, in halves of 18 kbit.
    bram18: usize,
    /// DSP slices.
    pub(super) dsps: usize,
    /// Carry chains of four bits.
    pub(super) carries: usize,
    /// All other cells, by type.
    pub(super) others: BTreeMap<String, usize>,
}

impl Area {
    /// Counts the cells of a flat module.
    pub(super) fn of(module: &Module) -> Self {
        let mut area = Self::default();
        let mut tables = Vec::new();
        for cell in module.cells.values() {
            match cell.kind.as_str() {
                "LUT1" | "LUT2" | "LUT3" | "LUT4" | "LUT5" | "LUT6" | "INV" => {
                    area.lut_cells += 1;
                    tables.push(cell.lut_inputs());
                }
                // Instantiated with both outputs: a full site.
                "LUT6_2" => area.lut_cells += 1,
                "CARRY4" => area.carries += 1,
                "DSP48E1" => area.dsps += 1,
                "RAMB36E1" | "FIFO36E1" => area.bram18 += 2,
                "RAMB18E1" | "FIFO18E1" => area.bram18 += 1,
                "RAM32X1S" | "RAM64X1S" => area.lut_ram += 1,
                "RAM32X1D" | "RAM64X1D" | "RAM128X1S" => area.lut_ram += 2,
                "RAM32M" | "RAM64M" | "RAM128X1D" | "RAM256X1S" => area.lut_ram += 4,
                // Free in the slice; a note for debuggers.
                "MUXF7" | "MUXF8" | "$scopeinfo" => {}
                kind if kind.starts_with("SRL") => area.shift_registers += 1,
                kind if is_register(kind) => area.flip_flops += 1,
                kind => *area.others.entry(kind.to_string()).or_default() += 1,
            }
        }
        area.lut_pairs = pairs(&tables);
        area
    }

    /// Sites of look-up tables, however they are used.
    pub(super) fn lut_sites(&self) -> usize {
        self.lut_cells - self.lut_pairs + self.lut_ram + self.shift_registers
    }

    /// Block RAMs of 36 kbit.
    pub(super) fn bram36(&self) -> f64 {
        self.bram18 as f64 / 2.0
    }
}

fn is_register(kind: &str) -> bool {
    let kind = kind.strip_suffix("_1").unwrap_or(kind);
    matches!(kind, "FDRE" | "FDSE" | "FDCE" | "FDPE" | "LDCE" | "LDPE")
}

/// How many pairs of tables can share a site: no more than five different inputs together, and at
/// least one in common (a packer joins what belongs together).
///
/// Greedy: tables with many inputs choose first, and choose whom they share most with.
fn pairs(tables: &[Vec<u64>]) -> usize {
    let small = |table: &[u64]| table.len() <= SHARED_INPUTS;
    let mut readers: HashMap<u64, Vec<usize>> = HashMap::new();
    for (index, table) in tables.iter().enumerate().filter(|(_, t)| small(t)) {
        table.iter().for_each(|net| readers.entry(*net).or_default().push(index));
    }
    let mut order: Vec<usize> = (0..tables.len()).filter(|i| small(&tables[*i])).collect();
    order.sort_by_key(|i| Reverse(tables[*i].len()));

    let mut taken = vec![false; tables.len()];
    let mut count = 0;
    for index in order {
        if taken[index] {
            continue;
        }
        let mut best = None;
        let near = tables[index].iter().filter_map(|net| readers.get(net));
        for &other in near.flat_map(|list| list.iter().take(PARTNERS_OF_A_NET)) {
            if other == index || taken[other] {
                continue;
            }
            let common = tables[index].iter().filter(|net| tables[other].contains(net)).count();
            let together = tables[index].len() + tables[other].len() - common;
            let gain = (common, Reverse(together));
            if together <= SHARED_INPUTS && best.is_none_or(|(known, _)| gain > known) {
                best = Some((gain, other));
            }
        }
        if let Some((_, partner)) = best {
            taken[index] = true;
            taken[partner] = true;
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::netlist::Netlist;
    use super::*;

    /// Two LUT3 on the nets 1 to 4 that share a site, a LUT6 that cannot, a LUT2 on other nets.
    const TINY: &str = r#"{"creator": "Yosys", "modules": {"tiny": {"ports": {}, "cells": {
        "a": {"type": "LUT3", "port_directions": {"O": "output"},
              "connections": {"I0": [1], "I1": [2], "I2": [3], "O": [10]}},
        "b": {"type": "LUT3", "connections": {"I0": [2], "I1": [3], "I2": [4], "O": [11]}},
        "c": {"type": "LUT6", "connections":
              {"I0": [1], "I1": [2], "I2": [3], "I3": [4], "I4": [5], "I5": [6], "O": [12]}},
        "d": {"type": "LUT2", "connections": {"I0": [20], "I1": ["0"], "O": [13]}},
        "r": {"type": "FDRE", "connections": {"C": [0], "D": [10], "Q": [14]}},
        "n": {"type": "FDSE_1", "connections": {"C": [0], "D": [10], "Q": [15]}},
        "s": {"type": "SRL16E", "connections": {"D": [10]}},
        "m": {"type": "RAM32M", "connections": {"DIA": [10, 11]}},
        "k": {"type": "CARRY4", "connections": {"S": [10, 11, "0", "0"]}},
        "w": {"type": "RAMB36E1", "connections": {}},
        "h": {"type": "RAMB18E1", "connections": {}},
        "x": {"type": "BUFG", "connections": {}},
        "note": {"type": "$scopeinfo", "connections": {}},
        "p": {"type": "DSP48E1", "connections": {}}
    }}}}"#;

    #[test]
    fn counts_a_tiny_netlist() {
        let netlist = Netlist::read(TINY.as_bytes()).unwrap();
        let area = Area::of(&netlist.modules["tiny"]);
        let expected = Area {
            lut_cells: 4,
            lut_pairs: 1,
            lut_ram: 4,
            shift_registers: 1,
            flip_flops: 2,
            bram18: 3,
            dsps: 1,
            carries: 1,
            others: BTreeMap::from([("BUFG".into(), 1)]),
        };
        assert_eq!(area, expected);
        assert_eq!((area.lut_sites(), area.bram36()), (8, 1.5));
    }

    fn tables(lists: &[&[u64]]) -> Vec<Vec<u64>> {
        lists.iter().map(|list| list.to_vec()).collect()
    }

    #[test]
    fn a_site_has_five_inputs_for_two_tables() {
        assert_eq!(pairs(&tables(&[&[1, 2, 3], &[3, 4, 5]])), 1);
        assert_eq!(pairs(&tables(&[&[1, 2, 3], &[3, 4, 5, 6]])), 0);
        assert_eq!(pairs(&tables(&[&[1, 2], &[3, 4]])), 0);
        assert_eq!(pairs(&vec![tables(&[&[1, 2, 3, 4, 5]]).remove(0); 3]), 1);
    }

    #[test]
    fn the_closest_partner_is_chosen() {
        // 0 fits with 1 and with 2, but 2 fits with nothing else and shares more with 0.
        let three = tables(&[&[1, 2, 3, 4], &[1, 9], &[1, 2, 3]]);
        assert_eq!(pairs(&three), 1);
        let four = tables(&[&[1, 2, 3, 4], &[1, 9], &[1, 2, 3], &[9, 8]]);
        assert_eq!(pairs(&four), 2);
    }
}
