//! Designs that grow engine by engine, and whose streams part and meet.

use super::{Bare, Words};
use dataflow::{Add, Dataflow, Engine, EngineKind, OUTSIDE, Stream};
use diagnostic::Diagnostic;
use emit::Design;
use fold::{Facts, Fold, Folded};
use graph::ClassRule;
use sim::Stalls;
use streamline::{InputRule, InputSpec, Layer, OutputSpec, Scores, Streamlined};
use tensor::ElementType;

/// A design behind its input adapter, that has no end yet.
///
/// A matrix or a convolution reads the type that the layer added before it puts out: the golden
/// model keeps its weights ready for that one.
#[derive(Debug, Clone)]
pub struct Growing {
    network: Streamlined,
    dataflow: Dataflow,
    /// What each stream carries.
    words: Vec<Words>,
    /// Engines between the adapters.
    units: usize,
}

/// A stream that no engine reads yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loose(usize);

impl Growing {
    /// An input adapter, and the stream behind it.
    pub fn new(name: &str, input: Words) -> (Self, Loose) {
        let network = Streamlined {
            name: name.into(),
            input: InputSpec {
                name: "input".into(),
                element: input.element,
                shape: vec![input.map.height, input.map.width, input.map.channels],
                map: input.map,
                channels_last: true,
                rule: InputRule::Unchanged,
                planes: None,
            },
            output: OutputSpec {
                name: "output".into(),
                elements: input.map.elements(),
                class_rule: ClassRule::ArgMax,
                smallest: false,
                scores: Scores {
                    scale: vec![1.0],
                    offset: vec![0.0],
                    tail: Vec::new(),
                    softmax: false,
                },
            },
            knife_edges: Vec::new(),
            layers: Vec::new(),
        };
        let dataflow = Dataflow { name: name.into(), streams: Vec::new(), engines: Vec::new() };
        let mut growing = Self { network, dataflow, words: Vec::new(), units: 0 };
        let outside = growing.stream("s_axis", input, OUTSIDE);
        let inside =
            growing.engine("axis_in", EngineKind::Input, &[outside], &[("axis_in_out", input)]);
        (growing, inside[0])
    }

    /// What a stream carries.
    pub fn words(&self, stream: Loose) -> Words {
        self.words[stream.0]
    }

    /// The type that a matrix or a convolution added next reads.
    pub fn reads(&self) -> ElementType {
        self.network.layers.last().map_or(self.network.input.element, |layer| layer.element)
    }

    /// An engine behind a stream.
    pub fn add(&mut self, from: Loose, bare: &Bare) -> Loose {
        let name = self.next_name();
        let output = [(format!("{name}_out"), bare.output)];
        let ends = self.engine(&name, bare.kind.clone(), &[from], &output);
        if let Some(op) = &bare.layer {
            if let Some(engine) = self.dataflow.engines.last_mut() {
                engine.layer.clone_from(&name);
            }
            self.network.layers.push(Layer {
                name: name.clone(),
                nodes: vec![name],
                element: bare.output.element,
                map: bare.output.map,
                op: op.clone(),
            });
        }
        ends[0]
    }

    /// A fork into so many branches.
    pub fn fork(&mut self, from: Loose, branches: usize, depth: usize) -> Vec<Loose> {
        let name = self.next_name();
        let words = self.words(from);
        let outputs: Vec<_> = (0..branches).map(|b| (format!("{name}_out{b}"), words)).collect();
        self.engine(&name, EngineKind::Fork { depth }, &[from], &outputs)
    }

    /// The sum of two streams of the same words, in the smallest type that holds it.
    pub fn meet(&mut self, [x, y]: [Loose; 2], unit: Add) -> Loose {
        let name = self.next_name();
        let words = self.words(x);
        let (a, b) = (words.element, self.words(y).element);
        let element = ElementType::smallest(a.min() + b.min(), a.max() + b.max());
        let output = [(format!("{name}_out"), Words { element, ..words })];
        self.engine(&name, EngineKind::Add(unit), &[x, y], &output)[0]
    }

    /// The design that ends with a stream.
    ///
    /// # Errors
    /// When the engines do not fit each other, or the design stands still.
    pub fn finish(self, last: Loose) -> Result<Design, Diagnostic> {
        // As many as are compared: intervals of branches may repeat after several frames only.
        let frames = 4 * self.network.layers.len() + 12;
        self.finish_at(last, |dataflow| {
            let times = sim::timing(dataflow, frames, &Stalls::none())?;
            Ok((sim::interval(dataflow, &times), sim::latency(dataflow, &times)))
        })
    }

    /// The same without an interval and a latency: it may stand still.
    ///
    /// # Errors
    /// When the engines do not fit each other.
    pub fn finish_untimed(self, last: Loose) -> Result<Design, Diagnostic> {
        self.finish_at(last, |_| Ok((0, 0)))
    }

    fn finish_at(
        mut self,
        last: Loose,
        times: impl Fn(&Dataflow) -> Result<(u64, u64), Diagnostic>,
    ) -> Result<Design, Diagnostic> {
        let words = self.words(last);
        self.engine("axis_out", EngineKind::Output, &[last], &[("m_axis", words)]);
        let Self { network, dataflow, .. } = self;
        dataflow.check()?;
        let (ii_cycles, latency_cycles) = times(&dataflow)?;
        let facts = Facts {
            luts: 0,
            ffs: 0,
            bram36: 0.0,
            dsps: 0,
            ii_cycles,
            latency_cycles,
            fps: 0.0,
            clock_mhz: 100.0,
            engines: Vec::new(),
            fewest_words: Default::default(),
            gap: None,
        };
        let name = dataflow.name.clone();
        super::prepare(&name, network, Folded { fold: Fold::default(), dataflow, facts })
    }

    fn next_name(&mut self) -> String {
        self.units += 1;
        format!("unit{}", self.units - 1)
    }

    fn stream(&mut self, name: &str, words: Words, from: usize) -> Loose {
        self.words.push(words);
        self.dataflow.streams.push(Stream {
            name: name.into(),
            element: words.element,
            lanes: words.lanes,
            elements: words.map.elements(),
            pixel: words.map.channels,
            from,
            to: OUTSIDE,
        });
        Loose(self.words.len() - 1)
    }

    fn engine<S: AsRef<str>>(
        &mut self,
        name: &str,
        kind: EngineKind,
        inputs: &[Loose],
        outputs: &[(S, Words)],
    ) -> Vec<Loose> {
        let engine = self.dataflow.engines.len();
        for input in inputs {
            self.dataflow.streams[input.0].to = engine;
        }
        let ends: Vec<Loose> = outputs
            .iter()
            .map(|(name, words)| self.stream(name.as_ref(), *words, engine))
            .collect();
        self.dataflow.engines.push(Engine {
            name: name.into(),
            layer: String::new(),
            inputs: inputs.iter().map(|input| input.0).collect(),
            outputs: ends.iter().map(|end| end.0).collect(),
            kind,
        });
        ends
    }
}
