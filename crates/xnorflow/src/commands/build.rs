//! `xnorflow build`

use super::{say, say_json};
use crate::cli::{Build, Part};
use crate::{arrays, model, progress};
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use emit::{Design, Manifest};
use fold::{Board, Fold, Target};

pub(crate) fn run(options: &Build) -> Result<()> {
    emit::folder::check(&options.output)?;
    let spinner = progress::spinner("building");
    let (board, clock_mhz) = board_and_clock(&options.part)?;
    let fps = options.fps.map(|f| positive("--fps", f, 1e12)).transpose()?;
    let budget = positive("--budget", options.budget, 1.0)?;
    let count = arrays::frame_count(options.frames)?;
    let (network, given) = match &options.input {
        Some(path) => {
            let (network, frames) = model::load_for(&options.model, path)?;
            (network, Some(frames))
        }
        None => (model::load(&options.model)?, None),
    };
    let name = emit::design_name(options.name.as_deref().unwrap_or(&network.name));
    let folded = match &options.fold {
        Some(path) => {
            let from = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|e| Diagnostic::new(Code::FileAccess, e.to_string()).from(from.clone()))?;
            let named = |mut e: Diagnostic| {
                e.from = Some(from.clone());
                e.more.iter_mut().for_each(|m| m.from = Some(from.clone()));
                e
            };
            let fold = Fold::parse(&text, &network).map_err(named)?;
            fold::refold(&name, &network, &fold, clock_mhz).map_err(named)?
        }
        None => fold::fold(&name, &network, &board, &Target { clock_mhz, fps, budget })?,
    };
    let frames = match given {
        Some(frames) => frames.first(count).all()?,
        None => emit::seeded_frames(&network.input, options.seed, count),
    };
    let model_path = &options.model.model;
    let file_name = model_path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let manifest = Manifest {
        xnorflow: env!("CARGO_PKG_VERSION").into(),
        design: name,
        model: file_name,
        model_sha256: model::hash(model_path)?,
        board: board.name.clone(),
        options: model::recorded(&options.model),
        seed: options.seed,
        input: network.input.describe(),
        output: folded.dataflow.output().element.to_string(),
        files: Default::default(),
    };
    let design = Design::new(network, folded, board, manifest);
    let files = design.files(&frames)?;
    emit::folder::write(&options.output, &files)?;
    spinner.finish_and_clear();
    let report = design.report();
    if options.json {
        let mut json = serde_json::to_value(&report)?;
        json["output"] = options.output.display().to_string().into();
        say_json(&json);
        return Ok(());
    }
    show(&report);
    if let Some(planes) = &design.network.input.planes {
        say(&emit::input_note(planes));
    }
    say(&format!("\nwritten to {}", options.output.display()));
    Ok(())
}

/// The board, and the clock in MHz.
pub(super) fn board_and_clock(part: &Part) -> diagnostic::Result<(Board, f64)> {
    let board = Board::find(&part.board)?;
    let clock_mhz = positive("--clock", part.clock.unwrap_or(board.clock_mhz), 2000.0)?;
    Ok((board, clock_mhz))
}

pub(super) fn positive(option: &str, value: f64, most: f64) -> diagnostic::Result<f64> {
    if value > 0.0 && value <= most {
        return Ok(value);
    }
    Err(Diagnostic::new(Code::Usage, format!("{option} {value} is out of range"))
        .hint(format!("use a number above 0, at most {most}")))
}

fn show(report: &report::Report) {
    let headers = ["engine", "kind", "folding", "cycles", "LUT", "\u{b1} %", "FF", "BRAM36", "DSP"];
    let rows: Vec<Vec<String>> = report
        .engines
        .iter()
        .map(|e| {
            let [cycles, luts, ffs] = [e.cycles, e.luts, e.ffs].map(report::thousands);
            let error = e.luts_error.map_or("-".into(), |error| report::decimal(100.0 * error, 0));
            let (bram36, dsps) = (e.bram36.to_string(), e.dsps.to_string());
            let [name, kind, folding] = [&e.name, &e.kind, &e.folding].map(String::clone);
            vec![name, kind, folding, cycles, luts, error, ffs, bram36, dsps]
        })
        .collect();
    say(report::table(&headers, &rows).trim_end());
    say(&format!(
        "\n{} frames a second at {} MHz: a frame every {} cycles, latency {} cycles",
        report::thousands(report.fps as u64),
        report.clock_mhz,
        report::thousands(report.ii_cycles),
        report::thousands(report.latency_cycles),
    ));
    let share = |used: f64, of: u64| 100.0 * used / of.max(1) as f64;
    say(&format!(
        "estimated on {}: {} LUTs{} ({:.1} %), {} FFs, {} BRAM36 ({:.1} %), {} DSPs",
        report.board.name,
        report::thousands(report.luts),
        report.luts_error().map_or(String::new(), |e| format!(" \u{b1} {:.0} %", 100.0 * e)),
        share(report.luts as f64, report.board.luts),
        report::thousands(report.ffs),
        report.bram36,
        share(report.bram36, report.board.bram36),
        report.dsps,
    ));
    match report.gap {
        Some(0.0) => say("search: no folding is better by the estimates"),
        Some(gap) => say(&format!(
            "search: at most {} % from the best folding by the estimates",
            report::decimal(100.0 * gap, 1)
        )),
        None => {}
    }
    say(&format!(
        "buffers: {} bits, against {} if each were as deep as its tensor",
        report::thousands(report.fifo_bits),
        report::thousands(report.tensor_bits),
    ));
}
