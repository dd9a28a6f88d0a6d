//! The sliding window unit.

use super::{Ends, Offers, Skip, Steps, Unit, credit};
use crate::stream::{Cycle, Stream};
use engines::Sliding;
use std::sync::Arc;

/// The ring of a sliding window unit; see [`Sliding`].
///
/// Most steps of a window follow each other without a wait, and their words leave as soon as they are
/// offered: such runs are moved as a whole.
#[derive(Clone)]
pub(crate) struct Ring {
    ends: Ends,
    latency: u64,
    credits: usize,
    /// Whether credits are enough for words that leave as soon as they are offered.
    flows: bool,
    /// Of each step of a window the word that it reads, and the last word that it and the steps
    /// behind it in its window read, counted from the window's `origins`; with padding, which differs
    /// from window to window, of all steps of a frame. Padding waits for the first word of its frame.
    reads: Arc<[Read]>,
    origins: Arc<[usize]>,
    /// Places that are free with the end of each window of a frame.
    frees: Arc<[usize]>,
    window_steps: usize,
    frame_words: usize,
    /// The first cycle in which the next step may be taken, as far as steps go.
    next_step: Cycle,
    /// The step that comes next, among those listed, and the steps left in its window.
    step: usize,
    left: usize,
    window: usize,
    /// Input words of the frames before, and those from which its window's words count.
    frame: usize,
    origin: usize,
    /// Steps so far.
    made: usize,
    /// Offers of output words that have not moved.
    offers: Offers,
    looks_back: usize,
}

#[derive(Debug, Clone, Copy)]
struct Read {
    word: usize,
    last: usize,
}

impl Ring {
    pub(crate) fn new(ends: Ends, sliding: Sliding, streams: &mut [Stream]) -> Self {
        let walk = sliding.walk;
        let of_window = |window| {
            let word = |step| walk.step(window, step).word.unwrap_or(0);
            let mut reads: Vec<Read> =
                (0..walk.steps()).map(word).map(|word| Read { word, last: word }).collect();
            for step in (1..reads.len()).rev() {
                reads[step - 1].last = reads[step - 1].last.max(reads[step].last);
            }
            reads
        };
        let (reads, origins): (Vec<Read>, Vec<usize>) = if walk.is_padded() {
            ((0..walk.windows()).flat_map(of_window).collect(), vec![0; walk.windows()])
        } else {
            let origin = |window| walk.step(window, 0).word.unwrap_or(0);
            (of_window(0), (0..walk.windows()).map(origin).collect())
        };
        let frees = |window| (walk.base(window + 1) - walk.base(window)) as usize;
        let places = (sliding.depth as i64 + walk.base(0)) as usize;
        streams[ends.input].grant(places);
        Self {
            ends,
            latency: sliding.latency,
            credits: sliding.credits,
            flows: sliding.credits as u64 > sliding.latency,
            origin: origins[0],
            reads: reads.into(),
            origins: origins.into(),
            frees: (0..walk.windows()).map(frees).collect(),
            window_steps: walk.steps(),
            frame_words: walk.words_per_frame(),
            next_step: 0,
            step: 0,
            left: walk.steps(),
            window: 0,
            frame: 0,
            made: 0,
            offers: Offers::default(),
            looks_back: sliding.depth + walk.words_per_frame(),
        }
    }

    /// The cycle of the next step, if known moves decide it.
    fn next(&self, input: &Stream, output: &Stream) -> Option<Cycle> {
        let word = self.origin + self.reads[self.step].word;
        if word >= input.len() {
            return None;
        }
        let at = self.next_step.max(input.at(word) + 1);
        credit(output, self.made, self.credits).map(|credit| at.max(credit))
    }

    /// Moves as many words of the window as leave in the cycle of their offer; how many.
    fn flow(&mut self, input: &Stream, output: &mut Stream) -> usize {
        let last = self.origin + self.reads[self.step].last;
        let ready = self.flows && self.left > 1 && self.offers.is_empty() && last < input.len();
        if !ready || input.at(last) >= self.next_step {
            return 0;
        }
        // Credits of the words in front.
        for behind in 0..self.credits.min(self.made) {
            let freed = output.at(self.made - 1 - behind);
            if freed + behind as u64 >= self.next_step + self.credits as u64 - 1 {
                return 0;
            }
        }
        output.push_run(self.next_step + self.latency, self.left)
    }

    /// Notes that `steps` steps of a window were taken, the last of them in a cycle.
    fn took(&mut self, steps: usize, at: Cycle, input: &mut Stream) {
        self.next_step = at + 1;
        self.made += steps;
        self.step += steps;
        self.left -= steps;
        if self.left > 0 {
            return;
        }
        let free = self.frees[self.window];
        if free > 0 {
            input.grant_from(free, at + 1);
        }
        self.left = self.window_steps;
        self.window += 1;
        if self.window == self.origins.len() {
            self.window = 0;
            self.frame += self.frame_words;
        }
        if self.step == self.reads.len() {
            self.step = 0;
        }
        self.origin = self.frame + self.origins[self.window];
    }
}

impl Steps for Ring {
    fn take_steps(&mut self, input: &mut Stream, output: &mut Stream) -> bool {
        let flowed = self.flow(input, output);
        if flowed > 0 {
            self.took(flowed, self.next_step + flowed as u64 - 1, input);
            return true;
        }
        let step = self.next(input, output);
        if let Some(at) = step {
            self.offers.add(at + self.latency);
            self.took(1, at, input);
        }
        step.is_some()
    }

    fn offers(&mut self) -> &mut Offers {
        &mut self.offers
    }
}

impl Unit for Ring {
    fn advance(&mut self, streams: &mut [Stream]) -> bool {
        self.advance_by_steps(self.ends, streams)
    }

    fn starving(&self, streams: &[Stream]) -> Vec<usize> {
        let input = self.ends.input;
        let word = self.origin + self.reads[self.step].word;
        let waits = self.offers.is_empty() && word >= streams[input].len();
        if waits { vec![input] } else { Vec::new() }
    }

    fn looks_back(&self) -> usize {
        self.looks_back
    }

    fn next_step(&self) -> Option<Cycle> {
        Some(self.next_step)
    }

    fn skip(&mut self, skip: Skip<'_>) {
        self.frame += skip.words(self.ends.input);
        self.origin += skip.words(self.ends.input);
        self.made += skip.words(self.ends.output);
        self.next_step += skip.cycles;
    }

    fn boxed(&self) -> Box<dyn Unit> {
        Box::new(self.clone())
    }
}
