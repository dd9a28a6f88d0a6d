//! A streamlined network as a plain float ONNX graph, for engines that know no bits: convolutions,
//! matrices, and thresholds as `Sub` and `Sign`. Integers below 2^24 are exact in float32, so its
//! outputs are those of the golden model.

use crate::models::Model;
use streamline::{Conv, Dense, Layer, LayerOp, Padding, Pool, Streamlined, Thresholds};
use tensor::{Map, Window};

/// A graph that is put together layer by layer.
struct Floats {
    model: Model,
    at: String,
    names: usize,
    map: Map,
    /// Behind a matrix, `[N, channels]`.
    flat: bool,
}

/// The graph up to the last layer of the first kind of [`is_exact`], which takes the integers of the
/// network's input as floats, `[N, channels, rows, columns]`.
///
/// # Errors
/// A sentence on what has no such form.
pub fn float_graph(network: &Streamlined) -> Result<Model, String> {
    let map = network.input.map;
    let shape = [-1, map.channels as i64, map.height as i64, map.width as i64];
    let mut floats =
        Floats { model: Model::new(&shape), at: "x".into(), names: 0, map, flat: false };
    for layer in network.layers.iter().take_while(|layer| is_exact(layer)) {
        match &layer.op {
            LayerOp::Threshold(t) => {
                if t.values.nrows() == 1 && t.values.ncols() > 3 {
                    floats.table(t);
                } else {
                    floats.thresholds(&Limits::new(t, layer.map, |e| e));
                }
            }
            LayerOp::Dense(dense) => floats.dense(dense),
            LayerOp::Conv(conv) => floats.conv(conv, layer.map)?,
            LayerOp::Pool(pool) => floats.pool(pool, layer.map),
            LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => unreachable!("not exact"),
        }
    }
    floats.flatten();
    let mut model = floats.model;
    if let Some(last) = model.graph().node.last_mut() {
        last.output = vec!["y".into()];
    }
    Ok(model)
}

/// Whether float32 computes a layer exactly: not fixed point, nor the choice among its numbers.
pub fn is_exact(layer: &Layer) -> bool {
    match layer.op {
        LayerOp::Threshold(_) | LayerOp::Dense(_) | LayerOp::Conv(_) | LayerOp::Pool(_) => true,
        LayerOp::ChannelAffine(_) | LayerOp::LabelSelect { .. } => false,
    }
}

impl Floats {
    fn name(&mut self) -> String {
        self.names += 1;
        format!("t{}", self.names)
    }

    /// A node on what came last and on parameters.
    fn node(&mut self, op: &str, parameters: &[&str]) {
        let to = self.name();
        let from = std::mem::replace(&mut self.at, to.clone());
        let inputs: Vec<&str> = [from.as_str()].iter().chain(parameters).copied().collect();
        self.model = self.model.clone().node(op, &inputs, &to);
    }

    fn constant(&mut self, dims: &[usize], values: Vec<f32>) -> String {
        let name = self.name();
        let dims: Vec<i64> = dims.iter().map(|&d| d as i64).collect();
        self.model = self.model.clone().floats(&name, &dims, &values);
        name
    }

    fn scalar(&mut self, op: &str, value: f32) {
        let value = self.constant(&[], vec![value]);
        self.node(op, &[&value]);
    }

    fn ints(&mut self, name: &str, ints: &[usize]) {
        let ints: Vec<i64> = ints.iter().map(|&i| i as i64).collect();
        self.model = self.model.clone().ints(name, &ints);
    }

    fn flatten(&mut self) {
        if !self.flat {
            self.node("Flatten", &[]);
        }
        self.flat = true;
    }

    /// Levels of the elements of a map.
    fn thresholds(&mut self, limits: &Limits<'_>) {
        let from = self.at.clone();
        let mut sum: Option<String> = None;
        for level in 0..limits.t.values.ncols() {
            self.at.clone_from(&from);
            let (dims, values) = limits.level(level, self.flat);
            let values = self.constant(&dims, values);
            self.node("Sub", &[&values]);
            self.node("Sign", &[]);
            if let Some(sum) = sum {
                self.node("Add", &[&sum]);
            }
            sum = Some(self.at.clone());
        }
        self.levels(limits.t);
    }

    /// From a sum of signs, -count to count in steps of 2, to what the levels stand for.
    fn levels(&mut self, t: &Thresholds) {
        let step = (t.value(1) - t.value(0)) as f32 / 2.0;
        let middle = t.base as f32 + step * t.values.ncols() as f32;
        if step != 1.0 {
            self.scalar("Mul", step);
        }
        if middle != 0.0 {
            self.scalar("Add", middle);
        }
    }

    /// Thresholds behind a matrix: in its bias where there is one for each channel. `parameters` are
    /// those of the operator so far.
    fn linear(&mut self, op: &str, weights: &str, limits: Option<&Limits<'_>>) -> bool {
        let biased = limits.filter(|l| l.alike && l.t.values.ncols() == 1);
        let Some(limits) = biased else {
            self.node(op, &[weights]);
            return false;
        };
        let bias = (0..limits.map.channels).map(|channel| -limits.at(channel, 0, 0)).collect();
        let bias = self.constant(&[limits.map.channels], bias);
        self.node(op, &[weights, &bias]);
        true
    }

