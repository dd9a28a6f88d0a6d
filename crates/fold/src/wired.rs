//! Layers whose weights are wires.

use dataflow::{Dataflow, Dot, EngineKind, Mvu, Trees};
use engines::full_rate_credits;
use engines::mvu::wired;
use streamline::{Layer, LayerOp, Streamlined};

/// Whether the weights of a layer can be wires in this unit.
pub(crate) fn is_possible(unit: &Mvu, layer: &Layer) -> bool {
    unit.can_be_wired() && is_suitable(layer)
}

/// Whether a layer has weights of -1, 0 and 1, at most one threshold, and windows that are whole.
pub(crate) fn is_suitable(layer: &Layer) -> bool {
    let whole = match &layer.op {
        LayerOp::Conv(conv) => {
            let borders = conv.borders();
            borders.count() == 1 && !borders.has_gaps(&conv.window)
        }
        _ => true,
    };
    whole
        && layer.dense().is_some_and(|dense| {
            dense.thresholds.as_ref().is_none_or(|t| t.values.ncols() <= 1)
                && dense.weights.iter().all(|w| (-1..=1).contains(w))
        })
}

/// Finds the trees of all layers whose weights are wires.
pub(crate) fn plant(dataflow: &mut Dataflow, network: &Streamlined) {
    for index in 0..dataflow.engines.len() {
        let engine = &dataflow.engines[index];
        let types = [engine.input(), engine.output()].map(|s| dataflow.streams[s].element);
        let layer = network.layers.iter().find(|layer| layer.name == engine.layer);
        let dense = layer.and_then(Layer::dense);
        let (EngineKind::Mvu(unit), Some(dense)) = (&mut dataflow.engines[index].kind, dense)
        else {
            continue;
        };
        if unit.dot == Dot::Wired && unit.trees.is_none() {
            let threshold = |row| dense.thresholds.as_ref().map_or(0, |t| t.values[(row, 0)]);
            let trees = wired(unit, types, |row, column| dense.weights[(row, column)], threshold);
            unit.trees = Some(Trees {
                latency: trees.latency() as u64,
                luts: trees.luts() as u64,
                ffs: trees.registers() as u64,
            });
            unit.credits = full_rate_credits(engines::mvu::latency(unit, types[0]), 1);
        }
    }
}
