//! Networks and bare engines for the whole chain, and the Verilator builds that run them.
//!
//! What comes in: a seed, or a point of a grid. What goes out: a [`Case`]: a design with its name,
//! built and run together with many others in one [`Bundle`].

mod bare;
mod binary;
mod bundle;
mod case;
mod draw;
mod folding;
mod growing;
mod maps;
mod meaning;
mod pieces;
mod random;

pub use bare::{Bare, Words, bare, width_steps};
pub use binary::binary_layer;
pub use bundle::{Bundle, Unit, build_folder};
pub use case::{Case, Timed, prepare, verify_all, verify_more};
pub use draw::Draw;
pub use folding::random_fold;
pub use growing::{Growing, Loose};
pub use maps::random_map_network;
pub use meaning::equals_reference;
pub use pieces::Pieces;
pub use random::{RandomNetwork, random_network};
