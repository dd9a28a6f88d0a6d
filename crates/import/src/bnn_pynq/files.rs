//! The files of a parameter folder and their sizes.

use super::networks::Network;
use diagnostic::{Code, Diagnostic, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// `classes.txt` lists a few names; anything larger is something else.
const MAX_CLASSES_BYTES: u64 = 1 << 16;

/// What a parameter file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Weights,
    Thresholds,
}

/// The layer, the PE and the content that a file's name states.
pub(crate) type Key = (usize, usize, Part);

/// The parameter files of a folder, with their sizes in bytes; other files are ignored.
pub(crate) struct Folder {
    path: PathBuf,
    sizes: BTreeMap<Key, u64>,
}

/// The name of a parameter file.
pub(crate) fn file_name((layer, pe, part): Key) -> String {
    let part = match part {
        Part::Weights => "weights",
        Part::Thresholds => "thres",
    };
    format!("{layer}-{pe}-{part}.bin")
}

fn parse_name(name: &str) -> Option<Key> {
    let (layer, rest) = name.strip_suffix(".bin")?.split_once('-')?;
    let (pe, part) = rest.split_once('-')?;
    let part = match part {
        "weights" => Part::Weights,
        "thres" => Part::Thresholds,
        _ => return None,
    };
    let key = (layer.parse().ok()?, pe.parse().ok()?, part);
    // `00-1-weights.bin` and `+0-1-weights.bin` are other names.
    (file_name(key) == name).then_some(key)
}

/// The parameter files of a network, and the bytes of the memories that they fill.
fn memories(network: &Network) -> impl Iterator<Item = (Key, u64)> {
    network.layers.iter().enumerate().flat_map(|(index, layer)| {
        (0..layer.pe).flat_map(move |pe| {
            let weights = ((index, pe, Part::Weights), 8 * layer.weight_words() as u64);
            let thresholds = ((index, pe, Part::Thresholds), 8 * layer.threshold_words() as u64);
            [weights, thresholds].into_iter().filter(|(_, bytes)| *bytes > 0)
        })
    })
}

impl Folder {
    pub(crate) fn list(path: &Path) -> Result<Self> {
        let access = |e: std::io::Error| {
            Diagnostic::new(Code::FileAccess, format!("cannot read the folder: {e}"))
        };
        let mut sizes = BTreeMap::new();
        for entry in fs::read_dir(path).map_err(access)? {
            let entry = entry.map_err(access)?;
            if let Some(key) = entry.file_name().to_str().and_then(parse_name) {
                // Follows links: a folder may be made of them.
                let metadata = fs::metadata(entry.path()).map_err(access)?;
                if metadata.is_file() {
                    sizes.insert(key, metadata.len());
                }
            }
        }
        Ok(Self { path: path.to_path_buf(), sizes })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Everything that keeps the files from being those of a network.
    pub(crate) fn misfits(&self, network: &Network) -> Vec<Diagnostic> {
        let expected: BTreeMap<Key, u64> = memories(network).collect();
        let wrong = |key: Key, text: String| {
            Diagnostic::new(Code::FileFormat, text)
                .from(self.path.join(file_name(key)).display().to_string())
        };
        let mut misfits = Vec::new();
        for (&key, &memory) in &expected {
            match self.sizes.get(&key) {
                None => misfits.push(wrong(key, format!("{} is missing", file_name(key)))),
                Some(size) if size % 8 != 0 => misfits.push(wrong(
                    key,
                    format!("{} has {size} bytes, not a multiple of 8", file_name(key)),
                )),
                Some(size) if *size > memory => misfits.push(wrong(
                    key,
                    format!(
                        "{} has {size} bytes, more than the {memory} of {}",
                        file_name(key),
                        network.name
                    ),
                )),
                Some(_) => {}
            }
        }
        for &key in self.sizes.keys().filter(|key| !expected.contains_key(key)) {
            let text = format!("{} is not a file of {}", file_name(key), network.name);
            misfits.push(wrong(key, text));
        }
        misfits
    }

    /// How many files fill the memories of a network exactly.
    pub(crate) fn filled(&self, network: &Network) -> usize {
        memories(network).filter(|(key, memory)| self.sizes.get(key) == Some(memory)).count()
    }

    /// The words of a file, with zeros for those that it does not hold.
    pub(crate) fn words(&self, key: Key, count: usize) -> Result<Vec<u64>> {
        let path = self.path.join(file_name(key));
        let bytes = fs::read(&path).map_err(|e| {
            Diagnostic::new(Code::FileAccess, format!("cannot read {}: {e}", file_name(key)))
                .from(path.display().to_string())
        })?;
        let (chunks, _) = bytes.as_chunks::<8>();
        let mut words: Vec<u64> = chunks.iter().map(|b| u64::from_le_bytes(*b)).collect();
        words.resize(count, 0);
        Ok(words)
    }

    /// The number of classes that `classes.txt` lists.
    pub(crate) fn classes(&self) -> Result<usize> {
        let path = self.path.join("classes.txt");
        let error = |code: Code, text: String| {
            Diagnostic::new(code, text)
                .from(path.display().to_string())
                .hint("it lists the names of the classes, one on each line")
        };
        let missing =
            |e: std::io::Error| error(Code::FileAccess, format!("cannot read classes.txt: {e}"));
        if fs::metadata(&path).map_err(missing)?.len() > MAX_CLASSES_BYTES {
            return Err(error(Code::FileFormat, "classes.txt is too large".into()));
        }
        let bytes = fs::read(&path).map_err(missing)?;
        let text = String::from_utf8_lossy(&bytes);
        match text.lines().filter(|line| !line.trim().is_empty()).count() {
            0 => Err(error(Code::FileFormat, "classes.txt lists no classes".into())),
            classes => Ok(classes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_exact_names_are_parameter_files() {
        assert_eq!(parse_name("0-12-weights.bin"), Some((0, 12, Part::Weights)));
        assert_eq!(parse_name("3-0-thres.bin"), Some((3, 0, Part::Thresholds)));
        for name in ["00-1-thres.bin", "a-1-thres.bin", "0-1-bias.bin", "0-1-thres.bin.gz", "-"] {
            assert_eq!(parse_name(name), None, "{name}");
        }
    }
}
