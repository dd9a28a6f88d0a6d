//! The bar chart of cycles per engine, as inline SVG.

use crate::facts::EngineFacts;
use crate::html::Html;
use crate::text::thousands;

/// Units of the picture: the bars are between `LEFT` and `RIGHT`, names before, numbers after.
const WIDTH: f64 = 900.0;
const LEFT: f64 = 210.0;
const RIGHT: f64 = 790.0;
const TOP: f64 = 26.0;
const ROW: f64 = 24.0;
const BAR: f64 = 16.0;
/// Characters of a name that fit to the left of the bars.
const NAME: usize = 28;

/// Draws a bar for each engine, the slowest (all of them, when several are) in the accent colour,
/// and a dashed line at the interval.
pub(crate) fn cycles(html: &mut Html, engines: &[EngineFacts], ii_cycles: u64) {
    let slowest = engines.iter().map(|e| e.cycles).max().unwrap_or(0);
    let most = slowest.max(ii_cycles).max(1) as f64;
    let x = |cycles: u64| LEFT + (RIGHT - LEFT) * (cycles as f64 / most);
    let height = TOP + ROW * engines.len() as f64 + 4.0;

    html.raw("<div class=\"wide\"><svg class=\"chart\" role=\"img\" viewBox=\"0 0 ");
    html.text(WIDTH)
        .raw(" ")
        .text(height)
        .raw("\">\n<title>Cycles a frame of each engine</title>\n");
    for (index, engine) in engines.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        let middle = y + BAR / 2.0;
        html.raw(if engine.cycles == slowest { "<g class=\"slow\">" } else { "<g>" });
        html.raw("<title>").text(&engine.name).raw(" (").text(&engine.kind);
        if !engine.folding.is_empty() {
            html.raw(", ").text(&engine.folding);
        }
        html.raw("): ").text(thousands(engine.cycles)).raw(" cycles</title>");
        label(html, LEFT - 8.0, middle, "end", &shortened(&engine.name));
        html.raw("<rect x=\"").text(LEFT).raw("\" y=\"").text(y).raw("\" width=\"");
        html.text(tenths(x(engine.cycles) - LEFT)).raw("\" height=\"").text(BAR).raw("\"/>");
        label(html, WIDTH - 4.0, middle, "end", &thousands(engine.cycles));
        html.raw("</g>\n");
    }
    let at = x(ii_cycles);
    let (shift, anchor) = if at > (LEFT + RIGHT) / 2.0 { (-4.0, "end") } else { (4.0, "start") };
    html.raw("<g class=\"interval\"><line x1=\"").text(tenths(at)).raw("\" x2=\"").text(tenths(at));
    html.raw("\" y1=\"4\" y2=\"").text(height).raw("\"/>");
    label(html, at + shift, 11.0, anchor, &format!("interval {}", thousands(ii_cycles)));
    html.raw("</g>\n</svg></div>\n");
}

fn label(html: &mut Html, x: f64, y: f64, anchor: &'static str, text: &str) {
    html.raw("<text dy=\".35em\" x=\"").text(tenths(x)).raw("\" y=\"").text(tenths(y));
    html.raw("\" text-anchor=\"").raw(anchor).raw("\">").text(text).raw("</text>");
}

/// A coordinate: a tenth of a unit is finer than anyone sees.
fn tenths(units: f64) -> String {
    format!("{units:.1}")
}

/// A name that fits, cut in the middle: the ends tell engines apart.
fn shortened(name: &str) -> String {
    let all: Vec<char> = name.chars().collect();
    if all.len() <= NAME {
        return name.into();
    }
    let (head, tail) = ((NAME - 1).div_ceil(2), (NAME - 1) / 2);
    let ends = all[..head].iter().chain(&['\u{2026}']).chain(&all[all.len() - tail..]);
    ends.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(engines: &[(&str, u64)], ii_cycles: u64) -> String {
        let engines: Vec<EngineFacts> = engines
            .iter()
            .map(|&(name, cycles)| EngineFacts {
                name: name.into(),
                kind: "mvu".into(),
                cycles,
                ..EngineFacts::default()
            })
            .collect();
        let mut html = Html::default();
        cycles(&mut html, &engines, ii_cycles);
        html.finish()
    }

    #[test]
    fn bars_are_to_scale_and_the_slowest_stands_out() {
        let svg = chart(&[("a", 250), ("b", 1_000), ("c", 0)], 2_000);
        let rows: Vec<&str> = svg.lines().filter(|l| l.contains("<rect")).collect();
        assert!(rows[0].starts_with("<g><title>a (mvu): 250 cycles</title>"));
        assert!(rows[0].contains("width=\"72.5\"") && !rows[0].contains("slow"));
        assert!(rows[1].starts_with("<g class=\"slow\">") && rows[1].contains("width=\"290.0\""));
        assert!(rows[1].contains(">1,000</text>"));
        assert!(rows[2].contains("width=\"0.0\""));
        assert!(
            svg.contains("<line x1=\"790.0\" x2=\"790.0\"") && svg.contains(">interval 2,000<")
        );
    }

    #[test]
    fn extremes_stay_in_the_picture() {
        let svg = chart(&[("a", u64::MAX)], 0);
        assert!(svg.contains("width=\"580.0\"") && svg.contains("<line x1=\"210.0\""));
        assert!(!chart(&[], 0).contains("NaN"));
        assert!(!chart(&[("a", 0)], 0).contains("NaN"));
    }

    #[test]
    fn names_are_cut_and_escaped() {
        let svg = chart(&[("<b>0123456789012345678901234567890123</b>", 1)], 1);
        assert!(svg.contains(">&lt;b&gt;01234567890\u{2026}567890123&lt;/b&gt;</text>"));
        assert!(svg.contains("<title>&lt;b&gt;0123456789012345678901234567890123&lt;/b&gt; (mvu)"));
        assert!(!svg.contains("<b>") && !svg.contains("</b>"));
        assert_eq!(shortened(&"\u{e4}".repeat(29)).chars().count(), NAME);
        assert_eq!(shortened(&"\u{e4}".repeat(28)).chars().count(), NAME);
    }
}
