//! Nodes of which everything that they read is constant.

use super::build::{Builder, Context, Kind, Value, fold_quantizer, refuse};
use super::constants::{Constant, Data, array_of, decode, each, elements};
use super::elementwise::{cast_target, convert, evaluate};
use super::operator::Operator as O;
use super::proto::data_type;
use super::shapes::{Movement, axis_of, integers, list, movement, shape_of};
use diagnostic::{Code, Diagnostic, Result};
use ndarray::{ArrayD, Axis, IxDyn, Zip};

fn invalid(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ModelInvalid, message)
}

/// The result of a node on constants: floats in float32, integers in 64 bits.
pub(crate) fn fold(context: &Context<'_>, builder: &mut Builder) -> Result<Constant> {
    match context.operator {
        O::Constant => return constant(context),
        O::ConstantOfShape => return constant_of_shape(context, builder),
        O::Concat => return concat(context, builder),
        O::Where => return select(context, builder),
        O::Add
        | O::Sub
        | O::Mul
        | O::Div
        | O::Pow
        | O::Min
        | O::Max
        | O::Greater
        | O::GreaterOrEqual
        | O::Less
        | O::LessOrEqual
        | O::Equal => {
            return binary(context, builder);
        }
        _ => {}
    }
    let input = context.required_constant(0, "input")?;
    builder.reserve(input.shape())?;
    match context.operator {
        O::Identity | O::Dropout => Ok(input.clone()),
        O::Cast => cast(context, input),
        O::Shape => shape_of(context, input.shape()),
        O::Transpose | O::Reshape | O::Flatten | O::Squeeze | O::Unsqueeze => {
            Ok(match movement(context, input.shape())? {
                Movement::Permute(permutation) => input.transposed(&permutation),
                Movement::Reshape(shape) => input.reshaped(&shape)?,
            })
        }
        O::Gather => gather(context, input, builder),
        O::Slice => slice(context, input),
        O::Expand => {
            let shape = extents(&integers(context.required_constant(1, "shape")?, "extents")?)?;
            let shape = common_shape(input.shape(), &shape)?;
            builder.reserve(&shape)?;
            Ok(plain(each!(&input.data, a => spread(a, &shape)?)))
        }
        O::Not => match &input.data {
            Data::Int(a) => Ok(Constant::int(a.mapv(|v| i64::from(v == 0)))),
            Data::Float(_) => Err(invalid("`Not` is applied to floats")),
        },
        O::Neg | O::Abs | O::Sign if matches!(input.data, Data::Int(_)) => {
            let Data::Int(a) = &input.data else { return Err(invalid("not an integer")) };
            Ok(Constant::int(match context.operator {
                O::Neg => a.mapv(i64::wrapping_neg),
                O::Abs => a.mapv(i64::wrapping_abs),
                _ => a.mapv(i64::signum),
            }))
        }
        O::Sqrt => Ok(Constant::float(input.floats().mapv(f32::sqrt))),
        O::Reciprocal => Ok(Constant::float(input.floats().mapv(f32::recip))),
        O::Abs => Ok(Constant::float(input.floats().mapv(f32::abs))),
        O::Exp => Ok(Constant::float(input.floats().mapv(f32::exp))),
        O::Log => Ok(Constant::float(input.floats().mapv(f32::ln))),
        O::BipolarQuant | O::Quant | O::IntQuant => fold_quantizer(context, input, builder),
        O::Relu
        | O::Sign
        | O::Clip
        | O::Tanh
        | O::Neg
        | O::Round
        | O::Floor
        | O::Ceil
        | O::BatchNormalization
        | O::MultiThreshold => {
            let (op, _) = convert(context, input.shape(), Kind::Float)?;
            Ok(Constant::float(evaluate(&op, &input.floats())?))
        }
        O::MatMul
        | O::Gemm
        | O::Conv
        | O::MaxPool
        | O::AveragePool
        | O::GlobalMaxPool
        | O::GlobalAveragePool
        | O::MaxPoolNHWC
        | O::ReduceMean
        | O::ReduceMax
        | O::Pad
        | O::TopK
        | O::ArgMax
        | O::ArgMin
        | O::Softmax
        | O::LogSoftmax => {
            Err(refuse(format!("`{}` is applied to constants only", context.node.op_type))
                .hint("fold constants before exporting, e.g. with onnx-simplifier"))
        }
        O::Constant
        | O::ConstantOfShape
        | O::Concat
        | O::Where
        | O::Add
        | O::Sub
        | O::Mul
        | O::Div
        | O::Pow
        | O::Min
        | O::Max
        | O::Greater
        | O::GreaterOrEqual
        | O::Less
        | O::LessOrEqual
        | O::Equal => Err(invalid("the node has the wrong inputs")),
    }
}

