//! The software golden model: runs a streamlined network on bit-packed words.
//!
//! What comes in: a [`Streamlined`] network and frames of integers. What goes out: the exact
//! integers of every layer, which simulator and hardware must equal bit for bit. It shares the
//! word layout with them and no arithmetic.
//!
//! A dot product is a sum over pairs of bit planes of popcounts of ANDs; two bipolar operands take
//! the XOR of their words instead (XNOR-Net, Rastegari et al. 2016).

mod dense;
mod head;
mod map;
mod threshold;

use dense::Dense;
use map::{Windows, pooled};
use rayon::prelude::*;
use streamline::{Frames, LayerOp, Streamlined};
use threshold::levels;

/// A network prepared for inference: weights packed once.
#[derive(Debug, Clone)]
pub struct Golden<'n> {
    network: &'n Streamlined,
    packed: Vec<Packed>,
}

/// What is prepared of a layer.
#[derive(Debug, Clone)]
enum Packed {
    Nothing,
    Dense(Dense),
    Windows(Windows),
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
    /// Packs the weights.
    pub fn new(network: &'n Streamlined) -> Self {
        let mut input = network.input.element;
        let packed = network
            .layers
            .iter()
            .map(|layer| {
                let packed = match &layer.op {
                    LayerOp::Dense(d) => Packed::Dense(Dense::new(&d.weights, d.weight, input)),
                    LayerOp::Conv(conv) => Packed::Windows(Windows::new(conv, input)),
                    LayerOp::Threshold(_)
                    | LayerOp::Pool(_)
                    | LayerOp::ChannelAffine(_)
                    | LayerOp::LabelSelect { .. } => Packed::Nothing,
                };
                input = layer.element;
                packed
            })
            .collect();
        Self { network, packed }
    }

    /// Runs one frame of integers in stream order, keeping every layer.
    pub fn trace(&self, frame: &[i64]) -> Trace {
        let mut trace = Trace { outputs: Vec::new(), accumulators: Vec::new() };
        self.layers(frame, |accumulators, output| {
            trace.accumulators.push(accumulators.to_vec());
            trace.outputs.push(output.to_vec());
        });
        trace
    }

    /// Runs one frame of integers in stream order.
    pub fn run(&self, frame: &[i64]) -> Outcome {
        let mut outcome =
            Outcome { accumulators: Vec::new(), numbers: Vec::new(), output: Vec::new() };
        let mut layer = 0;
        self.layers(frame, |accumulators, output| {
            let select = matches!(self.network.layers[layer].op, LayerOp::LabelSelect { .. });
            layer += 1;
            if !accumulators.is_empty() {
                outcome.accumulators = accumulators.to_vec();
            }
            if !select {
                outcome.numbers = output.to_vec();
            }
            outcome.output = output.to_vec();
        });
        outcome
    }

    /// Runs many frames over all threads of the current rayon pool, in order.
    pub fn run_all(&self, frames: &Frames, done: impl Fn() + Sync) -> Vec<Outcome> {
        frames
            .values
            .par_chunks(frames.elements)
            .map(|frame| {
                let outcome = self.run(frame);
                done();
                outcome
            })
            .collect()
    }

    /// [`trace`](Self::trace) of many frames over all threads, in order.
    pub fn trace_all(&self, frames: &Frames) -> Vec<Trace> {
        frames.values.par_chunks(frames.elements).map(|frame| self.trace(frame)).collect()
    }

    fn layers(&self, frame: &[i64], mut each: impl FnMut(&[i64], &[i64])) {
        let mut values = frame.to_vec();
        for (layer, packed) in self.network.layers.iter().zip(&self.packed) {
            let mut accumulators = Vec::new();
            values = match (&layer.op, packed) {
                (LayerOp::Threshold(t), _) => levels(t, &values),
                (LayerOp::Dense(d), Packed::Dense(packed)) => {
                    accumulators = packed.accumulate(&values);
                    match &d.thresholds {
                        Some(t) => levels(t, &accumulators),
                        None => accumulators.clone(),
                    }
                }
                (LayerOp::Conv(conv), Packed::Windows(packed)) => {
                    let (sums, output) = packed.run(conv, &values);
                    accumulators = sums;
                    output
                }
                (LayerOp::Pool(pool), _) => pooled(pool, &values),
                (LayerOp::ChannelAffine(a), _) => {
                    let lines = a.multipliers.iter().zip(&a.addends);
                    values.iter().zip(lines).map(|(x, (m, b))| x * m + b).collect()
                }
                (LayerOp::LabelSelect { k, smallest }, _) => head::best(&values, *k, *smallest),
                (LayerOp::Dense(_) | LayerOp::Conv(_), _) => {
                    unreachable!("prepared with the network")
                }
            };
            if let Some(dense) = layer.dense() {
                // The model's signs.
                for pixel in accumulators.chunks_mut(dense.weights.nrows()) {
                    dense.negated.iter().for_each(|&row| pixel[row] = -pixel[row]);
                }
            }
            each(&accumulators, &values);
        }
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
