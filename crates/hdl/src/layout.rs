//! Lines of Verilog: comments made safe, long lines broken, blank lines between parts.

/// The longest line that is written, where it can be broken at all.
pub(crate) const COLUMNS: usize = 100;

/// One line of printable ASCII that no tool takes for a directive.
pub(crate) fn clean_comment(text: &str) -> String {
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let text: String =
        text.chars().map(|c| if c == '\t' || c == '\n' || c == '\r' { ' ' } else { c }).collect();
    let text: String = text.chars().map(printable).collect();
    let text = text.trim_end_matches([' ', '\\']);
    let first = text.split_ascii_whitespace().next().unwrap_or("").to_ascii_lowercase();
    let directives = ["verilator", "synthesis", "synopsys", "pragma", "xilinx", "cadence"];
    match directives.iter().any(|d| first.starts_with(d)) {
        true => format!(": {}", text.trim_start()),
        false => text.to_owned(),
    }
}

/// What a part of a module body is, for the blank lines around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A comment that opens a section.
    Section,
    /// One of a group of single lines.
    Line,
    /// Several lines that stand alone.
    Block,
}

/// Collects the text of one file.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
    before: Option<Part>,
}

impl Writer {
    /// A line as it is.
    pub(crate) fn raw(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A code line at `indent` levels of four spaces, broken where it is too long.
    pub(crate) fn code(&mut self, indent: usize, line: &str) {
        // The printer's own indentation counts too.
        let own = line.len() - line.trim_start().len();
        let margin = indent * 4 + own;
        let mut rest = line.trim_start();
        let mut left = margin;
        while left + rest.len() > COLUMNS && !rest.contains('"') {
            let limit = COLUMNS.saturating_sub(left);
            // A token that is too long for any line overflows up to its own end.
            let at = best_break(&rest[..limit.min(rest.len())]).or_else(|| rest.find(' '));
            let Some(at) = at else { break };
            self.padded(left, &rest[..at]);
            rest = rest[at..].trim_start();
            left = margin + 4;
        }
        self.padded(left, rest);
    }

    /// A comment, broken at words.
    pub(crate) fn comment(&mut self, indent: usize, text: &str) {
        let room = COLUMNS - indent * 4 - 3;
        let lead = text.len() - text.trim_start().len();
        let mut rest = text;
        loop {
            let line_end = if rest.len() <= room {
                rest.len()
            } else {
                rest[..room].rfind(' ').filter(|at| *at > lead).unwrap_or(room)
            };
            self.padded(indent * 4, format!("// {}", &rest[..line_end]).trim_end());
            rest = rest[line_end..].trim_start();
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Announces a part: puts the blank line that belongs before it.
    pub(crate) fn begin(&mut self, part: Part) {
        let blank = match (self.before, part) {
            (None, _) => true,
            (Some(Part::Section), _) => part == Part::Section,
            (Some(Part::Line), Part::Line) => false,
            (Some(_), _) => true,
        };
        if blank {
            self.text.push('\n');
        }
        self.before = Some(part);
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }

    fn padded(&mut self, spaces: usize, line: &str) {
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n(' ', spaces));
        }
        self.raw(line);
    }
}

/// The space in the second half that is in the fewest brackets, rather after a comma, the last of
/// equals; else the last space.
fn best_break(line: &str) -> Option<usize> {
    let mut best: Option<(usize, usize)> = None;
    let mut depth = 0usize;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            b' ' if at >= line.len() / 2 => {
                let cost = 2 * depth + usize::from(!line[..at].ends_with(','));
                if best.is_none_or(|(_, least)| cost <= least) {
                    best = Some((at, cost));
                }
            }
            _ => {}
        }
    }
    best.map(|(at, _)| at).or_else(|| line.rfind(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_cannot_inject_code() {
        assert_eq!(clean_comment("a\nendmodule"), "a endmodule");
        assert_eq!(clean_comment("h\u{e9}l\u{7}o \\"), "h?l?o");
        assert_eq!(clean_comment(" synthesis translate_off"), ": synthesis translate_off");
    }

    #[test]
    fn long_lines_break_at_spaces() {
        let mut writer = Writer::default();
        let line = format!("assign x = {{{}}};", vec!["some_name"; 30].join(", "));
        writer.code(1, &line);
        writer.comment(0, &"word ".repeat(50));
        let text = writer.finish();
        assert!(text.lines().all(|l| l.len() <= COLUMNS), "{text}");
        let joined = text.lines().take_while(|l| !l.starts_with("//"));
        let joined: Vec<&str> = joined.map(str::trim).collect();
        assert_eq!(joined.join(" "), line);
    }

    #[test]
    fn a_token_longer_than_a_line_stays_whole() {
        let mut writer = Writer::default();
        let literal = format!("2000'h{}", "f".repeat(500));
        writer.code(1, &format!("wire [1999:0] x = {literal};"));
        assert_eq!(writer.finish(), format!("    wire [1999:0] x =\n        {literal};\n"));
    }
}
