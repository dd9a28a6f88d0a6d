//! Operators that move elements: on the network's data they become `Transpose` or `Reshape`.

use super::build::{Builder, Context, Dynamic, refuse};
use super::constants::{Constant, elements};
use super::operator::Operator as O;
use diagnostic::{Code, Diagnostic, Result};
use graph::Op;

fn invalid(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ModelInvalid, message)
}

/// An axis counted from the front.
pub(crate) fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    let rank_signed = i64::try_from(rank).unwrap_or(i64::MAX);
    let counted = if axis < 0 { axis.checked_add(rank_signed) } else { Some(axis) };
    counted
        .and_then(|axis| usize::try_from(axis).ok())
        .filter(|&axis| axis < rank)
        .ok_or_else(|| invalid(format!("there is no axis {axis} among {rank}")))
}

/// The single integer of a constant.
pub(crate) fn one_integer(constant: &Constant) -> Result<i64> {
    match constant.integers().as_deref() {
        Some([value]) => Ok(*value),
        _ => Err(invalid("a parameter is not one integer")),
    }
}

/// The integers of a constant.
pub(crate) fn integers(constant: &Constant, what: &str) -> Result<Vec<i64>> {
    constant.integers().ok_or_else(|| invalid(format!("the {what} are not integers")))
}

/// A list of integers that is an input in new versions of an operator, an attribute in old ones.
pub(crate) fn list(context: &Context<'_>, index: usize, name: &str) -> Result<Option<Vec<i64>>> {
    match context.constant(index, name)? {
        Some(constant) => integers(constant, name).map(Some),
        None => context.attributes.ints(name),
    }
}

/// What a node does to a tensor of some shape.
pub(crate) enum Movement {
    /// Permutes the axes.
    Permute(Vec<usize>),
    /// Keeps the row-major order.
    Reshape(Vec<usize>),
}

/// The effect of `Transpose`, `Reshape`, `Flatten`, `Squeeze` or `Unsqueeze` on a tensor.
pub(crate) fn movement(context: &Context<'_>, shape: &[usize]) -> Result<Movement> {
    let reshaped = match context.operator {
        O::Transpose => return permutation(context, shape.len()).map(Movement::Permute),
        O::Reshape => reshape(context, shape)?,
        O::Flatten => flatten(context, shape)?,
        O::Squeeze => squeeze(context, shape)?,
        _ => unsqueeze(context, shape)?,
    };
    if elements(&reshaped)? != elements(shape)? {
        return Err(invalid(format!("{shape:?} cannot be reshaped to {reshaped:?}")));
    }
    Ok(Movement::Reshape(reshaped))
}

/// Adds the operator of a node that moves the network's data.
pub(crate) fn emit(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    match movement(context, &data.shape)? {
        Movement::Permute(permutation) => {
            if permutation.first() != Some(&0) {
                return Err(refuse(format!("the transpose {permutation:?} moves the batch axis"))
                    .hint("keep axis 0 in place"));
            }
            Ok(transpose(context, "", permutation, data, builder))
        }
        Movement::Reshape(shape) => {
            if shape.first() != Some(&1) {
                let text = format!("the result of shape {shape:?} has lost its batch axis");
                return Err(refuse(text).hint("keep axis 0, of extent 1, for the batch"));
            }
            Ok(builder.emit(context.node, "", Op::Reshape, data, shape))
        }
    }
}

