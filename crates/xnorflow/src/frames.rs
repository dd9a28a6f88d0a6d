//! The frames of a run, read or drawn some at a time: memory does not grow with their number.

use diagnostic::{Diagnostic, Result};
use emit::Seeded;
use std::path::Path;
use streamline::{Frames, InputSpec};
use tensor::npy::Rows;

/// So many elements, of one frame or more, are in memory at a time.
const BATCH: usize = 1 << 19;

/// Frames at a time.
fn batch(input: &InputSpec) -> usize {
    (BATCH / input.elements()).max(1)
}

/// Where frames come from.
pub(crate) struct Source {
    input: InputSpec,
    origin: Origin,
    count: usize,
}

enum Origin {
    File(Rows),
    Seed(u64),
}

/// Looks at all frames of a file; how many there are.
///
/// # Errors
/// What is wrong with the file, or with a frame.
pub(crate) fn check(rows: &mut Rows, input: &InputSpec) -> Result<usize> {
    rows.rewind();
    let mut count = 0;
    while let Some(frames) = next(rows, input)? {
        count += frames.len();
    }
    Ok(count)
}

/// The next frames of a file.
fn next(rows: &mut Rows, input: &InputSpec) -> Result<Option<Frames>> {
    let Some(array) = rows.next(batch(input))? else { return Ok(None) };
    let frames = input.frames_of(&array, rows.shape());
    frames.map(Some).map_err(|e| e.from(rows.path().display().to_string()))
}

impl Source {
    /// The frames of a file.
    ///
    /// # Errors
    /// As of [`check`].
    pub(crate) fn file(path: &Path, input: &InputSpec) -> Result<Self> {
        let mut rows = Rows::open(path)?;
        let count = check(&mut rows, input)?;
        Ok(Self::checked(rows, input, count))
    }

    /// As many frames as there were found in a file.
    pub(crate) fn checked(rows: Rows, input: &InputSpec, count: usize) -> Self {
        Self { input: input.clone(), origin: Origin::File(rows), count }
    }

    /// Random frames.
    pub(crate) fn seeded(input: &InputSpec, seed: u64, count: usize) -> Self {
        Self { input: input.clone(), origin: Origin::Seed(seed), count }
    }

    /// No more than so many of them.
    pub(crate) fn first(self, count: usize) -> Self {
        Self { count: self.count.min(count), ..self }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Hands all on, some at a time, in order.
    ///
    /// # Errors
    /// What `take` says, or that the file is another by now.
    pub(crate) fn each<E: From<Diagnostic>>(
        &mut self,
        mut take: impl FnMut(&Frames) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let mut left = self.count;
        let mut seeded = None;
        if let Origin::File(rows) = &mut self.origin {
            rows.rewind();
        }
        while left > 0 {
            let frames = match &mut self.origin {
                Origin::File(rows) => next(rows, &self.input)?,
                Origin::Seed(seed) => {
                    let seeded = seeded.get_or_insert_with(|| Seeded::new(&self.input, *seed));
                    Some(seeded.frames(left.min(batch(&self.input))))
                }
            };
            let Some(frames) = frames else { break };
            let frames = frames.first(left);
            left -= frames.len();
            take(&frames)?;
        }
        Ok(())
    }

    /// All at once.
    pub(crate) fn all(&mut self) -> Result<Frames> {
        let mut all = Frames { values: Vec::new(), elements: self.input.elements() };
        self.each(|frames| -> Result<()> {
            all.values.extend(&frames.values);
            Ok(())
        })?;
        Ok(all)
    }
}
