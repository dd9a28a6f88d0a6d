//! Inference of binarized neural networks on a CPU, exact to the last bit.
//!
//! What comes in: a [`Streamlined`] network and frames of integers. What goes out: the exact integers
//! of every layer, which simulator and hardware must equal bit for bit. It shares the layout of words
//! with them and no arithmetic.
//!
//! ```
//! use golden::Golden;
//! use graph::{Elementwise, Graph, Op, Param, Weights};
//! use tensor::{ElementType, npy};
//!
//! // Any way to a `Graph` will do; `import` reads it from ONNX files.
//! let mut graph = Graph::new("two signs");
//! let x = graph.input("x", vec![1, 3], Some(ElementType::Bipolar));
//! let values = ndarray::array![[1.0f32, -1.0, 1.0], [-1.0, -1.0, -1.0]];
//! let weights = Op::MatMul(Weights { values, quantized: None });
//! let sums = graph.add("fc", "MatMul", weights, x, vec![1, 2]);
//! let sign = Op::Elementwise(Elementwise::BipolarQuant { scale: Param::scalar(1.0) });
//! let signs = graph.add("sign", "BipolarQuant", sign, sums, vec![1, 2]);
//! graph.set_output(signs);
//! let network = streamline::streamline(&graph, &Default::default())?;
//!
//! // Arrays become frames: shape and values are checked here, once.
//! let array = ndarray::array![[1i8, -1, -1], [-1, -1, -1]].into_dyn();
//! let frames = network.input.frames(&npy::NpyArray::I8(array))?;
//!
//! let golden = Golden::new(&network);
//! let mut scratch = golden.scratch();
//! golden.run_into(frames.frame(0), &mut scratch);
//! assert_eq!(scratch.layer(0).to_vec(), [1, 1]);
//! assert_eq!(scratch.accumulators(), [1, 1]);
//!
//! // Over all threads of the rayon pool.
//! let outcomes = golden.run_all(&frames, || ());
//! assert_eq!(outcomes[1].output, [-1, 1]);
//! # Ok::<(), diagnostic::Diagnostic>(())
//! ```
//!
//! # Ranges, shapes, errors
//!
//! Everything a user can get wrong is refused by `import`, by `streamline` and by
//! [`InputSpec::frames`](streamline::InputSpec::frames), with a `Diagnostic` that names it; a network
//! that they let through runs. A frame is integers of the network's
//! [input type](streamline::InputSpec::element) in stream order: pixels row by row, the channels of a
//! pixel together. [`Golden::run_into`] takes them as any [`Sample`] type, and panics on a frame of
//! another length or with an integer that the type does not hold.
//!
//! Sums are exact: in 32 bits where the weights and the types of a layer say that they fit, else in
//! 64. Matrices, and convolutions that are grouped, strided, dilated, padded or in one dimension,
//! have the same answer on every kernel and at every number of threads.
//!
//! # How it is fast
//!
//! - Maps stay packed between layers ([`View`]): a bit for each bipolar element, planes of bits for
//!   elements of a few bits, else bytes or integers, whichever suits the layer that reads them.
//! - A matrix of bits meets a window of bits as XOR and popcount (XNOR-Net, Rastegari et al. 2016); for
//!   a few bits, as sums over pairs of planes. First layers, bytes times small weights, use the
//!   processor's dot products of bytes. See [`Kernel`] for the instructions.
//! - Weights are packed once, for the kernel in use, and lanes of a register are output channels: sums
//!   are never added across a register, and their comparisons with thresholds are the bits of the next
//!   map. (BMXNet, Yang et al. 2017, and daBNN, Zhang et al. 2019, are engines of this kind.)
//! - Windows are read where they lie: no matrix of patches is made. Padding is a margin around a copy
//!   of the map; where nothing stands there, constants of each border class make up for it.
//! - The popcount by table lookup for AVX2 is Muła's (Muła, Kurz, Lemire 2018), turned so that the
//!   activation chooses the table.
//!
//! `docs/benchmarks.md` has figures.

mod elementwise;
mod finish;
mod frame;
mod head;
mod kernel;
mod layout;
mod linear;
mod plain;
mod plan;
mod pool;
mod scratch;
mod tails;
mod view;
mod weights;
mod windows;

pub use frame::Sample;
pub use kernel::Kernel;
pub use scratch::Scratch;
pub use view::View;

use plan::Plan;
use rayon::prelude::*;
use std::sync::Arc;
use streamline::{Frames, LayerOp, Streamlined};

/// A network prepared for inference: weights packed once.
#[derive(Debug, Clone)]
pub struct Golden<'n> {
    network: &'n Streamlined,
    kernel: Kernel,
    plan: Arc<Plan>,
}

/// What one frame ends as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Accumulators of the last linear layer, with the model's signs.
    pub accumulators: Vec<i64>,
    /// Output of the last layer that has numbers (levels, accumulators or fixed point).
    pub numbers: Vec<i64>,
    /// Output of the last layer: what the hardware puts out.
    pub output: Vec<i64>,
}

