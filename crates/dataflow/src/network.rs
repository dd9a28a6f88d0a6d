//! Streams, and the network that they make of engines.

use crate::{
    Add, Depthwise, Dot, Engine, EngineKind, LabelSelect, Mvu, ParallelWindow, Pool, SlidingWindow,
};
use diagnostic::{Code, Diagnostic, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tensor::ElementType;

/// In place of an engine's index: the outside of the design.
pub const OUTSIDE: usize = usize::MAX >> 1;

/// A stream of words between two engines: ready/valid handshake, frames back to back.
///
/// A frame is `elements` elements, `lanes` in each word, element 0 in the low bits of word 0. Words do
/// not straddle pixels; the last word of a pixel may be partly filled, its other lanes zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Unique legal identifier.
    pub name: String,
    /// Type of an element.
    pub element: ElementType,
    /// Elements in a word.
    pub lanes: usize,
    /// Elements in a frame.
    pub elements: usize,
    /// Elements in a pixel: a frame is a whole number of them.
    pub pixel: usize,
    /// The engine that writes it, or [`OUTSIDE`].
    pub from: usize,
    /// The engine that reads it, or [`OUTSIDE`].
    pub to: usize,
}

impl Stream {
    /// Words in a pixel.
    pub fn words_per_pixel(&self) -> usize {
        self.pixel.div_ceil(self.lanes)
    }

    /// Pixels in a frame.
    pub fn pixels(&self) -> usize {
        self.elements / self.pixel
    }

    /// Words in a frame.
    pub fn words_per_frame(&self) -> usize {
        self.pixels() * self.words_per_pixel()
    }

    /// Width of a word in bits, without padding to bytes.
    pub fn bits(&self) -> usize {
        self.lanes * self.element.bits() as usize
    }

    /// Bytes that a word takes at the top of the design and in files.
    pub fn bytes(&self) -> usize {
        self.bits().div_ceil(8)
    }
}

/// An accelerator as engines joined by streams, in order from input to output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataflow {
    /// Legal identifier: the name of the top module and the prefix of all others.
    pub name: String,
    /// The streams; the first comes from outside, the last goes outside.
    #[serde(rename = "stream")]
    pub streams: Vec<Stream>,
    /// The engines, each after those that it reads from.
    #[serde(rename = "engine")]
    pub engines: Vec<Engine>,
}

