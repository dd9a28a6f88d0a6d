//! The words that stand around a map.

use crate::context::{Context, Ports};
use crate::control::Delay;
use hdl::{Expr, Module, RomStyle, lit, pack};
use tensor::{ElementType, Surround};

/// What stands around a map, in words.
pub(crate) struct Standing<'s> {
    /// Prefix of memory names.
    pub(crate) engine: &'s str,
    pub(crate) padding: &'s Surround,
    pub(crate) element: ElementType,
    /// Channels of a word.
    pub(crate) lanes: usize,
    /// Words of a pixel.
    pub(crate) parts: usize,
}

impl Standing<'_> {
    /// Whether it matters which word of a pixel it is.
    pub(crate) fn differs_by_part(&self) -> bool {
        self.parts > 1 && !self.padding.is_alike()
    }

    /// The word of even places, and that of odd ones where it is another, `reads` registers behind
    /// `part`, the word of the pixel, which is there if it matters.
    pub(crate) fn words(
        &self,
        context: &mut Context<'_>,
        m: &mut Module,
        p: &Ports,
        part: Option<Expr>,
        reads: usize,
    ) -> Vec<Expr> {
        let (lanes, bits) = (self.lanes, self.element.bits() as usize);
        let mut words = Vec::new();
        for (odd, name) in ["around", "around_odd"].into_iter().enumerate() {
            if odd == 1 && !self.padding.is_checkered() {
                break;
            }
            let code = |channel: usize| self.element.encode(self.padding.at([0, odd], channel));
            let Some(part) = &part else {
                words.push(pack((0..lanes).map(|lane| lit(bits, code(lane)))));
                continue;
            };
            m.section("What stands around the map: a word for each word of a pixel");
            let word = |part: usize| -> Vec<bool> {
                let lane = |lane| (0..bits).map(move |b| code(part * lanes + lane) >> b & 1 == 1);
                (0..lanes).flat_map(lane).collect()
            };
            let file = format!("{}_{name}", self.engine);
            let file = context.memory(&file, (0..self.parts).map(word));
            let rom = m.rom(name, lanes * bits, self.parts, &file, RomStyle::Logic);
            let first = m.read_every_cycle(&format!("{name}_q"), rom, p.clk, part.clone());
            let first = hdl::Value::expr(&first);
            let line = Delay::new(m, p, &format!("{name}_q"), first, reads - 1, false);
            words.push(line.at(reads - 1));
        }
        words
    }
}
