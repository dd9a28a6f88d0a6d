//! Trained networks from files into a checked [`Graph`].
//!
//! What comes in: the path of an `.onnx` file (standard operators, and the quantizers of Brevitas,
//! QONNX and FINN) or of a BNN-PYNQ parameter folder. What goes out: a [`Graph`] whose constants
//! are folded into its operators and whose quantized weights keep their integers; or one
//! [`Diagnostic`] that lists *every* node that is in the way, each with its nearest supported form.
//!
//! Files are untrusted: whatever the bytes are, the result is a graph or a diagnostic. Names are
//! kept as they are in the file; whoever prints or emits them escapes them.
//!
//! ```
//! use import::{Options, load};
//! let folder = std::env::temp_dir().join("import-doc-example");
//! std::fs::create_dir_all(&folder).unwrap();
//! let path = folder.join("cut.onnx");
//! std::fs::write(&path, [0x3a, 0x7f]).unwrap();
//! let error = load(&path, &Options::default()).unwrap_err();
//! assert_eq!(error.code.as_str(), "model-format");
//! ```

pub mod bnn_pynq;
pub mod onnx;

use diagnostic::{Code, Diagnostic, Result};
use graph::Graph;
use std::path::Path;

/// What the command line can decide about a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Which published network a parameter folder holds, where its files fit several.
    pub network: Option<String>,
    /// The result of the operator `Sign` at 0, instead of ONNX's 0: -1, 0 or +1.
    pub sign_zero: Option<i8>,
}

/// Reads a model: an `.onnx` file, or a folder of BNN-PYNQ parameters.
///
/// # Errors
/// `file-access`, `file-format` or `model-format` for files that cannot be read, `network-unknown`
/// for folders of no known network, `unsupported-*` and `model-*` for models that cannot be used
/// (all their nodes at once), `usage` for options without meaning.
pub fn load(path: &Path, options: &Options) -> Result<Graph> {
    let loaded = load_kind(path, options);
    loaded.map_err(|error| with_file(error, path))
}

fn load_kind(path: &Path, options: &Options) -> Result<Graph> {
    if let Some(zero) = options.sign_zero.filter(|zero| !(-1..=1).contains(zero)) {
        let text = format!("the sign of 0 cannot be {zero}");
        return Err(Diagnostic::new(Code::Usage, text).hint("use +1, -1 or 0"));
    }
    if path.is_dir() {
        return bnn_pynq::load(path, options);
    }
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    if extension.as_deref() == Some("onnx") {
        return onnx::load(path, options);
    }
    std::fs::metadata(path)
        .map_err(|e| Diagnostic::new(Code::FileAccess, format!("cannot read the model: {e}")))?;
    Err(Diagnostic::new(Code::FileFormat, "the file is not a model of a known format")
        .hint("give an .onnx file or a folder of BNN-PYNQ parameter files"))
}

/// Names the file in every diagnostic that does not name a more precise one.
fn with_file(mut error: Diagnostic, path: &Path) -> Diagnostic {
    let file = path.display().to_string();
    for more in &mut error.more {
        more.from.get_or_insert_with(|| file.clone());
    }
    error.from.get_or_insert(file);
    error
}

/// The last part of a path without its extension: the name of a model file.
fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "model".into(), |stem| stem.to_string_lossy().into_owned())
}
