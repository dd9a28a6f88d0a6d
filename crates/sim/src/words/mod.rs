//! The words of every stream, frame by frame, cut out of the golden model's maps.
//!
//! A stream carries a map of the golden model, pixel by pixel, or the windows of one. Words of a map
//! mostly are whole bytes of it, or a few bits of one (`maps`). Words that were on an earlier stream are
//! in memory once: a window unit only says in which order they come (`windows`). Everything else takes
//! the long way over the integers ([`frame_values`]).

mod maps;
mod windows;

use crate::values::{frame_values, layer_of, parallel_windows};
use dataflow::{Dataflow, EngineKind, ParallelWindow, Stream};
use golden::{Golden, Sample, Scratch};
use std::borrow::Cow;
use std::sync::Arc;
use streamline::Streamlined;
use windows::Windows;

/// Makes the words of one frame after another in memory that is used again.
pub struct Words<'d> {
    dataflow: &'d Dataflow,
    network: &'d Streamlined,
    golden: Golden<'d>,
    scratch: Scratch,
    /// How the words of each stream come about.
    recipes: Vec<Recipe>,
    /// Where they are.
    places: Vec<Place>,
    /// Those of the latest frame, of each stream that has memory of its own: little-endian bytes.
    memory: Vec<Vec<u8>>,
}

/// Where the words of a stream come from.
enum Recipe {
    /// The network's input, or what a layer puts out.
    Map(Option<usize>),
    /// They are in the memory of an earlier stream.
    There,
    /// The same bytes as those of an earlier stream, of which they cannot be pieces.
    Copy(usize),
    /// Whole windows of a map, as in [`Map`](Self::Map), that comes in words of so many lanes.
    ParallelWindows(Option<usize>, ParallelWindow, usize),
    /// The integers of another stream or layer, rearranged.
    Long,
}

/// Where the words of a stream are.
#[derive(Debug, Clone)]
struct Place {
    memory: usize,
    /// Bytes of a frame of whose memory it is. What is behind them is only for windows.
    bytes: usize,
    /// In which order they come, if not as they are.
    windows: Option<Arc<Windows>>,
    /// Bytes of a word.
    word: usize,
}

impl<'d> Words<'d> {
    /// For the dataflow of a network.
    ///
    /// # Panics
    /// If the dataflow was not made from the network: `emit` keeps them together.
    pub fn new(dataflow: &'d Dataflow, network: &'d Streamlined) -> Self {
        let golden = Golden::new(network);
        let scratch = golden.scratch();
        let (recipes, places) = plan(dataflow, network);
        let own = places.iter().enumerate().map(|(index, place)| place.memory == index);
        let bytes = own.zip(&places).map(|(own, place)| if own { place.bytes } else { 0 });
        let mut memory: Vec<Vec<u8>> = bytes.map(|bytes| vec![0; bytes]).collect();
        for place in &places {
            if let Some(windows) = &place.windows {
                memory[place.memory].truncate(place.bytes);
                memory[place.memory].extend(&windows.padding);
            }
        }
        Self { dataflow, network, golden, scratch, recipes, places, memory }
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
            let (earlier, later) = self.memory.split_at_mut(index);
            let out = &mut later[0];
            let view = |layer: &Option<usize>| {
                layer.map_or_else(|| self.scratch.input(), |layer| self.scratch.layer(layer))
            };
            match &self.recipes[index] {
                Recipe::Map(layer) => {
                    if !maps::cut(view(layer), stream, out) {
                        maps::pack(&view(layer).to_vec(), stream, out);
                    }
                }
                Recipe::There => {}
                Recipe::Copy(from) => {
                    let all = self.places[*from].all(earlier);
                    out[..all.len()].copy_from_slice(&all);
                }
                Recipe::ParallelWindows(layer, unit, lanes) => {
                    let values = parallel_windows(unit, *lanes, &view(layer).to_vec());
                    maps::pack(&values, stream, out);
                }
                Recipe::Long => {
                    let values = long.get_or_insert_with(|| {
                        let frame: Vec<i64> = frame.iter().map(|&x| x.into()).collect();
                        frame_values(self.dataflow, self.network, &self.golden, &frame)
                    });
                    maps::pack(&values[index], stream, out);
                }
            }
        }
    }

    /// A word of the latest frame on a stream: little-endian bytes.
    ///
    /// # Panics
    /// If a frame has no such word.
    pub fn word(&self, stream: usize, index: usize) -> &[u8] {
        let place = &self.places[stream];
        let at = index * place.word;
        match &place.windows {
            None => &self.memory[place.memory][..place.bytes][at..][..place.word],
            Some(windows) => &self.memory[place.memory][windows.place(at)..][..place.word],
        }
    }

    /// All words of the latest frame on a stream, one after another.
    pub fn stream(&self, index: usize) -> Cow<'_, [u8]> {
        self.places[index].all(&self.memory)
    }

    /// The golden model, and what it holds of the latest frame: nothing where streams part, for then
    /// it takes each layer by itself.
    pub fn golden(&self) -> (&Golden<'d>, &Scratch) {
        (&self.golden, &self.scratch)
    }
}

