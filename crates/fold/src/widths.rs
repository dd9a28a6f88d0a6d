//! Widths of accumulators, looked for once: they depend on all weights of a layer.

use dataflow::Dot;
use std::cell::RefCell;
use std::collections::HashMap;

/// What is known of accumulators, by layer and by how products are added up.
#[derive(Debug, Default)]
pub(crate) struct Widths {
    known: RefCell<HashMap<String, OfLayer>>,
}

type OfLayer = HashMap<(&'static str, bool), u32>;

impl Widths {
    /// The width for a layer and what it counts, found by `find` when it is asked for first.
    pub(crate) fn of(&self, layer: &str, counts: (Dot, bool), find: impl FnOnce() -> u32) -> u32 {
        let counts = (counts.0.name(), counts.1);
        let known = self.known.borrow().get(layer).and_then(|of| of.get(&counts)).copied();
        known.unwrap_or_else(|| {
            let bits = find();
            self.known.borrow_mut().entry(layer.into()).or_default().insert(counts, bits);
            bits
        })
    }
}
