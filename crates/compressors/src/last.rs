//! The last carry chain: one bit of the sum for each column.

use std::iter;

/// One position (or pair of positions) of the last chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// No chain here: the column has at most one bit, and it is the sum.
    Pass,
    /// The chain ends below; its carry is the sum.
    CarryAlone,
    /// One or two bits (the middle bit from below among them), perhaps a carry from outside.
    Two { outside: bool },
    /// Three bits, and the middle bit: from below, from outside or 0.
    Ternary { outside: bool },
    /// Three to six bits of this column (the middle bit from below among them), none of the next,
    /// perhaps a carry from outside.
    Six { outside: bool },
    /// The top column.
    Top,
}

/// What comes from the position below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Below {
    Nothing,
    Carry,
    /// A carry, and the middle bit of a ternary position.
    CarryAndMiddle,
}

impl Below {
    const ALL: [Self; 3] = [Self::Nothing, Self::Carry, Self::CarryAndMiddle];
}

/// The last chain over columns of these numbers of bits with the fewest tables, if there is one:
/// the number of tables, and its positions from the lowest column up.
///
/// Dynamic programming from the top column down over what comes from below.
pub(crate) fn last_chain(counts: &[usize]) -> Option<(usize, Vec<Position>)> {
    let mut best: Vec<[Option<(usize, Position)>; 3]> = vec![[None; 3]; counts.len()];
    let rest = |best: &[[Option<(usize, Position)>; 3]], column: usize, below: Below| {
        best.get(column).map_or(Some(0), |states| states[below as usize].map(|(cost, _)| cost))
    };
    for column in (0..counts.len()).rev() {
        for below in Below::ALL {
            let options = positions(counts, column, below).filter_map(|position| {
                let (cost, columns, above) = step(position);
                Some((cost + rest(&best, column + columns, above)?, position))
            });
            best[column][below as usize] = options.min_by_key(|(cost, _)| *cost);
        }
    }
    let (cost, _) = best.first()?[Below::Nothing as usize]?;
    let mut state = (0, Below::Nothing);
    let walk = iter::from_fn(|| {
        let (_, position) = best.get(state.0)?[state.1 as usize]?;
        let (_, columns, above) = step(position);
        state = (state.0 + columns, above);
        Some(position)
    });
    Some((cost, walk.collect()))
}

/// Tables and columns that a position takes, and what it passes up.
fn step(position: Position) -> (usize, usize, Below) {
    match position {
        Position::Pass | Position::CarryAlone => (0, 1, Below::Nothing),
        Position::Two { .. } => (1, 1, Below::Carry),
        Position::Ternary { .. } => (1, 1, Below::CarryAndMiddle),
        Position::Six { .. } => (2, 2, Below::Carry),
        Position::Top => (1, 1, Below::Nothing),
    }
}

/// Positions that fit at a column, the cheapest kind first.
fn positions(counts: &[usize], column: usize, below: Below) -> impl Iterator<Item = Position> {
    let starts = below == Below::Nothing;
    let middle = below == Below::CarryAndMiddle;
    let count = counts[column];
    let bits = count + usize::from(middle);
    let is_top = column + 1 == counts.len();
    let next_is_empty = counts.get(column + 1) == Some(&0);
    // A chain that starts can take one more bit as its first carry in.
    let fits = |most: usize| bits >= 1 && bits <= most + usize::from(starts);
    let outside = |most: usize| starts && bits > most;
    // The pin of the middle bit is that of a first carry in: one of them only.
    let fits_ternary = if middle { (2..=3).contains(&count) } else { (3..=4).contains(&count) };
    let candidates = [
        (starts && count <= 1, Position::Pass),
        (below == Below::Carry && count == 0, Position::CarryAlone),
        (is_top && (1..=6).contains(&bits), Position::Top),
        (!is_top && fits(2), Position::Two { outside: outside(2) }),
        (!is_top && fits_ternary, Position::Ternary { outside: !middle && count == 4 }),
        (next_is_empty && bits >= 3 && fits(6), Position::Six { outside: outside(6) }),
    ];
    candidates.into_iter().filter_map(|(fits, position)| fits.then_some(position))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_for_each_column_needs_no_chain() {
        assert_eq!(last_chain(&[1, 0, 1]), Some((0, vec![Position::Pass; 3])));
    }

    #[test]
    fn a_full_counter_is_one_pair() {
        let (cost, positions) = last_chain(&[7, 0, 0]).unwrap();
        assert_eq!(cost, 2);
        assert_eq!(positions, [Position::Six { outside: true }, Position::CarryAlone]);
    }

    #[test]
    fn three_rows_are_a_ternary_adder() {
        let (cost, positions) = last_chain(&[3, 3, 3, 0, 0]).unwrap();
        assert_eq!(cost, 4);
        assert_eq!(positions[1], Position::Ternary { outside: false });
        assert_eq!(positions[4], Position::CarryAlone);
    }

    #[test]
    fn too_many_bits_have_no_chain() {
        assert_eq!(last_chain(&[8, 0, 0, 0]), None);
        assert_eq!(last_chain(&[5, 1, 0, 0]), None);
    }
}
