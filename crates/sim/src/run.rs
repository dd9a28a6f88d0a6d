//! A simulation: frame after frame, the cycle of every move.

use crate::deadlock;
use crate::pattern::Pattern;
use crate::stall::Stalls;
use crate::steady;
use crate::stream::{Cycle, Handshake, Mark, Side, Stream};
use crate::units::{Skip, Unit, unit};
use crate::waiting::{Party, Waiting};
use dataflow::{Dataflow, OUTSIDE};
use diagnostic::Result;

/// A simulation that goes on frame by frame. What it holds does not grow with the frames.
pub struct Run<'d> {
    dataflow: &'d Dataflow,
    streams: Vec<Stream>,
    units: Vec<Box<dyn Unit>>,
    /// Frames up to the last that was simulated, and those behind it that grow as it did.
    frames: usize,
    repeats: usize,
    /// How many of those there may be.
    lead: usize,
    simulated: usize,
    /// What is known of how the frames follow each other, without waits.
    pattern: Option<Pattern>,
    /// Whether waits are counted.
    counting: bool,
    /// How the cycles were spent before the latest frame that was simulated.
    handshakes: Vec<Handshake>,
    waiting: Waiting,
}

/// The moves of one frame.
pub struct Frame<'r> {
    run: &'r Run<'r>,
    /// Counted from 0.
    pub number: usize,
}

/// The cycles of a frame's words on a stream: `shift` more than listed.
#[derive(Debug, Clone, Copy)]
pub struct Moves<'r> {
    /// Added to all.
    pub shift: u64,
    /// One for each word.
    pub cycles: &'r [u64],
}

impl<'r> Moves<'r> {
    /// The cycle of each word.
    pub fn iter(self) -> impl ExactSizeIterator<Item = u64> + 'r {
        self.cycles.iter().map(move |cycle| cycle + self.shift)
    }

    /// The cycle of the first word.
    pub fn first(self) -> u64 {
        self.cycles[0] + self.shift
    }

    /// The cycle of the last word.
    pub fn last(self) -> u64 {
        self.cycles[self.cycles.len() - 1] + self.shift
    }
}

impl<'r> Frame<'r> {
    /// The moves of a stream.
    pub fn moves(&self, stream: usize) -> Moves<'r> {
        let growth = match &self.run.pattern {
            Some(pattern) if self.run.repeats > 0 => pattern.growth().moves[stream],
            _ => 0,
        };
        Moves { shift: growth * self.run.repeats as u64, cycles: self.run.streams[stream].latest() }
    }
}

impl<'d> Run<'d> {
    /// A design out of reset, before its first word.
    pub fn new(dataflow: &'d Dataflow, stalls: &Stalls) -> Self {
        let mut streams: Vec<Stream> =
            dataflow.streams.iter().map(|s| Stream::new(s.words_per_frame())).collect();
        let timings: Vec<_> =
            (0..dataflow.engines.len()).map(|e| engines::timing(dataflow, e)).collect();
        let mut units = Vec::new();
        for (engine, &timing) in dataflow.engines.iter().zip(&timings) {
            let unit = unit(engine, timing, &mut streams);
            engine.inputs.iter().for_each(|&s| streams[s].keep(unit.looks_back()));
            engine.outputs.iter().for_each(|&s| streams[s].keep(steady::credits(timing)));
            units.push(unit);
        }
        let last = streams.len() - 1;
        streams[0].lead_outside(Side::Source, stalls.waits(0));
        streams[last].lead_outside(Side::Sink, stalls.waits(1));
        let pattern = stalls.is_none().then(|| Pattern::new(steady::memory(dataflow, &timings)));
        let waiting = Waiting::new(units.len());
        let handshakes = vec![Handshake::default(); streams.len()];
        Self {
            dataflow,
            streams,
            units,
            frames: 0,
            repeats: 0,
            lead: 0,
            simulated: 0,
            pattern,
            counting: false,
            handshakes,
            waiting,
        }
    }

    /// Frames so far.
    pub fn frames(&self) -> usize {
        self.frames + self.repeats
    }

    /// Counts waits for [`handshake`](Self::handshake), which takes more frames to be simulated.
    pub fn counting(mut self) -> Self {
        self.counting = true;
        self
    }

    /// Frames that were simulated, not only proven.
    pub fn simulated(&self) -> usize {
        self.simulated
    }

    /// Whether it is proven that all later frames follow each other as the latest two.
    pub fn is_steady(&self) -> bool {
        self.lead == usize::MAX
    }

