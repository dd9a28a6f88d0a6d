//! Yosys as a Python package.
//!
//! Debian's Yosys 0.23 aborts on some block RAMs of these designs; the package `pyosys` holds a
//! newer one.

use super::python::Package;
use crate::workspace::Workspace;
use anyhow::Result;
use std::path::{Path, PathBuf};

/// Estimates are compared with what this version makes.
const YOSYS: Package = Package {
    what: "Yosys",
    name: "pyosys",
    package: "pyosys==0.70",
    version: "from pyosys import libyosys as y; print(y.yosys_maybe_version())",
};

/// The Python of a virtual environment in which `pyosys` can be imported.
pub(crate) fn ensure_yosys(workspace: &Workspace) -> Result<PathBuf> {
    YOSYS.ensure(workspace)
}

/// The version of Yosys behind a Python, as Yosys says it.
pub(crate) fn version(python: &Path) -> Result<String> {
    YOSYS.version(python)
}
