//! Parallel windows in a folding: what they need.

use crate::build::style;
use crate::file::{LayerFold, divisors};
use crate::map_units::needs_window;
use dataflow::{MemoryStyle, ParallelWindow};
use diagnostic::{Code, Diagnostic};
use engines::full_rate_credits;
use engines::parallel_window::{Raster, latency};
use streamline::{Conv, Layer, LayerOp, Padding};
use tensor::{ElementType, Map, Surround, Window};

/// Largest number of pixels at once that the search tries.
const MOST_PIXELS: usize = 16;

/// The parallel window unit of a layer for words of `lanes` elements.
pub(crate) fn unit(
    map: Map,
    window: Window,
    pixels: usize,
    padding: Surround,
    lanes: usize,
    lines: Option<MemoryStyle>,
) -> ParallelWindow {
    let mut unit =
        ParallelWindow { map, window, pixels, padding, memory: MemoryStyle::Lut, credits: 1 };
    unit.memory = style(lines, Raster::of(&unit, lanes).delay());
    unit.credits = full_rate_credits(latency(&unit), 1);
    unit
}

/// What stands around the input of a convolution, as codes that the hardware can make: a zero that
/// the type does not hold is left to the thresholds.
pub(crate) fn around(conv: &Conv, element: ElementType) -> Surround {
    match &conv.padding {
        Padding::Nothing => Surround::of(vec![element.decode(0)]),
        Padding::Value(values) => values.clone(),
    }
}

/// The numbers of pixels at once that a window can take, ascending: those that the search tries.
pub fn pixels_at_once(map: Map, window: Window) -> Vec<usize> {
    let divides = |&pixels: &usize| {
        let (padding, memory) = (Surround::of(vec![0]), MemoryStyle::Lut);
        ParallelWindow { map, window, pixels, padding, memory, credits: 1 }.is_possible()
    };
    divisors(map.width).into_iter().filter(|&p| p <= MOST_PIXELS).filter(divides).collect()
}

/// Checks `parallel_window` and `pixels`, and the PE, SIMD and lanes that follow from them.
pub(crate) fn check(layer: &Layer, fold: &LayerFold, errors: &mut Vec<Diagnostic>) {
    let name = &layer.name;
    let mut refuse = |text: String, hint: String| {
        errors.push(Diagnostic::new(Code::FoldInvalid, text).node(name.clone()).hint(hint));
    };
    let pixels = fold.pixels.unwrap_or(1);
    let (map, window, one_tap) = match &layer.op {
        LayerOp::Conv(conv) if conv.groups == 1 => (conv.input, conv.window, !needs_window(conv)),
        LayerOp::Pool(pool) => (pool.input, pool.window, false),
        LayerOp::Conv(_)
        | LayerOp::Threshold(_)
        | LayerOp::Dense(_)
        | LayerOp::ChannelAffine(_)
        | LayerOp::LabelSelect { .. } => {
            if fold.parallel_window || fold.pixels.is_some() {
                refuse(
                    format!("`parallel_window` and `pixels` have no meaning for layer `{name}`"),
                    "they are for pools, and for convolutions without groups".into(),
                );
            }
            return;
        }
    };
    if fold.parallel_window && one_tap {
        refuse(
            format!("the windows of `{name}` have a single tap"),
            "leave parallel_window out".into(),
        );
    }
    if pixels > 1 && !fold.parallel_window && !one_tap {
        refuse(
            format!("`{name}` takes several pixels at once but no parallel windows"),
            "add parallel_window = true".into(),
        );
    }
    let legal = pixels_at_once(map, window);
    if fold.parallel_window && legal.is_empty() {
        refuse(
            format!("the first window of `{name}` lies in the padding"),
            "leave parallel_window out".into(),
        );
    } else if pixels != 1 && !legal.contains(&pixels) {
        refuse(
            format!("{pixels} pixels at once do not divide the rows of `{name}`"),
            format!("use one of {}", listed(&legal)),
        );
    }
    let LayerOp::Conv(conv) = &layer.op else {
        if pixels > 1 && fold.lanes.is_some_and(|lanes| lanes != map.channels) {
            let text = format!("several pixels at once need all channels of `{name}`");
            refuse(text, format!("use lanes = {}", map.channels));
        }
        return;
    };
    let (rows, columns) = conv.dense.weights.dim();
    if pixels > 1 && (fold.pe, fold.simd) != (Some(rows), Some(columns)) {
        let text = format!("several pixels at once need the whole matrix of `{name}` in parallel");
        refuse(text, format!("use pe = {rows} and simd = {columns}"));
    }
    if fold.parallel_window {
        let taps = window.taps();
        let legal: Vec<usize> = divisors(map.channels).iter().map(|l| l * taps).collect();
        if !fold.simd.is_some_and(|simd| legal.contains(&simd)) {
            let text = format!("SIMD of `{name}` does not make whole windows of {taps} taps");
            refuse(text, format!("use one of {}", listed(&legal)));
        }
    }
}

fn listed(values: &[usize]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
