//! The network's data as maps of pixels, for the operators that slide windows over them.

use super::build::{Builder, Context, Dynamic, refuse};
use super::constants::elements;
use super::shapes::transpose;
use diagnostic::{Code, Diagnostic, Result};
use tensor::Map;

/// No length that a node states (kernel, stride, dilation, padding) is above this, so that their
/// sums and products with extents stay far from overflow.
const MAX_LENGTH: i64 = 1 << 20;

/// Data of shape `[1, channels, rows, columns]`, or `[1, channels, rows]` as maps of one column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Maps {
    pub(crate) map: Map,
    /// 1 without a column axis, else 2.
    pub(crate) axes: usize,
}

impl Maps {
    /// The maps of data with the channels on axis 1.
    ///
    /// # Errors
    /// When the data has not 3 or 4 axes, or is empty.
    pub(crate) fn of(context: &Context<'_>, data: &Dynamic) -> Result<Self> {
        let (op, shape) = (&context.node.op_type, &data.shape);
        let text = || format!("`{op}` is applied to data of shape {shape:?}");
        let Some(map) = Map::of_shape(shape) else {
            return Err(if shape.len() > 4 {
                refuse(text())
                    .hint("maps of one or two axes are supported: [batch, channels, rows, columns]")
            } else {
                Diagnostic::new(Code::ModelInvalid, text())
                    .hint("put a Reshape to [batch, channels, rows, columns] before it")
            });
        };
        if elements(shape)? == 0 {
            return Err(Diagnostic::new(Code::ModelInvalid, text()));
        }
        Ok(Self { map, axes: shape.len() - 2 })
    }

    /// The shape of data that consists of `map`, with as many axes as these maps have.
    ///
    /// # Errors
    /// `model-invalid` when it is absurdly large.
    pub(crate) fn shape_of(self, map: Map) -> Result<Vec<usize>> {
        let mut shape = vec![1, map.channels, map.height, map.width];
        shape.truncate(2 + self.axes);
        elements(&shape)?;
        Ok(shape)
    }

    /// What is stated for each axis, rows first; `single` for the columns of maps without them.
    pub(crate) fn pair(self, lengths: &[usize], single: usize) -> [usize; 2] {
        let at = |axis: usize| lengths.get(axis).copied().unwrap_or(single);
        [at(0), if self.axes == 2 { at(1) } else { single }]
    }

    /// Lengths along the axes as text: `3x3`, or `3` without a column axis.
    pub(crate) fn show(self, lengths: [usize; 2]) -> String {
        match (self.axes, lengths) {
            (1, [rows, _]) => rows.to_string(),
            (_, [rows, columns]) => format!("{rows}x{columns}"),
        }
    }
}

/// Lengths that a node states, all of them at least `least`.
pub(crate) fn lengths(values: &[i64], what: &str, least: i64) -> Result<Vec<usize>> {
    let allowed = least..=MAX_LENGTH;
    let usable =
        values.iter().map(|value| usize::try_from(*value).ok().filter(|_| allowed.contains(value)));
    usable.collect::<Option<_>>().ok_or_else(|| {
        let text = format!("the {what} {values:?} are not all from {least} to {MAX_LENGTH}");
        Diagnostic::new(Code::ModelInvalid, text)
    })
}

/// Padding that a node states.
pub(crate) fn paddings(values: &[i64]) -> Result<Vec<usize>> {
    if values.iter().any(|&value| value < 0) {
        return Err(refuse(format!("the padding {values:?} is negative: it cuts the map"))
            .hint("padding of 0 or more is supported"));
    }
    lengths(values, "paddings", 0)
}

/// Applies an operator on maps to data whose channels are on the last axis.
pub(crate) fn channels_last(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
    operator: impl FnOnce(&Dynamic, &mut Builder) -> Result<Dynamic>,
) -> Result<Dynamic> {
    let rank = data.shape.len();
    if !(3..=4).contains(&rank) {
        // The shape is refused with the hint that belongs to it.
        return operator(data, builder);
    }
    let to_front: Vec<usize> = [0, rank - 1].into_iter().chain(1..rank - 1).collect();
    let to_back: Vec<usize> = [0].into_iter().chain(2..rank).chain([1]).collect();
    let turned = transpose(context, "/channels_first", to_front, data, builder);
    let result = operator(&turned, builder)?;
    Ok(transpose(context, "/channels_last", to_back, &result, builder))
}
