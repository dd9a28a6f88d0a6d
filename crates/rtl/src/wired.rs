//! Matrix-vector-threshold unit whose weights are wires.

use crate::context::{Context, Ports};
use crate::control::{Delay, Shape, finish, steps};
use crate::mvu::level_value;
use compressors::{End, Wired};
use dataflow::Mvu;
use hdl::{Expr, Module, ModuleRef, Value, pack};

/// Builds the unit of engine `index`.
pub(crate) fn wired(context: &mut Context<'_>, index: usize, unit: &Mvu) -> ModuleRef {
    let (input, output) = context.ends(index);
    let layer = context.layer(index).dense().expect("a matrix-vector unit computes a linear layer");
    let weight = |row: usize, column: usize| layer.weights[(row, column)];
    let threshold =
        |row: usize| layer.thresholds.as_ref().map_or(0, |thresholds| thresholds.values[(row, 0)]);
    let types = [input.element, output.element];
    let trees = engines::mvu::wired(unit, types, weight, threshold);
    let engine = context.engine(index).name.clone();
    let groups = groups(context, &engine, &trees);

    let mut m = Module::new(&context.name(&engine));
    let what = format!(
        "Matrix-vector-threshold unit: {} rows of {} columns, whose weights are wires; {} vectors at once.",
        unit.rows, unit.columns, unit.vectors
    );
    context.describe(&mut m, index, &what);
    let p = Ports::declare(&mut m, input.bits(), output.bits());
    let shape = Shape { words: 1, passes: 1, buffer: 0, credits: unit.credits };
    let control = steps(&mut m, &p, shape);
    m.section("Input word");
    let x = m.reg("x_q", input.bits());
    m.register(p.clk, x, control.word.clone());
    if groups.is_empty() {
        // Every row is decided without its inputs.
        m.sink_unused([x.expr()]);
    }
    let mut values = Vec::new();
    for (vector, x) in x.lanes(x.width() / unit.vectors).into_iter().enumerate() {
        values.extend(results(&mut m, &p, (vector, x), &trees, &groups));
    }
    if let Some(thresholds) = &layer.thresholds {
        let value = |level: Expr| level_value(level, thresholds, output.element);
        values = values.into_iter().map(value).collect();
    }
    m.section("Pipeline control");
    let result_at = engines::mvu::latency(unit, input.element) as usize - 1;
    let done = Delay::new(&mut m, &p, "done", control.step.expr(), result_at, true);
    finish(context, &mut m, &p, &control, done.at(result_at), pack(values));
    context.library.define(m)
}

/// A module for each group of rows.
fn groups(context: &mut Context<'_>, engine: &str, trees: &Wired) -> Vec<ModuleRef> {
    let name = |number: usize| context.name(&format!("{engine}_rows{number}"));
    let names: Vec<String> = (0..trees.groups.len()).map(name).collect();
    let (library, primitives) = (&mut context.library, context.primitives);
    let module = |(group, name): (&compressors::Group, &String)| {
        group.netlist.module_of(primitives, End::Registers, library, name)
    };
    trees.groups.iter().zip(&names).map(module).collect()
}

/// The result of each row for one vector, as the trees give it.
fn results(
    m: &mut Module,
    p: &Ports,
    (vector, x): (usize, Expr),
    trees: &Wired,
    groups: &[ModuleRef],
) -> Vec<Expr> {
    let bits = trees.output.bits();
    let decided = trees.decided.iter().map(|(row, value)| (*row, Expr::from(*value)));
    let mut results: Vec<(usize, Expr)> = decided.collect();
    for (number, (group, module)) in trees.groups.iter().zip(groups).enumerate() {
        let rows: Vec<String> = group.neurons.iter().map(ToString::to_string).collect();
        m.section(&format!("Rows {}", rows.join(", ")));
        let sum = m
            .instance(&format!("u_rows{number}_{vector}"), module)
            .connect("clk", p.clk)
            .connect("bits", x.clone())
            .place()
            .output("sum");
        results.extend(group.neurons.iter().copied().zip(sum.lanes(bits)));
    }
    results.sort_by_key(|(row, _)| *row);
    results.into_iter().map(|(_, value)| value).collect()
}
