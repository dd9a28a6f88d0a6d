//! Operators that map each element on its own.

use super::build::{Builder, Context, Dynamic, Kind, Value, refuse};
use super::constants::Constant;
use super::operator::Operator as O;
use super::proto::data_type;
use super::quant;
use diagnostic::{Code, Diagnostic, Result};
use graph::{Arithmetic, Comparison, Elementwise, Op, Param};
use ndarray::ArrayD;

/// Adds the operator of a node that reads the network's data.
pub(crate) fn emit(context: &Context<'_>, data: &Dynamic, builder: &mut Builder) -> Result<Value> {
    let (op, kind) = convert(context, &data.shape, data.kind)?;
    if let Some((name, param)) = op.params().into_iter().find(|(_, p)| !p.fits(&data.shape)) {
        let text = format!(
            "the {name} of shape {:?} does not fit the data of shape {:?}",
            param.0.shape(),
            data.shape
        );
        return Err(refuse(text).hint("a constant must broadcast to the shape of the data"));
    }
    let result = builder.emit(context.node, "", Op::Elementwise(op), data, data.shape.clone());
    Ok(Value::Dynamic(Dynamic { kind, ..result }))
}

/// The values of an operator on a constant, in float32.
pub(crate) fn evaluate(op: &Elementwise, input: &ArrayD<f32>) -> Result<ArrayD<f32>> {
    let shape = input.shape();
    let rows_fit = match op {
        Elementwise::MultiThreshold { thresholds, channel_axis, .. } => {
            thresholds.nrows() == 1 || shape.get(*channel_axis) == Some(&thresholds.nrows())
        }
        _ => true,
    };
    if !rows_fit || op.params().iter().any(|(_, p)| !p.fits(shape)) {
        let text = format!("a constant does not fit the shape {shape:?}");
        return Err(Diagnostic::new(Code::ModelInvalid, text));
    }
    // An empty parameter fits only an empty tensor, on which there is nothing to evaluate.
    if input.is_empty() {
        return Ok(input.clone());
    }
    let bound = op.bind(shape);
    let values = input.iter().enumerate().map(|(i, &x)| bound.eval(i, x)).collect();
    super::constants::array_of(shape, values)
}

/// The operator of a node on data of `shape`, and what its results are.
pub(crate) fn convert(
    context: &Context<'_>,
    shape: &[usize],
    kind: Kind,
) -> Result<(Elementwise, Kind)> {
    let condition = matches!(context.operator, O::Not | O::Where);
    let expected = if condition { Kind::Bool } else { Kind::Float };
    if kind != expected {
        let what = if condition { "a condition" } else { "a float tensor" };
        return Err(refuse(format!("`{}` is not applied to {what}", context.node.op_type))
            .hint("put a Cast before it"));
    }
    let float = |op| Ok((op, Kind::Float));
    match context.operator {
        O::Add => float(arithmetic(context, Arithmetic::Add)?),
        O::Sub => float(arithmetic(context, Arithmetic::Sub)?),
        O::Mul => float(arithmetic(context, Arithmetic::Mul)?),
        O::Div => float(arithmetic(context, Arithmetic::Div)?),
        O::Pow => float(arithmetic(context, Arithmetic::Pow)?),
        O::Min => float(limit(context, |c| (f32::MIN, c))?),
        O::Max => float(limit(context, |c| (c, f32::MAX))?),
        O::Greater => comparison(context, Comparison::Greater, Comparison::Less),
        O::GreaterOrEqual => {
            comparison(context, Comparison::GreaterOrEqual, Comparison::LessOrEqual)
        }
        O::Less => comparison(context, Comparison::Less, Comparison::Greater),
        O::LessOrEqual => comparison(context, Comparison::LessOrEqual, Comparison::GreaterOrEqual),
        O::Equal => comparison(context, Comparison::Equal, Comparison::Equal),
        O::Not => {
            let constant = Param::scalar(0.0);
            Ok((Elementwise::Compare { op: Comparison::Equal, constant }, Kind::Bool))
        }
        O::Where => float(select(context)?),
        O::Relu => float(Elementwise::Relu),
        O::Sign => float(Elementwise::Sign { zero: context.sign_zero }),
        O::Clip => float(clip(context)?),
        O::Tanh => float(Elementwise::Tanh),
        O::Neg => float(Elementwise::Neg),
        O::Round => float(Elementwise::Round),
        O::Floor => float(Elementwise::Floor),
        O::Ceil => float(Elementwise::Ceil),
        O::BatchNormalization => float(batch_norm(context, shape)?),
        O::BipolarQuant => float(quant::bipolar(context)?),
        O::Quant | O::IntQuant => float(quant::quant(context)?),
        O::MultiThreshold => float(quant::multi_threshold(context, shape)?),
        O::Sqrt
        | O::Reciprocal
        | O::Abs
        | O::Exp
        | O::Log
        | O::Identity
        | O::Dropout
        | O::Cast
        | O::MatMul
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
        | O::Transpose
        | O::Reshape
        | O::Flatten
        | O::Squeeze
        | O::Unsqueeze
        | O::Shape
        | O::Gather
        | O::Concat
        | O::Slice
        | O::Expand
        | O::Constant
        | O::ConstantOfShape
        | O::TopK
        | O::ArgMax
        | O::ArgMin
        | O::Softmax
        | O::LogSoftmax => Err(refuse(format!("`{}` cannot be used here", context.node.op_type))),
    }
}

