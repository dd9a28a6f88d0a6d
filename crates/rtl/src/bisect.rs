//! Levels by bisection over ascending thresholds: one compare for each bit of the level.
//!
//! With thresholds T1..Tt padded to 2^n - 1 by values that are never reached, the highest bit of
//! the level is x >= T(2^(n-1)), and each further bit compares with the threshold in the middle of
//! what is left. The threshold of the first compare is read while x is computed; each further one
//! costs two registers, the look-up and the compare.

use crate::context::{Context, Ports, bits_of, rom_style};
use dataflow::MemoryStyle;
use engines::mvu::level_bits;
use hdl::{Expr, Module, Value, concat, lit_signed, mux, pack};

/// The values to compare and their thresholds.
pub(crate) struct Bisection<'t> {
    /// Prefix of memory names.
    pub(crate) name: String,
    /// In the names of registers: tells the bisections of a module apart.
    pub(crate) tag: String,
    /// Width of a compared value, two's complement.
    pub(crate) bits: usize,
    /// Thresholds by set and lane: `thresholds(set, lane)`, ascending.
    pub(crate) thresholds: &'t dyn Fn(usize, usize) -> Vec<i64>,
    /// Thresholds of each lane.
    pub(crate) count: usize,
    /// Sets of thresholds, chosen by address.
    pub(crate) sets: usize,
    /// Lanes.
    pub(crate) lanes: usize,
    /// All lanes and sets have the same thresholds.
    pub(crate) shared: bool,
    pub(crate) memory: MemoryStyle,
}

impl Bisection<'_> {
    /// The threshold (padded) with 1-based index `index`.
    fn padded(&self, set: usize, lane: usize, index: usize) -> i64 {
        let all = (self.thresholds)(set, lane);
        let never = (1i64 << (self.bits - 1)) - 1;
        all.get(index - 1).copied().unwrap_or(never)
    }

    /// Index of the threshold that stage `stage` compares with after the bits `prefix`.
    fn index(&self, stage: usize, prefix: usize) -> usize {
        let n = level_bits(self.count) as usize;
        (prefix << (n - stage)) + (1 << (n - stage - 1))
    }
}

/// Builds the stages behind values that are in registers now. `address` chooses the set one
/// register earlier. Gives the level of each lane, `level_bits` wide.
pub(crate) fn bisect(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    unit: &Bisection<'_>,
    address: &Expr,
    values: &[Expr],
) -> Vec<Expr> {
    let (stages, tag) = (level_bits(unit.count) as usize, &unit.tag);
    let mut values = values.to_vec();
    let mut levels: Vec<Option<Expr>> = vec![None; unit.lanes];
    // The address in step with the values; used by later stages.
    let mut set = address.clone();
    for stage in 0..stages {
        m.section(&format!("Threshold: bit {} of the level", stages - 1 - stage));
        let limits: Vec<Expr> = if unit.shared {
            shared_limits(m, p, unit, stage, &levels)
        } else if stage == 0 {
            vec_limits(context, m, p, unit, &set)
        } else {
            lane_limits(context, m, p, unit, stage, &set, &levels)
        };
        if stage > 0 {
            // The look-up took a register: the values wait for it.
            values = delay_all(m, p, &format!("wait{tag}_{stage}"), &values);
            levels = delay_levels(m, p, &format!("level_wait{tag}_{stage}"), &levels);
        }
        let compared: Vec<Expr> =
            values.iter().zip(&limits).map(|(x, t)| x.at_least_signed(t.clone())).collect();
        let reached_q = m.reg(&format!("reached{tag}_{stage}_q"), unit.lanes);
        m.register(p.clk, reached_q, pack(compared));
        if stage + 1 < stages {
            values = delay_all(m, p, &format!("value{tag}_{stage}"), &values);
            levels = delay_levels(m, p, &format!("level{tag}_{stage}"), &levels);
            if unit.sets > 1 && !unit.shared {
                set = delay_set(m, p, &format!("set{tag}_{stage}"), set);
            }
        } else {
            levels = delay_levels(m, p, &format!("level{tag}_{stage}"), &levels);
        }
        for (lane, level) in levels.iter_mut().enumerate() {
            let bit = reached_q.bit(lane);
            *level = Some(match level.take() {
                None => bit,
                Some(high) => concat([high, bit]),
            });
        }
    }
    levels.into_iter().map(|l| l.expect("there is at least one stage")).collect()
}

