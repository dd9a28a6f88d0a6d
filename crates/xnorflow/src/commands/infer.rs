//! `xnorflow infer`

use super::{say, say_json};
use crate::arrays::{self, Results};
use crate::cli::Infer;
use crate::frames::Source;
use crate::{cli, model, progress};
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use golden::Golden;
use std::path::Path;
use std::time::Instant;
use streamline::Streamlined;

pub(crate) fn run(options: &Infer) -> Result<()> {
    let Some(path) = &options.arrays.input else {
        return Err(Diagnostic::new(Code::Usage, "--input is needed")
            .hint("give an array with --input X.npy")
            .into());
    };
    let (network, frames) = model::load_for(&options.model, path)?;
    let frames = arrays::limit(&options.arrays, frames)?;
    let images = frames.len();
    let results = Results::new(&options.arrays, images)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads.unwrap_or(0)).build()?;
    let bar = progress::bar("golden model", images);
    let (results, seconds) = pool.install(|| infer(&network, frames, results, || bar.inc(1)))?;
    bar.finish_and_clear();
    let rate = images as f64 / seconds;
    let accuracy = results.accuracy();
    results.write()?;
    let whole = match (accuracy, network.input.planes) {
        (Some(_), Some(_)) => pool.install(|| whole_accuracy(options, path))?,
        _ => None,
    };
    if options.json {
        say_json(&serde_json::json!({
            "images": images, "images_per_second": rate, "accuracy": accuracy,
            "accuracy_without_input_planes": whole,
        }));
        return Ok(());
    }
    say(&format!("{images} images, {rate:.0} images a second"));
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

/// Runs the golden model over the current threads; its results, and the seconds that it took.
fn infer<'o>(
    network: &Streamlined,
    mut frames: Source,
    mut results: Results<'o>,
    done: impl Fn() + Sync,
) -> diagnostic::Result<(Results<'o>, f64)> {
    let golden = Golden::new(network);
    let mut seconds = 0.0;
    frames.each(|frames| -> diagnostic::Result<()> {
        let start = Instant::now();
        let outcomes = golden.run_all(frames, &done);
        seconds += start.elapsed().as_secs_f64();
        outcomes.iter().for_each(|outcome| results.add(&golden, outcome));
        Ok(())
    })?;
    Ok((results, seconds))
}

/// The accuracy of the model as it is, without `--input-planes`; `None` where that makes no network,
/// for want of a quantizer.
fn whole_accuracy(options: &Infer, path: &Path) -> Result<Option<f64>> {
    let model = cli::Model { input_planes: None, ..options.model.clone() };
    let Ok((network, frames)) = model::load_for(&model, path) else { return Ok(None) };
    let frames = arrays::limit(&options.arrays, frames)?;
    let results = Results::new(&options.arrays, frames.len())?;
    Ok(infer(&network, frames, results, || ())?.0.accuracy())
}
