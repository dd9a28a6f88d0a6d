//! Random dataflows: a stream that grows an engine at a time, and parts and meets again.

use crate::draw::Draw;
use dataflow::{Add, Dataflow, Engine, EngineKind, OUTSIDE, Stream};
use tensor::{ElementType, Map};

/// What a stream carries: pixels of a map, each split into words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) element: ElementType,
    pub(crate) lanes: usize,
    pub(crate) map: Map,
}

impl Shape {
    /// Whether the last word of a pixel has all its lanes.
    pub(crate) fn is_full(&self) -> bool {
        self.map.channels.is_multiple_of(self.lanes)
    }

    pub(crate) fn words_per_pixel(&self) -> usize {
        self.map.channels.div_ceil(self.lanes)
    }

    pub(crate) fn words_per_frame(&self) -> usize {
        self.map.pixels() * self.words_per_pixel()
    }
}

/// A stream that nothing reads yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    pub(crate) stream: usize,
    pub(crate) shape: Shape,
}

/// Words of a frame that a stream has at most.
const MOST_WORDS: usize = 360;

/// A dataflow that grows.
#[derive(Debug)]
pub(crate) struct Grower {
    pub(crate) draw: Draw,
    dataflow: Dataflow,
}

impl Grower {
    fn new(seed: u64, input: impl Fn(&mut Draw) -> Shape) -> (Self, Head) {
        let dataflow =
            Dataflow { name: format!("random_{seed}"), streams: Vec::new(), engines: Vec::new() };
        let mut grower = Self { draw: Draw::new(seed), dataflow };
        let shape = input(&mut grower.draw);
        let head = grower.stream(shape, OUTSIDE);
        (grower, head)
    }

    fn stream(&mut self, shape: Shape, from: usize) -> Head {
        let stream = self.dataflow.streams.len();
        self.dataflow.streams.push(Stream {
            name: format!("s{stream}"),
            element: shape.element,
            lanes: shape.lanes,
            elements: shape.map.elements(),
            pixel: shape.map.channels,
            from,
            to: OUTSIDE,
        });
        Head { stream, shape }
    }

    /// Adds an engine with several streams.
    fn join(&mut self, kind: EngineKind, inputs: &[Head], outputs: &[Shape]) -> Vec<Head> {
        let engine = self.dataflow.engines.len();
        let heads: Vec<Head> = outputs.iter().map(|&shape| self.stream(shape, engine)).collect();
        for input in inputs {
            self.dataflow.streams[input.stream].to = engine;
        }
        self.dataflow.engines.push(Engine {
            name: format!("e{engine}"),
            layer: String::new(),
            inputs: inputs.iter().map(|head| head.stream).collect(),
            outputs: heads.iter().map(|head| head.stream).collect(),
            kind,
        });
        heads
    }

    /// Adds an engine behind a stream.
    pub(crate) fn add(&mut self, head: Head, kind: EngineKind, shape: Shape) -> Head {
        self.join(kind, &[head], &[shape])[0]
    }

    /// Whether a stream of this shape is small enough.
    pub(crate) fn is_small(&self, shape: Shape) -> bool {
        shape.words_per_frame() <= MOST_WORDS && shape.map.channels <= 96
    }

    /// Parts a stream, lets the branches grow, part and meet, until a single one is left.
    fn branches(&mut self, head: Head) -> Head {
        let mut heads = self.fork(head);
        let mut forks = self.draw.pick(&[0, 0, 1, 2]);
        for _ in 0..self.draw.size(1, 8) {
            let chosen = self.draw.size(0, heads.len() - 1);
            match self.draw.size(0, 5) {
                0 if forks > 0 => {
                    forks -= 1;
                    let head = heads.swap_remove(chosen);
                    heads.extend(self.fork(head));
                }
                1 if heads.len() > 2 => self.meet(&mut heads),
                _ => heads[chosen] = self.grow_alike(heads[chosen]),
            }
        }
        while heads.len() > 1 {
            self.meet(&mut heads);
            if self.draw.chance(0.3) {
                let last = heads.len() - 1;
                heads[last] = self.grow_alike(heads[last]);
            }
        }
        heads[0]
    }

    fn fork(&mut self, head: Head) -> Vec<Head> {
        let branches = self.draw.pick(&[2, 2, 2, 3]);
        let depth = self.draw.shallow(head.shape.words_per_frame());
        self.join(EngineKind::Fork { depth }, &[head], &vec![head.shape; branches])
    }

