//! The words of every stream, frame by frame, cut out of the golden model's maps.
//!
//! A stream carries a map of the golden model, pixel by pixel, or the windows of one. Where words are
//! whole bytes of it, as they mostly are, they are copied; a window unit's words are copied from those
//! of its input. Everything else takes the long way over the integers ([`frame_values`]).

use crate::values::{frame_values, layer_of, parallel_windows};
use dataflow::{Dataflow, EngineKind, ParallelWindow, Stream};
use engines::window::Walk;
use golden::{Golden, Sample, Scratch, View};
use streamline::Streamlined;
use tensor::words;

/// Makes the words of one frame after another in memory that is used again.
pub struct Words<'d> {
    dataflow: &'d Dataflow,
    network: &'d Streamlined,
    golden: Golden<'d>,
    scratch: Scratch,
    /// How the words of each stream come about.
    recipes: Vec<Recipe>,
    /// Those of the latest frame: little-endian bytes, word after word.
    words: Vec<Vec<u8>>,
}

/// Where the words of a stream come from.
enum Recipe {
    /// The network's input, or what a layer puts out.
    Map(Option<usize>),
    /// The same words as another stream's, or at least the same bytes.
    Copy(usize),
    /// Windows over another stream's words.
    Windows(usize, Windows),
    /// Whole windows of a map, as in [`Map`](Self::Map), that comes in words of so many lanes.
    ParallelWindows(Option<usize>, ParallelWindow, usize),
    /// The integers of another stream or layer, rearranged.
    Long,
}

/// The words of a sliding window unit as ranges of bytes of its input, and of the padding behind it.
struct Windows {
    /// From and length, all windows after each other; a frame's words are followed by `padding`.
    pieces: Vec<(u32, u32)>,
    /// Pieces of a group of channels of a window, and how often it is put out.
    pieces_of_group: Vec<u32>,
    repeats: usize,
    padding: Vec<u8>,
}

impl<'d> Words<'d> {
    /// For the dataflow of a network.
    ///
    /// # Panics
    /// If the dataflow was not made from the network: `emit` keeps them together.
    pub fn new(dataflow: &'d Dataflow, network: &'d Streamlined) -> Self {
        let golden = Golden::new(network);
        let scratch = golden.scratch();
        let recipes = if dataflow.is_chain() {
            recipes(dataflow, network)
        } else {
            dataflow.streams.iter().map(|_| Recipe::Long).collect()
        };
        let words = dataflow.streams.iter().map(|_| Vec::new()).collect();
        Self { dataflow, network, golden, scratch, recipes, words }
    }

    /// Makes the words of a frame of integers in stream order.
    ///
    /// # Panics
    /// If the frame is none of the network's: its length or one of its integers.
    pub fn run<T: Sample>(&mut self, frame: &[T]) {
        if self.dataflow.is_chain() {
            self.golden.run_into(frame, &mut self.scratch);
        }
        let mut long = None;
        for (index, stream) in self.dataflow.streams.iter().enumerate() {
            let (earlier, later) = self.words.split_at_mut(index);
            let out = &mut later[0];
            out.clear();
            let view = |layer: &Option<usize>| {
                layer.map_or_else(|| self.scratch.input(), |layer| self.scratch.layer(layer))
            };
            match &self.recipes[index] {
                Recipe::Map(layer) => {
                    if !cut(view(layer), stream, out) {
                        pack(&view(layer).to_vec(), stream, out);
                    }
                }
                Recipe::Copy(from) => out.extend_from_slice(&earlier[*from]),
                Recipe::Windows(from, windows) => windows.gather(&earlier[*from], out),
                Recipe::ParallelWindows(layer, unit, lanes) => {
                    pack(&parallel_windows(unit, *lanes, &view(layer).to_vec()), stream, out);
                }
                Recipe::Long => {
                    let values = long.get_or_insert_with(|| {
                        let frame: Vec<i64> = frame.iter().map(|&x| x.into()).collect();
                        frame_values(self.dataflow, self.network, &self.golden, &frame)
                    });
                    pack(&values[index], stream, out);
                }
            }
        }
    }

    /// The words of the latest frame on a stream: little-endian bytes, word after word.
    pub fn stream(&self, index: usize) -> &[u8] {
        &self.words[index]
    }

    /// The golden model, and what it holds of the latest frame: nothing where streams part, for then
    /// it takes each layer by itself.
    pub fn golden(&self) -> (&Golden<'d>, &Scratch) {
        (&self.golden, &self.scratch)
    }
}

fn recipes(dataflow: &Dataflow, network: &Streamlined) -> Vec<Recipe> {
    let mut recipes = vec![Recipe::Map(None)];
    // The layer whose output the stream carries as a map.
    let mut map = Some(None);
    for engine in &dataflow.engines {
        let (input, output) =
            (&dataflow.streams[engine.input()], &dataflow.streams[engine.output()]);
        recipes.push(match &engine.kind {
            EngineKind::Input | EngineKind::Output | EngineKind::Fifo { .. } => {
                Recipe::Copy(engine.input())
            }
            EngineKind::Width if same_bytes(input, output) => Recipe::Copy(engine.input()),
            EngineKind::Width => map.map_or(Recipe::Long, Recipe::Map),
            EngineKind::Window(unit) => {
                map = None;
                let walk = Walk::of(unit, input.lanes);
                Recipe::Windows(engine.input(), Windows::new(unit, walk, input))
            }
            EngineKind::ParallelWindow(unit) => match map.take() {
                Some(of) => {
                    let lanes = input.lanes / unit.pixels;
                    Recipe::ParallelWindows(of, unit.clone(), lanes)
                }
                None => Recipe::Long,
            },
            EngineKind::Fork { .. } | EngineKind::Add(_) => {
                unreachable!("not in a chain")
            }
            EngineKind::Threshold(_)
            | EngineKind::Depthwise(_)
            | EngineKind::Pool(_)
            | EngineKind::Mvu(_)
            | EngineKind::ChannelAffine(_)
            | EngineKind::LabelSelect(_) => {
                let layer = Some(layer_of(network, engine));
                map = Some(layer);
                Recipe::Map(layer)
            }
        });
    }
    recipes
}

