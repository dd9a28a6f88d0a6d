//! The facts of a design, for its report.

use crate::Design;
use dataflow::{EngineKind, Stream};
use fold::Board;
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
    let engines = facts.engines.iter().map(|e| EngineFacts {
        name: e.name.clone(),
        kind: e.kind.clone(),
        folding: e.folding.clone(),
        cycles: e.cycles,
        luts: e.luts,
        ffs: e.ffs,
        bram36: e.bram36,
        dsps: e.dsps,
        luts_error: e.luts_error,
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
    let fifos = buffers(design);
    Report {
        name: design.dataflow.name.clone(),
        model: model_facts(&design.network, &design.manifest.model_sha256),
        board: board_facts(&design.board),
        luts: facts.luts,
        ffs: facts.ffs,
        bram36: facts.bram36,
        dsps: facts.dsps,
        ii_cycles: facts.ii_cycles,
        latency_cycles: facts.latency_cycles,
        fps: facts.fps,
        clock_mhz: facts.clock_mhz,
        gap: facts.gap,
        engines: engines.collect(),
        fifo_bits: fifos.iter().map(|f| f.words * f.bits).sum(),
        tensor_bits: fifos.iter().map(|f| f.tensor_words.unwrap_or(f.words) * f.bits).sum(),
        fifos,
        accuracy: None,
        notes,
    }
}

/// What a report says of a board.
pub fn board_facts(board: &Board) -> BoardFacts {
    BoardFacts {
        name: board.name.clone(),
        part: board.part.clone(),
        luts: board.luts.into(),
        ffs: board.ffs.into(),
        bram36: board.bram36.into(),
        dsps: board.dsps.into(),
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
    for engine in &design.dataflow.engines {
        let stream = |s: usize| &design.dataflow.streams[s];
        let input = stream(engine.input());
        let fewest = design.facts.fewest_words.get(&engine.name).map(|&words| words as u64);
        let buffer = |name: &str, words: usize, stream: &Stream| FifoFacts {
            name: format!("{}{name}", engine.name),
            words: words as u64,
            bits: stream.bits() as u64,
            fewest_words: None,
            tensor_words: Some(stream.words_per_frame() as u64),
        };
        let sized = |name: &str, words: usize, stream: &Stream| FifoFacts {
            fewest_words: fewest,
            ..buffer(name, words, stream)
        };
        let queue = |credits: usize| buffer(" output queue", credits, stream(engine.output()));
        match &engine.kind {
            EngineKind::Input | EngineKind::Output => buffers.push(buffer("", 2, input)),
            EngineKind::Fifo { depth } => buffers.push(sized("", *depth, input)),
            EngineKind::Fork { depth } => {
                let branches = 0..engine.outputs.len();
                buffers.extend(branches.map(|b| sized(&format!(" branch {b}"), *depth, input)));
            }
            EngineKind::Add(a) => {
                for (side, &s) in engine.inputs.iter().enumerate() {
                    buffers.push(sized(&format!(" input queue {side}"), a.depth, stream(s)));
                }
                buffers.push(queue(a.credits));
            }
            EngineKind::Width => {}
            EngineKind::Threshold(t) => buffers.push(queue(t.credits)),
            EngineKind::Mvu(m) => {
                if m.buffer_words > 0 {
                    buffers.push(sized(" input buffer", m.buffer_words, input));
                }
                buffers.push(queue(m.credits));
            }
            EngineKind::Window(w) => {
                buffers.push(sized(" line buffers", w.depth, input));
                buffers.push(FifoFacts { tensor_words: None, ..queue(w.credits) });
            }
            EngineKind::ParallelWindow(w) => {
                let delay = engines::parallel_window::Raster::of(w, input.lanes).delay();
                let bits = ((w.window.kernel[0] - 1) * input.bits()) as u64;
                let delays = buffer(" line delays", delay, input);
                buffers.push(FifoFacts { bits, tensor_words: None, ..delays });
                buffers.push(FifoFacts { tensor_words: None, ..queue(w.credits) });
            }
            EngineKind::Depthwise(d) => buffers.push(queue(d.credits)),
            EngineKind::Pool(p) => buffers.push(queue(p.credits)),
            EngineKind::ChannelAffine(a) => buffers.push(queue(a.credits)),
            EngineKind::LabelSelect(l) => buffers.push(queue(l.credits)),
        }
    }
    buffers
}
