//! The rules that every graph keeps.

use crate::{Conv, Elementwise, Graph, Node, Op, Pool};
use diagnostic::{Code, Diagnostic, Result};
use tensor::{Map, Window};

impl Graph {
    /// Checks that the graph has one input and one output, is acyclic, that shapes agree on every
    /// edge, that parameters fit their operators, and that no parameter is NaN or infinite.
    ///
    /// # Errors
    /// `model-invalid` or `model-not-finite`, all of them at once, each with its node.
    pub fn check(&self) -> Result<()> {
        let invalid = |message: &str| Diagnostic::new(Code::ModelInvalid, message);
        if self.input_id().is_none() {
            return Err(invalid("the model has no input"));
        }
        if self.output_id().is_none() {
            return Err(invalid("the model has no output"));
        }
        let order = self.sorted().ok_or_else(|| invalid("the model has a cycle"))?;
        let mut errors = Vec::new();
        for id in order {
            let node = self.node(id);
            let inputs: Vec<&Node> = self.inputs_of(id).into_iter().map(|i| self.node(i)).collect();
            let problem = match inputs.as_slice() {
                [] if matches!(node.op, Op::Input { .. }) => check_extents(node),
                [input] => check_extents(node).or_else(|| check_node(node, input)),
                _ => Some(invalid("the node has the wrong number of inputs")),
            };
            errors.extend(problem.map(|p| p.node(format!("{} ({})", node.name, node.source))));
        }
        Diagnostic::join(errors).map_or(Ok(()), Err)
    }
}

fn check_extents(node: &Node) -> Option<Diagnostic> {
    let elements = node.shape.iter().try_fold(1usize, |n, &d| n.checked_mul(d));
    let ok = matches!(elements, Some(1..=0x4000_0000)) && node.shape.first() == Some(&1);
    (!ok).then(|| {
        Diagnostic::new(Code::ModelInvalid, format!("the shape {:?} cannot be used", node.shape))
            .hint("the batch axis comes first; every axis has a fixed, positive extent")
    })
}

fn check_node(node: &Node, input: &Node) -> Option<Diagnostic> {
    let disagree = || {
        let text = format!("shape {:?} does not follow from {:?}", node.shape, input.shape);
        Some(Diagnostic::new(Code::ModelInvalid, text))
    };
    match &node.op {
        Op::Input { .. } => disagree(),
        Op::MatMul(weights) => {
            let (outputs, inputs) = weights.values.dim();
            let mut expected = input.shape.clone();
            let last = expected.last_mut()?;
            let matches = *last == inputs;
            *last = outputs;
            if !matches || expected != node.shape {
                return disagree();
            }
            let finite = weights.values.iter().all(|v| v.is_finite());
            (!finite).then(|| not_finite("a weight"))
        }
        Op::Conv(conv) => check_conv(conv, &input.shape, &node.shape),
        Op::Pool(Pool { kind: _, window }) => {
            let map = Map::of_shape(&input.shape);
            let output = map.and_then(|map| windows(window, map, map.channels));
            if output.is_some() && output == Map::of_shape(&node.shape) { None } else { disagree() }
        }
        Op::Pad { before, after, value } => {
            let window = Window { before: *before, after: *after, ..Window::of([1, 1]) };
            let map = Map::of_shape(&input.shape);
            let output = map.and_then(|map| windows(&window, map, map.channels));
            if output.is_none() || output != Map::of_shape(&node.shape) {
                return disagree();
            }
            (!value.is_finite()).then(|| not_finite("the padding"))
        }
        Op::Elementwise(op) => {
            if input.shape != node.shape {
                return disagree();
            }
            check_elementwise(op, &node.shape)
        }
        Op::Transpose(permutation) => {
            let mut sorted = permutation.clone();
            sorted.sort_unstable();
            let is_permutation = sorted.iter().copied().eq(0..input.shape.len());
            let expected = || permutation.iter().map(|&axis| input.shape[axis]);
            if is_permutation && expected().eq(node.shape.iter().copied()) {
                None
            } else {
                disagree()
            }
        }
        Op::Reshape => {
            let elements = |n: &Node| n.shape.iter().product::<usize>();
            if elements(node) == elements(input) { None } else { disagree() }
        }
        Op::TopK { k, largest: _ } => {
            let fits = input.shape.last().is_some_and(|n| (1..=*n).contains(k));
            if fits { None } else { disagree() }
        }
        Op::Softmax => {
            if input.shape == node.shape {
                None
            } else {
                disagree()
            }
        }
    }
}

