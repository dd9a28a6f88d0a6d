//! Elements as thermometers: one bit for each level that they reach.

use engines::mvu::planes;
use hdl::{Expr, Module, Value, lit, lit_signed, pack};
use tensor::ElementType;

/// Every element of a word with the bits `x >= 1`, ..., `x >= levels.1`, and then `x <= -1`, ...,
/// `x <= levels.0`.
pub(crate) fn thermometers(
    m: &mut Module,
    word: &Expr,
    input: ElementType,
    levels: (i64, i64),
) -> Expr {
    let width = planes(input);
    let elements = (0..word.width() / width).map(|lane| {
        let x = m.net(&format!("element_{lane}"), word.lane(lane, width));
        let bits: Vec<Expr> = if input.is_signed() {
            let above = (1..=levels.1).map(|level| x.at_least_signed(lit_signed(width, level)));
            let below = (levels.0..0).rev();
            above.chain(below.map(|level| x.at_most_signed(lit_signed(width, level)))).collect()
        } else {
            (1..=levels.1).map(|level| x.at_least(lit(width, level as u64))).collect()
        };
        m.net(&format!("levels_{lane}"), pack(bits))
    });
    pack(elements.collect::<Vec<_>>())
}
