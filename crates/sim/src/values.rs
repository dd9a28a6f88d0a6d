//! The bits of every word, from the golden model, arranged as the streams carry them.

use dataflow::{Dataflow, EngineKind};
use golden::Golden;
use streamline::Streamlined;
use tensor::words;

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
            EngineKind::Threshold(_)
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

/// The words of a frame on every stream: little-endian bytes, word after word.
pub fn frame_words(
    dataflow: &Dataflow,
    network: &Streamlined,
    golden: &Golden<'_>,
    frame: &[i64],
) -> Vec<Vec<u8>> {
    let values = frame_values(dataflow, network, golden, frame);
    let packed = |(stream, values): (&dataflow::Stream, &Vec<i64>)| {
        words::pack(stream.element, stream.lanes, values)
    };
    dataflow.streams.iter().zip(&values).map(packed).collect()
}
