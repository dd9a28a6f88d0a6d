//! The hardware of each engine, one file each, built through [`hdl`].
//!
//! What comes in: a [`Dataflow`] and the [`Streamlined`] network that it computes. What goes out:
//! [`Rtl`]: Verilog modules, one a file, and the contents of their memories. Every engine has the
//! ports `clk rst s_data s_valid s_ready m_data m_valid m_ready` and keeps the stream contract:
//! valid never waits for ready, a stalled word holds, ready and valid are low in reset, and no
//! combinational path leads from `m_ready` to `s_ready`.
//!
//! Pipelines never stall: a step is taken only when the output queue has room for its result (a
//! *credit*), so no stall wire crosses the engine.

mod adapter;
mod adders;
mod affine;
mod bisect;
mod borders;
mod branches;
mod carries;
mod context;
mod control;
mod count;
mod depthwise;
mod dot;
mod fifo;
mod label_select;
mod mvu;
mod nest;
mod parallel_window;
mod pool;
mod popcount;
mod surround;
mod thermometer;
mod threshold;
mod top;
mod width;
mod window;
mod wired;

pub use compressors::Primitives;

use context::Context;
use dataflow::{Dataflow, Dot, EngineKind};
use std::collections::BTreeMap;
use streamline::Streamlined;

/// The generated hardware.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rtl {
    /// Verilog files by name, one module each.
    pub verilog: BTreeMap<String, String>,
    /// Memory files (`$readmemh`) by name.
    pub memories: BTreeMap<String, String>,
    /// Models of the primitives that are instantiated, by name: for simulators only.
    pub models: BTreeMap<String, String>,
}

/// Builds the hardware of a dataflow, in which counters of bits are written in `primitives`.
///
/// # Panics
/// If the dataflow was not made from the network, or breaks its own rules.
pub fn build(dataflow: &Dataflow, network: &Streamlined, primitives: Primitives) -> Rtl {
    let mut context = Context::new(dataflow, network, primitives);
    let modules: Vec<hdl::ModuleRef> = (0..dataflow.engines.len())
        .map(|index| match &dataflow.engines[index].kind {
            EngineKind::Input => adapter::input(&mut context, index),
            EngineKind::Output => adapter::output(&mut context, index),
            EngineKind::Fifo { depth } => {
                let bits = dataflow.streams[dataflow.engines[index].input()].bits();
                fifo::fifo(&mut context, bits, *depth)
            }
            EngineKind::Fork { depth } => branches::fork(&mut context, index, *depth),
            EngineKind::Add(a) => branches::add(&mut context, index, a),
            EngineKind::Width => width::width(&mut context, index),
            EngineKind::Threshold(t) => threshold::threshold(&mut context, index, t),
            EngineKind::Window(w) => window::window(&mut context, index, w),
            EngineKind::ParallelWindow(w) => {
                parallel_window::parallel_window(&mut context, index, w)
            }
            EngineKind::Mvu(m) if m.dot == Dot::Wired => wired::wired(&mut context, index, m),
            EngineKind::Mvu(m) => mvu::mvu(&mut context, index, m),
            EngineKind::Depthwise(d) => depthwise::depthwise(&mut context, index, d),
            EngineKind::Pool(p) => pool::pool(&mut context, index, p),
            EngineKind::ChannelAffine(a) => affine::affine(&mut context, index, a),
            EngineKind::LabelSelect(l) => label_select::label_select(&mut context, index, l),
        })
        .collect();
    top::top(&mut context, &modules);
    let verilog = context.library.files();
    let models = compressors::simulation_models().into_iter().filter(|(file, _)| {
        let instance = format!("{} ", file.trim_end_matches(".v"));
        verilog.values().any(|text| text.lines().any(|l| l.trim_start().starts_with(&instance)))
    });
    let models = models.map(|(file, text)| (file.to_string(), text.to_string())).collect();
    Rtl { verilog, memories: context.memories, models }
}
