//! Plain ONNX graphs with `Sign` against onnxruntime: convolutions with zero padding on bipolar maps.
//!
//! `cargo xtask onnxruntime` makes the Python environment and runs this. `XNORFLOW_SWEEP_SEEDS` is
//! `FROM..TO`, `ONNXRUNTIME_PYTHON` the Python that can import onnxruntime.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests: what fails here fails them")]

use golden::{Golden, Trace};
use std::path::Path;
use std::process::Command;
use streamline::{Frames, KnifeEdge, Streamlined};
use tensor::npy::{self, NpyArray};
use tensor::{Map, Window};
use tests::command::Folder;
use tests::models::{self, Model};
use tests::networks::Draw;

/// Images of each graph.
const IMAGES: usize = 8;

/// A graph that is put together layer by layer.
struct Plain<'d> {
    draw: &'d mut Draw,
    model: Model,
    at: String,
    map: Map,
    nodes: usize,
}

impl Plain<'_> {
    fn node(&mut self, op: &str, parameters: &[&str]) {
        let from = std::mem::replace(&mut self.at, format!("t{}", self.nodes));
        self.nodes += 1;
        let inputs: Vec<&str> = [from.as_str()].iter().chain(parameters).copied().collect();
        self.model = self.model.clone().node(op, &inputs, &self.at);
    }

    fn ints(&mut self, name: &str, ints: &[usize]) {
        let ints: Vec<i64> = ints.iter().map(|&i| i as i64).collect();
        self.model = self.model.clone().ints(name, &ints);
    }

    /// A constant with a name of its own.
    fn constant(&mut self, dims: &[usize], mut value: impl FnMut(&mut Draw) -> f64) -> String {
        let name = format!("c{}", self.model.graph().initializer.len());
        let values: Vec<f32> =
            (0..dims.iter().product()).map(|_| value(self.draw) as f32).collect();
        let dims: Vec<i64> = dims.iter().map(|&d| d as i64).collect();
        self.model = self.model.clone().floats(&name, &dims, &values);
        name
    }

    fn sign(&mut self) {
        self.node("Sign", &[]);
    }

    /// Kernel, stride, dilation and zero padding that fit the map and see it with every window.
    fn window(&mut self, padded: bool) -> Window {
        loop {
            let mut w = Window::of([1, 1]);
            for (a, axis) in [tensor::Axis::Rows, tensor::Axis::Columns].into_iter().enumerate() {
                w.kernel[a] = self.draw.size(1, 3);
                w.stride[a] = self.draw.pick(&[1, 1, 2]);
                w.dilation[a] =
                    if padded && w.kernel[a] > 1 { self.draw.pick(&[1, 1, 2]) } else { 1 };
                let most = if padded { w.reach(axis) - 1 } else { 0 };
                (w.before[a], w.after[a]) = (self.draw.size(0, most), self.draw.size(0, most));
            }
            let sees = |axis: tensor::Axis| {
                let extent = self.map.extents()[axis as usize];
                let outputs = w.outputs(axis, extent).unwrap_or(0);
                outputs > 0 && (0..outputs).all(|o| !w.valid(axis, o, extent).is_empty())
            };
            if sees(tensor::Axis::Rows) && sees(tensor::Axis::Columns) {
                return w;
            }
        }
    }

    fn slide(&mut self, op: &str, parameters: &[&str], w: Window, channels: usize) {
        self.node(op, parameters);
        self.ints("kernel_shape", &w.kernel);
        self.ints("strides", &w.stride);
        self.ints("dilations", &w.dilation);
        self.ints("pads", &[w.before, w.after].concat());
        self.map = w.over(self.map, channels).unwrap();
    }

    fn conv(&mut self) {
        let w = self.window(true);
        let channels = self.map.channels;
        let depthwise = channels > 1 && self.draw.chance(0.25);
        let groups = if depthwise { channels } else { 1 };
        let rows = groups * self.draw.size(1, 8 / groups.min(4));
        let dims = [rows, channels / groups, w.kernel[0], w.kernel[1]];
        let weights = self.constant(&dims, |d| d.pick(&[-1.0, 1.0]));
        self.slide("Conv", &[&weights], w, rows);
        self.model = self.model.clone().int("group", groups as i64);
    }

    fn batch_norm(&mut self) {
        let c = [self.map.channels];
        let gamma = self.constant(&c, |d| d.pick(&[-1.0, 1.0]) * d.real(0.3, 1.5));
        let beta = self.constant(&c, |d| d.real(-0.4, 0.4));
        let mean = self.constant(&c, |d| d.real(-3.0, 3.0));
        let variance = self.constant(&c, |d| d.real(1.0, 20.0));
        self.node("BatchNormalization", &[&gamma, &beta, &mean, &variance]);
    }
}