    /// Adds two of the streams.
    fn meet(&mut self, heads: &mut Vec<Head>) {
        let [x, y] = [(); 2].map(|()| {
            let chosen = self.draw.size(0, heads.len() - 1);
            let head = heads.swap_remove(chosen);
            if head.shape.element.bits() > 20 { self.threshold(head) } else { head }
        });
        let (a, b) = (x.shape.element, y.shape.element);
        let element = ElementType::smallest(a.min() + b.min(), a.max() + b.max());
        let words = x.shape.words_per_frame();
        let unit = Add { depth: self.draw.shallow(words), credits: self.draw.depth(2) };
        let sum = Shape { element, ..x.shape };
        heads.extend(self.join(EngineKind::Add(unit), &[x, y], &[sum]));
    }

    fn finish(self) -> Dataflow {
        if let Err(e) = self.dataflow.check() {
            panic!("{e}\n{}", self.dataflow.to_text());
        }
        self.dataflow
    }
}

fn input(draw: &mut Draw) -> Shape {
    let element = draw.pick(&[ElementType::Bipolar, ElementType::Uint(2), ElementType::Int(3)]);
    let map = if draw.chance(0.25) {
        Map::vector(draw.size(1, 24))
    } else {
        let channels = draw.size(1, 6);
        Map { height: draw.size(1, 9), width: draw.size(1, 9), channels }
    };
    let lanes = draw.size(1, map.channels);
    let lanes = if draw.chance(0.7) { draw.divisor(map.channels) } else { lanes };
    Shape { element, lanes, map }
}

/// A chain of engines.
pub(crate) fn chain(seed: u64) -> Dataflow {
    let (mut grower, mut head) = Grower::new(seed, input);
    let adapters = grower.draw.chance(0.8);
    if adapters {
        head = grower.add(head, EngineKind::Input, head.shape);
    }
    for _ in 0..grower.draw.size(1, 6) {
        head = grower.grow(head);
    }
    if adapters {
        grower.add(head, EngineKind::Output, head.shape);
    }
    grower.finish()
}

/// Streams that part and meet, with chains around them.
pub(crate) fn branched(seed: u64) -> Dataflow {
    let (mut grower, mut head) = Grower::new(seed, input);
    head = grower.add(head, EngineKind::Input, head.shape);
    for _ in 0..grower.draw.size(1, 2) {
        for _ in 0..grower.draw.size(0, 2) {
            head = grower.grow(head);
        }
        head = grower.branches(head);
    }
    for _ in 0..grower.draw.size(0, 2) {
        head = grower.grow(head);
    }
    grower.add(head, EngineKind::Output, head.shape);
    grower.finish()
}

/// A bottleneck on a branch that begins with a lead: it is used up little by little, over more frames
/// than any engine holds, and nothing outside shows it before it is gone.
pub(crate) fn leading(seed: u64) -> Dataflow {
    let vector = |draw: &mut Draw| {
        let map = Map::vector(draw.size(2, 5));
        Shape { element: ElementType::Bipolar, lanes: 1, map }
    };
    let (mut grower, head) = Grower::new(seed, vector);
    let shape = head.shape;
    let size = shape.map.channels;
    let head = grower.add(head, EngineKind::Input, shape);
    let head = grower.dense(head, (size, 1), 0, 2);
    let heads = grower.join(EngineKind::Fork { depth: 4 }, &[head], &[shape; 2]);
    let [mut slow, mut late] = [heads[0], heads[1]];
    let frames = grower.draw.size(8, 24);
    let deep = |n: usize| n * frames;
    slow = grower.add(slow, EngineKind::Fifo { depth: deep(size) }, slow.shape);
    slow = grower.dense(slow, (size + 1, 1), deep(size), deep(size + 1));
    slow = grower.dense(slow, (size, size), 0, 2);
    slow = grower.add(slow, EngineKind::Width, shape);
    for _ in 0..grower.draw.size(2, 12) {
        late = grower.dense(late, (size, 1), 0, 8);
    }
    let mut heads = vec![slow, late];
    grower.meet(&mut heads);
    grower.add(heads[0], EngineKind::Output, heads[0].shape);
    grower.finish()
}
