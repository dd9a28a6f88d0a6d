//! Where windows lie: the attributes that convolution and pooling have in common.

use super::build::{Context, refuse};
use super::constants::elements;
use super::maps::{Maps, lengths, paddings};
use diagnostic::{Code, Diagnostic, Result};
use tensor::{Axis, Window};

/// The axes of a map with their indices.
const AXES: [Axis; 2] = [Axis::Rows, Axis::Columns];

/// A window as a node states it; at least one fits its map.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stated {
    pub(crate) window: Window,
    /// Whether the node itself asks for padding.
    pub(crate) padded: bool,
    /// Whether the last windows reach beyond that padding: the number of windows was rounded up.
    pub(crate) overhangs: bool,
    /// Whether the padding follows from `auto_pad` SAME.
    pub(crate) same: bool,
}

/// What decides about the padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AutoPad {
    Explicit,
    Valid,
    SameUpper,
    SameLower,
}

/// The attribute `kernel_shape`, if it is there.
pub(crate) fn kernel_shape(context: &Context<'_>, maps: Maps) -> Result<Option<[usize; 2]>> {
    let kernel = pair(context, maps, "kernel_shape")?;
    if let Some(kernel) = kernel {
        elements(&kernel)?;
    }
    Ok(kernel)
}

/// The windows of a kernel over maps; `round_up` is `ceil_mode`.
///
/// # Errors
/// For attributes without meaning, and when not one window fits.
pub(crate) fn stated(
    context: &Context<'_>,
    maps: Maps,
    kernel: [usize; 2],
    round_up: bool,
) -> Result<Stated> {
    let stride = pair(context, maps, "strides")?.unwrap_or([1, 1]);
    let dilation = pair(context, maps, "dilations")?.unwrap_or([1, 1]);
    let [before, after] = explicit_padding(context, maps)?;
    let mut window = Window { kernel, stride, dilation, before, after };
    let auto = auto_pad(context)?;
    if auto != AutoPad::Explicit && window.is_padded() {
        return Err(Diagnostic::new(
            Code::ModelInvalid,
            "both `auto_pad` and `pads` state the padding",
        )
        .hint("leave out one of them"));
    }
    let same = matches!(auto, AutoPad::SameUpper | AutoPad::SameLower);
    if same {
        for axis in AXES {
            pad_to_same(&mut window, axis, maps.map.extents()[axis as usize], auto);
        }
    }
    let padded = window.is_padded();
    let mut overhangs = false;
    // With `auto_pad` the number of windows is defined without regard to `ceil_mode`.
    if round_up && !same {
        let given = window.after;
        for axis in AXES {
            round_windows_up(&mut window, axis, maps.map.extents()[axis as usize]);
        }
        overhangs = window.after.iter().zip(given).any(|(&after, given)| after > given);
    }
    if overhangs && auto == AutoPad::Valid {
        return Err(refuse("`auto_pad` VALID and `ceil_mode` disagree about the last window")
            .hint("state the padding with `pads`"));
    }
    if window.over(maps.map, 1).is_none() {
        let reach = AXES.map(|axis| window.reach(axis));
        let [rows, columns] =
            [0, 1].map(|a| maps.map.extents()[a] + window.before[a] + window.after[a]);
        let text = format!(
            "a kernel that covers {} does not fit a map of {}, padding included",
            maps.show(reach),
            maps.show([rows, columns])
        );
        return Err(Diagnostic::new(Code::ModelInvalid, text)
            .hint("make the kernel or its dilation smaller, or the padding larger"));
    }
    Ok(Stated { window, padded, overhangs, same })
}

/// Refuses windows that see nothing but padding.
///
/// # Errors
/// `unsupported-attribute`, when there is one.
pub(crate) fn check_windows_see_the_map(window: &Window, maps: Maps) -> Result<()> {
    let blind = AXES.into_iter().any(|axis| {
        let extent = maps.map.extents()[axis as usize];
        let outputs = window.outputs(axis, extent).unwrap_or(0);
        (0..outputs).any(|output| !sees_the_map(window, axis, output, extent))
    });
    if !blind {
        return Ok(());
    }
    let text = format!("a window of {} lies in the padding alone", maps.show(window.kernel));
    Err(refuse(text).hint("make the padding smaller than the kernel"))
}

/// Whether the first tap of a window that is not before the map lies in it.
fn sees_the_map(window: &Window, axis: Axis, output: usize, extent: usize) -> bool {
    let a = axis as usize;
    let missing = window.before[a].saturating_sub(output * window.stride[a]);
    let tap = missing.div_ceil(window.dilation[a]);
    tap < window.kernel[a] && window.place(axis, output, tap, extent).is_some()
}

/// A list of one length for each axis, all at least 1.
fn pair(context: &Context<'_>, maps: Maps, name: &str) -> Result<Option<[usize; 2]>> {
    let Some(values) = context.attributes.ints(name)? else { return Ok(None) };
    check_count(name, values.len(), maps.axes)?;
    Ok(Some(maps.pair(&lengths(&values, name, 1)?, 1)))
}

/// The attribute `pads`: first what is before the map on each axis, then what is after.
fn explicit_padding(context: &Context<'_>, maps: Maps) -> Result<[[usize; 2]; 2]> {
    let Some(values) = context.attributes.ints("pads")? else { return Ok([[0, 0]; 2]) };
    check_count("pads", values.len(), 2 * maps.axes)?;
    let values = paddings(&values)?;
    let (before, after) = values.split_at(maps.axes);
    Ok([maps.pair(before, 0), maps.pair(after, 0)])
}

fn check_count(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let text = format!("the attribute `{name}` has {found} values, the data asks for {expected}");
    Err(Diagnostic::new(Code::ModelInvalid, text))
}

fn auto_pad(context: &Context<'_>) -> Result<AutoPad> {
    match context.attributes.string("auto_pad")?.as_deref() {
        None | Some("" | "NOTSET") => Ok(AutoPad::Explicit),
        Some("VALID") => Ok(AutoPad::Valid),
        Some("SAME_UPPER") => Ok(AutoPad::SameUpper),
        Some("SAME_LOWER") => Ok(AutoPad::SameLower),
        Some(other) => Err(refuse(format!("the `auto_pad` `{other}` is not known"))
            .hint("use NOTSET, VALID, SAME_UPPER or SAME_LOWER")),
    }
}

/// Pads so that there are `extent / stride` windows, rounded up.
fn pad_to_same(window: &mut Window, axis: Axis, extent: usize, auto: AutoPad) {
    let a = axis as usize;
    let outputs = extent.div_ceil(window.stride[a]);
    let covered = (outputs - 1) * window.stride[a] + window.reach(axis);
    let needed = covered.saturating_sub(extent);
    let smaller = needed / 2;
    let before = if auto == AutoPad::SameUpper { smaller } else { needed - smaller };
    (window.before[a], window.after[a]) = (before, needed - before);
}

/// Changes the padding at the end so that the number of windows is rounded up instead of down, but
/// without a window that begins in that padding.
fn round_windows_up(window: &mut Window, axis: Axis, extent: usize) {
    let a = axis as usize;
    let (stride, reach) = (window.stride[a], window.reach(axis));
    let start_of_end = extent + window.before[a];
    let padded = start_of_end + window.after[a];
    // A kernel that does not fit has a window still, if it is less than one stride too long.
    if padded + stride <= reach {
        return;
    }
    let rounded_up = (padded + stride - reach).div_ceil(stride);
    let outputs = rounded_up.min(start_of_end.div_ceil(stride)).max(1);
    window.after[a] = ((outputs - 1) * stride + reach).saturating_sub(start_of_end);
}
