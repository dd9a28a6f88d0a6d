//! The quantizers of QONNX, Brevitas and FINN.

use super::build::{Context, refuse};
use super::constants::{Constant, Quantized};
use super::elementwise::evaluate;
use super::operator::Operator;
use diagnostic::{Code, Diagnostic, Result};
use graph::{Elementwise, Param, Rounding};
use ndarray::{ArrayD, Axis, Ix2, IxDyn, Zip};

/// Biases are quantized to up to 32 bits.
const MAX_BITS: f32 = 32.0;

/// `BipolarQuant(x, scale)`.
pub(crate) fn bipolar(context: &Context<'_>) -> Result<Elementwise> {
    Ok(Elementwise::BipolarQuant { scale: context.required_constant(1, "scale")?.param() })
}

/// `Quant(x, scale, zero_point, bit_width)`, with signed, narrow and rounding_mode.
///
/// Codes run from `-2^(b-1)` (one more when narrow) to `2^(b-1)-1` when signed, else from 0 to
/// `2^b-1` (one less when narrow). One signed bit is a `BipolarQuant`.
pub(crate) fn quant(context: &Context<'_>) -> Result<Elementwise> {
    let scale = context.required_constant(1, "scale")?.param();
    let zero_point = context.required_constant(2, "zero point")?.param();
    let width = context.required_constant(3, "bit width")?.param();
    let bits = width.as_scalar().filter(|b| b.fract() == 0.0 && (1.0..=MAX_BITS).contains(b));
    let bits = bits.ok_or_else(|| {
        refuse("the bit width is not one whole number from 1 to 32")
            .hint("use one bit width for the whole tensor")
    })? as u32;
    let signed = context.attributes.int("signed")?.unwrap_or(1) != 0;
    let narrow = context.attributes.int("narrow")?.unwrap_or(0) != 0;
    if bits == 1 && signed {
        if zero_point.0.iter().any(|&z| z != 0.0) {
            return Err(refuse("a signed quantizer of 1 bit has a zero point")
                .hint("use BipolarQuant, or a zero point of 0"));
        }
        return Ok(Elementwise::BipolarQuant { scale });
    }
    let span = 1i64 << bits;
    let (low, high) = match (signed, narrow) {
        (true, true) => (1 - span / 2, span / 2 - 1),
        (true, false) => (-span / 2, span / 2 - 1),
        (false, true) => (0, span - 2),
        (false, false) => (0, span - 1),
    };
    let rounding = rounding(context.attributes.string("rounding_mode")?.as_deref())?;
    Ok(Elementwise::Quant { scale, zero_point, low, high, rounding })
}

fn rounding(mode: Option<&str>) -> Result<Rounding> {
    let Some(mode) = mode else { return Ok(Rounding::HalfEven) };
    match mode.to_uppercase().as_str() {
        "ROUND" | "ROUND_EVEN" | "HALF_EVEN" => Ok(Rounding::HalfEven),
        "HALF_UP" => Ok(Rounding::HalfUp),
        "HALF_DOWN" => Ok(Rounding::HalfDown),
        "CEIL" => Ok(Rounding::Ceil),
        "FLOOR" => Ok(Rounding::Floor),
        "DOWN" | "ROUND_TO_ZERO" => Ok(Rounding::TowardZero),
        "UP" => Ok(Rounding::AwayFromZero),
        _ => Err(refuse(format!("the rounding mode `{mode}` is not known"))
            .hint("use ROUND, HALF_EVEN, HALF_UP, HALF_DOWN, CEIL, FLOOR, UP or DOWN")),
    }
}

/// `MultiThreshold(x, thresholds)`, with out_scale, out_bias and data_layout.
///
/// Where no layout is given the channels are on axis 1, except for three axes: there they are last,
/// as QONNX has it.
pub(crate) fn multi_threshold(context: &Context<'_>, shape: &[usize]) -> Result<Elementwise> {
    let thresholds = context.required_constant(1, "threshold tensor")?;
    let matrix = thresholds.floats().into_dimensionality::<Ix2>().map_err(|_| {
        let text = format!("the thresholds have shape {:?}", thresholds.shape());
        Diagnostic::new(Code::ModelInvalid, text)
            .hint("they need one row for each channel, or one row for all")
    })?;
    let layout = context.attributes.string("data_layout")?.unwrap_or_default();
    let channel_axis = match (layout.as_str(), shape.len()) {
        ("", 3) => 2,
        ("", _) => 1,
        (layout, _) => layout.chars().position(|c| c == 'C').unwrap_or(1),
    };
    Ok(Elementwise::MultiThreshold {
        thresholds: matrix,
        out_scale: context.attributes.float("out_scale")?.unwrap_or(1.0),
        out_bias: context.attributes.float("out_bias")?.unwrap_or(0.0),
        channel_axis,
    })
}

