//! The facts that a report shows. Every number has its unit; every float is finite
//! (JSON has no other).

use serde::{Deserialize, Serialize};

/// All that a report shows about one build.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The design's name.
    pub name: String,
    /// What was built.
    pub model: ModelFacts,
    /// What it was built for.
    pub board: BoardFacts,
    /// Estimated LUT sites of the design.
    pub luts: u64,
    /// Estimated flip-flops of the design.
    pub ffs: u64,
    /// Estimated block RAMs of 36 kbit of the design, in halves.
    pub bram36: f64,
    /// Estimated DSP slices of the design.
    pub dsps: u64,
    /// Clock cycles between frames in steady state.
    pub ii_cycles: u64,
    /// Clock cycles from the first input word to the last output word of a frame.
    pub latency_cycles: u64,
    /// Frames a second at the clock.
    pub fps: f64,
    /// Clock in MHz.
    pub clock_mhz: f64,
    /// How far the folding may be from the best one, where it was searched: 0 when none is better by
    /// the estimates, else a share of the rate or of the size.
    #[serde(default)]
    pub gap: Option<f64>,
    /// The engines, in the order of the stream.
    pub engines: Vec<EngineFacts>,
    /// The buffers, in the order of the stream.
    pub fifos: Vec<FifoFacts>,
    /// Bits of all buffers.
    #[serde(default)]
    pub fifo_bits: u64,
    /// Bits of all buffers if each were as deep as the tensor that goes through it.
    #[serde(default)]
    pub tensor_bits: u64,
    /// Share of labelled frames that come out right, from 0 to 1, where it was measured.
    #[serde(default)]
    pub accuracy: Option<f64>,
    /// Sentences for the reader.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// The model, as streamlined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// The model's name. Untrusted text.
    pub name: String,
    /// SHA-256 of the model's file, in hexadecimal.
    pub sha256: String,
    /// One sentence: what goes in, and what a number of it stands for.
    pub input: String,
    /// Weights and thresholds of all layers.
    pub parameters: u64,
    /// Multiply-accumulate operations a frame.
    pub macs: u64,
    /// The layers, in order.
    pub layers: Vec<LayerFacts>,
    /// Where float32 and float64 decide differently.
    #[serde(default)]
    pub knife_edges: Vec<KnifeEdgeFacts>,
}

/// A layer of the streamlined network.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LayerFacts {
    /// Its identifier.
    pub name: String,
    /// The model's nodes that it stands for. Untrusted text.
    pub nodes: Vec<String>,
    /// What it computes, in a word.
    pub kind: String,
    /// Input elements a frame.
    pub inputs: u64,
    /// Output elements a frame.
    pub outputs: u64,
    /// Type of the weights, where it has any.
    #[serde(default)]
    pub weight: Option<String>,
    /// Type of the input elements.
    pub input_type: String,
    /// Type of the output elements.
    pub output_type: String,
    /// Thresholds of all channels together.
    pub thresholds: u64,
    /// Weights, thresholds and other constants.
    pub parameters: u64,
    /// Multiply-accumulate operations a frame.
    pub macs: u64,
}

/// Accumulators that can occur and are decided on a knife edge.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KnifeEdgeFacts {
    /// The layer's identifier.
    pub layer: String,
    /// The channel, from 0.
    pub channel: u64,
    /// The smallest accumulator in question.
    pub first: i64,
    /// The largest accumulator in question.
    pub last: i64,
    /// The layer's output there in float64.
    pub output64: i64,
    /// The layer's output there in float32.
    pub output32: i64,
    /// Distance of the float value from where the decision turns.
    #[serde(default)]
    pub margin: f64,
}

/// The board and what its part offers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardFacts {
    /// Its name on the command line.
    pub name: String,
    /// The vendor's part number.
    pub part: String,
    /// LUT sites.
    pub luts: u64,
    /// Flip-flops.
    pub ffs: u64,
    /// Block RAMs of 36 kbit.
    pub bram36: u64,
    /// DSP slices.
    pub dsps: u64,
}

/// One engine of the design.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EngineFacts {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its folding in words.
    pub folding: String,
    /// Clock cycles a frame when nothing makes it wait.
    pub cycles: u64,
    /// Estimated LUT sites.
    pub luts: u64,
    /// Estimated flip-flops.
    pub ffs: u64,
    /// Estimated block RAMs of 36 kbit, in halves.
    pub bram36: f64,
    /// Estimated DSP slices.
    pub dsps: u64,
    /// By what share its LUTs are expected to be off, where that is known.
    #[serde(default)]
    pub luts_error: Option<f64>,
}

/// One buffer of the design.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FifoFacts {
    /// Its name, or that of the engine it belongs to.
    pub name: String,
    /// Words that it holds.
    pub words: u64,
    /// Bits of a word.
    pub bits: u64,
    /// The fewest words at the full rate, where the depth was sized: what is built is rounded up to
    /// what memory makes free.
    #[serde(default)]
    pub fewest_words: Option<u64>,
    /// Words of the tensor that goes through; none where what goes through is windows of it.
    #[serde(default)]
    pub tensor_words: Option<u64>,
}

impl Report {
    /// By what share the LUTs of the design are expected to be off, when engines err alike; `None`
    /// where too little of it is known.
    pub fn luts_error(&self) -> Option<f64> {
        let known = || self.engines.iter().filter_map(|e| Some((e.luts as f64, e.luts_error?)));
        let luts: f64 = known().map(|(luts, _)| luts).sum();
        let off: f64 = known().map(|(luts, error)| luts * error).sum();
        (luts > 0.9 * self.luts as f64 && luts > 0.0).then(|| off / luts)
    }
}