/// Whether two streams of the same elements have the same bytes: all words full, and whole bytes.
fn same_bytes(a: &Stream, b: &Stream) -> bool {
    [a, b].iter().all(|s| s.bits().is_multiple_of(8) && s.pixel.is_multiple_of(s.lanes))
}

impl Windows {
    fn new(unit: &dataflow::SlidingWindow, walk: Walk, input: &Stream) -> Self {
        let bytes = input.bytes();
        let frame = walk.words_per_frame() * bytes;
        let steps_of_group = walk.steps() / unit.groups / unit.repeats;
        let (mut pieces, mut pieces_of_group) = (Vec::<(u32, u32)>::new(), Vec::new());
        let mut padding: Vec<u8> = Vec::new();
        for window in 0..walk.windows() {
            for group in 0..unit.groups {
                let first = pieces.len();
                for step in 0..steps_of_group {
                    let step = walk.step(window, group * unit.repeats * steps_of_group + step);
                    let from = step.word.map_or_else(
                        || {
                            let channel = |lane| step.part * input.lanes + lane;
                            let around = |lane| unit.padding.at(step.place, channel(lane));
                            let values: Vec<i64> = (0..input.lanes).map(around).collect();
                            let word = words::pack(input.element, input.lanes, &values);
                            let known = padding.chunks(bytes).position(|known| known == word);
                            frame
                                + known.map_or_else(
                                    || {
                                        padding.extend(&word);
                                        padding.len() - bytes
                                    },
                                    |place| place * bytes,
                                )
                        },
                        |word| word * bytes,
                    );
                    match pieces[first..].last_mut() {
                        Some((start, length)) if *start + *length == from as u32 => {
                            *length += bytes as u32;
                        }
                        _ => pieces.push((from as u32, bytes as u32)),
                    }
                }
                pieces_of_group.push((pieces.len() - first) as u32);
            }
        }
        Self { pieces, pieces_of_group, repeats: unit.repeats, padding }
    }

    fn gather(&self, words: &[u8], out: &mut Vec<u8>) {
        let mut pieces = self.pieces.iter();
        for &count in &self.pieces_of_group {
            let start = out.len();
            for &(from, length) in pieces.by_ref().take(count as usize) {
                let (from, length) = (from as usize, length as usize);
                match words.get(from..from + length) {
                    Some(piece) => out.extend_from_slice(piece),
                    None => self.across_the_end(words, from, length, out),
                }
            }
            let end = out.len();
            for _ in 1..self.repeats {
                out.extend_from_within(start..end);
            }
        }
    }

    /// A piece that lies in the padding, or begins with the last words of the frame.
    #[cold]
    fn across_the_end(&self, words: &[u8], from: usize, length: usize, out: &mut Vec<u8>) {
        let inside = words.len().saturating_sub(from);
        out.extend_from_slice(&words[words.len() - inside..]);
        let behind = from + inside - words.len();
        out.extend_from_slice(&self.padding[behind..behind + length - inside]);
    }
}

/// Packs integers into words.
fn pack(values: &[i64], stream: &Stream, out: &mut Vec<u8>) {
    for pixel in values.chunks(stream.pixel) {
        out.extend(words::pack(stream.element, stream.lanes, pixel));
    }
}

/// Cuts a map into words, if that is a matter of whole bits or bytes.
fn cut(view: View<'_>, stream: &Stream, out: &mut Vec<u8>) -> bool {
    let lanes = stream.lanes;
    if !stream.pixel.is_multiple_of(lanes) {
        return false;
    }
    match view {
        View::Bits { element, words, words_per_pixel, channels } => {
            if element.bits() != 1 || !channels.is_multiple_of(lanes) {
                return false;
            }
            if lanes.is_multiple_of(8) {
                for pixel in words.chunks(words_per_pixel) {
                    let mut left = channels / 8;
                    for word in pixel {
                        out.extend_from_slice(&word.to_le_bytes()[..left.min(8)]);
                        left = left.saturating_sub(8);
                    }
                }
                return true;
            }
            if lanes > 8 || !64usize.is_multiple_of(lanes) {
                return false;
            }
            let mask = (1u64 << lanes) - 1;
            for pixel in words.chunks(words_per_pixel) {
                let word = |at: usize| (pixel[at / 64] >> (at % 64) & mask) as u8;
                out.extend((0..channels).step_by(lanes).map(word));
            }
            true
        }
        View::Bytes { lowest, bytes } if stream.element.bits() == 8 => {
            out.extend(bytes.iter().map(|byte| byte.wrapping_add(lowest as u8)));
            true
        }
        View::Bytes { .. } | View::Ints(_) | View::Wide(_) => false,
    }
}
