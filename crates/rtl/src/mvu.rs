//! Matrix-vector-threshold unit.

use crate::bisect::{Bisection, bisect};
use crate::borders::{Sets, border_class, surplus};
use crate::carries::{self, Counting};
use crate::context::{Context, Ports, bits_of, rom_style};
use crate::control::{Delay, Shape, Steps, finish, place, read_registers, steps};
use crate::dot::dot;
use crate::thermometer::thermometers;
use dataflow::{Dot, MemoryStyle, Mvu};
use engines::mvu::{Encoding, groups, operand_latency, planes, sum_latency};
use hdl::{Expr, Module, ModuleRef, Signal, Value, lit, lit_signed, mux, pack, zeros};
use streamline::{Borders, Conv, Dense, LayerOp, Thresholds};
use tensor::ElementType;

/// Builds the unit of engine `index`.
pub(crate) fn mvu(context: &mut Context<'_>, index: usize, unit: &Mvu) -> ModuleRef {
    let (input, output) = context.ends(index);
    let computes = context.layer(index);
    let layer = computes.dense().expect("a matrix-vector unit computes a linear layer");
    let borders = match &computes.op {
        LayerOp::Conv(conv) => {
            Some((conv, conv.borders())).filter(|(conv, b)| b.has_gaps(&conv.window))
        }
        LayerOp::Dense(_)
        | LayerOp::Threshold(_)
        | LayerOp::Pool(_)
        | LayerOp::ChannelAffine(_)
        | LayerOp::LabelSelect { .. } => None,
    };
    let engine = context.engine(index).name.clone();
    let mut m = Module::new(&context.name(&engine));
    let what = format!(
        "Matrix-vector-threshold unit: {} rows of {} columns, PE {}, SIMD {}, {} vectors at once.",
        unit.rows, unit.columns, unit.pe, unit.simd, unit.vectors
    );
    context.describe(&mut m, index, &what);
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let (sf, nf) = (unit.synapse_fold(), unit.neuron_fold());
    let shape = Shape { words: sf, passes: nf, buffer: unit.buffer_words, credits: unit.credits };
    let control = steps(&mut m, &p, shape);

    // Registers behind a step at which its operands, its dot product and its sum appear.
    let operands = operand_latency(unit) as usize;
    let sum_at = operands + sum_latency(unit, input.element) as usize;
    let result_at = engines::mvu::latency(unit, input.element) as usize - 1;

    let weights = weight_words(&mut m, context, &p, unit, layer, &engine, control.step, operands);
    m.section("Input word, in step with the weights");
    let raw = Delay::new(&mut m, &p, "x", control.word.clone(), operands - 1, false);
    let word = raw.at(operands - 1);
    let word = match unit.dot {
        Dot::Planes | Dot::Add => word,
        Dot::Thermometer => thermometers(&mut m, &word, input.element, unit.levels),
        Dot::Carries => carries::parities(&mut m, &word, unit),
        Dot::Wired => unreachable!("it has a module of its own"),
    };
    let x = m.reg("x_q", word.width());
    m.register(p.clk, x, word);

    let bits = unit.accumulator_bits as usize;
    let row_bits = unit.simd * planes(unit.weight);
    let vectors = x.lanes(x.width() / unit.vectors);
    let operands: Vec<(Expr, Expr)> = (0..unit.vectors * unit.pe)
        .map(|lane| {
            let (vector, pe) = (lane / unit.pe, lane % unit.pe);
            (vectors[vector].clone(), weights.slice(pe * row_bits, row_bits))
        })
        .collect();

    m.section("Pipeline control");
    let done = Delay::new(&mut m, &p, "done", control.step & &control.last, result_at, true);
    let several = borders.as_ref().filter(|(_, borders)| borders.count() > 1);
    let several = several.map(|(_, borders)| borders);
    let sets = Sets { classes: several.map_or(1, Borders::count), passes: nf };
    let rows = RowConstants { unit, layer, input: input.element, borders: borders.as_ref(), sets };
    let accumulators = if unit.dot == Dot::Carries {
        let starts = (0..unit.pe).map(|pe| rows.start(pe)).collect();
        let counting = Counting { unit, sum_at, done: &done, starts };
        counting.build(context, &mut m, &p, &control, operands)
    } else {
        let row = dot(context, unit, input.element, bits);
        let sums: Vec<Signal> = operands
            .into_iter()
            .enumerate()
            .map(|(lane, (x, w))| {
                m.section(&lane_text(unit, lane));
                m.instance(&format!("u_dot_{lane}"), &row)
                    .connect("clk", p.clk)
                    .connect("x", x)
                    .connect("w", w)
                    .place()
                    .output("sum")
            })
            .collect();
        accumulate(&mut m, &p, &control, sf, sum_at - 1, &sums)
    };
    let final_pass = (!unit.rows.is_multiple_of(unit.pe)).then(|| {
        Delay::new(&mut m, &p, "final", control.final_pass.clone(), result_at, false).at(result_at)
    });
    let mut values = Vec::new();
    if unit.from_threshold {
        let levels = layer.thresholds.as_ref().expect("it starts from its threshold");
        let value = |sum: &Expr| level_value(sum.top_bit(), levels, output.element);
        values.extend(accumulators.iter().map(value));
    }
    let chunks = if unit.from_threshold { &[] } else { &accumulators[..] }.chunks(unit.pe);
    for (vector, counts) in chunks.enumerate() {
        let ordinal = if unit.vectors > 1 { format!("_{vector}") } else { String::new() };
        let class = several.map(|b| border_class(&mut m, &p, b, &control, unit.vectors, vector));
        let chosen = sets.number(class, &control);
        let pass = Delay::new(&mut m, &p, &format!("pass{ordinal}"), chosen, sum_at - 1, false);
        let address = pass.at(sum_at - 1);
        values.extend(match &layer.thresholds {
            Some(t) => {
                let thresholds = |set: usize, pe: usize| rows.thresholds(set, pe);
                let bisection = Bisection {
                    name: format!("{engine}{ordinal}"),
                    tag: ordinal.clone(),
                    bits,
                    thresholds: &thresholds,
                    count: unit.thresholds,
                    sets: sets.count(),
                    lanes: unit.pe,
                    shared: false,
                    memory: unit.threshold_memory,
                };
                let levels = bisect(context, &mut m, &p, &bisection, &address, counts);
                levels.into_iter().map(|l| level_value(l, t, output.element)).collect()
            }
            None => {
                let names = [&engine, ordinal.as_str()];
                scores(context, &mut m, &p, &rows, names, output.element, &address, counts)
            }
        });
    }
    let result = mask_padding(unit, values, final_pass);
    finish(context, &mut m, &p, &control, done.at(result_at), result);
    context.library.define(m)
}

