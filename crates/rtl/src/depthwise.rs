//! Depthwise convolution unit: weighted sums lane by lane, then thresholds.

use crate::bisect::{Bisection, bisect};
use crate::borders::{Sets, border_class, surplus};
use crate::context::{Context, Ports, bits_of, rom_style};
use crate::control::{Delay, Shape, Steps, finish, place, steps};
use crate::mvu::{accumulate, level_value};
use dataflow::{Depthwise, MemoryStyle};
use engines::mvu::significance;
use hdl::{Expr, Module, ModuleRef, Signal, Value, mux, pack, zeros};
use streamline::{Borders, Conv, LayerOp, Thresholds};
use tensor::ElementType;

/// Builds the unit of engine `index`.
pub(crate) fn depthwise(context: &mut Context<'_>, index: usize, unit: &Depthwise) -> ModuleRef {
    let (input, output) = context.ends(index);
    let LayerOp::Conv(conv) = &context.layer(index).op else {
        unreachable!("a depthwise unit computes a convolution")
    };
    let engine = context.engine(index).name.clone();
    let mut m = Module::new(&context.name(&engine));
    let weights = match unit.weight {
        Some(weight) => format!("{weight} weights"),
        None => "weights that are all 1".to_string(),
    };
    let (taps, pe) = (unit.taps, input.lanes);
    let text = format!("Depthwise convolution unit: {taps} taps with {weights}, PE {pe}.");
    context.describe(&mut m, index, &text);
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let channels = Channels {
        engine: &engine,
        conv,
        borders: conv.borders(),
        input: input.element,
        pe,
        groups: unit.channels / pe,
    };
    // Whether something is kept for each channel behind the sums.
    let keeps = unit.thresholds > 0 || channels.has_surplus();
    let passes = if keeps { channels.groups } else { 1 };
    let shape = Shape { words: taps, passes, buffer: 0, credits: unit.credits };
    let control = steps(&mut m, &p, shape);

    let terms_at = match (unit.weight, unit.weight_memory) {
        (None, _) => 1,
        (Some(_), MemoryStyle::Lut) => 2,
        (Some(_), MemoryStyle::Block) => 3,
    };
    let result_at = engines::depthwise::latency(unit) as usize - 1;
    let bits = unit.accumulator_bits as usize;
    let terms = terms(context, &mut m, &p, unit, &channels, &control, terms_at);
    m.section("Pipeline control");
    let done = Delay::new(&mut m, &p, "done", control.step & &control.last, result_at, true);
    let set = keeps.then(|| {
        let set = channels.set(&mut m, &p, &control);
        Delay::new(&mut m, &p, "set", set, terms_at, false).at(terms_at)
    });
    let sums = accumulate(&mut m, &p, &control, taps, terms_at, &terms);
    let values: Vec<Expr> = match (&conv.dense.thresholds, set) {
        (Some(t), Some(set)) => {
            let thresholds = |set: usize, lane: usize| channels.thresholds(t, set, lane);
            let bisection = Bisection {
                name: engine.clone(),
                tag: String::new(),
                bits,
                thresholds: &thresholds,
                count: unit.thresholds,
                sets: channels.sets().count(),
                lanes: pe,
                shared: false,
                memory: unit.threshold_memory,
            };
            let levels = bisect(context, &mut m, &p, &bisection, &set, &sums);
            levels.into_iter().map(|l| level_value(l, t, output.element)).collect()
        }
        (_, set) => scores(context, &mut m, &p, unit, &channels, output.element, set, sums),
    };
    finish(context, &mut m, &p, &control, done.at(result_at), pack(values));
    context.library.define(m)
}

