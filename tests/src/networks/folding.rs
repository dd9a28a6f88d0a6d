//! Random foldings.

use super::Draw;
use dataflow::{Dot, MemoryStyle};
use engines::mvu::{groups, planes};
use fold::{Fold, LayerFold, pixels_at_once};
use streamline::{Conv, LayerOp, Streamlined};
use tensor::{ElementType, Window};

/// Pairs of bits that one unit may multiply in a cycle: more takes long to compile.
const LARGEST_UNIT: usize = 400;

/// Cycles that one layer may take for a frame.
const SLOWEST: usize = 200;

/// A folding of a network. Every choice that `fold.toml` knows occurs.
pub fn random_fold(draw: &mut Draw, network: &Streamlined) -> Fold {
    let mut fold = Fold::default();
    let extreme = draw.size(0, 7);
    let elements = network.input.elements();
    // Words stay within a pixel where a convolution or pool comes first.
    let maps = network.layers.iter().any(|l| matches!(l.op, LayerOp::Conv(_) | LayerOp::Pool(_)));
    let (mut element, mut inputs) = (network.input.element, elements);
    for layer in &network.layers {
        let mut entry = LayerFold::default();
        let style = [None, Some(MemoryStyle::Block), Some(MemoryStyle::Lut)];
        match &layer.op {
            LayerOp::Dense(dense) => {
                entry.pad = draw.chance(0.35);
                let levels = network.levels(layer);
                let (dot, pairs) = random_dot(draw, dense.weight, element, levels);
                entry.dot = dot;
                let (rows, columns) = (layer.elements(), inputs);
                let (pe, simd) = match extreme {
                    0 => (rows, columns),
                    1 => (1, 1),
                    _ => (share(draw, rows, entry.pad), share(draw, columns, entry.pad)),
                };
                (entry.pe, entry.simd) = (Some(pe), Some(simd));
                limit(draw, &mut entry, (rows, columns), pairs);
                if (entry.pe, entry.simd) == (Some(rows), Some(columns)) && draw.chance(0.7) {
                    entry.dot = None;
                }
                entry.weights = draw.pick(&style);
                if dense.thresholds.is_some() || draw.chance(0.5) {
                    entry.thresholds = draw.pick(&style);
                }
                if draw.chance(0.4) {
                    let words = columns.div_ceil(entry.simd.unwrap_or(1));
                    entry.buffer = Some(draw.size(words, 2 * words));
                }
            }
            LayerOp::Conv(conv) if conv.is_depthwise() => {
                let pe = divisor(draw, conv.input.channels);
                entry.pe = Some(pe);
                if !conv.is_sum() {
                    entry.weights = draw.pick(&style);
                }
                entry.thresholds = draw.pick(&style);
                if draw.chance(0.4) {
                    entry.buffer = Some(draw.size(1, conv.input.elements() / pe + 8));
                }
            }
            LayerOp::Conv(conv) => {
                let rows = layer.map.channels / conv.groups;
                entry.pad = conv.groups == 1 && draw.chance(0.2);
                let levels = network.levels(layer);
                let (dot, pairs) = random_dot(draw, conv.dense.weight, element, levels);
                entry.dot = dot;
                let simd = divisor(draw, conv.group_channels());
                let mut pe = share(draw, rows, entry.pad);
                while pe > 1 && pe * simd * pairs > LARGEST_UNIT {
                    pe = share(draw, rows, entry.pad);
                }
                (entry.pe, entry.simd) = (Some(pe), Some(simd));
                entry.weights = draw.pick(&style);
                entry.thresholds = draw.pick(&style);
                if conv.groups == 1 && draw.chance(0.5) {
                    parallel_conv(draw, &mut entry, conv, pairs);
                }
                if entry.parallel_window {
                    if draw.chance(0.2) {
                        let words = conv.dense.weights.ncols() / entry.simd.unwrap_or(1);
                        entry.buffer = Some(draw.size(words, 3 * words));
                    }
                } else if draw.chance(0.4) {
                    // Too little is made enough for a window.
                    let all = conv.input.elements() / simd;
                    entry.buffer = Some(draw.size(1, all + 8));
                }
            }
            LayerOp::Pool(pool) => {
                if draw.chance(0.7) {
                    entry.lanes = Some(divisor(draw, pool.input.channels));
                }
                if draw.chance(0.5) {
                    entry.parallel_window = true;
                    if draw.chance(0.5) {
                        let pixels = draw.pick(&pixels_at_once(pool.input, pool.window));
                        (entry.pixels, entry.lanes) = (Some(pixels), Some(pool.input.channels));
                    }
                } else if draw.chance(0.4) {
                    entry.buffer = Some(draw.size(1, pool.input.elements()));
                }
            }
            // Lanes in front of maps follow the input.
            LayerOp::Threshold(_) if maps => entry.thresholds = draw.pick(&style),
            LayerOp::Threshold(_)
            | LayerOp::ChannelAffine(_)
            | LayerOp::LabelSelect { k: 1, .. } => {
                entry.pad = draw.chance(0.35);
                if draw.chance(0.6) {
                    entry.lanes = Some(share(draw, inputs, entry.pad));
                }
                if matches!(layer.op, LayerOp::Threshold(_)) {
                    entry.thresholds = draw.pick(&style);
                }
            }
            LayerOp::LabelSelect { .. } => {}
        }
        fold.layers.insert(layer.name.clone(), entry);
        if draw.chance(0.25) {
            fold.fifos.insert(layer.name.clone(), draw.size(1, 5));
        }
        (element, inputs) = (layer.element, layer.elements());
    }
    if draw.chance(0.7) {
        let first = network.layers.iter().find(|l| !matches!(l.op, LayerOp::Threshold(_)));
        let pixels = first.and_then(|l| fold.layers[&l.name].pixels).unwrap_or(1);
        let whole = if maps { network.input.map.channels * pixels } else { elements };
        fold.input_lanes = Some(divisor(draw, whole));
    }
    fold
}

