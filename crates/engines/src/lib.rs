//! Timing and cost of each engine.
//!
//! What comes in: an engine of a [`dataflow::Dataflow`] with its streams. What goes out: its
//! [`Timing`] (from which the simulator computes the cycle of every word) and its [`Resources`].
//! One folder for each engine holds `cycles.rs` and `cost.rs`; the hardware in `rtl` is built apart
//! from both, so that the two meanings of an engine's time check each other.

mod calibration;
mod fits;
mod resources;
mod timing;

pub mod affine;
pub mod depthwise;
pub mod label_select;
pub mod mvu;
pub mod parallel_window;
pub mod pool;
pub mod stream;
pub mod threshold;
pub mod window;

pub use calibration::Fit;
pub use resources::{Resources, full_block_ram, full_lut_ram, lut_ram, rom};
pub use timing::{Compute, Shifting, Sliding, Timing, cycles_per_frame, full_rate_credits, timing};

use dataflow::{Dataflow, EngineKind};

/// The estimated resources of an engine: what its formulas say, brought to what synthesis makes.
pub fn cost(dataflow: &Dataflow, engine: usize) -> Resources {
    let said = formula(dataflow, engine);
    Fit::of(dataflow.engines[engine].kind.name()).map_or(said, |fit| fit.apply(said))
}

/// What the formulas of an engine say.
fn formula(dataflow: &Dataflow, engine: usize) -> Resources {
    let e = &dataflow.engines[engine];
    let (input, output) = (&dataflow.streams[e.input()], &dataflow.streams[e.output()]);
    match &e.kind {
        EngineKind::Input | EngineKind::Output => stream::adapter_cost(input),
        EngineKind::Fifo { depth } => stream::fifo_cost(*depth, input.bits()),
        EngineKind::Fork { depth } => {
            (0..e.outputs.len()).map(|_| stream::fifo_cost(*depth, input.bits())).sum()
        }
        EngineKind::Add(a) => {
            let inputs = e.inputs.iter().map(|&s| dataflow.streams[s].bits());
            stream::add_cost(a, inputs, output)
        }
        EngineKind::Width => stream::width_cost(input, output),
        EngineKind::Threshold(t) => threshold::cost(t, input, output),
        EngineKind::Window(w) => window::cost(w, input),
        EngineKind::ParallelWindow(w) => parallel_window::cost(w, input, output),
        EngineKind::Mvu(m) => mvu::cost(m, input, output),
        EngineKind::Depthwise(d) => depthwise::cost(d, input, output),
        EngineKind::Pool(p) => pool::cost(p, input, output),
        EngineKind::ChannelAffine(a) => affine::cost(a, input, output),
        EngineKind::LabelSelect(l) => label_select::cost(l, input, output),
    }
}
