//! BNN-PYNQ parameter folders: `<layer>-<pe>-weights.bin`, `<layer>-<pe>-thres.bin`, `classes.txt`.
//!
//! The files hold no topology: it is that of one of the published networks, found by the number and
//! the sizes of the files. Weights and thresholds become one `MatMul` or `Conv` and one
//! `MultiThreshold` for each layer, on values -1, (0,) +1.

mod assemble;
mod files;
mod layers;
mod networks;

use crate::Options;
use diagnostic::{Code, Diagnostic, Result};
use files::Folder;
use graph::Graph;
use networks::{NETWORKS, Network};
use std::path::Path;

/// Reads a parameter folder.
///
/// # Errors
/// `network-unknown` when the files fit no published network, or several; `file-access` and
/// `file-format` for files that are missing or have an impossible size.
pub fn load(path: &Path, options: &Options) -> Result<Graph> {
    let folder = Folder::list(path)?;
    let network = choose(&folder, options.network.as_deref())?;
    let name = path.file_name().map_or_else(|| network.name.into(), |n| n.to_string_lossy().into());
    assemble::assemble(network, &folder, name)
}

fn names(networks: impl Iterator<Item = &'static Network>) -> String {
    networks.map(|n| n.name).collect::<Vec<_>>().join(", ")
}

/// The network of a folder: the named one, or the only one (or the closest) that the files fit.
fn choose(folder: &Folder, wanted: Option<&str>) -> Result<&'static Network> {
    if let Some(wanted) = wanted {
        let network = NETWORKS.iter().find(|n| n.name == wanted).ok_or_else(|| {
            Diagnostic::new(Code::NetworkUnknown, format!("there is no network `{wanted}`"))
                .hint(format!("use one of {}", names(NETWORKS.iter())))
        })?;
        return match Diagnostic::join(folder.misfits(network)) {
            None => Ok(network),
            Some(error) => Err(error),
        };
    }
    let fitting: Vec<&Network> = NETWORKS.iter().filter(|n| folder.misfits(n).is_empty()).collect();
    // Files may be shorter than the memory that they fill: among several networks it is the one
    // whose memories most files fill exactly.
    let filled = |network: &Network| folder.filled(network);
    let most = fitting.iter().map(|n| filled(n)).max();
    let best: Vec<&'static Network> =
        NETWORKS.iter().filter(|n| fitting.contains(n) && Some(filled(n)) == most).collect();
    match best.as_slice() {
        [network] => Ok(network),
        [] => Err(nearest(folder)),
        several => {
            let list = names(several.iter().copied());
            Err(Diagnostic::new(Code::NetworkUnknown, format!("the files fit {list}"))
                .hint(format!("choose with --network: one of {list}")))
        }
    }
}

/// Why the files do not fit the network that they resemble most.
fn nearest(folder: &Folder) -> Diagnostic {
    let known = names(NETWORKS.iter());
    let closest = NETWORKS.iter().min_by_key(|n| folder.misfits(n).len());
    match closest.map(|n| (n, folder.misfits(n))) {
        Some((network, misfits)) if !folder.is_empty() && misfits.len() <= 8 => {
            let text = format!("the files fit no published network; nearest is {}", network.name);
            let mut error = Diagnostic::new(Code::NetworkUnknown, text)
                .hint(format!("complete the folder, or choose with --network: one of {known}"));
            error.more = misfits;
            error
        }
        _ => Diagnostic::new(Code::NetworkUnknown, "the files fit no published network")
            .hint(format!("a folder holds the <layer>-<pe>-weights.bin files of one of {known}")),
    }
}
