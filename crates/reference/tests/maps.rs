//! Convolution, pooling and padding, imported and run, against sums over maps with their padding
//! written out.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

#[path = "../../import/tests/model/mod.rs"]
mod model;
mod run;

use import::onnx::proto::AttributeProto;
use model::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use run::run;

/// One channel, padding written out as `None`.
type Channel = Vec<Vec<Option<f32>>>;

/// What a window consists of.
#[derive(Debug, Clone, Copy)]
struct Shape {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Top, left, bottom, right.
    pads: [usize; 4],
}

impl Shape {
    fn random(random: &mut ChaCha8Rng) -> Self {
        let mut pair = |most: usize| [0, 1].map(|_| random.random_range(1..=most));
        let (kernel, stride, dilation) = (pair(3), pair(3), pair(2));
        let pads = [0, 1, 0, 1].map(|axis| random.random_range(0..kernel[axis]));
        Self { kernel, stride, dilation, pads }
    }

    fn attributes(&self) -> Vec<AttributeProto> {
        let as_list = |name: &str, values: &[usize]| {
            list(name, &values.iter().map(|&v| v as i64).collect::<Vec<_>>())
        };
        vec![
            as_list("kernel_shape", &self.kernel),
            as_list("strides", &self.stride),
            as_list("dilations", &self.dilation),
            as_list("pads", &self.pads),
        ]
    }

    /// Surrounds a channel of `width` columns.
    fn surround(&self, channel: &[f32], width: usize) -> Channel {
        let [top, left, bottom, right] = self.pads;
        let empty = vec![None; left + width + right];
        let rows = channel.chunks(width).map(|row| {
            let inside = row.iter().map(|&v| Some(v));
            let (before, after) = (vec![None; left], vec![None; right]);
            before.into_iter().chain(inside).chain(after).collect()
        });
        let (before, after) = (vec![empty.clone(); top], vec![empty; bottom]);
        before.into_iter().chain(rows).chain(after).collect()
    }

    /// The elements under the kernel, at every place where it lies inside, row by row.
    fn windows(&self, channel: &Channel) -> Vec<Vec<Option<f32>>> {
        let (height, width) = (channel.len(), channel[0].len());
        let mut windows = Vec::new();
        for y in (0..height).step_by(self.stride[0]) {
            for x in (0..width).step_by(self.stride[1]) {
                let row = |ky: usize| channel.get(y + ky * self.dilation[0]);
                let tap = |ky, kx: usize| row(ky)?.get(x + kx * self.dilation[1]).copied();
                let taps: Option<Vec<Option<f32>>> = (0..self.kernel[0])
                    .flat_map(|ky| (0..self.kernel[1]).map(move |kx| (ky, kx)))
                    .map(|(ky, kx)| tap(ky, kx))
                    .collect();
                windows.extend(taps);
            }
        }
        windows
    }
}

/// Small whole numbers, whose sums are exact.
fn integers(random: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| random.random_range(-9i8..=9)).map(f32::from).collect()
}

const HEIGHT: usize = 5;
const WIDTH: usize = 6;

#[test]
fn convolutions_of_any_shape() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..60 {
        let shape = Shape::random(&mut random);
        let [groups, depth, share] = [0; 3].map(|_| random.random_range(1..=3usize));
        let (channels, outputs) = (groups * depth, groups * share);
        let taps = shape.kernel[0] * shape.kernel[1];
        let x = integers(&mut random, channels * HEIGHT * WIDTH);
        let w = integers(&mut random, outputs * depth * taps);
        let bias = integers(&mut random, outputs);
        let mut expected = Vec::new();
        for output in 0..outputs {
            let first = output / share * depth;
            let mut sums: Vec<f32> = Vec::new();
            for c in 0..depth {
                let channel = &x[(first + c) * HEIGHT * WIDTH..][..HEIGHT * WIDTH];
                let kernel = &w[(output * depth + c) * taps..][..taps];
                let windows = shape.windows(&shape.surround(channel, WIDTH));
                sums.resize(windows.len(), bias[output]);
                for (sum, window) in sums.iter_mut().zip(windows) {
                    *sum +=
                        window.iter().zip(kernel).map(|(v, w)| v.unwrap_or(0.0) * w).sum::<f32>();
                }
            }
            expected.extend(sums);
        }
        let mut attributes = shape.attributes();
        attributes.push(int("group", groups as i64));
        let extents = [1, channels, HEIGHT, WIDTH].map(|e| e as i64);
        let kernels = [outputs, depth, shape.kernel[0], shape.kernel[1]].map(|e| e as i64);
        let model = Model::new(&extents)
            .floats("w", &kernels, &w)
            .floats("b", &[outputs as i64], &bias)
            .node("Conv", &["x", "w", "b"], &["y"], attributes);
        assert_eq!(run(&model, &x), expected, "{shape:?}, {groups} groups of {depth}");
    }
}

