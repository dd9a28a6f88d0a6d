//! What a stream's reader grants, and forecasts of it.
//!
//! Where two frames were granted alike, the next is expected to be: with a *forecast* the writer need
//! not wait for the reader, and whole frames are computed stream after stream. Every grant is checked
//! against the forecast when the reader makes it. If all agree, all equations between the moves of the
//! frame hold; as each of them depends on earlier moves only, they have one solution, and this is it.
//! If one differs, the frame is computed again without forecasts.

use crate::stream::{Bound, Cycle};

/// The grants of a stream.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    /// Words granted so far.
    words: usize,
    /// Whether this frame has a forecast.
    forecast: bool,
    /// The bounds of this frame's grants, and of the frame before.
    bounds: Vec<Bound>,
    last: Vec<Bound>,
    /// Cycles from the bounds of the frame before to those of the last, where they are alike.
    growth: Option<Cycle>,
    /// Frames until the next forecast may be made.
    pause: usize,
}

/// Frames without a forecast behind a wrong one.
const PAUSE: usize = 8;

impl Grants {
    /// Words granted so far.
    pub(crate) fn words(&self) -> usize {
        self.words
    }

    /// Whether this frame has a forecast.
    pub(crate) fn is_forecast(&self) -> bool {
        self.forecast
    }

    /// Notes granted words, the first of them with a bound if any.
    pub(crate) fn add(&mut self, words: usize, bound: Option<Cycle>) {
        if let Some(cycle) = bound {
            self.bounds.push((self.words, cycle));
        }
        self.words += words;
    }

    /// Begins a frame of `words` words. With a forecast, which `may` be made, its bounds.
    pub(crate) fn begin(&mut self, words: usize, may: bool) -> Option<impl Iterator<Item = Bound>> {
        if may {
            self.pause = self.pause.saturating_sub(1);
        }
        self.bounds.clear();
        let growth = self.growth.filter(|_| may && self.pause == 0);
        self.forecast = growth.is_some();
        let last = &self.last;
        growth.map(|growth| last.iter().map(move |&(word, cycle)| (word + words, cycle + growth)))
    }

    /// At the end of a frame of `words` words, of which `granted` may move: whether the forecast was
    /// right, or none was made.
    pub(crate) fn is_right(&self, words: usize, granted: usize) -> bool {
        !self.forecast || granted == self.words && self.common_growth(words) == self.growth
    }

    /// Ends a frame of `words` words.
    pub(crate) fn end(&mut self, words: usize) {
        if !self.forecast {
            self.growth = self.common_growth(words);
        }
        std::mem::swap(&mut self.bounds, &mut self.last);
    }

    /// Goes back to the beginning of a frame, when `words` words were granted.
    pub(crate) fn reset(&mut self, words: usize) {
        self.words = words;
        if self.forecast {
            self.pause = PAUSE;
        }
    }

    /// The cycles from the bounds of the frame before to those of the last, where they are alike.
    pub(crate) fn growth(&self) -> Option<Cycle> {
        self.growth
    }

    /// Goes on by frames of `words` words in all, the bounds so many cycles later.
    pub(crate) fn skip(&mut self, words: usize, cycles: Cycle) {
        self.words += words;
        for bound in &mut self.last {
            *bound = (bound.0 + words, bound.1 + cycles);
        }
    }

    /// The one number of cycles between the bounds of this frame and the last.
    fn common_growth(&self, words: usize) -> Option<Cycle> {
        if self.bounds.len() != self.last.len() {
            return None;
        }
        let Some((first, before)) = self.bounds.first().zip(self.last.first()) else {
            return Some(0);
        };
        let growth = first.1.checked_sub(before.1)?;
        let alike =
            |(now, then): (&Bound, &Bound)| now.0 == then.0 + words && now.1 == then.1 + growth;
        self.bounds.iter().zip(&self.last).all(alike).then_some(growth)
    }
}