/// The weights of the step, `operands` registers behind it.
#[expect(clippy::too_many_arguments, reason = "one caller; the parts of one memory")]
fn weight_words(
    m: &mut Module,
    context: &mut Context<'_>,
    p: &Ports,
    unit: &Mvu,
    layer: &Dense,
    engine: &str,
    step: Signal,
    operands: usize,
) -> Expr {
    let (sf, nf) = (unit.synapse_fold(), unit.neuron_fold());
    let depth = sf * nf;
    let element_bits = planes(unit.weight);
    let width = unit.pe * unit.simd * element_bits;
    let word = |step: usize| -> Vec<bool> {
        let (pass, word) = (step / sf, step % sf);
        let element = |i: usize| {
            let (row, column) = (pass * unit.pe + i / unit.simd, unit.column(word, i % unit.simd));
            let weight = layer.weights.get((row, column)).copied();
            // Padding: XNOR of 1 with an input bit 0 counts nothing, and so does AND of 0.
            let code = match weight {
                Some(w) => unit.weight.encode(w),
                None => u64::from(unit.weight == ElementType::Bipolar),
            };
            (0..element_bits).map(move |bit| code >> bit & 1 == 1)
        };
        let bits: Vec<bool> = (0..unit.pe * unit.simd).flat_map(element).collect();
        if unit.dot == Dot::Carries { carries::stored(&bits, unit.simd) } else { bits }
    };
    let file = context.memory(&format!("{engine}_weights"), (0..depth).map(word));
    m.section("Weights: word = pass * steps + step; row p of the pass in lane p");
    let rom = m.rom("weights", width, depth, &file, rom_style(unit.weight_memory));
    // Logic has no output register: its address waits instead.
    let reads = if unit.weight_memory == MemoryStyle::Block { operands } else { 1 };
    let waits = if depth == 1 { 0 } else { operands - reads };
    let step = Delay::new(m, p, "weight_step", step.expr(), waits, true).at(waits);
    let address = place(m, p, "weight_address_q", depth, step);
    let first = m.read_every_cycle("w_q", rom, p.clk, address);
    read_registers(m, p, "w_q", first, reads).expr()
}

/// The running sums: valid when the pipeline's last step of an output word has passed.
pub(crate) fn accumulate(
    m: &mut Module,
    p: &Ports,
    control: &Steps,
    sf: usize,
    dot_at: usize,
    sums: &[Signal],
) -> Vec<Expr> {
    let bits = sums[0].width();
    let q = m.reg("sums_q", bits * sums.len());
    if sf == 1 {
        m.register(p.clk, q, pack(sums.iter().copied()));
    } else {
        let taken = Delay::new(m, p, "taken", control.step.expr(), dot_at, true).at(dot_at);
        let first = Delay::new(m, p, "first", control.first.clone(), dot_at, false).at(dot_at);
        let next: Vec<Expr> = sums
            .iter()
            .enumerate()
            .map(|(pe, &sum)| mux(&first, sum, q.lane(pe, bits) + sum))
            .collect();
        m.section("Sums");
        m.register_enabled(p.clk, taken, q, pack(next));
    }
    q.lanes(bits)
}

/// The heading of a lane of the output.
pub(crate) fn lane_text(unit: &Mvu, lane: usize) -> String {
    let row = format!("Row {} of the pass", lane % unit.pe);
    if unit.vectors > 1 { format!("{row}, vector {}", lane / unit.pe) } else { row }
}

