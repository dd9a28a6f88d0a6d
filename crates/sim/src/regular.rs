//! How something grows from frame to frame.

use crate::stream::Cycle;

/// The cycles by which something comes later in each frame than in the one before, and how many
/// frames in a row that was so.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Regular {
    growth: Cycle,
    frames: usize,
}

impl Regular {
    /// Adds the next frame: its growth, if all of it grew alike.
    pub(crate) fn observe(&mut self, growth: Option<Cycle>) {
        *self = match growth {
            None => Self::default(),
            Some(growth) if self.frames > 0 && growth == self.growth => {
                Self { growth, frames: self.frames + 1 }
            }
            Some(growth) => Self { growth, frames: 1 },
        };
    }

    /// Adds frames that grew as those before.
    pub(crate) fn go_on(&mut self, frames: usize) {
        self.frames += frames;
    }

    /// The growth, if the latest frames grew alike, at least so many.
    pub(crate) fn over(&self, frames: usize) -> Option<Cycle> {
        (self.frames >= frames.max(1)).then_some(self.growth)
    }
}
