//! Thresholds on elements rather than on sums: mostly the quantizer in front of the first layer.

use crate::finish::{Finish, Pixel};
use crate::kernel::Kernel;
use crate::layout::{Form, Layout, Store};
use streamline::Thresholds;

/// A threshold layer made ready.
#[derive(Debug, Clone)]
pub(crate) struct Elementwise {
    kernel: Kernel,
    input: Layout,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    /// Byte to bit: the least byte of each channel that gives a 1.
    Bits { pixel_words: usize, limits: Vec<u8> },
    /// Byte to byte: tables that the elements take in turn.
    Table(Vec<[u8; 256]>),
    /// Thresholds for each channel, and whether each pixel has its own.
    Finish { finish: Finish, by_pixel: bool },
}

/// More tables than this are worth less than comparisons.
const MOST_TABLES: usize = 8;

impl Elementwise {
    pub(crate) fn new(kernel: Kernel, t: &Thresholds, input: Layout, output: Layout) -> Self {
        let rule = bits(t, input, output).or_else(|| table(t, input, output));
        let rule = rule.unwrap_or_else(|| {
            let (rows, thresholds) = (input.map.channels, t.values.nrows());
            let by_pixel = thresholds > rows;
            let classes = if by_pixel { input.map.pixels() } else { 1 };
            let wide = input.form == Form::Wide;
            let constants = vec![0; rows * classes];
            let finish = Finish::new(output, rows, constants, Some(t), wide);
            Rule::Finish { finish, by_pixel }
        });
        Self { kernel, input, rule }
    }

    /// Runs a frame.
    pub(crate) fn run(&self, input: &Store, memory: &mut (Vec<i32>, Pixel), output: &mut Store) {
        let map = self.input.map;
        match (&self.rule, input, &mut *output) {
            (Rule::Bits { pixel_words, limits }, Store::Bytes(bytes), Store::Bits(words)) => {
                for pixel in 0..map.pixels() {
                    let bytes = &bytes[pixel * map.channels..][..map.channels];
                    let words = &mut words[pixel * pixel_words..][..*pixel_words];
                    self.kernel.bytes_at_least(bytes, limits, words);
                }
            }
            (Rule::Table(tables), Store::Bytes(from), Store::Bytes(to)) => {
                if let [table] = &tables[..] {
                    self.kernel.look_up(table, from, to);
                    return;
                }
                let count = tables.len();
                for (from, to) in from.chunks(count).zip(to.chunks_mut(count)) {
                    for ((from, to), table) in from.iter().zip(to).zip(tables) {
                        *to = table[usize::from(*from)];
                    }
                }
            }
            (Rule::Finish { finish, by_pixel }, _, _) => {
                let (numbers, pixel) = memory;
                for at in 0..map.pixels() {
                    let class = if *by_pixel { at } else { 0 };
                    if let Store::Wide(wide) = input {
                        let wide = &wide[at * map.channels..][..map.channels];
                        finish.wide_pixel((at, class), wide, pixel, output);
                        continue;
                    }
                    numbers.resize(map.channels, 0);
                    self.input.read(input, at, numbers);
                    let which = (at..at + 1, &[class as u32][..]);
                    finish.pixels(self.kernel, which, (numbers, map.channels), pixel, output);
                }
            }
            (Rule::Bits { .. } | Rule::Table(_), _, _) => {
                unreachable!("made for bytes")
            }
        }
    }
}

/// One threshold that a byte can reach, for each channel.
fn bits(t: &Thresholds, input: Layout, output: Layout) -> Option<Rule> {
    let codes = [0, 1].map(|level| output.element.encode(t.value(level)));
    let one = t.values.ncols() == 1 && codes == [0, 1];
    let forms = input.form == Form::Bytes && output.form == Form::Bits;
    let (rows, channels) = (t.values.nrows(), input.map.channels);
    if !(one && forms && rows <= channels) {
        return None;
    }
    let limit = |channel: usize| -> Option<u8> {
        let least = t.values[[channel % rows, 0]].saturating_sub(input.element.min());
        least.max(0).try_into().ok()
    };
    let limits = (0..channels).map(limit).collect::<Option<_>>()?;
    Some(Rule::Bits { pixel_words: output.pixel_words(), limits })
}

/// What each byte becomes.
fn table(t: &Thresholds, input: Layout, output: Layout) -> Option<Rule> {
    let rows = t.values.nrows();
    let forms = input.form == Form::Bytes && output.form == Form::Bytes;
    if !forms || rows > MOST_TABLES {
        return None;
    }
    let table = |row: usize| {
        std::array::from_fn(|byte| {
            let number = byte as i64 + input.element.min();
            let level = t.values.row(row).iter().filter(|&&limit| number >= limit).count();
            (t.value(level as i64) - output.element.min()) as u8
        })
    };
    Some(Rule::Table((0..rows).map(table).collect()))
}
