//! The streamlined network: what every later stage computes with.

use crate::planes::InputPlanes;
use graph::{ClassRule, Elementwise};
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use tensor::{Axis, ElementType, Map, Surround, Window};

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

impl Streamlined {
    /// The smallest and the largest integer that a layer meets in its input or in its padding, 0 among
    /// them.
    pub fn levels(&self, layer: &Layer) -> (i64, i64) {
        let mut reached = (self.input.element.min(), self.input.element.max());
        for earlier in self.layers.iter().take_while(|l| l.name != layer.name) {
            let thresholds = match &earlier.op {
                LayerOp::Threshold(t) => Some(t),
                LayerOp::Dense(d) | LayerOp::Conv(Conv { dense: d, .. }) => d.thresholds.as_ref(),
                LayerOp::Pool(_) => continue,
                LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => None,
            };
            let all = (earlier.element.min(), earlier.element.max());
            reached = thresholds.map_or(all, Thresholds::range);
        }
        let around: Vec<i64> = match &layer.op {
            LayerOp::Conv(Conv { padding: Padding::Value(surround), .. }) => {
                surround.values().collect()
            }
            LayerOp::Conv(_)
            | LayerOp::Dense(_)
            | LayerOp::Threshold(_)
            | LayerOp::Pool(_)
            | LayerOp::ChannelAffine(_)
            | LayerOp::LabelSelect { .. } => Vec::new(),
        };
        around.into_iter().chain([0]).fold(reached, |(l, h), n| (l.min(n), h.max(n)))
    }
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
    /// What a frame is: its pixels come row by row, the channels of a pixel together.
    pub map: Map,
    /// Whether the model has the channels of a pixel together too; else it has whole channels.
    pub channels_last: bool,
    /// What an integer stands for.
    pub rule: InputRule,
    /// The quantizer of `--input-planes` in front of the first layer, where it is not idle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planes: Option<InputPlanes>,
}

impl InputSpec {
    /// Elements of a frame.
    pub fn elements(&self) -> usize {
        self.map.elements()
    }

    /// For each element in stream order (NHWC) its index in the model's layout.
    pub fn stream_to_model(&self) -> Vec<usize> {
        if self.channels_last { (0..self.elements()).collect() } else { channels_first(self.map) }
    }
}

/// For each element of a map in stream order its index where whole channels follow each other.
pub(crate) fn channels_first(map: Map) -> Vec<usize> {
    let (pixels, channels) = (map.pixels(), map.channels);
    (0..pixels).flat_map(|p| (0..channels).map(move |c| c * pixels + p)).collect()
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
    /// The frame that it puts out.
    pub map: Map,
    /// What it computes.
    pub op: LayerOp,
}

impl Layer {
    /// Output elements of a frame.
    pub fn elements(&self) -> usize {
        self.map.elements()
    }

    /// The matrix of a linear layer.
    pub fn dense(&self) -> Option<&Dense> {
        match &self.op {
            LayerOp::Dense(dense) => Some(dense),
            LayerOp::Conv(conv) => Some(&conv.dense),
            LayerOp::Threshold(_)
            | LayerOp::Pool(_)
            | LayerOp::ChannelAffine(_)
            | LayerOp::LabelSelect { .. } => None,
        }
    }
}

/// What a layer computes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum LayerOp {
    /// Compares each element with thresholds; one row of thresholds, one for each channel, or one for
    /// each element.
    Threshold(Thresholds),
    /// Integer matrix times the whole input, then thresholds, or the accumulators themselves.
    Dense(Dense),
    /// The same with a matrix that is applied to windows of the input. An average pool is one: the
    /// [sum of each channel](Conv::is_sum), whose thresholds (or output) know what it is divided by.
    Conv(Conv),
    /// The largest (or smallest) element of each channel in windows of the input.
    Pool(Pool),
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

/// Ascending thresholds of each row: level = #(x >= T). Element `e` of a frame uses row `e` modulo the
/// number of rows.
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

    /// The values of the lowest and the highest level.
    pub fn range(&self) -> (i64, i64) {
        (self.value(0), self.value(self.values.ncols() as i64))
    }
}