/// What one frame gives in each layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The output of each layer.
    pub outputs: Vec<Vec<i64>>,
    /// The accumulators of each linear layer, with the model's signs; empty for other layers.
    pub accumulators: Vec<Vec<i64>>,
}

impl<'n> Golden<'n> {
    /// Packs the weights for the fastest kernel that the processor has.
    pub fn new(network: &'n Streamlined) -> Self {
        Self::with_kernel(network, Kernel::best())
    }

    /// Packs the weights for a kernel.
    ///
    /// # Panics
    /// If the processor does not [have](Kernel::is_available) its instructions.
    pub fn with_kernel(network: &'n Streamlined, kernel: Kernel) -> Self {
        assert!(kernel.is_available(), "this processor has no {kernel}");
        Self { network, kernel, plan: Arc::new(Plan::new(network, kernel)) }
    }

    /// The kernel in use.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Memory for [`run_into`](Self::run_into): one for each thread.
    pub fn scratch(&self) -> Scratch {
        Scratch::new(&self.plan)
    }

    /// Runs one frame of integers in stream order; the scratch then has what every layer put out.
    ///
    /// # Panics
    /// If the scratch is not of this network, the frame has another length than
    /// [`elements`](streamline::InputSpec::elements) says, or an integer is none of the
    /// [type](streamline::InputSpec::element) that the network takes.
    pub fn run_into<T: Sample>(&self, frame: &[T], scratch: &mut Scratch) {
        self.run_keeping(frame, scratch, false);
    }

    fn run_keeping<T: Sample>(&self, frame: &[T], scratch: &mut Scratch, all: bool) {
        assert!(scratch.is_of(&self.plan), "the scratch is of another network");
        frame::load(frame, self.plan.input, &mut scratch.input);
        scratch.run(&self.plan, all);
    }

    /// What the frame that was run last ends as.
    pub fn outcome(&self, scratch: &Scratch) -> Outcome {
        let output = scratch.layers().checked_sub(1).map(|last| scratch.layer(last));
        let output = output.unwrap_or_else(|| scratch.input()).to_vec();
        let numbers = match (self.selects(), scratch.layers()) {
            (true, 1) => scratch.input().to_vec(),
            (true, layers) => scratch.layer(layers - 2).to_vec(),
            (false, _) => output.clone(),
        };
        Outcome { accumulators: scratch.accumulators().to_vec(), numbers, output }
    }

    /// Runs one frame of integers in stream order, keeping every layer.
    pub fn trace(&self, frame: &[i64]) -> Trace {
        self.trace_in(frame, &mut self.scratch())
    }

    fn trace_in(&self, frame: &[i64], scratch: &mut Scratch) -> Trace {
        self.run_keeping(frame, scratch, true);
        let outputs = (0..scratch.layers()).map(|layer| scratch.layer(layer).to_vec()).collect();
        Trace { outputs, accumulators: scratch.accumulators.clone() }
    }

    /// Runs one frame of integers in stream order.
    pub fn run(&self, frame: &[i64]) -> Outcome {
        self.run_in(frame, &mut self.scratch())
    }

    fn run_in(&self, frame: &[i64], scratch: &mut Scratch) -> Outcome {
        self.run_into(frame, scratch);
        self.outcome(scratch)
    }

    /// Runs many frames over all threads of the current rayon pool, in order.
    pub fn run_all(&self, frames: &Frames, done: impl Fn() + Sync) -> Vec<Outcome> {
        let run = |scratch: &mut Scratch, frame: &[i64]| {
            let outcome = self.run_in(frame, scratch);
            done();
            outcome
        };
        self.parallel(frames).map_init(|| self.scratch(), run).collect()
    }

    /// [`trace`](Self::trace) of many frames over all threads, in order.
    pub fn trace_all(&self, frames: &Frames) -> Vec<Trace> {
        let trace = |scratch: &mut Scratch, frame: &[i64]| self.trace_in(frame, scratch);
        self.parallel(frames).map_init(|| self.scratch(), trace).collect()
    }

    fn parallel<'f>(
        &self,
        frames: &'f Frames,
    ) -> rayon::iter::MinLen<rayon::slice::Chunks<'f, i64>> {
        // A thread is worth its scratch for some frames.
        frames.values.par_chunks(frames.elements).with_min_len(4)
    }

    /// The model's own output in float32: scores, or the indices where it ends in an arg-max.
    pub fn model_output(&self, outcome: &Outcome) -> Vec<f32> {
        if self.selects() {
            return outcome.output.iter().map(|&n| n as f32).collect();
        }
        head::scores(&self.network.output.scores, &outcome.numbers)
    }

    /// The class of a frame: by the network's own arg-max, else by its rule; 0 or 1 for a single
    /// output of two values.
    pub fn class(&self, outcome: &Outcome) -> i64 {
        if self.selects() {
            return outcome.output[0];
        }
        head::class(&self.network.output, &outcome.numbers)
    }

    fn selects(&self) -> bool {
        matches!(self.network.layers.last().map(|l| &l.op), Some(LayerOp::LabelSelect { .. }))
    }
}
