//! The bits of every word, from the golden model, arranged as the streams carry them.

use dataflow::{Dataflow, EngineKind, ParallelWindow, SlidingWindow};
use engines::window::{Step, Walk};
use golden::Golden;
use streamline::Streamlined;
use tensor::{Axis, words};

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
    let trace = golden.trace(frame);
    let mut values = vec![frame.to_vec()];
    for engine in &dataflow.engines {
        let output = match &engine.kind {
            EngineKind::Input
            | EngineKind::Output
            | EngineKind::Fifo { .. }
            | EngineKind::Width => values[engine.input].clone(),
            EngineKind::Window(unit) => {
                windows(unit, dataflow.streams[engine.input].lanes, &values[engine.input])
            }
            EngineKind::ParallelWindow(unit) => {
                let lanes = dataflow.streams[engine.input].lanes / unit.pixels;
                parallel_windows(unit, lanes, &values[engine.input])
            }
            EngineKind::Threshold(_)
            | EngineKind::Depthwise(_)
            | EngineKind::Pool(_)
            | EngineKind::Mvu(_)
            | EngineKind::ChannelAffine(_)
            | EngineKind::LabelSelect(_) => {
                let layer = network.layers.iter().position(|l| l.name == engine.layer);
                trace.outputs[layer.expect("every computing engine has its layer")].clone()
            }
        };
        values.push(output);
    }
    values
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
fn parallel_windows(unit: &ParallelWindow, lanes: usize, frame: &[i64]) -> Vec<i64> {
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

/// The words of a frame on every stream: little-endian bytes, word after word.
pub fn frame_words(
    dataflow: &Dataflow,
    network: &Streamlined,
    golden: &Golden<'_>,
    frame: &[i64],
) -> Vec<Vec<u8>> {
    let values = frame_values(dataflow, network, golden, frame);
    let packed = |(stream, values): (&dataflow::Stream, &Vec<i64>)| {
        let pixels = values.chunks(stream.pixel);
        pixels.flat_map(|pixel| words::pack(stream.element, stream.lanes, pixel)).collect()
    };
    dataflow.streams.iter().zip(&values).map(packed).collect()
}
