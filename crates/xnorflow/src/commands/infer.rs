//! `xnorflow infer`

use super::{say, say_json};
use crate::cli::Infer;
use crate::{arrays, model, progress};
use anyhow::Result;
use diagnostic::{Code, Diagnostic};
use golden::Golden;
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
    let accuracy = labels.map(|l| arrays::accuracy(&golden, &outcomes, &l));
    if options.json {
        let images = frames.len();
        say_json(&serde_json::json!({
            "images": images, "images_per_second": rate, "accuracy": accuracy,
        }));
        return Ok(());
    }
    say(&format!("{} images, {rate:.0} images a second", frames.len()));
    if let Some(accuracy) = accuracy {
        say(&format!("accuracy {:.2} %", 100.0 * accuracy));
    }
    Ok(())
}
