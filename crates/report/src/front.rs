//! The Pareto front of a network on a board: JSON, a table, and a page with the picture.

use crate::facts::BoardFacts;
use crate::html::{Column, Html};
use crate::text::{decimal, rate, thousands};
use serde::{Deserialize, Serialize};

/// Designs of which none is better than another in rate, LUTs and block RAMs at once.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Exploration {
    /// The design's name.
    pub name: String,
    /// The board.
    pub board: BoardFacts,
    /// Clock in MHz.
    pub clock_mhz: f64,
    /// Share of the board that a design may use.
    pub budget: f64,
    /// The designs, the fastest first.
    pub designs: Vec<DesignFacts>,
}

/// A design on the front.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DesignFacts {
    /// Frames a second at the clock.
    pub fps: f64,
    /// Clock cycles between frames in steady state.
    pub ii_cycles: u64,
    /// Clock cycles from the first input word to the last output word of a frame.
    pub latency_cycles: u64,
    /// Estimated LUT sites.
    pub luts: u64,
    /// Estimated flip-flops.
    pub ffs: u64,
    /// Estimated block RAMs of 36 kbit.
    pub bram36: f64,
    /// Estimated DSP slices.
    pub dsps: u64,
    /// The file of its folding.
    #[serde(default)]
    pub fold: Option<String>,
}

impl Exploration {
    /// Whether a design is within the budget.
    pub fn fits(&self, d: &DesignFacts) -> bool {
        let within = |used: f64, of: u64| used <= of as f64 * self.budget;
        let BoardFacts { luts, ffs, bram36, dsps, .. } = self.board;
        within(d.luts as f64, luts)
            && within(d.ffs as f64, ffs)
            && within(d.bram36, bram36)
            && within(d.dsps as f64, dsps)
    }

    /// Headings and rows for a table.
    pub fn table(&self) -> (Vec<&'static str>, Vec<Vec<String>>) {
        let headings = vec![
            "frames/s", "cycles", "LUT", "LUT %", "FF", "BRAM36", "BRAM %", "DSP", "fits", "fold",
        ];
        let percent = |used: f64, of: u64| decimal(100.0 * used / of.max(1) as f64, 1);
        let row = |d: &DesignFacts| {
            vec![
                rate(d.fps),
                thousands(d.ii_cycles),
                thousands(d.luts),
                percent(d.luts as f64, self.board.luts),
                thousands(d.ffs),
                decimal(d.bram36, 1),
                percent(d.bram36, self.board.bram36),
                thousands(d.dsps),
                if self.fits(d) { "yes" } else { "no" }.into(),
                d.fold.clone().unwrap_or_default(),
            ]
        };
        (headings, self.designs.iter().map(row).collect())
    }
}

/// The exploration as one self-contained page: no external resources, no scripts.
pub fn exploration_html(found: &Exploration) -> String {
    let mut html = Html::default();
    html.begin(&found.name, &found.board, found.clock_mhz);
    html.section(
        "Rate against LUTs",
        "Each dot is a design; none is better than another in everything. Filled dots are within \
         the budget, the dashed line; the solid line is what the board has.",
    );
    let board = &found.board;
    let luts = |d: &DesignFacts| d.luts as f64;
    picture(&mut html, found, "LUT", board.luts, luts);
    html.raw("</section>\n").section("Rate against block RAMs", "");
    picture(&mut html, found, "BRAM36", board.bram36, |d| d.bram36);
    html.raw("</section>\n").section("Designs", "");
    let columns = [
        Column::Number("Frames a second"),
        Column::Number("Cycles"),
        Column::Number("LUT"),
        Column::Number("% of the board"),
        Column::Number("FF"),
        Column::Number("BRAM36"),
        Column::Number("% of the board"),
        Column::Number("DSP"),
        Column::Text("In the budget"),
        Column::Text("Folding"),
    ];
    html.table(&columns, found.table().1).raw("</section>\n</main>\n</body>\n</html>\n");
    html.finish()
}

/// Units of the picture: the dots are between these.
const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 870.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 320.0;

