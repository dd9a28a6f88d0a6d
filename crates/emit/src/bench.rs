//! The testbench folder: the harness that all designs share, and what is generated for this one.

use crate::trace::half_cycle;
use dataflow::Dataflow;
use std::fmt::Write;

const HARNESS: &str = include_str!("../../../sim/harness/harness.cpp");
const NPY: &str = include_str!("../../../sim/harness/npy.h");
const PORT: &str = include_str!("../../../sim/harness/port.h");
const MAKEFILE: &str = include_str!("../../../sim/harness/Makefile");

/// Name of the executable that the Makefile builds.
pub const EXECUTABLE: &str = "sim";

/// The files of `sim/`; the clock is that of waveforms.
pub fn files(dataflow: &Dataflow, clock_mhz: f64) -> Vec<(String, String)> {
    vec![
        ("harness.cpp".into(), HARNESS.into()),
        ("npy.h".into(), NPY.into()),
        ("port.h".into(), PORT.into()),
        ("streams.h".into(), streams(dataflow, clock_mhz)),
        ("observe.vlt".into(), observe(dataflow)),
        ("Makefile".into(), MAKEFILE.replace("@TOP@", &dataflow.name)),
    ]
}

/// The name in the top module of the `data`, `valid`, `ready` or `last` of a stream.
pub(crate) fn signal(dataflow: &Dataflow, stream: usize, part: &str) -> String {
    let is_axi = stream == 0 || stream + 1 == dataflow.streams.len();
    format!("{}_{}{part}", dataflow.streams[stream].name, if is_axi { "t" } else { "" })
}

/// Which signals of the top the harness may look at: nothing in the RTL says so.
fn observe(dataflow: &Dataflow) -> String {
    let mut text = String::from("`verilator_config\n");
    for stream in 1..dataflow.streams.len() - 1 {
        for part in ["data", "valid", "ready"] {
            let (top, wire) = (&dataflow.name, signal(dataflow, stream, part));
            writeln!(text, "public_flat_rd -module \"{top}\" -var \"{wire}\"")
                .expect("writing to a string does not fail");
        }
    }
    text
}

fn streams(dataflow: &Dataflow, clock_mhz: f64) -> String {
    let top = &dataflow.name;
    let last = dataflow.streams.len() - 1;
    let mut text = String::new();
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        text.write_fmt(arguments).expect("writing to a string does not fail");
        text.push('\n');
    };
    line(format_args!("// Generated: the streams of {top}, for the harness."));
    line(format_args!("#pragma once"));
    line(format_args!("#include \"V{top}.h\""));
    line(format_args!("#include \"V{top}___024root.h\""));
    line(format_args!("#include <vector>"));
    line(format_args!("#include \"port.h\""));
    line(format_args!("#include \"verilated.h\"\n"));
    line(format_args!("#define TOP V{top}\n"));
    line(format_args!("// Picoseconds."));
    line(format_args!("constexpr uint64_t HALF_CYCLE = {};\n", half_cycle(clock_mhz)));
    line(format_args!("// Name, bytes, words of a frame, valid, ready, data."));
    line(format_args!("inline std::vector<Port> ports(TOP& top) {{"));
    line(format_args!("    return {{"));
    for (i, stream) in dataflow.streams.iter().enumerate() {
        let (name, bytes, words) = (&stream.name, stream.bytes(), stream.words_per_frame());
        let signal = |part: &str| match signal(dataflow, i, part) {
            port if i == 0 || i == last => format!("&top.{port}"),
            wire => format!("&top.rootp->{top}__DOT__{wire}"),
        };
        let (valid, ready, data) = (signal("valid"), signal("ready"), signal("data"));
        line(format_args!("        {{\"{name}\", {bytes}, {words}, {valid}, {ready}, {data}}},"));
    }
    line(format_args!("    }};"));
    line(format_args!("}}"));
    text
}
