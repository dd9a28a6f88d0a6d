//! The graph of a published network.

use super::files::Folder;
use super::layers::decode;
use super::networks::{Layer, Network, Pixels, Shape};
use diagnostic::{Code, Diagnostic, Result};
use graph::{
    ClassRule, Conv, Elementwise, Graph, NodeId, Op, Pool, PoolKind, QuantizedWeights, Weights,
};
use ndarray::Array2;
use tensor::{ElementType, Map, Window};

/// Pixels from this on are +1: the host computes `2p/255 - 1 >= 0`.
const PIXEL_THRESHOLD: f32 = 128.0;

/// A graph that grows at its end.
struct Chain {
    graph: Graph,
    at: NodeId,
    /// Of the last node: vectors are maps of one pixel.
    map: Map,
    /// Whether the last node's shape is `[1, channels, rows, columns]`, not `[1, channels]`.
    is_map: bool,
}

impl Chain {
    fn add(&mut self, name: &str, source: &str, op: Op) {
        self.at = self.graph.add(name, source, op, self.at, shape_of(self.map, self.is_map));
    }

    fn threshold(
        &mut self,
        name: &str,
        source: &str,
        thresholds: Array2<f32>,
        step: f32,
        low: f32,
    ) {
        let (out_scale, out_bias) = (step, low);
        let op = Elementwise::MultiThreshold { thresholds, out_scale, out_bias, channel_axis: 1 };
        self.add(name, source, Op::Elementwise(op));
    }

    /// Moves on to the map of a window, each pixel of it with `channels` elements.
    fn slide(&mut self, window: &Window, channels: usize) -> Result<()> {
        let no_place = || Diagnostic::new(Code::ModelInvalid, "a kernel does not fit its map");
        self.map = window.over(self.map, channels).ok_or_else(no_place)?;
        Ok(())
    }

    fn layer(
        &mut self,
        index: usize,
        layer: &Layer,
        weights: Weights,
        thresholds: &Array2<i64>,
    ) -> Result<()> {
        let (rows, _) = weights.values.dim();
        match layer.shape {
            Shape::Vector => {
                if self.is_map {
                    self.map = Map::vector(self.map.elements());
                    self.is_map = false;
                    self.add("flatten", "Flatten", Op::Reshape);
                }
                self.map = Map::vector(rows);
                self.add(&format!("fc{index}"), "Weights", Op::MatMul(weights));
            }
            Shape::Kernel { rows: kernel, pool: _ } => {
                let window = Window::of([kernel; 2]);
                self.slide(&window, rows)?;
                let conv = Conv { weights, window, groups: 1 };
                self.add(&format!("conv{index}"), "Weights", Op::Conv(conv));
            }
        }
        if layer.thresholds > 0 {
            let step = if layer.thresholds == 1 { 2.0 } else { 1.0 };
            let thresholds = thresholds.mapv(|t| t as f32);
            self.threshold(&format!("threshold{index}"), "Thresholds", thresholds, step, -1.0);
        }
        if let Shape::Kernel { rows: _, pool: true } = layer.shape {
            let window = Window { stride: [2, 2], ..Window::of([2, 2]) };
            self.slide(&window, rows)?;
            let op = Op::Pool(Pool { kind: PoolKind::Max, window });
            self.add(&format!("pool{index}"), "MaxPool", op);
        }
        Ok(())
    }
}

/// The graph of a network with the parameters of a folder.
pub(crate) fn assemble(network: &Network, folder: &Folder, name: String) -> Result<Graph> {
    let classes = folder.classes()?;
    let hardware_classes = network.layers.last().map_or(0, |layer| layer.rows);
    if classes > hardware_classes {
        let text =
            format!("`classes.txt` lists {classes} classes, the network has {hardware_classes}");
        return Err(Diagnostic::new(Code::FileFormat, text));
    }
    let mut chain = begin(network, name);
    for (index, layer) in network.layers.iter().enumerate() {
        let last = index + 1 == network.layers.len();
        let rows = if last { classes } else { layer.rows };
        let decoded = decode(folder, index, layer, rows, network.weight_bits)?;
        let weights = Weights {
            values: decoded.weights.mapv(|w| w as f32),
            quantized: Some(QuantizedWeights { integers: decoded.weights, scale: vec![1.0] }),
        };
        chain.layer(index, layer, weights, &decoded.thresholds)?;
    }
    let Chain { mut graph, at, .. } = chain;
    graph.set_output(at);
    graph.check()?;
    Ok(graph)
}

fn shape_of(Map { height, width, channels }: Map, is_map: bool) -> Vec<usize> {
    if is_map { vec![1, channels, height, width] } else { vec![1, channels] }
}

/// The input, and what the host makes of its pixels.
fn begin(network: &Network, name: String) -> Chain {
    let mut graph = Graph::new(name);
    let (map, is_map) = match network.pixels {
        Pixels::Binary => (Map::vector(network.layers.first().map_or(0, |l| l.inputs)), false),
        Pixels::Colour { rows } => (Map { height: rows, width: rows, channels: 3 }, true),
    };
    graph.class_rule = match network.pixels {
        Pixels::Binary => ClassRule::HighestSet,
        Pixels::Colour { .. } => ClassRule::ArgMax,
    };
    let at = graph.input("pixels", shape_of(map, is_map), Some(ElementType::Uint(8)));
    let mut chain = Chain { graph, at, map, is_map };
    match network.pixels {
        // The host binarises pixels for lfcW1A2 too: its first layer reads 1-bit inputs ±1, and
        // only the activations between layers have 2 bits.
        Pixels::Binary => {
            let threshold = Array2::from_elem((1, 1), PIXEL_THRESHOLD);
            chain.threshold("binarise", "Pixels", threshold, 2.0, -1.0);
        }
        Pixels::Colour { .. } => {
            chain.threshold("quantize", "Pixels", colour_thresholds(), 1.0, -128.0);
        }
    }
    chain
}

/// For each level above -128 the smallest pixel `p` that reaches it: the host rounds
/// `128 (2p/255 - 1)`, halves up, and limits it to 127.
fn colour_thresholds() -> Array2<f32> {
    // (512 p + 255) / 510, rounded down, is at least `level`.
    Array2::from_shape_fn((1, 255), |(_, index)| {
        let level = index as u32 + 1;
        (510 * level - 255).div_ceil(512) as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_rounded_as_the_host_does() {
        let thresholds = colour_thresholds();
        for pixel in 0..=255i32 {
            let reached = thresholds.iter().filter(|&&t| pixel as f32 >= t).count();
            let expected = 127.min((512 * pixel + 255) / 510 - 128);
            assert_eq!(reached as i32 - 128, expected, "pixel {pixel}");
        }
    }
}
