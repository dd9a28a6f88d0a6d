//! Boards as data: the part, its resources, its clock.

use diagnostic::{Code, Diagnostic, Result};
use serde::{Deserialize, Serialize};

/// A board, as `hw/boards/*.toml` describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// Name on the command line.
    pub name: String,
    /// One line for people.
    pub description: String,
    /// The vendor's part number.
    pub part: String,
    /// `xc7` (7-series) or `xcup` (UltraScale+), whose primitives are instantiated; for any other the
    /// Verilog is portable.
    pub family: String,
    /// LUT6 sites.
    pub luts: u32,
    /// Flip-flops.
    pub ffs: u32,
    /// Block RAMs of 36 kbit.
    pub bram36: u32,
    /// UltraRAMs.
    pub uram: u32,
    /// DSP slices.
    pub dsps: u32,
    /// Clock of the fabric when none is asked for.
    pub clock_mhz: f64,
    /// How data gets to the core's AXI4-Streams and back, for people.
    #[serde(default)]
    pub link: String,
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(include_str!(concat!("../../../hw/boards/", $name, ".toml"))),+]
    };
}

/// Every file of `hw/boards`; a test compares the list with the folder.
const FILES: &[&str] = files![
    "alveo-u250",
    "arty-a7-100t",
    "arty-a7-35t",
    "basys3",
    "kv260",
    "pynq-z1",
    "pynq-z2",
    "ultra96-v2",
    "zc706",
    "zcu104",
];

impl Board {
    /// All boards that come with the program, by name.
    pub fn all() -> Vec<Board> {
        FILES
            .iter()
            .map(|t| toml::from_str(t).expect("the files of hw/boards are tested"))
            .collect()
    }

    /// A board by name, or from a file when the name ends in `.toml`.
    ///
    /// # Errors
    /// `board-invalid` with the names that exist, or with what is wrong in the file.
    pub fn find(name: &str) -> Result<Board> {
        if name.ends_with(".toml") {
            let text = std::fs::read_to_string(name).map_err(|e| {
                Diagnostic::new(Code::BoardInvalid, format!("cannot read the board: {e}"))
                    .from(name)
            })?;
            return Self::parse(&text).map_err(|e| e.from(name));
        }
        let all = Self::all();
        let names: Vec<String> = all.iter().map(|b| b.name.clone()).collect();
        all.into_iter().find(|b| b.name == name).ok_or_else(|| {
            Diagnostic::new(Code::BoardInvalid, format!("there is no board `{name}`"))
                .hint(format!("use one of {}, or a .toml file", names.join(", ")))
        })
    }

    fn parse(text: &str) -> Result<Board> {
        let bad = |text: String| Diagnostic::new(Code::BoardInvalid, text);
        let board: Board = toml::from_str(text).map_err(|e| bad(e.message().to_string()))?;
        let plain = |s: &str, more: &str| {
            !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if !plain(&board.name, "-_.") || !plain(&board.part, "-_") || !plain(&board.family, "") {
            return Err(bad("name, part and family are letters, digits and dashes".into()));
        }
        if !(1.0..=2000.0).contains(&board.clock_mhz) || board.luts == 0 {
            return Err(bad("clock_mhz must be from 1 to 2000, and luts at least 1".into()));
        }
        Ok(board)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_and_sound() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../hw/boards");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let listed: Vec<String> = Board::all().iter().map(|b| format!("{}.toml", b.name)).collect();
        assert_eq!(names, listed);
        FILES.iter().for_each(|text| {
            let board = Board::parse(text).unwrap();
            assert!(!board.link.is_empty() && ["xc7", "xcup"].contains(&board.family.as_str()));
        });
        assert_eq!(Board::find("nexys").unwrap_err().code, Code::BoardInvalid);
    }
}