impl Dataflow {
    /// The text form. `parse(&d.to_text()) == d`.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("plain data has a text form")
    }

    /// Reads the text form and checks it.
    ///
    /// # Errors
    /// `design-folder` when it is not the text of a well-formed dataflow.
    pub fn parse(text: &str) -> Result<Self> {
        let dataflow: Self = toml::from_str(text)
            .map_err(|e| Diagnostic::new(Code::DesignFolder, format!("not a dataflow: {e}")))?;
        dataflow.check()?;
        Ok(dataflow)
    }

    /// The stream that comes from outside.
    pub fn input(&self) -> &Stream {
        self.streams.first().expect("checked: there are streams")
    }

    /// The stream that goes outside.
    pub fn output(&self) -> &Stream {
        self.streams.last().expect("checked: there are streams")
    }

    /// Whether every engine but the first reads what the one before it writes, and nothing parts.
    pub fn is_chain(&self) -> bool {
        let single = |e: &Engine| e.inputs.len() == 1 && e.outputs.len() == 1;
        self.engines.iter().all(single)
    }

    /// Checks names, ends of streams and the parameters of every engine against its streams.
    ///
    /// # Errors
    /// `design-folder` naming the engine or stream.
    pub fn check(&self) -> Result<()> {
        let bad = |name: &str, text: &str| {
            Err(Diagnostic::new(Code::DesignFolder, text.to_string()).node(name))
        };
        let mut names = BTreeSet::new();
        let all = self.streams.iter().map(|s| &s.name).chain(self.engines.iter().map(|e| &e.name));
        for name in all.chain([&self.name]) {
            let legal = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && name.starts_with(|c: char| c.is_ascii_alphabetic());
            if !legal || !names.insert(name.to_ascii_lowercase()) {
                return bad(name, "the name is not a unique identifier");
            }
        }
        if self.streams.len() < 2 || self.engines.is_empty() {
            return bad(&self.name, "there are no engines between two streams");
        }
        let last = self.streams.len() - 1;
        for (i, stream) in self.streams.iter().enumerate() {
            let (from, to) = (self.engines.get(stream.from), self.engines.get(stream.to));
            let outside = (stream.from == OUTSIDE, stream.to == OUTSIDE);
            let joined = outside == (i == 0, i == last)
                && from.map_or(outside.0, |e| e.outputs.contains(&i))
                && to.map_or(outside.1, |e| e.inputs.contains(&i))
                && (outside.0 || outside.1 || stream.from < stream.to);
            if !joined {
                return bad(&stream.name, "the stream does not lead on from engine to engine");
            }
            let sane = (1..=1 << 20).contains(&stream.lanes)
                && (1..=1 << 30).contains(&stream.elements)
                && (stream.lanes..=stream.elements).contains(&stream.pixel)
                && stream.elements.is_multiple_of(stream.pixel);
            if !sane {
                return bad(&stream.name, "the lanes or elements of the stream are impossible");
            }
        }
        for (i, engine) in self.engines.iter().enumerate() {
            let stream = |&s: &usize| self.streams.get(s);
            let ends: Option<Vec<&Stream>> =
                engine.inputs.iter().chain(&engine.outputs).map(stream).collect();
            let distinct: BTreeSet<_> = engine.inputs.iter().chain(&engine.outputs).collect();
            let Some(ends) = ends.filter(|ends| ends.len() == distinct.len()) else {
                return bad(&engine.name, "the engine has no streams of its own");
            };
            let (inputs, outputs) = ends.split_at(engine.inputs.len());
            let own = inputs.iter().all(|s| s.to == i) && outputs.iter().all(|s| s.from == i);
            if !own {
                return bad(&engine.name, "the engine has no streams of its own");
            }
            if !fits(&engine.kind, inputs, outputs) {
                return bad(&engine.name, "the parameters of the engine do not fit its streams");
            }
        }
        Ok(())
    }
}

/// Whether the parameters of an engine fit its streams.
fn fits(kind: &EngineKind, inputs: &[&Stream], outputs: &[&Stream]) -> bool {
    match (kind, inputs, outputs) {
        (EngineKind::Fork { depth }, [i], [_, _, ..]) => {
            *depth >= 1 && outputs.iter().all(|o| same_words(i, o))
        }
        (EngineKind::Add(a), [x, y], [o]) => check_add(a, x, y, o),
        (EngineKind::Fork { .. } | EngineKind::Add(_), _, _) => false,
        (kind, [i], [o]) => fits_one(kind, i, o),
        _ => false,
    }
}

/// [`fits`] of an engine between two streams.
fn fits_one(kind: &EngineKind, i: &Stream, o: &Stream) -> bool {
    match kind {
        EngineKind::Fork { .. } | EngineKind::Add(_) => false,
        EngineKind::Input | EngineKind::Output => same_words(i, o),
        EngineKind::Fifo { depth } => same_words(i, o) && *depth >= 1,
        EngineKind::Width => {
            let divides = i.lanes.is_multiple_of(o.lanes) || o.lanes.is_multiple_of(i.lanes);
            let same = i.element == o.element && i.elements == o.elements;
            same && i.lanes != o.lanes && divides && has_words_of(o, i.pixel)
        }
        EngineKind::Threshold(t) => {
            let same = (i.lanes, i.elements) == (o.lanes, o.elements) && relabelled(i, o);
            same && t.thresholds >= 1 && t.credits >= 1
        }
        EngineKind::ChannelAffine(a) => {
            (i.lanes, i.elements, i.pixel) == (o.lanes, o.elements, o.pixel) && a.credits >= 1
        }
        EngineKind::Window(w) => check_window(w, i, o),
        EngineKind::Mvu(m) => check_mvu(m, i, o),
        EngineKind::ParallelWindow(w) => check_parallel_window(w, i, o),
        EngineKind::Depthwise(d) => check_depthwise(d, i, o),
        EngineKind::Pool(p) => check_pool(p, i, o),
        EngineKind::LabelSelect(l) => check_label_select(l, i, o),
    }
}

