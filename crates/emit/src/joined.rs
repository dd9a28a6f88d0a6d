//! Whether a dataflow computes a network: every layer in order, by an engine of its kind.

use dataflow::{Dataflow, EngineKind};
use diagnostic::{Code, Diagnostic, Result};
use streamline::{LayerOp, Streamlined};

/// Checks names, kinds, element types and sizes.
///
/// # Errors
/// `design-folder` naming the engine.
pub(crate) fn check(dataflow: &Dataflow, network: &Streamlined) -> Result<()> {
    let bad = |name: &str| {
        let text = "the dataflow is not one of this network";
        Err(Diagnostic::new(Code::DesignFolder, text).node(name).from("network/dataflow.toml"))
    };
    let input = dataflow.input();
    if (input.element, input.elements) != (network.input.element, network.input.elements()) {
        return bad(&input.name);
    }
    let mut layers = network.layers.iter();
    for engine in &dataflow.engines {
        let output = &dataflow.streams[engine.output()];
        let kind = match &engine.kind {
            EngineKind::Input
            | EngineKind::Output
            | EngineKind::Fifo { .. }
            | EngineKind::Fork { .. }
            | EngineKind::Add(_)
            | EngineKind::Width => {
                continue;
            }
            // It belongs to the layer of the engine behind it, whose values do not depend on it.
            EngineKind::Window(_) | EngineKind::ParallelWindow(_) => continue,
            kind => kind,
        };
        let Some(layer) = layers.next().filter(|l| l.name == engine.layer) else {
            return bad(&engine.name);
        };
        let fits = match (&layer.op, kind) {
            (LayerOp::Threshold(_), EngineKind::Threshold(_))
            | (LayerOp::Pool(_), EngineKind::Pool(_))
            | (LayerOp::ChannelAffine(_), EngineKind::ChannelAffine(_))
            | (LayerOp::LabelSelect { .. }, EngineKind::LabelSelect(_)) => true,
            (LayerOp::Conv(conv), EngineKind::Depthwise(d)) => {
                let shape = (d.channels, d.taps);
                conv.is_depthwise() && conv.dense.weights.dim() == shape
            }
            (LayerOp::Dense(_) | LayerOp::Conv(_), EngineKind::Mvu(m)) => {
                let dim = layer.dense().map(|dense| dense.weights.dim());
                dim == Some((m.rows, m.columns))
            }
            _ => false,
        };
        if !fits || (output.element, output.elements) != (layer.element, layer.elements()) {
            return bad(&engine.name);
        }
    }
    match layers.next() {
        Some(layer) => bad(&layer.name),
        None => Ok(()),
    }
}
