//! Closing a segment: its operators become thresholds of the layer in front of them.

use crate::decide::{Grid, Occurring, not_quantized, staircase};
use crate::edges::Edges;
use crate::linear::{Linear, Values};
use crate::lower::{Decide, Source, Walk};
use crate::network::{KnifeEdge, Layer, LayerOp, Thresholds};
use crate::segment::{Segment, Start};
use diagnostic::{Code, Diagnostic, Result};
use graph::Direction;
use tensor::{ElementType, Map};

/// The most bits of integers that are tried for standing for their values as they are.
const MOST_BITS: u32 = 16;

/// One row of thresholds to be found.
struct Row<'s> {
    segment: &'s Segment,
    element: usize,
    occurring: Occurring,
    /// The way in which the integers that are compared count; `None` for the way that makes the
    /// output rise.
    counts: Option<i64>,
}

/// Thresholds of many rows.
struct Decided {
    thresholds: Thresholds,
    step: f64,
    /// By row: -1 where the compared integers are negated.
    inputs: Vec<i64>,
    /// By row: -1 where the output stands for its negative.
    outputs: Vec<i64>,
}

impl Walk<'_> {
    /// Ends the segment: what it starts from gets its decisions, and the integers behind them are
    /// the edge to the next layer.
    pub(crate) fn close(&mut self) -> Result<Values> {
        match std::mem::replace(&mut self.source, Source::Input) {
            Source::Input => {
                let element = self.input.element;
                let values = Values {
                    element,
                    map: self.input.map,
                    step: 1.0,
                    offsets: vec![0.0],
                    low: element.min(),
                    high: element.max(),
                    signs: vec![1],
                };
                self.close_values(values)
            }
            Source::Values(values) if self.segment.len() == 0 => Ok(values),
            Source::Values(values) => self.close_values(values),
            Source::Linear(linear) if self.segment.has_quantizer() => self.close_linear(*linear),
            Source::Linear(linear) if linear.is_average() => self.close_sums(*linear),
            Source::Linear(_) => Err(not_quantized(&self.segment)),
        }
    }

    /// The same in front of an average, which can sum up the sums of a linear layer too.
    pub(crate) fn close_or_sum(&mut self) -> Result<Values> {
        match &self.source {
            Source::Linear(linear) if !self.segment.has_quantizer() => {
                let linear = Linear::clone(linear);
                self.close_sums(linear)
            }
            Source::Input | Source::Values(_) | Source::Linear(_) => self.close(),
        }
    }

    /// Ends the segment after a linear layer whose sums go on as they are.
    fn close_sums(&mut self, linear: Linear) -> Result<Values> {
        let Start::Affine { scale, offset, divisor } = &mut self.segment.start else {
            unreachable!("a linear layer came before")
        };
        if linear.is_average() && !linear.is_alike_at_borders() {
            return Err(Diagnostic::new(
                Code::UnsupportedStructure,
                "the averages at the border are of fewer elements, and no quantizer follows",
            )
            .node(self.segment.nodes.join(", "))
            .hint("count the padding (count_include_pad=1), or quantize the averages"));
        }
        let as_they_are = scale.iter().all(|s| *s == scale[0]) && linear.is_alike_at_borders();
        if !as_they_are || !linear.pools.is_empty() {
            return Err(not_quantized(&self.segment));
        }
        let (map, step, offsets) = (linear.map, scale[0] / *divisor, offset.clone());
        // One entry for all elements, or one for each.
        *scale = vec![scale[0]];
        if offsets.len() > 1 {
            *offset = (0..map.elements()).map(|e| offsets[e % offsets.len()]).collect();
        }
        let all = linear.all_occurring().into_iter().reduce(Occurring::or).expect("a row");
        let element = self.push_sums(linear);
        let (low, high, signs) = (all.low, all.high, vec![1]);
        let values = Values { element, map, step, offsets, low, high, signs };
        if self.segment.len() == 0 { Ok(values) } else { self.close_values(values) }
    }

    /// A linear layer without decisions; gives the type of its sums.
    pub(crate) fn push_sums(&mut self, linear: Linear) -> ElementType {
        let rows = linear.all_occurring();
        let all = rows.iter().copied().reduce(Occurring::or).expect("a row");
        // An average of levels that are not negative has no negative sums either.
        let low = if linear.is_average() { all.low } else { all.low.min(-1) };
        let element = ElementType::smallest(low, all.high);
        let (map, name) = (linear.map, self.next_name(linear.stem()));
        let op = linear.finish(&vec![1; rows.len()], None);
        self.push(name, map, element, op);
        element
    }

    /// Ends a segment that starts from integers on an edge: a threshold layer, or nothing when the
    /// integers already stand for the values up to a scale and an offset.
    fn close_values(&mut self, from: Values) -> Result<Values> {
        let step = if from.element == ElementType::Bipolar { 2 } else { 1 };
        let occurring = Occurring { low: from.low, high: from.high, step };
        if let Some(values) = self.affine(&from, occurring) {
            return Ok(values);
        }
        let segment = self.segment.clone();
        let rows = if segment.is_uniform() {
            1
        } else if segment.is_alike_at_all_pixels(from.map.channels) {
            from.map.channels
        } else {
            from.map.elements()
        };
        let name = self.next_name("quantizer");
        let row = |element| Row { segment: &segment, element, occurring, counts: Some(1) };
        let decided = self.decide(&name, &(0..rows).map(row).collect::<Vec<_>>());
        let decided = decided.map_err(|e| match e.code {
            Code::NotQuantized if !segment.has_quantizer() => no_common_step(&segment),
            _ => e,
        })?;
        let values = decided.values(from.map);
        self.push(name, from.map, values.element, LayerOp::Threshold(decided.thresholds));
        Ok(values)
    }

    /// The integers themselves, when every value is `step * (sign * n + offset)` of them, with one step
    /// for all channels.
    fn affine(&self, from: &Values, occurring: Occurring) -> Option<Values> {
        let channels = from.map.channels;
        if !self.segment.is_alike_at_all_pixels(channels) || from.element.bits() > MOST_BITS {
            return None;
        }
        let elements = if self.segment.is_uniform() { 1 } else { channels };
        let value = |element, n| self.segment.eval::<f64>(element, n);
        let (first, last) = (occurring.low, occurring.high);
        let rise = |element| value(element, last) - value(element, first);
        let step = rise(0).abs() / (last - first) as f64;
        if step == 0.0 || !step.is_finite() {
            return None;
        }
        // A pixel over 255 is rounded to float32: an error relative to the largest, not to a step.
        let rounding = f64::from(f32::EPSILON) * rise(0).abs() + 1e-6 * step;
        let (mut signs, mut offsets) = (Vec::new(), Vec::new());
        for element in 0..elements {
            let sign = if rise(element) < 0.0 { -1 } else { 1 };
            let offset = (value(element, first) / step - (sign * first) as f64) * 2.0;
            let nearly = (offset - offset.round()).abs() < 1e-6;
            let offset = if nearly { offset.round() / 2.0 } else { offset / 2.0 };
            let line = |n: i64| step * ((sign * n) as f64 + offset);
            let mut codes = (first..=last).step_by(occurring.step as usize);
            if !codes.all(|n| (value(element, n) - line(n)).abs() <= rounding) {
                return None;
            }
            signs.push(sign);
            offsets.push(offset);
        }
        let several = last - first > occurring.step;
        let worthwhile = several || offsets.iter().all(|&offset| offset == 0.0);
        worthwhile.then(|| Values { step, offsets, signs, ..from.clone() })
    }

    /// Ends the segment after a linear layer with thresholds.
    pub(crate) fn close_linear(&mut self, linear: Linear) -> Result<Values> {
        let (channels, rows) = (linear.map.channels, linear.weights.nrows());
        if !self.segment.is_alike_at_all_pixels(channels) {
            return Err(differs_by_pixel(&self.segment));
        }
        let name = self.next_name(linear.stem());
        let counts = self.pooled_counts(&linear, rows)?;
        let classes = 0..linear.occurring.len();
        let segments: Vec<Segment> =
            classes.map(|class| self.segment.of_class(&linear, class)).collect();
        let mut all = Vec::new();
        for (segment, occurring) in segments.iter().zip(&linear.occurring) {
            for (element, &occurring) in occurring.iter().enumerate() {
                // All classes of a row count alike: as in the first class.
                let counts = counts.as_ref().map(|counts| counts[element]);
                all.push(Row { segment, element, occurring, counts });
            }
        }
        let decided = self.decide(&name, &all)?;
        let mut values = decided.values(linear.map);
        values.signs.truncate(rows);
        let signs = decided.inputs[..rows].to_vec();
        let alike = |v: &[i64]| v.chunks(rows).all(|class| class == &v[..rows]);
        if !alike(&decided.inputs) || !alike(&decided.outputs) {
            return Err(differs_by_pixel(&self.segment));
        }
        let (map, pools) = (linear.map, linear.pools.clone());
        let op = linear.finish(&signs, Some(decided.thresholds));
        self.push(name, map, values.element, op);
        for (pool, _) in pools {
            let map = pool.window.over(pool.input, pool.input.channels).expect("checked: it fits");
            let name = self.next_name("pool");
            self.push(name, map, values.element, LayerOp::Pool(pool));
            values.map = map;
        }
        Ok(values)
    }

    /// Which way the sums of each row must count so that the largest level of a pool's window is
    /// that of its largest value; `None` without a pool.
    fn pooled_counts(&self, linear: &Linear, rows: usize) -> Result<Option<Vec<i64>>> {
        let way = |end: usize, row: usize| match self.segment.first(end).direction(row) {
            Direction::Increasing | Direction::Constant => Some(1),
            Direction::Decreasing => Some(-1),
            Direction::Unknown => None,
        };
        let mut counts: Option<Vec<i64>> = None;
        for &(_, operators) in &linear.pools {
            let ways: Option<Vec<i64>> = (0..rows).map(|row| way(operators, row)).collect();
            let fits = counts.is_none() || counts == ways;
            counts = ways;
            if counts.is_none() || !fits {
                return Err(Diagnostic::new(
                    Code::UnsupportedStructure,
                    "the operators in front of a max-pool do not rise or fall everywhere",
                )
                .node(self.segment.nodes.join(", "))
                .hint("put the max-pool behind the quantizer"));
            }
        }
        Ok(counts)
    }

    /// Thresholds of all rows, in the format that decides, with the knife edges of the other.
    fn decide(&mut self, layer: &str, rows: &[Row<'_>]) -> Result<Decided> {
        let narrow_decides = self.options.decide == Decide::Float32;
        let mut wide = Vec::with_capacity(rows.len());
        let mut narrow = Vec::with_capacity(rows.len());
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        for row in rows {
            let mut pair = [
                staircase::<f64>(row.segment, row.element, row.occurring)?,
                staircase::<f32>(row.segment, row.element, row.occurring)?,
            ];
            if narrow_decides {
                pair.reverse();
            }
            let [decides, other] = pair;
            let counts = row.counts.unwrap_or(decides.sign);
            let (decides, output) = decides.on(counts);
            inputs.push(counts);
            outputs.push(output);
            wide.push(decides);
            narrow.push(other.on(counts).0);
        }
        let segment = rows[0].segment;
        let grid = Grid::of(segment, &wide)?;
        let thresholds = grid.thresholds(&wide);
        let other = grid.thresholds(&narrow);
        let mut found: Vec<KnifeEdge> = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            let edges = Edges {
                segment: row.segment,
                row: row.element,
                place,
                sign: inputs[place],
                occurring: row.occurring,
                layer,
            };
            for edge in edges.find(&thresholds, &other, self.options.decide) {
                if !found.contains(&edge) {
                    found.push(edge);
                }
            }
        }
        self.knife_edges.extend(found);
        Ok(Decided { thresholds, step: grid.step, inputs, outputs })
    }

    /// A name that no layer has yet.
    pub(crate) fn next_name(&self, stem: &str) -> String {
        let numbered = |name: &str| {
            name.strip_prefix(stem).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        let count = match stem {
            // The quantizers count all layers.
            "quantizer" => self.layers.len(),
            _ => self.layers.iter().filter(|l| numbered(&l.name)).count(),
        };
        format!("{stem}{count}")
    }

    pub(crate) fn push(&mut self, name: String, map: Map, element: ElementType, op: LayerOp) {
        let nodes = std::mem::take(&mut self.segment.nodes);
        self.layers.push(Layer { name, nodes, element, map, op });
    }
}

