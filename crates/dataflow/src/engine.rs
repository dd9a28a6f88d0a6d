//! The parameters of each engine.

use serde::{Deserialize, Serialize};
use tensor::{Axis, ElementType, Map, Surround, Window};

/// One hardware block between streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// Unique legal identifier.
    pub name: String,
    /// The streamlined layer that it computes; empty for infrastructure.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub layer: String,
    /// The streams that it reads, by index: one, but for an [`EngineKind::Add`].
    pub inputs: Vec<usize>,
    /// The streams that it writes, by index: one, but for an [`EngineKind::Fork`].
    pub outputs: Vec<usize>,
    /// What it is, with its parameters.
    pub kind: EngineKind,
}

impl Engine {
    /// The first stream that it reads.
    pub fn input(&self) -> usize {
        self.inputs[0]
    }

    /// The first stream that it writes.
    pub fn output(&self) -> usize {
        self.outputs[0]
    }
}

/// What an engine does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum EngineKind {
    /// AXI4-Stream input adapter: checks `tlast`, repairs short and long frames.
    Input,
    /// AXI4-Stream output adapter: makes `tlast` and `tuser`.
    Output,
    /// First in, first out.
    Fifo {
        /// Words that it holds, at least 1.
        depth: usize,
    },
    /// Gives every word to each of its output streams, which take it when they can.
    Fork {
        /// Words that it holds for the slowest of them, at least 1.
        depth: usize,
    },
    /// Adds the words of two streams, lane by lane.
    Add(Add),
    /// Regroups the elements of a frame into wider or narrower words; one lane count divides the
    /// other. The last word of a frame may be partly filled.
    Width,
    /// Stand-alone threshold unit, e.g. the input quantizer.
    Threshold(Threshold),
    /// Sliding window unit: a tap a cycle.
    Window(SlidingWindow),
    /// Parallel window unit: all taps of a window at once.
    ParallelWindow(ParallelWindow),
    /// Matrix-vector-threshold unit.
    Mvu(Mvu),
    /// Depthwise convolution unit.
    Depthwise(Depthwise),
    /// Maximum or minimum of groups of words.
    Pool(Pool),
    /// Multiplies each element with its channel's constant and adds another: fixed point.
    ChannelAffine(ChannelAffine),
    /// Arg-max or top-k of a frame.
    LabelSelect(LabelSelect),
}

impl EngineKind {
    /// A short name for tables.
    pub fn name(&self) -> &'static str {
        match self {
            EngineKind::Input => "input",
            EngineKind::Output => "output",
            EngineKind::Fifo { .. } => "fifo",
            EngineKind::Fork { .. } => "fork",
            EngineKind::Add(_) => "add",
            EngineKind::Width => "width",
            EngineKind::Threshold(_) => "threshold",
            EngineKind::Window(_) => "window",
            EngineKind::ParallelWindow(_) => "parallel-window",
            EngineKind::Mvu(_) => "mvu",
            EngineKind::Depthwise(_) => "depthwise",
            EngineKind::Pool(_) => "pool",
            EngineKind::ChannelAffine(_) => "channel-affine",
            EngineKind::LabelSelect(_) => "label-select",
        }
    }
}

/// A unit that adds two streams where branches meet.
///
/// Each input has a queue of its own, so that neither waits for the other before it is full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Add {
    /// Words of each input queue, at least 1.
    pub depth: usize,
    /// Output words that may be on their way at once.
    pub credits: usize,
}

/// Where constants are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemoryStyle {
    /// Block RAM, with its output register in use.
    Block,
    /// Look-up tables.
    Lut,
}

/// A stand-alone threshold unit: word `w`, lane `l` is compared with the thresholds of element
/// `w * lanes + l`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// Thresholds of each element, at least 1.
    pub thresholds: usize,
    /// Whether all elements share one set of thresholds.
    pub shared: bool,
    /// Where the thresholds are kept when they are not shared.
    pub memory: MemoryStyle,
    /// Output words that may be on their way at once.
    pub credits: usize,
}

