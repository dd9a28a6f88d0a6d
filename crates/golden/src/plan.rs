//! Which layer is computed how, and in which form it hands its map on.

use crate::elementwise::Elementwise;
use crate::kernel::Kernel;
use crate::layout::{Form, Layout};
use crate::linear::Linear;
use crate::pool::Pooling;
use crate::weights;
use streamline::{ChannelAffine, Layer, LayerOp, Streamlined};
use tensor::{ElementType, Map};

/// A network made ready for a kernel.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) input: Layout,
    pub(crate) steps: Vec<Step>,
    /// The last linear layer.
    pub(crate) last_linear: Option<usize>,
}

/// A layer made ready.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) output: Layout,
    pub(crate) work: Work,
}

/// How a layer is computed.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    Linear(Box<Linear>),
    Elementwise(Elementwise),
    Pool(Pooling),
    Affine(ChannelAffine),
    Select { k: usize, smallest: bool },
}

impl Plan {
    pub(crate) fn new(network: &Streamlined, kernel: Kernel) -> Self {
        let layers = &network.layers;
        let spec = &network.input;
        let map = if is_flat(layers) { Map::vector(spec.elements()) } else { spec.map };
        let input = Layout { element: spec.element, map, form: form(layers, spec.element, map) };
        let mut at = input;
        let mut steps = Vec::new();
        for (index, layer) in layers.iter().enumerate() {
            let map = match &layer.op {
                // Its output lies as its input does.
                LayerOp::Threshold(_) => at.map,
                LayerOp::Dense(_)
                | LayerOp::Conv(_)
                | LayerOp::Pool(_)
                | LayerOp::ChannelAffine(_)
                | LayerOp::LabelSelect { .. } => layer.map,
            };
            let element = layer.element;
            let output = Layout { element, map, form: form(&layers[index + 1..], element, map) };
            let work = match &layer.op {
                LayerOp::Threshold(t) => Work::Elementwise(Elementwise::new(kernel, t, at, output)),
                LayerOp::Dense(d) => Work::Linear(Box::new(Linear::dense(kernel, d, at, output))),
                LayerOp::Conv(c) => Work::Linear(Box::new(Linear::conv(kernel, c, at, output))),
                LayerOp::Pool(pool) => Work::Pool(Pooling::new(pool, at)),
                LayerOp::ChannelAffine(affine) => Work::Affine(affine.clone()),
                LayerOp::LabelSelect { k, smallest } => Work::Select { k: *k, smallest: *smallest },
            };
            steps.push(Step { output, work });
            at = output;
        }
        let last_linear = layers.iter().rposition(|layer| layer.dense().is_some());
        Self { input, steps, last_linear }
    }
}

/// Whether only a matrix (behind thresholds) reads a map, so that its pixels may be one.
fn is_flat(readers: &[Layer]) -> bool {
    match readers.first().map(|layer| &layer.op) {
        Some(LayerOp::Dense(_)) => true,
        Some(LayerOp::Threshold(_)) => is_flat(&readers[1..]),
        Some(
            LayerOp::Conv(_)
            | LayerOp::Pool(_)
            | LayerOp::ChannelAffine(_)
            | LayerOp::LabelSelect { .. },
        )
        | None => false,
    }
}

/// The form that suits the layer that reads a map.
fn form(readers: &[Layer], element: ElementType, map: Map) -> Form {
    match readers.first().map(|layer| &layer.op) {
        Some(LayerOp::Dense(dense)) => weights::form(dense, 1, element, map.channels),
        Some(LayerOp::Conv(c)) => weights::form(&c.dense, c.groups, element, map.channels),
        // A pool works in any.
        Some(LayerOp::Pool(_)) => form(&readers[1..], element, map),
        Some(LayerOp::Threshold(_)) if element.bits() <= 8 => Form::Bytes,
        Some(LayerOp::Threshold(_) | LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. })
        | None => Form::of(element),
    }
}
