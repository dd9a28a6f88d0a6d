//! The page of a report.

use crate::chart;
use crate::facts::{BoardFacts, ModelFacts, Report};
use crate::html::{Column, Html};
use crate::text::{decimal, rate, signed, thousands, time};

/// Knife edges that the page lists; a float chain can have one for every channel.
const KNIFE_EDGES: usize = 200;

/// The report as one self-contained page: no external resources, no scripts.
pub fn to_html(report: &Report) -> String {
    let mut html = Html::default();
    html.begin(&report.name, &report.board, report.clock_mhz);
    headline(&mut html, report);
    engines(&mut html, report);
    model(&mut html, &report.model);
    layers(&mut html, &report.model);
    buffers(&mut html, report);
    knife_edges(&mut html, &report.model);
    notes(&mut html, &report.notes);
    html.raw("</main>\n</body>\n</html>\n");
    html.finish()
}

fn headline(html: &mut Html, report: &Report) {
    let BoardFacts { luts, ffs, bram36, dsps, .. } = report.board;
    html.raw("<section class=\"cards\">\n");
    card(html, "frames a second", &rate(report.fps), "in steady state");
    let cycles = |html: &mut Html, what, cycles| {
        let below = format!("cycles, {}", time(cycles, report.clock_mhz));
        card(html, what, &thousands(cycles), &below);
    };
    cycles(html, "interval between frames", report.ii_cycles);
    cycles(html, "latency of a frame", report.latency_cycles);
    if let Some(gap) = report.gap {
        let percent = format!("{} %", decimal(gap * 100.0, 1));
        card(html, "from the best folding", &percent, "at most, by the estimates");
    }
    if let Some(accuracy) = report.accuracy {
        let percent = format!("{} %", decimal(accuracy * 100.0, 2));
        card(html, "accuracy", &percent, "of the labelled frames are right");
    }
    share(html, "LUT", &thousands(report.luts), report.luts as f64, luts);
    share(html, "FF", &thousands(report.ffs), report.ffs as f64, ffs);
    share(html, "BRAM36", &decimal(report.bram36, 1), report.bram36, bram36);
    share(html, "DSP", &thousands(report.dsps), report.dsps as f64, dsps);
    html.raw("</section>\n");
}

fn card(html: &mut Html, what: &'static str, value: &str, below: &str) {
    html.raw("<div class=\"card\"><span>").raw(what).raw("</span><b>").text(value);
    html.raw("</b><span>").text(below).raw("</span></div>\n");
}

/// A card with the used share of what the board has, as a bar.
fn share(html: &mut Html, what: &'static str, value: &str, used: f64, board: u64) {
    let percent = match board {
        0 if used > 0.0 => f64::INFINITY,
        0 => 0.0,
        _ => 100.0 * used / board as f64,
    };
    let over = percent > 100.0;
    html.raw(if over { "<div class=\"card over\"><span>" } else { "<div class=\"card\"><span>" });
    html.raw(what).raw("</span><b>").text(value).raw("</b><span>of ").text(thousands(board));
    if percent.is_finite() {
        html.raw(", ").text(decimal(percent, 1)).raw(" %");
    }
    html.raw(if over { ": more than the board has" } else { "" });
    html.raw("</span><div class=\"share\"><div style=\"width:");
    html.text(format!("{:.2}", percent.clamp(0.0, 100.0))).raw("%\"></div></div></div>\n");
}

fn engines(html: &mut Html, report: &Report) {
    html.section(
        "Cycles per engine",
        "How long each engine works on a frame when nothing makes it wait. The slowest is in \
         colour and bold; the dashed line is the interval between frames.",
    );
    chart::cycles(html, &report.engines, report.ii_cycles);
    html.raw("</section>\n").section("Engines", "Busy is the share of the interval. Half of the engines of a kind were off by no more than \u{b1} %.");
    let columns = [
        Column::Text("Engine"),
        Column::Text("Kind"),
        Column::Text("Folding"),
        Column::Number("Cycles"),
        Column::Number("Busy"),
        Column::Number("LUT"),
        Column::Number("\u{b1} %"),
        Column::Number("FF"),
        Column::Number("BRAM36"),
        Column::Number("DSP"),
    ];
    let interval = report.ii_cycles.max(1) as f64;
    let rows = report.engines.iter().map(|e| {
        vec![
            e.name.clone(),
            e.kind.clone(),
            e.folding.clone(),
            thousands(e.cycles),
            format!("{} %", decimal(100.0 * e.cycles as f64 / interval, 1)),
            thousands(e.luts),
            e.luts_error.map_or("-".into(), |error| decimal(100.0 * error, 0)),
            thousands(e.ffs),
            decimal(e.bram36, 1),
            thousands(e.dsps),
        ]
    });
    html.table(&columns, rows).raw("</section>\n");
}

