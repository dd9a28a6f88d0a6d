//! What a design may take.

use crate::board::Board;
use engines::Resources;

/// The most of each resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub(crate) luts: f64,
    pub(crate) ffs: f64,
    pub(crate) bram36: f64,
    pub(crate) dsps: f64,
}

impl Limits {
    /// No limits.
    pub(crate) const NONE: Self = Self {
        luts: f64::INFINITY,
        ffs: f64::INFINITY,
        bram36: f64::INFINITY,
        dsps: f64::INFINITY,
    };

    /// A share of a board.
    pub(crate) fn of(board: &Board, share: f64) -> Self {
        let of = |n: u32| f64::from(n) * share;
        Self {
            luts: of(board.luts),
            ffs: of(board.ffs),
            bram36: of(board.bram36),
            dsps: of(board.dsps),
        }
    }

    /// Each resource: its name, what a design takes and the limit.
    fn each(&self, r: Resources) -> [(&'static str, f64, f64); 4] {
        [
            ("LUTs", r.luts, self.luts),
            ("flip-flops", r.ffs, self.ffs),
            ("BRAM36", r.bram36, self.bram36),
            ("DSPs", r.dsps, self.dsps),
        ]
    }

    /// Whether a design is within all of them.
    pub(crate) fn hold(&self, r: Resources) -> bool {
        self.each(r).iter().all(|(_, used, most)| used <= most)
    }

    /// The most that a design takes of a resource, as a share of its limit.
    pub(crate) fn excess(&self, r: Resources) -> f64 {
        let share = |(_, used, most): &(&str, f64, f64)| match *used {
            0.0 => 0.0,
            used => used / most,
        };
        self.each(r).iter().map(share).fold(0.0, f64::max)
    }

    /// The limits with room for twice what a design takes more than was planned.
    pub(crate) fn less_twice(&self, used: Resources, planned: Resources) -> Self {
        let less = |limit: f64, used: f64, planned: f64| limit - 2.0 * (used - planned).max(0.0);
        Self {
            luts: less(self.luts, used.luts + 1.0, planned.luts),
            ffs: less(self.ffs, used.ffs, planned.ffs),
            bram36: less(self.bram36, used.bram36, planned.bram36),
            dsps: self.dsps,
        }
    }

    /// What a design needs more of than there is.
    pub(crate) fn missing(&self, r: Resources, board: &str) -> String {
        let short = self.each(r).into_iter().filter(|(_, used, most)| used > most);
        let short: Vec<String> = short
            .map(|(what, used, most)| {
                // Block RAMs come in halves.
                let unit = if what == "BRAM36" { 0.5 } else { 1.0 };
                let (used, most) = ((used / unit).ceil() * unit, (most / unit).floor() * unit);
                format!("{used} {what}, {} more than the {most}", used - most)
            })
            .collect();
        match short.is_empty() {
            true => format!("with its FIFOs no folding is within the budget of {board}"),
            false => format!("needed at least: {} in the budget of {board}", short.join("; ")),
        }
    }
}
