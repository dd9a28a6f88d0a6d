//! A row of a matrix of bipolar weights on bipolar inputs: how many products are +1.
//!
//! Weights are stored, and inputs come, in *groups* of up to nine: the even elements of a group
//! become the parity of all elements up to them. Parity is linear, so a coded input XOR a coded
//! weight is the same code of the products. The sum of three bits is twice their majority and their
//! parity, and the parity of the products up to an even element is at hand: so one table of six
//! inputs (three coded inputs, three coded weights) turns two products into a *carry* of weight 2,
//! and only the parity of the whole group is left to be counted (of a group of even length, its last
//! product too).

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use hdl::{Expr, Library, Module, ModuleRef, Signal, Value, high, low, pack};

use crate::bit::{Bit, Wire};
use crate::heap::Heap;
use crate::lut::Lut;
use crate::netlist::Netlist;
use crate::schedule::Search;
use crate::verilog::{End, Primitives, place};

/// Elements of a group: the inputs' parities are two tables deep.
const GROUP: usize = 9;

/// The search of a row's tree: more runs find no more than a table less.
const SEARCH: Search = Search { runs: 200, seed: 0 };

/// The code of a word of inputs, or of complemented weights.
///
/// ```
/// let coded = compressors::encode(&[true, true, false, true, true, true]);
/// assert_eq!(coded, [true, true, false, true, false, true]);
/// ```
pub fn encode(word: &[bool]) -> Vec<bool> {
    let parity = |range: Range<usize>| word[range].iter().fold(false, |parity, bit| parity ^ bit);
    parities(word.len()).into_iter().map(parity).collect()
}

/// For each element of a coded word the elements whose parity it is: the code for hardware.
pub fn parities(simd: usize) -> Vec<Range<usize>> {
    let group = |g: Range<usize>| {
        g.clone()
            .map(move |i| if (i - g.start).is_multiple_of(2) { g.start..i + 1 } else { i..i + 1 })
    };
    groups(simd).flat_map(group).collect()
}

/// The elements of each group of a word.
fn groups(simd: usize) -> impl Iterator<Item = Range<usize>> {
    (0..simd).step_by(GROUP).map(move |first| first..(first + GROUP).min(simd))
}

/// The counter of a row.
#[derive(Debug)]
pub struct Row {
    simd: usize,
    /// First of the three coded products of each carry.
    carries: Vec<usize>,
    /// Coded products that count once.
    singles: Vec<usize>,
    heap: Heap,
    tree: Netlist,
}

/// Rows by elements, bits of the sum and whether they accumulate.
type Known = HashMap<(usize, usize, bool), Arc<Row>>;

impl Row {
    /// The row of `simd` products whose sum, taken modulo 2^`bits`, is added to an accumulator or
    /// not. Each is searched once in a process.
    pub fn of(simd: usize, bits: usize, accumulates: bool) -> Arc<Self> {
        static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let row = known.entry((simd, bits, accumulates));
        row.or_insert_with(|| Arc::new(Self::search(simd, bits, accumulates))).clone()
    }

    fn search(simd: usize, bits: usize, accumulates: bool) -> Self {
        let carries: Vec<usize> =
            groups(simd).flat_map(|g| (g.start..g.end.saturating_sub(2)).step_by(2)).collect();
        let ends =
            |g: Range<usize>| if g.len() % 2 == 1 { g.end - 1..g.end } else { g.end - 2..g.end };
        let singles: Vec<usize> = groups(simd).flat_map(ends).collect();
        let mut heap = Heap::new(bits);
        for column in carries.iter().map(|_| 1).chain(singles.iter().map(|_| 0)) {
            let wire = heap.input();
            heap.add(column, wire.into());
        }
        if accumulates {
            for column in 0..bits {
                let wire = heap.late_input();
                heap.add(column, wire.into());
            }
        }
        let tree = heap.compress(&SEARCH);
        Self { simd, carries, singles, heap, tree }
    }

    /// The tree behind the first tables, and the heap that it sums up.
    pub fn tree(&self) -> (&Netlist, &Heap) {
        (&self.tree, &self.heap)
    }

    /// Cycles from coded inputs and weights to their sum in the register behind `next`.
    pub fn latency(&self) -> usize {
        1 + self.tree.latency()
    }

    /// Sites of look-up tables: one for a carry, one for two single products, and the tree's.
    pub fn luts(&self) -> usize {
        self.carries.len() + self.singles.len().div_ceil(2) + self.tree.luts()
    }

