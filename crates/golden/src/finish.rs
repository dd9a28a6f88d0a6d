//! From sums to what a layer puts out: thresholds, or the sums themselves.

use crate::kernel::{Kernel, LimitJob};
use crate::layout::{Layout, Store};
use std::ops::Range;
use streamline::Thresholds;
use tensor::ElementType;

/// What becomes of the sums of a pixel. A pixel has a class, which chooses among rows of constants
/// and thresholds.
#[derive(Debug, Clone)]
pub(crate) struct Finish {
    /// How the pixels are held.
    output: Layout,
    /// Rows of a pixel.
    rows: usize,
    /// What each sum of a class lacks of the accumulator: class after class.
    constants: Vec<i64>,
    rule: Rule,
}

#[derive(Debug, Clone)]
enum Rule {
    /// The accumulators.
    Keep,
    /// A bit for each sum that reaches its limit.
    Bit { limits: Vec<i32> },
    /// How many limits a sum reaches, in steps from a base: limit after limit, in each class after
    /// class.
    Steps { count: usize, limits: Vec<i32>, base: i32, step: i32 },
    /// The same of wide sums: row after row, in each class after class.
    Wide { count: usize, limits: Vec<i64>, base: i64, step: i64 },
}

/// Memory for the numbers of a pixel.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pixel {
    ints: Vec<i32>,
    turned: Vec<i32>,
    wide: Vec<i64>,
}

impl Finish {
    /// Thresholds, or none, for sums that lack `constants`, one for each row of each class.
    pub(crate) fn new(
        output: Layout,
        rows: usize,
        constants: Vec<i64>,
        thresholds: Option<&Thresholds>,
        wide: bool,
    ) -> Self {
        let rule = thresholds.map_or(Rule::Keep, |t| Rule::new(output, rows, &constants, t, wide));
        Self { output, rows, constants, rule }
    }

    /// The accumulator of a row.
    pub(crate) fn accumulator(&self, class: usize, row: usize, sum: i64) -> i64 {
        sum + self.constants[class * self.rows + row]
    }

    /// The limits of each class, if all there is to do is to compare with them, `factor` times a
    /// count for a sum: the most that a count may be, or the least where the factor is not negative.
    /// Rows are filled up to `padded`, with bits that are zero.
    pub(crate) fn limits(&self, factor: i32, padded: usize) -> Option<Vec<i32>> {
        let Rule::Bit { limits } = &self.rule else { return None };
        let (never, limit): (i32, &dyn Fn(i32) -> i32) = if factor < 0 {
            // factor * count >= limit
            let most = |limit: i32| limit.checked_neg().map(|limit| limit.div_euclid(-factor));
            (-1, &move |limit| most(limit).unwrap_or(i32::MAX))
        } else {
            (i32::MAX, &|limit| limit)
        };
        let filled = |class: &[i32]| {
            let limits = class.iter().map(|&l| limit(l)).chain(std::iter::repeat(never));
            limits.take(padded).collect::<Vec<_>>()
        };
        Some(limits.chunks(self.rows).flat_map(filled).collect())
    }

    /// Puts out some pixels, whose sums follow each other at a distance of `stride`. `classes` has
    /// the class of each; none, if there is one class.
    pub(crate) fn pixels(
        &self,
        kernel: Kernel,
        (pixels, classes): (Range<usize>, &[u32]),
        (sums, stride): (&[i32], usize),
        memory: &mut Pixel,
        out: &mut Store,
    ) {
        let rows = self.rows;
        if let (Rule::Bit { limits }, Store::Bits(words)) = (&self.rule, &mut *out) {
            let per_pixel = self.output.pixel_words();
            let words = &mut words[pixels.start * per_pixel..pixels.end * per_pixel];
            let (numbers, pixels) = (sums, pixels.len());
            kernel.at_least(&LimitJob { numbers, stride, rows, limits, classes, pixels }, words);
            return;
        }
        for at in 0..pixels.len() {
            let class = classes.get(at).map_or(0, |&class| class as usize);
            let sums = &sums[at * stride..][..rows];
            self.pixel(kernel, (pixels.start + at, class), sums, memory, out);
        }
    }

    fn pixel(
        &self,
        kernel: Kernel,
        (pixel, class): (usize, usize),
        sums: &[i32],
        memory: &mut Pixel,
        out: &mut Store,
    ) {
        let rows = self.rows;
        match (&self.rule, &mut *out) {
            (Rule::Bit { .. } | Rule::Wide { .. }, _) => unreachable!("made for another form"),
            (Rule::Keep, _) => {
                let constants = &self.constants[class * rows..][..rows];
                memory.ints.clear();
                memory.ints.extend(sums.iter().zip(constants).map(|(s, c)| s + *c as i32));
                self.put(kernel, pixel, memory, out);
            }
            (Rule::Steps { count, limits, base, step }, _) => {
                memory.ints.clear();
                memory.ints.resize(rows, 0);
                let limits = &limits[class * count * rows..][..count * rows];
                for limits in limits.chunks(rows) {
                    kernel.step_up(sums, limits, &mut memory.ints);
                }
                memory.ints.iter_mut().for_each(|level| *level = base + step * *level);
                self.put(kernel, pixel, memory, out);
            }
        }
    }

