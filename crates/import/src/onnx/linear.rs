//! Matrix products with constant weights.

use super::build::{Builder, Context, Dynamic, Value, refuse};
use super::constants::Constant;
use super::quant::row_scales;
use diagnostic::{Code, Diagnostic, Result};
use graph::{Elementwise, Op, Param, QuantizedWeights, Weights};
use ndarray::{Array2, ArrayD, Ix2};

/// `MatMul` of the data with a constant right operand of shape `[inputs, outputs]`.
pub(crate) fn matmul(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    let Value::Constant(right) = context.required(1)? else {
        return Err(refuse("the left operand is the constant one")
            .hint("transpose the product: MatMul(data, weights of shape [inputs, outputs])"));
    };
    // Leading axes of extent 1 of the weights change nothing on data of as many axes.
    let rank = right.shape().len();
    let leading = right.shape().iter().rev().skip(2).all(|&extent| extent == 1);
    if rank < 2 || !leading || rank > data.shape.len().max(2) {
        let text = format!("the weights have shape {:?}", right.shape());
        return Err(refuse(text).hint("they need two axes: [inputs, outputs]"));
    }
    let matrix = right.reshaped(&right.shape()[rank - 2..])?.transposed(&[1, 0]);
    emit(context, data, weights(&matrix)?, builder)
}

/// `Gemm`: a product, then a factor alpha, then beta times a bias; parts without effect are left out.
pub(crate) fn gemm(
    context: &Context<'_>,
    data: &Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    data.require_float()?;
    if context.attributes.int("transA")?.unwrap_or(0) != 0 {
        return Err(refuse("the data is transposed (transA)").hint("use transA=0"));
    }
    if data.shape.len() != 2 {
        let text = format!("the data of `Gemm` has shape {:?}", data.shape);
        return Err(Diagnostic::new(Code::ModelInvalid, text).hint("put a Flatten before it"));
    }
    if !matches!(context.required(0)?, Value::Dynamic(_)) {
        return Err(refuse("the data is not the first operand")
            .hint("use Gemm(data, weights, bias) with constant weights and bias"));
    }
    let constant = context.required_constant(1, "weights")?;
    if constant.shape().len() != 2 {
        let text = format!("the weights have shape {:?}", constant.shape());
        return Err(Diagnostic::new(Code::ModelInvalid, text));
    }
    let turned = context.attributes.int("transB")?.unwrap_or(0) != 0;
    let matrix = if turned { constant.clone() } else { constant.transposed(&[1, 0]) };
    let alpha = context.attributes.float("alpha")?.unwrap_or(1.0);
    let beta = context.attributes.float("beta")?.unwrap_or(1.0);
    let bias = context.constant(2, "bias")?.filter(|_| beta != 0.0);
    let mut result = emit(context, data, weights(&matrix)?, builder)?;
    if alpha != 1.0 {
        let op = Op::Elementwise(Elementwise::mul(Param::scalar(alpha)));
        let shape = result.shape.clone();
        result = builder.emit(context.node, "/alpha", op, &result, shape);
    }
    if let Some(bias) = bias {
        let param = Param(bias.floats().mapv(|v| if beta == 1.0 { v } else { v * beta }));
        return add_bias(context, param, bias.shape(), result, builder);
    }
    Ok(result)
}

/// Adds a bias, which the file has in the shape `stated`, to the result of a linear operator.
pub(crate) fn add_bias(
    context: &Context<'_>,
    bias: Param,
    stated: &[usize],
    result: Dynamic,
    builder: &mut Builder,
) -> Result<Dynamic> {
    let shape = result.shape.clone();
    if !bias.fits(&shape) {
        let text = format!("the bias of shape {stated:?} does not fit {shape:?}");
        return Err(Diagnostic::new(Code::ModelInvalid, text));
    }
    let op = Op::Elementwise(Elementwise::add(bias));
    Ok(builder.emit(context.node, "/bias", op, &result, shape))
}

fn emit(
    context: &Context<'_>,
    data: &Dynamic,
    weights: Weights,
    builder: &mut Builder,
) -> Result<Dynamic> {
    let (outputs, inputs) = weights.values.dim();
    let mut shape = data.shape.clone();
    match shape.last_mut() {
        Some(last) if *last == inputs => *last = outputs,
        _ => {
            let text =
                format!("weights with {inputs} inputs do not fit data of shape {:?}", data.shape);
            return Err(Diagnostic::new(Code::ModelInvalid, text));
        }
    }
    Ok(builder.emit(context.node, "", Op::MatMul(weights), data, shape))
}

/// Weights `[outputs, inputs]`, with their integers where a quantizer gave them.
pub(crate) fn weights(matrix: &Constant) -> Result<Weights> {
    let quantized = match &matrix.quantized {
        Some(q) => row_scales(&q.scale)
            .map(|scale| Ok(QuantizedWeights { integers: two_axes(q.integers.clone())?, scale })),
        None => None,
    };
    Ok(Weights { values: two_axes(matrix.floats())?, quantized: quantized.transpose()? })
}

fn two_axes<T>(array: ArrayD<T>) -> Result<Array2<T>> {
    array
        .into_dimensionality::<Ix2>()
        .map_err(|_| Diagnostic::new(Code::ModelInvalid, "the weights do not have two axes"))
}
