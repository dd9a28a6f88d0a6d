//! Estimated resources of FIFOs, width converters and the adapters at the top.

use crate::{Resources, lut_ram};
use dataflow::{Add, Stream};

/// A FIFO in LUT RAM, or of two words in registers.
pub fn fifo_cost(depth: usize, bits: usize) -> Resources {
    if depth == 2 {
        return Resources::logic(bits as f64 / 2.0 + 6.0, 2.0 * bits as f64 + 2.0);
    }
    let pointer = f64::from(depth.next_power_of_two().ilog2().max(1));
    Resources::logic(lut_ram(depth, bits) + 3.0 * pointer + 4.0, 3.0 * pointer + 2.0)
}

/// A width converter: the narrow-to-wide one keeps a word and all parts but the last of the next, the
/// other two words.
pub fn width_cost(input: &Stream, output: &Stream) -> Resources {
    let wide = input.bits().max(output.bits()) as f64;
    let narrow = input.bits().min(output.bits()) as f64;
    let ratio = wide / narrow;
    let position = ratio.log2().ceil() + 3.0;
    if output.lanes > input.lanes {
        // Parts that may not come are zero.
        let partly = !input.words_per_pixel().is_multiple_of(output.lanes / input.lanes);
        let zeros = if partly { wide } else { 0.0 };
        Resources::logic(zeros + ratio + position, 2.0 * wide - narrow + position)
    } else {
        // A choice among the parts of two words.
        let choice = narrow * (2.0 * ratio / 4.0).ceil() * 1.3;
        Resources::logic(choice + 2.0 * position, 2.0 * wide + position + 3.0)
    }
}

/// Two streams added: a queue at each input, one behind the sums.
pub fn add_cost(add: &Add, inputs: impl Iterator<Item = usize>, output: &Stream) -> Resources {
    let queues: Resources = inputs.map(|bits| fifo_cost(add.depth, bits)).sum();
    let sums = Resources::logic(output.bits() as f64 + 2.0, 0.0);
    queues + sums + fifo_cost(add.credits, output.bits())
}

/// An AXI4-Stream adapter with its two-word FIFO.
pub fn adapter_cost(stream: &Stream) -> Resources {
    let counter = f64::from(stream.words_per_frame().next_power_of_two().ilog2().max(1));
    fifo_cost(2, stream.bits()) + Resources::logic(2.0 * counter + 12.0, counter + 8.0)
}
