//! The search for foldings: exact over all choices of all layers at once.
//!
//! Dynamic programming along the chain. The state is how the words of a layer's output lie, so that
//! width converters are paid for. A state holds a front: for each number of block RAMs the fewest
//! LUTs, each flip-flop counted as some share of a LUT. With that share at 0, nothing cheaper exists;
//! with any share, what the front says is a bound for designs that keep to both limits.

use crate::build::{Chain, is_pixelwise};
use crate::choices::{Candidate, Choice, Elements, Words, candidates};
use crate::file::{Fold, divisors};
use crate::front::{Front, Point, Trail};
use crate::limits::Limits;
use crate::widths::Widths;
use engines::Resources;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use streamline::{LayerOp, Streamlined};

/// The foldings of a network.
pub(crate) struct Space<'n> {
    network: &'n Streamlined,
    widths: Widths,
    layers: Vec<Candidate<'n>>,
    /// What leads from words to those of a choice of a layer, or through a layer without choices.
    ways: RefCell<HashMap<(usize, Words, Words), Way>>,
}

/// Engines between two choices.
#[derive(Debug, Clone, Copy)]
struct Way {
    resources: Resources,
    cycles: u64,
    output: Words,
}

/// A folding as the search sees it: without FIFOs.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) fold: Fold,
    pub(crate) resources: Resources,
}

/// Where the search stands: how words lie, and how many pixels of the input come at once while the
/// layer that decides this is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    words: Words,
    input_pixel: Option<usize>,
}

impl<'n> Space<'n> {
    pub(crate) fn new(network: &'n Streamlined) -> Self {
        let widths = Widths::default();
        let layers = candidates(network, &widths);
        Self { network, widths, layers, ways: RefCell::default() }
    }

