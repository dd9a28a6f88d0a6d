//! Files for the vendor's tool: IP packaging and clock constraints.

use crate::Design;

const PACKAGE: &str = include_str!("../../../hw/vivado/package_ip.tcl");
const CLOCK: &str = include_str!("../../../hw/vivado/clock.xdc");

/// The files of `vivado/`. Every inserted text is an identifier, a number or a part number.
pub(crate) fn files(design: &Design) -> Vec<(String, String)> {
    let fill = |template: &str| {
        template
            .replace("@TOP@", &design.dataflow.name)
            .replace("@PART@", &design.board.part)
            .replace("@PERIOD_NS@", &format!("{:.3}", 1000.0 / design.facts.clock_mhz))
            .replace("@FREQ_HZ@", &format!("{:.0}", design.facts.clock_mhz * 1e6))
    };
    vec![("package_ip.tcl".into(), fill(PACKAGE)), ("clock.xdc".into(), fill(CLOCK))]
}