fn plain(data: Data) -> Constant {
    Constant { data, quantized: None }
}

fn extents(values: &[i64]) -> Result<Vec<usize>> {
    values
        .iter()
        .map(|&v| usize::try_from(v).map_err(|_| invalid(format!("{values:?} is not a shape"))))
        .collect()
}

fn constant(context: &Context<'_>) -> Result<Constant> {
    let attributes = &context.attributes;
    if let Some(tensor) = attributes.tensor("value")? {
        return decode(tensor);
    }
    if let Some(value) = attributes.float("value_float")? {
        return Ok(Constant::float(ArrayD::from_elem(IxDyn(&[]), value)));
    }
    if let Some(value) = attributes.int("value_int")? {
        return Ok(Constant::int(ArrayD::from_elem(IxDyn(&[]), value)));
    }
    if let Some(values) = attributes.floats("value_floats")? {
        return Ok(Constant::float(array_of(&[values.len()], values)?));
    }
    if let Some(values) = attributes.ints("value_ints")? {
        return Ok(Constant::int_vector(values));
    }
    Err(refuse("the constant is sparse or text").hint("use a dense tensor of numbers"))
}

fn constant_of_shape(context: &Context<'_>, builder: &mut Builder) -> Result<Constant> {
    let shape = extents(&integers(context.required_constant(0, "shape")?, "extents")?)?;
    builder.reserve(&shape)?;
    let value = match context.attributes.tensor("value")? {
        Some(tensor) => decode(tensor)?,
        None => Constant::float(ArrayD::from_elem(IxDyn(&[1]), 0.0)),
    };
    if value.len() != 1 {
        return Err(invalid("the value of `ConstantOfShape` is not one number"));
    }
    Ok(plain(each!(&value.data, a => spread(&reshape_scalar(a)?, &shape)?)))
}

fn reshape_scalar<T: Clone>(array: &ArrayD<T>) -> Result<ArrayD<T>> {
    array_of(&[], array.iter().cloned().collect())
}

fn spread<T: Clone>(array: &ArrayD<T>, shape: &[usize]) -> Result<ArrayD<T>> {
    let view = array.broadcast(IxDyn(shape)).ok_or_else(|| {
        invalid(format!("a constant of shape {:?} does not broadcast to {shape:?}", array.shape()))
    })?;
    Ok(view.to_owned())
}

/// The shape that both shapes broadcast to.
fn common_shape(a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let extent = |shape: &[usize], axis: usize| {
        (axis + shape.len()).checked_sub(rank).map_or(1, |at| shape[at])
    };
    (0..rank)
        .map(|axis| match (extent(a, axis), extent(b, axis)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(invalid(format!("{a:?} and {b:?} do not broadcast"))),
        })
        .collect()
}

fn concat(context: &Context<'_>, builder: &mut Builder) -> Result<Constant> {
    let mut parts = Vec::new();
    for index in 0..context.inputs.len() {
        parts.push(context.required_constant(index, "operand")?);
    }
    let first = parts.first().ok_or_else(|| invalid("`Concat` has no operands"))?;
    let rank = first.shape().len();
    let axis = axis_of(context.attributes.int("axis")?.unwrap_or(1), rank)?;
    for part in &parts {
        if part.shape().len() != rank {
            return Err(invalid("the operands of `Concat` differ in their number of axes"));
        }
        builder.reserve(part.shape())?;
    }
    let mismatch = |_| invalid("the operands of `Concat` do not fit together");
    let all: Option<Vec<&ArrayD<i64>>> = parts
        .iter()
        .map(|part| match &part.data {
            Data::Int(a) => Some(a),
            Data::Float(_) => None,
        })
        .collect();
    if let Some(arrays) = all {
        let views: Vec<_> = arrays.iter().map(|a| a.view()).collect();
        return ndarray::concatenate(Axis(axis), &views).map(Constant::int).map_err(mismatch);
    }
    let arrays: Vec<ArrayD<f32>> = parts.iter().map(|part| part.floats()).collect();
    let views: Vec<_> = arrays.iter().map(|a| a.view()).collect();
    ndarray::concatenate(Axis(axis), &views).map(Constant::float).map_err(mismatch)
}