/// A sliding window unit with a ring of line buffers: for each window, row by row, it puts out the
/// words of its taps. The order of the words is, outermost first: window, group of channels, repeat,
/// kernel row, kernel column, word of the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlidingWindow {
    /// The input map.
    pub map: Map,
    /// Where windows lie.
    pub window: Window,
    /// Groups that the channels are taken in.
    pub groups: usize,
    /// How often each group of a window is put out.
    pub repeats: usize,
    /// What stands around the map.
    pub padding: Surround,
    /// Words of the ring.
    pub depth: usize,
    /// Where the ring is kept.
    pub memory: MemoryStyle,
    /// Output words that may be on their way at once.
    pub credits: usize,
}

impl SlidingWindow {
    /// Elements of one group of a window.
    pub fn columns(&self) -> usize {
        self.window.taps() * self.map.channels / self.groups
    }

    /// When places of the ring are freed: as often as can be without a window that begins in front
    /// of one before it, which much padding makes.
    pub fn frees(&self) -> Frees {
        let outputs = self.window.over(self.map, 1).map_or([1, 1], Map::extents);
        let [rows, columns] = [0, 1].map(|axis| (outputs[axis] - 1) * self.window.stride[axis]);
        let Map { height, width, .. } = self.map;
        let next_row = outputs[0] == 1 || columns <= self.window.stride[0] * width;
        if rows > height {
            Frees::Frame
        } else if next_row && rows * width + columns <= height * width {
            Frees::Window
        } else {
            Frees::Row
        }
    }

    /// The fewest words of the ring with which all windows that it is held for can be complete, and
    /// the first word can come.
    pub fn shortest_ring(&self, lanes: usize) -> usize {
        let outputs = self.window.over(self.map, 1).map_or([1, 1], Map::extents);
        let last = |axis: usize| (outputs[axis] - 1) * self.window.stride[axis];
        let (down, along) = match self.frees() {
            Frees::Window => (0, 0),
            Frees::Row => (0, last(1)),
            Frees::Frame => (last(0), last(1)),
        };
        let rows = self.window.reach(Axis::Rows) - 1 + down;
        let pixels = rows * self.map.width + self.window.reach(Axis::Columns) + along;
        let in_front = self.window.before[0] * self.map.width + self.window.before[1];
        pixels.max(in_front + 1) * self.map.channels / lanes
    }
}

/// When a sliding window unit frees the places that it is through with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frees {
    /// With every window.
    Window,
    /// With every row of windows.
    Row,
    /// With every frame.
    Frame,
}

/// A parallel window unit: the map is shifted through line delays, and an output word has all taps
/// of a window, for some channels, or those of several neighbouring windows of a row.
///
/// A word of the input has `lanes` channels of a pixel, or all channels of several neighbouring
/// pixels. The elements of an output word are, outermost first: window, kernel row, kernel column,
/// channel; the words of a window follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParallelWindow {
    /// The input map.
    pub map: Map,
    /// Where windows lie.
    pub window: Window,
    /// Pixels of an input word; with more than one it has all their channels.
    pub pixels: usize,
    /// What stands around the map.
    pub padding: Surround,
    /// Where the line delays are kept.
    pub memory: MemoryStyle,
    /// Output words that may be on their way at once.
    pub credits: usize,
}

impl ParallelWindow {
    /// Neighbouring windows in an output word.
    pub fn windows(&self) -> usize {
        windows_at_once(self.pixels, self.window.stride[1])
    }

    /// Whether whole words cover a row of the map, whole output words a row of windows, and the first
    /// window reaches the map.
    pub fn is_possible(&self) -> bool {
        let (pixels, stride) = (self.pixels, self.window.stride[1]);
        let reaches = |axis| self.window.before[axis as usize] < self.window.reach(axis);
        let windows = self.window.outputs(Axis::Columns, self.map.width);
        pixels > 0
            && reaches(Axis::Rows)
            && reaches(Axis::Columns)
            && self.map.width.is_multiple_of(pixels)
            && (pixels.is_multiple_of(stride) || stride.is_multiple_of(pixels))
            && windows.is_some_and(|n| n.is_multiple_of(self.windows()))
    }
}