/// The constant operand of a binary operator, and whether it is the left one.
fn operand<'a>(context: &'a Context<'_>) -> Result<(&'a Constant, bool)> {
    if context.inputs.len() != 2 {
        let text = format!("`{}` has {} operands", context.node.op_type, context.inputs.len());
        return Err(refuse(text).hint("it needs one constant operand"));
    }
    match (context.required(0)?, context.required(1)?) {
        (Value::Constant(left), Value::Dynamic(_)) => Ok((left, true)),
        (_, Value::Constant(right)) => Ok((right, false)),
        _ => Err(refuse("neither operand is constant").hint("it needs one constant operand")),
    }
}

fn arithmetic(context: &Context<'_>, op: Arithmetic) -> Result<Elementwise> {
    let (constant, first) = operand(context)?;
    // Sums and products do not depend on the order of their operands.
    let constant_first = first && !matches!(op, Arithmetic::Add | Arithmetic::Mul);
    Ok(Elementwise::Arithmetic { op, constant: constant.param(), constant_first })
}

fn limit(context: &Context<'_>, bounds: impl Fn(f32) -> (f32, f32)) -> Result<Elementwise> {
    let (constant, _) = operand(context)?;
    let value = constant.param().as_scalar().filter(|v| v.is_finite()).ok_or_else(|| {
        refuse("the limit is not one finite number")
            .hint("limit the whole tensor alike, or use Clip")
    })?;
    let (low, high) = bounds(value);
    Ok(Elementwise::Clip { low, high })
}

fn comparison(
    context: &Context<'_>,
    op: Comparison,
    turned: Comparison,
) -> Result<(Elementwise, Kind)> {
    let (constant, first) = operand(context)?;
    let op = if first { turned } else { op };
    Ok((Elementwise::Compare { op, constant: constant.param() }, Kind::Bool))
}

fn select(context: &Context<'_>) -> Result<Elementwise> {
    if !matches!(context.required(0)?, Value::Dynamic(_)) {
        return Err(refuse("`Where` selects between data by a constant condition")
            .hint("the condition may depend on the input, the two values must be constant"));
    }
    Ok(Elementwise::Select {
        if_true: context.required_constant(1, "value")?.param(),
        if_false: context.required_constant(2, "value")?.param(),
    })
}

