//! The end of the network: scores, arg-max, top-k.

use crate::close::differs_by_pixel;
use crate::decide::Occurring;
use crate::linear::Values;
use crate::lower::Head;
use crate::network::{ChannelAffine, Layer, LayerOp, OutputSpec, Scores};
use crate::segment::{Segment, Start, at, is_affine};
use diagnostic::{Code, Diagnostic, Result};
use graph::{ClassRule, Direction, Elementwise};
use tensor::{ElementType, Map};

/// Bits of the largest multiplier of a fixed-point affine, sign included.
const MULTIPLIER_BITS: i32 = 18;

/// What follows the last linear layer's operators.
pub(crate) struct End {
    pub(crate) name: String,
    pub(crate) class_rule: ClassRule,
    /// `k`, and whether the largest are wanted.
    pub(crate) top_k: Option<(usize, bool)>,
    pub(crate) softmax: bool,
    pub(crate) head: Head,
}

impl End {
    /// How many indices the hardware puts out; `None` for numbers. And whether of the smallest.
    pub(crate) fn select(&self) -> Option<(usize, bool)> {
        let model = self.top_k.map(|(k, largest)| (k, !largest));
        match self.head {
            Head::Model => model,
            Head::Logits => None,
            Head::Class => Some((1, model.is_some_and(|(_, smallest)| smallest))),
            Head::TopK(k) => Some((k, model.is_some_and(|(_, smallest)| smallest))),
        }
    }
}

/// The outputs are levels of thresholds.
pub(crate) fn thresholded(
    end: &End,
    values: &Values,
    layers: &mut Vec<Layer>,
) -> Result<OutputSpec> {
    let elements = values.map.elements();
    if end.select().is_some() && end.class_rule == ClassRule::HighestSet {
        return Err(Diagnostic::new(
            Code::Usage,
            "this network has no scores to choose a class by",
        )
        .hint("its class is the highest output that is set: use `--head model`"));
    }
    let rises = values.signs.iter().all(|&sign| sign > 0);
    if end.select().is_some() && !rises {
        return Err(Diagnostic::new(
            Code::UnsupportedStructure,
            "some outputs are computed negated",
        )
        .node(end.name.clone())
        .hint("use `--head logits`"));
    }
    let each = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        let alike = rises && values.offsets.len() == 1;
        (0..if alike { 1 } else { elements }).map(of).collect()
    };
    let scores = Scores {
        scale: each(&|e| values.step * values.sign(e) as f64),
        offset: each(&|e| values.offset(e) * values.sign(e) as f64),
        tail: Vec::new(),
        softmax: false,
    };
    push_select(end, false, values.element, elements, layers)?;
    let name = end.name.clone();
    Ok(OutputSpec { name, elements, class_rule: end.class_rule, smallest: false, scores })
}

/// The outputs are numbers: accumulators, or fixed point when the channels differ in scale. `ranges`
/// are those of the channels.
pub(crate) fn numeric(
    end: &End,
    segment: &Segment,
    ranges: &[Occurring],
    layers: &mut Vec<Layer>,
) -> Result<OutputSpec> {
    let last = layers.last().expect("a linear layer came before");
    let (accumulator, map) = (last.element, last.map);
    let elements = map.elements();
    if !segment.is_alike_at_all_pixels(map.channels) {
        return Err(differs_by_pixel(segment));
    }
    let operators: Vec<Elementwise> = segment.operators().cloned().collect();
    let Start::Affine { scale, offset, divisor } = &segment.start else {
        unreachable!("a linear layer came before")
    };
    let uniform = segment.is_uniform();
    // Operators up to here are folded into the fixed-point affine.
    let split = segment.channel_operators();
    let (scores, element) = if uniform {
        let scores = Scores {
            scale: vec![scale[0] / divisor],
            offset: vec![offset[0]],
            tail: operators.clone(),
            softmax: end.softmax,
        };
        (scores, accumulator)
    } else {
        let (affine, element) = channel_affine(segment, split, ranges, map.pixels())?;
        let frac = affine.frac as i32;
        layers.push(Layer {
            name: "scale".into(),
            nodes: segment.nodes.clone(),
            element,
            map,
            op: LayerOp::ChannelAffine(affine),
        });
        let scores = Scores {
            scale: vec![f64::powi(2.0, -frac)],
            offset: vec![0.0],
            tail: operators[split..].to_vec(),
            softmax: end.softmax,
        };
        (scores, element)
    };
    let direction =
        if uniform { segment.direction(0) } else { tail_direction(&operators[split..]) };
    let decreasing = match direction {
        Direction::Increasing => false,
        Direction::Decreasing => true,
        // All outputs are equal, or none can be told from the order of the sums.
        Direction::Constant => false,
        Direction::Unknown if end.select().is_none() => false,
        Direction::Unknown => {
            return Err(Diagnostic::new(
                Code::UnsupportedStructure,
                "the order of the outputs does not follow from the order of the sums",
            )
            .node(segment.nodes.join(", "))
            .hint("use `--head logits`, or end the network with an affine or a softmax"));
        }
    };
    push_select(end, decreasing, element, elements, layers)?;
    let smallest = decreasing ^ end.top_k.is_some_and(|(_, largest)| !largest);
    let name = end.name.clone();
    Ok(OutputSpec { name, elements, class_rule: end.class_rule, smallest, scores })
}