    /// Puts out a pixel of wide sums.
    pub(crate) fn wide_pixel(
        &self,
        (pixel, class): (usize, usize),
        sums: &[i64],
        memory: &mut Pixel,
        out: &mut Store,
    ) {
        let rows = self.rows;
        let constants = &self.constants[class * rows..][..rows];
        let numbers = &mut memory.wide;
        numbers.clear();
        match &self.rule {
            Rule::Keep => numbers.extend(sums.iter().zip(constants).map(|(s, c)| s + c)),
            Rule::Wide { count, limits, base, step } => {
                let limits = limits[class * count * rows..].chunks(*count);
                let level = |(sum, limits): (&i64, &[i64])| {
                    base + step * limits.partition_point(|limit| sum >= limit) as i64
                };
                numbers.extend(sums.iter().zip(limits).map(level));
            }
            Rule::Bit { .. } | Rule::Steps { .. } => unreachable!("made for narrow sums"),
        }
        self.output.write(out, pixel, numbers);
    }

    /// Puts the numbers in `memory.ints`.
    fn put(&self, kernel: Kernel, pixel: usize, memory: &mut Pixel, out: &mut Store) {
        let (rows, numbers) = (self.rows, &memory.ints);
        match out {
            Store::Bits(words) => {
                let (per_pixel, plane_words) =
                    (self.output.pixel_words(), self.output.plane_words());
                for plane in 0..self.output.planes() {
                    let words = &mut words[plane * plane_words + pixel * per_pixel..][..per_pixel];
                    // A bit becomes the sign of its complement, which is then compared with 0.
                    let turn = |&n: &i32| match self.output.element {
                        ElementType::Bipolar => n - 1,
                        ElementType::Uint(_) | ElementType::Int(_) | ElementType::Fixed { .. } => {
                            !(n << (31 - plane))
                        }
                    };
                    memory.turned.clear();
                    memory.turned.extend(numbers.iter().map(turn));
                    memory.turned.resize(2 * rows, 0);
                    let (turned, zeros) = memory.turned.split_at(rows);
                    let job = LimitJob {
                        numbers: turned,
                        stride: rows,
                        rows,
                        limits: zeros,
                        classes: &[],
                        pixels: 1,
                    };
                    kernel.at_least(&job, words);
                }
            }
            Store::Bytes(bytes) => {
                let lowest = self.output.element.min() as i32;
                let bytes = &mut bytes[pixel * rows..][..rows];
                bytes.iter_mut().zip(numbers).for_each(|(b, n)| *b = (n - lowest) as u8);
            }
            Store::Ints(ints) => ints[pixel * rows..][..rows].copy_from_slice(numbers),
            Store::Wide(ints) => {
                let ints = &mut ints[pixel * rows..][..rows];
                ints.iter_mut().zip(numbers).for_each(|(i, &n)| *i = i64::from(n));
            }
        }
    }
}

impl Rule {
    fn new(output: Layout, rows: usize, constants: &[i64], t: &Thresholds, wide: bool) -> Self {
        let count = t.values.ncols();
        let classes = constants.len() / rows;
        // Thresholds of a row that many rows share repeat.
        let limit = |class: usize, row: usize, level: usize| {
            let row = class * rows + row;
            let threshold = t.values[[row % t.values.nrows(), level]];
            threshold.saturating_sub(constants[row])
        };
        let step = if t.bipolar { 2 } else { 1 };
        let all = || (0..classes).flat_map(|class| (0..rows).map(move |row| (class, row)));
        if wide {
            let levels = |(class, row)| (0..count).map(move |level| limit(class, row, level));
            let limits = all().flat_map(levels).collect();
            return Rule::Wide { count, limits, base: t.base, step };
        }
        // No sum is as large as that, so that it stands for never, and the lowest for always.
        let narrow = |n: i64| n.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
        let codes = [0, 1].map(|level| output.element.encode(t.value(level)));
        if output.form == crate::layout::Form::Bits && count == 1 && codes == [0, 1] {
            let limits = all().map(|(class, row)| narrow(limit(class, row, 0))).collect();
            return Rule::Bit { limits };
        }
        let limits = (0..classes)
            .flat_map(|class| (0..count).map(move |level| (class, level)))
            .flat_map(|(class, level)| (0..rows).map(move |row| narrow(limit(class, row, level))))
            .collect();
        Rule::Steps { count, limits, base: t.base as i32, step: step as i32 }
    }
}