/// What a row's counts mean.
struct RowConstants<'u> {
    unit: &'u Mvu,
    layer: &'u Dense,
    input: ElementType,
    borders: Option<&'u (&'u Conv, Borders)>,
    sets: Sets,
}

impl RowConstants<'_> {
    /// The row of a lane, and its border class; `None` for padded rows and unused sets.
    fn place(&self, set: usize, pe: usize) -> Option<(usize, usize)> {
        let (class, pass) = self.sets.place(set)?;
        let row = pass * self.unit.pe + pe;
        (row < self.unit.rows).then_some((row, class))
    }

    fn encoding(&self, row: usize) -> Encoding {
        let groups = groups(self.unit.dot, self.input, self.unit.levels);
        Encoding::of(&self.layer.weights.row(row).to_vec(), self.unit.weight, self.input, &groups)
    }

    /// What the columns that do not exist in a border class add to the sum of a row.
    fn surplus(&self, row: usize, class: usize) -> i64 {
        self.borders.map_or(0, |(conv, borders)| surplus(conv, borders, self.input, row, class))
    }

    /// Thresholds on the count; none for a padded row, whose output is masked.
    fn thresholds(&self, set: usize, pe: usize) -> Vec<i64> {
        let Some((row, class)) = self.place(set, pe) else { return Vec::new() };
        let (encoding, surplus) = (self.encoding(row), self.surplus(row, class));
        let thresholds = self.layer.thresholds.as_ref().expect("the layer has thresholds");
        let of_class = thresholds.values.row(class * self.unit.rows + row);
        of_class.into_iter().map(|&t| encoding.count_threshold(t + surplus)).collect()
    }

    /// Where the accumulator of a lane starts.
    fn start(&self, pe: usize) -> i64 {
        let Some((row, class)) = self.place(0, pe).filter(|_| self.unit.from_threshold) else {
            return 0;
        };
        let thresholds = self.layer.thresholds.as_ref().expect("it starts from its threshold");
        let threshold = thresholds.values[(class * self.unit.rows + row, 0)];
        let columns = self.unit.columns as i64;
        self.encoding(row).start(threshold + self.surplus(row, class), columns)
    }

    /// What is added to the scaled count for the dot product.
    fn constant(&self, set: usize, pe: usize) -> i64 {
        self.place(set, pe)
            .map_or(0, |(row, class)| self.encoding(row).constant - self.surplus(row, class))
    }
}

/// The value of a level in the output's type.
pub(crate) fn level_value(level: Expr, of: &Thresholds, output: ElementType) -> Expr {
    let width = output.bits() as usize;
    if of.bipolar || of.base == 0 && level.width() >= width {
        return level.slice(0, width);
    }
    let wide = width.max(level.width()) + 1;
    let value = level.zero_extend(wide) + lit_signed(wide, of.base);
    value.slice(0, width)
}

/// `scale * count + constant`, in the output's type.
#[expect(clippy::too_many_arguments, reason = "one caller; the parts of one sum")]
fn scores(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    rows: &RowConstants<'_>,
    [engine, ordinal]: [&str; 2],
    output: ElementType,
    address: &Expr,
    accumulators: &[Expr],
) -> Vec<Expr> {
    let (unit, sets) = (rows.unit, rows.sets.count());
    let width = output.bits() as usize;
    let scale = rows.encoding(0).scale;
    m.section("Scores: scale * count + constant of the row");
    let word = |set: usize| -> Vec<bool> {
        (0..unit.pe).flat_map(|pe| bits_of(rows.constant(set, pe), width)).collect()
    };
    let file = context.memory(&format!("{engine}{ordinal}_constants"), (0..sets).map(word));
    let style = rom_style(unit.threshold_memory);
    let rom = m.rom(&format!("constants{ordinal}"), width * unit.pe, sets, &file, style);
    let constants =
        m.read_every_cycle(&format!("constants{ordinal}_q"), rom, p.clk, address.clone());
    let sums: Vec<Expr> = accumulators
        .iter()
        .enumerate()
        .map(|(pe, count)| {
            let read = width + 1 - scale as usize;
            if count.width() > read {
                m.sink_unused([count.slice(read, count.width() - read)]);
            }
            let wide = count.resize_signed(width.max(count.width() + 1));
            let scaled =
                if scale == 2 { pack([zeros(1), wide.slice(0, wide.width() - 1)]) } else { wide };
            scaled.slice(0, width) + constants.lane(pe, width)
        })
        .collect();
    let q = m.reg(&format!("scores{ordinal}_q"), width * unit.pe);
    m.register(p.clk, q, pack(sums));
    q.lanes(width)
}

/// Zero bits in the lanes of the last word that stand for no row.
fn mask_padding(unit: &Mvu, values: Vec<Expr>, final_pass: Option<Expr>) -> Expr {
    let Some(final_pass) = final_pass else { return pack(values) };
    let real = unit.rows - (unit.neuron_fold() - 1) * unit.pe;
    let masked = values.into_iter().enumerate().map(|(pe, value)| {
        if pe < real { value } else { mux(&final_pass, lit(value.width(), 0), value) }
    });
    pack(masked.collect::<Vec<_>>())
}
