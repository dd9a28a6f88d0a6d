//! The networks of the sweep.

use crate::run;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A trained network with inputs.
pub(crate) struct Network {
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// The file or folder that `xnorflow` reads.
    pub(crate) model: PathBuf,
    /// Input frames.
    pub(crate) input: PathBuf,
    /// How many of them.
    pub(crate) images: usize,
    /// A board that it fits.
    pub(crate) board: &'static str,
    /// Foldings with known figures; without any, those of [`super::folding::all`].
    pub(crate) foldings: &'static [Published],
}

/// A folding with what it must reach without stalls.
pub(crate) struct Published {
    /// What it is.
    pub(crate) name: &'static str,
    /// The text of its `fold.toml`.
    pub(crate) text: &'static str,
    /// Cycles from frame to frame, exactly.
    pub(crate) interval: u64,
    /// Cycles that a single frame may take.
    pub(crate) latency: u64,
}

/// Convolutions take long to simulate one by one: only at the folding that others have published, and
/// at one that is ten times as fast.
const CNV: [Published; 2] = [
    Published {
        name: "BNN-PYNQ",
        text: include_str!("cnvW1A1.toml"),
        interval: 32_768,
        latency: 140_000,
    },
    Published {
        name: "ten-times",
        text: include_str!("cnvW1A1_ten_times.toml"),
        interval: 3_200,
        latency: 14_000,
    },
];

/// Name, folder, model file in it, images.
const PUBLISHED: [(&str, &str, &str, usize); 7] = [
    ("TFC_1W1A", "TFC_1W1A", "TFC_1W1A.onnx", 1000),
    ("TFC_1W2A", "TFC_1W2A", "TFC_1W2A.onnx", 1000),
    ("TFC_2W2A", "TFC_2W2A", "TFC_2W2A.onnx", 1000),
    ("unsw_nb15", "unsw_nb15_mlp_w2a2", "unsw_nb15-mlp-w2a2.onnx", 20),
    ("finn_tfc", "finn_tfc_w1a1_multithreshold", "model.onnx", 20),
    ("lfcW1A1", "mnist-lfcW1A1", "params.tar.gz", 50),
    ("cnvW1A1", "cifar10-cnvW1A1", "params.tar.gz", 4),
];

/// The shipped example, and the published networks that are at hand.
pub(crate) fn all(workspace: &Workspace, work: &Path) -> Result<Vec<Network>> {
    let mut networks = vec![Network {
        name: "fashion-mlp",
        model: workspace.example("fashion-mlp.onnx"),
        input: workspace.example("images.npy"),
        images: 200,
        board: "pynq-z2",
        foldings: &[],
    }];
    let data = workspace.data();
    for (name, folder, file, images) in PUBLISHED {
        let folder = data.as_ref().map(|data| data.join(folder));
        let Some(folder) = folder.filter(|folder| folder.join(file).is_file()) else {
            println!("{name} is not beside this clone: left out of the sweep");
            continue;
        };
        let mut model = folder.join(file);
        if file.ends_with(".tar.gz") {
            model = unpacked(&model, &work.join("parameters").join(name))?;
        }
        let input = folder.join("expected/inputs.npy");
        let foldings: &[Published] = if name == "cnvW1A1" { &CNV } else { &[] };
        networks.push(Network { name, model, input, images, board: "pynq-z2", foldings });
    }
    Ok(networks)
}

/// Unpacks a parameter folder and finds the folder that holds the files.
pub(crate) fn unpacked(archive: &Path, into: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(into).with_context(|| format!("cannot create {}", into.display()))?;
    run::text(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(into))?;
    let mut folder = into.to_path_buf();
    while !folder.join("classes.txt").is_file() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        let inner = entries.flatten().map(|entry| entry.path()).find(|path| path.is_dir());
        folder = inner.with_context(|| format!("{} holds no classes.txt", archive.display()))?;
    }
    Ok(folder)
}
