//! Random networks through every kernel that the processor has, against plain sums.
#![allow(clippy::unwrap_used, reason = "whatever fails here fails the test")]

mod plain;

use golden::{Golden, Kernel};
use graph::ClassRule;
use ndarray::Array2;
use streamline::{
    Conv, Dense, InputRule, InputSpec, Layer, LayerOp, OutputSpec, Padding, Pool, Scores,
    Streamlined, Thresholds,
};
use tensor::{Axis, ElementType, Map, Surround, Window};

/// Numbers that look random and are the same in each run.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 32
    }

    /// From `low` to `high`, both included.
    fn size(&mut self, low: usize, high: usize) -> usize {
        low + self.next() as usize % (high - low + 1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.size(0, of.len() - 1)].clone()
    }

    fn value(&mut self, element: ElementType) -> i64 {
        element.decode(self.next() << 32 | self.next())
    }
}

const WEIGHTS: [ElementType; 7] = [
    ElementType::Bipolar,
    ElementType::Bipolar,
    ElementType::Int(2),
    ElementType::Int(4),
    ElementType::Uint(1),
    // The largest weights that two products of bytes in 16 bits allow, and too large ones.
    ElementType::Int(7),
    ElementType::Int(8),
];

const INPUTS: [ElementType; 9] = [
    ElementType::Bipolar,
    ElementType::Bipolar,
    ElementType::Bipolar,
    ElementType::Uint(1),
    ElementType::Uint(2),
    ElementType::Int(3),
    ElementType::Uint(8),
    ElementType::Int(8),
    ElementType::Int(1),
];

/// A network that is put together layer by layer.
struct Chain<'d> {
    draw: &'d mut Draw,
    network: Streamlined,
    element: ElementType,
    map: Map,
}

impl<'d> Chain<'d> {
    fn new(draw: &'d mut Draw, element: ElementType, map: Map) -> Self {
        let input = InputSpec {
            name: "x".into(),
            element,
            shape: vec![map.channels, map.height, map.width],
            map,
            channels_last: false,
            rule: InputRule::Unchanged,
            planes: None,
        };
        let scores =
            Scores { scale: vec![1.0], offset: vec![0.0], tail: Vec::new(), softmax: false };
        let output = OutputSpec {
            name: "y".into(),
            elements: 0,
            class_rule: ClassRule::ArgMax,
            smallest: false,
            scores,
        };
        let network = Streamlined {
            name: "random".into(),
            input,
            output,
            knife_edges: Vec::new(),
            layers: Vec::new(),
        };
        Self { draw, network, element, map }
    }

    fn push(&mut self, op: LayerOp, element: ElementType, map: Map) {
        let name = format!("layer{}", self.network.layers.len());
        (self.element, self.map) = (element, map);
        self.network.layers.push(Layer { name, nodes: Vec::new(), element, map, op });
    }

    /// Thresholds around 0 of some rows, and the type of the levels.
    fn thresholds(&mut self, rows: usize, spread: usize) -> (Thresholds, ElementType) {
        let element = self.draw.pick(&[
            ElementType::Bipolar,
            ElementType::Bipolar,
            ElementType::Uint(1),
            ElementType::Uint(2),
            ElementType::Int(3),
            ElementType::Int(6),
            ElementType::Uint(8),
        ]);
        let bipolar = element == ElementType::Bipolar;
        let most = if bipolar { 1 } else { (element.max() - element.min()) as usize };
        let count = if self.draw.chance(60) { most } else { self.draw.size(1, most) };
        let mut values = Array2::from_shape_simple_fn((rows, count), || {
            self.draw.size(0, 2 * spread) as i64 - spread as i64
        });
        for mut row in values.rows_mut() {
            let mut sorted = row.to_vec();
            sorted.sort_unstable();
            row.iter_mut().zip(sorted).for_each(|(to, from)| *to = from);
        }
        let room = most - count;
        let base = element.min() + self.draw.size(0, room) as i64;
        // Never, and always.
        values[[0, count - 1]] = self.draw.pick(&[values[[0, count - 1]], 1 << 40]);
        if self.draw.chance(10) {
            values[[rows - 1, 0]] = -(1 << 40);
        }
        (Thresholds { values, base, bipolar }, element)
    }

