//! The memory of a frame: used again for the next one.

use crate::View;
use crate::finish::Pixel;
use crate::head;
use crate::layout::Store;
use crate::linear::Memory;
use crate::plan::{Plan, Work};
use std::sync::Arc;

/// What [`Golden::run_into`](crate::Golden::run_into) works in: the output of every layer of the last
/// frame, and what it takes to get there. Made once by [`Golden::scratch`](crate::Golden::scratch);
/// running a frame allocates nothing.
#[derive(Debug, Clone)]
pub struct Scratch {
    plan: Arc<Plan>,
    pub(crate) input: Store,
    outputs: Vec<Store>,
    memories: Vec<Memory>,
    elements: (Vec<i32>, Pixel),
    numbers: Vec<i64>,
    selected: Vec<usize>,
    /// Of each layer, where they are kept.
    pub(crate) accumulators: Vec<Vec<i64>>,
}

impl Scratch {
    pub(crate) fn new(plan: &Arc<Plan>) -> Self {
        let memory = |work: &Work| match work {
            Work::Linear(linear) => linear.memory(),
            Work::Elementwise(_) | Work::Pool(_) | Work::Affine(_) | Work::Select { .. } => {
                Memory::default()
            }
        };
        Self {
            input: plan.input.store(),
            outputs: plan.steps.iter().map(|step| step.output.store()).collect(),
            memories: plan.steps.iter().map(|step| memory(&step.work)).collect(),
            elements: <(Vec<i32>, Pixel)>::default(),
            numbers: Vec::new(),
            selected: Vec::new(),
            accumulators: vec![Vec::new(); plan.steps.len()],
            plan: Arc::clone(plan),
        }
    }

    /// The frame that went in.
    pub fn input(&self) -> View<'_> {
        self.plan.input.view(&self.input)
    }

    /// What a layer made of it.
    pub fn layer(&self, index: usize) -> View<'_> {
        self.plan.steps[index].output.view(&self.outputs[index])
    }

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.outputs.len()
    }

    /// The accumulators of the last linear layer, with the model's signs.
    pub fn accumulators(&self) -> &[i64] {
        self.plan.last_linear.map_or(&[], |layer| &self.accumulators[layer])
    }

    /// Whether it was made by this plan.
    pub(crate) fn is_of(&self, plan: &Arc<Plan>) -> bool {
        Arc::ptr_eq(&self.plan, plan)
    }

    /// Runs the layers on `self.input`. Accumulators are kept of all linear layers, or of the last.
    pub(crate) fn run(&mut self, plan: &Plan, keep_all: bool) {
        for (index, step) in plan.steps.iter().enumerate() {
            let (earlier, later) = self.outputs.split_at_mut(index);
            let (input, from) = match (earlier.last(), index.checked_sub(1)) {
                (Some(store), Some(before)) => (store, plan.steps[before].output),
                _ => (&self.input, plan.input),
            };
            let output = &mut later[0];
            match &step.work {
                Work::Linear(linear) => {
                    let kept = &mut self.accumulators[index];
                    kept.clear();
                    let keep = keep_all || plan.last_linear == Some(index);
                    linear.run(input, &mut self.memories[index], output, keep.then_some(kept));
                }
                Work::Elementwise(elementwise) => {
                    elementwise.run(input, &mut self.elements, output);
                }
                Work::Pool(pool) => pool.run(input, output),
                Work::Affine(affine) => {
                    let (view, channels) = (from.view(input), step.output.map.channels);
                    for pixel in 0..step.output.map.pixels() {
                        let elements = pixel * channels..(pixel + 1) * channels;
                        let number = |e| view.value(e) * affine.multipliers[e] + affine.addends[e];
                        self.numbers.clear();
                        self.numbers.extend(elements.map(number));
                        step.output.write(output, pixel, &self.numbers);
                    }
                }
                Work::Select { k, smallest } => {
                    let view = from.view(input);
                    self.numbers.clear();
                    self.numbers.extend((0..view.len()).map(|e| view.value(e)));
                    head::best(&self.numbers, *smallest, &mut self.selected);
                    self.numbers.clear();
                    self.numbers.extend(self.selected[..*k].iter().map(|&i| i as i64));
                    step.output.write(output, 0, &self.numbers);
                }
            }
        }
    }
}
