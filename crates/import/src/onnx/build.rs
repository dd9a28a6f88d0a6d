//! Walks the sorted nodes: folds constants, and adds the rest to the graph.

use super::attributes::Attributes;
use super::constants::{Constant, decode, elements};
use super::model::{Model, is_standard, stated_shape};
use super::operator::{Operator, hint};
use super::proto::NodeProto;
use super::{conv, elementwise, folding, heads, linear, pad, pool, quant, shapes};
use crate::Options;
use diagnostic::{Code, Diagnostic, Result};
use graph::{Graph, NodeId, Op};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// Elements that folding may produce for any file, however small.
const SMALL_FILE_ELEMENTS: usize = 1 << 24;

/// What the elements of the network's data are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Float,
    /// A condition: 0 or 1.
    Bool,
    /// Integers of the input before a `Cast`, or indices.
    Int,
}

/// A tensor that depends on the network's input.
#[derive(Debug, Clone)]
pub(crate) struct Dynamic {
    pub(crate) id: NodeId,
    pub(crate) shape: Vec<usize>,
    pub(crate) kind: Kind,
}

impl Dynamic {
    /// Refuses data that is not of a float type.
    pub(crate) fn require_float(&self) -> Result<()> {
        if self.kind == Kind::Float {
            return Ok(());
        }
        Err(refuse("the data is not of type float32").hint("put a Cast to float32 before it"))
    }
}

/// A tensor while building.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Constant(Rc<Constant>),
    Dynamic(Dynamic),
    /// The result of a node that is not supported and whose shape is not stated.
    Unknown,
}

impl From<Constant> for Value {
    fn from(constant: Constant) -> Self {
        Self::Constant(Rc::new(constant))
    }
}

/// `name` (operator), as every message shows a node.
pub(crate) fn label(node: &NodeProto) -> String {
    let name = own_name(node);
    if is_standard(&node.domain) {
        format!("{name} ({})", node.op_type)
    } else {
        format!("{name} ({}, {})", node.op_type, node.domain)
    }
}

/// A node's name, or that of its first output where it has none.
fn own_name(node: &NodeProto) -> &str {
    let output = node.output.first().map_or("", String::as_str);
    if node.name.is_empty() { output } else { &node.name }
}

/// A node together with what it reads.
pub(crate) struct Context<'a> {
    pub(crate) node: &'a NodeProto,
    pub(crate) operator: Operator,
    pub(crate) attributes: Attributes<'a>,
    pub(crate) inputs: Vec<Option<Value>>,
    pub(crate) opset: i64,
    pub(crate) sign_zero: i8,
}

impl Context<'_> {
    pub(crate) fn input(&self, index: usize) -> Option<&Value> {
        self.inputs.get(index).and_then(Option::as_ref)
    }

    /// An input that must be there.
    pub(crate) fn required(&self, index: usize) -> Result<&Value> {
        self.input(index).ok_or_else(|| {
            Diagnostic::new(Code::ModelInvalid, format!("the input {index} is missing"))
        })
    }

    /// An input that must be constant, if it is there.
    pub(crate) fn constant(&self, index: usize, what: &str) -> Result<Option<&Constant>> {
        match self.input(index) {
            None => Ok(None),
            Some(Value::Constant(constant)) => Ok(Some(constant)),
            Some(Value::Dynamic(_) | Value::Unknown) => {
                Err(refuse(format!("the {what} depends on the network's input"))
                    .hint(format!("make the {what} constant")))
            }
        }
    }

    /// An input that must be there and constant.
    pub(crate) fn required_constant(&self, index: usize, what: &str) -> Result<&Constant> {
        self.required(index)?;
        self.constant(index, what)?
            .ok_or_else(|| Diagnostic::new(Code::ModelInvalid, format!("the {what} is missing")))
    }

    fn dynamic_inputs(&self) -> impl Iterator<Item = &Dynamic> {
        self.inputs.iter().flatten().filter_map(|value| match value {
            Value::Dynamic(dynamic) => Some(dynamic),
            Value::Constant(_) | Value::Unknown => None,
        })
    }
}

/// A node that is known, but not in this form.
pub(crate) fn refuse(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::UnsupportedAttribute, message)
}

/// The graph while it grows.
pub(crate) struct Builder {
    graph: Graph,
    names: HashSet<String>,
    /// For each name that was wanted again, the number that was last tried.
    repeated: HashMap<String, usize>,
    /// Elements that folding may still produce.
    budget: usize,
}

impl Builder {
    /// Accounts for a constant about to be computed.
    ///
    /// # Errors
    /// `model-invalid` when the constants of the model would not fit in memory.
    pub(crate) fn reserve(&mut self, shape: &[usize]) -> Result<()> {
        let count = elements(shape)?;
        self.budget = self.budget.checked_sub(count).ok_or_else(|| {
            Diagnostic::new(Code::ModelInvalid, "the computed constants of the model are too large")
                .hint("fold constants before exporting")
        })?;
        Ok(())
    }