    /// The next frame.
    ///
    /// # Errors
    /// `deadlock` when the design waits for itself, naming the ring of waiting engines.
    pub fn frame(&mut self) -> Result<Frame<'_>> {
        if self.repeats < self.lead {
            self.repeats += 1;
        } else {
            self.skip();
            self.simulate()?;
            self.simulated += 1;
            if let Some(pattern) = &mut self.pattern {
                self.lead = pattern.observe(self.dataflow, &self.streams, &self.units);
                if self.counting && self.lead < usize::MAX {
                    self.lead = 0;
                }
            }
        }
        Ok(Frame { run: self, number: self.frames() - 1 })
    }

    /// Brings everything behind the frames that were only proven.
    fn skip(&mut self) {
        let frames = std::mem::take(&mut self.repeats);
        let Some(pattern) = self.pattern.as_mut().filter(|_| frames > 0) else { return };
        let growth = pattern.growth();
        let cycles = |growth: Cycle| growth * frames as u64;
        for (index, stream) in self.streams.iter_mut().enumerate() {
            stream.skip(frames, cycles(growth.moves[index]), cycles(growth.bounds[index]));
        }
        for (unit, step) in self.units.iter_mut().zip(&growth.steps) {
            let cycles = cycles(step.unwrap_or(0));
            unit.skip(Skip { dataflow: self.dataflow, frames, cycles });
        }
        pattern.skip(frames);
        self.frames += frames;
    }

    fn simulate(&mut self) -> Result<()> {
        for (stream, handshake) in self.streams.iter_mut().zip(&mut self.handshakes) {
            stream.forget();
            *handshake = stream.handshake();
        }
        self.frames += 1;
        if self.with_forecasts() {
            return Ok(());
        }
        for stream in &mut self.streams {
            stream.begin(false);
        }
        if self.moves_all() {
            self.streams.iter_mut().for_each(Stream::end);
            return Ok(());
        }
        Err(deadlock::report(self.dataflow, &self.streams, &self.units, self.frames))
    }

    /// Simulates the frame with forecasts of grants; whether all were right, else nothing is changed.
    fn with_forecasts(&mut self) -> bool {
        let marks: Vec<Mark> = self.streams.iter().map(Stream::mark).collect();
        let mut any = false;
        for stream in &mut self.streams {
            any |= stream.begin(true);
        }
        if !any {
            return false;
        }
        let units: Vec<_> = self.units.iter().map(|unit| unit.boxed()).collect();
        if self.moves_all() && self.streams.iter().all(Stream::is_right) {
            self.streams.iter_mut().for_each(Stream::end);
            return true;
        }
        self.units = units;
        self.streams.iter_mut().zip(marks).for_each(|(stream, mark)| stream.reset(mark));
        false
    }

    /// Moves what can move; whether all words of the frames so far have.
    fn moves_all(&mut self) -> bool {
        self.waiting.add(Party::Outside);
        (0..self.units.len()).for_each(|engine| self.waiting.add(Party::Engine(engine)));
        while let Some(party) = self.waiting.next() {
            match party {
                Party::Outside => self.bring_words(),
                Party::Engine(engine) => self.advance(engine),
            }
        }
        self.streams.iter().all(|stream| stream.has_moved(self.frames))
    }

    fn advance(&mut self, engine: usize) {
        let of = &self.dataflow.engines[engine];
        let progress = |streams: &[Stream], s: usize| streams[s].progress();
        let mut before = [0; 8];
        let ends = of.inputs.iter().chain(&of.outputs);
        for (before, &s) in before.iter_mut().zip(ends.clone()) {
            *before = progress(&self.streams, s);
        }
        self.units[engine].advance(&mut self.streams);
        for (place, &s) in ends.enumerate() {
            // Of more streams than are remembered, all count as changed.
            if before.get(place).is_some_and(|&before| before == progress(&self.streams, s)) {
                continue;
            }
            let is_input = place < of.inputs.len();
            let stream = &self.dataflow.streams[s];
            match if is_input { stream.from } else { stream.to } {
                OUTSIDE if is_input => self.waiting.add(Party::Outside),
                OUTSIDE => {}
                neighbour => self.waiting.add(Party::Engine(neighbour)),
            }
        }
    }

    /// Moves what the input takes of the frames so far.
    fn bring_words(&mut self) {
        let words = self.frames * self.dataflow.streams[0].words_per_frame();
        let stream = &mut self.streams[0];
        let count = stream.room().min(words - stream.len());
        if count > 0 {
            for _ in 0..count {
                stream.push(0);
            }
            self.waiting.add(Party::Engine(self.dataflow.streams[0].to));
        }
    }

    /// How the cycles of a stream were spent so far; of a run that is
    /// [`counting`](Self::counting).
    pub fn handshake(&self, stream: usize) -> Handshake {
        let (now, before) = (self.streams[stream].handshake(), self.handshakes[stream]);
        let repeats = self.repeats as u64;
        Handshake {
            stalled: now.stalled + repeats * (now.stalled - before.stalled),
            starved: now.starved + repeats * (now.starved - before.starved),
        }
    }
}
