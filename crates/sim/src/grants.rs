//! What a stream's reader grants, and forecasts of it.
//!
//! Where frames were granted alike, the next is expected to be: with a *forecast* the writer need not
//! wait for the reader, and whole frames are computed stream after stream. Every grant is checked
//! against the forecast once the reader has made it. If all agree, all equations between the moves of
//! the frame hold; as each of them depends on earlier moves only, they have one solution, and this is
//! it. If one differs, the frame is computed again without that forecast.

use crate::regular::Regular;
use crate::stream::Cycle;

/// A word and the first cycle in which it may move.
pub(crate) type Bound = (usize, Cycle);

/// Behind all bounds.
const NONE: Bound = (usize::MAX, 0);

/// The grants of a stream: how many words may move, and which of them not before which cycle.
#[derive(Debug)]
pub(crate) struct Grants {
    /// Words of a frame.
    words: usize,
    /// The latest bounds, less `place.later`.
    list: Vec<Bound>,
    /// Frames that have to grow alike before there is a forecast; none in the frame of a wrong one.
    patience: usize,
    doubted: bool,
    place: Place,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    /// Words granted in truth, and with the forecast.
    granted: usize,
    allowed: usize,
    /// What to add to the listed bounds.
    later: Bound,
    /// Where those of the frame before begin, and those of this frame.
    last: usize,
    now: usize,
    /// The first that has not been taken; behind `now` in the forecast, if there is one.
    next: usize,
    front: Bound,
    /// By how many cycles this frame's grants are expected behind those of the frame before.
    forecast: Option<Cycle>,
    regular: Regular,
}

/// A point that grants can go back to.
#[derive(Debug)]
pub(crate) struct Mark(usize, Place);

/// The most frames that have to grow alike before there is a forecast.
const MOST_PATIENCE: usize = 8;

impl Grants {
    /// None yet, of frames of so many words.
    pub(crate) fn new(words: usize) -> Self {
        let place = Place {
            granted: 0,
            allowed: 0,
            later: (0, 0),
            last: 0,
            now: 0,
            next: 0,
            front: NONE,
            forecast: None,
            regular: Regular::default(),
        };
        Self { words, list: Vec::new(), patience: 1, doubted: false, place }
    }

    /// Words that may move, from the first on.
    pub(crate) fn allowed(&self) -> usize {
        self.place.allowed
    }

    /// Grants words, the first of them from a cycle on if any.
    pub(crate) fn add(&mut self, words: usize, from: Option<Cycle>) {
        let place = &mut self.place;
        if let Some(cycle) = from {
            let bound = (place.granted, cycle);
            self.list.push((bound.0 - place.later.0, bound.1 - place.later.1));
            if place.forecast.is_none() && place.next + 1 == self.list.len() {
                place.front = bound;
            }
        }
        place.granted += words;
        place.allowed = place.allowed.max(place.granted);
    }

    /// Grants words without a forecast: some, the first of them from a cycle on, each time.
    pub(crate) fn add_each(&mut self, grants: impl Iterator<Item = (usize, Cycle)>) {
        let Place { mut granted, later, .. } = self.place;
        self.list.extend(grants.map(|(words, cycle)| {
            let bound = (granted - later.0, cycle - later.1);
            granted += words;
            bound
        }));
        self.place.granted = granted;
        self.place.allowed = self.place.allowed.max(granted);
    }

    /// Takes the bounds of so many words, without a forecast.
    pub(crate) fn take_up_to(&mut self, words: usize) {
        let words = words - self.place.later.0;
        let open = self.list.iter().rev().take_while(|bound| bound.0 >= words).count();
        self.place.next = self.list.len() - open;
        self.place.front = self.bound(self.place.next);
    }

    /// The first bound that has not been taken.
    pub(crate) fn front(&self) -> Bound {
        self.place.front
    }

    /// Takes the first bound.
    pub(crate) fn take(&mut self) {
        self.place.next += 1;
        self.place.front = self.bound(self.place.next);
    }

