//! BNN-PYNQ parameter folders: `<layer>-<pe>-weights.bin`, `<layer>-<pe>-thres.bin`, `classes.txt`.
//!
//! The files hold no topology: it is that of one of the published networks, found by the number and
//! the sizes of the files. Weights and thresholds become one `MatMul` and one `MultiThreshold` for
//! each layer, on values -1, (0,) +1.

mod files;
mod layers;
mod networks;

use crate::Options;
use diagnostic::{Code, Diagnostic, Result};
use files::Folder;
use graph::{ClassRule, Elementwise, Graph, Op, QuantizedWeights, Weights};
use layers::{Arithmetic, decode};
use ndarray::Array2;
use networks::{NETWORKS, Network};
use std::path::Path;
use tensor::ElementType;

/// Pixels from this on are +1: the host computes `2p/255 - 1 >= 0`.
const PIXEL_THRESHOLD: f32 = 128.0;

/// Reads a parameter folder.
///
/// # Errors
/// `network-unknown` when the files fit no published network, or several; `file-access` and
/// `file-format` for files that are missing or have an impossible size; `unsupported-structure` for
/// convolutional networks.
pub fn load(path: &Path, options: &Options) -> Result<Graph> {
    let folder = Folder::list(path)?;
    let network = choose(&folder, options.network.as_deref())?;
    if network.convolutional {
        let text = format!("`{}` is a convolutional network", network.name);
        return Err(Diagnostic::new(Code::UnsupportedStructure, text)
            .hint("convolutional networks come later: use lfcW1A1 or lfcW1A2"));
    }
    let name = path.file_name().map_or_else(|| network.name.into(), |n| n.to_string_lossy().into());
    build(network, &folder, name)
}

fn names(networks: impl Iterator<Item = &'static Network>) -> String {
    networks.map(|n| n.name).collect::<Vec<_>>().join(", ")
}

/// The network of a folder: the named one, or the only one (or the closest) that the files fit.
fn choose(folder: &Folder, wanted: Option<&str>) -> Result<&'static Network> {
    if let Some(wanted) = wanted {
        let network = NETWORKS.iter().find(|n| n.name == wanted).ok_or_else(|| {
            Diagnostic::new(Code::NetworkUnknown, format!("there is no network `{wanted}`"))
                .hint(format!("use one of {}", names(NETWORKS.iter())))
        })?;
        return match Diagnostic::join(folder.misfits(network)) {
            None => Ok(network),
            Some(error) => Err(error),
        };
    }
    let fitting: Vec<&Network> = NETWORKS.iter().filter(|n| folder.misfits(n).is_empty()).collect();
    // Files may be shorter than the memory that they fill: among several networks it is the one
    // whose memories most files fill exactly.
    let filled = |network: &Network| folder.filled(network);
    let most = fitting.iter().map(|n| filled(n)).max();
    let best: Vec<&'static Network> =
        NETWORKS.iter().filter(|n| fitting.contains(n) && Some(filled(n)) == most).collect();
    match best.as_slice() {
        [network] => Ok(network),
        [] => Err(nearest(folder)),
        several => {
            let list = names(several.iter().copied());
            Err(Diagnostic::new(Code::NetworkUnknown, format!("the files fit {list}"))
                .hint(format!("choose with --network: one of {list}")))
        }
    }
}

/// Why the files do not fit the network that they resemble most.
fn nearest(folder: &Folder) -> Diagnostic {
    let known = names(NETWORKS.iter());
    let closest = NETWORKS.iter().min_by_key(|n| folder.misfits(n).len());
    match closest.map(|n| (n, folder.misfits(n))) {
        Some((network, misfits)) if !folder.is_empty() && misfits.len() <= 8 => {
            let text = format!("the files fit no published network; nearest is {}", network.name);
            let mut error = Diagnostic::new(Code::NetworkUnknown, text)
                .hint(format!("complete the folder, or choose with --network: one of {known}"));
            error.more = misfits;
            error
        }
        _ => Diagnostic::new(Code::NetworkUnknown, "the files fit no published network")
            .hint(format!("a folder holds the <layer>-<pe>-weights.bin files of one of {known}")),
    }
}

fn build(network: &Network, folder: &Folder, name: String) -> Result<Graph> {
    let classes = folder.classes()?;
    let hardware_classes = network.layers.last().map_or(0, |layer| layer.rows);
    if classes > hardware_classes {
        let text =
            format!("`classes.txt` lists {classes} classes, the network has {hardware_classes}");
        return Err(Diagnostic::new(Code::FileFormat, text));
    }
    let mut graph = Graph::new(name);
    graph.class_rule = ClassRule::HighestSet;
    let pixels = network.layers.first().map_or(0, |layer| layer.inputs);
    let mut at = graph.input("pixels", vec![1, pixels], Some(ElementType::Uint(8)));
    // The host binarises pixels for lfcW1A2 too: its first layer reads 1-bit inputs ±1, and only
    // the activations between layers have 2 bits.
    let binarise = Elementwise::MultiThreshold {
        thresholds: Array2::from_elem((1, 1), PIXEL_THRESHOLD),
        out_scale: 2.0,
        out_bias: -1.0,
        channel_axis: 1,
    };
    at = graph.add("binarise", "Pixels", Op::Elementwise(binarise), at, vec![1, pixels]);
    for (index, layer) in network.layers.iter().enumerate() {
        let last = index + 1 == network.layers.len();
        let rows = if last { classes } else { layer.rows };
        let arithmetic =
            if network.popcount { Arithmetic::Popcount } else { Arithmetic::SignedSum };
        let decoded = decode(folder, index, layer, rows, arithmetic)?;
        let weights = Weights {
            values: decoded.weights.mapv(|w| w as f32),
            quantized: Some(QuantizedWeights { integers: decoded.weights, scale: vec![1.0] }),
        };
        let shape = vec![1, rows];
        at = graph.add(&format!("fc{index}"), "Weights", Op::MatMul(weights), at, shape.clone());
        let levels = layer.thresholds;
        let threshold = Elementwise::MultiThreshold {
            thresholds: decoded.thresholds.mapv(|t| t as f32),
            out_scale: if levels == 1 { 2.0 } else { 1.0 },
            out_bias: -1.0,
            channel_axis: 1,
        };
        let op = Op::Elementwise(threshold);
        at = graph.add(&format!("threshold{index}"), "Thresholds", op, at, shape);
    }
    graph.set_output(at);
    graph.check()?;
    Ok(graph)
}
