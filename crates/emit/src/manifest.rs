//! `manifest.json`: what a folder was made from, and the hashes of its files.

use crate::Files;
use diagnostic::{Code, Diagnostic, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file; its presence marks a folder as ours.
pub(crate) const FILE: &str = "manifest.json";

/// The options that shaped a design, as text by name.
pub type Options = BTreeMap<String, String>;

/// The manifest of an output folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of xnorflow that wrote the folder.
    pub xnorflow: String,
    /// Name of the top module.
    pub design: String,
    /// The model's file or folder name. Untrusted text.
    pub model: String,
    /// SHA-256 of the model's bytes.
    pub model_sha256: String,
    /// Name of the board.
    pub board: String,
    /// Options that differ from their defaults.
    pub options: Options,
    /// Seed of the reference frames.
    pub seed: u64,
    /// How the hardware's output becomes the model's: the float chain is in
    /// `network/streamlined.toml`; here its input element and output element.
    pub input: String,
    /// Type of the words that come out.
    pub output: String,
    /// SHA-256 of each file of the folder.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
}

impl Manifest {
    /// A copy that lists `files`.
    pub(crate) fn with_files(&self, files: &Files) -> Self {
        let hashes = files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes)));
        Self { files: hashes.collect(), ..self.clone() }
    }

    /// Files with their manifest: a folder that xnorflow may write anew.
    pub fn over(&self, mut files: Files) -> Files {
        let text = serde_json::to_vec_pretty(&self.with_files(&files));
        files.insert(FILE.into(), text.expect("plain data has a JSON form"));
        files
    }

    /// Reads the manifest of a folder.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let bytes = std::fs::read(folder.join(FILE)).map_err(|e| {
            Diagnostic::new(Code::DesignFolder, format!("not an output folder of xnorflow: {e}"))
                .from(folder.display().to_string())
                .hint("make one with `xnorflow build MODEL -o DIR`")
        })?;
        serde_json::from_slice(&bytes).map_err(|e| {
            Diagnostic::new(Code::DesignFolder, format!("the manifest is malformed: {e}"))
                .from(folder.join(FILE).display().to_string())
        })
    }

    /// Reads a file of the folder and compares its hash.
    pub(crate) fn checked(&self, folder: &Path, name: &str) -> Result<Vec<u8>> {
        let refuse = |text: String| {
            Diagnostic::new(Code::DesignFolder, text)
                .from(folder.join(name).display().to_string())
                .hint("run `xnorflow build` again")
        };
        let listed =
            self.files.get(name).ok_or_else(|| refuse("the manifest does not list it".into()))?;
        let bytes = std::fs::read(folder.join(name))
            .map_err(|e| refuse(format!("cannot read the file: {e}")))?;
        if sha256(&bytes) == *listed {
            Ok(bytes)
        } else {
            Err(refuse("the file was changed after xnorflow wrote it".into()))
        }
    }
}

/// SHA-256 as hexadecimal text.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