    /// Adds an operator for a node; `part` tells several operators of one node apart.
    pub(crate) fn emit(
        &mut self,
        node: &NodeProto,
        part: &str,
        op: Op,
        from: &Dynamic,
        shape: Vec<usize>,
    ) -> Dynamic {
        let name = self.unique(&format!("{}{part}", own_name(node)));
        let id = self.graph.add(&name, &node.op_type, op, from.id, shape.clone());
        Dynamic { id, shape, kind: from.kind }
    }

    fn unique(&mut self, wanted: &str) -> String {
        if self.names.insert(wanted.to_string()) {
            return wanted.to_string();
        }
        let number = self.repeated.entry(wanted.to_string()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{wanted}_{number}");
            if self.names.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// Builds and checks the graph of a model from a file of some size.
pub(crate) fn build(
    model: &Model<'_>,
    file_bytes: usize,
    name: &str,
    options: &Options,
) -> Result<Graph> {
    // A few passes over what the file holds, and some room for small files.
    let budget = file_bytes.saturating_mul(4).saturating_add(SMALL_FILE_ELEMENTS);
    let mut builder = Builder {
        graph: Graph::new(name),
        names: HashSet::new(),
        repeated: HashMap::new(),
        budget,
    };
    let input = &model.input;
    elements(&input.shape)?;
    let input_name = builder.unique(input.name);
    let id = builder.graph.input(&input_name, input.shape.clone(), input.annotation);
    let kind = if input.integers { Kind::Int } else { Kind::Float };
    let start = Dynamic { id, shape: input.shape.clone(), kind };
    let mut values: HashMap<&str, Value> = HashMap::new();
    values.insert(input.name, Value::Dynamic(start.clone()));
    let mut errors = Vec::new();
    let mut readers: BTreeMap<NodeId, Vec<String>> = BTreeMap::new();
    for node in &model.nodes {
        let result = inputs_of(model, node, &mut values)
            .and_then(|inputs| convert(model, node, inputs, options, &mut builder, &mut readers));
        match result {
            Ok(outputs) => {
                for (name, value) in node.output.iter().zip(outputs) {
                    values.insert(name, value.unwrap_or(Value::Unknown));
                }
            }
            Err(error) => {
                errors.push(error.node(label(node)));
                for name in &node.output {
                    values.insert(name, placeholder(model, name, &start, node, &mut builder));
                }
            }
        }
    }
    errors.extend(branches(&builder.graph, &readers));
    if let Some(error) = Diagnostic::join(errors) {
        return Err(error);
    }
    let mut graph = builder.graph;
    match values.get(model.output) {
        Some(Value::Dynamic(output)) => graph.set_output(output.id),
        Some(Value::Unknown) => {
            let text = format!("the output `{}` is not one that is supported", model.output);
            return Err(Diagnostic::new(Code::UnsupportedStructure, text)
                .hint("of TopK only the indices may be the output"));
        }
        Some(Value::Constant(_)) | None => {
            let text = format!("the output `{}` does not depend on the input", model.output);
            return Err(Diagnostic::new(Code::ModelInvalid, text));
        }
    }
    heads::check_softmax_is_last(&graph)?;
    graph.check()?;
    Ok(graph)
}

fn inputs_of<'a>(
    model: &Model<'a>,
    node: &'a NodeProto,
    values: &mut HashMap<&'a str, Value>,
) -> Result<Vec<Option<Value>>> {
    let mut inputs = Vec::new();
    for name in &node.input {
        if name.is_empty() {
            inputs.push(None);
            continue;
        }
        if !values.contains_key(name.as_str())
            && let Some(tensor) = model.initializers.get(name.as_str())
        {
            values.insert(name, decode(tensor)?.into());
        }
        inputs.push(Some(values.get(name.as_str()).cloned().unwrap_or(Value::Unknown)));
    }
    Ok(inputs)
}

/// What stands for the output of a refused node, so that later nodes are checked as well.
fn placeholder(
    model: &Model<'_>,
    name: &str,
    start: &Dynamic,
    node: &NodeProto,
    builder: &mut Builder,
) -> Value {
    let extents = model.stated.get(name).and_then(|value| stated_shape(value));
    let shape: Option<Vec<usize>> = extents.and_then(|extents| {
        extents.iter().enumerate().map(|(i, e)| if i == 0 { Some(1) } else { *e }).collect()
    });
    match shape {
        Some(shape) if elements(&shape).is_ok() => {
            let from = Dynamic { kind: Kind::Float, ..start.clone() };
            Value::Dynamic(builder.emit(node, "", Op::Reshape, &from, shape))
        }
        _ => Value::Unknown,
    }
}

/// Every tensor inside the network that more than one node reads.
fn branches(graph: &Graph, readers: &BTreeMap<NodeId, Vec<String>>) -> Vec<Diagnostic> {
    let several = readers.iter().filter(|(_, labels)| labels.len() > 1);
    several
        .map(|(&id, labels)| {
            let node = graph.node(id);
            let text = format!("the output of `{}` is read by {}", node.name, labels.join(", "));
            Diagnostic::new(Code::UnsupportedStructure, text)
                .node(format!("{} ({})", node.name, node.source))
                .hint("branches are not supported yet: use a plain chain of layers")
        })
        .collect()
}

/// The outputs of a node; `None` for those that are not supported.
type Outputs = Vec<Option<Value>>;

fn convert(
    model: &Model<'_>,
    node: &NodeProto,
    inputs: Vec<Option<Value>>,
    options: &Options,
    builder: &mut Builder,
    readers: &mut BTreeMap<NodeId, Vec<String>>,
) -> Result<Outputs> {
    let operator = Operator::of(node);
    let mut read: Vec<NodeId> = inputs
        .iter()
        .flatten()
        .filter_map(|value| match value {
            Value::Dynamic(dynamic) => Some(dynamic.id),
            Value::Constant(_) | Value::Unknown => None,
        })
        .collect();
    let several = read.len() > 1;
    read.sort_unstable();
    read.dedup();
    if !operator.is_some_and(Operator::passes_through) {
        for id in read {
            readers.entry(id).or_default().push(label(node));
        }
    }
    let Some(operator) = operator else {
        let text = format!("the operator `{}` is not supported", node.op_type);
        return Err(Diagnostic::new(Code::UnsupportedOp, text).hint(hint(node)));
    };
    if inputs.iter().flatten().any(|value| matches!(value, Value::Unknown)) {
        return Ok(node.output.iter().map(|_| None).collect());
    }
    if several {
        let text = format!("`{}` reads several tensors that depend on the input", node.op_type);
        return Err(Diagnostic::new(Code::UnsupportedStructure, text)
            .hint("branches are not supported yet: one operand must be constant"));
    }
    let context = Context {
        node,
        operator,
        attributes: Attributes::of(node),
        inputs,
        opset: model.opset,
        sign_zero: options.sign_zero.unwrap_or(0),
    };
    dispatch(&context, builder)
}

fn dispatch(context: &Context<'_>, builder: &mut Builder) -> Result<Outputs> {
    use Operator as O;
    let data = context.dynamic_inputs().next().cloned();
    let first = |value: Value| vec![Some(value)];
    let Some(data) = data else {
        return folding::fold(context, builder).map(|constant| first(constant.into()));
    };
    let result = match context.operator {
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
        | O::Equal
        | O::Not
        | O::Where
        | O::Relu
        | O::Sign
        | O::Clip
        | O::Tanh
        | O::Neg
        | O::Round
        | O::Floor
        | O::Ceil
        | O::BatchNormalization
        | O::BipolarQuant
        | O::Quant
        | O::IntQuant
        | O::MultiThreshold => elementwise::emit(context, &data, builder)?,
        O::Sqrt | O::Reciprocal | O::Abs | O::Exp | O::Log => {
            return Err(refuse(format!(
                "`{}` is applied to data that depends on the input",
                context.node.op_type
            ))
            .hint("it is supported between constants only"));
        }
        O::Identity => Value::Dynamic(data),
        O::Dropout => Value::Dynamic(elementwise::dropout(context, data)?),
        O::Cast => Value::Dynamic(elementwise::cast(context, data)?),
        O::MatMul => Value::Dynamic(linear::matmul(context, &data, builder)?),
        O::Gemm => Value::Dynamic(linear::gemm(context, &data, builder)?),
        O::Conv => Value::Dynamic(conv::emit(context, &data, builder)?),
        O::MaxPool | O::AveragePool | O::GlobalMaxPool | O::GlobalAveragePool | O::MaxPoolNHWC => {
            Value::Dynamic(pool::emit(context, &data, builder)?)
        }
        O::ReduceMean | O::ReduceMax => Value::Dynamic(pool::reduce(context, &data, builder)?),
        O::Pad => Value::Dynamic(pad::emit(context, &data, builder)?),
        O::Transpose | O::Reshape | O::Flatten | O::Squeeze | O::Unsqueeze => {
            Value::Dynamic(shapes::emit(context, &data, builder)?)
        }
        O::Shape => shapes::shape_of(context, &data.shape)?.into(),
        O::Gather | O::Concat | O::Slice | O::Expand | O::ConstantOfShape | O::Constant => {
            return Err(refuse(format!(
                "`{}` is applied to data that depends on the input",
                context.node.op_type
            ))
            .hint("it is supported on constants and shapes only"));
        }
        O::TopK => return heads::top_k(context, &data, builder),
        O::ArgMax | O::ArgMin => Value::Dynamic(heads::arg_extreme(context, &data, builder)?),
        O::Softmax | O::LogSoftmax => Value::Dynamic(heads::softmax(context, &data, builder)?),
    };
    Ok(first(result))
}

/// Evaluates a quantizer on constants, so that its integers are known.
pub(crate) fn fold_quantizer(
    context: &Context<'_>,
    constant: &Constant,
    builder: &mut Builder,
) -> Result<Constant> {
    builder.reserve(constant.shape())?;
    quant::fold(context, constant)
}
