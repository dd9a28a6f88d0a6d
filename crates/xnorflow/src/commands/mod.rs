//! One file for each command.

pub(crate) mod boards;
pub(crate) mod build;
pub(crate) mod explore;
pub(crate) mod infer;
pub(crate) mod inspect;
pub(crate) mod sim;
pub(crate) mod verify;

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Prints text on stdout; a closed pipe is no error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Whether the JSON object of this run was printed.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Prints an error as the run's JSON object, unless that was printed already.
pub(crate) fn say_json_error(error: &diagnostic::Diagnostic) {
    if !PRINTED.load(Ordering::Relaxed) {
        say_json(&serde_json::json!({ "error": error }));
    }
}

/// Prints one JSON object on stdout.
pub(crate) fn say_json(value: &serde_json::Value) {
    PRINTED.store(true, Ordering::Relaxed);
    say(&serde_json::to_string_pretty(value).expect("JSON values have a text form"));
}