/// The windows over a map, when the window makes sense: no zero, and no window in the padding alone.
fn windows(window: &Window, map: Map, channels: usize) -> Option<Map> {
    let all = [window.kernel, window.stride, window.dilation];
    all.iter().flatten().all(|&n| n > 0).then_some(())?;
    window.over(map, channels)
}

fn check_conv(conv: &Conv, input: &[usize], output: &[usize]) -> Option<Diagnostic> {
    let invalid = |text: String| Some(Diagnostic::new(Code::ModelInvalid, text));
    let (outputs, columns) = conv.weights.values.dim();
    let Some(map) = Map::of_shape(input) else {
        return invalid(format!("a convolution cannot take the shape {input:?}"));
    };
    let (groups, channels) = (conv.groups, map.channels);
    if groups == 0 || channels % groups != 0 || outputs % groups != 0 {
        let text =
            format!("{groups} groups do not divide {channels} input and {outputs} output channels");
        return Some(Diagnostic::new(Code::ModelInvalid, text).hint("make both divisible"));
    }
    if columns != channels / groups * conv.window.taps() {
        return invalid(format!("kernels of {columns} weights do not fit {channels} channels"));
    }
    let wanted = windows(&conv.window, map, outputs);
    if wanted.is_none() || wanted != Map::of_shape(output) {
        return invalid(format!("the shape {output:?} does not follow from {input:?}"));
    }
    let finite = conv.weights.values.iter().all(|v| v.is_finite());
    (!finite).then(|| not_finite("a weight"))
}

fn check_elementwise(op: &Elementwise, shape: &[usize]) -> Option<Diagnostic> {
    for (name, param) in op.params() {
        if !param.fits(shape) {
            let text = format!("the {name} of shape {:?} does not fit {shape:?}", param.0.shape());
            return Some(Diagnostic::new(Code::ModelInvalid, text));
        }
        if !param.0.iter().all(|v| v.is_finite()) {
            return Some(not_finite(&format!("the {name}")));
        }
    }
    match op {
        Elementwise::BatchNorm { variance, epsilon, .. } => {
            let positive = variance.0.iter().all(|v| v + epsilon > 0.0);
            (!positive).then(|| {
                Diagnostic::new(Code::ModelNotFinite, "the variance is not positive")
                    .hint("a running variance plus epsilon must be greater than 0")
            })
        }
        Elementwise::Quant { scale, .. } => {
            let positive = scale.0.iter().all(|&v| v > 0.0);
            (!positive).then(|| Diagnostic::new(Code::ModelInvalid, "the scale is not positive"))
        }
        Elementwise::MultiThreshold { thresholds, channel_axis, .. } => {
            let rows = thresholds.nrows();
            let fits = rows == 1 || shape.get(*channel_axis) == Some(&rows);
            if !fits || thresholds.ncols() == 0 {
                let text = format!("{rows} rows of thresholds do not fit {shape:?}");
                return Some(Diagnostic::new(Code::ModelInvalid, text));
            }
            let nan = thresholds.iter().any(|t| t.is_nan());
            nan.then(|| not_finite("a threshold"))
        }
        Elementwise::Arithmetic { .. }
        | Elementwise::Relu
        | Elementwise::Sign { .. }
        | Elementwise::Clip { .. }
        | Elementwise::Tanh
        | Elementwise::Neg
        | Elementwise::Round
        | Elementwise::Floor
        | Elementwise::Ceil
        | Elementwise::Compare { .. }
        | Elementwise::Select { .. }
        | Elementwise::BipolarQuant { .. } => None,
    }
}

fn not_finite(what: &str) -> Diagnostic {
    Diagnostic::new(Code::ModelNotFinite, format!("{what} is NaN or infinite"))
        .hint("export the model again from a checkpoint without NaN")
}

#[cfg(test)]
mod tests {
    use crate::{Elementwise, Graph, Op, Param};
    use diagnostic::Code;

    #[test]
    fn nan_and_wrong_shapes_are_named() {
        let mut graph = Graph::new("bad");
        let x = graph.input("x", vec![1, 4], None);
        let nan = Op::Elementwise(Elementwise::mul(Param::scalar(f32::NAN)));
        let y = graph.add("scale", "Mul", nan, x, vec![1, 4]);
        let z = graph.add("flat", "Reshape", Op::Reshape, y, vec![1, 5]);
        graph.set_output(z);
        let error = graph.check().unwrap_err();
        assert_eq!(error.code, Code::ModelNotFinite);
        assert_eq!(error.node.as_deref(), Some("scale (Mul)"));
        assert_eq!(error.more[0].node.as_deref(), Some("flat (Reshape)"));
    }
}
