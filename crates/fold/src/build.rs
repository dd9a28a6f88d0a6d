//! From a complete folding to the chain of engines and streams.

use crate::file::{Fold, LayerFold};
use dataflow::{
    ChannelAffine, Dataflow, Engine, EngineKind, LabelSelect, MemoryStyle, Mvu, OUTSIDE, Stream,
    Threshold,
};
use engines::{full_rate_credits, mvu::Encoding};
use streamline::{Dense, Layer, LayerOp, Streamlined};
use tensor::ElementType;

/// Depth up to which a memory is kept in LUTs when the folding does not say.
const LARGEST_LUT_DEPTH: usize = 128;

/// Builds the dataflow of a folding that was [checked](Fold::check) against the network. Where a
/// layer's buffer is not set it is two frames.
pub fn dataflow(name: &str, network: &Streamlined, fold: &Fold) -> Dataflow {
    let elements = network.input.elements();
    let mut chain = Chain {
        streams: vec![Stream {
            name: "s_axis".into(),
            element: network.input.element,
            lanes: fold.input_lanes.unwrap_or(1),
            elements,
            from: OUTSIDE,
            to: 0,
        }],
        engines: Vec::new(),
    };
    chain.same("axis_in", EngineKind::Input);
    let default = LayerFold::default();
    for layer in &network.layers {
        let folding = fold.layers.get(&layer.name).unwrap_or(&default);
        let lanes = match (&layer.op, folding.simd, folding.lanes) {
            (LayerOp::Dense(_), simd, _) => simd.unwrap_or(1),
            (LayerOp::LabelSelect { k: 2.., .. }, _, _) => 1,
            (_, _, lanes) => lanes.unwrap_or(chain.last().lanes),
        };
        chain.width(&layer.name, lanes);
        if let Some(&depth) = fold.fifos.get(&layer.name) {
            chain.same(&format!("{}_fifo", layer.name), EngineKind::Fifo { depth });
        }
        chain.layer(layer, folding);
    }
    chain.same("axis_out", EngineKind::Output);
    let last = chain.streams.last_mut().expect("streams were pushed");
    last.name = "m_axis".into();
    last.to = OUTSIDE;
    Dataflow { name: name.into(), streams: chain.streams, engines: chain.engines }
}

struct Chain {
    streams: Vec<Stream>,
    engines: Vec<Engine>,
}

impl Chain {
    fn last(&self) -> &Stream {
        self.streams.last().expect("the chain starts with a stream")
    }

    /// An engine whose output words are as its input words.
    fn same(&mut self, name: &str, kind: EngineKind) {
        let Stream { element, lanes, elements, .. } = *self.last();
        self.push(name, "", kind, element, lanes, elements);
    }

    fn push(
        &mut self,
        name: &str,
        layer: &str,
        kind: EngineKind,
        element: ElementType,
        lanes: usize,
        elements: usize,
    ) {
        let index = self.engines.len();
        self.engines.push(Engine {
            name: name.into(),
            layer: layer.into(),
            input: index,
            output: index + 1,
            kind,
        });
        self.streams.push(Stream {
            name: format!("{name}_out"),
            element,
            lanes,
            elements,
            from: index,
            to: index + 1,
        });
    }

    /// Width converters to `lanes`: one where a lane count divides the other, else two.
    fn width(&mut self, layer: &str, lanes: usize) {
        let Stream { lanes: from, element, elements, .. } = *self.last();
        for (i, &step) in conversion(from, lanes, elements).iter().enumerate() {
            let name = if i == 0 { format!("{layer}_width") } else { format!("{layer}_width2") };
            self.push(&name, "", EngineKind::Width, element, step, elements);
        }
    }

