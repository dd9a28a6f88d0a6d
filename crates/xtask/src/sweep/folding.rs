//! The foldings of the sweep.

use anyhow::{Context, Result};
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// A layer is made entirely parallel only up to this many weights.
const PARALLEL_WEIGHTS: usize = 1 << 14;

/// The slow folding is this much slower than the fastest.
const SLOWER: f64 = 20.0;

/// The name of the folding that is found without options.
pub(crate) const FASTEST: &str = "fastest";

/// A way to fold a network.
pub(crate) struct Folding {
    /// What it is.
    pub(crate) name: &'static str,
    /// The output folder.
    pub(crate) out: PathBuf,
    /// Further options of `xnorflow build`.
    pub(crate) options: Vec<OsString>,
}

/// A fully connected layer.
#[derive(Debug, PartialEq)]
struct Layer {
    name: String,
    rows: usize,
    columns: usize,
}

/// The foldings of a network whose fastest design is already built in `fastest`.
pub(crate) fn all(fastest: &Path, work: &Path, fps: f64) -> Result<Vec<Folding>> {
    let path = fastest.join("network/dataflow.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let layers = layers(&text)?;
    let serial: Vec<(&Layer, usize, usize)> = layers.iter().map(|l| (l, 1, 1)).collect();
    let parallel = layers.iter().filter(|l| l.rows * l.columns <= PARALLEL_WEIGHTS);
    let parallel = parallel.max_by_key(|l| l.rows * l.columns);
    let parallel = parallel.context("no layer is small enough to be made parallel")?;
    let from_file = |name: &'static str, text: String| {
        let file = work.join(format!("{name}.toml"));
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        let options = vec!["--fold".into(), file.into_os_string()];
        anyhow::Ok(Folding { name, out: work.join(name), options })
    };
    let slow = format!("{:.0}", (fps / SLOWER).max(1.0));
    Ok(vec![
        Folding { name: FASTEST, out: fastest.to_path_buf(), options: Vec::new() },
        Folding {
            name: "slow",
            out: work.join("slow"),
            options: vec!["--fps".into(), slow.into()],
        },
        from_file("serial", fold_text(&serial))?,
        from_file("parallel", fold_text(&[(parallel, parallel.rows, parallel.columns)]))?,
    ])
}

/// A `fold.toml` that gives layers their PE and SIMD and leaves the rest to defaults.
fn fold_text(layers: &[(&Layer, usize, usize)]) -> String {
    let mut text = String::new();
    for (layer, pe, simd) in layers {
        // Writing to a string does not fail.
        let _ = write!(text, "[layers.{}]\npe = {pe}\nsimd = {simd}\n\n", layer.name);
    }
    text
}

/// The fully connected layers of a dataflow in text form.
fn layers(dataflow: &str) -> Result<Vec<Layer>> {
    let dataflow: toml::Table = dataflow.parse().context("dataflow.toml is not TOML")?;
    let engines = dataflow.get("engine").and_then(toml::Value::as_array);
    let engines = engines.context("dataflow.toml has no engines")?;
    let layer = |engine: &toml::Value| {
        let kind = engine.get("kind")?;
        let size = |key: &str| kind.get(key)?.as_integer()?.try_into().ok();
        (kind.get("type")?.as_str()? == "mvu").then_some(())?;
        let name = engine.get("layer")?.as_str()?.to_string();
        Some(Layer { name, rows: size("rows")?, columns: size("columns")? })
    };
    Ok(engines.iter().filter_map(layer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATAFLOW: &str = "name = \"d\"\n\
        [[engine]]\nname = \"quantizer0\"\nlayer = \"quantizer0\"\n[engine.kind]\ntype = \"threshold\"\n\
        [[engine]]\nname = \"fc0\"\nlayer = \"fc0\"\n[engine.kind]\ntype = \"mvu\"\nrows = 256\ncolumns = 784\n\
        [[engine]]\nname = \"fc1\"\nlayer = \"fc1\"\n[engine.kind]\ntype = \"mvu\"\nrows = 10\ncolumns = 256\n";

    #[test]
    fn finds_the_layers_and_both_extremes() {
        let temp = tempfile::tempdir().unwrap();
        let fastest = temp.path().join("fastest");
        fs::create_dir_all(fastest.join("network")).unwrap();
        fs::write(fastest.join("network/dataflow.toml"), DATAFLOW).unwrap();
        let all = all(&fastest, temp.path(), 1000.0).unwrap();
        let names: Vec<&str> = all.iter().map(|f| f.name).collect();
        assert_eq!(names, ["fastest", "slow", "serial", "parallel"]);
        assert_eq!(all[1].options, ["--fps", "50"]);
        let text = |i: usize| fs::read_to_string(&all[i].options[1]).unwrap();
        let serial = "[layers.fc0]\npe = 1\nsimd = 1\n\n[layers.fc1]\npe = 1\nsimd = 1\n\n";
        assert_eq!(text(2), serial);
        assert_eq!(text(3), "[layers.fc1]\npe = 10\nsimd = 256\n\n");
    }
}