    /// Flip-flops, those behind `next` included.
    pub fn registers(&self) -> usize {
        self.carries.len() + self.singles.len() + self.tree.registers()
    }

    /// Defines the module `name`: ports `clk`, `x` and `w` (coded), `late` (the accumulator, where
    /// there is one) and `next` (what the accumulator becomes, or the sum, before the last register).
    pub fn module(&self, primitives: Primitives, library: &mut Library, name: &str) -> ModuleRef {
        let tree = self.tree.module_of(primitives, End::Open, library, &format!("{name}_tree"));
        let mut m = Module::new(name);
        m.comment(&format!(
            "Products that are +1 among {}, of coded inputs and weights.",
            self.simd
        ));
        m.comment("The code is in docs/hardware.md.");
        let clk = m.input("clk", 1);
        let x = m.input("x", self.simd);
        let w = m.input("w", self.simd);
        let late = (!self.tree.late.is_empty()).then(|| m.input("late", self.heap.width()));
        let next = m.output("next", self.heap.width());
        m.section("Carries of coded products, and products that count once");
        let front = match primitives {
            Primitives::Portable => self.operators(&mut m, x, w),
            Primitives::Series7 | Primitives::UltraScale => self.tables(&mut m, x, w),
        };
        let front_q = m.reg("front_q", self.carries.len() + self.singles.len());
        m.keep_flip_flops(front_q);
        m.register(clk, front_q, front);
        m.section("Their sum");
        let mut sum = m.instance("u_tree", &tree).connect("bits", front_q);
        if self.tree.latency() > 1 {
            sum = sum.connect("clk", clk);
        }
        if let Some(late) = late {
            sum = sum.connect("late", late);
        }
        let sum = sum.place().output("sum");
        m.assign(next, sum);
        library.define(m)
    }

    /// What the tree counts: first the carries.
    fn operators(&self, m: &mut Module, x: Signal, w: Signal) -> Expr {
        let q = m.net("product", x ^ w);
        let singles = pack(self.singles.iter().map(|single| q.bit(*single)));
        if self.carries.is_empty() {
            return singles;
        }
        let [a, b, parity] = [0, 1, 2].map(|offset| {
            let bits = pack(self.carries.iter().map(|first| q.bit(first + offset)));
            m.net(["first", "second", "parity"][offset], bits)
        });
        let differ = m.net("differ", a ^ b);
        pack([(differ & !parity) | (!differ & a), singles])
    }

    /// The same in tables: synthesis might take exclusive ors out of several, which only costs.
    fn tables(&self, m: &mut Module, x: Signal, w: Signal) -> Expr {
        let mut front: Vec<Expr> = Vec::new();
        let wires = [0, 1, 2, 3, 4, 5].map(Wire);
        let pins = |coded: &[usize]| coded.iter().flat_map(|&i| [x.bit(i), w.bit(i)]).collect();
        let carry = Lut::single(&wires.map(Bit::from), Wire(6), |v| {
            let [a, b, parity] = [v[0] ^ v[1], v[2] ^ v[3], v[4] ^ v[5]];
            // Of equal bits the majority is theirs; else it is the third, which the parity gives.
            if a == b { a } else { !parity }
        });
        for (index, &first) in self.carries.iter().enumerate() {
            let pins: Vec<Expr> = pins(&[first, first + 1, first + 2]);
            let outputs = place(m, &format!("u_carry{index}"), &carry, pins);
            front.extend(outputs.into_iter().map(|(_, value)| value.expr()));
        }
        let four: Vec<Bit> = wires[..4].iter().map(|wire| (*wire).into()).collect();
        let two = (Wire(6), Wire(7));
        let pair = Lut::dual(&four, Bit::ONE, two, |v| v[0] ^ v[1], |v| v[2] ^ v[3]);
        let one = Lut::single(&four[..2], Wire(6), |v| v[0] ^ v[1]);
        for (index, singles) in self.singles.chunks(2).enumerate() {
            let mut pins: Vec<Expr> = pins(singles);
            let lut = if singles.len() == 2 { &pair } else { &one };
            if singles.len() == 2 {
                pins.extend([low(), high()]);
            }
            let outputs = place(m, &format!("u_single{index}"), lut, pins);
            front.extend(outputs.into_iter().map(|(_, value)| value.expr()));
        }
        pack(front)
    }
}
