//! Runs a model that a test built in memory.

use crate::model::Model;

/// The output in float32, which float64 confirms.
pub(crate) fn run(model: &Model, x: &[f32]) -> Vec<f32> {
    let graph = model.load().unwrap_or_else(|e| panic!("{e}"));
    let single = reference::run::<f32>(&graph, x).unwrap();
    let double = reference::run::<f64>(&graph, x).unwrap();
    for (a, b) in single.iter().zip(&double) {
        assert!((f64::from(*a) - b).abs() <= 1e-5 * b.abs().max(1.0), "{a} is not {b}");
    }
    single
}