/// What each lane adds in a step, `terms_at` registers behind it.
fn terms(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    unit: &Depthwise,
    channels: &Channels<'_>,
    control: &Steps,
    terms_at: usize,
) -> Vec<Signal> {
    let input = channels.input;
    let terms: Vec<Expr> = match unit.weight {
        None => {
            m.section("Input word");
            let x = m.reg("x_q", control.word.width());
            m.register(p.clk, x, control.word.clone());
            x.lanes(input.bits() as usize).into_iter().map(|x| value(input, x)).collect()
        }
        Some(weight) => {
            let operands = terms_at - 1;
            let w = weight_words(m, context, p, unit, channels, control.step, operands);
            m.section("Input word, in step with the weights");
            let x = Delay::new(m, p, "x", control.word.clone(), operands, false).at(operands);
            products(m, p, (&x, input), (&w, weight))
        }
    };
    let bits = unit.accumulator_bits as usize;
    let cut = |(lane, term): (usize, Expr)| {
        if term.width() > bits {
            m.sink_unused([term.slice(bits, term.width() - bits)]);
        }
        m.net(&format!("term_{lane}"), term.resize_signed(bits))
    };
    terms.into_iter().enumerate().map(cut).collect()
}

/// The sums, less what stands in place of taps that do not exist, in a register.
#[expect(clippy::too_many_arguments, reason = "one caller; the parts of one memory")]
fn scores(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    unit: &Depthwise,
    channels: &Channels<'_>,
    output: ElementType,
    set: Option<Expr>,
    mut sums: Vec<Expr>,
) -> Vec<Expr> {
    let bits = unit.accumulator_bits as usize;
    let pe = channels.pe;
    m.section("Sums");
    if let Some(set) = set {
        let word = |set: usize| -> Vec<bool> {
            (0..pe).flat_map(|lane| bits_of(channels.surplus_of(set, lane), bits)).collect()
        };
        let name = format!("{}_constants", channels.engine);
        let file = context.memory(&name, (0..channels.sets().count()).map(word));
        let style = rom_style(unit.threshold_memory);
        let rom = m.rom("constants", bits * pe, channels.sets().count(), &file, style);
        let constants = m.read_every_cycle("constants_q", rom, p.clk, set).lanes(bits);
        sums = sums.into_iter().zip(constants).map(|(sum, constant)| sum - constant).collect();
    }
    let q = m.reg("scores_q", bits * pe);
    m.register(p.clk, q, pack(sums));
    let width = output.bits() as usize;
    let score = |score: Expr| {
        if bits > width {
            m.sink_unused([score.slice(width, bits - width)]);
        }
        score.resize_signed(width)
    };
    q.lanes(bits).into_iter().map(score).collect()
}

/// An element's value in two's complement.
fn value(element: ElementType, code: Expr) -> Expr {
    match element {
        ElementType::Bipolar => pack([hdl::high(), !code]),
        ElementType::Uint(bits) => code.zero_extend(bits as usize + 1),
        ElementType::Int(_) | ElementType::Fixed { .. } => code,
    }
}

/// The weights of the step, `operands` registers behind it: in each lane that of its channel.
fn weight_words(
    m: &mut Module,
    context: &mut Context<'_>,
    p: &Ports,
    unit: &Depthwise,
    channels: &Channels<'_>,
    step: Signal,
    operands: usize,
) -> Expr {
    let Channels { conv, pe, groups, .. } = *channels;
    let element = conv.dense.weight;
    let (bits, depth) = (element.bits() as usize, groups * unit.taps);
    let word = |step: usize| -> Vec<bool> {
        let (group, tap) = (step / unit.taps, step % unit.taps);
        let code = |lane: usize| element.encode(conv.dense.weights[[group * pe + lane, tap]]);
        (0..pe).flat_map(|lane| bits_of(code(lane) as i64, bits)).collect()
    };
    let name = format!("{}_weights", channels.engine);
    let file = context.memory(&name, (0..depth).map(word));
    m.section("Weights: word = group * taps + tap; channel of the group in its lane");
    let rom = m.rom("weights", bits * pe, depth, &file, rom_style(unit.weight_memory));
    let address = place(m, p, "weight_address_q", depth, step.expr());
    let first = m.read_every_cycle("w_q", rom, p.clk, address);
    Delay::new(m, p, "w_q", first.expr(), operands - 1, false).at(operands - 1)
}

