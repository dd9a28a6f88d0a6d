//! Arrays from files, and results to files.

use crate::cli;
use diagnostic::{Code, Diagnostic, Result};
use golden::{Golden, Outcome};
use ndarray::{Array1, Array2};
use streamline::{Frames, InputSpec};
use tensor::npy;

/// More frames than this are no single run.
const MOST_FRAMES: usize = 1_000_000;

/// A number of frames from the command line.
pub(crate) fn frame_count(count: usize) -> Result<usize> {
    if (1..=MOST_FRAMES).contains(&count) {
        return Ok(count);
    }
    Err(Diagnostic::new(Code::Usage, format!("--frames {count} is out of range"))
        .hint(format!("use 1 to {MOST_FRAMES}")))
}

/// The frames that the options name.
pub(crate) fn frames(arrays: &cli::Arrays, input: &InputSpec) -> Result<Option<Frames>> {
    arrays.frames.map(frame_count).transpose()?;
    let Some(path) = &arrays.input else { return Ok(None) };
    let named = |e: Diagnostic| e.from(path.display().to_string());
    let frames = input.frames(&npy::read(path)?).map_err(named)?;
    limit(arrays, frames).map(Some)
}

/// As many of the frames as the options ask for.
pub(crate) fn limit(arrays: &cli::Arrays, frames: Frames) -> Result<Frames> {
    Ok(match arrays.frames.map(frame_count).transpose()? {
        Some(count) => frames.first(count),
        None => frames,
    })
}

/// The labels that the options name, one for each of `count` frames.
pub(crate) fn labels(arrays: &cli::Arrays, count: usize) -> Result<Option<Vec<i64>>> {
    let Some(path) = &arrays.labels else { return Ok(None) };
    let from = path.display().to_string();
    let array = npy::read(path)?;
    let Some(labels) = array.to_i64() else {
        let text = format!("the labels are an array of {}", array.type_name());
        return Err(Diagnostic::new(Code::InputType, text).from(from).hint("use integers"));
    };
    let enough = labels.len() == count || (arrays.frames.is_some() && labels.len() > count);
    if labels.shape().iter().filter(|&&d| d != 1).count() > 1 || !enough {
        let text = format!("labels of shape {:?} for {count} frames", array.shape());
        return Err(Diagnostic::new(Code::InputShape, text).from(from).hint("one label a frame"));
    }
    Ok(Some(labels.iter().copied().take(count).collect()))
}

/// The share of frames whose class is the label. A network with a single bipolar output may be
/// labelled 0 and 1, or -1 and +1.
pub(crate) fn accuracy(golden: &Golden<'_>, outcomes: &[Outcome], labels: &[i64]) -> f64 {
    let right = outcomes
        .iter()
        .zip(labels)
        .filter(|(outcome, label)| golden.class(outcome) == (**label).max(0))
        .count();
    right as f64 / labels.len().max(1) as f64
}

/// Writes what `--output` asks for.
pub(crate) fn write(arrays: &cli::Arrays, golden: &Golden<'_>, outcomes: &[Outcome]) -> Result<()> {
    let Some(path) = &arrays.output else { return Ok(()) };
    let rows = outcomes.len();
    if arrays.classes {
        let classes: Vec<i64> = outcomes.iter().map(|o| golden.class(o)).collect();
        return npy::write(path, &Array1::from(classes).into_dyn());
    }
    if arrays.raw {
        let raw: Vec<i32> =
            outcomes.iter().flat_map(|o| o.accumulators.iter().map(|&a| a as i32)).collect();
        return npy::write(path, &matrix(rows, raw));
    }
    let scores: Vec<f32> = outcomes.iter().flat_map(|o| golden.model_output(o)).collect();
    npy::write(path, &matrix(rows, scores))
}

fn matrix<T: Clone>(rows: usize, values: Vec<T>) -> ndarray::ArrayD<T> {
    let columns = values.len() / rows.max(1);
    Array2::from_shape_vec((rows, columns), values).expect("rows are of one length").into_dyn()
}
