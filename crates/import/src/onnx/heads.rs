//! What stands at the end of a classifier: the best classes, or softmax.

use super::build::{Builder, Context, Dynamic, Kind, Value, refuse};
use super::operator::Operator;
use super::shapes::{axis_of, one_integer};
use diagnostic::{Code, Diagnostic, Result};
use graph::{Graph, Op};

fn last_axis_only(context: &Context<'_>, axis: usize, data: &Dynamic) -> Result<()> {
    if axis + 1 == data.shape.len() {
        return Ok(());
    }
    let text = format!("`{}` runs along axis {axis}", context.node.op_type);
    Err(refuse(text).hint("only the last axis is supported"))
}

/// `TopK`: its second output, the indices, is supported; the first, the values, is not.
pub(crate) fn top_k(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Vec<Option<Value>>> {
    data.require_float()?;
    let k = match context.constant(1, "number of results")? {
        Some(constant) => one_integer(constant)?,
        None => context
            .attributes
            .int("k")?
            .ok_or_else(|| Diagnostic::new(Code::ModelInvalid, "`TopK` does not say how many"))?,
    };
    let axis = axis_of(context.attributes.int("axis")?.unwrap_or(-1), data.shape.len())?;
    last_axis_only(context, axis, data)?;
    let extent = data.shape[axis];
    let k = usize::try_from(k).ok().filter(|k| (1..=extent).contains(k)).ok_or_else(|| {
        let text = format!("`TopK` asks for {k} of {extent} elements");
        Diagnostic::new(Code::ModelInvalid, text)
    })?;
    let largest = context.attributes.int("largest")?.unwrap_or(1) != 0;
    let mut shape = data.shape.clone();
    shape[axis] = k;
    let result = builder.emit(context.node, "", Op::TopK { k, largest }, data, shape);
    Ok(vec![None, Some(Value::Dynamic(Dynamic { kind: Kind::Int, ..result }))])
}

/// `ArgMax` and `ArgMin`: the first of the best elements.
pub(crate) fn arg_extreme(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    if context.attributes.int("select_last_index")?.unwrap_or(0) != 0 {
        return Err(refuse("ties go to the last index (select_last_index)")
            .hint("use select_last_index=0: ties go to the lowest index"));
    }
    let axis = axis_of(context.attributes.int("axis")?.unwrap_or(0), data.shape.len())?;
    last_axis_only(context, axis, data)?;
    let largest = context.operator == Operator::ArgMax;
    let mut shape = data.shape.clone();
    shape[axis] = 1;
    let mut result = builder.emit(context.node, "", Op::TopK { k: 1, largest }, data, shape);
    if context.attributes.int("keepdims")?.unwrap_or(1) == 0 {
        let mut shape = result.shape.clone();
        shape.pop();
        result = builder.emit(context.node, "/keepdims", Op::Reshape, &result, shape);
    }
    Ok(Dynamic { kind: Kind::Int, ..result })
}

/// `Softmax` and `LogSoftmax` on the last axis.
pub(crate) fn softmax(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    let rank = data.shape.len();
    // Before version 13 all axes from `axis` on count as one.
    let default = if context.opset < 13 { 1 } else { -1 };
    let axis = axis_of(context.attributes.int("axis")?.unwrap_or(default), rank)?;
    let same = context.opset < 13 && data.shape[axis..rank - 1].iter().all(|&extent| extent == 1);
    if !same {
        last_axis_only(context, axis, data)?;
    }
    Ok(builder.emit(context.node, "", Op::Softmax, data, data.shape.clone()))
}

/// Softmax is a head: only the choice of classes and reshapes may follow it.
pub(crate) fn check_softmax_is_last(graph: &Graph) -> Result<()> {
    let chain = graph.chain().unwrap_or_default();
    let after = chain.iter().skip_while(|&&id| !matches!(graph.node(id).op, Op::Softmax)).skip(1);
    let errors = after.map(|&id| graph.node(id)).filter_map(|node| match node.op {
        Op::TopK { .. } | Op::Reshape => None,
        Op::Input { .. }
        | Op::MatMul(_)
        | Op::Conv(_)
        | Op::Pool(_)
        | Op::Pad { .. }
        | Op::Elementwise(_)
        | Op::Transpose(_)
        | Op::Softmax => {
            let text = format!("`{}` comes after a softmax", node.source);
            Some(
                Diagnostic::new(Code::UnsupportedStructure, text)
                    .node(format!("{} ({})", node.name, node.source))
                    .hint("a softmax is supported at the end only"),
            )
        }
    });
    Diagnostic::join(errors).map_or(Ok(()), Err)
}