/// Every sum of two elements has to fit.
fn check_add(a: &Add, x: &Stream, y: &Stream, o: &Stream) -> bool {
    let least = x.element.min() + y.element.min();
    let most = x.element.max() + y.element.max();
    let shape = |s: &Stream| (s.lanes, s.elements, s.pixel);
    let holds = o.element.min() <= least && most <= o.element.max();
    shape(x) == shape(o)
        && shape(y) == shape(o)
        && (o.element != ElementType::Bipolar && holds)
        && a.depth >= 1
        && a.credits >= 1
}

fn same_words(i: &Stream, o: &Stream) -> bool {
    (i.element, i.lanes, i.elements) == (o.element, o.lanes, o.elements) && relabelled(i, o)
}

/// Whether the pixels are the same, or only stand together where all words are full.
fn relabelled(i: &Stream, o: &Stream) -> bool {
    let full = |s: &Stream| s.pixel.is_multiple_of(s.lanes);
    i.pixel == o.pixel || full(i) && full(o)
}

/// Whether the words of a stream are those of pixels of `pixel` elements.
fn has_words_of(s: &Stream, pixel: usize) -> bool {
    s.elements.is_multiple_of(pixel)
        && relabelled(s, &Stream { pixel, ..s.clone() })
        && s.lanes <= pixel
}

fn check_window(w: &SlidingWindow, i: &Stream, o: &Stream) -> bool {
    let counts = [w.window.kernel, w.window.stride, w.window.dilation];
    let positive = counts.iter().flatten().all(|&n| n > 0) && w.groups > 0 && w.repeats > 0;
    let channels = w.map.channels;
    let in_groups = positive
        && channels.is_multiple_of(w.groups)
        && (channels / w.groups).is_multiple_of(i.lanes)
        && i.elements == w.map.elements()
        && has_words_of(i, channels);
    let Some(windows) = w.window.over(w.map, 1).filter(|_| in_groups) else { return false };
    let pixel = w.columns() * w.groups * w.repeats;
    (i.element, i.lanes) == (o.element, o.lanes)
        && o.elements == windows.pixels() * pixel
        && o.pixel == pixel
        && w.padding.fits(channels)
        && w.padding.values().all(|v| i.element.holds(v))
        && w.depth >= w.shortest_ring(i.lanes)
        && w.credits >= 1
}

fn check_parallel_window(w: &ParallelWindow, i: &Stream, o: &Stream) -> bool {
    let counts = [w.window.kernel, w.window.stride, w.window.dilation];
    if counts.iter().flatten().any(|&n| n == 0) || !w.is_possible() {
        return false;
    }
    let channels = w.map.channels;
    let lanes = if w.pixels == 1 {
        channels.is_multiple_of(i.lanes)
    } else {
        i.lanes == channels * w.pixels
    };
    let Some(windows) = w.window.over(w.map, 1).filter(|_| lanes) else { return false };
    let taps = w.window.taps();
    let pixel = channels * taps * w.windows();
    i.elements == w.map.elements()
        && has_words_of(i, channels * w.pixels)
        && i.element == o.element
        && o.lanes == i.lanes / w.pixels * taps * w.windows()
        && (o.elements, o.pixel) == (windows.pixels() * channels * taps, pixel)
        && w.padding.fits(channels)
        && w.padding.values().all(|v| i.element.holds(v))
        && w.credits >= 1
}

fn check_pool(p: &Pool, i: &Stream, o: &Stream) -> bool {
    let words = (i.words_per_frame(), i.element) == (o.words_per_frame() * p.words, o.element);
    words
        && [p.words, p.taps, p.windows, p.credits].iter().all(|&n| n >= 1)
        && i.lanes == o.lanes * p.taps
        && o.lanes.is_multiple_of(p.windows)
}

