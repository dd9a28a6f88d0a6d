//! Networks of one binary layer.

use super::Draw;
use graph::ClassRule;
use ndarray::Array2;
use streamline::{
    Dense, InputRule, InputSpec, Layer, LayerOp, OutputSpec, Scores, Streamlined, Thresholds,
};
use tensor::{ElementType, Map};

/// `rows` random bipolar rows of `columns` bipolar inputs, each with one threshold near the middle;
/// with `extremes` the first four have thresholds that are always, never, almost always and almost
/// never reached.
pub fn binary_layer(rows: usize, columns: usize, extremes: bool) -> Streamlined {
    let mut draw = Draw::new((rows * columns) as u64);
    let element = ElementType::Bipolar;
    let weights =
        Array2::from_shape_simple_fn((rows, columns), || element.decode(draw.bits() >> 9));
    let most = columns as i64;
    let near = (most as f64).sqrt() as usize + 1;
    let thresholds = Array2::from_shape_fn((rows, 1), |(row, _)| match (row, extremes) {
        (0, true) => -most,
        (1, true) => most + 1,
        (2, true) => -most + 1,
        (3, true) => most,
        _ => draw.size(0, 2 * near) as i64 - near as i64,
    });
    let levels = Thresholds { values: thresholds, base: -1, bipolar: true };
    let dense = Dense {
        weights,
        negated: Vec::new(),
        weight: element,
        accumulator: (-most, most),
        thresholds: Some(levels),
    };
    let scores = Scores { scale: vec![1.0], offset: vec![0.0], tail: Vec::new(), softmax: false };
    Streamlined {
        name: "binary".into(),
        input: InputSpec {
            name: "input".into(),
            element,
            shape: vec![columns],
            map: Map::vector(columns),
            channels_last: true,
            rule: InputRule::Unchanged,
            planes: None,
        },
        output: OutputSpec {
            name: "output".into(),
            elements: rows,
            class_rule: ClassRule::ArgMax,
            smallest: false,
            scores,
        },
        knife_edges: Vec::new(),
        layers: vec![Layer {
            name: "fc0".into(),
            nodes: vec!["fc0".into()],
            element,
            map: Map::vector(rows),
            op: LayerOp::Dense(dense),
        }],
    }
}
