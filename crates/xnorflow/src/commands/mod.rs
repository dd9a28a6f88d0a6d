//! One file for each command.

pub(crate) mod boards;
pub(crate) mod build;
pub(crate) mod infer;
pub(crate) mod inspect;
pub(crate) mod sim;
pub(crate) mod verify;

use std::io::Write;

/// Prints text on stdout; a closed pipe is no error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Prints one JSON object on stdout.
pub(crate) fn say_json(value: &serde_json::Value) {
    say(&serde_json::to_string_pretty(value).expect("JSON values have a text form"));
}
