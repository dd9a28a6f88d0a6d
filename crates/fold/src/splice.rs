//! FIFOs put into a dataflow and taken out of it.

use dataflow::{Dataflow, Engine, EngineKind, OUTSIDE, Stream};

/// Puts a FIFO that holds nothing yet at the end of a stream between two engines.
pub(crate) fn insert(dataflow: &mut Dataflow, stream: usize) {
    let reader = dataflow.streams[stream].to;
    for engine in &mut dataflow.engines {
        let ends = engine.inputs.iter_mut().chain(&mut engine.outputs);
        ends.filter(|s| **s > stream).for_each(|s| *s += 1);
    }
    for stream in &mut dataflow.streams {
        let ends = [&mut stream.from, &mut stream.to];
        ends.into_iter().filter(|e| **e != OUTSIDE && **e >= reader).for_each(|e| *e += 1);
    }
    let name = format!("{}_fifo", dataflow.streams[stream].name);
    let output = Stream {
        name: format!("{name}_out"),
        from: reader,
        to: reader + 1,
        ..dataflow.streams[stream].clone()
    };
    dataflow.streams[stream].to = reader;
    dataflow.streams.insert(stream + 1, output);
    let reads = &mut dataflow.engines[reader].inputs;
    reads.iter_mut().filter(|s| **s == stream).for_each(|s| *s += 1);
    let fifo = Engine {
        name,
        layer: String::new(),
        inputs: vec![stream],
        outputs: vec![stream + 1],
        kind: EngineKind::Fifo { depth: 0 },
    };
    dataflow.engines.insert(reader, fifo);
}

/// The dataflow without the FIFOs that hold nothing.
pub(crate) fn without_empty(dataflow: &Dataflow) -> Dataflow {
    let mut short = dataflow.clone();
    let empty: Vec<usize> = (0..short.engines.len())
        .filter(|&e| short.engines[e].kind == EngineKind::Fifo { depth: 0 })
        .collect();
    for &engine in empty.iter().rev() {
        remove(&mut short, engine);
    }
    short
}

/// Takes out an engine whose output words are its input words.
fn remove(dataflow: &mut Dataflow, engine: usize) {
    let gone = dataflow.engines.remove(engine);
    let (input, output) = (gone.input(), gone.output());
    let behind = dataflow.streams.remove(output);
    dataflow.streams[input].to = behind.to;
    // The reader may look at the words as other pixels.
    dataflow.streams[input].pixel = behind.pixel;
    for stream in &mut dataflow.streams {
        let ends = [&mut stream.from, &mut stream.to];
        ends.into_iter().filter(|e| **e != OUTSIDE && **e > engine).for_each(|e| *e -= 1);
    }
    for engine in &mut dataflow.engines {
        for stream in engine.inputs.iter_mut().chain(&mut engine.outputs) {
            if *stream == output {
                *stream = input;
            }
            *stream -= usize::from(*stream > output);
        }
    }
}
