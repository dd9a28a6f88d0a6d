//! A network with residual connections: its streams part and meet.

use dataflow::Add;
use diagnostic::Code;
use emit::Design;
use std::path::Path;
use tensor::{ElementType, Map, Window};
use tests::networks::{Draw, Growing, Pieces, Words};

/// Forks, each with the sum of its branches.
const BLOCKS: usize = 3;

/// Writes the output folder.
pub(crate) fn write(folder: &Path) {
    let design = design();
    let frames = emit::seeded_frames(&design.network.input, 1, 4);
    emit::folder::write(folder, &design.files(&frames).unwrap()).unwrap();
}

/// The design with the shortest queues, by factors of two, that does not stand still.
fn design() -> Design {
    for depth in (1..16).map(|n| 1 << n) {
        match blocks(depth) {
            Ok(design) => return design,
            Err(e) if e.code == Code::Deadlock => {}
            Err(e) => panic!("{e}"),
        }
    }
    panic!("it stands still with all queues")
}

/// In each block two 3x3 convolutions beside a FIFO.
fn blocks(depth: usize) -> diagnostic::Result<Design> {
    let map = Map { height: 16, width: 16, channels: 16 };
    let element = ElementType::Uint(2);
    let (growing, mut at) = Growing::new("fork_add", Words { element, lanes: 8, map });
    let mut pieces = Pieces { growing, draw: Draw::new(7) };
    let window = Window { before: [1, 1], after: [1, 1], ..Window::of([3, 3]) };
    for _ in 0..BLOCKS {
        let branches = pieces.growing.fork(at, 2, 2);
        let first = pieces.convolution(branches[0], window, element);
        let second = pieces.convolution(first, window, element);
        let past = pieces.fifo(branches[1], depth);
        let sum = pieces.growing.meet([second, past], Add { depth: 2, credits: 2 });
        at = pieces.threshold(sum, element);
    }
    pieces.growing.finish(at)
}