/// The graph of a seed and the shape of its images.
fn plain(seed: u64) -> (Model, Map) {
    let mut draw = Draw::new(seed);
    let map =
        Map { height: draw.size(4, 9), width: draw.size(4, 9), channels: draw.pick(&[1, 2, 3, 4]) };
    let shape = [1, map.channels, map.height, map.width].map(|n| n as i64);
    let model = Model::new(&shape).floats("half", &[], &[0.5]);
    let mut g = Plain { draw: &mut draw, model, at: "x".into(), map, nodes: 0 };
    g.node("Sub", &["half"]);
    g.sign();
    for _ in 0..g.draw.size(1, 3) {
        g.conv();
        // A sum without normalization can be 0, and so its sign.
        if g.draw.chance(0.8) {
            g.batch_norm();
        }
        g.sign();
        if g.draw.chance(0.3) {
            let (w, channels) = (g.window(false), g.map.channels);
            g.slide("MaxPool", &[], w, channels);
        }
    }
    g.node("Flatten", &[]);
    let (columns, rows) = (g.map.elements(), g.draw.size(1, 8));
    let weights = g.constant(&[rows, columns], |d| d.pick(&[-1.0, 1.0]));
    let bias = g.constant(&[rows], |d| d.integer(-3, 3) as f64);
    g.map = Map::vector(rows);
    g.node("Gemm", &[&weights, &bias]);
    g.model = g.model.clone().int("transB", 1);
    if g.draw.chance(0.4) {
        g.batch_norm();
        g.sign();
    }
    let mut model = g.model;
    model.graph().node.last_mut().unwrap().output = vec!["y".into()];
    (model, map)
}

/// The knife edge that a frame meets.
fn met<'n>(network: &'n Streamlined, trace: &Trace) -> Option<&'n KnifeEdge> {
    network.knife_edges.iter().find(|edge| {
        let index = network.layers.iter().position(|l| l.name == edge.layer).unwrap();
        let layer = &network.layers[index];
        let negated = layer.dense().is_some_and(|d| d.negated.contains(&edge.channel));
        let sums = trace.accumulators[index].iter().skip(edge.channel);
        let mut sums = sums.step_by(layer.map.channels).map(|&s| if negated { -s } else { s });
        let (first, last) = edge.accumulators;
        sums.any(|sum| (first..=last).contains(&sum))
    })
}

fn floats(path: &Path) -> Vec<f32> {
    match npy::read(path).unwrap() {
        NpyArray::F32(array) => array.iter().copied().collect(),
        other => other.to_i64().unwrap().iter().map(|&v| v as f32).collect(),
    }
}

fn seeds() -> std::ops::Range<u64> {
    let text = std::env::var("XNORFLOW_SWEEP_SEEDS").unwrap_or_else(|_| "0..200".into());
    let (from, to) = text.split_once("..").expect("XNORFLOW_SWEEP_SEEDS is FROM..TO");
    from.parse().unwrap()..to.parse().unwrap()
}

#[test]
fn plain_sign_graphs_are_as_onnxruntime_has_them() {
    let python = std::env::var_os("ONNXRUNTIME_PYTHON").expect("ONNXRUNTIME_PYTHON is set");
    let folder = Folder::new();
    for seed in seeds() {
        let (model, map) = plain(seed);
        let mut draw = Draw::new(!seed);
        let pixels = (0..IMAGES * map.elements()).map(|_| draw.integer(0, 255) as u8).collect();
        let shape = [IMAGES, map.height, map.width, map.channels];
        folder.write(&format!("g{seed}.onnx"), model.bytes());
        folder.write(&format!("g{seed}.x.npy"), models::npy(&shape, pixels));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnxruntime/run.py");
    let ran = Command::new(python).arg(script).arg(folder.path("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let version = String::from_utf8_lossy(&ran.stdout).trim().to_string();

    let (mut agree, mut images, mut edges, mut failed) = (0, 0, 0, Vec::new());
    for seed in seeds() {
        let path = folder.path(&format!("g{seed}.onnx"));
        let infer = format!("infer g{seed}.onnx --input g{seed}.x.npy --output g{seed}.z.npy");
        folder.run(&infer).succeeds();
        let found = floats(&folder.path(&format!("g{seed}.z.npy")));
        let wanted = floats(&folder.path(&format!("g{seed}.y.npy")));
        assert_eq!(found.len(), wanted.len(), "seed {seed}");
        let outputs = found.len() / IMAGES;

        let graph = import::load(&path, &import::Options::default()).unwrap();
        let network = streamline::streamline(&graph, &streamline::Options::default()).unwrap();
        let pixels = npy::read(&folder.path(&format!("g{seed}.x.npy"))).unwrap();
        let frames: Frames = network.input.frames(&pixels).unwrap();
        let golden = Golden::new(&network);
        let mut same = true;
        for (i, frame) in frames.iter().enumerate() {
            let values = i * outputs..(i + 1) * outputs;
            if let Some(edge) = met(&network, &golden.trace(frame)) {
                println!("seed {seed}, image {i} is left out: it meets {edge:?}");
                edges += 1;
            } else if found[values.clone()] == wanted[values.clone()] {
                images += 1;
            } else {
                same = false;
                let (found, wanted) = (&found[values.clone()], &wanted[values]);
                failed.push(format!("seed {seed}, image {i}: {found:?} in place of {wanted:?}"));
            }
        }
        agree += usize::from(same);
    }
    println!(
        "{agree} of {} graphs agree with onnxruntime {version}, on {images} images; {edges} images \
         meet a knife edge",
        seeds().count()
    );
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
}