    /// What follows a [`linear`](Self::linear) operator.
    fn decide(&mut self, limits: Option<&Limits<'_>>, biased: bool) {
        match limits {
            Some(limits) if biased => {
                self.node("Sign", &[]);
                self.levels(limits.t);
            }
            Some(limits) => self.thresholds(limits),
            None => {}
        }
    }

    /// Many thresholds of bytes, the same for all: a table.
    fn table(&mut self, t: &Thresholds) {
        self.scalar("Add", 128.0);
        self.node("Cast", &[]);
        // int32
        self.model = self.model.clone().int("to", 6);
        let level = |number: i64| t.values.iter().filter(|&&limit| number >= limit).count();
        let values: Vec<f32> = (-128..256).map(|n| t.value(level(n) as i64) as f32).collect();
        let (indices, to) = (self.at.clone(), self.name());
        let table = self.constant(&[values.len()], values);
        self.model = self.model.clone().node("Gather", &[&table, &indices], &to);
        self.at = to;
    }

    fn dense(&mut self, dense: &Dense) {
        let (rows, columns) = dense.weights.dim();
        let (channels, pixels) = (self.map.channels, self.map.pixels());
        self.flatten();
        // Whole channels follow each other here; in a stream, pixels do.
        let all = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
        let weight = |(row, column): (usize, usize)| {
            dense.weights[[row, column % pixels * channels + column / pixels]] as f32
        };
        let weights = self.constant(&[rows, columns], all.map(weight).collect());
        self.map = Map::vector(rows);
        let limits = dense.thresholds.as_ref().map(|t| Limits::new(t, self.map, |e| e));
        let biased = self.linear("Gemm", &weights, limits.as_ref());
        self.model = self.model.clone().int("transB", 1);
        self.decide(limits.as_ref(), biased);
    }

    fn conv(&mut self, conv: &Conv, map: Map) -> Result<(), String> {
        if conv.window.is_padded() && conv.padding != Padding::Nothing {
            return Err("padding other than zeros has no operator of its own".into());
        }
        let (rows, columns) = conv.dense.weights.dim();
        let channels = conv.group_channels();
        let [height, width] = conv.window.kernel;
        let mut weights = vec![0.0; rows * columns];
        for ((row, column), &weight) in conv.dense.weights.indexed_iter() {
            let ([ky, kx], channel) = conv.column(column);
            weights[((row * channels + channel) * height + ky) * width + kx] = weight as f32;
        }
        let weights = self.constant(&[rows, channels, height, width], weights);
        let borders = conv.borders();
        let row = |element: usize| {
            let (pixel, channel) = (element / rows, element % rows);
            borders.class(pixel / map.width, pixel % map.width) * rows + channel
        };
        let limits = conv.dense.thresholds.as_ref().map(|t| Limits::new(t, map, row));
        let biased = self.linear("Conv", &weights, limits.as_ref());
        self.window(&conv.window);
        self.ints("dilations", &conv.window.dilation);
        self.model = self.model.clone().int("group", conv.groups as i64);
        self.map = map;
        self.decide(limits.as_ref(), biased);
        Ok(())
    }

    fn pool(&mut self, pool: &Pool, map: Map) {
        if pool.smallest {
            self.node("Neg", &[]);
        }
        self.node("MaxPool", &[]);
        self.window(&pool.window);
        if pool.smallest {
            self.node("Neg", &[]);
        }
        self.map = map;
    }

    fn window(&mut self, window: &Window) {
        self.ints("kernel_shape", &window.kernel);
        self.ints("strides", &window.stride);
        self.ints("pads", &[window.before, window.after].concat());
    }
}

/// Thresholds as floats between two integers, so that no difference is 0.
struct Limits<'t> {
    t: &'t Thresholds,
    map: Map,
    /// The row of thresholds of each element, pixel by pixel.
    rows: Vec<usize>,
    /// Whether all pixels have the same.
    alike: bool,
}

impl<'t> Limits<'t> {
    fn new(t: &'t Thresholds, map: Map, row: impl Fn(usize) -> usize) -> Self {
        let rows = (0..map.elements()).map(|e| row(e) % t.values.nrows()).collect();
        let mut limits = Self { t, map, rows, alike: false };
        let same = |c: usize, p: usize| {
            (0..t.values.ncols()).all(|level| limits.at(c, p, level) == limits.at(c, 0, level))
        };
        limits.alike = (0..map.channels).all(|c| (0..map.pixels()).all(|p| same(c, p)));
        limits
    }

    fn at(&self, channel: usize, pixel: usize, level: usize) -> f32 {
        let row = self.rows[pixel * self.map.channels + channel];
        self.t.values[[row, level]].clamp(-(1 << 22), 1 << 22) as f32 - 0.5
    }

    /// Shape and values of a level: one for all, one for each channel, or one for each element.
    fn level(&self, level: usize, flat: bool) -> (Vec<usize>, Vec<f32>) {
        let Map { height, width, channels } = self.map;
        if self.t.values.nrows() == 1 {
            (Vec::new(), vec![self.at(0, 0, level)])
        } else if self.alike || flat {
            let dims = if flat { vec![channels] } else { vec![channels, 1, 1] };
            (dims, (0..channels).map(|c| self.at(c, 0, level)).collect())
        } else {
            let all = (0..channels).flat_map(|c| (0..height * width).map(move |p| (c, p)));
            (vec![channels, height, width], all.map(|(c, p)| self.at(c, p, level)).collect())
        }
    }
}
