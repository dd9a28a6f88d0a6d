//! Arrays from files, and results to files.

use crate::cli;
use crate::frames::Source;
use diagnostic::{Code, Diagnostic, Result};
use golden::{Golden, Outcome};
use ndarray::{Array1, Array2};
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

/// As many of the frames as the options ask for.
pub(crate) fn limit(arrays: &cli::Arrays, frames: Source) -> Result<Source> {
    Ok(match arrays.frames.map(frame_count).transpose()? {
        Some(count) => frames.first(count),
        None => frames,
    })
}

/// The labels that the options name, one for each of `count` frames.
fn labels(arrays: &cli::Arrays, count: usize) -> Result<Option<Vec<i64>>> {
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

/// Of what frames end as, that which the options ask for.
pub(crate) struct Results<'o> {
    options: &'o cli::Arrays,
    labels: Option<Vec<i64>>,
    /// Frames so far, and those whose class is their label.
    frames: usize,
    right: usize,
    classes: Vec<i64>,
    raw: Vec<i32>,
    scores: Vec<f32>,
}

impl<'o> Results<'o> {
    /// None yet, of so many frames.
    pub(crate) fn new(options: &'o cli::Arrays, count: usize) -> Result<Self> {
        let labels = labels(options, count)?;
        let (classes, raw, scores) = Default::default();
        Ok(Self { options, labels, frames: 0, right: 0, classes, raw, scores })
    }

    /// Whether anything is asked for.
    pub(crate) fn are_wanted(&self) -> bool {
        self.options.output.is_some() || self.labels.is_some()
    }

    /// Adds what the next frame ends as.
    pub(crate) fn add(&mut self, golden: &Golden<'_>, outcome: &Outcome) {
        if let Some(labels) = &self.labels {
            // A network with a single bipolar output may be labelled 0 and 1, or -1 and +1.
            let label = labels[self.frames].max(0);
            self.right += usize::from(golden.class(outcome) == label);
        }
        self.frames += 1;
        if self.options.output.is_none() {
            return;
        }
        if self.options.classes {
            self.classes.push(golden.class(outcome));
        } else if self.options.raw {
            self.raw.extend(outcome.accumulators.iter().map(|&a| a as i32));
        } else {
            self.scores.extend(golden.model_output(outcome));
        }
    }

    /// The share of frames whose class is the label.
    pub(crate) fn accuracy(&self) -> Option<f64> {
        self.labels.as_ref().map(|_| self.right as f64 / self.frames.max(1) as f64)
    }

    /// Writes what `--output` asks for.
    pub(crate) fn write(self) -> Result<()> {
        let Some(path) = &self.options.output else { return Ok(()) };
        if self.options.classes {
            npy::write(path, &Array1::from(self.classes).into_dyn())
        } else if self.options.raw {
            npy::write(path, &matrix(self.frames, self.raw))
        } else {
            npy::write(path, &matrix(self.frames, self.scores))
        }
    }
}

fn matrix<T: Clone>(rows: usize, values: Vec<T>) -> ndarray::ArrayD<T> {
    let columns = values.len() / rows.max(1);
    Array2::from_shape_vec((rows, columns), values).expect("rows are of one length").into_dyn()
}
