//! Random convolutional networks.

use super::random::{Builder, random_planes};
use super::{Draw, RandomNetwork};
use graph::{Conv, Elementwise, Op, Param, Pool, PoolKind};
use ndarray::ArrayD;
use streamline::Options;
use tensor::{Axis, Map, Window};

/// The convolutional network of a seed: small maps, every kind of window, pools in front of and
/// behind quantizers, and a fully connected end.
pub fn random_map_network(draw: &mut Draw, name: &str) -> RandomNetwork {
    let input_planes = random_planes(draw);
    let exact = input_planes.is_none() && draw.chance(0.5);
    let annotation = Builder::annotation(draw);
    let channels = draw.pick(&[1, 2, 3, 4, 4, 6]);
    let height = draw.size(2, 7);
    let flat = draw.chance(0.15);
    let width = if flat { 1 } else { draw.size(2, 7) };
    let last = !flat && draw.chance(0.2);
    let shape = match (flat, last) {
        (true, _) => vec![1, channels, height],
        (false, true) => vec![1, height, width, channels],
        (false, false) => vec![1, channels, height, width],
    };
    let mut b = Builder::on(draw, name, shape, annotation, exact);
    b.reduced = input_planes.is_some();
    if last {
        b.push("Transpose", Op::Transpose(vec![0, 3, 1, 2]), vec![1, channels, height, width]);
    }
    b.input_values();
    let layers = b.draw.pick(&[1, 1, 2, 2, 3]);
    if b.draw.chance(0.15) {
        average(&mut b);
    }
    let mut shuffled = false;
    for _ in 0..layers {
        if b.draw.chance(0.2) {
            shuffle(&mut b);
            shuffled = true;
        }
        let alike = conv(&mut b);
        if alike && b.draw.chance(0.15) {
            average(&mut b);
        }
        let pool_on_sums = b.draw.chance(0.2);
        if pool_on_sums && b.draw.chance(0.5) {
            pool(&mut b);
            b.before_quantizer();
        } else {
            b.before_quantizer();
            if pool_on_sums {
                pool(&mut b);
            }
        }
        b.quantizer(true);
        match b.draw.size(0, 7) {
            0 | 1 => pool(&mut b),
            2 => average_to_levels(&mut b),
            3 => average(&mut b),
            _ => {}
        }
    }
    if shuffled || b.draw.chance(0.9) {
        vector_end(&mut b, shuffled);
    } else {
        map_end(&mut b);
    }
    let mut graph = b.graph;
    graph.set_output(b.at);
    RandomNetwork { graph, options: Options { input_planes, ..Options::default() }, exact }
}

/// A fully connected end, or the means of whole maps where they come in the model's order.
fn vector_end(b: &mut Builder<'_>, shuffled: bool) {
    let whole = b.draw.chance(0.2) && (!b.exact || map(b).pixels().is_power_of_two());
    if whole {
        let window = Window::of(map(b).extents());
        mean(b, PoolKind::Average, window);
    }
    if !whole && b.draw.chance(0.2) {
        shuffle(b);
    }
    let flat = vec![1, b.width()];
    b.push("Flatten", Op::Reshape, flat);
    if !whole || shuffled || b.draw.chance(0.5) {
        let rows = b.draw.size(1, 8);
        b.matmul(rows);
    }
    b.tail();
}

/// The sums of a last convolution, channels last as they come out.
fn map_end(b: &mut Builder<'_>) {
    if conv(b) {
        match b.draw.size(0, 2) {
            0 => {}
            1 => b.bias(),
            _ => b.batch_norm(),
        }
    } else {
        b.before_quantizer();
        b.quantizer(true);
    }
    let mut axes: Vec<usize> = (0..b.shape.len()).collect();
    axes[1..].rotate_left(1);
    let turned = axes.iter().map(|&axis| b.shape[axis]).collect();
    b.push("Transpose", Op::Transpose(axes), turned);
}

/// The map of the present tensor.
fn map(b: &Builder<'_>) -> Map {
    Map::of_shape(&b.shape).expect("the network has maps here")
}

/// The same number of axes, for another map.
fn shape(b: &Builder<'_>, map: Map) -> Vec<usize> {
    let all = [1, map.channels, map.height, map.width];
    all[..b.shape.len()].to_vec()
}

/// A window that fits, with padding of less than its reach: rarely of more than half of it.
fn window(b: &mut Builder<'_>, largest: usize) -> Window {
    let map = map(b);
    loop {
        let mut w = Window::of([1, 1]);
        for axis in [Axis::Rows, Axis::Columns] {
            let a = axis as usize;
            if map.extents()[a] == 1 && b.draw.chance(0.8) {
                continue;
            }
            w.kernel[a] = b.draw.size(1, largest);
            w.dilation[a] = if w.kernel[a] > 1 { b.draw.pick(&[1, 1, 1, 2]) } else { 1 };
            w.stride[a] = b.draw.pick(&[1, 1, 1, 2, 3]);
            if w.reach(axis) > 1 && b.draw.chance(0.5) {
                let most = b.draw.pick(&[w.reach(axis) / 2, w.reach(axis) - 1]);
                w.before[a] = b.draw.size(0, most);
                w.after[a] = b.draw.size(0, most);
            }
        }
        let empty = |axis: Axis| {
            let extent = map.extents()[axis as usize];
            let outputs = w.outputs(axis, extent).unwrap_or(0);
            outputs == 0 || (0..outputs).any(|o| w.valid(axis, o, extent).is_empty())
        };
        // A signal has no axis for more columns than one.
        let held = b.shape.len() > 3 || w.outputs(Axis::Columns, map.width) == Some(1);
        if held && !empty(Axis::Rows) && !empty(Axis::Columns) {
            return w;
        }
    }
}

