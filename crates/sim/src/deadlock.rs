//! Who waits for whom when nothing moves.

use crate::stream::Stream;
use crate::units::Unit;
use dataflow::{Dataflow, OUTSIDE};
use diagnostic::{Code, Diagnostic};

/// The error of a design that stands still before the end of frame `frames`: it names the ring of
/// engines that wait for each other.
pub(crate) fn report(
    dataflow: &Dataflow,
    streams: &[Stream],
    units: &[Box<dyn Unit>],
    frames: usize,
) -> Diagnostic {
    let missing = |&s: &usize| !streams[s].moves().has_moved(frames);
    let stuck = (0..streams.len()).rev().find(missing).unwrap_or(0);
    let mut path: Vec<usize> = Vec::new();
    let mut at = Some(stuck);
    while let Some(stream) = at.filter(|stream| !path.contains(stream)) {
        path.push(stream);
        at = waits_for(dataflow, streams, units, stream).into_iter().find(missing);
    }
    let start = path.iter().position(|&s| Some(s) == at).unwrap_or(0);
    let mut ring: Vec<&str> = Vec::new();
    for &s in &path[start..] {
        // The engine that stands between this stream and the one that it waits for.
        let of = &dataflow.streams[s];
        let engine = if streams[s].room() > 0 { of.from } else { of.to };
        if let Some(engine) = dataflow.engines.get(engine)
            && !ring.contains(&engine.name.as_str())
        {
            ring.push(&engine.name);
        }
    }
    let first = path[start];
    let (name, words) = (&dataflow.streams[first].name, streams[first].len());
    let text = format!(
        "stream `{name}` stands still after {words} words; waiting for each other: {}",
        ring.join(" <- ")
    );
    Diagnostic::new(Code::Deadlock, text)
        .node(name.clone())
        .hint("deepen the FIFO of the branch that is full, or let `build` choose the depths")
}

/// The streams that a stream's next word waits for.
fn waits_for(
    dataflow: &Dataflow,
    streams: &[Stream],
    units: &[Box<dyn Unit>],
    stream: usize,
) -> Vec<usize> {
    let of = &dataflow.streams[stream];
    // Nobody takes the word, or nobody brings it.
    let index = if streams[stream].room() == 0 { of.to } else { of.from };
    if index == OUTSIDE {
        return Vec::new();
    }
    let mut waits = units[index].starving(streams);
    waits.retain(|&s| s != stream);
    if waits.is_empty() {
        waits.clone_from(&dataflow.engines[index].outputs);
        // Of several branches the one that is furthest behind.
        waits.sort_by_key(|&s| streams[s].len());
        waits.retain(|&s| s != stream);
    }
    waits
}
