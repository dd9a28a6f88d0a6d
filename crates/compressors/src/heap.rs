//! The heap of bits to be added, column by column.

use std::collections::BTreeSet;

use crate::bit::{Bit, Wire};

/// Bits with weights: a bit of column `c` counts 2^c. The sum is taken modulo 2^`width`.
///
/// ```
/// use compressors::{Heap, Search};
///
/// // x + ~y + 5 for two wires x and y, in three bits.
/// let mut heap = Heap::new(3);
/// let (x, y) = (heap.input(), heap.input());
/// heap.add(0, x.into());
/// heap.add(0, !compressors::Bit::from(y));
/// heap.add_constant(5);
/// let netlist = heap.compress(&Search::default());
/// // Four vectors at once: bit `v` of each word belongs to vector `v`.
/// let sum = netlist.evaluate(&[0b0011, 0b0101]);
/// let value = |v: usize| (0..3).map(|c| (sum[c] >> v & 1) << c).sum::<u64>();
/// assert_eq!([0, 1, 2, 3].map(value), [6, 7, 5, 6]);
/// ```
#[derive(Clone, Debug)]
pub struct Heap {
    pub(crate) inputs: usize,
    pub(crate) columns: Vec<Vec<Bit>>,
    /// Bits of late inputs, at most one in a column.
    pub(crate) late: Vec<Option<Bit>>,
    pub(crate) constant: u64,
    pub(crate) late_inputs: BTreeSet<Wire>,
}

impl Heap {
    /// An empty heap of 1 to 63 columns.
    pub fn new(width: usize) -> Self {
        assert!((1..64).contains(&width), "a heap has 1 to 63 columns");
        Self {
            inputs: 0,
            columns: vec![Vec::new(); width],
            late: vec![None; width],
            constant: 0,
            late_inputs: BTreeSet::new(),
        }
    }

    /// Counts the ones among `inputs` wires.
    pub fn popcount(inputs: usize) -> Self {
        let mut heap = Self::new((usize::BITS - inputs.leading_zeros()).max(1) as usize);
        for _ in 0..inputs {
            let wire = heap.input();
            heap.add(0, wire.into());
        }
        heap
    }

    /// A further input wire.
    pub fn input(&mut self) -> Wire {
        let number = u32::try_from(self.inputs).expect("fewer than 2^32 inputs");
        self.inputs += 1;
        Wire(number)
    }

    /// A further input wire, whose value comes when the others have reached the last stage: with
    /// the sum fed back, the last chain is an accumulator too. A column takes one such bit.
    pub fn late_input(&mut self) -> Wire {
        let wire = self.input();
        self.late_inputs.insert(wire);
        wire
    }

    /// Adds a literal (or a constant bit) to a column. Columns above the top have no effect.
    pub fn add(&mut self, column: usize, bit: Bit) {
        match (bit.wire, self.columns.get_mut(column)) {
            (_, None) => {}
            (None, Some(_)) => self.add_constant(u64::from(bit.inverted) << column),
            (Some(wire), Some(_)) if self.late_inputs.contains(&wire) => {
                let before = self.late[column].replace(bit);
                assert!(before.is_none(), "a column takes one late bit");
            }
            (Some(_), Some(bits)) => bits.push(bit),
        }
    }

    /// Adds a number; a negative one as its two's complement.
    pub fn add_constant(&mut self, value: u64) {
        self.constant = self.constant.wrapping_add(value) & self.mask();
    }

    /// Number of columns: bits of the sum.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// All ones in the columns of the sum.
    pub(crate) fn mask(&self) -> u64 {
        (1 << self.width()) - 1
    }

    /// The bits of each column for the first stage, those of the constant last.
    pub(crate) fn bits(&self) -> Vec<Vec<Bit>> {
        let mut columns = self.columns.clone();
        for (column, bits) in columns.iter_mut().enumerate() {
            bits.extend((self.constant >> column & 1 == 1).then_some(Bit::ONE));
        }
        columns
    }

    /// What the heap sums up to, over 64 vectors of the inputs: the meaning of a netlist.
    pub fn sums(&self, inputs: &[u64]) -> Vec<u64> {
        let sum = |vector: usize| {
            let of = |bit: &Bit| {
                u64::from(bit.of(bit.wire.is_some_and(|w| inputs[w.index()] >> vector & 1 == 1)))
            };
            let columns = self.columns.iter().zip(&self.late).enumerate();
            let total = columns.fold(self.constant, |total, (column, (bits, late))| {
                total.wrapping_add(bits.iter().chain(late).map(of).sum::<u64>() << column)
            });
            total & self.mask()
        };
        (0..64).map(sum).collect()
    }
}
