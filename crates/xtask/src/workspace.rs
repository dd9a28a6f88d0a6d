//! Where things are.

use crate::run;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The part of `cargo metadata` that is used here.
#[derive(Debug, Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

/// A crate of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// What its `Cargo.toml` asks for, crates of others included.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency of a crate.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    /// The crate that is depended on.
    pub(crate) name: String,
    /// `None` for an ordinary dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// The folder of a crate of this workspace.
    pub(crate) path: Option<PathBuf>,
}

/// The workspace that this program belongs to.
#[derive(Debug)]
pub(crate) struct Workspace {
    /// Its folder.
    pub(crate) root: PathBuf,
    /// The folder of build results.
    pub(crate) target: PathBuf,
    /// Its crates.
    pub(crate) packages: Vec<Package>,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn find() -> Result<Self> {
        let own = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let mut command = Command::new(cargo());
        command.args(["metadata", "--format-version", "1", "--no-deps", "--manifest-path"]);
        let text = run::text(command.arg(own.join("Cargo.toml")))?;
        let found: Metadata =
            serde_json::from_str(&text).context("cargo metadata gave something unexpected")?;
        Ok(Self {
            root: found.workspace_root,
            target: found.target_directory,
            packages: found.packages,
        })
    }

    /// A cargo command in the root of the workspace.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// The folder of networks made by others, beside the clone; `None` where it is not there.
    pub(crate) fn data(&self) -> Option<PathBuf> {
        let data = self.root.parent()?.join("shared/data");
        data.is_dir().then_some(data)
    }

    /// A path of the shipped example.
    pub(crate) fn example(&self, file: &str) -> PathBuf {
        self.root.join("examples/fashion-mlp").join(file)
    }

    /// A new empty folder under the build results; what was there before is removed.
    pub(crate) fn fresh_folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.target.join(name);
        remove_folder(&folder)?;
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        Ok(folder)
    }
}

/// Removes a folder that this program wrote earlier, if it is there.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

/// The cargo that started this program.
fn cargo() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