/// A convolution; whether all its sums stand for their values in the same way.
fn conv(b: &mut Builder<'_>) -> bool {
    let window = window(b, 3);
    let from = map(b);
    // Maps of one axis have no columns to pad.
    let padded =
        window.is_padded() && (b.shape.len() > 3 || window.before[1] + window.after[1] == 0);
    let outside = if padded && b.draw.chance(0.5) { pad(b, window) } else { window };
    let all: Vec<usize> =
        (1..=from.channels).filter(|g| from.channels.is_multiple_of(*g)).collect();
    let groups = match b.draw.size(0, 9) {
        0..=5 => 1,
        6 | 7 => from.channels,
        _ => b.draw.pick(&all),
    };
    let depthwise = groups == from.channels && b.draw.chance(0.7);
    let rows = if depthwise { groups } else { groups * b.draw.size(1, (8 / groups).max(1)) };
    let weights = b.weights(rows, from.channels / groups * window.taps());
    let one_scale = weights.quantize().is_ok_and(|quantized| quantized.scale.len() == 1);
    let to = window.over(from, rows).expect("the window was tried");
    let shape = shape(b, to);
    b.push("Conv", Op::Conv(Conv { weights, window: outside, groups }), shape);
    one_scale && !window.is_padded()
}

/// Makes the padding of a window a node of its own: with zeros, with a value of the map, or with such
/// a value and its opposite by turns. Gives the window that is left.
fn pad(b: &mut Builder<'_>, window: Window) -> Window {
    let Window { before, after, .. } = window;
    let from = map(b);
    let pads = Window { before, after, ..Window::of([1, 1]) };
    let to = pads.over(from, from.channels).expect("padding only grows a map");
    let shape = shape(b, to);
    let level = b.level.unwrap_or(0.0) * b.draw.pick(&[1.0, -1.0]);
    let kind = b.draw.size(0, 3);
    let value = if kind == 0 { level } else { 0.0 };
    b.push("Pad", Op::Pad { before, after, value }, shape.clone());
    if kind >= 2 {
        let all_channels = b.draw.chance(0.5);
        let channels = if all_channels { 1 } else { from.channels };
        let inside = |axis: usize, place: usize| {
            (before[axis]..before[axis] + from.extents()[axis]).contains(&place)
        };
        let mut extents = shape.clone();
        extents[1] = channels;
        let flat = extents.len() == 3;
        let around = ArrayD::from_shape_fn(extents, |at| {
            let (row, column) = (at[2], if flat { 0 } else { at[3] });
            if inside(0, row) && inside(1, column) {
                0.0
            } else if (row + column).is_multiple_of(2) {
                level
            } else {
                -level
            }
        });
        let op = Elementwise::add(Param(around));
        b.push("Add", Op::Elementwise(op), shape);
    }
    Window { before: [0, 0], after: [0, 0], ..window }
}

/// Mixes the channels of some groups, as `ShuffleNet` does.
fn shuffle(b: &mut Builder<'_>) {
    let from = map(b);
    let all: Vec<usize> =
        (1..=from.channels).filter(|g| from.channels.is_multiple_of(*g)).collect();
    let groups = b.draw.pick(&all);
    let shape = b.shape.clone();
    let mut split = vec![1, groups, from.channels / groups];
    split.extend(&shape[2..]);
    let mut axes: Vec<usize> = (0..split.len()).collect();
    axes.swap(1, 2);
    b.push("Reshape", Op::Reshape, split.clone());
    split.swap(1, 2);
    b.push("Transpose", Op::Transpose(axes), split);
    b.push("Reshape", Op::Reshape, shape);
}

fn mean(b: &mut Builder<'_>, kind: PoolKind, window: Window) {
    let from = map(b);
    let to = window.over(from, from.channels).expect("the window was tried");
    let shape = shape(b, to);
    b.push("AveragePool", Op::Pool(Pool { kind, window }), shape);
}

/// Any average, with levels behind it.
fn average_to_levels(b: &mut Builder<'_>) {
    let window = window(b, 3);
    let kind = b.draw.pick(&[PoolKind::Average, PoolKind::AverageInside]);
    mean(b, kind, window);
    b.before_quantizer();
    b.quantizer(true);
}

/// An average whose sums go on as they are, so all of them are of the same number of elements; a
/// power of two where all sums must be exact.
fn average(b: &mut Builder<'_>) {
    let exact = b.exact;
    let window = (0..20)
        .map(|_| window(b, 3))
        .find(|w| !w.is_padded() && (!exact || w.taps().is_power_of_two()));
    if let Some(window) = window {
        mean(b, PoolKind::Average, window);
    }
}

fn pool(b: &mut Builder<'_>) {
    let window = window(b, 3);
    let from = map(b);
    let to = window.over(from, from.channels).expect("the window was tried");
    let shape = shape(b, to);
    b.push("MaxPool", Op::Pool(Pool { kind: PoolKind::Max, window }), shape);
}
