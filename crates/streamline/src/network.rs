//! The streamlined network: what every later stage computes with.

use graph::{ClassRule, Elementwise};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use tensor::ElementType;

/// A network of integers, thresholds and fixed point only, layer after layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Streamlined {
    /// The model's name. Untrusted text.
    pub name: String,
    /// What goes in.
    pub input: InputSpec,
    /// What comes out, and how the model's own output follows from it.
    pub output: OutputSpec,
    /// Accumulators at which float32 and float64 decide differently.
    #[serde(default, rename = "knife_edge")]
    pub knife_edges: Vec<KnifeEdge>,
    /// The layers, in order.
    #[serde(rename = "layer")]
    pub layers: Vec<Layer>,
}

/// How an array of pixels or values becomes the integers that the network takes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputRule {
    /// Pixel p stands for the value float32(p) / 255.
    PixelOver255,
    /// Pixel p stands for the value float32(p) times this factor.
    PixelTimes(f32),
    /// An integer stands for itself.
    Unchanged,
}

/// The network's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputSpec {
    /// The node's name in the model. Untrusted text.
    pub name: String,
    /// The type of the integers that go in.
    pub element: ElementType,
    /// Shape in the model's own layout, without the batch axis.
    pub shape: Vec<usize>,
    /// What an integer stands for.
    pub rule: InputRule,
}

impl InputSpec {
    /// Elements of a frame.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// For each element in stream order (NHWC) its index in the model's layout (NCHW).
    pub fn stream_to_model(&self) -> Vec<usize> {
        match self.shape.as_slice() {
            &[channels, height, width] => {
                let plane = height * width;
                (0..plane).flat_map(|p| (0..channels).map(move |c| c * plane + p)).collect()
            }
            _ => (0..self.elements()).collect(),
        }
    }
}

/// One layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Unique identifier: letters, digits, underscores.
    pub name: String,
    /// The model's nodes that it stands for. Untrusted text.
    pub nodes: Vec<String>,
    /// Type of its output elements.
    pub element: ElementType,
    /// Output elements of a frame.
    pub elements: usize,
    /// What it computes.
    pub op: LayerOp,
}

/// What a layer computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum LayerOp {
    /// Compares each element with thresholds; one row of thresholds, or one for each element.
    Threshold(Thresholds),
    /// Integer matrix times the input, then thresholds, or the accumulators themselves.
    Dense(Dense),
    /// `multiplier * x + addend`, for each element, in units of 2^-frac.
    ChannelAffine(ChannelAffine),
    /// The indices of the `k` largest (or smallest) elements, best first, ties to the lowest.
    LabelSelect {
        /// How many.
        k: usize,
        /// Smallest instead of largest.
        smallest: bool,
    },
}

/// Ascending thresholds of each row: level = #(x >= T).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// `[rows, thresholds]`, ascending in each row.
    #[serde(skip, default = "empty")]
    pub values: Array2<i64>,
    /// The value of level 0; each level adds 1, or 2 when the output is bipolar.
    pub base: i64,
    /// Whether a level adds 2: outputs -1 and +1.
    pub bipolar: bool,
}

impl Thresholds {
    /// The value that stands for a level.
    pub fn value(&self, level: i64) -> i64 {
        self.base + if self.bipolar { 2 * level } else { level }
    }
}

/// A fully connected layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// Integer weights `[rows, columns]`, rows of decreasing channels already negated.
    #[serde(skip, default = "empty")]
    pub weights: Array2<i64>,
    /// The rows that were negated, ascending: the model's accumulator is minus ours there.
    pub negated: Vec<usize>,
    /// The type of the weights.
    pub weight: ElementType,
    /// The smallest and largest accumulator that the weights and the input's type allow.
    pub accumulator: (i64, i64),
    /// The decisions; without them the accumulators go out.
    pub thresholds: Option<Thresholds>,
}

/// Fixed-point scale and shift of each element.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelAffine {
    /// Multipliers in units of 2^-frac.
    pub multipliers: Vec<i64>,
    /// Addends in units of 2^-frac.
    pub addends: Vec<i64>,
    /// Bits after the binary point.
    pub frac: u32,
    /// The largest difference from the float chain over all accumulators, in the output's units.
    pub worst_error: f64,
}

/// How the model's own output follows from the last layer that has numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputSpec {
    /// The node's name in the model. Untrusted text.
    pub name: String,
    /// Elements of the model's output.
    pub elements: usize,
    /// How a class follows from the scores.
    pub class_rule: ClassRule,
    /// The best class is the smallest score (a decreasing tail).
    pub smallest: bool,
    /// What the numbers of the last numeric layer stand for.
    pub scores: Scores,
}

/// Number n of element e stands for the float chain `tail` from `scale[e] * (n + offset[e])`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// One scale, or one for each element.
    pub scale: Vec<f64>,
    /// One offset, or one for each element.
    pub offset: Vec<f64>,
    /// The operators after it.
    #[serde(with = "crate::text::json")]
    pub tail: Vec<Elementwise>,
    /// Whether a softmax follows.
    pub softmax: bool,
}

/// Accumulators (or inputs) that can occur and are decided on a knife edge: float32 and float64
/// disagree there, or the value in front of the quantizer is closer than [`SMALL_MARGIN`] to where
/// the decision turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnifeEdge {
    /// The layer.
    pub layer: String,
    /// The channel.
    pub channel: usize,
    /// Smallest and largest accumulator in question, as the model counts (not negated).
    pub accumulators: (i64, i64),
    /// The output in float64 and in float32 there.
    pub outputs: (i64, i64),
    /// Distance of the value in front of the quantizer from where the decision turns, in float64.
    pub margin: f64,
}

/// The margin below which a decision is listed as a knife edge.
pub const SMALL_MARGIN: f64 = 1e-6;

pub(crate) fn empty() -> Array2<i64> {
    Array2::zeros((0, 0))
}
