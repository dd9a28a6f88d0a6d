//! What went wrong, where, why and what to do about it.
//!
//! Every library of the workspace returns [`Diagnostic`]s for whatever a *user* can cause: a model
//! that is not supported, a fold that does not divide, a missing tool. Bugs of ours panic instead.
//! A diagnostic has a stable [`Code`]; the page `docs/errors.md` lists them all and is checked
//! against the enum by a test.
//!
//! ```
//! use diagnostic::{Code, Diagnostic};
//! let error = Diagnostic::new(Code::FoldNotDivisor, "PE 24 does not divide the 64 rows of `fc2`")
//!     .node("fc2")
//!     .from("fold.toml")
//!     .hint("use one of 1, 2, 4, 8, 16, 32, 64");
//! assert!(error.to_string().starts_with("error[fold-not-divisor]: PE 24"));
//! ```

mod code;

pub use code::{Code, Exit};

use std::fmt;

/// The result of anything that a user's input can make fail.
pub type Result<T> = std::result::Result<T, Diagnostic>;

/// One error as a user reads it, or several found at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize)]
pub struct Diagnostic {
    /// Stable identifier, kebab-case in text.
    pub code: Code,
    /// One line: what is wrong, with names and numbers.
    pub message: String,
    /// The node of the model (or engine of the design) that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The file (and line, where known) that it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Further errors found in the same pass, so that a user sees all of them at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<Diagnostic>,
}

impl Diagnostic {
    /// An error with its code and one line of text.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), node: None, from: None, hint: None, more: Vec::new() }
    }

    /// Names the node or engine.
    #[must_use]
    pub fn node(mut self, node: impl Into<String>) -> Self {
        self.node = Some(node.into());
        self
    }

    /// Names the file.
    #[must_use]
    pub fn from(mut self, from: impl Into<String>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Joins several errors into the first of them; `None` when there are none.
    pub fn join(errors: impl IntoIterator<Item = Diagnostic>) -> Option<Self> {
        let mut errors = errors.into_iter();
        let mut first = errors.next()?;
        first.more.extend(errors);
        Some(first)
    }

    /// The first error followed by those found with it.
    pub fn all(&self) -> impl Iterator<Item = &Diagnostic> {
        std::iter::once(self).chain(self.more.iter())
    }
}

/// Makes text from a model safe to show on a terminal: control characters become `\u{..}` escapes.
pub fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let keep = c == '\n' || !c.is_control();
            let escaped: Box<dyn Iterator<Item = char>> =
                if keep { Box::new(std::iter::once(c)) } else { Box::new(c.escape_default()) };
            escaped
        })
        .collect()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.all().enumerate() {
            if i > 0 {
                write!(f, "\n\n")?;
            }
            write!(f, "error[{}]: {}", error.code, printable(&error.message))?;
            if let Some(node) = &error.node {
                write!(f, "\n  node: {}", printable(node))?;
            }
            if let Some(from) = &error.from {
                write!(f, "\n  from: {}", printable(from))?;
            }
            if let Some(hint) = &error.hint {
                write!(f, "\n\nhint: {}", printable(hint))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_every_part_and_every_further_error() {
        let second = Diagnostic::new(Code::ModelNotFinite, "gamma is NaN").node("bn1");
        let joined = Diagnostic::join([
            Diagnostic::new(Code::UnsupportedOp, "`Softmax` is not supported")
                .node("sm\x1b[31m")
                .from("a.onnx")
                .hint("remove it"),
            second,
        ])
        .unwrap();
        assert_eq!(
            joined.to_string(),
            "error[unsupported-op]: `Softmax` is not supported\n  node: sm\\u{1b}[31m\n  from: a.onnx\n\nhint: remove it\n\nerror[model-not-finite]: gamma is NaN\n  node: bn1"
        );
    }
}
