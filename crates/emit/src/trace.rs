//! A run of the simulator as a waveform: what every stream shows in every cycle, as a VCD file (IEEE
//! 1364-2005, clause 18), for GTKWave or Surfer.
//!
//! Names are those of the emitted top module, in a scope of its name. A cycle is drawn from the rising
//! edge at which it begins to the one at which its word moves, if valid and ready are high. What the
//! simulator does not say is `x`: data without valid, and ready behind the last word of the run.

use crate::Design;
use crate::bench::signal;
use dataflow::Dataflow;
use sim::{Frame, Words};
use std::collections::VecDeque;
use std::io::{Result, Write};
use vcd::{IdCode, TimescaleUnit, Value, VarType};

/// Writes frame after frame. What it holds does not grow with the frames: words that are ahead of those
/// on other streams.
pub struct Trace<W: Write> {
    file: vcd::Writer<W>,
    half_cycle: u64,
    clock: IdCode,
    ports: Vec<Port>,
    /// The next to be drawn.
    cycle: u64,
}

/// A stream.
struct Port {
    valid: Signal,
    ready: Signal,
    data: Signal,
    /// The end of a frame, at the two ends of the design.
    last: Option<Signal>,
    /// The number of the frame, counted from 0.
    frame: Signal,
    /// Those that have not moved yet.
    words: VecDeque<Word>,
}

/// A word: the cycles from which on it is offered and could be taken, and the one in which it moves.
struct Word {
    bytes: Box<[u8]>,
    frame: u32,
    is_last: bool,
    valid: u64,
    ready: u64,
    moves: u64,
}

/// A variable of the file, and what it shows; none is `x`.
struct Signal {
    id: IdCode,
    bits: usize,
    shown: Option<Vec<u8>>,
}

/// The value of one bit.
fn flag(bit: bool) -> Option<&'static [u8]> {
    Some(if bit { &[1] } else { &[0] })
}

/// Picoseconds of half a cycle. The slowest clock that is drawn has 500 Hz.
pub(crate) fn half_cycle(clock_mhz: f64) -> u64 {
    (0.5e6 / clock_mhz).round().clamp(1.0, 1e9) as u64
}

impl<W: Write> Trace<W> {
    /// Begins the file of a run.
    ///
    /// # Errors
    /// What the writer says, here and below.
    pub fn new(design: &Design, writer: W) -> Result<Self> {
        let dataflow = &design.dataflow;
        let mut file = vcd::Writer::new(writer);
        file.version(concat!("xnorflow ", env!("CARGO_PKG_VERSION")))?;
        file.timescale(1, TimescaleUnit::PS)?;
        file.add_module(&dataflow.name)?;
        let clock = file.add_wire(1, "aclk")?;
        let streams = 0..dataflow.streams.len();
        let ports = streams.map(|stream| Port::new(&mut file, dataflow, stream));
        let ports = ports.collect::<Result<Vec<Port>>>()?;
        file.upscope()?;
        file.enddefinitions()?;
        let half_cycle = half_cycle(design.facts.clock_mhz);
        Ok(Self { file, half_cycle, clock, ports, cycle: 0 })
    }

    /// Adds the next frame of a run, and its words.
    ///
    /// # Errors
    /// What the writer says.
    ///
    /// # Panics
    /// If the run is not [recording](sim::Run::recording).
    pub fn frame(&mut self, frame: &Frame<'_>, words: &Words<'_>) -> Result<()> {
        for (stream, port) in self.ports.iter_mut().enumerate() {
            let waits = frame.waits(stream).expect("the run is recording");
            let moves = frame.moves(stream).iter();
            let handshakes = moves.zip(waits).enumerate();
            port.words.extend(handshakes.map(|(index, (moves, word))| Word {
                bytes: words.word(stream, index).into(),
                frame: frame.number as u32,
                is_last: index + 1 == waits.len(),
                valid: moves - word.stalled,
                ready: moves - word.starved,
                moves,
            }));
        }
        // What is to come on a stream comes behind its last word.
        match self.ends().min() {
            Some(known) => self.draw(known),
            None => Ok(()),
        }
    }

