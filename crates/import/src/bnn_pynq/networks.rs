//! The published networks, as data.

/// One layer as the hardware of the published network holds it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    /// Output channels.
    pub(crate) rows: usize,
    /// Inputs of each output, padding included.
    pub(crate) columns: usize,
    /// Inputs without padding.
    pub(crate) inputs: usize,
    /// Rows computed at once: one weight file and one threshold file for each.
    pub(crate) pe: usize,
    /// Columns computed at once: the fields of a word.
    pub(crate) simd: usize,
    /// Thresholds of each row; 0 where the accumulators are the output.
    pub(crate) thresholds: usize,
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

/// A published network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) name: &'static str,
    pub(crate) convolutional: bool,
    /// Whether accumulators count XNOR ones; else they are signed sums.
    pub(crate) popcount: bool,
    pub(crate) layers: &'static [Layer],
}

const fn fc(rows: usize, columns: usize, pe: usize, simd: usize, thresholds: usize) -> Layer {
    Layer { rows, columns, inputs: columns, pe, simd, thresholds }
}

/// MNIST pixels, padded to whole 64-bit words of the memory bus.
const fn pixels(thresholds: usize) -> Layer {
    Layer { rows: 1024, columns: 832, inputs: 784, pe: 32, simd: 64, thresholds }
}

/// Every network whose parameters BNN-PYNQ publishes.
pub(crate) const NETWORKS: &[Network] = &[
    Network {
        name: "lfcW1A1",
        convolutional: false,
        popcount: true,
        layers: &[
            pixels(1),
            fc(1024, 1024, 64, 32, 1),
            fc(1024, 1024, 32, 64, 1),
            fc(64, 1024, 16, 8, 1),
        ],
    },
    Network {
        name: "lfcW1A2",
        convolutional: false,
        popcount: false,
        layers: &[
            pixels(2),
            fc(1024, 1024, 64, 32, 2),
            fc(1024, 1024, 32, 64, 2),
            fc(64, 1024, 16, 8, 1),
        ],
    },
    Network {
        name: "cnvW1A1",
        convolutional: true,
        popcount: true,
        layers: &[
            fc(64, 27, 16, 3, 1),
            fc(64, 576, 32, 32, 1),
            fc(128, 576, 16, 32, 1),
            fc(128, 1152, 16, 32, 1),
            fc(256, 1152, 4, 32, 1),
            fc(256, 2304, 1, 32, 1),
            fc(512, 256, 1, 4, 1),
            fc(512, 512, 1, 8, 1),
            fc(64, 512, 4, 1, 0),
        ],
    },
    Network {
        name: "cnvW1A2",
        convolutional: true,
        popcount: false,
        layers: &[
            fc(64, 27, 16, 3, 2),
            fc(64, 576, 32, 32, 2),
            fc(128, 576, 16, 32, 2),
            fc(128, 1152, 16, 32, 2),
            fc(256, 1152, 4, 32, 2),
            fc(256, 2304, 1, 32, 2),
            fc(512, 256, 1, 4, 2),
            fc(512, 512, 1, 8, 2),
            fc(64, 512, 4, 1, 0),
        ],
    },
    Network {
        name: "cnvW2A2",
        convolutional: true,
        popcount: false,
        layers: &[
            fc(64, 27, 8, 3, 2),
            fc(64, 576, 16, 16, 2),
            fc(128, 576, 8, 16, 2),
            fc(128, 1152, 8, 16, 2),
            fc(256, 1152, 4, 8, 2),
            fc(256, 2304, 1, 8, 2),
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
                assert!(layer.simd <= 64);
            }
        }
    }
}
