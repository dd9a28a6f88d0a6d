//! `xnorflow infer`

use super::{say, say_json};
use crate::cli::Infer;
use crate::{arrays, cli, model, progress};
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use golden::Golden;
use std::path::Path;
use std::time::Instant;

pub(crate) fn run(options: &Infer) -> Result<()> {
    let Some(path) = &options.arrays.input else {
        return Err(Diagnostic::new(Code::Usage, "--input is needed")
            .hint("give an array with --input X.npy")
            .into());
    };
    let (network, frames) = model::load_for(&options.model, path)?;
    let frames = arrays::limit(&options.arrays, frames)?;
    let labels = arrays::labels(&options.arrays, frames.len())?;
    let golden = Golden::new(&network);
    let bar = progress::bar("golden model", frames.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0)).build()?;
    let start = Instant::now();
    let outcomes = pool.install(|| golden.run_all(&frames, || bar.inc(1)));
    let seconds = start.elapsed().as_secs_f64();
    bar.finish_and_clear();
    arrays::write(&options.arrays, &golden, &outcomes)?;
    let rate = frames.len() as f64 / seconds;
    let accuracy = labels.as_ref().map(|l| arrays::accuracy(&golden, &outcomes, l));
    let whole = match (&labels, network.input.planes) {
        (Some(labels), Some(_)) => whole_accuracy(options, path, labels)?,
        _ => None,
    };
    if options.json {
        let images = frames.len();
        say_json(&serde_json::json!({
            "images": images, "images_per_second": rate, "accuracy": accuracy,
            "accuracy_without_input_planes": whole,
        }));
        return Ok(());
    }
    say(&format!("{} images, {rate:.0} images a second", frames.len()));
    if let Some(planes) = &network.input.planes {
        say(&planes.describe());
    }
    if let Some(accuracy) = accuracy {
        say(&format!("accuracy {:.2} %", 100.0 * accuracy));
    }
    if let Some(whole) = whole {
        say(&format!("accuracy {:.2} % without --input-planes", 100.0 * whole));
    }
    Ok(())
}

/// The accuracy of the model as it is, without `--input-planes`; `None` where that makes no network,
/// for want of a quantizer.
fn whole_accuracy(options: &Infer, path: &Path, labels: &[i64]) -> Result<Option<f64>> {
    let model = cli::Model { input_planes: None, ..options.model.clone() };
    let Ok((network, frames)) = model::load_for(&model, path) else { return Ok(None) };
    let frames = arrays::limit(&options.arrays, frames)?;
    let golden = Golden::new(&network);
    let outcomes = golden.run_all(&frames, || ());
    Ok(Some(arrays::accuracy(&golden, &outcomes, labels)))
}
