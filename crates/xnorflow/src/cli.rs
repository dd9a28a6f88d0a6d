//! What the command line takes.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// From a trained binarized neural network to verified Verilog.
#[derive(Debug, Parser)]
#[command(name = "xnorflow", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  xnorflow inspect model.onnx
  xnorflow build model.onnx --board pynq-z2 --fps 10000 -o out
  xnorflow explore model.onnx --board pynq-z2
  xnorflow sim out --input images.npy --labels labels.npy
  xnorflow verify out --input images.npy --stall 0.3
  xnorflow infer model.onnx --input images.npy --labels labels.npy

Exit status: 0 done and equal; 1 refused, or a mismatch; 2 wrong usage; 3 an external tool is
missing or failed.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List layers, value types, parameters and whatever is not supported
    Inspect(Inspect),
    /// Fold a model for a board and write Verilog, testbench and report
    Build(Build),
    /// Show what a board can do: rate against LUTs and block RAMs
    Explore(Explore),
    /// Run the cycle-accurate simulator on a built design
    Sim(Sim),
    /// Compare Verilator, simulator and golden model: every word and cycle of every stream
    Verify(Verify),
    /// Run the software golden model
    Infer(Infer),
    /// List the boards
    Boards(Boards),
}

impl Command {
    /// Whether one JSON object is wanted on stdout.
    pub(crate) fn json(&self) -> bool {
        match self {
            Command::Inspect(o) => o.json,
            Command::Build(o) => o.json,
            Command::Explore(o) => o.json,
            Command::Sim(o) => o.json,
            Command::Verify(o) => o.json,
            Command::Infer(o) => o.json,
            Command::Boards(o) => o.json,
        }
    }
}

