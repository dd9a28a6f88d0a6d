//! A simulation: frame after frame, the cycle of every move.

use crate::deadlock;
use crate::memory;
use crate::repeat::Repeats;
use crate::stall::Stalls;
use crate::stream::{Handshake, Mark, Side, Stream};
use crate::units::{Skip, Unit, flow, unit};
use crate::waiting::{Waiting, lines, party};
use dataflow::{Dataflow, OUTSIDE};
use diagnostic::Result;
use std::ops::Range;

/// A simulation that goes on frame by frame. What it holds does not grow with the frames.
pub struct Run<'d> {
    dataflow: &'d Dataflow,
    streams: Vec<Stream>,
    units: Vec<Box<dyn Unit>>,
    /// So many frames count as one in everything here.
    period: usize,
    /// Frames so far, and those of them in which some engine was simulated.
    frames: usize,
    simulated: usize,
    repeats: Repeats<'d>,
    /// Whether all engines repeated the latest frame.
    all_repeat: bool,
    /// Whether waits are counted.
    counting: bool,
    waiting: Waiting,
    /// The line of each party.
    lines: Vec<Range<usize>>,
    /// Parties that have not been looked at in this frame.
    fresh: Vec<bool>,
    /// Engines that are simulated in this frame, as they were before.
    touched: Vec<Option<Box<dyn Unit>>>,
}

/// How often a frame is tried with forecasts.
const TRIES: usize = 3;

/// The moves of one frame.
pub struct Frame<'r> {
    run: &'r Run<'r>,
    /// Counted from 0.
    pub number: usize,
}

/// The cycles of a frame's words on a stream: `shift` more than listed.
#[derive(Debug, Clone, Copy)]
pub struct Moves<'r> {
    shift: u64,
    cycles: &'r [u64],
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
        let (shift, cycles) = self.run.streams[stream].moves().latest();
        Moves { shift, cycles }
    }

    /// The last cycle in which a word leaves the design.
    pub fn last(&self) -> u64 {
        self.moves(self.run.streams.len() - 1).last()
    }

    /// The last move of each stream.
    pub(crate) fn ends(&self) -> Vec<u64> {
        (0..self.run.streams.len()).map(|s| self.moves(s).last()).collect()
    }

    /// How each word of a stream was waited for, in a run that is [recording](Run::recording): valid is
    /// high from `stalled` cycles before its move on, ready from `starved` cycles before.
    pub fn waits(&self, stream: usize) -> Option<&'r [Handshake]> {
        self.run.streams[stream].recorded()
    }

    /// By how many cycles all words that an engine takes and makes come behind those of the frame
    /// before, if that is known of a [counting](Run::counting) run.
    pub fn repeats(&self, engine: usize) -> Option<u64> {
        self.run.repeats.growth(engine).filter(|_| self.run.counting)
    }
}

impl<'d> Run<'d> {
    /// A design out of reset, before its first word.
    pub fn new(dataflow: &'d Dataflow, stalls: &Stalls) -> Self {
        Self::of_periods(dataflow, stalls, 1)
    }

    /// The same with `period` frames as one frame.
    pub(crate) fn of_periods(dataflow: &'d Dataflow, stalls: &Stalls, period: usize) -> Self {
        let mut streams: Vec<Stream> =
            dataflow.streams.iter().map(|s| Stream::new(period * s.words_per_frame())).collect();
        let timings: Vec<_> =
            (0..dataflow.engines.len()).map(|e| engines::timing(dataflow, e)).collect();
        let mut units = Vec::new();
        for (engine, &timing) in dataflow.engines.iter().zip(&timings) {
            let unit = unit(engine, timing, &mut streams);
            engine.inputs.iter().for_each(|&s| streams[s].keep(unit.looks_back()));
            engine.outputs.iter().for_each(|&s| streams[s].keep(memory::credits(timing)));
            units.push(unit);
        }
        streams.iter_mut().for_each(Stream::reserve);
        let last = streams.len() - 1;
        streams[0].lead_outside(Side::Source, stalls.waits(0));
        streams[last].lead_outside(Side::Sink, stalls.waits(1));
        Self {
            dataflow,
            streams,
            period,
            frames: 0,
            simulated: 0,
            repeats: Repeats::new(dataflow, &timings, period),
            all_repeat: false,
            counting: false,
            waiting: Waiting::new(units.len()),
            lines: lines(dataflow, &timings),
            fresh: vec![true; 1 + units.len()],
            touched: units.iter().map(|_| None).collect(),
            units,
        }
    }

