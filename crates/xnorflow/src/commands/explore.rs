//! `xnorflow explore`

use super::build::{board_and_clock, positive};
use super::{say, say_json};
use crate::cli::Explore;
use crate::{model, progress};
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use emit::{Files, Manifest};
use fold::Folded;
use report::{DesignFacts, Exploration};

pub(crate) fn run(options: &Explore) -> Result<()> {
    if let Some(folder) = &options.output {
        emit::folder::check(folder)?;
    }
    if options.rows < 2 {
        let refused = Diagnostic::new(Code::Usage, format!("--rows {} is too few", options.rows));
        return Err(refused.hint("use 2 or more").into());
    }
    let (board, clock_mhz) = board_and_clock(&options.part)?;
    let budget = positive("--budget", options.budget, 1.0)?;
    let spinner = progress::spinner("searching");
    let network = model::load(&options.model)?;
    let name = emit::design_name(&network.name);
    let folds = fold::explore(&network, &board, options.rows)?;
    spinner.finish_and_clear();
    let bar = progress::bar("sizing buffers", folds.len());
    let designs = fold::size_all(&name, &network, &folds, clock_mhz, || bar.inc(1))?;
    bar.finish_and_clear();

    let digits = designs.len().to_string().len().max(2);
    let file = |number: usize| format!("folds/{number:0digits$}.toml");
    let written = |number| options.output.is_some().then(|| file(number));
    let facts = designs.iter().enumerate().map(|(i, d)| facts(d, written(i + 1)));
    let board_facts = emit::board_facts(&board);
    let found =
        Exploration { name, board: board_facts, clock_mhz, budget, designs: facts.collect() };
    if let Some(folder) = &options.output {
        let mut files = Files::new();
        for (i, design) in designs.iter().enumerate() {
            files.insert(file(i + 1), design.fold_text(&network).into_bytes());
        }
        files.insert("explore.html".into(), report::exploration_html(&found).into_bytes());
        files.insert("explore.json".into(), serde_json::to_vec_pretty(&found)?);
        let model_path = &options.model.model;
        let manifest = Manifest {
            xnorflow: env!("CARGO_PKG_VERSION").into(),
            design: found.name.clone(),
            model: model_path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            model_sha256: model::hash(model_path)?,
            board: board.name.clone(),
            options: model::recorded(&options.model),
            seed: 0,
            input: network.input.describe(),
            output: network.layers.last().map_or(String::new(), |l| l.element.to_string()),
            files: Default::default(),
        };
        emit::folder::write(folder, &manifest.over(files))?;
    }
    if options.json {
        let mut json = serde_json::to_value(&found)?;
        if let Some(folder) = &options.output {
            json["output"] = folder.display().to_string().into();
        }
        say_json(&json);
        return Ok(());
    }
    let (headings, rows) = found.table();
    say(report::table(&headings, &rows).trim_end());
    say(&format!(
        "\n{} at {clock_mhz} MHz; fits: within {budget} of the board. Figures are estimates.",
        found.board.name
    ));
    if let Some(folder) = &options.output {
        let folder = folder.display();
        say(&format!("written to {folder}: see {folder}/explore.html"));
    }
    Ok(())
}

fn facts(folded: &Folded, fold: Option<String>) -> DesignFacts {
    let facts = &folded.facts;
    DesignFacts {
        fps: facts.fps,
        ii_cycles: facts.ii_cycles,
        latency_cycles: facts.latency_cycles,
        luts: facts.luts,
        ffs: facts.ffs,
        bram36: facts.bram36,
        dsps: facts.dsps,
        fold,
    }
}
