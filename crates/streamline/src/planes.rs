//! Fewer levels of the input than it has: a quantizer in front of the first layer that the model does
//! not have, so that a thermometer of a few planes holds every value.

use crate::lower::{Source, Walk};
use diagnostic::{Code, Diagnostic, Result};
use graph::{Elementwise, Param, Rounding};
use serde::{Deserialize, Serialize};
use tensor::ElementType;

/// The quantizer of `--input-planes`: a value x in front of the first layer becomes
/// `step * clamp(round(x / step), low, high)`, ties to even.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InputPlanes {
    /// The distance of two levels.
    pub step: f32,
    /// The lowest level, at most 0.
    pub low: i64,
    /// The highest level, at least 0.
    pub high: i64,
}

impl InputPlanes {
    /// The grid of `planes` + 1 levels, 0 among them, that is laid over `low..=high`.
    fn over(low: f64, high: f64, planes: usize) -> Self {
        let step = ((high - low) / planes as f64) as f32;
        let lowest = (low / f64::from(step)).round() as i64;
        Self { step, low: lowest, high: lowest + planes as i64 }
    }

    /// How many planes a thermometer of the levels has.
    pub fn count(&self) -> usize {
        (self.high - self.low) as usize
    }

    /// The quantizer as an operator of the model.
    pub fn operator(&self) -> Elementwise {
        Elementwise::Quant {
            scale: Param::scalar(self.step),
            zero_point: Param::scalar(0.0),
            low: self.low,
            high: self.high,
            rounding: Rounding::HalfEven,
        }
    }

    /// One sentence that says what the first layer meets.
    pub fn describe(&self) -> String {
        let value = |level: i64| f64::from(self.step) * level as f64;
        format!(
            "{} planes: the first layer meets {} levels from {:.4} to {:.4} in steps of {:.4}",
            self.count(),
            self.count() + 1,
            value(self.low),
            value(self.high),
            self.step
        )
    }
}

impl Walk<'_> {
    /// Puts the quantizer of `--input-planes` in front of the first layer, whose input has `shape`;
    /// nothing where no more levels occur than are asked for.
    ///
    /// # Errors
    /// `usage` when values of both signs are to have a single plane.
    pub(crate) fn reduce_planes(&mut self, shape: &[usize]) -> Result<()> {
        let Some(planes) = self.options.input_planes else { return Ok(()) };
        let (element, low, high, map) = match &self.source {
            Source::Input => {
                let element = self.input.element;
                (element, element.min(), element.max(), self.input.map)
            }
            Source::Values(v) => (v.element, v.low, v.high, v.map),
            Source::Linear(_) => return Ok(()),
        };
        if self.layers.iter().any(|l| l.dense().is_some()) {
            return Ok(());
        }
        let elements = if self.segment.is_uniform() {
            1
        } else if self.segment.is_alike_at_all_pixels(map.channels) {
            map.channels
        } else {
            map.elements()
        };
        let unit = if element == ElementType::Bipolar { 2 } else { 1 };
        let integers = || (low..=high).step_by(unit);
        let mut values: Vec<f64> = (0..elements)
            .flat_map(|e| integers().map(move |n| (e, n)))
            .map(|(e, n)| self.segment.eval(e, n))
            .collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let held = self.segment.has_quantizer() || self.segment.is_uniform();
        if held && values.len() <= planes + 1 {
            return Ok(());
        }
        let lowest = values.first().copied().unwrap_or(0.0).min(0.0);
        let highest = values.last().copied().unwrap_or(0.0).max(0.0);
        // Values that are not finite, or all 0, are refused or kept like those of any input.
        if !(highest - lowest).is_normal() {
            return Ok(());
        }
        if planes == 1 && lowest < 0.0 && highest > 0.0 {
            let text = "--input-planes 1 is too few: the first layer meets values of both signs";
            return Err(Diagnostic::new(Code::Usage, text).hint("use 2 or more"));
        }
        let reduced = InputPlanes::over(lowest, highest, planes);
        self.elementwise("--input-planes", &reduced.operator(), shape);
        self.input.planes = Some(reduced);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_a_level() {
        let grid = |low, high, planes| {
            let InputPlanes { low, high, .. } = InputPlanes::over(low, high, planes);
            (low, high)
        };
        assert_eq!(grid(0.0, 1.0, 16), (0, 16));
        assert_eq!(grid(-128.0, 127.0, 20), (-10, 10));
        assert_eq!(grid(-2.1, 2.6, 20), (-9, 11));
        assert_eq!(grid(-4.0, 0.0, 3), (-3, 0));
    }
}
