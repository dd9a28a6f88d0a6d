//! Pooling: the largest or the mean element of windows, or of whole maps.

use super::build::{Builder, Context, Dynamic, refuse};
use super::maps::{Maps, channels_last};
use super::operator::Operator as O;
use super::shapes::{axis_of, list};
use super::window::{Stated, check_windows_see_the_map, kernel_shape, stated};
use diagnostic::{Code, Diagnostic, Result};
use graph::{Op, Pool, PoolKind};
use std::ops::Range;
use tensor::Window;

/// `MaxPool`, `AveragePool`, `GlobalMaxPool`, `GlobalAveragePool`, or FINN's `MaxPoolNHWC`.
pub(crate) fn emit(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    match context.operator {
        O::GlobalMaxPool => whole(context, PoolKind::Max, data, builder),
        O::GlobalAveragePool => whole(context, PoolKind::Average, data, builder),
        O::MaxPoolNHWC => channels_last(context, data, builder, |turned, builder| {
            windows(context, turned, builder)
        }),
        _ => windows(context, data, builder),
    }
}

/// `ReduceMean` or `ReduceMax` over the rows and columns: pooling of whole maps.
pub(crate) fn reduce(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    let rank = data.shape.len();
    let stated = list(context, 1, "axes")?.unwrap_or_default();
    let mut sorted: Vec<usize> =
        stated.iter().map(|&axis| axis_of(axis, rank)).collect::<Result<_>>()?;
    sorted.sort_unstable();
    let over = |axes: Range<usize>| (3..=4).contains(&rank) && sorted.iter().copied().eq(axes);
    let kind = if context.operator == O::ReduceMean { PoolKind::Average } else { PoolKind::Max };
    let (result, axes) = if over(2..rank) {
        (whole(context, kind, data, builder)?, 2..rank)
    } else if over(1..rank.saturating_sub(1)) {
        let turned = channels_last(context, data, builder, |turned, builder| {
            whole(context, kind, turned, builder)
        })?;
        (turned, 1..rank - 1)
    } else {
        let text = format!(
            "`{}` runs along the axes {:?} of data of shape {:?}",
            context.node.op_type,
            &stated[..stated.len().min(8)],
            data.shape
        );
        return Err(refuse(text).hint(
            "it is supported over all rows and columns of maps: axes 2 and 3, or 1 and 2 where \
             the channels are last",
        ));
    };
    if context.attributes.int("keepdims")?.unwrap_or(1) != 0 {
        return Ok(result);
    }
    let kept = result.shape.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
    let shape = kept.map(|(_, &extent)| extent).collect();
    Ok(builder.emit(context.node, "/keepdims", Op::Reshape, &result, shape))
}

/// One window that is the whole map.
fn whole(
    context: &Context<'_>,
    kind: PoolKind,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    let maps = Maps::of(context, data)?;
    pool(context, maps, Pool { kind, window: Window::of(maps.map.extents()) }, data, builder)
}

/// The windows that the attributes state.
fn windows(context: &Context<'_>, data: &Dynamic, builder: &mut Builder) -> Result<Dynamic> {
    let maps = Maps::of(context, data)?;
    if context.node.output.iter().skip(1).any(|name| !name.is_empty()) {
        return Err(refuse("the indices of the largest elements are an output")
            .hint("export without them: only the elements themselves are supported"));
    }
    if context.attributes.int("storage_order")?.unwrap_or(0) != 0 {
        return Err(refuse("the maps are in column-major order (storage_order)")
            .hint("use storage_order=0"));
    }
    let kernel = kernel_shape(context, maps)?
        .ok_or_else(|| Diagnostic::new(Code::ModelInvalid, "the `kernel_shape` is missing"))?;
    let round_up = context.attributes.int("ceil_mode")?.unwrap_or(0) != 0;
    let stated = stated(context, maps, kernel, round_up)?;
    if stated.same && !same_is_clear(&stated.window) {
        return Err(refuse("runtimes differ in what `auto_pad` SAME means for this window")
            .hint("state the padding with `pads`"));
    }
    let kind = match context.operator {
        O::AveragePool => average(context, &stated)?,
        _ => PoolKind::Max,
    };
    let window = stated.window;
    match kind {
        PoolKind::Max | PoolKind::AverageInside => check_windows_see_the_map(&window, maps)?,
        PoolKind::Average => {}
    }
    pool(context, maps, Pool { kind, window }, data, builder)
}

/// Whether all runtimes pad alike: some forget the dilation of a pooling window, some cut maps where
/// windows are shorter than the stride.
fn same_is_clear(window: &Window) -> bool {
    let plain = |a: usize| window.kernel[a] == 1 || window.dilation[a] == 1;
    (0..2).all(|a| plain(a) && window.kernel[a] + 1 >= window.stride[a])
}

/// What the sum over a window is divided by.
fn average(context: &Context<'_>, stated: &Stated) -> Result<PoolKind> {
    let counts_padding = context.attributes.int("count_include_pad")?.unwrap_or(0) != 0;
    match (counts_padding, stated.padded, stated.overhangs) {
        (_, false, false) | (true, true, false) => Ok(PoolKind::Average),
        // What lies beyond the stated padding is never counted.
        (false, ..) | (true, false, true) => Ok(PoolKind::AverageInside),
        (true, true, true) => Err(refuse(
            "the average counts the padding (count_include_pad), and `ceil_mode` lets windows \
             reach beyond it",
        )
        .hint("use ceil_mode=0, or count_include_pad=0")),
    }
}

fn pool(
    context: &Context<'_>,
    maps: Maps,
    pool: Pool,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    let output = pool.window.over(maps.map, maps.map.channels);
    let output =
        output.ok_or_else(|| Diagnostic::new(Code::ModelInvalid, "no window fits the map"))?;
    Ok(builder.emit(context.node, "", Op::Pool(pool), data, maps.shape_of(output)?))
}
