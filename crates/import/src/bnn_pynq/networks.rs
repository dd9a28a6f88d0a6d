//! The published networks, as data.

/// How the hardware's accumulator relates to the signed sum `s` over the real inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// It counts the XNOR ones.
    Popcount,
    /// It is the signed sum.
    SignedSum,
    /// It is the signed sum in units of half a step of its terms: `2s`.
    HalfSteps,
}

/// What the inputs of a layer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A vector.
    Vector,
    /// The pixels under a square kernel of this many rows. Windows lie at every place, without
    /// padding; `pool` halves the rows and columns of the result by 2x2 maxima.
    Kernel { rows: usize, pool: bool },
}

/// One layer as the hardware of the published network holds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Output channels.
    pub(crate) rows: usize,
    /// Inputs of each output, padding included.
    pub(crate) columns: usize,
    /// Inputs without padding.
    pub(crate) inputs: usize,
    /// What the inputs are.
    pub(crate) shape: Shape,
    /// Rows computed at once: one weight file and one threshold file for each.
    pub(crate) pe: usize,
    /// Columns computed at once: the fields of a word.
    pub(crate) simd: usize,
    /// Thresholds of each row; 0 where the accumulators are the output.
    pub(crate) thresholds: usize,
    /// What the thresholds are compared with.
    pub(crate) arithmetic: Arithmetic,
}

impl Layer {
    /// Words of the weight memory of one PE.
    pub(crate) fn weight_words(&self) -> usize {
        self.rows / self.pe * (self.columns / self.simd)
    }

    /// Words of the threshold memory of one PE.
    pub(crate) fn threshold_words(&self) -> usize {
        self.rows / self.pe * self.thresholds
    }
}

/// What the host makes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixels {
    /// Grey pixels become -1 or +1.
    Binary,
    /// Square images of three colours, whose values become integers of 8 bits, -128 to 127.
    Colour { rows: usize },
}

/// A published network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) name: &'static str,
    pub(crate) pixels: Pixels,
    /// Bits of a weight: 1 for ±1, or 2 for -1, 0, +1 in two's complement.
    pub(crate) weight_bits: usize,
    pub(crate) layers: &'static [Layer],
}

const fn fc(rows: usize, columns: usize, pe: usize, simd: usize, thresholds: usize) -> Layer {
    let arithmetic = Arithmetic::SignedSum;
    Layer { rows, columns, inputs: columns, shape: Shape::Vector, pe, simd, thresholds, arithmetic }
}

/// MNIST pixels, padded to whole 64-bit words of the memory bus.
const fn pixels(thresholds: usize) -> Layer {
    Layer { inputs: 784, ..fc(1024, 832, 32, 64, thresholds) }
}

/// A layer of 3x3 kernels over `channels`.
const fn conv(rows: usize, channels: usize, pe: usize, simd: usize, thresholds: usize) -> Layer {
    let shape = Shape::Kernel { rows: 3, pool: false };
    Layer { shape, ..fc(rows, 9 * channels, pe, simd, thresholds) }
}

/// The first convolution: colours in steps of 1/128, accumulators in steps of 1/256.
const fn colours(pe: usize, thresholds: usize) -> Layer {
    Layer { arithmetic: Arithmetic::HalfSteps, ..conv(64, 3, pe, 3, thresholds) }
}

const fn pooled(layer: Layer) -> Layer {
    Layer { shape: Shape::Kernel { rows: 3, pool: true }, ..layer }
}

const fn popcount(layer: Layer) -> Layer {
    Layer { arithmetic: Arithmetic::Popcount, ..layer }
}

/// Every network whose parameters BNN-PYNQ publishes.
pub(crate) const NETWORKS: &[Network] = &[
    Network {
        name: "lfcW1A1",
        pixels: Pixels::Binary,
        weight_bits: 1,
        layers: &[
            popcount(pixels(1)),
            popcount(fc(1024, 1024, 64, 32, 1)),
            popcount(fc(1024, 1024, 32, 64, 1)),
            popcount(fc(64, 1024, 16, 8, 1)),
        ],
    },
    Network {
        name: "lfcW1A2",
        pixels: Pixels::Binary,
        weight_bits: 1,
        layers: &[
            pixels(2),
            fc(1024, 1024, 64, 32, 2),
            fc(1024, 1024, 32, 64, 2),
            fc(64, 1024, 16, 8, 1),
        ],
    },
    Network {
        name: "cnvW1A1",
        pixels: Pixels::Colour { rows: 32 },
        weight_bits: 1,
        layers: &[
            colours(16, 1),
            pooled(popcount(conv(64, 64, 32, 32, 1))),
            popcount(conv(128, 64, 16, 32, 1)),
            pooled(popcount(conv(128, 128, 16, 32, 1))),
            popcount(conv(256, 128, 4, 32, 1)),
            popcount(conv(256, 256, 1, 32, 1)),
            popcount(fc(512, 256, 1, 4, 1)),
            popcount(fc(512, 512, 1, 8, 1)),
            popcount(fc(64, 512, 4, 1, 0)),
        ],
    },
    Network {
        name: "cnvW1A2",
        pixels: Pixels::Colour { rows: 32 },
        weight_bits: 1,
        layers: &[
            colours(16, 2),
            pooled(conv(64, 64, 32, 32, 2)),
            conv(128, 64, 16, 32, 2),
            pooled(conv(128, 128, 16, 32, 2)),
            conv(256, 128, 4, 32, 2),
            conv(256, 256, 1, 32, 2),
            fc(512, 256, 1, 4, 2),
            fc(512, 512, 1, 8, 2),
            fc(64, 512, 4, 1, 0),
        ],
    },
    Network {
        name: "cnvW2A2",
        pixels: Pixels::Colour { rows: 32 },
        weight_bits: 2,
        layers: &[
            colours(8, 2),
            pooled(conv(64, 64, 16, 16, 2)),
            conv(128, 64, 8, 16, 2),
            pooled(conv(128, 128, 8, 16, 2)),
            conv(256, 128, 4, 8, 2),
            conv(256, 256, 1, 8, 2),
            fc(512, 256, 1, 2, 2),
            fc(512, 512, 2, 2, 2),
            fc(64, 512, 4, 1, 0),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folding_divides_its_layer() {
        for network in NETWORKS {
            for layer in network.layers {
                assert_eq!(layer.rows % layer.pe, 0, "{} {layer:?}", network.name);
                assert_eq!(layer.columns % layer.simd, 0, "{} {layer:?}", network.name);
                assert!(layer.simd * network.weight_bits <= 64);
            }
        }
    }
}
