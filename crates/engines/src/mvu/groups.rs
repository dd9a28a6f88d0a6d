//! What a dot product reads of an input element.

use super::significance;
use dataflow::Dot;
use tensor::ElementType;

/// Bits of an input element that have the same significance and are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// What a bit that is set stands for.
    pub significance: i64,
    /// How many bits.
    pub bits: usize,
}

/// The groups that an element comes in, first bits first. The value is the sum of the significance of
/// all bits that are set (bipolar: twice that, less 1); an element of zero bits sets none.
///
/// A thermometer has the bits `x >= 1`, ..., `x >= levels.1`, and below zero the bits `x <= -1`, ...,
/// `x <= levels.0`, which count negatively.
pub fn groups(dot: Dot, input: ElementType, levels: (i64, i64)) -> Vec<Group> {
    match dot {
        Dot::Planes | Dot::Add | Dot::Carries | Dot::Wired => significance(input)
            .into_iter()
            .map(|significance| Group { significance, bits: 1 })
            .collect(),
        Dot::Thermometer => [(1, levels.1), (-1, -levels.0)]
            .into_iter()
            .filter(|&(_, bits)| bits > 0)
            .map(|(significance, bits)| Group { significance, bits: bits as usize })
            .collect(),
    }
}
