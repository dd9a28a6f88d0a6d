//! `fold.toml`: the folding as a file that can be read and edited.

use crate::map_units::needs_window;
use crate::windows;
use dataflow::{Dot, MemoryStyle};
use diagnostic::{Code, Diagnostic, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write;
use streamline::{LayerOp, Streamlined};
use tensor::ElementType;

/// The folding of a network: everything that is left unset gets a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fold {
    /// Elements in a word of the input stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_lanes: Option<usize>,
    /// Layers by name.
    #[serde(default)]
    pub layers: BTreeMap<String, LayerFold>,
    /// Depths of FIFOs in front of layers, by layer, counted in the widest words between the layer
    /// before and it; sized by the simulator where there is no entry, mostly to none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fifos: BTreeMap<String, usize>,
}

/// The folding of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerFold {
    /// Rows in parallel (convolutions and fully connected layers); channels in parallel (depthwise
    /// convolutions and average pools).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pe: Option<usize>,
    /// Columns in parallel (convolutions and fully connected layers).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simd: Option<usize>,
    /// Elements in parallel (all other layers).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lanes: Option<usize>,
    /// Whether all taps of a window come at once (convolutions and pools). SIMD is then a multiple
    /// of the taps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub parallel_window: bool,
    /// Neighbouring input pixels at once (MMV), with all their channels. More than one needs a
    /// parallel window and the whole matrix, or all lanes, in parallel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pixels: Option<usize>,
    /// How products are added up (convolutions and fully connected layers); the cheapest when unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dot: Option<Dot>,
    /// Where the weights are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<MemoryStyle>,
    /// Where the thresholds are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thresholds: Option<MemoryStyle>,
    /// Where the lines that windows are taken from are kept (convolutions and pools).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<MemoryStyle>,
    /// Words of the input buffer, or of the ring of a sliding window unit; sized by the simulator
    /// when unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<usize>,
    /// Whether PE and SIMD need not divide the layer: the rest is padded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pad: bool,
}

/// Words of the deepest FIFO.
pub(crate) const MOST_FIFO_WORDS: usize = 1 << 16;

/// Words of the deepest buffer.
const MOST_WORDS: usize = 1 << 20;

