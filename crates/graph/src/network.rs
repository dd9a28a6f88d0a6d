//! Nodes, edges and the graph that holds them.

use crate::Op;
use petgraph::Direction::{Incoming, Outgoing};
use petgraph::stable_graph::{NodeIndex, StableDiGraph};
use serde::{Deserialize, Serialize};
use tensor::ElementType;

/// Identifies a node of a [`Graph`].
pub type NodeId = NodeIndex<u32>;

/// One operator of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Unique name, as in the model where it has one. Untrusted text.
    pub name: String,
    /// The model's own operator, for messages (`BipolarQuant`, `Gemm`). Untrusted text.
    pub source: String,
    /// What it does.
    pub op: Op,
    /// Shape of its output, batch axis included.
    pub shape: Vec<usize>,
}

/// How a class follows from the outputs of a network that does not compute it itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClassRule {
    /// The largest output; the lowest index on ties.
    ArgMax,
    /// The highest index whose output is +1, else 0 (BNN-PYNQ's LFC networks).
    HighestSet,
}

/// The network as imported. The edge's weight is the input port of the node that it enters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Graph {
    /// The model's name: the file's stem.
    pub name: String,
    /// How classes follow from the outputs.
    pub class_rule: ClassRule,
    graph: StableDiGraph<Node, u32>,
    input: Option<NodeId>,
    output: Option<NodeId>,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            class_rule: ClassRule::ArgMax,
            graph: StableDiGraph::default(),
            input: None,
            output: None,
        }
    }

    /// Adds the network's input.
    pub fn input(
        &mut self,
        name: &str,
        shape: Vec<usize>,
        annotation: Option<ElementType>,
    ) -> NodeId {
        let op = Op::Input { annotation };
        let node = Node { name: name.into(), source: "Input".into(), op, shape };
        let id = self.graph.add_node(node);
        self.input = Some(id);
        id
    }

    /// Adds a node with one data input.
    pub fn add(
        &mut self,
        name: &str,
        source: &str,
        op: Op,
        from: NodeId,
        shape: Vec<usize>,
    ) -> NodeId {
        let node = Node { name: name.into(), source: source.into(), op, shape };
        let id = self.graph.add_node(node);
        self.graph.add_edge(from, id, 0);
        id
    }

    /// Declares the network's output.
    pub fn set_output(&mut self, id: NodeId) {
        self.output = Some(id);
    }

    /// The input node, once there is one.
    pub fn input_id(&self) -> Option<NodeId> {
        self.input
    }

    /// The output node, once it is set.
    pub fn output_id(&self) -> Option<NodeId> {
        self.output
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.graph[id]
    }

    /// A node, to change it.
    pub fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.graph[id]
    }

    /// All nodes, in no particular order.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &Node)> {
        self.graph.node_indices().map(|id| (id, &self.graph[id]))
    }

    /// The nodes that a node reads, in the order of its ports.
    pub fn inputs_of(&self, id: NodeId) -> Vec<NodeId> {
        let mut sources: Vec<(u32, NodeId)> = self
            .graph
            .edges_directed(id, Incoming)
            .map(|e| (*e.weight(), petgraph::visit::EdgeRef::source(&e)))
            .collect();
        sources.sort_unstable();
        sources.into_iter().map(|(_, source)| source).collect()
    }

    /// The nodes that read a node.
    pub fn readers_of(&self, id: NodeId) -> Vec<NodeId> {
        self.graph.neighbors_directed(id, Outgoing).collect()
    }

    /// Nodes from the input to the output, each after those that it reads; `None` with a cycle.
    pub fn sorted(&self) -> Option<Vec<NodeId>> {
        petgraph::algo::toposort(&self.graph, None).ok()
    }

    /// The chain of nodes from the input to the output, when no node has several readers.
    pub fn chain(&self) -> Option<Vec<NodeId>> {
        let (mut at, output) = (self.input?, self.output?);
        let mut chain = vec![at];
        while at != output {
            let readers = self.readers_of(at);
            let [next] = readers.as_slice() else { return None };
            at = *next;
            chain.push(at);
        }
        Some(chain)
    }
}