    fn elementwise(&mut self) {
        let rows = self.draw.pick(&[1, self.map.channels, self.map.elements()]);
        let spread = (self.element.max() + 1) as usize;
        let (thresholds, element) = self.thresholds(rows, spread);
        self.push(LayerOp::Threshold(thresholds), element, self.map);
    }

    /// A matrix of rows and columns; the thresholds of each row of each class, or none.
    fn matrix(&mut self, (rows, columns): (usize, usize), classes: usize) -> (Dense, ElementType) {
        let weight = self.draw.pick(&WEIGHTS);
        let weights = Array2::from_shape_simple_fn((rows, columns), || self.draw.value(weight));
        let size = self.element.max().max(-self.element.min()) as usize;
        let spread = size * columns.isqrt().max(1) + 1;
        let thresholds = self.draw.chance(80).then(|| self.thresholds(rows * classes, spread));
        let row = |row: ndarray::ArrayView1<'_, i64>| row.iter().map(|w| w.abs()).sum::<i64>();
        let most = size as i64 * weights.rows().into_iter().map(row).max().unwrap();
        let element = thresholds.as_ref().map_or(ElementType::smallest(-most - 1, most), |t| t.1);
        let negated = (0..rows).filter(|_| self.draw.chance(30)).collect();
        let thresholds = thresholds.map(|t| t.0);
        (Dense { weights, negated, weight, accumulator: (-most, most), thresholds }, element)
    }

    fn dense(&mut self) {
        let rows = self.draw.pick(&[1, 3, 10, 16, 33, 64, 100]);
        let (dense, element) = self.matrix((rows, self.map.elements()), 1);
        self.push(LayerOp::Dense(dense), element, Map::vector(rows));
    }

    fn window(&mut self, padded: bool) -> Window {
        loop {
            let mut window = Window::of([self.draw.size(1, 3), self.draw.size(1, 3)]);
            for (a, axis) in [Axis::Rows, Axis::Columns].into_iter().enumerate() {
                window.stride[a] = self.draw.pick(&[1, 1, 2]);
                window.dilation[a] = self.draw.pick(&[1, 1, 2]);
                let most = if padded { window.reach(axis) - 1 } else { 0 };
                window.before[a] = self.draw.size(0, most);
                window.after[a] = self.draw.size(0, most);
            }
            let sees = |axis: Axis| {
                let extent = self.map.extents()[axis as usize];
                let outputs = window.outputs(axis, extent).unwrap_or(0);
                outputs > 0 && (0..outputs).all(|o| !window.valid(axis, o, extent).is_empty())
            };
            if sees(Axis::Rows) && sees(Axis::Columns) {
                return window;
            }
        }
    }

    fn conv(&mut self) {
        let padded = self.draw.chance(60);
        let window = self.window(padded);
        let channels = self.map.channels;
        let fit: Vec<usize> =
            [1, 1, 2, 3, channels].into_iter().filter(|g| channels.is_multiple_of(*g)).collect();
        let groups = self.draw.pick(&fit);
        let rows = groups * self.draw.size(1, (70 / groups).clamp(1, 20));
        let set = |draw: &mut Draw, element: ElementType| {
            let length = draw.pick(&[1, channels]);
            (0..length).map(|_| draw.value(element)).collect::<Vec<i64>>()
        };
        let padding = match self.draw.size(0, 2) {
            0 => Padding::Nothing,
            1 => Padding::Value(Surround::of(set(self.draw, self.element))),
            _ => {
                let (even, odd) = (set(self.draw, self.element), set(self.draw, self.element));
                Padding::Value(Surround::checkered(even, odd))
            }
        };
        let dense = Dense {
            weights: Array2::zeros((0, 0)),
            negated: Vec::new(),
            weight: ElementType::Bipolar,
            accumulator: (0, 0),
            thresholds: None,
        };
        let mut conv = Conv { input: self.map, window, groups, padding, dense };
        let columns = window.taps() * channels / groups;
        let (dense, element) = self.matrix((rows, columns), conv.borders().count());
        conv.dense = dense;
        let map = window.over(self.map, rows).unwrap();
        self.push(LayerOp::Conv(conv), element, map);
    }

