//! From the options about a model to the model.

use crate::cli;
use crate::frames::{self, Source};
use diagnostic::{Code, Diagnostic, Result};
use graph::Graph;
use std::path::Path;
use streamline::{Decide, Head, InputOptions, InputRule, Options, Streamlined};
use tensor::ElementType;
use tensor::npy::{NpyArray, Rows};

/// Imports the model.
pub(crate) fn import(options: &cli::Model) -> Result<Graph> {
    if options.sign_zero.is_some_and(|v| v != 1 && v != -1) {
        return Err(Diagnostic::new(Code::Usage, "--sign-zero takes +1 or -1"));
    }
    let more = import::Options { network: options.network.clone(), sign_zero: options.sign_zero };
    import::load(&options.model, &more)
}

/// Imports and streamlines the model.
pub(crate) fn load(options: &cli::Model) -> Result<Streamlined> {
    let choices = choices(options)?;
    streamline(&import(options)?, &choices, &options.model)
}

/// Imports and streamlines the model so that it takes an array: where neither the model nor the
/// user says what an integer stands for, int8 arrays and floats that are integers stand for
/// themselves.
pub(crate) fn load_for(options: &cli::Model, path: &Path) -> Result<(Streamlined, Source)> {
    let mut choices = choices(options)?;
    let graph = import(options)?;
    let mut rows = Rows::open(path)?;
    let is_value = matches!(rows.next(1)?, Some(NpyArray::I8(_) | NpyArray::F32(_)));
    let mut attempt = |choices: &Options| {
        let network = streamline(&graph, choices, &options.model)?;
        let count = frames::check(&mut rows, &network.input)?;
        Ok((network, count))
    };
    let mut loaded = attempt(&choices);
    let annotated = graph
        .input_id()
        .is_some_and(|id| matches!(graph.node(id).op, graph::Op::Input { annotation: Some(_) }));
    let explicit = choices.input != InputOptions::default();
    if loaded.is_err() && !annotated && !explicit && is_value {
        let mut others = [ElementType::Int(8), ElementType::Uint(8)].into_iter().map(|element| {
            choices.input =
                InputOptions { rule: Some(InputRule::Unchanged), element: Some(element) };
            attempt(&choices)
        });
        loaded = others.find(Result::is_ok).unwrap_or(loaded);
    }
    let (network, count) = loaded?;
    let frames = Source::checked(rows, &network.input, count);
    Ok((network, frames))
}

/// Streamlines an imported model; errors name its file.
pub(crate) fn streamline(graph: &Graph, options: &Options, path: &Path) -> Result<Streamlined> {
    streamline::streamline(graph, options).map_err(|mut e| {
        e.from = e.from.or_else(|| Some(path.display().to_string()));
        e
    })
}

/// The choices that change the network's meaning.
pub(crate) fn choices(options: &cli::Model) -> Result<Options> {
    let wrong = |mut e: Diagnostic| {
        e.code = Code::Usage;
        e.message = format!("--input-type: {}", e.message);
        e
    };
    let element = options.input_type.as_deref().map(str::parse).transpose().map_err(wrong)?;
    let rule = match options.input_scale.as_deref() {
        None => None,
        Some("none") => Some(InputRule::Unchanged),
        Some(text) => {
            let factor: Option<f32> = text.parse().ok().filter(|f: &f32| f.is_finite() && *f > 0.0);
            let factor = factor.ok_or_else(|| {
                Diagnostic::new(Code::Usage, format!("--input-scale {text} is no positive number"))
                    .hint("use `none` or a factor such as 0.0039215689")
            })?;
            Some(InputRule::PixelTimes(factor))
        }
    };
    let decide = match options.decide {
        cli::Decide::Float64 => Decide::Float64,
        cli::Decide::Float32 => Decide::Float32,
    };
    let (input, head) = (InputOptions { rule, element }, head(&options.head)?);
    Ok(Options { input, decide, head, input_planes: options.input_planes })
}

fn head(text: &str) -> Result<Head> {
    let k = text.strip_prefix("topk:").and_then(|k| k.parse().ok()).filter(|k| *k > 0);
    match (text, k) {
        ("model", _) => Ok(Head::Model),
        ("logits", _) => Ok(Head::Logits),
        ("class", _) => Ok(Head::Class),
        (_, Some(k)) => Ok(Head::TopK(k)),
        _ => Err(Diagnostic::new(Code::Usage, format!("there is no head `{text}`"))
            .hint("use model, logits, class or topk:K")),
    }
}

/// The options that differ from their defaults, for the manifest.
pub(crate) fn recorded(options: &cli::Model) -> emit::Options {
    let mut recorded = emit::Options::new();
    let mut put = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            recorded.insert(name.into(), value);
        }
    };
    put("network", options.network.clone());
    put("input-scale", options.input_scale.clone());
    put("input-type", options.input_type.clone());
    put("input-planes", options.input_planes.map(|p| p.to_string()));
    put("sign-zero", options.sign_zero.map(|v| v.to_string()));
    put("decide", (options.decide == cli::Decide::Float32).then(|| "float32".into()));
    put("head", (options.head != "model").then(|| options.head.clone()));
    recorded
}

/// SHA-256 of the model's bytes: of a folder, of the names and bytes of its files in order.
pub(crate) fn hash(path: &Path) -> Result<String> {
    let access = |p: &Path, e: std::io::Error| {
        Diagnostic::new(Code::FileAccess, e.to_string()).from(p.display().to_string())
    };
    if !path.is_dir() {
        return Ok(emit::sha256(&std::fs::read(path).map_err(|e| access(path, e))?));
    }
    let mut files: Vec<_> = std::fs::read_dir(path)
        .map_err(|e| access(path, e))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|p| p.is_file())
        .collect();
    files.sort();
    let mut bytes = Vec::new();
    for file in files {
        bytes.extend(file.file_name().unwrap_or_default().as_encoded_bytes());
        bytes.push(0);
        bytes.extend(std::fs::read(&file).map_err(|e| access(&file, e))?);
    }
    Ok(emit::sha256(&bytes))
}
