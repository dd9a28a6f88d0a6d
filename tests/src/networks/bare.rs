//! Single engines between the two adapters, without a network around them.

use dataflow::{Dataflow, Engine, EngineKind, OUTSIDE, Stream};
use diagnostic::Diagnostic;
use emit::Design;
use fold::{Facts, Fold, Folded};
use graph::ClassRule;
use sim::Stalls;
use streamline::{InputRule, InputSpec, Layer, LayerOp, OutputSpec, Scores, Streamlined};
use tensor::{ElementType, Map};

/// What a stream carries: maps, pixel by pixel.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Type of an element.
    pub element: ElementType,
    /// Elements of a word.
    pub lanes: usize,
    /// A frame.
    pub map: Map,
}

/// Vectors: type, lanes and elements of a frame.
impl From<(ElementType, usize, usize)> for Words {
    fn from((element, lanes, elements): (ElementType, usize, usize)) -> Self {
        Self { element, lanes, map: Map::vector(elements) }
    }
}

/// An engine with what it computes.
#[derive(Debug, Clone)]
pub struct Bare {
    /// What it is.
    pub kind: EngineKind,
    /// What it computes; nothing for infrastructure.
    pub layer: Option<LayerOp>,
    /// What comes out.
    pub output: Words,
}

/// A design with `engines` between the adapters.
///
/// # Errors
/// When the engines do not fit each other, or the design stands still.
pub fn bare(name: &str, input: Words, engines: &[Bare]) -> Result<Design, Diagnostic> {
    let mut network = Streamlined {
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
    let mut dataflow = Dataflow { name: name.into(), streams: Vec::new(), engines: Vec::new() };
    let mut shape = input;
    push_stream(&mut dataflow, "s_axis", shape);
    push_engine(&mut dataflow, "axis_in", "", EngineKind::Input);
    push_stream(&mut dataflow, "axis_in_out", shape);
    for (i, engine) in engines.iter().enumerate() {
        let unit = format!("unit{i}");
        let layer = engine.layer.as_ref().map_or("", |_| unit.as_str());
        push_engine(&mut dataflow, &unit, layer, engine.kind.clone());
        shape = engine.output;
        push_stream(&mut dataflow, &format!("{unit}_out"), shape);
        if let Some(op) = &engine.layer {
            network.layers.push(Layer {
                name: unit.clone(),
                nodes: vec![unit],
                element: shape.element,
                map: shape.map,
                op: op.clone(),
            });
        }
    }
    push_engine(&mut dataflow, "axis_out", "", EngineKind::Output);
    push_stream(&mut dataflow, "m_axis", shape);
    if let Some(last) = dataflow.streams.last_mut() {
        last.to = OUTSIDE;
    }
    dataflow.check()?;
    let facts = facts(&dataflow)?;
    super::prepare(name, network, Folded { fold: Fold::default(), dataflow, facts })
}

fn push_stream(dataflow: &mut Dataflow, name: &str, words: Words) {
    let index = dataflow.streams.len();
    dataflow.streams.push(Stream {
        name: name.into(),
        element: words.element,
        lanes: words.lanes,
        elements: words.map.elements(),
        pixel: words.map.channels,
        from: index.checked_sub(1).unwrap_or(OUTSIDE),
        to: index,
    });
}

fn push_engine(dataflow: &mut Dataflow, name: &str, layer: &str, kind: EngineKind) {
    let index = dataflow.engines.len();
    let (name, layer) = (name.into(), layer.into());
    dataflow.engines.push(Engine { name, layer, input: index, output: index + 1, kind });
}

fn facts(dataflow: &Dataflow) -> Result<Facts, Diagnostic> {
    let long = sim::timing(dataflow, 24, &Stalls::none())?;
    let one = sim::timing(dataflow, 1, &Stalls::none())?;
    Ok(Facts {
        luts: 0,
        ffs: 0,
        bram36: 0.0,
        dsps: 0,
        ii_cycles: sim::interval(dataflow, &long),
        latency_cycles: sim::latency(dataflow, &one),
        fps: 0.0,
        clock_mhz: 100.0,
        engines: Vec::new(),
    })
}

/// The lanes that a word goes through from `from` to `to`: by way of their least common multiple
/// when neither divides the other.
pub fn width_steps(from: usize, to: usize) -> Vec<usize> {
    if from == to {
        Vec::new()
    } else if from.is_multiple_of(to) || to.is_multiple_of(from) {
        vec![to]
    } else {
        let common = (1..=from * to).find(|n| n.is_multiple_of(from) && n.is_multiple_of(to));
        vec![common.unwrap_or(from * to), to]
    }
}