/// A quantizer on a constant: the float values as the framework computes them, and the integers.
pub(crate) fn fold(context: &Context<'_>, constant: &Constant) -> Result<Constant> {
    let shape = constant.shape().to_vec();
    let op = match context.operator {
        Operator::BipolarQuant => bipolar(context)?,
        _ => quant(context)?,
    };
    let input = constant.floats();
    if input.iter().any(|v| v.is_nan()) {
        return Err(Diagnostic::new(Code::ModelNotFinite, "a value to be quantized is NaN")
            .hint("export the model again from a checkpoint without NaN"));
    }
    let values = evaluate(&op, &input)?;
    let quantized = match &op {
        Elementwise::BipolarQuant { scale } => {
            let signs = input.mapv(|x| if x >= 0.0 { 1 } else { -1 });
            with_scale(signs, scale, &shape)
        }
        Elementwise::Quant { scale, zero_point, low, high, rounding } => {
            let whole = zero_point.0.iter().all(|z| z.fract() == 0.0 && z.abs() < 2f32.powi(24));
            let scaled = scale.0.broadcast(IxDyn(&shape)).map(|s| &input / &s);
            // The same quantizer with a step of 1 gives `code - zero_point`.
            let unit = Elementwise::Quant {
                scale: Param::scalar(1.0),
                zero_point: zero_point.clone(),
                low: *low,
                high: *high,
                rounding: *rounding,
            };
            match scaled.filter(|_| whole) {
                Some(scaled) if scaled.iter().all(|v| v.is_finite()) => {
                    let integers = evaluate(&unit, &scaled)?.mapv(|v| v as i64);
                    with_scale(integers, scale, &shape)
                }
                _ => None,
            }
        }
        _ => None,
    };
    Ok(Constant { quantized, ..Constant::float(values) })
}

/// Integers with a positive scale for each; `None` when a scale is 0 or not finite.
fn with_scale(mut integers: ArrayD<i64>, scale: &Param, shape: &[usize]) -> Option<Quantized> {
    if !scale.0.iter().all(|s| s.is_finite() && *s != 0.0) {
        return None;
    }
    let scale = match scale.as_scalar() {
        Some(value) => ArrayD::from_elem(IxDyn(&[1]), value),
        None => scale.0.broadcast(IxDyn(shape))?.to_owned(),
    };
    let signs = scale.broadcast(integers.raw_dim())?;
    Zip::from(&mut integers).and(&signs).for_each(|integer, &s| {
        if s < 0.0 {
            *integer = -*integer;
        }
    });
    Some(Quantized { integers, scale: scale.mapv(f32::abs) })
}

/// One scale for the whole matrix, or one for each row; `None` when it changes within a row.
pub(crate) fn row_scales(scale: &ArrayD<f32>) -> Option<Vec<f32>> {
    if scale.len() == 1 {
        return Some(scale.iter().copied().collect());
    }
    let rows: Option<Vec<f32>> = scale
        .axis_iter(Axis(0))
        .map(|row| {
            let first = row.iter().next().copied()?;
            row.iter().all(|v| v.to_bits() == first.to_bits()).then_some(first)
        })
        .collect();
    let rows = rows?;
    let first = rows.first().copied()?;
    if rows.iter().all(|v| v.to_bits() == first.to_bits()) { Some(vec![first]) } else { Some(rows) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn rounding_modes_are_all_known() {
        assert_eq!(rounding(None).unwrap(), Rounding::HalfEven);
        assert_eq!(rounding(Some("half_up")).unwrap(), Rounding::HalfUp);
        assert_eq!(rounding(Some("UP")).unwrap(), Rounding::AwayFromZero);
        assert_eq!(rounding(Some("ODD")).unwrap_err().code, Code::UnsupportedAttribute);
    }

    #[test]
    fn scales_by_row_are_told_from_scales_by_column() {
        assert_eq!(row_scales(&array![[2.0, 2.0], [2.0, 2.0]].into_dyn()), Some(vec![2.0]));
        assert_eq!(row_scales(&array![[2.0, 2.0], [3.0, 3.0]].into_dyn()), Some(vec![2.0, 3.0]));
        assert_eq!(row_scales(&array![[2.0, 3.0], [2.0, 3.0]].into_dyn()), None);
    }
}
