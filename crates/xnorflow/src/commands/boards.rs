//! `xnorflow boards`

use super::{say, say_json};
use crate::cli::Boards;
use anyhow::Result;
use fold::Board;

pub(crate) fn run(options: &Boards) -> Result<()> {
    let boards = Board::all();
    if options.json {
        say_json(&serde_json::json!({ "boards": boards }));
        return Ok(());
    }
    let headers = [
        "board",
        "part",
        "LUTs",
        "FFs",
        "BRAM36",
        "URAM",
        "DSPs",
        "MHz",
        "family",
        "description",
        "data",
    ];
    let rows: Vec<Vec<String>> = boards
        .into_iter()
        .map(|b| {
            let numbers = [b.luts, b.ffs, b.bram36, b.uram, b.dsps].map(|n| n.to_string());
            let more = vec![b.clock_mhz.to_string(), b.family, b.description, b.link];
            [vec![b.name, b.part], numbers.to_vec(), more].concat()
        })
        .collect();
    say(report::table(&headers, &rows).trim_end());
    Ok(())
}