/// `Clip`: limits are attributes before version 11, inputs since.
fn clip(context: &Context<'_>) -> Result<Elementwise> {
    let bound = |index: usize, name: &str, default: f32| -> Result<f32> {
        let given = match context.constant(index, "limit")? {
            Some(constant) => Some(constant.scalar().ok_or_else(|| {
                Diagnostic::new(Code::ModelInvalid, "a limit of `Clip` is not one number")
            })?),
            None => context.attributes.float(name)?,
        };
        let value = given.unwrap_or(default);
        if value.is_nan() {
            return Err(Diagnostic::new(Code::ModelNotFinite, "a limit of `Clip` is NaN"));
        }
        Ok(value.clamp(f32::MIN, f32::MAX))
    };
    let (low, high) = (bound(1, "min", f32::MIN)?, bound(2, "max", f32::MAX)?);
    if low > high {
        let text = format!("`Clip` limits to {low}..{high}, which is empty");
        return Err(Diagnostic::new(Code::ModelInvalid, text));
    }
    Ok(Elementwise::Clip { low, high })
}

fn batch_norm(context: &Context<'_>, shape: &[usize]) -> Result<Elementwise> {
    if context.attributes.int("training_mode")?.unwrap_or(0) != 0 {
        return Err(refuse("the batch normalization is in training mode")
            .hint("export the model in evaluation mode: model.eval()"));
    }
    if context.attributes.int("spatial")?.unwrap_or(1) == 0 {
        return Err(refuse("the batch normalization is not per channel (spatial=0)")
            .hint("export with a newer opset"));
    }
    let channels = shape.get(1).copied().ok_or_else(|| {
        Diagnostic::new(Code::ModelInvalid, format!("data of shape {shape:?} has no channels"))
    })?;
    let parameter = |index: usize, what: &str| -> Result<Param> {
        let constant = context.required_constant(index, what)?;
        let values: Vec<f32> = constant.floats().iter().copied().collect();
        if values.len() != channels {
            let text = format!("the {what} has {} values for {channels} channels", values.len());
            return Err(Diagnostic::new(Code::ModelInvalid, text));
        }
        Ok(Param::per_channel(&values, shape.len()))
    };
    Ok(Elementwise::BatchNorm {
        gamma: parameter(1, "scale")?,
        beta: parameter(2, "bias")?,
        mean: parameter(3, "mean")?,
        variance: parameter(4, "variance")?,
        epsilon: context.attributes.float("epsilon")?.unwrap_or(1e-5),
    })
}

/// `Dropout` does nothing in inference.
pub(crate) fn dropout(context: &Context<'_>, data: Dynamic) -> Result<Dynamic> {
    let training = context.constant(2, "training mode")?.and_then(Constant::scalar);
    if training.unwrap_or(0.0) != 0.0 {
        return Err(refuse("the dropout is in training mode")
            .hint("export the model in evaluation mode: model.eval()"));
    }
    Ok(data)
}

/// `Cast` of the network's data: to float32 always, to integers only from conditions and integers.
pub(crate) fn cast(context: &Context<'_>, data: Dynamic) -> Result<Dynamic> {
    let to = cast_target(context)?;
    let kind = match (data.kind, to) {
        (_, data_type::FLOAT) => Kind::Float,
        (Kind::Bool, data_type::BOOL) => Kind::Bool,
        (Kind::Bool, data_type::INT8..=data_type::INT64 | data_type::UINT8)
        | (Kind::Int, data_type::INT32 | data_type::INT64) => Kind::Int,
        (from, to) => {
            let text = format!("a cast of {from:?} data to element type {to}");
            return Err(refuse(format!("{} is not supported", text.to_lowercase()))
                .hint("cast to float32; to round floats use Round, Floor or a quantizer"));
        }
    };
    Ok(Dynamic { kind, ..data })
}

/// The element type that a `Cast` asks for; text in its first version.
pub(crate) fn cast_target(context: &Context<'_>) -> Result<i32> {
    let number = context.attributes.int("to").ok().flatten();
    let named = context.attributes.string("to").ok().flatten().map(|text| match text.as_str() {
        "FLOAT" => data_type::FLOAT,
        "INT32" => data_type::INT32,
        "INT64" => data_type::INT64,
        "BOOL" => data_type::BOOL,
        "DOUBLE" => data_type::DOUBLE,
        _ => 0,
    });
    number
        .and_then(|n| i32::try_from(n).ok())
        .filter(|&n| n != 0)
        .or(named)
        .ok_or_else(|| Diagnostic::new(Code::ModelInvalid, "`Cast` does not say to which type"))
}
