//! Explicit padding that waits for the windows that it is for.

use crate::linear::Values;
use crate::lower::{Walk, label, refuse};
use crate::network::Padding;
use crate::segment::{Segment, Start};
use diagnostic::Result;
use graph::{Arithmetic, Elementwise, Node};
use std::rc::Rc;
use tensor::{Axis, Map, Surround, Window};

/// A constant around a map. The operators behind it change it too, each place on its own: that is how
/// padding comes in which is not the same everywhere.
#[derive(Debug, Clone)]
pub(crate) struct Margin {
    before: [usize; 2],
    after: [usize; 2],
    value: f32,
    /// The map with its margin.
    map: Map,
    /// The operators behind the padding, on the elements of that map in stream order.
    behind: Segment,
    /// For each element without the margin its index in the map with it, both in stream order.
    inside: Vec<usize>,
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
        let arrangement = self.map_in_order(node, from)?;
        if self.margin.is_some() {
            return Err(refuse(node, "a padded map is padded again")
                .hint("use one Pad in front of a convolution or pool"));
        }
        let Map { height, width, channels } = arrangement.map;
        let map = Map::of_shape(&node.shape).expect("checked: a map");
        let place = |y: usize, x: usize| (y + before[0]) * map.width + x + before[1];
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| place(y, x)));
        let inside = pixels.flat_map(|p| p * channels..(p + 1) * channels).collect();
        self.order = Rc::new(arrangement.over(map).order());
        let behind = Segment::new(Start::integers());
        let name = label(node);
        self.margin = Some(Margin { before, after, value, map, behind, inside, name });
        Ok(())
    }

    /// An operator on each element, of the map and of what stands around it.
    pub(crate) fn elementwise(&mut self, name: &str, op: &Elementwise, shape: &[usize]) {
        let Some(margin) = &mut self.margin else {
            self.segment.push(name, op, shape, &self.order);
            return;
        };
        margin.behind.push(name, op, shape, &self.order);
        let order: Vec<usize> = margin.inside.iter().map(|&e| self.order[e]).collect();
        if adds_nothing(op, shape, &order) {
            self.segment.nodes.push(name.to_string());
        } else {
            self.segment.push(name, op, shape, &Rc::new(order));
        }
    }

    /// The window over the map without its margin, and what stands around it on the edge `values`:
    /// the margin, or else what the operator itself pads with.
    pub(crate) fn padded(
        &mut self,
        node: &Node,
        window: &Window,
        margin: Option<Margin>,
        values: &Values,
    ) -> Result<(Window, Padding)> {
        let channels = values.map.channels;
        let (window, standing) = match margin {
            None => (*window, [vec![0.0; channels], vec![0.0; channels]]),
            Some(margin) => {
                let standing = margin.standing(node)?;
                if window.is_padded() && !is_zero(&standing) {
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
        let integers = |set: &Vec<f64>| -> Option<Vec<i64>> {
            let all: Vec<i64> =
                (0..channels).map(|c| values.integer(c, set[c])).collect::<Option<_>>()?;
            Some(if all.iter().all(|&n| n == all[0]) { vec![all[0]] } else { all })
        };
        match (integers(&standing[0]), integers(&standing[1])) {
            (Some(even), Some(odd)) => Ok((window, Padding::Value(Surround::checkered(even, odd)))),
            _ if is_zero(&standing) => Ok((window, Padding::Nothing)),
            _ => {
                let text = "the padding is neither 0 nor a value that occurs in the map";
                Err(refuse(node, text)
                    .hint("pad with 0, or with a value of the quantizer in front"))
            }
        }
    }
}

fn is_zero(standing: &[Vec<f64>; 2]) -> bool {
    standing.iter().flatten().all(|&value| value == 0.0)
}

/// Whether an operator adds zeros at these places.
fn adds_nothing(op: &Elementwise, shape: &[usize], places: &[usize]) -> bool {
    let adds = match op {
        Elementwise::Arithmetic { op: Arithmetic::Add, .. } => true,
        Elementwise::Arithmetic { op: Arithmetic::Sub, constant_first, .. } => !constant_first,
        _ => false,
    };
    let bound = op.bind(shape);
    adds && places.iter().all(|&place| bound.parameter(0, place) == 0.0)
}

impl Margin {
    /// The node that pads.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The values that stand around the map, a value for each channel: where row + column is even,
    /// and where it is odd.
    fn standing(&self, node: &Node) -> Result<[Vec<f64>; 2]> {
        let Map { height, width, channels } = self.map;
        let along = |axis: usize, extent: usize| self.before[axis]..extent - self.after[axis];
        let (rows, columns) = (along(0, height), along(1, width));
        let mut sets: [Option<Vec<f64>>; 2] = [None, None];
        for (row, column) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            if rows.contains(&row) && columns.contains(&column) {
                continue;
            }
            let first = (row * width + column) * channels;
            let value = |c| self.behind.eval_from(0, first + c, f64::from(self.value));
            let values: Vec<f64> = (0..channels).map(value).collect();
            let set = sets[(row + column) % 2].get_or_insert_with(|| values.clone());
            if *set != values {
                let text = "what stands around the map differs from place to place";
                return Err(refuse(node, text)
                    .hint("it may be the same at all places, or alternate with row + column"));
            }
        }
        let nothing = || vec![0.0; channels];
        Ok(match sets {
            [Some(even), Some(odd)] => [even, odd],
            [Some(only), None] | [None, Some(only)] => [only.clone(), only],
            [None, None] => [nothing(), nothing()],
        })
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
