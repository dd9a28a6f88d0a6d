//! The top module: AXI4-Stream outside, one instance for each engine inside.

use crate::context::{Context, Side};
use dataflow::EngineKind;
use engines::cycles_per_frame;
use hdl::{Instance, Module, ModuleRef, Value, zeros};

/// Joins the engines' modules, given in their order.
pub(crate) fn top(context: &mut Context<'_>, modules: &[ModuleRef]) {
    let dataflow = context.dataflow;
    let (input, output) = (dataflow.input(), dataflow.output());
    let mut m = Module::new(&dataflow.name);
    m.comment(&format!("Accelerator of the model `{}`.", context.network.name));
    m.comment(&format!("Input:  {}", context.network.input.describe()));
    m.comment(&format!(
        "        {} words a frame of {} x {} in {} bytes, lane 0 low.",
        input.words_per_frame(),
        input.lanes,
        input.element,
        input.bytes()
    ));
    m.comment(&format!(
        "Output: {} words a frame of {} x {} in {} bytes, lane 0 low.",
        output.words_per_frame(),
        output.lanes,
        output.element,
        output.bytes()
    ));
    let slowest = (0..dataflow.engines.len()).map(|e| cycles_per_frame(dataflow, e)).max();
    m.comment(&format!("Cycles between frames: {}.", slowest.unwrap_or(1)));
    let clk = m.input("aclk", 1);
    let aresetn = m.input("aresetn", 1);
    let s_data = m.input("s_axis_tdata", 8 * input.bytes());
    let s_valid = m.input("s_axis_tvalid", 1);
    let s_ready = m.output("s_axis_tready", 1);
    let s_last = m.input("s_axis_tlast", 1);
    let m_data = m.output("m_axis_tdata", 8 * output.bytes());
    let m_valid = m.output("m_axis_tvalid", 1);
    let m_ready = m.input("m_axis_tready", 1);
    let m_last = m.output("m_axis_tlast", 1);
    let m_user = m.output("m_axis_tuser", 1);
    m.note(m_user, "high when the input frame was too short or too long");
    let frame_error = m.output("frame_error", 1);
    m.note(frame_error, "stays high from the first wrong input frame to the next reset");
    let rst = m.net("rst", !aresetn);

    m.section("Streams between engines");
    let data = s_data.slice(0, input.bits());
    let mut wires = vec![Side { data, valid: s_valid, ready: s_ready }];
    let inner = &dataflow.streams[1..dataflow.streams.len() - 1];
    wires.extend(inner.iter().map(|s| Side::wires(&mut m, &s.name, s.bits())));
    let result = m.wire("result", output.bits());
    wires.push(Side { data: result.expr(), valid: m_valid, ready: m_ready });
    let report = m.wire("report", 1);
    let report_valid = m.wire("report_valid", 1);
    let mut built: Vec<Instance> = Vec::new();
    for (index, (engine, module)) in dataflow.engines.iter().zip(modules).enumerate() {
        let cycles = cycles_per_frame(dataflow, index);
        let title = match &engine.kind {
            EngineKind::Mvu(u) => format!("PE {}, SIMD {}", u.pe, u.simd),
            other => other.name().to_string(),
        };
        m.section(&format!("{}: {title}, {cycles} cycles a frame", engine.name));
        let mut instance = m
            .instance(&format!("u_{}", engine.name), module)
            .connect("clk", clk)
            .connect("rst", rst);
        for (side, streams) in [("s", &engine.inputs), ("m", &engine.outputs)] {
            for (port, &stream) in streams.iter().enumerate() {
                let prefix = if streams.len() == 1 { side.into() } else { format!("{side}{port}") };
                let wires = &wires[stream];
                instance = instance
                    .connect(&format!("{prefix}_data"), wires.data.clone())
                    .connect(&format!("{prefix}_valid"), wires.valid)
                    .connect(&format!("{prefix}_ready"), wires.ready);
            }
        }
        if engine.inputs.contains(&0) {
            instance = instance
                .connect("s_last", s_last)
                .connect("report", report)
                .connect("report_valid", report_valid);
        }
        if engine.outputs.contains(&(dataflow.streams.len() - 1)) {
            instance = instance
                .connect("report", report)
                .connect("report_valid", report_valid)
                .connect("m_last", m_last)
                .connect("m_user", m_user);
        }
        built.push(instance.place());
    }
    m.section("Whole bytes outside");
    m.assign(m_data, result.zero_extend(8 * output.bytes()));
    if s_data.width() > input.bits() {
        m.sink_unused([s_data.slice(input.bits(), s_data.width() - input.bits())]);
    }
    let error = frame_error | (report & report_valid);
    m.register_reset(clk, rst, frame_error, zeros(1), error);
    context.library.define(m);
}
