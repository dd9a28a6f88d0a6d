//! Timing of the sliding window unit.

use crate::engine::Cycle;
use engines::Sliding;
use std::collections::VecDeque;

/// The ring of a sliding window unit; see [`Sliding`].
pub(crate) struct Ring {
    sliding: Sliding,
    /// The word that each step of a frame reads.
    reads: Vec<Option<u32>>,
    /// When each input word came in, from word `first` on, counted over all frames.
    arrived: VecDeque<Cycle>,
    first: i64,
    /// When each free place becomes usable.
    free: VecDeque<Cycle>,
    /// When each free credit becomes usable.
    credits: VecDeque<Cycle>,
    /// Offers of output words.
    offers: VecDeque<Cycle>,
    /// The first cycle in which the next step may be taken, as far as steps go.
    next_step: Cycle,
    /// Window that comes next, counted over all frames.
    window: usize,
    /// Words of the frames before the one of that window.
    frame: i64,
    /// Step that comes next, of its frame.
    step: usize,
    /// Steps of its frame that are left in its window.
    left: usize,
}

impl Ring {
    pub(crate) fn new(sliding: Sliding) -> Self {
        let places = sliding.depth as i64 + sliding.walk.base(0);
        let walk = sliding.walk;
        let steps = |window| (0..walk.steps()).map(move |step| walk.step(window, step).word);
        let reads = (0..walk.windows()).flat_map(steps).map(|word| word.map(|w| w as u32));
        Self {
            sliding,
            reads: reads.collect(),
            arrived: VecDeque::new(),
            first: 0,
            free: std::iter::repeat_n(0, places as usize).collect(),
            credits: std::iter::repeat_n(0, sliding.credits).collect(),
            offers: VecDeque::new(),
            next_step: 0,
            window: 0,
            frame: 0,
            step: 0,
            left: walk.steps(),
        }
    }

    pub(crate) fn accept(&self) -> Option<Cycle> {
        self.free.front().copied()
    }

    pub(crate) fn offer(&self) -> Option<Cycle> {
        self.offers.front().copied()
    }

    pub(crate) fn push(&mut self, at: Cycle) {
        self.free.pop_front();
        self.arrived.push_back(at);
        self.advance();
    }

    pub(crate) fn pop(&mut self, at: Cycle) {
        self.offers.pop_front();
        self.credits.push_back(at + 1);
        self.advance();
    }

    /// Takes as many steps as known moves decide.
    fn advance(&mut self) {
        while let Some(&credit) = self.credits.front() {
            // Padding waits for the first word of its frame.
            let word = self.reads[self.step].unwrap_or(0);
            let data = match usize::try_from(self.frame + i64::from(word) - self.first) {
                Err(_) => 0,
                Ok(place) => match self.arrived.get(place) {
                    None => return,
                    Some(came) => came + 1,
                },
            };
            let at = self.next_step.max(data).max(credit);
            self.credits.pop_front();
            self.offers.push_back(at + self.sliding.latency);
            self.next_step = at + 1;
            self.step += 1;
            self.left -= 1;
            if self.left == 0 {
                self.release(at);
            }
        }
    }

    /// The window is done: places in front of the next one are free.
    fn release(&mut self, at: Cycle) {
        let walk = self.sliding.walk;
        let freed = walk.base(self.window + 1) - walk.base(self.window);
        self.free.extend(std::iter::repeat_n(at + 1, freed as usize));
        self.window += 1;
        self.left = walk.steps();
        if self.step == self.reads.len() {
            self.step = 0;
            self.frame += walk.words_per_frame() as i64;
        }
        while self.first < walk.base(self.window) && self.arrived.pop_front().is_some() {
            self.first += 1;
        }
    }
}
