//! The operators that make layers: matrices, convolutions and pools.

use crate::channels::{Arrangement, Kernels};
use crate::close::start_of;
use crate::linear::{Linear, Reach, Values, start};
use crate::lower::{Source, Walk, label, refuse};
use crate::network::{LayerOp, Padding, Pool};
use crate::segment::{Segment, Start};
use diagnostic::Result;
use graph::{Node, PoolKind, QuantizedWeights};
use ndarray::Array2;
use std::rc::Rc;
use tensor::{Map, Window};

impl Walk<'_> {
    /// A matrix times the whole frame.
    pub(crate) fn dense(
        &mut self,
        node: &Node,
        from: &[usize],
        weights: &QuantizedWeights,
    ) -> Result<()> {
        let (rows, columns) = weights.integers.dim();
        if let Some(margin) = &self.margin {
            let text = format!("the padding of {} reaches no convolution", margin.name());
            return Err(refuse(node, &text));
        }
        if self.order.len() != columns {
            return Err(refuse(node, "the layer is applied to several vectors of a frame")
                .hint("flatten the tensor before the fully connected layer"));
        }
        self.reduce_planes(from)?;
        let values = self.close()?;
        let order = Rc::clone(&self.order);
        let by_stream = Array2::from_shape_fn((rows, columns), |(row, column)| {
            weights.integers[[row, order[column]]]
        });
        let map = Map::vector(rows);
        let linear = Linear::new(Reach::Dense, map, by_stream, &values);
        self.begin(node, start(weights, &values, &linear), linear, (0..rows).collect());
        Ok(())
    }

    /// A matrix times windows.
    pub(crate) fn conv(&mut self, node: &Node, from: &[usize], conv: &graph::Conv) -> Result<()> {
        let arrangement = self.map_in_order(node, from)?;
        let weights = conv.weights.quantize().map_err(|e| e.node(label(node)))?;
        self.reduce_planes(from)?;
        let margin = self.margin.take();
        let values = self.close()?;
        let (window, padding) = self.padded(node, &conv.window, margin, &values)?;
        let values = values.with_padding(&padding);
        let input = spatial(&values, from, &conv.window, &window);
        let channels = &arrangement.channels;
        let Kernels { weights, groups, rows } =
            Kernels::arrange(&weights, conv.groups, window.taps(), channels);
        let map = window.over(input, rows.len()).expect("checked: a window fits");
        let reach = Reach::Conv { input, window, groups, padding };
        let linear = Linear::new(reach, map, weights.integers.clone(), &values);
        self.begin(node, start(&weights, &values, &linear), linear, rows);
        Ok(())
    }

    /// Starts the segment behind a layer whose rows are these output channels of the model.
    fn begin(&mut self, node: &Node, start: Start, linear: Linear, channels: Vec<usize>) {
        self.order = Rc::new(Arrangement { map: linear.map, channels }.order());
        self.segment = Segment::new(start);
        self.segment.nodes.push(node.name.clone());
        self.source = Source::Linear(Box::new(linear));
    }

    /// A pool.
    pub(crate) fn pool(&mut self, node: &Node, from: &[usize], pool: &graph::Pool) -> Result<()> {
        match pool.kind {
            PoolKind::Max => self.max_pool(node, from, pool),
            PoolKind::Average => self.average(node, from, &pool.window, false),
            PoolKind::AverageInside => self.average(node, from, &pool.window, true),
        }
    }

    /// A mean: sums of each channel, of levels or else of the sums of the layer in front.
    fn average(&mut self, node: &Node, from: &[usize], own: &Window, inside: bool) -> Result<()> {
        let arrangement = self.map_in_order(node, from)?;
        let inside = inside && own.is_padded();
        if inside && let Some(margin) = &self.margin {
            let text = format!("the map of {} is padded again", margin.name());
            return Err(refuse(node, &text).hint("pad either in Pad or in the pool"));
        }
        self.reduce_planes(from)?;
        let margin = self.margin.take();
        let values = self.close_or_sum()?;
        let (window, padding) = self.padded(node, own, margin, &values)?;
        // Taps that are not counted must not add anything either.
        let padding = if inside { Padding::Nothing } else { padding };
        let values = values.with_padding(&padding);
        let input = spatial(&values, from, own, &window);
        let map = window.over(input, input.channels).expect("checked: a window fits");
        let taps = window.taps();
        let reach = Reach::Conv { input, window, groups: input.channels, padding };
        let linear = Linear::average(reach, map, taps, inside, &values);
        let start = Start::Affine {
            scale: vec![values.step],
            offset: linear.offset(0),
            divisor: linear.divisor(0),
        };
        self.begin(node, start, linear, arrangement.channels);
        Ok(())
    }

    /// A max-pool. Behind a quantizer it works on the quantizer's integers. In front of one it changes
    /// places with it: the level of the largest value is the largest level, when levels count the
    /// way in which values rise at the pool.
    fn max_pool(&mut self, node: &Node, from: &[usize], pool: &graph::Pool) -> Result<()> {
        let arrangement = self.map_in_order(node, from)?;
        let map = arrangement.map;
        let output = pool.window.over(map, map.channels).expect("checked: a window fits");
        if self.margin.is_some() {
            return Err(refuse(node, "a Pad stands in front of a max-pool")
                .hint("use the pads of the pool itself"));
        }
        if let Source::Linear(linear) = &mut self.source
            && !self.segment.has_quantizer()
        {
            let pool = Pool { input: map, window: pool.window, smallest: false };
            linear.pools.push((pool, self.segment.len()));
            self.segment.nodes.push(node.name.clone());
        } else {
            let values = self.close()?;
            let smallest = values.signs[0] < 0;
            if values.signs.iter().any(|&sign| (sign < 0) != smallest) {
                return Err(refuse(node, "some channels in front of the pool fall, others rise")
                    .hint("put the max-pool behind a quantizer that rises in all channels"));
            }
            self.segment.nodes.push(node.name.clone());
            let pool = Pool { input: map, window: pool.window, smallest };
            let name = self.next_name("pool");
            self.push(name, output, values.element, LayerOp::Pool(pool));
            let values = Values { map: output, ..values };
            self.segment = start_of(&values);
            self.source = Source::Values(values);
        }
        self.order = Rc::new(arrangement.over(output).order());
        Ok(())
    }
}

/// The map of an edge as a convolution sees it, without the margin that was put around it.
fn spatial(values: &Values, from: &[usize], own: &Window, whole: &Window) -> Map {
    let padded =
        |axis: usize| whole.before[axis] + whole.after[axis] - own.before[axis] - own.after[axis];
    let outer = Map::of_shape(from).expect("checked: a map");
    let (height, width) = (outer.height - padded(0), outer.width - padded(1));
    let map = Map { height, width, ..outer };
    debug_assert_eq!(map.elements(), values.map.elements());
    map
}
