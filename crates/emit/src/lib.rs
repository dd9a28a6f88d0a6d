//! The output folder of a design.
//!
//! What comes in: a streamlined network, its folding and a board. What goes out: every file of the
//! folder as bytes ([`Design::files`]), written whole or not at all ([`folder::write`]), and read
//! back and checked ([`Design::load`]). The same input gives the same bytes.

pub mod bench;
mod describe;
pub mod folder;
mod joined;
mod manifest;
mod stimulus;
mod trace;
mod vivado;

pub use describe::{board_facts, input_note, model_facts};
pub use manifest::{Manifest, Options, sha256};
pub use stimulus::{Expected, Seeded, seeded_frames};
pub use trace::Trace;

use diagnostic::{Code, Diagnostic, Result};
use fold::{Board, Facts, Folded};
use std::collections::BTreeMap;
use std::path::Path;
use streamline::{Frames, Streamlined};

/// The files of a folder: contents by relative path, `/` between parts.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A design: all that its output folder is made from.
#[derive(Debug, Clone)]
pub struct Design {
    /// The network in integers.
    pub network: Streamlined,
    /// The engines and streams.
    pub dataflow: dataflow::Dataflow,
    /// Estimates and cycles.
    pub facts: Facts,
    /// The text of `fold.toml`.
    pub fold_text: String,
    /// Versions, model, options.
    pub manifest: Manifest,
    /// The board.
    pub board: Board,
}

/// The name of a design: a legal identifier made from any text, with single underscores only (two
/// in a row have a meaning for Verilator).
pub fn design_name(text: &str) -> String {
    let mut name = hdl::ident::legalise(text);
    while name.contains("__") {
        name = name.replace("__", "_");
    }
    let name = name.trim_matches('_').to_string();
    if hdl::ident::is_legal(&name) && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name
    } else {
        format!("design_{name}").trim_end_matches('_').to_string()
    }
}

impl Design {
    /// Joins the parts of a freshly folded design.
    pub fn new(network: Streamlined, folded: Folded, board: Board, manifest: Manifest) -> Self {
        let fold_text = folded.fold_text(&network);
        let Folded { dataflow, facts, fold: _ } = folded;
        Self { network, dataflow, facts, fold_text, manifest, board }
    }

    /// Every file of the output folder; `frames` become the reference vectors in `golden/`.
    ///
    /// # Errors
    /// `deadlock` when the design does not run.
    pub fn files(&self, frames: &Frames) -> Result<Files> {
        let mut files = Files::new();
        let rtl = rtl::build(&self.dataflow, &self.network, self.primitives());
        let list: String = rtl.verilog.keys().map(|name| format!("rtl/{name}\n")).collect();
        files.insert("files.f".into(), list.into_bytes());
        for (name, text) in rtl.verilog.into_iter().chain(rtl.memories) {
            files.insert(format!("rtl/{name}"), text.into_bytes());
        }
        for (name, text) in rtl.models {
            files.insert(format!("sim/primitives/{name}"), text.into_bytes());
        }
        for (name, bytes) in self.network.files() {
            files.insert(format!("network/{name}"), bytes);
        }
        files.insert("network/dataflow.toml".into(), self.dataflow.to_text().into_bytes());
        files.insert("network/facts.json".into(), json(&self.facts));
        files.insert("network/board.json".into(), json(&self.board));
        files.insert("fold.toml".into(), self.fold_text.clone().into_bytes());
        let report = describe::report(self);
        files.insert("report.json".into(), report::to_json(&report).into_bytes());
        files.insert("report.html".into(), report::to_html(&report).into_bytes());
        for (name, text) in bench::files(&self.dataflow, self.facts.clock_mhz) {
            files.insert(format!("sim/{name}"), text.into_bytes());
        }
        let expected = Expected::new(self, frames, &sim::Stalls::none())?;
        for (name, bytes) in expected.files() {
            files.insert(format!("golden/{name}"), bytes);
        }
        for (name, text) in vivado::files(self) {
            files.insert(format!("vivado/{name}"), text.into_bytes());
        }
        Ok(self.manifest.over(files))
    }

    /// Reads a design back from its output folder.
    ///
    /// # Errors
    /// `design-folder` when the folder is not one, or a file that matters was changed or is gone.
    pub fn load(folder: &Path) -> Result<Self> {
        let manifest = Manifest::read(folder)?;
        let read = |name: &str| manifest.checked(folder, name);
        let parse = |name: &str, e: &dyn std::fmt::Display| {
            Diagnostic::new(Code::DesignFolder, format!("cannot be read: {e}")).from(name)
        };
        let text = |name: &str| -> Result<String> {
            String::from_utf8(read(name)?).map_err(|e| parse(name, &e))
        };
        let network = Streamlined::load(&|name| read(&format!("network/{name}")))?;
        let dataflow = dataflow::Dataflow::parse(&text("network/dataflow.toml")?)?;
        joined::check(&dataflow, &network)?;
        let facts = serde_json::from_str(&text("network/facts.json")?)
            .map_err(|e| parse("network/facts.json", &e))?;
        let board = serde_json::from_str(&text("network/board.json")?)
            .map_err(|e| parse("network/board.json", &e))?;
        let fold_text = text("fold.toml")?;
        Ok(Self { network, dataflow, facts, fold_text, manifest, board })
    }

    /// What the counters of bits are written in: the board's family has it.
    pub fn primitives(&self) -> rtl::Primitives {
        match self.board.family.as_str() {
            "xc7" => rtl::Primitives::Series7,
            "xcup" => rtl::Primitives::UltraScale,
            _ => rtl::Primitives::Portable,
        }
    }

    /// The facts that `report.json` holds.
    pub fn report(&self) -> report::Report {
        describe::report(self)
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(value).expect("plain data has a JSON form");
    text.push('\n');
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn design_names_are_plain_identifiers() {
        for (text, name) in [
            ("TFC_1W1A", "TFC_1W1A"),
            ("a__b", "a_b"),
            ("unsw_nb15-mlp-w2a2", "unsw_nb15_mlp_w2a2"),
        ] {
            assert_eq!(design_name(text), name);
        }
        for text in ["", "module", "3x", "; rm -rf /", "\u{e9}\u{4e2d}", "__", "$(x)`\"<b>"] {
            let name = design_name(text);
            assert!(hdl::ident::is_legal(&name) && !name.contains("__"), "{text:?} gave {name:?}");
        }
    }
}
