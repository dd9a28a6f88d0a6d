//! The meaning of a network: every operator as imported, one after another, in float arithmetic.
//!
//! What comes in: a checked [`Graph`] and one image in the shape of its input. What goes out: the
//! output, or the output of every node by its name. Sums run in the order of their terms and are
//! rounded after each, in float32 as training frameworks compute or in float64. Nothing here is
//! fast, and nothing is shared with the integer model that it is compared with.
//!
//! ```
//! use graph::{Elementwise, Graph, Op, Param};
//! let mut graph = Graph::new("tiny");
//! let x = graph.input("x", vec![1, 2], None);
//! let op = Op::Elementwise(Elementwise::mul(Param::scalar(2.0)));
//! let y = graph.add("double", "Mul", op, x, vec![1, 2]);
//! graph.set_output(y);
//! assert_eq!(reference::run::<f32>(&graph, &[1.0, -3.0]).unwrap(), [2.0, -6.0]);
//! ```

mod kernels;
mod maps;

use diagnostic::{Code, Diagnostic, Result};
use graph::{BoundElementwise, Graph, NodeId, Op, Real};
use std::collections::{BTreeMap, HashMap};

/// Runs a graph on one image, given in row-major order.
///
/// # Errors
/// `model-invalid` and `model-not-finite` when the graph does not pass its check, `input-shape`
/// when the image has the wrong number of elements.
pub fn run<F: Real>(graph: &Graph, input: &[f32]) -> Result<Vec<F>> {
    graph.check()?;
    let reference = Reference::new(graph);
    let expected = reference.input_elements();
    if input.len() != expected {
        let text = format!("the image has {} elements, the network takes {expected}", input.len());
        return Err(Diagnostic::new(Code::InputShape, text));
    }
    Ok(reference.run(input))
}

/// A graph prepared for running on many images.
#[derive(Debug)]
pub struct Reference<'g> {
    graph: &'g Graph,
    order: Vec<NodeId>,
    output: NodeId,
    bound: HashMap<NodeId, BoundElementwise>,
}

impl<'g> Reference<'g> {
    /// Prepares a graph.
    ///
    /// # Panics
    /// If the graph does not pass [`Graph::check`]: importers return checked graphs only.
    pub fn new(graph: &'g Graph) -> Self {
        if let Err(error) = graph.check() {
            panic!("the graph was not checked: {error}");
        }
        let order = graph.sorted().expect("checked: the graph is acyclic");
        let output = graph.output_id().expect("checked: the graph has an output");
        let bound = order
            .iter()
            .filter_map(|&id| match &graph.node(id).op {
                Op::Elementwise(op) => Some((id, op.bind(&graph.node(id).shape))),
                Op::Input { .. }
                | Op::MatMul(_)
                | Op::Conv(_)
                | Op::Pool(_)
                | Op::Pad { .. }
                | Op::Transpose(_)
                | Op::Reshape
                | Op::TopK { .. }
                | Op::Softmax => None,
            })
            .collect();
        Self { graph, order, output, bound }
    }

    /// The number of elements of an image.
    pub fn input_elements(&self) -> usize {
        let input = self.graph.input_id().expect("checked: the graph has an input");
        self.graph.node(input).shape.iter().product()
    }

    /// The output for one image, both in row-major order.
    ///
    /// # Panics
    /// If the image does not have [`input_elements`](Self::input_elements) elements.
    pub fn run<F: Real>(&self, input: &[f32]) -> Vec<F> {
        self.evaluate(input).remove(&self.output).expect("every node was evaluated")
    }

    /// The output of every node for one image, by the node's name.
    ///
    /// # Panics
    /// As [`run`](Self::run).
    pub fn trace<F: Real>(&self, input: &[f32]) -> BTreeMap<String, Vec<F>> {
        let values = self.evaluate(input);
        values.into_iter().map(|(id, v)| (self.graph.node(id).name.clone(), v)).collect()
    }

    fn evaluate<F: Real>(&self, input: &[f32]) -> HashMap<NodeId, Vec<F>> {
        assert_eq!(input.len(), self.input_elements(), "elements of the image");
        let mut values: HashMap<NodeId, Vec<F>> = HashMap::new();
        for &id in &self.order {
            let node = self.graph.node(id);
            let result = match self.graph.inputs_of(id).first() {
                None => input.iter().map(|&x| F::from_f32(x)).collect(),
                Some(source) => {
                    let x = &values[source];
                    let shape = &self.graph.node(*source).shape;
                    match &node.op {
                        Op::Input { .. } | Op::Reshape => x.clone(),
                        Op::MatMul(weights) => kernels::matmul(x, &weights.values),
                        Op::Conv(conv) => maps::conv(x, shape, conv),
                        Op::Pool(pool) => maps::pool(x, shape, pool),
                        Op::Pad { before, after, value } => {
                            maps::pad(x, shape, *before, *after, *value)
                        }
                        Op::Elementwise(_) => {
                            let op = &self.bound[&id];
                            x.iter().enumerate().map(|(i, &x)| op.eval(i, x)).collect()
                        }
                        Op::Transpose(permutation) => kernels::transpose(x, shape, permutation),
                        Op::TopK { k, largest } => {
                            let last = shape.last().copied().unwrap_or(1);
                            kernels::top_k(x, last, *k, *largest)
                        }
                        Op::Softmax => {
                            let last = shape.last().copied().unwrap_or(1);
                            kernels::softmax(x, last, node.source == "LogSoftmax")
                        }
                    }
                }
            };
            values.insert(id, result);
        }
        values
    }
}
