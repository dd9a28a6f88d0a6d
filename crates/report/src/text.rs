//! Numbers and tables as plain text.

/// A number with a comma between groups of three digits.
///
/// ```
/// assert_eq!(report::thousands(1234567), "1,234,567");
/// ```
pub fn thousands(number: u64) -> String {
    grouped(&number.to_string())
}

/// As [`thousands`], with a sign where it is negative.
pub(crate) fn signed(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", thousands(number.unsigned_abs()))
}

/// A number with that many digits after the point and a comma between groups of three before it;
/// `n/a` when it is not finite.
///
/// ```
/// assert_eq!(report::decimal(127551.25, 1), "127,551.2");
/// assert_eq!(report::decimal(-0.01, 1), "0.0");
/// ```
pub fn decimal(number: f64, digits: usize) -> String {
    if !number.is_finite() {
        return "n/a".into();
    }
    let text = format!("{:.digits$}", number.abs());
    let sign = if number < 0.0 && text.contains(|c| ('1'..='9').contains(&c)) { "-" } else { "" };
    match text.split_once('.') {
        Some((whole, part)) => format!("{sign}{}.{part}", grouped(whole)),
        None => format!("{sign}{}", grouped(&text)),
    }
}

/// Frames a second: whole where there are many.
pub(crate) fn rate(fps: f64) -> String {
    decimal(fps, if fps >= 100.0 { 0 } else { 2 })
}

/// The time that clock cycles take.
pub(crate) fn time(cycles: u64, clock_mhz: f64) -> String {
    let micros = cycles as f64 / clock_mhz;
    match micros {
        m if m >= 1e6 => format!("{} s", decimal(m / 1e6, 2)),
        m if m >= 1e3 => format!("{} ms", decimal(m / 1e3, 2)),
        m => format!("{} \u{b5}s", decimal(m, 2)),
    }
}

fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// Whether a character has no place in a name: controls, line separators, and the invisible ones
/// that change the reading direction or hide in a word.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Makes text from a model one line that is safe to show on a terminal: characters that cannot be
/// seen become escapes, line ends too.
///
/// ```
/// assert_eq!(report::one_line("a\n\u{1b}[31m"), "a\\n\\u{1b}[31m");
/// ```
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_invisible(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// A table for terminals: a line of headers, a rule, a line for each row.
///
/// A column whose cells are all numbers (or empty, or `-`) is right-aligned. Short rows are filled
/// with empty cells, longer ones get columns without a header. Cells pass through [`one_line`]; a
/// column is as wide as its widest cell has characters. Lines have no blanks at their end.
///
/// ```
/// let rows = [vec!["fc0".to_string(), "1,024".to_string()], vec!["fc1".into(), "64".into()]];
/// let text = "name  cycles\n----  ------\nfc0    1,024\nfc1       64\n";
/// assert_eq!(report::table(&["name", "cycles"], &rows), text);
/// ```
pub fn table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).chain([headers.len()]).max().unwrap_or(0);
    if columns == 0 {
        return String::new();
    }
    let filled = |cells: Vec<String>| -> Vec<String> {
        cells.into_iter().chain(std::iter::repeat(String::new())).take(columns).collect()
    };
    let head = filled(headers.iter().map(|h| one_line(h)).collect());
    let body: Vec<Vec<String>> =
        rows.iter().map(|row| filled(row.iter().map(|c| one_line(c)).collect())).collect();
    let (widths, right): (Vec<usize>, Vec<bool>) = (0..columns)
        .map(|c| {
            let cells = || body.iter().map(|row| row[c].as_str());
            let width = cells().chain([head[c].as_str()]).map(|t| t.chars().count()).max();
            let open = |t: &str| t.is_empty() || t == "-";
            let right = cells().any(is_number) && cells().all(|t| open(t) || is_number(t));
            (width.unwrap_or(0), right)
        })
        .unzip();
    let rule: Vec<String> = widths.iter().map(|&w| "-".repeat(w)).collect();
    let mut out = String::new();
    for row in [&head, &rule].into_iter().chain(&body) {
        let mut line = String::new();
        for ((cell, &width), &right) in row.iter().zip(&widths).zip(&right) {
            // The format's own padding ends at 65,535 characters; a name may be longer.
            let blanks = " ".repeat(width - cell.chars().count());
            let (before, after) = if right { (blanks.as_str(), "") } else { ("", blanks.as_str()) };
            line.extend([before, cell, after, "  "]);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Digits with separators, perhaps a sign before or a percent sign after.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let text = text.strip_suffix('%').unwrap_or(text).trim_end();
    text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(cells: &[&[&str]]) -> Vec<Vec<String>> {
        cells.iter().map(|row| row.iter().map(|c| c.to_string()).collect()).collect()
    }

    #[test]
    fn groups_digits() {
        let cases = [(0, "0"), (999, "999"), (1_000, "1,000"), (123_456, "123,456")];
        cases.iter().for_each(|&(n, text)| assert_eq!(thousands(n), text));
        assert_eq!(thousands(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(signed(i64::MIN), "-9,223,372,036,854,775,808");
        assert_eq!(decimal(1e21, 0), "1,000,000,000,000,000,000,000");
        assert_eq!(decimal(-1234.5, 1), "-1,234.5");
        assert_eq!(decimal(f64::NAN, 1), "n/a");
    }

    #[test]
    fn rates_and_times_have_fitting_units() {
        assert_eq!((rate(127_551.25).as_str(), rate(42.125).as_str()), ("127,551", "42.12"));
        assert_eq!(time(784, 100.0), "7.84 \u{b5}s");
        assert_eq!(time(1_234_500, 100.0), "12.35 ms");
        assert_eq!(time(500_000_000, 100.0), "5.00 s");
        assert_eq!(time(1, 0.0), "n/a s");
    }

    #[test]
    fn aligns_numbers_to_the_right_and_text_to_the_left() {
        let rows = rows(&[
            &["fc0", "mvu", "1,024", "12.5 %", "-"],
            &["output", "", "64", "-3%", "7"],
            &["x", "1", "", "+0.1%", "-"],
        ]);
        assert_eq!(
            table(&["name", "kind", "cycles", "share", "n"], &rows),
            "name    kind  cycles   share  n\n\
             ------  ----  ------  ------  -\n\
             fc0     mvu    1,024  12.5 %  -\n\
             output            64     -3%  7\n\
             x       1              +0.1%  -\n"
        );
    }

    #[test]
    fn ragged_and_empty_tables() {
        assert_eq!(table(&[], &[]), "");
        assert_eq!(table(&["a", "b"], &[]), "a  b\n-  -\n");
        assert_eq!(table(&["a"], &rows(&[&[], &["1", "zz"]])), "a\n-  --\n\n1  zz\n");
    }

    #[test]
    fn cells_cannot_break_the_table_or_the_terminal() {
        let rows = rows(&[&["a\nb\t\u{1b}[2J\u{9b}1m\u{202e}\r", "7"], &["\u{e9}", "12"]]);
        let text = table(&["na\u{7}me", "n"], &rows);
        assert_eq!(
            text.lines().map(|l| l.trim_start_matches('-')).collect::<Vec<_>>(),
            [
                "na\\u{7}me                           n",
                "  --",
                "a\\nb\\t\\u{1b}[2J\\u{9b}1m\\u{202e}\\r   7",
                "\u{e9}                                  12",
            ]
        );
        let long = "x".repeat(100_000);
        assert!(table(&[], &[vec![long.clone()], vec!["y".into(), "1".into()]]).contains(&long));
    }
}
