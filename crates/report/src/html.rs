//! HTML in which text cannot become markup.

use crate::facts::BoardFacts;
use crate::text::is_invisible;
use std::fmt::Display;

/// A page under construction: markup is `'static`, so it comes from this program's source;
/// everything else is text and is escaped.
#[derive(Debug, Default)]
pub(crate) struct Html {
    out: String,
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column {
    /// Text, to the left.
    Text(&'static str),
    /// Numbers, to the right.
    Number(&'static str),
}

impl Html {
    /// Appends markup.
    pub(crate) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.out.push_str(markup);
        self
    }

    /// Appends text, escaped for an element's content and for an attribute in quotes.
    pub(crate) fn text(&mut self, text: impl Display) -> &mut Self {
        for c in text.to_string().chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                '`' => self.out.push_str("&#96;"),
                '\n' | '\r' | '\t' => self.out.push(' '),
                c if is_invisible(c) => {}
                c => self.out.push(c),
            }
        }
        self
    }

    /// Opens a page that needs nothing from elsewhere and runs no scripts, with what it is about.
    pub(crate) fn begin(&mut self, name: &str, board: &BoardFacts, clock_mhz: f64) -> &mut Self {
        self.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        self.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ");
        self.raw("style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n");
        self.raw(
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
        );
        self.text(name).raw(" on ").text(&board.name).raw("</title>\n<style>\n");
        self.raw(include_str!("page.css")).raw("</style>\n</head>\n<body>\n<header>\n<h1>");
        self.text(name).raw("</h1>\n<p>").text(&board.name).raw(" (").text(&board.part);
        self.raw(") at ").text(clock_mhz);
        self.raw(" MHz. Resources are estimates.</p>\n</header>\n<main>\n")
    }

    /// Opens a section with its heading and a sentence below it.
    pub(crate) fn section(&mut self, heading: &'static str, sentence: &'static str) -> &mut Self {
        self.raw("<section>\n<h2>").raw(heading).raw("</h2>\n");
        if !sentence.is_empty() {
            self.raw("<p>").raw(sentence).raw("</p>\n");
        }
        self
    }

    /// A table; rows have a cell for each column.
    pub(crate) fn table(
        &mut self,
        columns: &[Column],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> &mut Self {
        self.raw("<div class=\"wide\"><table>\n<thead><tr>");
        for column in columns {
            match column {
                Column::Text(head) => self.raw("<th scope=\"col\">").raw(head),
                Column::Number(head) => self.raw("<th scope=\"col\" class=\"n\">").raw(head),
            };
            self.raw("</th>");
        }
        self.raw("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.raw("<tr>");
            for (column, cell) in columns.iter().zip(&row) {
                match column {
                    Column::Text(_) => self.raw("<td>"),
                    Column::Number(_) => self.raw("<td class=\"n\">"),
                };
                self.text(cell).raw("</td>");
            }
            self.raw("</tr>\n");
        }
        self.raw("</tbody>\n</table></div>\n")
    }

    /// The page.
    pub(crate) fn finish(self) -> String {
        self.out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut html = Html::default();
        html.text(text);
        html.finish()
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(
            escaped("<a href='x'>&amp;`\""),
            "&lt;a href=&#39;x&#39;&gt;&amp;amp;&#96;&quot;"
        );
        assert_eq!(escaped("a\0b\u{1b}c\u{9b}d\u{202e}e\u{7f}f\u{feff}"), "abcdef");
        assert_eq!(escaped("a\nb\tc\r"), "a b c ");
        assert_eq!(escaped("<scr\0ipt>"), "&lt;script&gt;");
        assert_eq!(escaped("Gewichte \u{e4}\u{1F980}"), "Gewichte \u{e4}\u{1F980}");
    }

    #[test]
    fn tables_escape_their_cells() {
        let mut html = Html::default();
        let row = vec!["</td>".to_string(), "7".to_string()];
        html.table(&[Column::Text("name"), Column::Number("n")], [row]);
        assert_eq!(
            html.finish(),
            "<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">name</th>\
             <th scope=\"col\" class=\"n\">n</th></tr></thead>\n<tbody>\n\
             <tr><td>&lt;/td&gt;</td><td class=\"n\">7</td></tr>\n</tbody>\n</table></div>\n"
        );
    }
}