#[test]
fn pools_of_any_shape() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let mut refused = 0;
    for round in 0..90 {
        let shape = Shape::random(&mut random);
        let x = integers(&mut random, 2 * HEIGHT * WIDTH);
        let (op, counts_padding) =
            [("MaxPool", false), ("AveragePool", false), ("AveragePool", true)][round % 3];
        let mut attributes = shape.attributes();
        if counts_padding {
            attributes.push(int("count_include_pad", 1));
        }
        let extents = [1, 2, HEIGHT as i64, WIDTH as i64];
        let model = Model::new(&extents).node(op, &["x"], &["y"], attributes);
        let windows: Vec<Vec<Option<f32>>> = x
            .chunks(HEIGHT * WIDTH)
            .flat_map(|channel| shape.windows(&shape.surround(channel, WIDTH)))
            .collect();
        let blind = windows.iter().any(|window| window.iter().all(Option::is_none));
        if blind && !counts_padding {
            assert!(model.load().is_err(), "{shape:?}");
            refused += 1;
            continue;
        }
        let value = |window: &Vec<Option<f32>>| {
            let inside: Vec<f32> = window.iter().flatten().copied().collect();
            let taps = if counts_padding { window.len() } else { inside.len() };
            match op {
                "MaxPool" => inside.into_iter().fold(f32::NEG_INFINITY, f32::max),
                _ => inside.iter().sum::<f32>() / taps as f32,
            }
        };
        let expected: Vec<f32> = windows.iter().map(value).collect();
        assert_eq!(run(&model, &x), expected, "{op} {shape:?}");
    }
    assert!(refused < 10, "{refused}");
}

/// One channel of one row, pooled.
fn row(op: &str, x: &[f32], attributes: Vec<AttributeProto>) -> Vec<f32> {
    run(&Model::new(&[1, 1, 1, x.len() as i64]).node(op, &["x"], &["y"], attributes), x)
}

#[test]
fn windows_beyond_the_end() {
    let x = [1.0, -2.0, 3.0, 4.0, -6.0, 0.0];
    let three = |more: Vec<AttributeProto>| {
        let mut all = vec![list("kernel_shape", &[1, 3]), list("strides", &[1, 2])];
        all.extend(more);
        all
    };
    let ceil = || int("ceil_mode", 1);
    assert_eq!(row("MaxPool", &x, three(vec![])), [3.0, 4.0]);
    assert_eq!(row("MaxPool", &x, three(vec![ceil()])), [3.0, 4.0, 0.0]);
    let mean = row("AveragePool", &x, three(vec![ceil(), int("count_include_pad", 1)]));
    assert_eq!(mean, [2.0 / 3.0, 1.0 / 3.0, -3.0]);
    let upper = || text("auto_pad", "SAME_UPPER");
    assert_eq!(row("MaxPool", &x, three(vec![upper()])), [3.0, 4.0, 0.0]);
    assert_eq!(row("MaxPool", &x, three(vec![text("auto_pad", "SAME_LOWER")])), [1.0, 4.0, 4.0]);
    assert_eq!(row("AveragePool", &x, three(vec![upper()]))[2], -3.0);
    let counted = three(vec![upper(), int("count_include_pad", 1)]);
    assert_eq!(row("AveragePool", &x, counted)[2], -2.0);
}

#[test]
fn maps_of_one_axis() {
    let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    let model = Model::new(&[1, 2, 4])
        .floats("w", &[1, 2, 2], &[1.0, -1.0, 2.0, 0.5])
        .floats("b", &[1], &[10.0])
        .node("Conv", &["x", "w", "b"], &["c"], vec![list("pads", &[1, 0]), list("strides", &[2])])
        .node("MaxPool", &["c"], &["y"], vec![list("kernel_shape", &[2])]);
    // At -1: -1 + 2.5 + 10; at 1: 2 - 3 + 12 + 3.5 + 10.
    assert_eq!(run(&model, &x), [24.5]);
}