fn model(html: &mut Html, model: &ModelFacts) {
    html.section("Model", "").raw("<dl>\n<dt>Name</dt><dd>").text(&model.name);
    html.raw("</dd>\n<dt>SHA-256</dt><dd><code>").text(&model.sha256);
    html.raw("</code></dd>\n<dt>Input</dt><dd>").text(&model.input);
    html.raw("</dd>\n<dt>Parameters</dt><dd>").text(thousands(model.parameters));
    html.raw("</dd>\n<dt>MACs a frame</dt><dd>").text(thousands(model.macs));
    html.raw("</dd>\n</dl>\n</section>\n");
}

fn layers(html: &mut Html, model: &ModelFacts) {
    html.section("Layers", "The network after streamlining, with the nodes each layer stands for.");
    let columns = [
        Column::Text("Layer"),
        Column::Text("Kind"),
        Column::Number("Inputs"),
        Column::Number("Outputs"),
        Column::Text("Weights"),
        Column::Text("Input type"),
        Column::Text("Output type"),
        Column::Number("Thresholds"),
        Column::Number("Parameters"),
        Column::Number("MACs"),
        Column::Text("Nodes of the model"),
    ];
    let rows = model.layers.iter().map(|l| {
        vec![
            l.name.clone(),
            l.kind.clone(),
            thousands(l.inputs),
            thousands(l.outputs),
            l.weight.clone().unwrap_or_default(),
            l.input_type.clone(),
            l.output_type.clone(),
            thousands(l.thresholds),
            thousands(l.parameters),
            thousands(l.macs),
            l.nodes.join(", "),
        ]
    });
    html.table(&columns, rows).raw("</section>\n");
}

fn buffers(html: &mut Html, report: &Report) {
    if report.fifos.is_empty() {
        html.section("Buffers", "").raw("<p>None.</p>\n</section>\n");
        return;
    }
    html.section(
        "Buffers",
        "Sized depths have the fewest words that keep the rate, rounded up to what memory makes free.",
    );
    let columns = [
        Column::Text("Buffer"),
        Column::Number("Words"),
        Column::Number("Fewest"),
        Column::Number("Tensor"),
        Column::Number("Bits a word"),
        Column::Number("Bits"),
    ];
    let rows = report.fifos.iter().map(|f| {
        let bits = f.words.saturating_mul(f.bits);
        let known = |words: Option<u64>| words.map_or_else(|| "-".into(), thousands);
        let [fewest, tensor] = [f.fewest_words, f.tensor_words].map(known);
        let [words, width, bits] = [f.words, f.bits, bits].map(thousands);
        vec![f.name.clone(), words, fewest, tensor, width, bits]
    });
    let [bits, whole] = [report.fifo_bits, report.tensor_bits].map(thousands);
    html.table(&columns, rows).raw("<p>").text(bits).raw(" bits together; ").text(whole);
    html.raw(" if each were as deep as its tensor.</p>\n</section>\n");
}

fn knife_edges(html: &mut Html, model: &ModelFacts) {
    html.section(
        "Knife edges",
        "Accumulators that can occur and are decided by a hair: float64 and float32 disagree, or the \
         value in front of the quantizer is within 1e-6 of where the decision turns.",
    );
    if model.knife_edges.is_empty() {
        html.raw("<p>None: every decision is clear in both formats.</p>\n</section>\n");
        return;
    }
    let columns = [
        Column::Text("Layer"),
        Column::Number("Channel"),
        Column::Number("From"),
        Column::Number("To"),
        Column::Number("Output in float64"),
        Column::Number("Output in float32"),
        Column::Number("Margin"),
    ];
    let rows = model.knife_edges.iter().take(KNIFE_EDGES).map(|k| {
        let numbers = [k.first, k.last, k.output64, k.output32].map(signed);
        let margin = format!("{:.1e}", k.margin);
        [k.layer.clone(), thousands(k.channel)].into_iter().chain(numbers).chain([margin]).collect()
    });
    html.table(&columns, rows);
    let hidden = model.knife_edges.len().saturating_sub(KNIFE_EDGES);
    if hidden > 0 {
        html.raw("<p>And ").text(thousands(hidden as u64)).raw(" more in the JSON report.</p>\n");
    }
    html.raw("</section>\n");
}