    /// Every cycle count that some layer can have, ascending: the rates worth trying.
    pub(crate) fn cycle_counts(&self) -> Vec<u64> {
        let mut counts: Vec<u64> =
            self.layers.iter().flat_map(|l| l.choices.iter().map(|c| c.cycles)).collect();
        let fewest = self.fewest_cycles();
        counts.push(fewest);
        counts.retain(|&c| c >= fewest);
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// Cycles a frame below which no folding goes.
    pub(crate) fn fewest_cycles(&self) -> u64 {
        let mut fewest = 1;
        for layer in &self.layers {
            if let LayerOp::LabelSelect { k: 2.., .. } = layer.layer.op {
                fewest = fewest.max(layer.input.count as u64);
            }
            fewest = fewest.max(layer.choices.iter().map(|c| c.cycles).min().unwrap_or(1));
        }
        fewest
    }

    /// The front of all foldings in which no engine takes more than `cycles` cycles a frame: for
    /// each number of block RAMs within the limits the least LUTs + `share` * flip-flops.
    pub(crate) fn front(&self, cycles: u64, share: f64, limits: &Limits) -> Vec<Plan> {
        let mut trail = Trail::default();
        let most = |p: &Point| p.resources.bram36 <= limits.bram36;
        let mut states = self.starts(cycles, share, &mut trail);
        for (index, layer) in self.layers.iter().enumerate() {
            let mut next: BTreeMap<State, Front> = BTreeMap::new();
            let mut put = |state: State, front: Front| {
                next.entry(state).or_default().points.extend(front.points);
            };
            if layer.choices.is_empty() {
                for (state, front) in &states {
                    let way = self.through(index, state.words);
                    if way.cycles <= cycles {
                        let state = State { words: way.output, ..*state };
                        put(state, front.plus(way.resources, share));
                    }
                }
            } else {
                let decides = is_pixelwise(layer.layer).is_some();
                let fast: Vec<(usize, &Choice)> =
                    layer.choices.iter().enumerate().filter(|(_, c)| c.cycles <= cycles).collect();
                let mut arrivals: BTreeMap<Words, Front> = BTreeMap::new();
                for (number, choice) in fast {
                    let arrival = arrivals.entry(choice.input).or_insert_with(|| {
                        let mut all = Front::default();
                        for (state, front) in &states {
                            let other = |p: usize| decides && p != choice.input.pixel;
                            if state.input_pixel.is_some_and(other) {
                                continue;
                            }
                            let way = self.leading(index, state.words, choice.input);
                            if way.cycles <= cycles {
                                all.points.extend(front.plus(way.resources, share).points);
                            }
                        }
                        all.points.retain(most);
                        all.pruned()
                    });
                    let mut front = arrival.plus(choice.resources, share);
                    front.points.retain(most);
                    front.points.iter_mut().for_each(|p| p.trail = trail.step(p.trail, number));
                    put(State { words: choice.output, input_pixel: None }, front);
                }
            }
            states = next.into_iter().map(|(state, front)| (state, front.pruned())).collect();
        }
        let mut all = Front::default();
        for (state, front) in states {
            let end = self.end(state.words);
            all.points.extend(front.plus(end, share).points);
        }
        all.points.retain(most);
        let plan = |p: &Point| {
            let (start, choices) = trail.path(p.trail);
            Plan { fold: self.fold(start, &choices), resources: p.resources }
        };
        all.pruned().points.iter().map(plan).collect()
    }

    /// How the input can come in, within `cycles`.
    fn starts(&self, cycles: u64, share: f64, trail: &mut Trail) -> BTreeMap<State, Front> {
        let input = &self.network.input;
        let pixelwise = self.layers.iter().find_map(|l| Some((l, is_pixelwise(l.layer)?)));
        let mut pixels: Vec<usize> = match pixelwise {
            Some((layer, true)) => layer.choices.iter().map(|c| c.input.pixel).collect(),
            _ => vec![input.elements()],
        };
        pixels.sort_unstable();
        pixels.dedup();
        let mut starts = BTreeMap::new();
        for pixel in pixels {
            for lanes in divisors(pixel) {
                let chain = Chain::of_input(self.network, &self.widths, lanes, pixel);
                let (resources, taken) = chain.cost();
                if taken <= cycles {
                    let input_pixel = pixelwise.filter(|(_, is)| *is).map(|_| pixel);
                    let state = State { words: Words { lanes, pixel }, input_pixel };
                    let point = Point::new(resources, share, trail.start(lanes));
                    starts.insert(state, Front { points: vec![point] });
                }
            }
        }
        starts
    }

    /// The width converters in front of a choice.
    fn leading(&self, layer: usize, from: Words, to: Words) -> Way {
        *self.ways.borrow_mut().entry((layer, from, to)).or_insert_with(|| {
            let Candidate { layer, input, .. } = &self.layers[layer];
            let mut chain = Chain::from(self.network, &self.widths, input.stream(from));
            chain.lead_to(&layer.name, to.pixel, to.lanes, None);
            let (resources, cycles) = chain.cost();
            Way { resources, cycles, output: to }
        })
    }

    /// A layer that takes words as they come, and what is in front of it.
    fn through(&self, layer: usize, from: Words) -> Way {
        *self.ways.borrow_mut().entry((layer, from, from)).or_insert_with(|| {
            let Candidate { layer, input, .. } = &self.layers[layer];
            let mut chain = Chain::from(self.network, &self.widths, input.stream(from));
            chain.lead(layer, &Default::default(), None);
            chain.layer(layer, &Default::default());
            let output = Words::of(chain.last());
            let (resources, cycles) = chain.cost();
            Way { resources, cycles, output }
        })
    }

    fn end(&self, words: Words) -> Resources {
        let elements = match self.network.layers.last() {
            Some(l) => Elements { element: l.element, count: l.elements() },
            None => return Resources::default(),
        };
        let mut chain = Chain::from(self.network, &self.widths, elements.stream(words));
        chain.end();
        chain.cost().0
    }

    fn fold(&self, input_lanes: usize, choices: &[usize]) -> Fold {
        let mut fold = Fold { input_lanes: Some(input_lanes), ..Fold::default() };
        let with_choices = self.layers.iter().filter(|l| !l.choices.is_empty());
        for (layer, &choice) in with_choices.zip(choices) {
            fold.layers.insert(layer.layer.name.clone(), layer.choices[choice].fold.clone());
        }
        fold
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::dataflow;
    use graph::{Elementwise, Graph, Op, Weights};
    use ndarray::Array2;
    use streamline::Options;
    use tensor::ElementType;

    /// Two fully connected layers, 12 to 6 to 4.
    fn network() -> Streamlined {
        let mut graph = Graph::new("two");
        let x = graph.input("x", vec![1, 12], Some(ElementType::Bipolar));
        let dense = |columns: usize, rows: usize| {
            let values = Array2::from_shape_fn((rows, columns), |(r, c)| {
                if (r * 7 + c * 3) % 5 < 2 { 1.0 } else { -1.0 }
            });
            Op::MatMul(Weights { values, quantized: None })
        };
        let first = graph.add("first", "MatMul", dense(12, 6), x, vec![1, 6]);
        let sign = graph.add(
            "sign",
            "Sign",
            Op::Elementwise(Elementwise::Sign { zero: 1 }),
            first,
            vec![1, 6],
        );
        let second = graph.add("second", "MatMul", dense(6, 4), sign, vec![1, 4]);
        graph.set_output(second);
        streamline::streamline(&graph, &Options::default()).unwrap()
    }

    #[test]
    fn nothing_is_smaller_than_what_is_found() {
        let network = network();
        let space = Space::new(&network);
        let names: Vec<&str> = network.layers.iter().map(|l| l.name.as_str()).collect();
        for cycles in space.cycle_counts() {
            let front = space.front(cycles, 0.0, &Limits::NONE);
            // Memories of these depths are in LUTs when nothing is said.
            let found = front.first().expect("some folding is fast enough");
            assert_eq!(found.resources.bram36, 0.0);
            let mut least = f64::INFINITY;
            let all = |n| divisors(n).into_iter();
            for input in all(12) {
                for (pe0, simd0) in all(6).flat_map(|p| all(12).map(move |s| (p, s))) {
                    for (pe1, simd1) in all(4).flat_map(|p| all(6).map(move |s| (p, s))) {
                        let mut fold = Fold { input_lanes: Some(input), ..Fold::default() };
                        for (name, pe, simd) in [(names[0], pe0, simd0), (names[1], pe1, simd1)] {
                            let (pe, simd) = (Some(pe), Some(simd));
                            let layer = crate::LayerFold { pe, simd, ..Default::default() };
                            fold.layers.insert(name.into(), layer);
                        }
                        let whole = dataflow("two", &network, &fold);
                        let engines = 0..whole.engines.len();
                        let slowest = engines.clone().map(|e| engines::cycles_per_frame(&whole, e));
                        if slowest.max() <= Some(cycles) {
                            let taken: Resources = engines.map(|e| engines::cost(&whole, e)).sum();
                            least = least.min(taken.luts);
                        }
                    }
                }
            }
            assert!((found.resources.luts - least).abs() < 1e-6, "{cycles}: {least}");
        }
    }
}
