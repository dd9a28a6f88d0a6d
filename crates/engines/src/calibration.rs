//! From what the formulas of an engine say to what synthesis makes of it.
//!
//! `cargo xtask calibrate` synthesises engines of many shapes and writes [`FITS`] anew: for each kind a
//! straight line from the formula's figure to the synthesised one, and by how much it misses.

use crate::Resources;
use crate::fits::FITS;

/// What was found for a kind of engine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// The kind, as tables name it.
    pub kind: &'static str,
    /// Factor and addend of the LUTs.
    pub luts: [f64; 2],
    /// Factor and addend of the flip-flops.
    pub ffs: [f64; 2],
    /// Half of the engines are off by no more than this share of their LUTs.
    pub error: f64,
    /// The largest such share.
    pub worst: f64,
}

impl Fit {
    /// The fit of a kind; none for kinds that were not synthesised.
    pub fn of(kind: &str) -> Option<&'static Self> {
        FITS.iter().find(|fit| fit.kind == kind)
    }

    /// The figures of synthesis for those of the formulas.
    pub(crate) fn apply(&self, r: Resources) -> Resources {
        let line = |[factor, addend]: [f64; 2], n: f64| (factor * n + addend).max(0.0);
        Resources { luts: line(self.luts, r.luts), ffs: line(self.ffs, r.ffs), ..r }
    }
}