/// A convolution: its matrix is applied to every window. The matrix has one row for each output
/// channel; its columns are the taps row by row, each with the channels of one group.
///
/// Where windows reach into the padding, `dense.thresholds` has the rows of every [border
/// class](Conv::borders), class after class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conv {
    /// The input map.
    pub input: Map,
    /// Where windows lie.
    pub window: Window,
    /// Groups of channels: row `r` of `rows` reads group `r * groups / rows`.
    pub groups: usize,
    /// What stands around the input.
    pub padding: Padding,
    /// The matrix.
    pub dense: Dense,
}

/// What stands around a map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// Nothing: a sum has fewer terms there. A zero that the input's type does not hold.
    Nothing,
    /// Integers of the input's type.
    Value(Surround),
}

/// Which taps exist at each output: a border class for each combination that occurs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Borders {
    /// The class of each output row, from 0.
    pub rows: Vec<usize>,
    /// The class of each output column, from 0.
    pub columns: Vec<usize>,
    /// The kernel rows that exist, by class of rows.
    pub row_taps: Vec<Range<usize>>,
    /// The kernel columns that exist, by class of columns.
    pub column_taps: Vec<Range<usize>>,
}

impl Borders {
    fn new(window: &Window, input: Map, counted: bool) -> Self {
        let along = |axis: Axis| {
            let extent = input.extents()[axis as usize];
            let kernel = window.kernel[axis as usize];
            let outputs = window.outputs(axis, extent).unwrap_or(0);
            let mut kinds: Vec<Range<usize>> = Vec::new();
            let classes = (0..outputs)
                .map(|output| {
                    let taps = if counted { window.valid(axis, output, extent) } else { 0..kernel };
                    kinds.iter().position(|k| *k == taps).unwrap_or_else(|| {
                        kinds.push(taps);
                        kinds.len() - 1
                    })
                })
                .collect();
            (classes, kinds)
        };
        let ((rows, row_taps), (columns, column_taps)) = (along(Axis::Rows), along(Axis::Columns));
        Self { rows, columns, row_taps, column_taps }
    }

    /// How many classes there are: those of rows times those of columns.
    pub fn count(&self) -> usize {
        self.row_taps.len() * self.column_taps.len()
    }

    /// Whether some tap does not exist in some class.
    pub fn has_gaps(&self, window: &Window) -> bool {
        let full = |taps: &[Range<usize>], kernel| taps.iter().all(|t| *t == (0..kernel));
        !(full(&self.row_taps, window.kernel[0]) && full(&self.column_taps, window.kernel[1]))
    }

    /// The class of an output.
    pub fn class(&self, row: usize, column: usize) -> usize {
        self.rows[row] * self.column_taps.len() + self.columns[column]
    }

    /// Whether a tap exists in a class.
    pub fn has(&self, class: usize, [ky, kx]: [usize; 2]) -> bool {
        let columns = self.column_taps.len();
        self.row_taps[class / columns].contains(&ky)
            && self.column_taps[class % columns].contains(&kx)
    }
}

impl Conv {
    /// The border classes: a single one unless the padding is nothing.
    pub fn borders(&self) -> Borders {
        Borders::new(&self.window, self.input, self.padding == Padding::Nothing)
    }

    /// Whether each of several output channels reads one input channel of its own.
    pub fn is_depthwise(&self) -> bool {
        self.groups > 1 && self.is_channel_by_channel()
    }

    /// Whether it adds the elements of each channel up.
    pub fn is_sum(&self) -> bool {
        self.is_channel_by_channel() && self.dense.weights.iter().all(|&w| w == 1)
    }

    fn is_channel_by_channel(&self) -> bool {
        self.groups == self.input.channels && self.groups == self.dense.weights.nrows()
    }

    /// Channels of a group.
    pub fn group_channels(&self) -> usize {
        self.input.channels / self.groups
    }

    /// The tap and the channel of the group that a column of the matrix stands for.
    pub fn column(&self, column: usize) -> ([usize; 2], usize) {
        let channels = self.group_channels();
        let (tap, channel) = (column / channels, column % channels);
        ([tap / self.window.kernel[1], tap % self.window.kernel[1]], channel)
    }
}

/// Pooling; padding never wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The input map.
    pub input: Map,
    /// Where windows lie.
    pub window: Window,
    /// The smallest element instead of the largest.
    pub smallest: bool,
}

/// A matrix of integer weights with what follows it.
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