fn gather(context: &Context<'_>, input: &Constant, builder: &mut Builder) -> Result<Constant> {
    let axis = axis_of(context.attributes.int("axis")?.unwrap_or(0), input.shape().len())?;
    let wanted = context.required_constant(1, "index")?;
    let extent = input.shape()[axis];
    let indices: Vec<usize> = integers(wanted, "indices")?
        .into_iter()
        .map(|index| axis_of(index, extent).map_err(|_| invalid("`Gather` reads out of range")))
        .collect::<Result<_>>()?;
    let mut shape = input.shape()[..axis].to_vec();
    shape.extend(wanted.shape());
    shape.extend(&input.shape()[axis + 1..]);
    builder.reserve(&shape)?;
    Ok(plain(each!(&input.data, a => {
        let picked = a.select(Axis(axis), &indices);
        array_of(&shape, picked.iter().copied().collect())?
    })))
}

fn slice(context: &Context<'_>, input: &Constant) -> Result<Constant> {
    let named = |index: usize, name: &str| {
        list(context, index, name)?.ok_or_else(|| invalid(format!("`Slice` has no {name}")))
    };
    let (starts, ends) = (named(1, "starts")?, named(2, "ends")?);
    let count = starts.len();
    let axes = list(context, 3, "axes")?.unwrap_or_else(|| (0..count as i64).collect());
    let steps = list(context, 4, "steps")?.unwrap_or_else(|| vec![1; count]);
    if [ends.len(), axes.len(), steps.len()] != [count; 3] || count > input.shape().len() {
        return Err(invalid("the lists of `Slice` do not fit its data or each other"));
    }
    let mut data = input.data.clone();
    for i in 0..count {
        let axis = axis_of(axes[i], input.shape().len())?;
        let indices = slice_indices(starts[i], ends[i], steps[i], input.shape()[axis])?;
        data = each!(&data, a => a.select(Axis(axis), &indices));
        // An axis named twice would be cut twice with the first extent.
        if axes[..i].iter().any(|&a| axis_of(a, input.shape().len()).ok() == Some(axis)) {
            return Err(invalid("`Slice` names an axis twice"));
        }
    }
    Ok(plain(data))
}

fn slice_indices(start: i64, end: i64, step: i64, extent: usize) -> Result<Vec<usize>> {
    let extent = extent as i64;
    let from_front = |at: i64| if at < 0 { at.saturating_add(extent) } else { at };
    let mut at = from_front(start);
    let mut indices = Vec::new();
    if step > 0 {
        at = at.clamp(0, extent);
        let end = from_front(end).clamp(0, extent);
        while at < end {
            indices.push(at as usize);
            at = at.saturating_add(step);
        }
    } else if step < 0 {
        at = at.clamp(-1, extent - 1);
        let end = from_front(end).clamp(-1, extent - 1);
        while at > end {
            indices.push(at as usize);
            at = at.saturating_add(step);
        }
    } else {
        return Err(invalid("the step of `Slice` is 0"));
    }
    Ok(indices)
}

fn cast(context: &Context<'_>, input: &Constant) -> Result<Constant> {
    let to = cast_target(context)?;
    let float = matches!(
        to,
        data_type::FLOAT | data_type::DOUBLE | data_type::FLOAT16 | data_type::BFLOAT16
    );
    Ok(match (&input.data, float) {
        (Data::Float(_), true) => input.clone(),
        (Data::Int(a), true) => Constant::float(a.mapv(|v| v as f32)),
        (Data::Int(a), false) if to == data_type::BOOL => {
            Constant::int(a.mapv(|v| i64::from(v != 0)))
        }
        (Data::Int(_), false) => input.clone(),
        (Data::Float(a), false) if to == data_type::BOOL => {
            Constant::int(a.mapv(|v| i64::from(v != 0.0)))
        }
        (Data::Float(a), false) => Constant::int(a.mapv(|v| v as i64)),
    })
}

