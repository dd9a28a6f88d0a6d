//! From the plan of a group to its netlist.

use std::collections::BTreeMap;

use super::Output;
use super::ending::Ending;
use super::plan::{Part, Plan};
use crate::bit::{Bit, Wire};
use crate::compress::Builder;
use crate::last::Position;
use crate::netlist::{Netlist, Stage};
use crate::schedule::{self, Schedule};

/// Bits by columns.
type Columns = Vec<Vec<Bit>>;

/// The tree of a group, and the bits of each neuron's sum. `schedules` are those with 1, 2, ...
/// stages; each tree ends with the cheapest of at most `stages`.
pub(super) fn grow(
    inputs: usize,
    plan: &Plan,
    endings: &[Ending],
    schedules: Vec<Vec<Option<Schedule>>>,
    stages: usize,
) -> (Netlist, Vec<Vec<Bit>>) {
    let wires = u32::try_from(inputs).expect("fewer than 2^32 inputs");
    let mut garden = Garden { builder: Builder::new(wires), stages: Vec::new() };
    let literal = |(input, inverted): &(usize, bool)| Bit {
        wire: Some(Wire(*input as u32)),
        inverted: *inverted,
    };
    let class = |class: &Vec<_>| vec![class.iter().map(literal).collect()];
    let mut states: Vec<Columns> = plan.classes.iter().map(class).collect();
    for steps in &plan.stages {
        let first = states.len();
        for step in steps {
            let mut columns = join(&states, &step.parts);
            // No column is the top one.
            columns.resize(columns.len() + 3, Vec::new());
            let mut given = garden.compress(columns, &step.stage);
            while given.last().is_some_and(Vec::is_empty) {
                given.pop();
            }
            states.push(given);
        }
        garden.end_of_stage(&mut states[first..]);
    }
    let mut heaps: Vec<Heap> = endings
        .iter()
        .zip(&plan.heaps)
        .zip(schedules)
        .map(|((ending, parts), schedules)| {
            Heap::new(ending, join(&states, parts), schedules.into_iter().take(stages))
        })
        .collect();
    for number in 0..stages {
        heaps.iter_mut().for_each(|heap| heap.stage(number, &mut garden));
        let mut columns: Vec<Columns> =
            heaps.iter_mut().map(|heap| std::mem::take(&mut heap.columns)).collect();
        garden.end_of_stage(&mut columns);
        heaps.iter_mut().zip(columns).for_each(|(heap, columns)| heap.columns = columns);
    }
    let outputs = heaps.iter().flat_map(|heap| {
        let first = if heap.output == Output::Sign { heap.columns.len() - 1 } else { 0 };
        heap.columns[first..].iter().map(|bits| bits.first().copied().unwrap_or(Bit::ZERO))
    });
    let netlist = Netlist {
        inputs,
        late: Default::default(),
        outputs: outputs.collect(),
        wires: garden.builder.wires.count(),
        stages: garden.stages,
    };
    (netlist, heaps.into_iter().map(|heap| heap.sum).collect())
}

/// The bits of all parts, inverted where the part is.
fn join(states: &[Columns], parts: &[Part]) -> Columns {
    let mut joined = Columns::new();
    for (state, flipped) in parts {
        let state = &states[*state];
        joined.resize(joined.len().max(state.len()), Vec::new());
        for (all, bits) in joined.iter_mut().zip(state) {
            all.extend(bits.iter().map(|bit| Bit { inverted: bit.inverted ^ flipped, ..*bit }));
        }
    }
    joined
}

/// Where all trees of a group grow, stage by stage.
struct Garden {
    builder: Builder,
    stages: Vec<Stage>,
}

impl Garden {
    fn compress(&mut self, columns: Columns, stage: &schedule::Stage) -> Columns {
        self.builder.load(columns);
        self.builder.compress(stage);
        self.builder.unload()
    }

    fn last_chain(&mut self, columns: Columns, positions: &[Position]) -> Columns {
        self.builder.load(columns);
        self.builder.last_chain(positions);
        self.builder.unload()
    }

    /// A register for every wire, however many heaps it is in; the bits are those behind it.
    fn end_of_stage(&mut self, heaps: &mut [Columns]) {
        let mut registers = BTreeMap::new();
        for bit in heaps.iter_mut().flatten().flatten() {
            let wires = &mut self.builder.wires;
            let register = |wire| *registers.entry(wire).or_insert_with(|| wires.fresh());
            bit.wire = bit.wire.map(register);
        }
        let mut stage = std::mem::take(&mut self.builder.stage);
        stage.registers = registers.into_iter().collect();
        self.stages.push(stage);
    }
}

/// The heap of one neuron.
struct Heap {
    output: Output,
    columns: Columns,
    schedule: Schedule,
    /// The bits of the sum that are known.
    sum: Vec<Bit>,
}

impl Heap {
    fn new(
        ending: &Ending,
        bits: Columns,
        schedules: impl Iterator<Item = Option<Schedule>>,
    ) -> Self {
        let schedule = schedules.flatten().min_by_key(|schedule| schedule.cost);
        let mut columns = vec![Vec::new(); ending.width];
        columns.iter_mut().skip(ending.output.shift()).zip(bits).for_each(|(c, bits)| *c = bits);
        for (column, bits) in columns.iter_mut().enumerate() {
            bits.extend((ending.constant >> column & 1 == 1).then_some(Bit::ONE));
        }
        Self {
            output: ending.output,
            columns,
            schedule: schedule.expect("the number of stages suffices for all"),
            sum: Vec::new(),
        }
    }

    /// The next stage, the last chain, or waiting behind it.
    fn stage(&mut self, number: usize, garden: &mut Garden) {
        self.drop_low_columns();
        let columns = std::mem::take(&mut self.columns);
        self.columns = match self.schedule.stages.get(number) {
            Some(stage) => garden.compress(columns, stage),
            None if number == self.schedule.stages.len() => {
                let columns = garden.last_chain(columns, &self.schedule.last);
                let known = self.sum.len();
                let one = |bits: &Vec<Bit>| bits.first().copied().unwrap_or(Bit::ZERO);
                self.sum.extend(columns.iter().skip(known).map(one));
                columns
            }
            None => columns,
        };
        self.drop_low_columns();
    }

    /// Where only the sign counts: low columns of one bit are the sum already, and decide nothing.
    fn drop_low_columns(&mut self) {
        if self.output != Output::Sign {
            return;
        }
        let top = self.columns.len() - 1;
        for (column, bits) in self.columns[..top].iter_mut().enumerate() {
            if bits.len() > 1 {
                return;
            }
            if column >= self.sum.len() {
                self.sum.push(bits.first().copied().unwrap_or(Bit::ZERO));
            }
            bits.clear();
        }
    }
}