/// Which model, and what it means.
#[derive(Debug, Clone, Args)]
pub(crate) struct Model {
    /// An .onnx file, or a folder of BNN-PYNQ parameters
    pub(crate) model: PathBuf,
    /// The published network of a BNN-PYNQ folder, where its files fit several
    #[arg(long, value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// What a pixel stands for: `none` for itself, or a factor; by default pixel / 255
    #[arg(long, value_name = "none|F")]
    pub(crate) input_scale: Option<String>,
    /// Type of the integers that go in, e.g. `int<8>` or `bipolar`, where the model does not say
    #[arg(long, value_name = "TYPE")]
    pub(crate) input_type: Option<String>,
    /// Quantize the first layer's input to P + 1 levels, so that P planes of a thermometer hold it
    #[arg(long, value_name = "P")]
    pub(crate) input_planes: Option<usize>,
    /// Value of a plain `Sign` at 0, as trained by some frameworks: +1 or -1
    #[arg(long, value_name = "+1|-1", allow_hyphen_values = true)]
    pub(crate) sign_zero: Option<i8>,
    /// Float format whose decisions count where two differ
    #[arg(long, value_enum, default_value_t = Decide::Float64)]
    pub(crate) decide: Decide,
    /// What comes out: `model` (as the graph ends), `logits`, `class` or `topk:K`
    #[arg(long, value_name = "HEAD", default_value = "model")]
    pub(crate) head: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Decide {
    Float64,
    Float32,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xnorflow inspect model.onnx --json")]
pub(crate) struct Inspect {
    #[command(flatten)]
    pub(crate) model: Model,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xnorflow build model.onnx --board pynq-z2 -o out            the fastest that fits
  xnorflow build model.onnx --board pynq-z2 --fps 10000 -o out
  xnorflow build model.onnx --fold out/fold.toml -o out2      an edited folding

Keys of a folding file: input_lanes; for each [layers.NAME] pe, simd, lanes, parallel_window,
pixels, dot (planes, add, thermometer, carries or wired: how products are added up),
weights, thresholds and lines (block or lut: where weights, thresholds and the line buffers of windows
are kept), buffer (words of the input buffer or of the line buffers),
pad; and [fifos] (words of a FIFO in front of a layer, by layer). What is left out is chosen: depths
as the fewest words that keep the rate of the slowest engine, rounded up to what memory makes free.")]
pub(crate) struct Build {
    #[command(flatten)]
    pub(crate) model: Model,
    #[command(flatten)]
    pub(crate) part: Part,
    /// Frames a second to reach; by default as many as fit
    #[arg(long, value_name = "N")]
    pub(crate) fps: Option<f64>,
    /// Share of the part that may be used
    #[arg(long, value_name = "FRACTION", default_value_t = 0.8)]
    pub(crate) budget: f64,
    /// A folding file instead of the search
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fps", "budget"])]
    pub(crate) fold: Option<PathBuf>,
    /// Name of the top module; by default the model's name
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Frames for the reference vectors in golden/ instead of random ones
    #[arg(long, value_name = "X.npy")]
    pub(crate) input: Option<PathBuf>,
    /// How many frames go into golden/
    #[arg(long, default_value_t = 16)]
    pub(crate) frames: usize,
    /// Seed of the random frames
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Output folder
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xnorflow explore model.onnx --board pynq-z2                 a table
  xnorflow explore model.onnx --board pynq-z2 -o front        and front/explore.html, with foldings
  xnorflow build model.onnx --board pynq-z2 --fold front/folds/03.toml -o out

Of the designs that it shows none is better than another in rate, LUTs and block RAMs at once; their
buffers are sized as those of a build.")]
pub(crate) struct Explore {
    #[command(flatten)]
    pub(crate) model: Model,
    #[command(flatten)]
    pub(crate) part: Part,
    /// Share of the part that is drawn in as the budget
    #[arg(long, value_name = "FRACTION", default_value_t = 0.8)]
    pub(crate) budget: f64,
    /// At most so many designs
    #[arg(long, value_name = "N", default_value_t = 24)]
    pub(crate) rows: usize,
    /// Write a page with the picture, and the folding of each design, into a folder
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a design is for.
#[derive(Debug, Args)]
pub(crate) struct Part {
    /// A board's name (see `xnorflow boards`) or a .toml file
    #[arg(long, default_value = "pynq-z2")]
    pub(crate) board: String,
    /// Clock in MHz; by default the board's
    #[arg(long, value_name = "MHZ")]
    pub(crate) clock: Option<f64>,
}

/// Arrays in and out.
#[derive(Debug, Args)]
pub(crate) struct Arrays {
    /// Frames: uint8 pixels [N, H, W, C], or int8/float32 values in the model's layout
    #[arg(long, value_name = "X.npy")]
    pub(crate) input: Option<PathBuf>,
    /// Classes, integers [N]: the accuracy is printed
    #[arg(long, value_name = "Y.npy")]
    pub(crate) labels: Option<PathBuf>,
    /// Write the outputs [N, outputs]: float32, or what --raw or --classes says
    #[arg(long = "output", value_name = "Z.npy")]
    pub(crate) output: Option<PathBuf>,
    /// Write the integer accumulators of the last layer (int32)
    #[arg(long, conflicts_with = "classes")]
    pub(crate) raw: bool,
    /// Write classes [N] (int64)
    #[arg(long)]
    pub(crate) classes: bool,
    /// Use only the first N frames
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<usize>,
}

/// Gaps and stalls.
#[derive(Debug, Args)]
pub(crate) struct Stalls {
    /// Probability that each further cycle is a gap at the input or a stall at the output
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    pub(crate) stall: f64,
    /// Seed of gaps, stalls and random frames
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xnorflow sim out --input images.npy --labels labels.npy --stall 0.3
  xnorflow sim out --input images.npy --frames 3 --trace out.vcd      then: gtkwave out.vcd")]
pub(crate) struct Sim {
    /// An output folder of `xnorflow build`
    pub(crate) design: PathBuf,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) stalls: Stalls,
    /// Write words and cycles of every stream here
    #[arg(short = 'o', value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Write a waveform of every stream (valid, ready, data) for GTKWave or Surfer
    #[arg(long, value_name = "OUT.vcd")]
    pub(crate) trace: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  xnorflow verify out --input images.npy --stall 0.3")]
pub(crate) struct Verify {
    /// An output folder of `xnorflow build`
    pub(crate) design: PathBuf,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    #[command(flatten)]
    pub(crate) stalls: Stalls,
    /// Keep the built simulation, and words and cycles of every stream, here
    #[arg(short = 'o', value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xnorflow infer model.onnx --input images.npy --labels labels.npy
  xnorflow infer model.onnx --input images.npy --threads 4 --output scores.npy
  xnorflow infer model.onnx --input images.npy --labels labels.npy --input-planes 16")]
pub(crate) struct Infer {
    #[command(flatten)]
    pub(crate) model: Model,
    #[command(flatten)]
    pub(crate) arrays: Arrays,
    /// Threads that share the frames; by default as many as there are processors
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Boards {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}
