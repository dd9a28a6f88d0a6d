//! The report of a build: JSON, one self-contained HTML page, and tables for terminals.
//!
//! What comes in: a [`Report`], plain facts that the caller gathers. What goes out: text. The same
//! facts give the same bytes: no dates, no paths, no random identifiers.
//!
//! Names come from models, so they are untrusted: [`to_html`] escapes every one of them and drops
//! characters that cannot be seen, [`to_json`] and [`table`] escape those characters.
//!
//! ```
//! use report::{Report, thousands, to_html, to_json};
//! let report = Report { name: "a <b>".into(), ii_cycles: 1234, ..Report::default() };
//! assert!(to_html(&report).contains("<h1>a &lt;b&gt;</h1>"));
//! assert!(to_json(&report).contains("\"ii_cycles\": 1234"));
//! assert_eq!(thousands(report.ii_cycles), "1,234");
//! ```

mod chart;
mod facts;
mod front;
mod html;
mod page;
mod text;

pub use facts::{
    BoardFacts, EngineFacts, FifoFacts, KnifeEdgeFacts, LayerFacts, ModelFacts, Report,
};
pub use front::{DesignFacts, Exploration, exploration_html};
pub use page::to_html;
pub use text::{decimal, one_line, table, thousands};

use std::fmt::Write;

/// The report as pretty JSON, keys in the order of the fields, without a newline at the end.
///
/// Characters that cannot be seen (controls, also those above U+007F, and changes of the reading
/// direction) are `\u` escapes, so the text is safe to show on a terminal.
pub fn to_json(report: &Report) -> String {
    let json = serde_json::to_string_pretty(report).expect("structs of text and numbers");
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // Newlines outside strings are layout; inside strings serde_json has escaped them. Other
        // invisible characters occur in strings only, where an escape means the same.
        if c == '\n' || !text::is_invisible(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small report with every part in use.
    pub(crate) fn sample() -> Report {
        let engine = |name: &str, kind: &str, folding: &str, cycles, luts, bram36| EngineFacts {
            name: name.into(),
            kind: kind.into(),
            folding: folding.into(),
            cycles,
            luts,
            ffs: luts + 100,
            bram36,
            dsps: 0,
            luts_error: Some(0.05),
        };
        let layer = |name: &str, inputs, outputs, thresholds| LayerFacts {
            name: name.into(),
            nodes: vec![format!("MatMul_{name}"), format!("Sign_{name}")],
            kind: "dense".into(),
            inputs,
            outputs,
            weight: Some("bipolar".into()),
            input_type: "bipolar".into(),
            output_type: "bipolar".into(),
            thresholds,
            parameters: inputs * outputs + thresholds,
            macs: inputs * outputs,
        };
        Report {
            name: "tfc-w1a1".into(),
            model: ModelFacts {
                name: "tfc_w1a1".into(),
                sha256: "0123456789abcdef".repeat(4),
                input: "784 pixels of 8 bits; pixel p stands for float32(p) / 255.".into(),
                parameters: 59_072,
                macs: 59_008,
                layers: vec![layer("fc0", 784, 64, 64), layer("fc1", 64, 10, 0)],
                knife_edges: vec![KnifeEdgeFacts {
                    layer: "fc0".into(),
                    channel: 17,
                    first: -1_204,
                    last: -1_203,
                    output64: -1,
                    output32: 1,
                    margin: 1e-8,
                }],
            },
            board: BoardFacts {
                name: "pynq-z2".into(),
                part: "xc7z020clg400-1".into(),
                luts: 53_200,
                ffs: 106_400,
                bram36: 140,
                dsps: 220,
            },
            luts: 4_321,
            ffs: 6_543,
            bram36: 14.5,
            dsps: 0,
            ii_cycles: 784,
            latency_cycles: 1_902,
            fps: 127_551.25,
            clock_mhz: 100.0,
            gap: Some(0.125),
            engines: vec![
                engine("input", "threshold", "1 lanes", 784, 321, 0.0),
                engine("fc0", "mvu", "PE 16 SIMD 49", 64, 3_000, 14.0),
                engine("fc1", "mvu", "PE 1 SIMD 16", 40, 1_000, 0.5),
            ],
            fifos: vec![FifoFacts {
                name: "fc0".into(),
                words: 16,
                bits: 49,
                fewest_words: Some(14),
                tensor_words: Some(64),
            }],
            fifo_bits: 784,
            tensor_bits: 3_136,
            accuracy: Some(0.9296),
            notes: vec!["The estimates are fitted to an open flow.".into()],
        }
    }

    #[test]
    fn json_comes_back_as_it_went() {
        let mut report = sample();
        report.name =
            "bell\u{7} csi\u{9b}31m rtl\u{202e}\nline \u{1F980} \"quoted\" \\u0041".into();
        let json = to_json(&report);
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        assert!(json.chars().all(|c| c == '\n' || !text::is_invisible(c)));
        assert!(json.contains("csi\\u009b31m rtl\\u202e\\nline \u{1F980}"));
        assert_eq!(to_json(&report), json);
    }

    #[test]
    fn keys_are_in_the_order_of_the_fields() {
        let json = to_json(&sample());
        let keys = [
            "name",
            "model",
            "board",
            "luts",
            "ffs",
            "bram36",
            "dsps",
            "ii_cycles",
            "latency_cycles",
            "fps",
            "clock_mhz",
            "gap",
            "engines",
            "fifos",
            "fifo_bits",
            "tensor_bits",
            "accuracy",
            "notes",
        ];
        let top: Vec<&str> = json
            .lines()
            .filter_map(|l| l.strip_prefix("  \"").and_then(|l| l.split('"').next()))
            .collect();
        assert_eq!(top, keys);
        let json = to_json(&Report { accuracy: None, ..sample() });
        assert!(json.contains("\n  \"accuracy\": null,\n"), "the keys do not depend on the values");
    }
}
