//! Engines, streams and word layout of an accelerator: types only.
//!
//! What comes in: the folding search's decisions. What goes out: a checked [`Dataflow`], which the
//! simulator times, the RTL generator builds and `verify` compares. It holds facts about hardware
//! and no values: weights and thresholds stay with the streamlined network, found by layer name.
//!
//! ```
//! use dataflow::{Dataflow, Engine, EngineKind, Stream};
//! use tensor::ElementType;
//! let stream = |name: &str| Stream {
//!     name: name.into(), element: ElementType::Uint(8), lanes: 2, elements: 5, pixel: 5, from: 0, to: 0,
//! };
//! let mut s = [stream("s_axis"), stream("x")];
//! s[1].to = 1;
//! assert_eq!((s[0].words_per_frame(), s[0].bits()), (3, 16));
//! ```

mod engine;
mod network;

pub use engine::{
    Add, ChannelAffine, Depthwise, Dot, Engine, EngineKind, Frees, LabelSelect, MemoryStyle, Mvu,
    ParallelWindow, Pool, SlidingWindow, Threshold, Trees, windows_at_once,
};
pub use network::{Dataflow, OUTSIDE, Stream};