impl Fold {
    /// Reads a folding and checks it against the network.
    ///
    /// # Errors
    /// `fold-invalid` for unknown keys and layers, `fold-not-divisor` with the legal values.
    pub fn parse(text: &str, network: &Streamlined) -> Result<Self> {
        let fold: Fold = toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |s| 1 + text[..s.start].matches('\n').count());
            Diagnostic::new(Code::FoldInvalid, format!("line {line}: {}", e.message()))
                .hint("legal keys: input_lanes, [layers.NAME] with pe, simd, lanes, parallel_window, pixels, dot, weights, thresholds, lines, buffer, pad, and [fifos]")
        })?;
        fold.check(network)?;
        Ok(fold)
    }

    /// Checks every entry against the network; all errors at once.
    ///
    /// # Errors
    /// As for [`parse`](Self::parse).
    pub fn check(&self, network: &Streamlined) -> Result<()> {
        let mut errors = Vec::new();
        let names: Vec<&str> = network.layers.iter().map(|l| l.name.as_str()).collect();
        let unknown = |name: &String| {
            Diagnostic::new(Code::FoldInvalid, format!("there is no layer `{name}`"))
                .hint(format!("the layers are {}", names.join(", ")))
        };
        let elements = crate::build::input_pixel(network, self);
        errors.extend(
            self.input_lanes.and_then(|l| divides("input_lanes", l, elements, "input", false)),
        );
        errors.extend(self.layers.keys().filter(|n| !names.contains(&n.as_str())).map(unknown));
        errors.extend(self.fifos.keys().filter(|n| !names.contains(&n.as_str())).map(unknown));
        for (name, depth) in &self.fifos {
            if !(1..=MOST_FIFO_WORDS).contains(depth) {
                let text = format!("the FIFO in front of `{name}` cannot hold {depth} words");
                errors.push(
                    Diagnostic::new(Code::FoldInvalid, text)
                        .hint(format!("use 1 to {MOST_FIFO_WORDS}")),
                );
            }
        }
        let (mut element, mut inputs) = (network.input.element, elements);
        for layer in &network.layers {
            if let Some(fold) = self.layers.get(&layer.name) {
                check_layer(layer, fold, inputs, &mut errors);
                errors.extend(fold.dot.and_then(|dot| check_dot(layer, dot, element)));
                errors.extend(check_wired(layer, fold));
            }
            (element, inputs) = (layer.element, layer.elements());
        }
        Diagnostic::join(errors).map_or(Ok(()), Err)
    }

    /// The text of the file, with a comment for each layer.
    pub fn to_text(&self, network: &Streamlined, cycles: &BTreeMap<String, u64>) -> String {
        let mut text = String::from(
            "# Folding: PE rows by SIMD columns of a layer work in parallel. Edit it and pass it\n\
             # back with --fold. PE must divide the rows and SIMD the columns, unless pad = true.\n",
        );
        let put = |text: &mut String, line: std::fmt::Arguments<'_>| {
            text.write_fmt(line).expect("writing to a string does not fail");
            text.push('\n');
        };
        if let Some(lanes) = self.input_lanes {
            put(
                &mut text,
                format_args!(
                    "input_lanes = {lanes}  # of {}",
                    crate::build::input_pixel(network, self)
                ),
            );
        }
        let mut inputs = network.input.elements();
        for layer in &network.layers {
            let outputs = layer.elements();
            if let Some(fold) = self.layers.get(&layer.name) {
                put(&mut text, format_args!("\n[layers.{}]", layer.name));
                let cycles = cycles.get(&layer.name).copied().unwrap_or(0);
                put(&mut text, format_args!("# {inputs} -> {outputs}, {cycles} cycles a frame"));
                let entry = toml::to_string(fold).expect("plain data has a text form");
                text.push_str(&entry);
            }
            inputs = outputs;
        }
        if !self.fifos.is_empty() {
            text.push_str("\n[fifos]\n");
            text.push_str(&toml::to_string(&self.fifos).expect("plain data has a text form"));
        }
        text
    }
}

fn check_layer(
    layer: &streamline::Layer,
    fold: &LayerFold,
    inputs: usize,
    errors: &mut Vec<Diagnostic>,
) {
    let name = &layer.name;
    let misplaced = |key: &str, hint: &str| {
        Diagnostic::new(Code::FoldInvalid, format!("`{key}` has no meaning for layer `{name}`"))
            .node(name.clone())
            .hint(hint.to_string())
    };
    if fold.buffer.is_some_and(|b| b > MOST_WORDS) {
        let text = format!("the input buffer of `{name}` is too deep");
        let hint = format!("use at most {MOST_WORDS} words");
        errors.push(Diagnostic::new(Code::FoldInvalid, text).hint(hint));
    }
    let before = errors.len();
    windows::check(layer, fold, errors);
    if errors.len() > before {
        return;
    }
    let windows = match &layer.op {
        LayerOp::Conv(conv) => needs_window(conv),
        LayerOp::Pool(_) => true,
        LayerOp::Threshold(_)
        | LayerOp::Dense(_)
        | LayerOp::ChannelAffine(_)
        | LayerOp::LabelSelect { .. } => false,
    };
    if !windows {
        errors.extend(fold.lines.map(|_| misplaced("lines", "leave it out")));
    }
    // What PE and SIMD divide, and whether the rest of the rows and of the columns can be padded.
    let matrix = match &layer.op {
        LayerOp::Dense(_) => Some((layer.elements(), inputs, fold.pad, fold.pad)),
        LayerOp::Conv(conv) if conv.is_depthwise() => Some((conv.input.channels, 1, false, false)),
        LayerOp::Conv(conv) => {
            let rows = layer.map.channels / conv.groups;
            Some((rows, conv.group_channels(), fold.pad && conv.groups == 1, false))
        }
        LayerOp::Threshold(_)
        | LayerOp::Pool(_)
        | LayerOp::ChannelAffine(_)
        | LayerOp::LabelSelect { .. } => None,
    };
    if let Some((rows, columns, pad_rows, pad_columns)) = matrix {
        errors.extend(fold.pe.and_then(|v| divides("PE", v, rows, name, pad_rows)));
        if !fold.parallel_window {
            errors.extend(fold.simd.and_then(|v| divides("SIMD", v, columns, name, pad_columns)));
        }
        errors.extend(fold.lanes.map(|_| misplaced("lanes", "use pe and simd")));
        return;
    }
    let (whole, pad) = match &layer.op {
        LayerOp::Pool(pool) => (pool.input.channels, false),
        _ => (inputs, fold.pad),
    };
    errors.extend(fold.lanes.and_then(|v| divides("lanes", v, whole, name, pad)));
    errors.extend(fold.pe.map(|_| misplaced("pe", "use lanes")));
    errors.extend(fold.simd.map(|_| misplaced("simd", "use lanes")));
    if !matches!(layer.op, LayerOp::Pool(_)) {
        errors.extend(fold.buffer.map(|_| misplaced("buffer", "leave it out")));
    }
    errors.extend(fold.weights.map(|_| misplaced("weights", "leave it out")));
    if let LayerOp::LabelSelect { k: 2.., .. } = layer.op
        && fold.lanes.is_some_and(|l| l != 1)
    {
        errors.push(misplaced("lanes", "top-k takes one element a cycle: use lanes = 1"));
    }
}

