//! Border classes: which taps exist at an output pixel, and the constants that follow from it.

use crate::context::Ports;
use crate::control::Steps;
use crate::nest::Nest;
use hdl::{Expr, Module, Value, address_bits, concat, lit, mux};
use streamline::{Borders, Conv};
use tensor::ElementType;

/// Sets of constants: one for each border class and pass over its pixel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sets {
    pub(crate) classes: usize,
    pub(crate) passes: usize,
}

impl Sets {
    /// Bits of the pass in a set's number; the border class is above them.
    fn pass_bits(self) -> usize {
        if self.passes > 1 { address_bits(self.passes) } else { 0 }
    }

    /// How many sets there are, unused ones included.
    pub(crate) fn count(self) -> usize {
        if self.classes > 1 { self.classes << self.pass_bits() } else { self.passes }
    }

    /// The border class and the pass of a set; `None` for one that is not used.
    pub(crate) fn place(self, set: usize) -> Option<(usize, usize)> {
        let (class, pass) = (set >> self.pass_bits(), set & ((1 << self.pass_bits()) - 1));
        (pass < self.passes).then_some((class, pass))
    }

    /// The number of the set for the word that is worked on; `class` where there are several.
    pub(crate) fn number(self, class: Option<Expr>, control: &Steps) -> Expr {
        match class {
            Some(class) if self.passes > 1 => concat([class, control.pass_index.clone()]),
            Some(class) => class,
            None => control.pass_index.clone(),
        }
    }
}

/// What the taps that do not exist in a border class add to the sum of a row: window units put zero
/// bits there.
pub(crate) fn surplus(
    conv: &Conv,
    borders: &Borders,
    input: ElementType,
    row: usize,
    class: usize,
) -> i64 {
    let columns = conv.dense.weights.row(row).into_iter().enumerate();
    let missing = columns.filter(|&(column, _)| !borders.has(class, conv.column(column).0));
    input.decode(0) * missing.map(|(_, &w)| w).sum::<i64>()
}

/// The border class of the vectors that are worked on, for one of several at once.
pub(crate) fn border_class(
    m: &mut Module,
    p: &Ports,
    borders: &Borders,
    control: &Steps,
    vectors: usize,
    vector: usize,
) -> Expr {
    let ordinal = if vectors > 1 { format!("_{vector}") } else { String::new() };
    let columns: Vec<usize> =
        borders.columns.iter().copied().skip(vector).step_by(vectors).collect();
    let (bits, per_row) = (address_bits(borders.count()), borders.column_taps.len());
    if let ([column], [row]) = (&columns[..], &borders.rows[..]) {
        return lit(bits, (row * per_row + column) as u64);
    }
    m.section("Border class of the output pixel");
    let done = control.step & &control.last & &control.final_pass;
    let ended = m.net(&format!("pixel{ordinal}_done"), done);
    let (column, row) = (format!("pixel{ordinal}_column"), format!("pixel{ordinal}_row"));
    let nest = Nest::new(m, p, &[(&column, columns.len()), (&row, borders.rows.len())], ended);
    let mut along = |level: usize, name: &str, classes: &[usize], factor: usize| {
        let Some(q) = nest.round(level) else { return lit(bits, (classes[0] * factor) as u64) };
        // The commonest class, but for the places that are of another.
        let most = |class: &usize| classes.iter().filter(|c| *c == class).count();
        let common = classes.iter().copied().max_by_key(most).unwrap_or(0);
        let others = classes.iter().enumerate().filter(|(_, class)| **class != common);
        let start = lit(bits, (common * factor) as u64);
        let chosen = others.fold(start, |rest, (place, &class)| {
            mux(q.is(place as u64), lit(bits, (class * factor) as u64), rest)
        });
        m.net(name, chosen).expr()
    };
    let of_columns = along(0, &format!("column{ordinal}_class"), &columns, 1);
    let of_rows = along(1, &format!("row{ordinal}_class"), &borders.rows, per_row);
    of_rows + of_columns
}
