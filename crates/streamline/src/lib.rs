//! From the imported float graph to integers, thresholds and fixed point.
//!
//! What comes in: a checked [`graph::Graph`]. What goes out: [`Streamlined`], which holds no float
//! that decides anything. One rule does the work of the usual long list of rewrites: the operators
//! between two linear layers are *evaluated*, as the training framework would, on the integers that
//! can occur there, and what comes out is written down as thresholds (see `decide`).
//!
//! ```
//! use graph::{Elementwise, Graph, Op, Param, Weights};
//! use tensor::ElementType;
//! let mut g = Graph::new("tiny");
//! let x = g.input("x", vec![1, 2], Some(ElementType::Bipolar));
//! let values = ndarray::array![[1.0f32, -1.0]];
//! let w = Op::MatMul(Weights { values, quantized: None });
//! let y = g.add("fc", "MatMul", w, x, vec![1, 1]);
//! let sign = Op::Elementwise(Elementwise::BipolarQuant { scale: Param::scalar(1.0) });
//! let z = g.add("sign", "BipolarQuant", sign, y, vec![1, 1]);
//! g.set_output(z);
//! let s = streamline::streamline(&g, &streamline::Options::default()).unwrap();
//! assert_eq!(s.layers.len(), 1);
//! ```

mod channels;
mod close;
mod decide;
mod edges;
mod input;
mod lattice;
mod layers;
mod layout;
mod linear;
mod lower;
mod network;
mod output;
mod padding;
mod planes;
mod segment;
mod text;

pub use input::{Frames, InputOptions};
pub use lower::{Decide, Head, Options, streamline};
pub use network::{
    Borders, ChannelAffine, Conv, Dense, InputRule, InputSpec, KnifeEdge, Layer, LayerOp,
    OutputSpec, Padding, Pool, SMALL_MARGIN, Scores, Streamlined, Thresholds,
};
pub use planes::InputPlanes;