/// Draws the designs: the resource to the right, the rate upwards, both from 0.
fn picture(
    html: &mut Html,
    found: &Exploration,
    what: &'static str,
    of: u64,
    used: impl Fn(&DesignFacts) -> f64,
) {
    let most = found.designs.iter().map(&used).fold(of as f64, f64::max).max(1.0) * 1.02;
    let fastest = found.designs.iter().map(|d| d.fps).fold(1.0, f64::max) * 1.05;
    let x = |n: f64| LEFT + (RIGHT - LEFT) * n / most;
    let y = |fps: f64| BOTTOM - (BOTTOM - TOP) * fps / fastest;
    html.raw("<div class=\"wide\"><svg class=\"chart\" role=\"img\" viewBox=\"0 0 ").text(WIDTH);
    html.raw(" ").text(HEIGHT).raw("\">\n<title>Frames a second against ").raw(what);
    html.raw("</title>\n");
    line(html, "axis", [LEFT, TOP], [LEFT, BOTTOM]);
    line(html, "axis", [LEFT, BOTTOM], [RIGHT, BOTTOM]);
    for quarter in 0..=4 {
        let part = f64::from(quarter) / 4.0;
        label(html, LEFT - 8.0, y(part * fastest), "end", &rate(part * fastest));
        label(html, x(part * most), BOTTOM + 16.0, "middle", &decimal(part * most, 0));
    }
    label(html, RIGHT, BOTTOM + 34.0, "end", what);
    let budget = of as f64 * found.budget;
    line(html, "budget", [x(budget), TOP], [x(budget), BOTTOM]);
    line(html, "axis", [x(of as f64), TOP], [x(of as f64), BOTTOM]);
    for design in &found.designs {
        html.raw(if found.fits(design) { "<circle class=\"fits\"" } else { "<circle" });
        html.raw(" r=\"5\" cx=\"").text(tenths(x(used(design)))).raw("\" cy=\"");
        html.text(tenths(y(design.fps))).raw("\"><title>").text(rate(design.fps));
        html.raw(" frames a second, ").text(thousands(design.luts)).raw(" LUT, ");
        html.text(decimal(design.bram36, 1)).raw(" BRAM36</title></circle>\n");
    }
    html.raw("</svg></div>\n");
}

fn line(html: &mut Html, class: &'static str, from: [f64; 2], to: [f64; 2]) {
    html.raw("<line class=\"").raw(class).raw("\" x1=\"").text(tenths(from[0]));
    html.raw("\" y1=\"").text(tenths(from[1])).raw("\" x2=\"").text(tenths(to[0]));
    html.raw("\" y2=\"").text(tenths(to[1])).raw("\"/>\n");
}

fn label(html: &mut Html, x: f64, y: f64, anchor: &'static str, text: &str) {
    html.raw("<text dy=\".35em\" x=\"").text(tenths(x)).raw("\" y=\"").text(tenths(y));
    html.raw("\" text-anchor=\"").raw(anchor).raw("\">").text(text).raw("</text>\n");
}

/// A coordinate: a tenth of a unit is finer than anyone sees.
fn tenths(units: f64) -> String {
    format!("{units:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Exploration {
        let design = |fps, luts, bram36| DesignFacts {
            fps,
            luts,
            bram36,
            ii_cycles: 100,
            fold: Some("folds/<1>.toml".into()),
            ..DesignFacts::default()
        };
        Exploration {
            name: "a <b>".into(),
            board: BoardFacts { luts: 1_000, ffs: 10, bram36: 50, ..BoardFacts::default() },
            clock_mhz: 100.0,
            budget: 0.8,
            designs: vec![design(4_000.0, 900, 10.0), design(1_000.0, 500, 2.5)],
        }
    }

    #[test]
    fn the_picture_is_to_scale_and_shows_what_fits() {
        let page = exploration_html(&sample());
        assert!(page.contains("<h1>a &lt;b&gt;</h1>") && page.contains("&lt;1&gt;.toml"));
        assert_eq!(page.matches("<circle").count(), 4);
        assert_eq!(page.matches("<circle class=\"fits\"").count(), 2);
        // 800 of 1,020 LUTs and 500 of them, from 90 to 870.
        assert!(page.contains("<line class=\"budget\" x1=\"701.8\""));
        assert!(page.contains("cx=\"472.4\""));
        assert!(!page.contains("NaN") && !page.contains("<script"));
        assert!(!exploration_html(&Exploration::default()).contains("NaN"));
    }

    #[test]
    fn rows_say_what_fits() {
        let (headings, rows) = sample().table();
        assert!(rows.iter().all(|row| row.len() == headings.len()));
        assert_eq!((rows[0][8].as_str(), rows[1][8].as_str()), ("no", "yes"));
        assert_eq!(rows[1][3], "50.0");
    }
}
