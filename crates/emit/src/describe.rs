//! The facts of a design, for its report.

use crate::Design;
use dataflow::EngineKind;
use report::{BoardFacts, EngineFacts, FifoFacts, KnifeEdgeFacts, LayerFacts, ModelFacts, Report};
use streamline::{Dense, InputPlanes, Layer, LayerOp, Streamlined};

/// What a streamlined network is made of.
pub fn model_facts(network: &Streamlined, sha256: &str) -> ModelFacts {
    let mut input = (network.input.element, network.input.elements());
    let layers: Vec<LayerFacts> = network
        .layers
        .iter()
        .map(|layer| {
            let facts = layer_facts(layer, input);
            input = (layer.element, layer.elements());
            facts
        })
        .collect();
    let knife_edges = network.knife_edges.iter().map(|k| KnifeEdgeFacts {
        layer: k.layer.clone(),
        channel: k.channel as u64,
        first: k.accumulators.0,
        last: k.accumulators.1,
        output64: k.outputs.0,
        output32: k.outputs.1,
        margin: k.margin,
    });
    ModelFacts {
        name: network.name.clone(),
        sha256: sha256.into(),
        input: network.input.describe(),
        parameters: layers.iter().map(|l| l.parameters).sum(),
        macs: layers.iter().map(|l| l.macs).sum(),
        knife_edges: knife_edges.collect(),
        layers,
    }
}

fn layer_facts(layer: &Layer, (element, inputs): (tensor::ElementType, usize)) -> LayerFacts {
    let of_dense = |kind, d: &Dense| {
        let thresholds = d.thresholds.as_ref().map_or(0, |t| t.values.len());
        let (weights, pixels) = (d.weights.len(), layer.map.pixels());
        (kind, Some(d.weight.to_string()), thresholds, weights, weights * pixels)
    };
    let (kind, weight, thresholds, parameters, macs) = match &layer.op {
        LayerOp::Threshold(t) => ("threshold", None, t.values.len(), 0, 0),
        LayerOp::Dense(d) => of_dense("fully connected", d),
        LayerOp::Conv(conv) if conv.is_sum() => {
            let (_, _, thresholds, _, _) = of_dense("", &conv.dense);
            ("average pool", None, thresholds, 0, 0)
        }
        LayerOp::Conv(conv) if conv.is_depthwise() => of_dense("depthwise", &conv.dense),
        LayerOp::Conv(conv) => of_dense("convolution", &conv.dense),
        LayerOp::Pool(_) => ("pool", None, 0, 0, 0),
        LayerOp::ChannelAffine(a) => ("channel affine", None, 0, 2 * a.multipliers.len(), 0),
        LayerOp::LabelSelect { .. } => ("label select", None, 0, 0, 0),
    };
    LayerFacts {
        name: layer.name.clone(),
        nodes: layer.nodes.clone(),
        kind: kind.into(),
        inputs: inputs as u64,
        outputs: layer.elements() as u64,
        weight,
        input_type: element.to_string(),
        output_type: layer.element.to_string(),
        thresholds: thresholds as u64,
        parameters: (parameters + thresholds) as u64,
        macs: macs as u64,
    }
}

/// The report of a design.
pub(crate) fn report(design: &Design) -> Report {
    let facts = &design.facts;
    let board = &design.board;
    let engines = facts.engines.iter().map(|e| EngineFacts {
        name: e.name.clone(),
        kind: e.kind.clone(),
        folding: e.folding.clone(),
        cycles: e.cycles,
        luts: e.luts,
        ffs: e.ffs,
        bram36: e.bram36,
        dsps: e.dsps,
    });
    let mut notes = vec![
        "LUT, FF, block RAM and DSP figures are estimates before synthesis.".to_string(),
        format!("The output words carry {}.", design.manifest.output),
    ];
    if let Some(planes) = &design.network.input.planes {
        notes.push(input_note(planes));
    }
    for layer in &design.network.layers {
        if let LayerOp::ChannelAffine(a) = &layer.op {
            notes.push(format!(
                "`{}` is fixed point with {} bits after the point: at most {:.2e} from the float chain.",
                layer.name, a.frac, a.worst_error
            ));
        }
    }
    Report {
        name: design.dataflow.name.clone(),
        model: model_facts(&design.network, &design.manifest.model_sha256),
        board: BoardFacts {
            name: board.name.clone(),
            part: board.part.clone(),
            luts: board.luts.into(),
            ffs: board.ffs.into(),
            bram36: board.bram36.into(),
            dsps: board.dsps.into(),
        },
        luts: facts.luts,
        ffs: facts.ffs,
        bram36: facts.bram36,
        dsps: facts.dsps,
        ii_cycles: facts.ii_cycles,
        latency_cycles: facts.latency_cycles,
        fps: facts.fps,
        clock_mhz: facts.clock_mhz,
        engines: engines.collect(),
        fifos: buffers(design),
        accuracy: None,
        notes,
    }
}

/// What `--input-planes` does to a model.
pub fn input_note(planes: &InputPlanes) -> String {
    format!(
        "--input-planes changes the model: {}. Golden model, simulator and hardware agree on that.",
        planes.describe()
    )
}

/// Every place where words wait: FIFOs, input buffers, output queues.
fn buffers(design: &Design) -> Vec<FifoFacts> {
    let mut buffers = Vec::new();
    let mut push = |name: String, words: usize, bits: usize| {
        buffers.push(FifoFacts { name, words: words as u64, bits: bits as u64 });
    };
    for engine in &design.dataflow.engines {
        let input = &design.dataflow.streams[engine.input()];
        let (lanes, input) = (input.lanes, input.bits());
        let output = design.dataflow.streams[engine.output()].bits();
        let name = &engine.name;
        let queue = format!("{name} output queue");
        match &engine.kind {
            EngineKind::Input | EngineKind::Output => push(name.clone(), 2, input),
            EngineKind::Fifo { depth } => push(name.clone(), *depth, input),
            EngineKind::Fork { depth } => {
                for branch in 0..engine.outputs.len() {
                    push(format!("{name} branch {branch}"), *depth, input);
                }
            }
            EngineKind::Add(a) => {
                for (side, &stream) in engine.inputs.iter().enumerate() {
                    let bits = design.dataflow.streams[stream].bits();
                    push(format!("{name} input queue {side}"), a.depth, bits);
                }
                push(queue, a.credits, output);
            }
            EngineKind::Width => {}
            EngineKind::Threshold(t) => push(queue, t.credits, output),
            EngineKind::Mvu(m) => {
                if m.buffer_words > 0 {
                    push(format!("{name} input buffer"), m.buffer_words, input);
                }
                push(queue, m.credits, output);
            }
            EngineKind::Window(w) => {
                push(format!("{name} line buffers"), w.depth, input);
                push(queue, w.credits, output);
            }
            EngineKind::ParallelWindow(w) => {
                let delay = engines::parallel_window::Raster::of(w, lanes).delay();
                push(format!("{name} line delays"), delay, (w.window.kernel[0] - 1) * input);
                push(queue, w.credits, output);
            }
            EngineKind::Depthwise(d) => push(queue, d.credits, output),
            EngineKind::Pool(p) => push(queue, p.credits, output),
            EngineKind::ChannelAffine(a) => push(queue, a.credits, output),
            EngineKind::LabelSelect(l) => push(queue, l.credits, output),
        }
    }
    buffers
}
