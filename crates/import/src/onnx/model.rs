//! Names resolved: the one input, the one output, and the nodes between them in order.

use super::build::label;
use super::proto::{
    DimensionProto, GraphProto, NodeProto, OperatorSetIdProto, TensorProto, ValueInfoProto,
    data_type,
};
use diagnostic::{Code, Diagnostic, Result};
use std::collections::{BTreeSet, HashMap, HashSet};
use tensor::ElementType;

/// The version assumed where a file does not state one.
const DEFAULT_OPSET: i64 = 9;

/// The network's input.
pub(crate) struct Input<'a> {
    pub(crate) name: &'a str,
    /// Batch of 1 first.
    pub(crate) shape: Vec<usize>,
    /// The integer type that an annotation or the element type states.
    pub(crate) annotation: Option<ElementType>,
    /// Whether its elements are integers in the file too, so that a `Cast` follows.
    pub(crate) integers: bool,
}

/// A graph whose names all resolve.
pub(crate) struct Model<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) output: &'a str,
    /// The nodes that the output depends on, each after those that it reads.
    pub(crate) nodes: Vec<&'a NodeProto>,
    pub(crate) initializers: HashMap<&'a str, &'a TensorProto>,
    /// Shapes that the file states for tensors inside.
    pub(crate) stated: HashMap<&'a str, &'a ValueInfoProto>,
    /// Version of the standard operators.
    pub(crate) opset: i64,
}

fn invalid(message: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::ModelInvalid, message)
}

impl<'a> Model<'a> {
    pub(crate) fn resolve(graph: &'a GraphProto, opsets: &'a [OperatorSetIdProto]) -> Result<Self> {
        let mut initializers = HashMap::new();
        for tensor in &graph.initializer {
            if initializers.insert(tensor.name.as_str(), tensor).is_some() {
                return Err(invalid(format!("two initializers are called `{}`", tensor.name)));
            }
        }
        // Old files list initializers among the inputs.
        let inputs: Vec<&ValueInfoProto> =
            graph.input.iter().filter(|i| !initializers.contains_key(i.name.as_str())).collect();
        let input = sole(&inputs, "input")?;
        let outputs: Vec<&ValueInfoProto> = graph.output.iter().collect();
        let output = sole(&outputs, "output")?.name.as_str();
        let standard = opsets.iter().find(|o| is_standard(&o.domain)).map(|o| o.version);
        Ok(Self {
            input: resolve_input(graph, input)?,
            output,
            nodes: sort(graph, &initializers, &input.name, output)?,
            initializers,
            stated: graph.value_info.iter().map(|v| (v.name.as_str(), v)).collect(),
            opset: standard.unwrap_or(DEFAULT_OPSET),
        })
    }
}

/// Whether a domain is that of the standard operators.
pub(crate) fn is_standard(domain: &str) -> bool {
    matches!(domain, "" | "ai.onnx")
}

fn sole<'a>(values: &[&'a ValueInfoProto], what: &str) -> Result<&'a ValueInfoProto> {
    match values {
        [value] => Ok(value),
        [] => Err(invalid(format!("the model has no {what}"))),
        several => {
            let names: Vec<String> = several.iter().map(|v| format!("`{}`", v.name)).collect();
            let text = format!("the model has {} {what}s: {}", several.len(), names.join(", "));
            Err(Diagnostic::new(Code::UnsupportedStructure, text)
                .hint(format!("export the model with one {what}")))
        }
    }
}

/// The extents that are stated for a tensor; `None` for those that are not fixed.
pub(crate) fn stated_shape(value: &ValueInfoProto) -> Option<Vec<Option<usize>>> {
    let dims = &value.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?.dim;
    let extent = |d: &DimensionProto| {
        d.dim_value.and_then(|v| usize::try_from(v).ok()).filter(|&extent| extent > 0)
    };
    Some(dims.iter().map(extent).collect())
}

fn resolve_input<'a>(graph: &'a GraphProto, value: &'a ValueInfoProto) -> Result<Input<'a>> {
    let name = value.name.as_str();
    let extents = stated_shape(value)
        .ok_or_else(|| invalid(format!("the input `{name}` has no tensor shape")))?;
    let mut shape = Vec::new();
    for (axis, extent) in extents.iter().enumerate() {
        shape.push(match (axis, extent) {
            (0, None | Some(1)) => 1,
            (0, Some(batch)) => {
                let text = format!("the input `{name}` has a batch of {batch}");
                return Err(Diagnostic::new(Code::UnsupportedStructure, text)
                    .hint("export the model with a batch of 1 or of any size (dynamic axis 0)"));
            }
            (_, Some(extent)) => *extent,
            (_, None) => {
                let text = format!("axis {axis} of the input `{name}` has no fixed extent");
                return Err(Diagnostic::new(Code::UnsupportedStructure, text)
                    .hint("only the batch axis 0 may be dynamic: export with a fixed size"));
            }
        });
    }
    let elem_type =
        value.r#type.as_ref().and_then(|t| t.tensor_type.as_ref()).map_or(0, |t| t.elem_type);
    let (own, integers) = match elem_type {
        data_type::FLOAT => (None, false),
        data_type::UINT8 => (Some(ElementType::Uint(8)), true),
        data_type::INT8 => (Some(ElementType::Int(8)), true),
        data_type::UINT16 => (Some(ElementType::Uint(16)), true),
        data_type::INT16 => (Some(ElementType::Int(16)), true),
        other => {
            let text = format!("the input `{name}` has element type {other}");
            return Err(Diagnostic::new(Code::UnsupportedAttribute, text)
                .hint("make it float32, or an integer of 8 or 16 bits"));
        }
    };
    let stated = graph
        .quantization_annotation
        .iter()
        .filter(|a| a.tensor_name == name)
        .flat_map(|a| &a.quant_parameter_tensor_names)
        .find(|entry| entry.key == "finn_datatype")
        .and_then(|entry| finn_datatype(&entry.value));
    Ok(Input { name, shape, annotation: stated.or(own), integers })
}