/// An error where products of inputs of type `input` cannot be added up so.
fn check_dot(layer: &streamline::Layer, dot: Dot, input: ElementType) -> Option<Diagnostic> {
    let depthwise = matches!(&layer.op, LayerOp::Conv(conv) if conv.is_depthwise());
    let dense = layer.dense().filter(|_| !depthwise);
    if dense.is_some_and(|dense| dot.takes(dense.weight, input)) {
        return None;
    }
    let (name, what) = (&layer.name, dot.name());
    let (text, hint) = if let Some(dense) = dense {
        let text = format!(
            "dot = \"{what}\" has no meaning for {} weights on the {input} inputs of layer `{name}`",
            dense.weight
        );
        (text, "leave it out, or use \"planes\"")
    } else {
        (format!("`dot` has no meaning for layer `{name}`"), "leave it out")
    };
    Some(Diagnostic::new(Code::FoldInvalid, text).node(name.clone()).hint(hint))
}

/// An error where weights cannot be wires, though they should.
fn check_wired(layer: &streamline::Layer, fold: &LayerFold) -> Option<Diagnostic> {
    let dense = layer.dense().filter(|_| fold.dot == Some(Dot::Wired))?;
    let (rows, columns) = dense.weights.dim();
    let whole = (fold.pe, fold.simd) == (Some(rows), Some(columns));
    let (text, hint) = if !crate::wired::is_suitable(layer) {
        let text = "needs weights of -1, 0 and 1, at most one threshold, and no zero padding";
        (text, "leave `dot` out".to_string())
    } else if !whole {
        let hint = format!("use pe = {rows} and simd = {columns}, or leave `dot` out");
        ("needs all rows and columns in parallel", hint)
    } else {
        return None;
    };
    let text = format!("dot = \"wired\" {text}");
    Some(Diagnostic::new(Code::FoldInvalid, text).node(layer.name.clone()).hint(hint))
}

/// An error unless `value` divides `whole` (or, padded, is at most `whole`).
fn divides(what: &str, value: usize, whole: usize, layer: &str, pad: bool) -> Option<Diagnostic> {
    let legal =
        if pad { (1..=whole).contains(&value) } else { value > 0 && whole.is_multiple_of(value) };
    (!legal).then(|| {
        let list: Vec<String> = divisors(whole).iter().map(ToString::to_string).collect();
        let text = format!("{what} {value} does not divide the {whole} elements of `{layer}`");
        Diagnostic::new(Code::FoldNotDivisor, text)
            .node(layer.to_string())
            .hint(format!("use one of {}", list.join(", ")))
    })
}

/// All divisors, ascending.
pub(crate) fn divisors(n: usize) -> Vec<usize> {
    (1..=n).filter(|d| n.is_multiple_of(*d)).collect()
}