    /// Counts waits for [`handshake`](Self::handshake), which takes more engines to be simulated.
    pub fn counting(mut self) -> Self {
        self.counting = true;
        self
    }

    /// Records how each word is waited for, for [`Frame::waits`].
    pub fn recording(mut self) -> Self {
        self.streams.iter_mut().for_each(Stream::record);
        self.counting()
    }

    /// Frames in which an engine was simulated.
    pub(crate) fn simulated(&self) -> usize {
        self.simulated
    }

    /// How many frames to come are proven to follow the latest as it followed the one before:
    /// `usize::MAX` if all do.
    pub(crate) fn lead(&self) -> usize {
        let leads = self.streams.iter().map(Stream::lead);
        if self.all_repeat { leads.min().unwrap_or(0) } else { 0 }
    }

    /// Cycles from the frame before to the latest, if the output grew alike.
    pub(crate) fn interval(&self) -> Option<u64> {
        self.streams.last()?.moves().regular().over(1)
    }

    /// The next frame.
    ///
    /// # Errors
    /// `deadlock` when the design waits for itself, naming the ring of waiting engines.
    pub fn frame(&mut self) -> Result<Frame<'_>> {
        self.frames += 1;
        self.streams.iter_mut().for_each(Stream::forget);
        let mut tries = TRIES;
        loop {
            let marks: Vec<Mark> = self.streams.iter().map(Stream::mark).collect();
            let forecasts = self.begin_frame(tries > 0);
            if self.moves_all() && self.streams.iter().all(Stream::is_right) {
                self.end_frame();
                return Ok(Frame { run: self, number: self.frames - 1 });
            }
            if !forecasts {
                let (streams, units) = (&self.streams, &self.units);
                return Err(deadlock::report(self.dataflow, streams, units, self.frames));
            }
            self.take_back(marks);
            tries -= 1;
        }
    }

    /// Begins a frame, with forecasts of grants if they may be made; whether there are any.
    fn begin_frame(&mut self, may_forecast: bool) -> bool {
        self.repeats.begin();
        self.fresh.fill(true);
        self.streams.iter_mut().fold(false, |any, stream| any | stream.begin(may_forecast))
    }

    /// Takes back all of a frame but what it says of its forecasts.
    fn take_back(&mut self, marks: Vec<Mark>) {
        for (unit, before) in self.units.iter_mut().zip(&mut self.touched) {
            if let Some(before) = before.take() {
                *unit = before;
            }
        }
        for (stream, mark) in self.streams.iter_mut().zip(marks) {
            if !stream.is_right() {
                stream.doubt();
            }
            stream.reset(mark);
        }
    }

    fn end_frame(&mut self) {
        self.touched.iter_mut().for_each(|unit| *unit = None);
        let (repeats, dataflow) = (&mut self.repeats, self.dataflow);
        for (index, stream) in self.streams.iter_mut().enumerate() {
            let of = &dataflow.streams[index];
            if repeats.growth(of.from).is_none() {
                stream.end_moves(self.frames);
            }
            if of.to != OUTSIDE && repeats.growth(of.to).is_none() {
                stream.end_grants();
            }
        }
        self.all_repeat = repeats.growth(OUTSIDE).is_some();
        for (engine, unit) in self.units.iter_mut().enumerate() {
            match repeats.growth(engine) {
                None => repeats.end(engine, unit.as_ref()),
                Some(growth) => {
                    unit.skip(Skip { dataflow, frames: self.period, cycles: growth });
                    repeats.go_on(engine, 1, growth);
                }
            }
            self.all_repeat &= repeats.growth(engine).is_some();
        }
        self.simulated += usize::from(!self.all_repeat);
    }

    /// Goes on by so many frames, no more than [`lead`](Self::lead).
    pub(crate) fn pass(&mut self, frames: usize) {
        self.frames += frames;
        for stream in &mut self.streams {
            stream.pass(frames);
        }
        for (engine, unit) in self.units.iter_mut().enumerate() {
            let growth = self.repeats.growth(engine).unwrap_or(0);
            let cycles = frames as u64 * growth;
            unit.skip(Skip { dataflow: self.dataflow, frames: frames * self.period, cycles });
            self.repeats.go_on(engine, frames, growth);
        }
    }

    /// Moves what can move; whether all words of the frames so far have.
    fn moves_all(&mut self) -> bool {
        (0..=self.units.len()).for_each(|party| self.waiting.add(party));
        while let Some(party) = self.waiting.next() {
            let line = self.lines[party].clone();
            let any = self.visit_line(line.clone());
            // One alone has done all it can.
            while any && line.len() > 1 && self.visit_line(line.clone()) {}
            self.waiting.remove(line.clone());
            if any {
                self.wake_around(line);
            }
        }
        self.streams.iter().all(|stream| stream.moves().has_moved(self.frames))
    }

    /// Lets each party of a line do what it can, once; whether there was something.
    fn visit_line(&mut self, line: Range<usize>) -> bool {
        line.fold(false, |any, party| any | self.visit(party))
    }

    /// Lets a party do what it can; whether its neighbours may have something to do then.
    fn visit(&mut self, party: usize) -> bool {
        let Some(engine) = party.checked_sub(1) else {
            if std::mem::take(&mut self.fresh[0]) {
                self.repeat_source();
            }
            return self.bring_words();
        };
        self.is_simulated(engine) && self.units[engine].advance(&mut self.streams)
    }

    /// Notes that the neighbours of a line of parties may have something to do.
    fn wake_around(&mut self, line: Range<usize>) {
        if let Some(first) = line.start.checked_sub(1) {
            let inputs = &self.dataflow.engines[first].inputs;
            // A forecast has told the writer all that the grants of this frame say.
            for &s in inputs.iter().filter(|&&s| !self.streams[s].grants().is_forecast()) {
                self.waiting.add(party(self.dataflow.streams[s].from));
            }
        }
        let outputs = match line.end.checked_sub(2) {
            None => &[0][..],
            Some(last) => &self.dataflow.engines[last].outputs,
        };
        let readers = outputs.iter().map(|&s| self.dataflow.streams[s].to);
        readers.filter(|&e| e != OUTSIDE).for_each(|e| self.waiting.add(party(e)));
    }

    /// Moves and grants the words of an engine that does what it did in the frame before; of another, it
    /// keeps what it was.
    fn repeat(&mut self, engine: usize) {
        let growth = self.repeats.of_engine(engine, &mut self.streams, self.frames, self.counting);
        let Some(growth) = growth else {
            self.touched[engine] = Some(self.units[engine].boxed());
            return;
        };
        let of = &self.dataflow.engines[engine];
        of.outputs.iter().for_each(|&s| self.streams[s].move_frames(1, growth));
        of.inputs.iter().for_each(|&s| self.streams[s].grant_frames(1, growth));
    }

    /// Moves the words of the input if it does what it did in the frame before.
    fn repeat_source(&mut self) {
        if let Some(growth) = self.repeats.of_source(&self.streams, self.counting) {
            self.streams[0].move_frames(1, growth);
        }
    }

    /// Moves what the input takes of the frames so far, down the line behind it where that can be;
    /// whether that was something.
    fn bring_words(&mut self) -> bool {
        let words = self.frames * self.period * self.dataflow.streams[0].words_per_frame();
        let line = self.lines[0].len() - 1;
        let flowed = (0..line).all(|engine| self.is_simulated(engine))
            && flow(&mut self.units[..line], &mut self.streams, words);
        let stream = &mut self.streams[0];
        let count = stream.room().min(words - stream.len());
        for _ in 0..count {
            stream.push(0);
        }
        flowed || count > 0
    }

    /// Whether an engine is simulated in this frame, and does not repeat the one before.
    fn is_simulated(&mut self, engine: usize) -> bool {
        if std::mem::take(&mut self.fresh[party(engine)]) {
            self.repeat(engine);
        }
        self.repeats.growth(engine).is_none()
    }

    /// How the cycles of a stream were spent so far; of a run that is
    /// [`counting`](Self::counting).
    pub fn handshake(&self, stream: usize) -> Handshake {
        self.streams[stream].handshake()
    }
}