fn select(context: &Context<'_>, builder: &mut Builder) -> Result<Constant> {
    let [condition, if_true, if_false] =
        [0, 1, 2].map(|index| context.required_constant(index, "operand"));
    let (condition, if_true, if_false) = (condition?.floats(), if_true?, if_false?);
    let shape = common_shape(condition.shape(), if_true.shape())?;
    let shape = common_shape(&shape, if_false.shape())?;
    builder.reserve(&shape)?;
    let condition = spread(&condition, &shape)?;
    if let (Data::Int(a), Data::Int(b)) = (&if_true.data, &if_false.data) {
        let picked = pick(&condition, &spread(a, &shape)?, &spread(b, &shape)?);
        return Ok(Constant::int(picked));
    }
    let (a, b) = (spread(&if_true.floats(), &shape)?, spread(&if_false.floats(), &shape)?);
    Ok(Constant::float(pick(&condition, &a, &b)))
}

fn pick<T: Copy>(condition: &ArrayD<f32>, a: &ArrayD<T>, b: &ArrayD<T>) -> ArrayD<T> {
    Zip::from(condition).and(a).and(b).map_collect(|&c, &a, &b| if c != 0.0 { a } else { b })
}

fn binary(context: &Context<'_>, builder: &mut Builder) -> Result<Constant> {
    if context.inputs.len() != 2 {
        return Err(refuse(format!("`{}` does not have two operands", context.node.op_type)));
    }
    let left = context.required_constant(0, "operand")?;
    let right = match context.required(1)? {
        Value::Constant(constant) => constant,
        Value::Dynamic(_) | Value::Unknown => return Err(invalid("an operand is not constant")),
    };
    let shape = common_shape(left.shape(), right.shape())?;
    elements(&shape)?;
    builder.reserve(&shape)?;
    if let (Data::Int(a), Data::Int(b)) = (&left.data, &right.data) {
        let (a, b) = (spread(a, &shape)?, spread(b, &shape)?);
        let results: Option<Vec<i64>> =
            a.iter().zip(&b).map(|(&a, &b)| integer(context.operator, a, b)).collect();
        let results = results.ok_or_else(|| invalid("integers overflow, or are divided by 0"))?;
        return Ok(Constant::int(array_of(&shape, results)?));
    }
    let (a, b) = (spread(&left.floats(), &shape)?, spread(&right.floats(), &shape)?);
    if let Some(compare) = comparison::<f32>(context.operator) {
        let truth = Zip::from(&a).and(&b).map_collect(|a, b| i64::from(compare(a, b)));
        return Ok(Constant::int(truth));
    }
    let op = context.operator;
    Ok(Constant::float(Zip::from(&a).and(&b).map_collect(|&a, &b| match op {
        O::Add => a + b,
        O::Sub => a - b,
        O::Mul => a * b,
        O::Div => a / b,
        O::Pow => a.powf(b),
        O::Min => a.min(b),
        _ => a.max(b),
    })))
}

fn comparison<T: PartialOrd>(operator: O) -> Option<fn(&T, &T) -> bool> {
    match operator {
        O::Greater => Some(T::gt),
        O::GreaterOrEqual => Some(T::ge),
        O::Less => Some(T::lt),
        O::LessOrEqual => Some(T::le),
        O::Equal => Some(T::eq),
        _ => None,
    }
}

fn integer(operator: O, a: i64, b: i64) -> Option<i64> {
    if let Some(compare) = comparison::<i64>(operator) {
        return Some(i64::from(compare(&a, &b)));
    }
    match operator {
        O::Add => a.checked_add(b),
        O::Sub => a.checked_sub(b),
        O::Mul => a.checked_mul(b),
        O::Div => a.checked_div(b),
        O::Pow => a.checked_pow(u32::try_from(b).ok()?),
        O::Min => Some(a.min(b)),
        _ => Some(a.max(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_follow_python() {
        let cut = |start, end, step| slice_indices(start, end, step, 5).unwrap();
        assert_eq!(cut(1, 3, 1), [1, 2]);
        assert_eq!(cut(-2, i64::MAX, 1), [3, 4]);
        assert_eq!(cut(0, i64::MAX, 2), [0, 2, 4]);
        assert_eq!(cut(-1, i64::MIN, -2), [4, 2, 0]);
        assert_eq!(cut(3, 1, 1), [0usize; 0]);
        assert!(slice_indices(0, 5, 0, 5).is_err());
        assert_eq!(cut(i64::MIN, i64::MAX, i64::MAX), [0]);
    }

    #[test]
    fn shapes_broadcast_as_numpy_does() {
        assert_eq!(common_shape(&[3, 1], &[4]).unwrap(), [3, 4]);
        assert_eq!(common_shape(&[], &[2, 2]).unwrap(), [2, 2]);
        assert!(common_shape(&[3], &[4]).is_err());
    }
}