/// Whole windows at once, or several pixels at once, while the unit stays small.
fn parallel_conv(draw: &mut Draw, entry: &mut LayerFold, conv: &Conv, pairs: usize) {
    let (rows, columns) = conv.dense.weights.dim();
    let taps = conv.window.taps();
    let one_tap = conv.window == Window::of([1, 1]);
    if draw.chance(0.4) && rows * columns * pairs <= LARGEST_UNIT {
        let pixels = draw.pick(&pixels_at_once(conv.input, conv.window));
        if pixels * rows * columns * pairs <= 2 * LARGEST_UNIT {
            (entry.pe, entry.simd, entry.pad) = (Some(rows), Some(columns), false);
            (entry.pixels, entry.parallel_window) = (Some(pixels), !one_tap);
            return;
        }
    }
    let simd = divisor(draw, conv.input.channels) * taps;
    if !one_tap && simd * pairs <= LARGEST_UNIT {
        (entry.simd, entry.parallel_window) = (Some(simd), true);
        while entry.pe.is_some_and(|pe| pe > 1 && pe * simd * pairs > LARGEST_UNIT) {
            entry.pe = Some(share(draw, rows, entry.pad));
        }
    }
}

/// A way to add up products, and the pairs of bits that it joins for each.
fn random_dot(
    draw: &mut Draw,
    weight: ElementType,
    input: ElementType,
    levels: (i64, i64),
) -> (Option<Dot>, usize) {
    let pairs = |dot| {
        let bits: usize = groups(dot, input, levels).iter().map(|g| g.bits).sum();
        planes(weight) * bits
    };
    // Wires are for whole matrices: where these come about, they are chosen.
    let possible =
        |dot: &Dot| *dot != Dot::Wired && dot.takes(weight, input) && pairs(*dot) <= LARGEST_UNIT;
    let all: Vec<Dot> = Dot::ALL.into_iter().filter(possible).collect();
    let dot = if draw.chance(0.2) { None } else { Some(draw.pick(&all)) };
    (dot, pairs(dot.unwrap_or(Dot::Planes)))
}

fn divisor(draw: &mut Draw, n: usize) -> usize {
    let all: Vec<usize> = (1..=n).filter(|d| n.is_multiple_of(*d)).collect();
    draw.pick(&all)
}

fn share(draw: &mut Draw, n: usize, pad: bool) -> usize {
    if pad { draw.size(1, n) } else { divisor(draw, n) }
}

/// Makes the unit smaller until it compiles quickly, or larger until it runs quickly.
fn limit(draw: &mut Draw, entry: &mut LayerFold, (rows, columns): (usize, usize), pairs: usize) {
    loop {
        let (pe, simd) = (entry.pe.unwrap_or(1), entry.simd.unwrap_or(1));
        let cycles = rows.div_ceil(pe) * columns.div_ceil(simd);
        let small = pe * simd == 1;
        if (small || pe * simd * pairs <= LARGEST_UNIT) && cycles <= SLOWEST {
            return;
        }
        entry.pe = Some(share(draw, rows, entry.pad));
        entry.simd = Some(share(draw, columns, entry.pad));
        if rows * columns > SLOWEST && pairs * rows * columns / SLOWEST > LARGEST_UNIT / 2 {
            return;
        }
    }
}
