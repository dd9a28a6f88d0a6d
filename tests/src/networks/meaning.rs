//! Reference (float64) against golden (integers), where they can be compared.

use super::RandomNetwork;
use golden::{Golden, Outcome};
use graph::{Graph, NodeId, Op, PoolKind};
use reference::Reference;
use std::collections::BTreeMap;
use streamline::{Frames, InputPlanes, InputRule, LayerOp, Streamlined};

/// Whether the float network and the integer network mean the same.
///
/// # Errors
/// The first frame and output that differ.
pub fn equals_reference(
    network: &RandomNetwork,
    streamlined: &Streamlined,
    frames: &Frames,
) -> Result<(), String> {
    let reduced = streamlined.input.planes.as_ref().map(|p| with_planes(&network.graph, p));
    let graph = reduced.as_ref().unwrap_or(&network.graph);
    let output = graph.output_id().ok_or("no output")?;
    let (numbers_node, top_k) = match graph.node(output).op {
        Op::TopK { k, largest } => (graph.inputs_of(output)[0], Some((k, largest))),
        _ => (output, None),
    };
    let softmax = has_softmax(graph, numbers_node);
    let affine = streamlined.layers.iter().find_map(|l| match &l.op {
        LayerOp::ChannelAffine(a) => Some(a.worst_error),
        LayerOp::Threshold(_)
        | LayerOp::Dense(_)
        | LayerOp::Conv(_)
        | LayerOp::Pool(_)
        | LayerOp::LabelSelect { .. } => None,
    });
    let selects = match streamlined.layers.last().map(|l| &l.op) {
        Some(LayerOp::LabelSelect { k, .. }) => Some(*k),
        _ => None,
    };
    let golden = Golden::new(streamlined);
    let reference = Reference::new(graph);
    for (f, frame) in frames.iter().enumerate() {
        let values = model_values(streamlined, frame);
        let trace = reference.trace::<f64>(&values);
        let name = &graph.node(numbers_node).name;
        let wanted = &trace[name];
        // What float32 makes of the same network: gains behind a difference enlarge its rounding.
        let single = &reference.trace::<f32>(&values)[name];
        let apart = wanted.iter().zip(single).map(|(w, s)| (w - f64::from(*s)).abs());
        let apart = apart.fold(0.0, f64::max);
        let outcome = golden.run(frame);
        let tolerance = rounding(graph, numbers_node, &trace)
            + 4.0 * apart
            + affine.map_or(0.0, |error| behind_tail(streamlined, &golden, &outcome, error));
        let compared = match selects {
            Some(k) => {
                let exact = network.exact && affine.is_none() && !softmax;
                let largest = top_k.is_none_or(|(_, largest)| largest);
                let margin = if exact { 0.0 } else { 2.0 * tolerance };
                indices(wanted, &outcome, k, largest, margin, exact)
            }
            None => numbers(wanted, &golden.model_output(&outcome), tolerance),
        };
        compared.map_err(|e| format!("reference and golden differ in frame {f}: {e}"))?;
    }
    Ok(())
}

/// What an error of the fixed-point numbers becomes behind the operators that follow them.
fn behind_tail(network: &Streamlined, golden: &Golden<'_>, outcome: &Outcome, error: f64) -> f64 {
    let scale = network.output.scores.scale.iter().fold(f64::INFINITY, |m, s| m.min(s.abs()));
    let off = (error / scale).ceil() as i64 + 1;
    let numbers = outcome.numbers.iter().map(|n| n + off).collect();
    let moved = golden.model_output(&Outcome { numbers, ..outcome.clone() });
    let pairs = golden.model_output(outcome).into_iter().zip(moved);
    pairs.map(|(a, b)| f64::from((a - b).abs())).fold(error, f64::max)
}