/// Neighbouring windows of a row that come together when `pixels` pixels of it do.
pub fn windows_at_once(pixels: usize, stride: usize) -> usize {
    (pixels / stride).max(1)
}

/// A pool: the maximum (or minimum) of groups of `taps` elements of a word, then lane by lane of each
/// `words` words. The groups of a word are: window, tap, channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Input words of an output word.
    pub words: usize,
    /// Taps in an input word.
    pub taps: usize,
    /// Windows in an input word.
    pub windows: usize,
    /// The smallest element instead of the largest.
    pub smallest: bool,
    /// Output words that may be on their way at once.
    pub credits: usize,
}

/// A depthwise convolution unit: in each lane the sum of `taps` elements, each times its weight, then
/// thresholds. `pe` channels, the lanes of both streams, work in parallel.
///
/// A step takes one input word; `taps` steps make an output word. The words of a window come group
/// of `pe` channels by group, and within a group tap by tap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Depthwise {
    /// Channels of a pixel, of the input as of the output.
    pub channels: usize,
    /// Taps of a window.
    pub taps: usize,
    /// Type of the weights; none are kept where all are 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<ElementType>,
    /// Width of the sums in two's complement.
    pub accumulator_bits: u32,
    /// Thresholds of each channel; with 0 the sums themselves go out.
    pub thresholds: usize,
    /// Where the weights are kept.
    pub weight_memory: MemoryStyle,
    /// Where the thresholds (or start values) are kept.
    pub threshold_memory: MemoryStyle,
    /// Output words that may be on their way at once.
    pub credits: usize,
}

/// How a matrix-vector unit adds up its products. All give the same sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dot {
    /// Each pair of bit planes is counted on its own; the counts are weighted and added.
    Planes,
    /// Whole elements, inverted or shifted as the weights say, in a tree of adders.
    Add,
    /// Elements become thermometers, one bit for each level; all bits are counted at once.
    Thermometer,
    /// Bipolar weights are stored with their parities, from which tables make carries of pairs of
    /// products; these are counted together with the accumulator.
    Carries,
    /// Weights are wires, of a unit that takes a vector in every cycle: inputs of one bit that some
    /// rows count and others count out are counted once for all of them.
    Wired,
}

impl Dot {
    /// All of them, the usual one first.
    pub const ALL: [Dot; 5] = [Dot::Planes, Dot::Add, Dot::Thermometer, Dot::Carries, Dot::Wired];

    /// Its name in files and tables.
    pub fn name(self) -> &'static str {
        match self {
            Dot::Planes => "planes",
            Dot::Add => "add",
            Dot::Thermometer => "thermometer",
            Dot::Carries => "carries",
            Dot::Wired => "wired",
        }
    }

    /// Whether products of weights and inputs of these types can be added so: a bipolar input is a
    /// single bit, which is counted, and thermometers are made of at most 8 bits. Parities are of
    /// products that are bits. Wires are for inputs of one bit, and weights that are -1, 0 or 1.
    pub fn takes(self, weight: ElementType, input: ElementType) -> bool {
        match self {
            Dot::Planes => true,
            Dot::Carries => weight == ElementType::Bipolar && input == ElementType::Bipolar,
            Dot::Wired => {
                matches!(weight, ElementType::Bipolar | ElementType::Uint(1) | ElementType::Int(2))
                    && matches!(input, ElementType::Bipolar | ElementType::Uint(1))
            }
            Dot::Add => input != ElementType::Bipolar,
            Dot::Thermometer => input != ElementType::Bipolar && input.bits() <= 8,
        }
    }
}