    fn layer(&mut self, layer: &Layer, folding: &LayerFold) {
        let input = self.last().clone();
        let style = |asked: Option<MemoryStyle>, depth: usize| {
            let by_depth =
                if depth > LARGEST_LUT_DEPTH { MemoryStyle::Block } else { MemoryStyle::Lut };
            asked.unwrap_or(by_depth)
        };
        let words = input.words_per_frame();
        let (kind, lanes) = match &layer.op {
            LayerOp::Threshold(t) => {
                let shared = t.values.nrows() == 1;
                let mut unit = Threshold {
                    thresholds: t.values.ncols(),
                    shared,
                    memory: if shared {
                        MemoryStyle::Lut
                    } else {
                        style(folding.thresholds, words)
                    },
                    credits: 1,
                };
                unit.credits = full_rate_credits(engines::threshold::latency(&unit), 1);
                (EngineKind::Threshold(unit), input.lanes)
            }
            LayerOp::Dense(d) => {
                let pe = folding.pe.unwrap_or(1);
                let thresholds = d.thresholds.as_ref().map_or(0, |t| t.values.ncols());
                let mut mvu = Mvu {
                    rows: layer.elements,
                    columns: input.elements,
                    pe,
                    simd: input.lanes,
                    weight: d.weight,
                    accumulator_bits: accumulator_bits(d, input.element),
                    thresholds,
                    weight_memory: MemoryStyle::Lut,
                    threshold_memory: MemoryStyle::Lut,
                    buffer_words: 0,
                    credits: 1,
                };
                let (sf, nf) = (mvu.synapse_fold(), mvu.neuron_fold());
                mvu.weight_memory = style(folding.weights, sf * nf);
                mvu.threshold_memory = style(folding.thresholds, nf);
                if nf > 1 {
                    mvu.buffer_words = folding.buffer.unwrap_or(2 * sf).max(sf);
                }
                mvu.credits = full_rate_credits(engines::mvu::latency(&mvu, input.element), sf);
                (EngineKind::Mvu(mvu), pe)
            }
            LayerOp::ChannelAffine(a) => {
                let smallest = |v: &[i64]| {
                    let low = v.iter().copied().min().unwrap_or(0).min(-1);
                    ElementType::smallest(low, v.iter().copied().max().unwrap_or(0))
                };
                let kind = EngineKind::ChannelAffine(ChannelAffine {
                    multiplier: smallest(&a.multipliers),
                    addend: smallest(&a.addends),
                    credits: full_rate_credits(engines::affine::LATENCY, 1),
                });
                (kind, input.lanes)
            }
            LayerOp::LabelSelect { k, smallest } => {
                let latency = engines::label_select::latency(input.lanes, *k);
                let credits = full_rate_credits(latency, words);
                let kind = LabelSelect { k: *k, smallest: *smallest, credits };
                (EngineKind::LabelSelect(kind), *k)
            }
        };
        self.push(&layer.name, &layer.name, kind, layer.element, lanes, layer.elements);
    }
}

/// The lane counts that a conversion goes through, the last one included.
pub(crate) fn conversion(from: usize, to: usize, elements: usize) -> Vec<usize> {
    if from == to {
        return Vec::new();
    }
    if from.is_multiple_of(to) || to.is_multiple_of(from) {
        return vec![to];
    }
    let gcd = gcd(from, to);
    let lcm = from / gcd * to;
    if lcm <= elements { vec![lcm, to] } else { vec![gcd, to] }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Two's complement bits that hold every count of the unit, and one more above for thresholds that
/// are never reached.
fn accumulator_bits(dense: &Dense, input: ElementType) -> u32 {
    let (low, high) = dense.accumulator;
    let mut range = (-1, 1);
    for row in dense.weights.rows() {
        let row = row.to_vec();
        let encoding = Encoding::of(&row, dense.weight, input);
        range.0 = range.0.min(encoding.count_threshold(low) - 1);
        range.1 = range.1.max(encoding.count_threshold(high + 1));
    }
    ElementType::smallest(range.0, range.1).bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_go_through_the_least_common_multiple() {
        assert_eq!(conversion(4, 4, 64), Vec::<usize>::new());
        assert_eq!(conversion(4, 16, 64), [16]);
        assert_eq!(conversion(16, 49, 784), [784, 49]);
        assert_eq!(conversion(16, 49, 700), [1, 49]);
    }
}