fn push_select(
    end: &End,
    decreasing: bool,
    element: ElementType,
    elements: usize,
    layers: &mut Vec<Layer>,
) -> Result<()> {
    debug_assert_eq!(layers.last().map(|l| l.element), Some(element));
    let Some((k, smallest)) = end.select() else { return Ok(()) };
    if k == 0 || k > elements {
        return Err(Diagnostic::new(Code::Usage, format!("top-{k} of {elements} outputs"))
            .hint(format!("use k from 1 to {elements}")));
    }
    layers.push(Layer {
        name: "label".into(),
        nodes: if end.top_k.is_some() { vec![end.name.clone()] } else { Vec::new() },
        element: ElementType::smallest(0, elements as i64 - 1),
        map: Map::vector(k),
        op: LayerOp::LabelSelect { k, smallest: smallest ^ decreasing },
    });
    Ok(())
}

fn tail_direction(tail: &[Elementwise]) -> Direction {
    tail.iter().fold(Direction::Increasing, |d, op| d.then(op.bind(&[1]).direction(0)))
}

/// `multiplier * acc + addend` in units of 2^-frac for the first `split` operators, which must be
/// affine; the constants of all channels once for each of `pixels` pixels.
fn channel_affine(
    segment: &Segment,
    split: usize,
    ranges: &[Occurring],
    pixels: usize,
) -> Result<(ChannelAffine, ElementType)> {
    let Start::Affine { scale, offset: _, divisor } = &segment.start else {
        unreachable!("a linear layer came before")
    };
    let head = segment.first(split);
    let eval = |element: usize, acc: i64| head.eval::<f64>(element, acc);
    if !segment.operators().take(split).all(is_affine) {
        return Err(Diagnostic::new(
            Code::UnsupportedStructure,
            "operators after the last layer differ between channels and are not affine",
        )
        .node(segment.nodes.join(", "))
        .hint("keep to scales, shifts and batch normalisation there, or quantize the outputs"));
    }
    let lines: Vec<(f64, f64)> = ranges
        .iter()
        .enumerate()
        .map(|(e, o)| {
            let slope = if o.high > o.low {
                (eval(e, o.high) - eval(e, o.low)) / (o.high - o.low) as f64
            } else {
                at(scale, e) / divisor
            };
            (slope, eval(e, o.low) - slope * o.low as f64)
        })
        .collect();
    let largest = lines.iter().map(|(a, _)| a.abs()).fold(0.0, f64::max);
    let exponent = if largest > 0.0 { largest.log2().floor() as i32 + 1 } else { 0 };
    let frac = (MULTIPLIER_BITS - 1 - exponent).clamp(0, 40) as u32;
    let unit = f64::powi(2.0, frac as i32);
    let fixed = |v: f64| (v * unit).round() as i64;
    let multipliers: Vec<i64> = lines.iter().map(|&(a, _)| fixed(a)).collect();
    let addends: Vec<i64> = lines.iter().map(|&(_, b)| fixed(b)).collect();
    let (mut low, mut high, mut worst_error) = (0i64, 0i64, 0f64);
    for (e, o) in ranges.iter().enumerate() {
        for acc in [o.low, o.high] {
            let y = multipliers[e]
                .checked_mul(acc)
                .and_then(|p| p.checked_add(addends[e]))
                .filter(|y| y.unsigned_abs() < 1 << 61)
                .ok_or_else(|| {
                    Diagnostic::new(Code::UnsupportedStructure, "the scaled outputs are too large")
                        .node(segment.nodes.join(", "))
                })?;
            (low, high) = (low.min(y), high.max(y));
            worst_error = worst_error.max((y as f64 / unit - eval(e, acc)).abs());
        }
    }
    let ElementType::Int(bits) = ElementType::smallest(low.min(-1), high) else {
        unreachable!("the range has negative numbers")
    };
    let [multipliers, addends] = [multipliers, addends].map(|v| v.repeat(pixels));
    let affine = ChannelAffine { multipliers, addends, frac, worst_error };
    Ok((affine, ElementType::Fixed { bits, frac }))
}