impl Decided {
    /// The integers that the levels are.
    fn values(&self, map: Map) -> Values {
        let (low, high) = self.thresholds.range();
        Values {
            element: output_type(&self.thresholds),
            map,
            step: self.step,
            offsets: vec![0.0],
            low,
            high,
            signs: self.outputs.clone(),
        }
    }
}

/// What the values of an edge stand for.
pub(crate) fn start_of(values: &Values) -> Segment {
    // One entry for all elements, or one for each.
    let alike = values.signs.len() == 1 && values.offsets.len() == 1;
    let elements = if alike { 1 } else { values.map.elements() };
    let scale = (0..elements).map(|e| values.step * values.sign(e) as f64).collect();
    let offset = (0..elements).map(|e| values.offset(e) * values.sign(e) as f64).collect();
    Segment::new(Start::Affine { scale, offset, divisor: 1.0 })
}

fn no_common_step(segment: &Segment) -> Diagnostic {
    let text = "the values here are no multiples of one step for all channels, and not quantized";
    Diagnostic::new(Code::NotQuantized, text).node(segment.nodes.join(", ")).hint(
        "put a quantizer behind the normalisation: 1 to 8 bits, one scale for all channels; or \
         choose one with --input-planes",
    )
}

pub(crate) fn differs_by_pixel(segment: &Segment) -> Diagnostic {
    Diagnostic::new(Code::UnsupportedStructure, "the operators differ from pixel to pixel")
        .node(segment.nodes.join(", "))
        .hint("use the same parameters at all pixels of a channel")
}

pub(crate) fn output_type(thresholds: &Thresholds) -> ElementType {
    let (low, high) = thresholds.range();
    if thresholds.bipolar { ElementType::Bipolar } else { ElementType::smallest(low, high) }
}