#[test]
fn whole_maps_and_layouts() {
    // Two channels of 2x3.
    let x: Vec<f32> = [1u8, 2, 3, 4, 5, 9, 10, 20, 30, 40, 50, 60].map(f32::from).to_vec();
    let reduce = |shape: &[i64], op: &str, axes: &[i64], keep| {
        let attributes = vec![list("axes", axes), int("keepdims", keep)];
        run(&Model::new(shape).node(op, &["x"], &["y"], attributes), &x)
    };
    assert_eq!(reduce(&[1, 2, 2, 3], "ReduceMean", &[2, 3], 0), [4.0, 35.0]);
    assert_eq!(reduce(&[1, 2, 2, 3], "ReduceMax", &[-2, -1], 1), [9.0, 60.0]);
    // Two rows of three pixels of two channels.
    assert_eq!(reduce(&[1, 2, 3, 2], "ReduceMean", &[1, 2], 1), [16.5, 22.5]);
    for op in ["GlobalMaxPool", "GlobalAveragePool"] {
        let found = run(&Model::new(&[1, 2, 2, 3]).node(op, &["x"], &["y"], vec![]), &x);
        assert_eq!(found, if op == "GlobalMaxPool" { [9.0, 60.0] } else { [4.0, 35.0] });
    }
    let pool = Model::new(&[1, 2, 3, 2]).node(
        "qonnx.custom_op.general:MaxPoolNHWC",
        &["x"],
        &["y"],
        vec![list("kernel_shape", &[2, 2]), list("strides", &[1, 1])],
    );
    assert_eq!(run(&pool, &x), [30.0, 40.0, 50.0, 60.0]);
    let pad = Model::new(&[1, 1, 2, 2])
        .ints("pads", &[0, 0, 1, 0, 0, 1, 0, 0])
        .scalar("five", 5.0)
        .node("Pad", &["x", "pads", "five"], &["y"], vec![]);
    let found = run(&pad, &[1.0, 2.0, 3.0, 4.0]);
    // A row of two pixels: one pixel more at its left, and one row more below it.
    assert_eq!(found, [5.0, 5.0, 1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
}

#[test]
fn parameters_for_each_channel_of_a_map() {
    let x: Vec<f32> = (0..12u8).map(f32::from).collect();
    let model = Model::new(&[1, 2, 2, 3])
        .floats("gamma", &[2], &[2.0, 1.0])
        .floats("beta", &[2], &[0.0, 1.0])
        .floats("mean", &[2], &[1.0, 6.0])
        .floats("var", &[2], &[0.25, 1.0])
        .floats("factor", &[1, 2, 1, 1], &[0.5, -1.0])
        .floats("scale", &[1, 2, 1, 1], &[1.0, 2.0])
        .scalar("zero", 0.0)
        .scalar("bits", 4.0)
        .floats("t", &[2, 2], &[0.0, 2.0, -4.0, -2.0])
        .node(
            "BatchNormalization",
            &["x", "gamma", "beta", "mean", "var"],
            &["n"],
            vec![float("epsilon", 0.0)],
        )
        .node("Mul", &["n", "factor"], &["m"], vec![])
        .node("qonnx.custom_op.general:Quant", &["m", "scale", "zero", "bits"], &["q"], vec![])
        .node("qonnx.custom_op.general:MultiThreshold", &["q", "t"], &["s"], vec![])
        .node("Flatten", &["s"], &["y"], vec![]);
    let graph = model.load().unwrap();
    let trace = reference::Reference::new(&graph).trace::<f32>(&x);
    let normal = &trace["BatchNormalization_of_n"];
    assert_eq!(normal[..], [-4.0, 0.0, 4.0, 8.0, 12.0, 16.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let quantized = &trace["Quant_of_q"];
    let expected = [-2.0, 0.0, 2.0, 4.0, 6.0, 7.0, 0.0, -2.0, -4.0, -4.0, -4.0, -6.0];
    assert_eq!(quantized[..], expected);
    let levels = [0.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 0.0];
    assert_eq!(trace["Flatten_of_y"], levels);
    assert_eq!(graph.node(graph.output_id().unwrap()).shape, [1, 12]);
    // Channels last.
    let last = Model::new(&[1, 3, 2, 2]).floats("t", &[2, 1], &[3.0, 8.0]).node(
        "qonnx.custom_op.general:MultiThreshold",
        &["x", "t"],
        &["y"],
        vec![text("data_layout", "NHWC")],
    );
    let expected = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0];
    assert_eq!(run(&last, &x), expected);
}
