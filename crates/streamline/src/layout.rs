//! Where the elements of a stream lie in the tensors of the model.

use diagnostic::{Code, Diagnostic, Result};
use graph::{Graph, NodeId, Op};
use tensor::Map;

/// For each place of a tensor of shape `from` its place after permuting the axes.
pub(crate) fn transposed_places(from: &[usize], to: &[usize], axes: &[usize]) -> Vec<usize> {
    let strides = row_major_strides(from);
    let mut places = vec![0; to.iter().product()];
    for (new, coordinates) in ndarray::indices(to).into_iter().enumerate() {
        let old: usize =
            axes.iter().enumerate().map(|(i, &axis)| coordinates[i] * strides[axis]).sum();
        places[old] = new;
    }
    places
}

/// The map that the network's input is, and whether its channels come last in the model. It is what
/// the first operator that knows rows and columns takes it for.
///
/// # Errors
/// `unsupported-structure` when elements reach that operator in another order.
pub(crate) fn of_input(graph: &Graph, chain: &[NodeId]) -> Result<(Map, bool)> {
    let shape = &graph.node(chain[0]).shape;
    // For each place of the input its place in the present tensor.
    let mut places: Vec<usize> = (0..shape.iter().product()).collect();
    for pair in chain.windows(2) {
        let (from, node) = (&graph.node(pair[0]).shape, graph.node(pair[1]));
        match &node.op {
            Op::Transpose(axes) => {
                let moved = transposed_places(from, &node.shape, axes);
                places.iter_mut().for_each(|place| *place = moved[*place]);
            }
            Op::Conv(_) | Op::Pool(_) | Op::Pad { .. } => {
                let map = Map::of_shape(from).filter(|map| map.elements() == places.len());
                return match map {
                    // The stream's n-th element is the input's n-th.
                    Some(map) if is_laid_out(&places, map, true) => Ok((map, true)),
                    Some(map) if is_laid_out(&places, map, false) => Ok((map, false)),
                    _ => Err(Diagnostic::new(
                        Code::UnsupportedStructure,
                        "it cannot be told where rows, columns and channels are in the input",
                    )
                    .node(format!("{} ({})", node.name, node.source))
                    .hint("give the model an input [N, C, H, W] or [N, H, W, C]")),
                };
            }
            Op::MatMul(_) => break,
            Op::Input { .. } | Op::Elementwise(_) | Op::Reshape | Op::TopK { .. } | Op::Softmax => {
            }
        }
    }
    Ok(match *shape.as_slice() {
        [_, channels, height, width] => (Map { height, width, channels }, false),
        _ => (Map::vector(places.len()), false),
    })
}

/// Whether elements whose places in a map are these have the channels of a pixel together, or else whole
/// channels one after another; in either case channels may be in any order.
fn is_laid_out(places: &[usize], map: Map, channels_last: bool) -> bool {
    let pixels = map.pixels();
    let mut channels = vec![None; map.channels];
    places.iter().enumerate().all(|(index, place)| {
        let (pixel, channel) = if channels_last {
            (index / map.channels, index % map.channels)
        } else {
            (index % pixels, index / pixels)
        };
        let found = place / pixels;
        place % pixels == pixel && *channels[channel].get_or_insert(found) == found
    })
}

fn row_major_strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for i in (0..shape.len().saturating_sub(1)).rev() {
        strides[i] = strides[i + 1] * shape[i + 1];
    }
    strides
}
