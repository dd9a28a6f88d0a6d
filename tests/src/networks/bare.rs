//! Single engines between the two adapters, without a network around them.

use super::Growing;
use dataflow::EngineKind;
use diagnostic::Diagnostic;
use emit::Design;
use streamline::LayerOp;
use tensor::{ElementType, Map};

/// What a stream carries: maps, pixel by pixel.
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// Type of an element.
    pub element: ElementType,
    /// Elements of a word.
    pub lanes: usize,
    /// A frame.
    pub map: Map,
}

/// Vectors: type, lanes and elements of a frame.
impl From<(ElementType, usize, usize)> for Words {
    fn from((element, lanes, elements): (ElementType, usize, usize)) -> Self {
        Self { element, lanes, map: Map::vector(elements) }
    }
}

/// An engine with what it computes.
#[derive(Debug, Clone)]
pub struct Bare {
    /// What it is.
    pub kind: EngineKind,
    /// What it computes; nothing for infrastructure.
    pub layer: Option<LayerOp>,
    /// What comes out.
    pub output: Words,
}

/// A design with `engines` between the adapters.
///
/// # Errors
/// When the engines do not fit each other, or the design stands still.
pub fn bare(name: &str, input: Words, engines: &[Bare]) -> Result<Design, Diagnostic> {
    let (mut growing, mut last) = Growing::new(name, input);
    for engine in engines {
        last = growing.add(last, engine);
    }
    growing.finish(last)
}

/// The lanes that a word goes through from `from` to `to`: by way of their least common multiple
/// when neither divides the other.
pub fn width_steps(from: usize, to: usize) -> Vec<usize> {
    if from == to {
        Vec::new()
    } else if from.is_multiple_of(to) || to.is_multiple_of(from) {
        vec![to]
    } else {
        let common = (1..=from * to).find(|n| n.is_multiple_of(from) && n.is_multiple_of(to));
        vec![common.unwrap_or(from * to), to]
    }
}
