//! The network as imported: a typed graph of float operators.
//!
//! What comes in: nodes from an importer. What goes out: a checked [`Graph`] whose operators are a
//! closed enum, so that the compiler lists every place that a new operator touches. Constants are
//! folded into the operators; what is left has one data input each.
//!
//! [`Elementwise`] also holds the *meaning* of each elementwise operator on one scalar, in float32
//! or float64 ([`Real`]): the reference executor and streamlining both evaluate it.
//!
//! ```
//! use graph::{Elementwise, Graph, Op, Param};
//! let mut graph = Graph::new("tiny");
//! let x = graph.input("x", vec![1, 4], None);
//! let y = graph.add("double", "Mul", Op::Elementwise(Elementwise::mul(Param::scalar(2.0))), x, vec![1, 4]);
//! graph.set_output(y);
//! graph.check().unwrap();
//! ```

mod check;
mod elementwise;
mod network;
mod op;
mod param;
mod real;
mod weights;

pub use elementwise::{Arithmetic, BoundElementwise, Comparison, Direction, Elementwise, Rounding};
pub use network::{ClassRule, Graph, Node, NodeId};
pub use op::{Conv, Op, Pool, PoolKind};
pub use param::Param;
pub use real::Real;
pub use weights::{QuantizedWeights, Weights};