/// FINN's name of an integer type; `None` for floats and fixed point.
fn finn_datatype(name: &str) -> Option<ElementType> {
    let bits = |text: &str| text.parse::<u32>().ok().filter(|bits| (1..=63).contains(bits));
    match name {
        "BIPOLAR" => Some(ElementType::Bipolar),
        "BINARY" => Some(ElementType::Uint(1)),
        "TERNARY" => Some(ElementType::Int(2)),
        _ => match (name.strip_prefix("UINT"), name.strip_prefix("INT")) {
            (Some(text), _) => bits(text).map(ElementType::Uint),
            (None, Some(text)) => bits(text).map(ElementType::Int),
            (None, None) => None,
        },
    }
}

/// The nodes that `output` depends on, each after those that it reads, else in the file's order.
fn sort<'a>(
    graph: &'a GraphProto,
    initializers: &HashMap<&str, &TensorProto>,
    input: &str,
    output: &str,
) -> Result<Vec<&'a NodeProto>> {
    let mut producer: HashMap<&str, usize> = HashMap::new();
    for (index, node) in graph.node.iter().enumerate() {
        for name in node.output.iter().filter(|n| !n.is_empty()) {
            let again = producer.insert(name, index).is_some();
            if again || name == input || initializers.contains_key(name.as_str()) {
                return Err(
                    invalid(format!("the tensor `{name}` has several sources")).node(label(node))
                );
            }
        }
    }
    let given = |name: &str| name.is_empty() || name == input || initializers.contains_key(name);
    if !given(output) && !producer.contains_key(output) {
        return Err(invalid(format!("nothing gives the output `{output}`")));
    }
    // Which nodes the output needs, and what each of them reads from others.
    let mut needed: HashSet<usize> = HashSet::new();
    let mut reads: HashMap<usize, HashSet<usize>> = HashMap::new();
    let mut missing = Vec::new();
    let mut open: Vec<usize> = producer.get(output).copied().into_iter().collect();
    while let Some(index) = open.pop() {
        if !needed.insert(index) {
            continue;
        }
        let node = &graph.node[index];
        let mut sources = HashSet::new();
        for name in node.input.iter().filter(|n| !given(n)) {
            match producer.get(name.as_str()) {
                Some(&source) => {
                    sources.insert(source);
                    open.push(source);
                }
                None => missing.push((index, name)),
            }
        }
        reads.insert(index, sources);
    }
    missing.sort_unstable();
    let errors = missing.into_iter().map(|(index, name)| {
        invalid(format!("nothing gives the tensor `{name}`")).node(label(&graph.node[index]))
    });
    if let Some(error) = Diagnostic::join(errors) {
        return Err(error);
    }
    let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
    for (&reader, sources) in &reads {
        for &source in sources {
            readers.entry(source).or_default().push(reader);
        }
    }
    let mut waiting: HashMap<usize, usize> = reads.iter().map(|(&n, s)| (n, s.len())).collect();
    let mut ready: BTreeSet<usize> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(&n, _)| n).collect();
    let mut sorted = Vec::new();
    while let Some(index) = ready.pop_first() {
        sorted.push(&graph.node[index]);
        waiting.remove(&index);
        for reader in readers.get(&index).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(reader) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(*reader);
                }
            }
        }
    }
    let Some(&stuck) = waiting.keys().min() else { return Ok(sorted) };
    // Going back from one waiting node to the next ends in the cycle itself.
    let (mut at, mut visited) = (stuck, HashSet::new());
    while visited.insert(at) {
        let source = reads.get(&at).into_iter().flatten().filter(|s| waiting.contains_key(s)).min();
        at = source.copied().unwrap_or(at);
    }
    Err(invalid("the nodes form a cycle").node(label(&graph.node[at])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integer_types_of_finn_are_known() {
        assert_eq!(finn_datatype("UINT8"), Some(ElementType::Uint(8)));
        assert_eq!(finn_datatype("INT4"), Some(ElementType::Int(4)));
        assert_eq!(finn_datatype("BIPOLAR"), Some(ElementType::Bipolar));
        for name in ["FLOAT32", "FIXED<8,1>", "UINT", "UINT0", "INT99", "SCALEDINT<8>"] {
            assert_eq!(finn_datatype(name), None, "{name}");
        }
    }
}