    fn bound(&self, index: usize) -> Bound {
        let Place { later, last, now, forecast, .. } = self.place;
        let (listed, words, cycles) = match forecast {
            Some(growth) if index >= now => {
                let index = last + index - now;
                (self.list[..now].get(index), self.words, growth)
            }
            _ => (self.list.get(index), 0, 0),
        };
        listed.map_or(NONE, |bound| (bound.0 + later.0 + words, bound.1 + later.1 + cycles))
    }

    /// Begins a frame, with a forecast if one `may` be made; whether there is one.
    pub(crate) fn begin(&mut self, may: bool) -> bool {
        let place = &mut self.place;
        place.forecast = place.regular.over(self.patience).filter(|_| may && !self.doubted);
        if place.forecast.is_some() {
            place.allowed = place.granted + self.words;
        }
        self.place.front = self.bound(self.place.next);
        self.place.forecast.is_some()
    }

    /// Whether this frame has a forecast.
    pub(crate) fn is_forecast(&self) -> bool {
        self.place.forecast.is_some()
    }

    /// How the grants are expected to grow in this frame, if they have grown so at least for so many.
    pub(crate) fn forecast(&self, frames: usize) -> Option<Cycle> {
        self.place.forecast.filter(|_| self.place.regular.over(frames).is_some())
    }

    /// How the grants have grown, up to the frame before.
    pub(crate) fn regular(&self) -> &Regular {
        &self.place.regular
    }

    /// At the end of a frame: whether its forecast was right, or none was made.
    pub(crate) fn is_right(&self) -> bool {
        let Place { forecast, granted, allowed, .. } = self.place;
        forecast.is_none() || granted == allowed && self.growth() == forecast
    }

    /// Notes that the forecast was wrong.
    pub(crate) fn doubt(&mut self) {
        self.patience = (2 * self.patience).min(MOST_PATIENCE);
        self.doubted = true;
    }

    /// Ends a frame whose forecast was right.
    pub(crate) fn end(&mut self) {
        let growth = self.place.forecast.or_else(|| self.growth());
        self.doubted = false;
        let place = &mut self.place;
        place.forecast = None;
        place.regular.observe(growth);
        (place.last, place.now) = (place.now, self.list.len());
    }

    /// The one number of cycles between the bounds of this frame and the last.
    fn growth(&self) -> Option<Cycle> {
        let Place { last, now, .. } = self.place;
        let (then, now) = (&self.list[last..now], &self.list[now..]);
        if then.len() != now.len() {
            return None;
        }
        let Some((first, before)) = now.first().zip(then.first()) else { return Some(0) };
        let growth = first.1.checked_sub(before.1)?;
        let alike = |(now, then): (&Bound, &Bound)| {
            now.0 == then.0 + self.words && now.1 == then.1 + growth
        };
        now.iter().zip(then).all(alike).then_some(growth)
    }

    /// Takes the bounds of further frames, which go on as those before.
    pub(crate) fn take_frames(&mut self, frames: usize) {
        self.place.next += frames * (self.place.now - self.place.last);
    }

    /// Grants the words of further frames, each `growth` cycles after the one before. Instead of
    /// adding to the list, all that is listed becomes so much later.
    pub(crate) fn go_on(&mut self, frames: usize, growth: Cycle) {
        let words = frames * self.words;
        let place = &mut self.place;
        place.granted += words;
        place.allowed = place.granted;
        place.later = (place.later.0 + words, place.later.1 + frames as u64 * growth);
        place.next -= frames * (place.now - place.last);
        place.forecast = None;
        place.regular.go_on(frames);
    }

    /// Forgets what nobody asks for.
    pub(crate) fn forget(&mut self) {
        let old = self.place.next.min(self.place.last);
        if old > self.list.len() - old + 64 {
            self.list.drain(..old);
            self.place.next -= old;
            self.place.last -= old;
            self.place.now -= old;
        }
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.list.len(), self.place)
    }

    /// Goes back to a point behind which nothing was forgotten.
    pub(crate) fn reset(&mut self, mark: &Mark) {
        self.list.truncate(mark.0);
        self.place = mark.1;
    }
}