/// The products of all lanes, in a register.
fn products(
    m: &mut Module,
    p: &Ports,
    (x, input): (&Expr, ElementType),
    (w, weight): (&Expr, ElementType),
) -> Vec<Expr> {
    m.section("Products");
    let words = [(x, input), (w, weight)].map(|(word, t)| word.lanes(t.bits() as usize));
    let [x, w] = words.map(Vec::into_iter);
    let products: Vec<Expr> = x.zip(w).map(|(x, w)| product((x, input), (w, weight))).collect();
    let width = products[0].width();
    let q = m.reg("product_q", width * products.len());
    m.register(p.clk, q, pack(products));
    q.lanes(width)
}

/// The product of two codes in two's complement: a choice of the sign where one is bipolar, else a
/// sum over the bits of the narrower one.
fn product(a: (Expr, ElementType), b: (Expr, ElementType)) -> Expr {
    let rank = |t: ElementType| (t != ElementType::Bipolar, t.bits());
    let ((narrow, n), (wide, w)) = if rank(a.1) <= rank(b.1) { (a, b) } else { (b, a) };
    let wide = value(w, wide);
    if n == ElementType::Bipolar {
        // Only a signed type has a smallest value without an opposite.
        let wide = wide.sign_extend(wide.width() + usize::from(w.is_signed()));
        return mux(narrow, &wide, wide.negate());
    }
    let width = wide.width() + n.bits() as usize;
    let plane = |(bit, significance): (usize, i64)| {
        let term = wide.sign_extend(width - bit);
        let term = if bit == 0 { term } else { pack([zeros(bit), term]) };
        let term = if significance < 0 { term.negate() } else { term };
        mux(narrow.bit(bit), term, zeros(width))
    };
    let mut terms: Vec<Expr> = significance(n).into_iter().enumerate().map(plane).collect();
    while terms.len() > 1 {
        let sum = |pair: &[Expr]| pair.iter().cloned().reduce(|a, b| a + b).expect("not empty");
        terms = terms.chunks(2).map(sum).collect();
    }
    terms.remove(0)
}

/// Which channels the lanes stand for, and what belongs to them.
struct Channels<'c> {
    engine: &'c str,
    conv: &'c Conv,
    borders: Borders,
    input: ElementType,
    pe: usize,
    /// Words of a pixel.
    groups: usize,
}

impl Channels<'_> {
    /// Sets of constants: a pass for each group of channels.
    fn sets(&self) -> Sets {
        Sets { classes: self.borders.count(), passes: self.groups }
    }

    /// The number of the set for the word that is worked on.
    fn set(&self, m: &mut Module, p: &Ports, control: &Steps) -> Expr {
        let several = self.borders.count() > 1;
        let class = several.then(|| border_class(m, p, &self.borders, control, 1, 0));
        self.sets().number(class, control)
    }

    /// The channel of a lane, and its border class; `None` in sets that no word uses.
    fn place(&self, set: usize, lane: usize) -> Option<(usize, usize)> {
        let (class, group) = self.sets().place(set)?;
        Some((group * self.pe + lane, class))
    }

    /// What the taps that do not exist add to the sum of a channel.
    fn surplus(&self, channel: usize, class: usize) -> i64 {
        surplus(self.conv, &self.borders, self.input, channel, class)
    }

    /// Whether anything is added so.
    fn has_surplus(&self) -> bool {
        self.input.decode(0) != 0 && self.borders.has_gaps(&self.conv.window)
    }

    fn surplus_of(&self, set: usize, lane: usize) -> i64 {
        self.place(set, lane).map_or(0, |(channel, class)| self.surplus(channel, class))
    }

    /// Thresholds on the sum, with what is added to it.
    fn thresholds(&self, t: &Thresholds, set: usize, lane: usize) -> Vec<i64> {
        let Some((channel, class)) = self.place(set, lane) else { return Vec::new() };
        let surplus = self.surplus(channel, class);
        let row = t.values.row(class * self.conv.input.channels + channel);
        row.into_iter().map(|&t| t + surplus).collect()
    }
}
