//! Convolution with constant weights.

use super::build::{Builder, Context, Dynamic, Value, refuse};
use super::linear::{add_bias, weights};
use super::maps::{Maps, lengths};
use super::window::{kernel_shape, stated};
use diagnostic::{Code, Diagnostic, Result};
use graph::{Conv, Op, Param};

fn invalid(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ModelInvalid, message)
}

/// `Conv(data, weights [outputs, channels of a group, rows, columns], bias)`; the bias is added by
/// an operator of its own.
pub(crate) fn emit(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    if !matches!(context.required(0)?, Value::Dynamic(_)) {
        return Err(refuse("the data is not the first operand")
            .hint("use Conv(data, weights, bias) with constant weights and bias"));
    }
    let maps = Maps::of(context, data)?;
    let constant = context.required_constant(1, "weights")?;
    let (outputs, depth, kernel) = match constant.shape() {
        [outputs, depth, kernel @ ..] if kernel.len() == maps.axes => (*outputs, *depth, kernel),
        shape => {
            let text =
                format!("weights of shape {shape:?} do not fit data of shape {:?}", data.shape);
            return Err(invalid(text).hint(if maps.axes == 2 {
                "they need four axes: [outputs, channels of a group, rows, columns]"
            } else {
                "they need three axes: [outputs, channels of a group, rows]"
            }));
        }
    };
    let kernel: Vec<i64> =
        kernel.iter().map(|&length| i64::try_from(length).unwrap_or(i64::MAX)).collect();
    let kernel = maps.pair(&lengths(&kernel, "extents of the kernel", 1)?, 1);
    if let Some(said) = kernel_shape(context, maps)?.filter(|&said| said != kernel) {
        let text = format!(
            "`kernel_shape` says {}, the weights have kernels of {}",
            maps.show(said),
            maps.show(kernel)
        );
        return Err(invalid(text));
    }
    let groups = groups(context, maps.map.channels, outputs, depth)?;
    let window = stated(context, maps, kernel, false)?.window;
    let output = window.over(maps.map, outputs).ok_or_else(|| invalid("no window fits"))?;
    let matrix = constant.reshaped(&[outputs, depth * window.taps()])?;
    let op = Op::Conv(Conv { weights: weights(&matrix)?, window, groups });
    let result = builder.emit(context.node, "", op, data, maps.shape_of(output)?);
    let Some(bias) = context.constant(2, "bias")? else { return Ok(result) };
    let values: Vec<f32> = bias.floats().iter().copied().collect();
    let param = Param::per_channel(&values, result.shape.len());
    add_bias(context, param, bias.shape(), result, builder)
}

/// The number of groups, when it divides the channels on both sides.
fn groups(context: &Context<'_>, channels: usize, outputs: usize, depth: usize) -> Result<usize> {
    let stated = context.attributes.int("group")?.unwrap_or(1);
    let groups = usize::try_from(stated)
        .ok()
        .filter(|&groups| {
            groups > 0 && channels.is_multiple_of(groups) && outputs.is_multiple_of(groups)
        })
        .ok_or_else(|| {
            let text = format!(
                "{stated} groups do not divide {channels} input and {outputs} output channels"
            );
            invalid(text).hint("the number of groups divides both")
        })?;
    let group = channels / groups;
    if depth != group {
        let text =
            format!("kernels over {depth} channels do not fit {groups} groups of {group} channels");
        return Err(invalid(text));
    }
    Ok(groups)
}
