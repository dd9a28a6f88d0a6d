//! The bits of every word, from the golden model, arranged as the streams carry them.

use dataflow::{Dataflow, Engine, EngineKind, ParallelWindow, SlidingWindow};
use engines::window::{Step, Walk};
use golden::Golden;
use streamline::{InputSpec, LayerOp, Streamlined};
use tensor::{Axis, ElementType, Map};

/// The values of a frame on every stream, in the order of the dataflow.
///
/// # Panics
/// If the dataflow was not made from the network: `emit` keeps them together.
pub fn frame_values(
    dataflow: &Dataflow,
    network: &Streamlined,
    golden: &Golden<'_>,
    frame: &[i64],
) -> Vec<Vec<i64>> {
    let mut values = vec![Vec::new(); dataflow.streams.len()];
    values[0] = frame.to_vec();
    let chain = dataflow.is_chain().then(|| golden.trace(frame));
    // For each stream of windows the stream of the map that they lie on: a layer reads the map.
    let mut maps: Vec<usize> = (0..values.len()).collect();
    for engine in &dataflow.engines {
        let input = engine.input();
        let output = match &engine.kind {
            EngineKind::Input
            | EngineKind::Output
            | EngineKind::Fifo { .. }
            | EngineKind::Fork { .. }
            | EngineKind::Width => {
                engine.outputs.iter().for_each(|&s| maps[s] = maps[input]);
                values[input].clone()
            }
            EngineKind::Add(_) => {
                let [x, y] = [0, 1].map(|side| &values[engine.inputs[side]]);
                x.iter().zip(y).map(|(x, y)| x + y).collect()
            }
            EngineKind::Window(unit) => {
                maps[engine.output()] = maps[input];
                windows(unit, dataflow.streams[input].lanes, &values[input])
            }
            EngineKind::ParallelWindow(unit) => {
                maps[engine.output()] = maps[input];
                let lanes = dataflow.streams[input].lanes / unit.pixels;
                parallel_windows(unit, lanes, &values[input])
            }
            EngineKind::Threshold(_)
            | EngineKind::Depthwise(_)
            | EngineKind::Pool(_)
            | EngineKind::Mvu(_)
            | EngineKind::ChannelAffine(_)
            | EngineKind::LabelSelect(_) => {
                let layer = layer_of(network, engine);
                match &chain {
                    Some(trace) => trace.outputs[layer].clone(),
                    None => {
                        let map = maps[input];
                        let element = dataflow.streams[map].element;
                        alone(network, layer, element, &values[map])
                    }
                }
            }
        };
        for &stream in &engine.outputs {
            values[stream].clone_from(&output);
        }
    }
    values
}

/// The layer of a computing engine, by index.
pub(crate) fn layer_of(network: &Streamlined, engine: &Engine) -> usize {
    let layer = network.layers.iter().position(|l| l.name == engine.layer);
    layer.expect("every computing engine has its layer")
}

/// What a layer makes of the elements that it reads, wherever they come from.
fn alone(network: &Streamlined, layer: usize, element: ElementType, values: &[i64]) -> Vec<i64> {
    let layer = network.layers[layer].clone();
    let map = match &layer.op {
        LayerOp::Conv(conv) => conv.input,
        LayerOp::Pool(pool) => pool.input,
        LayerOp::Dense(_) | LayerOp::LabelSelect { .. } => Map::vector(values.len()),
        LayerOp::Threshold(_) | LayerOp::ChannelAffine(_) => layer.map,
    };
    let input = InputSpec { element, map, ..network.input.clone() };
    let single = Streamlined { input, layers: vec![layer], ..network.clone() };
    let golden = Golden::new(&single);
    let mut scratch = golden.scratch();
    golden.run_into(values, &mut scratch);
    scratch.layer(0).to_vec()
}

/// The elements that a sliding window unit puts out for a frame.
fn windows(unit: &SlidingWindow, lanes: usize, frame: &[i64]) -> Vec<i64> {
    let walk = Walk::of(unit, lanes);
    let mut out = Vec::with_capacity(walk.windows() * walk.steps() * lanes);
    for window in 0..walk.windows() {
        for step in 0..walk.steps() {
            let Step { word, part, place } = walk.step(window, step);
            match word {
                Some(word) => out.extend_from_slice(&frame[word * lanes..][..lanes]),
                None => {
                    let around = |lane| unit.padding.at(place, part * lanes + lane);
                    out.extend((0..lanes).map(around));
                }
            }
        }
    }
    out
}

/// The elements that a parallel window unit puts out for a frame: by word of channels, window, tap.
pub(crate) fn parallel_windows(unit: &ParallelWindow, lanes: usize, frame: &[i64]) -> Vec<i64> {
    let (map, window) = (unit.map, unit.window);
    let outputs = window.over(map, 1).expect("checked: a window fits");
    let mut out = Vec::with_capacity(outputs.pixels() * window.taps() * map.channels);
    for first in (0..outputs.pixels()).step_by(unit.windows()) {
        for part in 0..map.channels / lanes {
            let channels = part * lanes..(part + 1) * lanes;
            for at in first..first + unit.windows() {
                let (y, x) = (at / outputs.width, at % outputs.width);
                for tap in 0..window.taps() {
                    let (ky, kx) = (tap / window.kernel[1], tap % window.kernel[1]);
                    let row = window.place(Axis::Rows, y, ky, map.height);
                    let column = window.place(Axis::Columns, x, kx, map.width);
                    match row.zip(column) {
                        Some((row, column)) => {
                            let pixel = &frame[(row * map.width + column) * map.channels..];
                            out.extend_from_slice(&pixel[channels.clone()]);
                        }
                        None => {
                            let [stride, dilation] = [window.stride, window.dilation];
                            let row = y * stride[0] + ky * dilation[0];
                            let place = [row, x * stride[1] + kx * dilation[1]];
                            let around = |channel| unit.padding.at(place, channel);
                            out.extend(channels.clone().map(around));
                        }
                    }
                }
            }
        }
    }
    out
}