fn notes(html: &mut Html, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    html.section("Notes", "").raw("<ul>\n");
    for note in notes {
        html.raw("<li>").text(note).raw("</li>\n");
    }
    html.raw("</ul>\n</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::KnifeEdgeFacts;
    use crate::tests::sample;
    use serde_json::Value;

    /// The names of the tags after the style, in order.
    fn tags(page: &str) -> Vec<String> {
        let body = page.split("</style>").nth(1).unwrap();
        body.split('<').skip(1).map(|t| t.split(['>', ' ']).next().unwrap().to_string()).collect()
    }

    /// Puts `poison` at the end of every text.
    fn poisoned(value: &mut Value, poison: &str) {
        match value {
            Value::String(text) => text.push_str(poison),
            Value::Array(all) => all.iter_mut().for_each(|v| poisoned(v, poison)),
            Value::Object(all) => all.values_mut().for_each(|v| poisoned(v, poison)),
            _ => {}
        }
    }

    #[test]
    fn no_text_becomes_markup() {
        let clean = to_html(&sample());
        for poison in [
            "<script>alert(1)</script>",
            "\" onload=\"alert(1)",
            "\"onload=",
            "' onmouseover='alert(1)",
            "</style><img src=x>",
            "</title></svg>-->]]>",
            "&#60;b&#62;",
            "\0\u{1}\u{8}\u{b}\u{1b}[31m\u{7f}\u{9b}\u{202e}\u{2066}\u{feff}\r\n\t",
        ] {
            let mut value = serde_json::to_value(sample()).unwrap();
            poisoned(&mut value, poison);
            let report: Report = serde_json::from_value(value).unwrap();
            let page = to_html(&report);
            assert_eq!(tags(&page), tags(&clean), "{poison:?}");
            assert_eq!(page.matches('"').count(), clean.matches('"').count(), "{poison:?}");
            assert_eq!(page.matches('\'').count(), clean.matches('\'').count(), "{poison:?}");
            assert_eq!(page.matches("</style>").count(), 1);
            let seen = |c: char| c == '\n' || !crate::text::is_invisible(c);
            assert!(page.chars().all(seen), "{poison:?}");
            assert_eq!(page.lines().count(), clean.lines().count(), "{poison:?}");
        }
    }

    #[test]
    fn the_page_needs_nothing_else_and_is_the_same_each_time() {
        let page = to_html(&sample());
        for word in
            ["<script", "<link", "<img", "src=", "href=", "url(", "@import", "http://", "https:"]
        {
            assert!(!page.contains(word), "{word}");
        }
        assert_eq!(page, to_html(&sample()));
        assert!(page.contains("prefers-color-scheme: dark"));
    }

    #[test]
    fn every_element_is_closed() {
        let mut open: Vec<String> = Vec::new();
        for page in [to_html(&sample()), to_html(&Report::default())] {
            for tag in tags(&page) {
                if let Some(name) = tag.strip_prefix('/') {
                    // The first part of the page, up to the style, is not looked at.
                    match open.pop() {
                        Some(top) => assert_eq!(top, name),
                        None => assert!(["head", "html"].contains(&name), "{name}"),
                    }
                } else if !["rect", "line"].contains(&tag.as_str()) {
                    open.push(tag);
                }
            }
            assert!(open.is_empty(), "{open:?}");
        }
    }

    #[test]
    fn shows_the_figures() {
        let page = to_html(&sample());
        for text in [
            "<span>frames a second</span><b>127,551</b>",
            "<b>784</b><span>cycles, 7.84 \u{b5}s</span>",
            "<b>1,902</b><span>cycles, 19.02 \u{b5}s</span>",
            "<b>4,321</b><span>of 53,200, 8.1 %</span><div class=\"share\"><div style=\"width:8.12%\">",
            "<b>14.5</b><span>of 140, 10.4 %</span>",
            "<b>92.96 %</b>",
            "pynq-z2 (xc7z020clg400-1) at 100 MHz.",
            "<td>PE 16 SIMD 49</td><td class=\"n\">64</td><td class=\"n\">8.2 %</td>",
            "<td>MatMul_fc0, Sign_fc0</td>",
            "<td>fc0</td><td class=\"n\">16</td><td class=\"n\">14</td><td class=\"n\">64</td>",
            "<td class=\"n\">49</td><td class=\"n\">784</td>",
            "<p>784 bits together; 3,136 if each were as deep as its tensor.</p>",
            "<td class=\"n\">17</td><td class=\"n\">-1,204</td><td class=\"n\">-1,203</td>",
            "<li>The estimates are fitted to an open flow.</li>",
        ] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn says_when_something_is_missing_or_too_much() {
        let mut report = Report { luts: 60_000, dsps: 3, fifos: Vec::new(), ..sample() };
        report.board.dsps = 0;
        report.model.knife_edges = vec![KnifeEdgeFacts::default(); KNIFE_EDGES + 1_234];
        let page = to_html(&report);
        assert!(page.contains("of 53,200, 112.8 %: more than the board has</span>"));
        assert!(page.contains("of 0: more than the board has</span>"));
        assert!(page.contains("style=\"width:100.00%\""));
        assert!(page.contains("And 1,234 more in the JSON report."));
        assert!(page.contains("<h2>Buffers</h2>\n<p>None.</p>"));
        let empty = to_html(&Report::default());
        assert!(!empty.contains("NaN") && !empty.contains("inf ") && !empty.contains("Notes"));
        assert!(empty.contains("None: every decision is clear"));
    }
}