/// The address two registers later: where the next stage looks its thresholds up.
fn delay_set(m: &mut Module, p: &Ports, name: &str, set: Expr) -> Expr {
    (1..=2).fold(set, |from, k| {
        let q = m.reg(&format!("{name}_d{k}"), from.width());
        m.register(p.clk, q, from);
        q.expr()
    })
}

fn delay_all(m: &mut Module, p: &Ports, name: &str, values: &[Expr]) -> Vec<Expr> {
    let width = values[0].width();
    let q = m.reg(&format!("{name}_q"), width * values.len());
    m.register(p.clk, q, pack(values.to_vec()));
    q.lanes(width)
}

fn delay_levels(
    m: &mut Module,
    p: &Ports,
    name: &str,
    levels: &[Option<Expr>],
) -> Vec<Option<Expr>> {
    let known: Option<Vec<Expr>> = levels.iter().cloned().collect();
    match known {
        None => levels.to_vec(),
        Some(known) => delay_all(m, p, name, &known).into_iter().map(Some).collect(),
    }
}

/// Constants, or a choice among constants by the bits found so far, in registers.
fn shared_limits(
    m: &mut Module,
    p: &Ports,
    unit: &Bisection<'_>,
    stage: usize,
    levels: &[Option<Expr>],
) -> Vec<Expr> {
    let constant =
        |prefix: usize| lit_signed(unit.bits, unit.padded(0, 0, unit.index(stage, prefix)));
    if stage == 0 {
        return vec![constant(0); unit.lanes];
    }
    let choose = |prefix: &Expr| -> Expr {
        let mut options: Vec<Expr> = (0..1 << stage).map(constant).collect();
        for bit in 0..stage {
            options = options
                .chunks(2)
                .map(|o| mux(prefix.bit(bit), o[1].clone(), o[0].clone()))
                .collect();
        }
        options.remove(0)
    };
    let chosen: Vec<Expr> =
        levels.iter().map(|l| choose(l.as_ref().expect("a bit was found"))).collect();
    let q = m.reg(&format!("limit{}_{stage}_q", unit.tag), unit.bits * unit.lanes);
    m.register(p.clk, q, pack(chosen));
    q.lanes(unit.bits)
}

/// The first thresholds of all lanes, read as one word.
fn vec_limits(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    unit: &Bisection<'_>,
    set: &Expr,
) -> Vec<Expr> {
    let word = |set: usize| -> Vec<bool> {
        let limit = |lane| bits_of(unit.padded(set, lane, unit.index(0, 0)), unit.bits);
        (0..unit.lanes).flat_map(limit).collect()
    };
    let file = context.memory(&format!("{}_t0", unit.name), (0..unit.sets).map(word));
    let style = rom_style(unit.memory);
    let rom = m.rom(
        &format!("thresholds{}_0", unit.tag),
        unit.bits * unit.lanes,
        unit.sets,
        &file,
        style,
    );
    let q = m.read_every_cycle(&format!("limit{}_0_q", unit.tag), rom, p.clk, set.clone());
    q.lanes(unit.bits)
}

/// Later thresholds, one memory for each lane, addressed by set and the bits found so far.
fn lane_limits(
    context: &mut Context<'_>,
    m: &mut Module,
    p: &Ports,
    unit: &Bisection<'_>,
    stage: usize,
    set: &Expr,
    levels: &[Option<Expr>],
) -> Vec<Expr> {
    let depth = unit.sets << stage;
    let memory = if depth > 64 { unit.memory } else { MemoryStyle::Lut };
    (0..unit.lanes)
        .map(|lane| {
            let word = |address: usize| -> Vec<bool> {
                let (set, prefix) = (address >> stage, address & ((1 << stage) - 1));
                let threshold = unit.padded(set, lane, unit.index(stage, prefix));
                bits_of(threshold, unit.bits).collect()
            };
            let name = format!("{}_t{stage}_{lane}", unit.name);
            let file = context.memory(&name, (0..depth).map(word));
            let rom_name = format!("thresholds{}_{stage}_{lane}", unit.tag);
            let rom = m.rom(&rom_name, unit.bits, depth, &file, rom_style(memory));
            let prefix = levels[lane].clone().expect("a bit was found");
            let address = if unit.sets > 1 { concat([set.clone(), prefix]) } else { prefix };
            let q = m.reg(&format!("limit{}_{stage}_{lane}_q", unit.tag), unit.bits);
            let word = m.read(&format!("limit{}_{stage}_{lane}", unit.tag), rom, address);
            m.register(p.clk, q, word);
            q.expr()
        })
        .collect()
}