/// The graph with the quantizer of `--input-planes` in front of its first layer.
fn with_planes(graph: &Graph, planes: &InputPlanes) -> Graph {
    let mut reduced = Graph::new(&graph.name);
    reduced.class_rule = graph.class_rule;
    let chain = graph.chain().expect("random networks are chains");
    let first = &graph.node(chain[0]);
    let Op::Input { annotation } = first.op else { unreachable!("a chain starts at the input") };
    let mut at = reduced.input(&first.name, first.shape.clone(), annotation);
    let mut found = false;
    for &id in &chain[1..] {
        let node = graph.node(id);
        let layer = match node.op {
            Op::MatMul(_) | Op::Conv(_) => true,
            Op::Pool(pool) => pool.kind != PoolKind::Max,
            _ => false,
        };
        if !found && layer {
            let op = Op::Elementwise(planes.operator());
            let shape = reduced.node(at).shape.clone();
            at = reduced.add("input_planes", "Quant", op, at, shape);
            found = true;
        }
        at = reduced.add(&node.name, &node.source, node.op.clone(), at, node.shape.clone());
    }
    reduced.set_output(at);
    reduced
}

fn numbers(wanted: &[f64], found: &[f32], tolerance: f64) -> Result<(), String> {
    if wanted.len() != found.len() {
        return Err(format!("{} outputs in place of {}", found.len(), wanted.len()));
    }
    let pairs = wanted.iter().zip(found).enumerate();
    match pairs.into_iter().find(|(_, (w, g))| (*w - f64::from(**g)).abs() > tolerance) {
        None => Ok(()),
        Some((i, (w, g))) => Err(format!("output {i} is {g} in place of {w}")),
    }
}

/// The indices that golden chose must have the values that the reference's choice has.
fn indices(
    values: &[f64],
    outcome: &Outcome,
    k: usize,
    largest: bool,
    margin: f64,
    exact: bool,
) -> Result<(), String> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = if largest { (values[b], values[a]) } else { (values[a], values[b]) };
        // Not total_cmp: -0 and +0 are a tie.
        a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal)
    });
    for (rank, &wanted) in order[..k].iter().enumerate() {
        let found = outcome.output[rank] as usize;
        let far = (values[wanted] - values[found]).abs() > margin;
        if far || (exact && wanted != found) {
            let text = format!("index {found} in place of {wanted} at rank {rank} of {values:?}");
            return Err(text);
        }
    }
    Ok(())
}

/// What float32 parameters may make of `node`: a share of the largest value on the way from the last
/// sums, since what comes out may be a difference of much larger terms, and of the terms of a sum.
fn rounding(graph: &Graph, node: NodeId, trace: &BTreeMap<String, Vec<f64>>) -> f64 {
    let (mut at, mut largest) = (node, 0.0f64);
    let most = |values: &[f64]| values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    loop {
        let here = graph.node(at);
        largest = largest.max(most(&trace[&here.name]));
        let weights = match &here.op {
            Op::MatMul(weights) => weights,
            Op::Conv(conv) => &conv.weights,
            Op::Input { .. } | Op::TopK { .. } => return 3e-6 * largest,
            Op::Elementwise(_)
            | Op::Pool(_)
            | Op::Pad { .. }
            | Op::Transpose(_)
            | Op::Softmax
            | Op::Reshape => {
                at = graph.inputs_of(at)[0];
                continue;
            }
        };
        let weight = weights.values.iter().fold(0.0f64, |m, &w| m.max(f64::from(w).abs()));
        let input = most(&trace[&graph.node(graph.inputs_of(at)[0]).name]);
        return 3e-6 * largest + 1e-7 * weight * input * weights.values.ncols() as f64;
    }
}

fn has_softmax(graph: &Graph, node: NodeId) -> bool {
    matches!(graph.node(node).op, Op::Softmax)
}

/// A frame of integers in stream order as the float tensor that the model takes.
fn model_values(network: &Streamlined, frame: &[i64]) -> Vec<f32> {
    let mut values = vec![0.0; frame.len()];
    for (&n, place) in frame.iter().zip(network.input.stream_to_model()) {
        values[place] = match network.input.rule {
            InputRule::PixelOver255 => n as f32 / 255.0,
            InputRule::PixelTimes(factor) => n as f32 * factor,
            InputRule::Unchanged => n as f32,
        };
    }
    values
}