impl Place {
    /// A stream's own memory.
    fn own(index: usize, stream: &Stream) -> Self {
        let word = stream.bytes();
        Self { memory: index, bytes: stream.words_per_frame() * word, windows: None, word }
    }

    /// All words, one after another.
    fn all<'m>(&self, memory: &'m [Vec<u8>]) -> Cow<'m, [u8]> {
        let memory = &memory[self.memory];
        match &self.windows {
            None => Cow::Borrowed(&memory[..self.bytes]),
            Some(windows) => Cow::Owned(windows.all(memory)),
        }
    }

    /// Whether words of the bytes of another stream here are pieces of its memory.
    fn has(&self, word: usize) -> bool {
        self.windows.as_ref().is_none_or(|windows| windows.has(word))
    }
}

/// Where the words of each stream come from, and where they are.
fn plan(dataflow: &Dataflow, network: &Streamlined) -> (Vec<Recipe>, Vec<Place>) {
    let streams = dataflow.streams.iter().enumerate();
    let mut places: Vec<Place> = streams.map(|(index, stream)| Place::own(index, stream)).collect();
    if !dataflow.is_chain() {
        return (places.iter().map(|_| Recipe::Long).collect(), places);
    }
    let mut recipes = vec![Recipe::Map(None)];
    // The layer whose output the stream carries as a map.
    let mut map = Some(None);
    for engine in &dataflow.engines {
        let (from, to) = (engine.input(), engine.output());
        let (input, output) = (&dataflow.streams[from], &dataflow.streams[to]);
        let word = output.bytes();
        recipes.push(match &engine.kind {
            EngineKind::Input | EngineKind::Output | EngineKind::Fifo { .. } => {
                places[to] = places[from].clone();
                Recipe::There
            }
            EngineKind::Width if same_bytes(input, output) && places[from].has(word) => {
                places[to] = Place { word, ..places[from].clone() };
                Recipe::There
            }
            EngineKind::Width if same_bytes(input, output) => Recipe::Copy(from),
            EngineKind::Width => map.map_or(Recipe::Long, Recipe::Map),
            EngineKind::Window(unit) => {
                map = None;
                if places[from].windows.is_none() {
                    let windows = Windows::new(unit, input, places[from].bytes);
                    places[to] = Place { windows: Some(Arc::new(windows)), ..places[from].clone() };
                    Recipe::There
                } else {
                    Recipe::Long
                }
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
    (recipes, places)
}

/// Whether two streams of the same elements have the same bytes: all words full, and whole bytes.
fn same_bytes(a: &Stream, b: &Stream) -> bool {
    [a, b].iter().all(|s| s.bits().is_multiple_of(8) && s.pixel.is_multiple_of(s.lanes))
}
