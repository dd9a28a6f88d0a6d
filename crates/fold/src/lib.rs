//! Folding: how many rows (PE) and columns (SIMD) of each layer work in parallel.
//!
//! What comes in: a [`Streamlined`](streamline::Streamlined) network, a [`Board`] and a
//! [`Target`], or a [`Fold`] file. What goes out: a [`Folded`] design: the fold, the
//! [`Dataflow`](dataflow::Dataflow) with its buffers sized by the simulator, and its figures.
//!
//! Streams in a dataflow are named after the engine that writes them: `<engine>_out`; the first is
//! `s_axis`, the last `m_axis`.

mod board;
mod build;
mod choices;
mod depth;
mod depthwise;
mod design;
mod explore;
mod file;
mod front;
mod goal;
mod limits;
mod map_units;
mod mvu;
mod search;
mod size;
mod splice;
mod widths;
mod windows;
mod wired;

pub use board::Board;
pub use build::dataflow;
pub use design::{EngineFacts, Facts, Folded, refold};
pub use explore::{explore, size_all};
pub use file::{Fold, LayerFold};
pub use goal::{Target, fold};
pub use map_units::default_ring;
pub use size::{Sizing, size};
pub use windows::pixels_at_once;
