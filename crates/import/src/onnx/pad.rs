//! Padding of maps.

use super::build::{Builder, Context, Dynamic, refuse};
use super::maps::{Maps, channels_last, paddings};
use super::shapes::{axis_of, integers, list};
use diagnostic::{Code, Diagnostic, Result};
use graph::Op;
use std::ops::Range;
use tensor::Window;

/// Places before and after the data on one axis.
type Ends = (usize, usize);

/// `Pad` with a constant, around rows and columns.
///
/// The rows and columns are axes 2 and 3, or 1 and 2 where those fit what is padded and 2 and 3 do
/// not: then the channels are last.
pub(crate) fn emit(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    let mode = context.attributes.string("mode")?.unwrap_or_default();
    if !matches!(mode.as_str(), "" | "constant") {
        return Err(refuse(format!("the padding mode is `{mode}`")).hint("use the mode `constant`"));
    }
    let rank = data.shape.len();
    let value = value(context)?;
    let ends = ends(context, rank)?;
    let padded_only = |axes: Range<usize>| {
        ends.iter().enumerate().all(|(axis, &ends)| ends == (0, 0) || axes.contains(&axis))
    };
    if padded_only(2..rank.max(2)) {
        return pad(context, &ends[rank.min(2)..], value, data, builder);
    }
    if (3..=4).contains(&rank) && padded_only(1..rank - 1) {
        return channels_last(context, data, builder, |turned, builder| {
            pad(context, &ends[1..rank - 1], value, turned, builder)
        });
    }
    let axes: Vec<usize> = (0..rank).filter(|&axis| ends[axis] != (0, 0)).collect();
    let text = format!("the axes {axes:?} of data of shape {:?} are padded", data.shape);
    Err(refuse(text).hint(
        "rows and columns may be padded: axes 2 and 3, or 1 and 2 where the channels are last",
    ))
}

fn pad(
    context: &Context<'_>,
    ends: &[Ends],
    value: f32,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    let maps = Maps::of(context, data)?;
    let (before, after): (Vec<usize>, Vec<usize>) = ends.iter().copied().unzip();
    let (before, after) = (maps.pair(&before, 0), maps.pair(&after, 0));
    let window = Window { before, after, ..Window::of([1, 1]) };
    let output = window
        .over(maps.map, maps.map.channels)
        .ok_or_else(|| Diagnostic::new(Code::ModelInvalid, "nothing is left of the map"))?;
    let op = Op::Pad { before, after, value };
    Ok(builder.emit(context.node, "", op, data, maps.shape_of(output)?))
}

/// The constant: an input in new versions, an attribute in old ones.
fn value(context: &Context<'_>) -> Result<f32> {
    let value = match context.constant(2, "value of the padding")? {
        Some(constant) => constant.scalar().ok_or_else(|| {
            Diagnostic::new(Code::ModelInvalid, "the value of the padding is not one number")
        })?,
        None => context.attributes.float("value")?.unwrap_or(0.0),
    };
    if value.is_finite() {
        return Ok(value);
    }
    Err(Diagnostic::new(Code::ModelNotFinite, format!("the value of the padding is {value}"))
        .hint("pad with a number; a MaxPool pads by its own attribute `pads`"))
}

/// What is padded on each axis of the data.
fn ends(context: &Context<'_>, rank: usize) -> Result<Vec<Ends>> {
    let invalid = |message: String| Diagnostic::new(Code::ModelInvalid, message);
    let pads =
        list(context, 1, "pads")?.ok_or_else(|| invalid("`Pad` does not say how much".into()))?;
    let axes: Vec<usize> = match context.constant(3, "axes")? {
        None => (0..rank).collect(),
        Some(axes) => {
            let axes = integers(axes, "axes")?;
            axes.into_iter().map(|axis| axis_of(axis, rank)).collect::<Result<_>>()?
        }
    };
    if pads.len() != 2 * axes.len() || axes.len() > rank {
        let text =
            format!("`Pad` states {} paddings for {} of {rank} axes", pads.len(), axes.len());
        return Err(invalid(text));
    }
    let pads = paddings(&pads)?;
    let mut ends = vec![(0, 0); rank];
    for (i, &axis) in axes.iter().enumerate() {
        if axes[..i].contains(&axis) {
            return Err(invalid(format!("`Pad` names the axis {axis} twice")));
        }
        ends[axis] = (pads[i], pads[axes.len() + i]);
    }
    Ok(ends)
}