    /// Ends the file, a cycle behind the last move.
    ///
    /// # Errors
    /// What the writer says.
    pub fn finish(mut self) -> Result<()> {
        if let Some(end) = self.ends().max() {
            self.draw(end + 1)?;
        }
        self.file.timestamp(2 * self.cycle * self.half_cycle)?;
        self.file.change_scalar(self.clock, Value::V1)?;
        self.file.flush()
    }

    /// The last move that is known of each stream.
    fn ends(&self) -> impl Iterator<Item = u64> {
        self.ports.iter().filter_map(|port| port.words.back()).map(|word| word.moves)
    }

    /// Draws all cycles up to this one.
    fn draw(&mut self, until: u64) -> Result<()> {
        for cycle in self.cycle..=until {
            let time = 2 * cycle * self.half_cycle;
            self.file.timestamp(time)?;
            self.file.change_scalar(self.clock, Value::V1)?;
            for port in &mut self.ports {
                port.draw(&mut self.file, cycle)?;
            }
            self.file.timestamp(time + self.half_cycle)?;
            self.file.change_scalar(self.clock, Value::V0)?;
        }
        self.cycle = self.cycle.max(until + 1);
        Ok(())
    }
}

impl Port {
    fn new<W: Write>(file: &mut vcd::Writer<W>, dataflow: &Dataflow, index: usize) -> Result<Self> {
        let stream = &dataflow.streams[index];
        let is_end = index == 0 || index + 1 == dataflow.streams.len();
        let bits = if is_end { 8 * stream.bytes() } else { stream.bits() };
        let mut wire =
            |part, bits| Signal::new(file, VarType::Wire, bits, &signal(dataflow, index, part));
        let (valid, ready, data) = (wire("valid", 1)?, wire("ready", 1)?, wire("data", bits)?);
        let last = if is_end { Some(wire("last", 1)?) } else { None };
        let frame = format!("{}_frame", stream.name);
        let frame = Signal::new(file, VarType::Integer, 32, &frame)?;
        Ok(Self { valid, ready, data, last, frame, words: VecDeque::new() })
    }

    /// Draws a cycle; all before it are drawn.
    fn draw<W: Write>(&mut self, file: &mut vcd::Writer<W>, cycle: u64) -> Result<()> {
        if self.words.front().is_some_and(|word| word.moves < cycle) {
            self.words.pop_front();
        }
        let next = self.words.front();
        let offered = next.filter(|word| word.valid <= cycle);
        self.valid.show(file, flag(offered.is_some()))?;
        self.ready.show(file, next.and_then(|word| flag(word.ready <= cycle)))?;
        self.data.show(file, offered.map(|word| &*word.bytes))?;
        if let Some(last) = &mut self.last {
            last.show(file, offered.and_then(|word| flag(word.is_last)))?;
        }
        match offered {
            Some(word) => self.frame.show(file, Some(&word.frame.to_le_bytes())),
            None => Ok(()),
        }
    }
}

impl Signal {
    fn new<W: Write>(
        file: &mut vcd::Writer<W>,
        kind: VarType,
        bits: usize,
        name: &str,
    ) -> Result<Self> {
        let id = file.add_var(kind, bits as u32, name, None)?;
        Ok(Self { id, bits, shown: None })
    }

    /// Shows a value, if it shows another: little-endian bytes.
    fn show<W: Write>(&mut self, file: &mut vcd::Writer<W>, value: Option<&[u8]>) -> Result<()> {
        if self.shown.as_deref() == value {
            return Ok(());
        }
        self.shown = value.map(<[u8]>::to_vec);
        let bit = |at: usize| value.map_or(Value::X, |v| (v[at / 8] >> (at % 8) & 1 == 1).into());
        if self.bits == 1 {
            file.change_scalar(self.id, bit(0))
        } else {
            file.change_vector(self.id, (0..self.bits).rev().map(bit))
        }
    }
}
