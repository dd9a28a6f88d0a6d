//! Explicit padding that waits for the windows that it is for.

use crate::linear::Values;
use crate::lower::{Walk, label, refuse};
use crate::network::{Padding, channels_first};
use crate::segment::Segment;
use diagnostic::Result;
use graph::Node;
use std::rc::Rc;
use tensor::{Axis, Map, Window};

/// A constant around a map. The operators behind it change it too.
#[derive(Debug, Clone)]
pub(crate) struct Margin {
    before: [usize; 2],
    after: [usize; 2],
    value: f32,
    /// The operators of the segment in front of it.
    operators: usize,
    /// The node, for messages.
    name: String,
}

impl Walk<'_> {
    /// Notes explicit padding.
    pub(crate) fn pad(
        &mut self,
        node: &Node,
        from: &[usize],
        before: [usize; 2],
        after: [usize; 2],
        value: f32,
    ) -> Result<()> {
        self.map_in_order(node, from)?;
        if self.margin.is_some() {
            return Err(refuse(node, "a padded map is padded again")
                .hint("use one Pad in front of a convolution or pool"));
        }
        let map = Map::of_shape(&node.shape).expect("checked: a map");
        self.order = Rc::new(channels_first(map));
        let operators = self.segment.len();
        self.margin = Some(Margin { before, after, value, operators, name: label(node) });
        Ok(())
    }

    /// The window over the map without its margin, and what stands around it on the edge `values`:
    /// the margin, or else what the operator itself pads with.
    pub(crate) fn padded(
        &mut self,
        node: &Node,
        window: &Window,
        margin: Option<(Margin, Segment)>,
        values: &Values,
    ) -> Result<(Window, Padding)> {
        let channels = values.map.channels;
        let (window, standing): (Window, Vec<f64>) = match margin {
            None => (*window, vec![0.0]),
            Some((margin, segment)) => {
                let of = |c| segment.eval_from(margin.operators, c, f64::from(margin.value));
                let standing: Vec<f64> = (0..channels).map(of).collect();
                if window.is_padded() && standing.iter().any(|&v| v != 0.0) {
                    let text = "a padded map is padded again with zeros";
                    return Err(refuse(node, text).hint("pad either in Pad or in the convolution"));
                }
                let add = |a: [usize; 2], b: [usize; 2]| [a[0] + b[0], a[1] + b[1]];
                let before = add(window.before, margin.before);
                let after = add(window.after, margin.after);
                (Window { before, after, ..*window }, standing)
            }
        };
        check_padding(node, &window)?;
        let integer = |c: usize| values.integer(c, standing[c % standing.len()]);
        let integers: Option<Vec<i64>> = (0..channels).map(integer).collect();
        match integers {
            Some(integers) if integers.iter().all(|&n| n == integers[0]) => {
                Ok((window, Padding::Value(vec![integers[0]])))
            }
            Some(integers) => Ok((window, Padding::Value(integers))),
            None if standing.iter().all(|&v| v == 0.0) => Ok((window, Padding::Nothing)),
            None => {
                let text = "the padding is neither 0 nor a value that occurs in the map";
                Err(refuse(node, text)
                    .hint("pad with 0, or with a value of the quantizer in front"))
            }
        }
    }

    /// The map that reaches an operator with rows and columns.
    pub(crate) fn map_in_order(&self, node: &Node, shape: &[usize]) -> Result<Map> {
        let map = Map::of_shape(shape).filter(|map| map.elements() == self.order.len());
        match map {
            Some(map) if *self.order == channels_first(map) => Ok(map),
            _ => Err(refuse(node, "the map's elements were put into another order on the way")
                .hint("keep rows, columns and channels together between layers")),
        }
    }
}

/// Refuses padding that whole windows lie in.
fn check_padding(node: &Node, window: &Window) -> Result<()> {
    for axis in [Axis::Rows, Axis::Columns] {
        let (before, after) = (window.before[axis as usize], window.after[axis as usize]);
        if before.max(after) >= window.reach(axis) {
            let text = format!(
                "{before} and {after} places of padding are not less than the {} of the kernel",
                window.reach(axis)
            );
            return Err(refuse(node, &text)
                .hint("pad by less than the kernel on each side, e.g. by half of it"));
        }
    }
    Ok(())
}

impl Margin {
    /// The node that pads.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}
