//! Binary units whose rows are counted by carries, in each of their forms, near their thresholds.

use super::all_agree;
use dataflow::MemoryStyle;
use fold::{Fold, LayerFold};
use tests::networks::{Case, Timed, binary_layer, prepare};

/// PE, SIMD, steps and passes; SIMD with groups that are whole, odd, even and alone.
const SHAPES: [(usize, usize, usize, usize); 6] =
    [(4, 1, 5, 1), (5, 9, 3, 1), (4, 16, 4, 3), (6, 29, 2, 1), (4, 64, 1, 2), (8, 40, 1, 1)];

#[test]
fn rows_of_carries_at_their_thresholds() {
    let mut cases = Vec::new();
    for (shape, (pe, simd, steps, passes)) in SHAPES.into_iter().enumerate() {
        let network = binary_layer(pe * passes, simd * steps, true);
        let memory = if shape % 2 == 0 { MemoryStyle::Block } else { MemoryStyle::Lut };
        let layer = LayerFold {
            pe: Some(pe),
            simd: Some(simd),
            dot: Some(dataflow::Dot::Carries),
            weights: Some(memory),
            ..LayerFold::default()
        };
        let layers = [("fc0".to_string(), layer)].into();
        let fold = Fold { input_lanes: Some(simd), layers, ..Fold::default() };
        // The seed chooses the form.
        for seed in 0..3 {
            let name = format!("binary_{shape}_{seed}");
            let folded = fold::refold(&name, &network, &fold, 100.0).unwrap();
            let starts = folded.dataflow.engines.iter().any(|engine| match &engine.kind {
                dataflow::EngineKind::Mvu(unit) => unit.from_threshold,
                _ => false,
            });
            assert_eq!(starts, steps > 1 && passes == 1);
            let design = prepare(&name, network.clone(), folded).unwrap();
            let origin = format!("{:?}", SHAPES[shape]);
            cases.push(Case { origin, name, design, timed: Timed::Simulated, seed });
        }
    }
    all_agree("binary", &cases);
}