/// Adds a `Transpose`; `permutation` is one of the axes of the data.
pub(crate) fn transpose(
    context: &Context<'_>,
    part: &str,
    permutation: Vec<usize>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Dynamic {
    let shape = permutation.iter().map(|&axis| data.shape[axis]).collect();
    builder.emit(context.node, part, Op::Transpose(permutation), data, shape)
}

fn permutation(context: &Context<'_>, rank: usize) -> Result<Vec<usize>> {
    let Some(given) = context.attributes.ints("perm")? else {
        return Ok((0..rank).rev().collect());
    };
    let axes: Vec<usize> = given.iter().map(|&a| axis_of(a, rank)).collect::<Result<_>>()?;
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if sorted.into_iter().eq(0..rank) {
        Ok(axes)
    } else {
        Err(invalid(format!("{given:?} does not permute {rank} axes")))
    }
}

fn reshape(context: &Context<'_>, shape: &[usize]) -> Result<Vec<usize>> {
    let wanted = list(context, 1, "shape")?
        .ok_or_else(|| invalid("`Reshape` does not say to which shape"))?;
    let keep_zero = context.attributes.int("allowzero")?.unwrap_or(0) != 0;
    let mut result = Vec::new();
    let mut inferred = None;
    for (axis, &extent) in wanted.iter().enumerate() {
        result.push(match extent {
            -1 if inferred.is_none() => {
                inferred = Some(axis);
                1
            }
            0 if !keep_zero => *shape
                .get(axis)
                .ok_or_else(|| invalid(format!("there is no axis {axis} to keep")))?,
            _ => usize::try_from(extent)
                .map_err(|_| invalid(format!("{wanted:?} is not a shape")))?,
        });
    }
    if let Some(axis) = inferred {
        let (total, known) = (elements(shape)?, elements(&result)?);
        if known == 0 || total % known != 0 {
            return Err(invalid(format!("{shape:?} cannot be reshaped to {wanted:?}")));
        }
        result[axis] = total / known;
    }
    Ok(result)
}

fn flatten(context: &Context<'_>, shape: &[usize]) -> Result<Vec<usize>> {
    let axis = context.attributes.int("axis")?.unwrap_or(1);
    // The axis may be the rank itself: then everything is in front of it.
    let split = if axis == i64::try_from(shape.len()).unwrap_or(i64::MAX) {
        shape.len()
    } else {
        axis_of(axis, shape.len())?
    };
    Ok(vec![elements(&shape[..split])?, elements(&shape[split..])?])
}

fn squeeze(context: &Context<'_>, shape: &[usize]) -> Result<Vec<usize>> {
    let axes: Vec<usize> = match list(context, 1, "axes")? {
        Some(axes) if axes.len() > shape.len() => {
            return Err(invalid("`Squeeze` names more axes than there are"));
        }
        Some(axes) => axes.iter().map(|&a| axis_of(a, shape.len())).collect::<Result<_>>()?,
        None => (0..shape.len()).filter(|&axis| shape[axis] == 1).collect(),
    };
    if let Some(&axis) = axes.iter().find(|&&axis| shape[axis] != 1) {
        return Err(invalid(format!("axis {axis} of {shape:?} cannot be squeezed")));
    }
    Ok(shape.iter().enumerate().filter(|(i, _)| !axes.contains(i)).map(|(_, &e)| e).collect())
}

fn unsqueeze(context: &Context<'_>, shape: &[usize]) -> Result<Vec<usize>> {
    let axes = list(context, 1, "axes")?.ok_or_else(|| invalid("`Unsqueeze` names no axes"))?;
    let rank = shape.len() + axes.len();
    if axes.len() > 32 {
        return Err(invalid(format!("`Unsqueeze` names {} axes", axes.len())));
    }
    let axes: Vec<usize> = axes.iter().map(|&a| axis_of(a, rank)).collect::<Result<_>>()?;
    let mut old = shape.iter().copied();
    let result: Vec<usize> = (0..rank)
        .filter_map(|axis| if axes.contains(&axis) { Some(1) } else { old.next() })
        .collect();
    if result.len() == rank { Ok(result) } else { Err(invalid("`Unsqueeze` names an axis twice")) }
}

/// `Shape`: constant, as every extent is fixed.
pub(crate) fn shape_of(context: &Context<'_>, shape: &[usize]) -> Result<Constant> {
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
    let bound = |name: &str, default: i64| -> Result<usize> {
        let at = context.attributes.int(name)?.unwrap_or(default);
        let at = if at < 0 { at.saturating_add(rank) } else { at };
        Ok(usize::try_from(at.clamp(0, rank)).unwrap_or(0))
    };
    let (start, end) = (bound("start", 0)?, bound("end", rank)?);
    let extents = shape.get(start..end).unwrap_or_default();
    Ok(Constant::int_vector(extents.iter().map(|&e| e as i64).collect()))
}