fn check_mvu(m: &Mvu, i: &Stream, o: &Stream) -> bool {
    let vectors = o.elements / m.rows.max(1);
    let parallel = [m.simd, m.pe].map(|n| n * m.vectors);
    let shapes = m.rows > 0
        && m.columns > 0
        && parallel == [i.lanes, o.lanes]
        && m.taps > 0
        && [m.simd, m.columns].iter().all(|n| n.is_multiple_of(m.taps))
        && (m.vectors == 1 || m.vectors > 1 && (m.simd, m.pe) == (m.columns, m.rows));
    let output = shapes && vectors.is_multiple_of(m.vectors) && has_words_of(o, m.rows * m.vectors);
    let buffer = match (m.buffer_words, m.replayed) {
        (0, replayed) => m.neuron_fold() == 1 || replayed,
        (words, false) => m.neuron_fold() > 1 && words >= m.synapse_fold(),
        (_, true) => false,
    };
    let pixel = if m.replayed { m.columns * m.neuron_fold() } else { m.columns };
    let full = !m.replayed && m.taps == 1 || m.columns.is_multiple_of(m.simd);
    output
        && full
        && i.elements == vectors * pixel
        && has_words_of(i, pixel * m.vectors)
        && buffer
        && m.credits >= 1
        && m.dot.takes(m.weight, i.element)
        && (!m.from_threshold || m.can_start_from_threshold())
        && m.trees.is_some() == (m.dot == Dot::Wired)
        && (m.dot != Dot::Wired || m.can_be_wired())
        && (i.element.min().min(0)..=0).contains(&m.levels.0)
        && (0..=i.element.max().max(0)).contains(&m.levels.1)
        && m.levels.0 < m.levels.1
        && (1..=62).contains(&m.accumulator_bits)
}

fn check_depthwise(d: &Depthwise, i: &Stream, o: &Stream) -> bool {
    let words = i.words_per_frame() == o.words_per_frame() * d.taps && i.lanes == o.lanes;
    words
        && d.taps >= 1
        && has_words_of(o, d.channels)
        && d.channels.is_multiple_of(o.lanes)
        && d.credits >= 1
        && (1..=62).contains(&d.accumulator_bits)
}

fn check_label_select(l: &LabelSelect, i: &Stream, o: &Stream) -> bool {
    let one_word = o.lanes == l.k && o.elements == l.k && i.pixels() == 1;
    let index = o.element == ElementType::smallest(0, i.elements as i64 - 1);
    one_word
        && index
        && (1..=i.elements).contains(&l.k)
        && (l.k == 1 || i.lanes == 1)
        && l.credits >= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Dataflow {
        let stream = |name: &str, element, lanes, elements, from, to| Stream {
            name: name.into(),
            element,
            lanes,
            elements,
            pixel: elements,
            from,
            to,
        };
        let mvu = Mvu {
            rows: 4,
            columns: 6,
            pe: 2,
            simd: 3,
            taps: 1,
            vectors: 1,
            weight: ElementType::Bipolar,
            dot: Dot::Planes,
            levels: (-1, 1),
            accumulator_bits: 4,
            thresholds: 1,
            from_threshold: false,
            trees: None,
            weight_memory: MemoryStyle::Lut,
            threshold_memory: MemoryStyle::Lut,
            replayed: false,
            buffer_words: 4,
            credits: 2,
        };
        Dataflow {
            name: "tiny".into(),
            streams: vec![
                stream("s_axis", ElementType::Bipolar, 3, 6, OUTSIDE, 0),
                stream("x", ElementType::Bipolar, 3, 6, 0, 1),
                stream("y", ElementType::Bipolar, 2, 4, 1, OUTSIDE),
            ],
            engines: vec![
                Engine {
                    name: "input".into(),
                    layer: String::new(),
                    inputs: vec![0],
                    outputs: vec![1],
                    kind: EngineKind::Input,
                },
                Engine {
                    name: "fc0".into(),
                    layer: "fc0".into(),
                    inputs: vec![1],
                    outputs: vec![2],
                    kind: EngineKind::Mvu(mvu),
                },
            ],
        }
    }

    use crate::{Dot, MemoryStyle};

    #[test]
    fn text_form_round_trips() {
        let dataflow = tiny();
        assert_eq!(Dataflow::parse(&dataflow.to_text()).unwrap(), dataflow);
    }

    #[test]
    fn broken_dataflows_are_refused() {
        let mut dataflow = tiny();
        dataflow.streams[1].lanes = 2;
        assert_eq!(dataflow.check().unwrap_err().node.as_deref(), Some("input"));
        let mut dataflow = tiny();
        dataflow.engines[1].name = "a;b".into();
        assert!(dataflow.check().is_err());
        assert!(Dataflow::parse("name = 3").is_err());
    }
}