    fn pool(&mut self) {
        let padded = self.draw.chance(30);
        let window = self.window(padded);
        let map = window.over(self.map, self.map.channels).unwrap();
        let pool = Pool { input: self.map, window, smallest: self.draw.chance(30) };
        self.push(LayerOp::Pool(pool), self.element, map);
    }
}

fn random(seed: u64) -> (Streamlined, Vec<i64>) {
    let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let element = draw.pick(&INPUTS);
    let channels = draw.pick(&[1, 3, 6, 16, 63, 64, 65, 128, 130]);
    let size = if channels > 16 { 5 } else { 9 };
    let map = if draw.chance(20) {
        Map::vector(channels * 5)
    } else {
        Map { height: draw.size(3, size), width: draw.size(3, size), channels }
    };
    let mut chain = Chain::new(&mut draw, element, map);
    for _ in 0..chain.draw.size(1, 4) {
        match chain.draw.size(0, 7) {
            0 => chain.elementwise(),
            1 => chain.pool(),
            2 => chain.dense(),
            _ => chain.conv(),
        }
        // Sums of sums of sums leave what a network could have.
        if chain.element.bits() > 30 {
            break;
        }
    }
    let network = chain.network;
    let frame = (0..map.elements()).map(|_| draw.value(element)).collect();
    (network, frame)
}

#[test]
fn all_kernels_give_the_plain_integers() {
    let seeds = std::env::var("XNORFLOW_SWEEP_SEEDS").unwrap_or_else(|_| "0..1500".into());
    let (from, to) = seeds.split_once("..").unwrap();
    for seed in from.parse().unwrap()..to.parse().unwrap() {
        let (network, frame) = random(seed);
        let (outputs, accumulators) = plain::trace(&network, &frame);
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
            let golden = Golden::with_kernel(&network, kernel);
            let trace = golden.trace(&frame);
            let says = |layer: usize| format!("seed {seed}, {kernel}: {:?}", network.layers[layer]);
            for layer in 0..outputs.len() {
                assert_eq!(trace.accumulators[layer], accumulators[layer], "{}", says(layer));
                assert_eq!(trace.outputs[layer], outputs[layer], "{}", says(layer));
            }
            // A scratch that another frame was run in.
            let mut scratch = golden.scratch();
            golden.run_into(&vec![frame[0]; frame.len()], &mut scratch);
            golden.run_into(&frame, &mut scratch);
            for (layer, wanted) in outputs.iter().enumerate() {
                assert_eq!(&scratch.layer(layer).to_vec(), wanted, "{}", says(layer));
            }
            assert_eq!(&golden.outcome(&scratch).output, outputs.last().unwrap(), "seed {seed}");
        }
    }
}

#[test]
fn long_rows_do_not_run_over() {
    let mut draw = Draw(1);
    let columns = 210_000;
    let mut chain = Chain::new(&mut draw, ElementType::Bipolar, Map::vector(columns));
    let weights = Array2::from_elem((3, columns), 1);
    let dense = Dense {
        weights,
        negated: Vec::new(),
        weight: ElementType::Bipolar,
        accumulator: (-(columns as i64), columns as i64),
        thresholds: None,
    };
    chain.push(LayerOp::Dense(dense), ElementType::Int(19), Map::vector(3));
    let network = chain.network;
    for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.is_available()) {
        let golden = Golden::with_kernel(&network, kernel);
        let output = golden.run(&vec![-1; columns]).output;
        assert_eq!(output, [-(columns as i64); 3], "{kernel}");
    }
}