/// A matrix-vector-threshold unit: `pe` rows by `simd` columns each cycle.
///
/// A step takes one input word; `columns / simd` (rounded up) steps make one output word of `pe`
/// rows; `rows / pe` (rounded up) passes over the input frame make an output frame. Row
/// `pass * pe + p` is lane `p` of output word `pass`. Missing rows give all-zero bits. A frame is one
/// vector, or one for each pixel of the output. A fully parallel unit can work on several vectors at
/// once: input and output words have one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mvu {
    /// Output channels.
    pub rows: usize,
    /// Input elements of a vector.
    pub columns: usize,
    /// Rows in parallel: the lanes of the output stream.
    pub pe: usize,
    /// Columns in parallel: the lanes of the input stream.
    pub simd: usize,
    /// Taps in an input word: its elements are `simd / taps` channels of each. Columns count the
    /// channels of a tap one after another.
    pub taps: usize,
    /// Vectors at once; more than one needs a single step and a single pass.
    pub vectors: usize,
    /// Type of the weights.
    pub weight: ElementType,
    /// How the products are added up.
    pub dot: Dot,
    /// The smallest and the largest integer that comes in, 0 among them; a thermometer has a bit for
    /// each level between them.
    pub levels: (i64, i64),
    /// Width of the accumulator, which counts in two's complement.
    pub accumulator_bits: u32,
    /// Thresholds of each row; with 0 the accumulators themselves go out.
    pub thresholds: usize,
    /// Whether the accumulator starts at minus its only threshold, a constant of its row: then its
    /// sign is the level.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_threshold: bool,
    /// Where the weights are kept.
    pub weight_memory: MemoryStyle,
    /// Where the thresholds (or start values) are kept.
    pub threshold_memory: MemoryStyle,
    /// Whether the input comes anew for every pass (from a sliding window unit).
    pub replayed: bool,
    /// Words of the input buffer that replays a vector for every pass: at least a vector; 0 with a
    /// single pass or a replayed input, which need none.
    pub buffer_words: usize,
    /// Output words that may be on their way at once.
    pub credits: usize,
    /// The trees of a unit whose weights are wires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trees: Option<Trees>,
}

/// What is known of the trees of a layer whose weights are wires: it depends on the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trees {
    /// Registers from a vector to its results.
    pub latency: u64,
    /// Sites of look-up tables.
    pub luts: u64,
    /// Flip-flops.
    pub ffs: u64,
}

impl Mvu {
    /// Steps for one output word: input words of a vector.
    pub fn synapse_fold(&self) -> usize {
        self.columns.div_ceil(self.simd)
    }

    /// Passes over a vector: output words of it.
    pub fn neuron_fold(&self) -> usize {
        self.rows.div_ceil(self.pe)
    }

    /// Whether an accumulator could start at minus its threshold, as far as its unit goes: there is
    /// one, and it is the same in every pass.
    pub fn can_start_from_threshold(&self) -> bool {
        let passes = (self.synapse_fold() > 1, self.neuron_fold());
        self.dot == Dot::Carries && self.thresholds == 1 && passes == (true, 1)
    }

    /// Whether its weights could be wires, as far as its unit goes: all of them work on a whole vector,
    /// and a row gives a sum or one bit.
    pub fn can_be_wired(&self) -> bool {
        (self.pe, self.simd) == (self.rows, self.columns) && self.thresholds <= 1
    }

    /// The column that element `element` of word `word` of a vector stands for.
    pub fn column(&self, word: usize, element: usize) -> usize {
        let channels = self.simd / self.taps;
        element / channels * (self.columns / self.taps) + word * channels + element % channels
    }
}

/// A fixed-point scale and shift for each channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAffine {
    /// Type of the multipliers.
    pub multiplier: ElementType,
    /// Type of the addends.
    pub addend: ElementType,
    /// Output words that may be on their way at once.
    pub credits: usize,
}

/// Arg-max (`k` = 1, any lanes) or top-k (one lane). Ties go to the lowest index. The output word
/// holds the `k` indices, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelSelect {
    /// How many indices.
    pub k: usize,
    /// Whether the smallest elements are wanted instead of the largest.
    pub smallest: bool,
    /// Output words that may be on their way at once.
    pub credits: usize,
}
