//! ONNX files: standard operators, and the quantizers of Brevitas, QONNX and FINN.
//!
//! The order of the work: the bytes are decoded ([`proto`]); names are resolved, and the nodes that
//! the output depends on are sorted (`model`); each node is folded when all that it reads is
//! constant, else becomes an operator of the graph (`build` and the files by kind of operator).

mod attributes;
mod build;
mod constants;
mod conv;
mod elementwise;
mod folding;
mod heads;
mod linear;
mod maps;
mod model;
mod operator;
mod pad;
mod pool;
pub mod proto;
mod quant;
mod shapes;
mod window;

use crate::Options;
use diagnostic::{Code, Diagnostic, Result};
use graph::Graph;
use prost::Message;
use std::path::Path;

/// Files beyond this are not networks for an FPGA.
const MAX_FILE_BYTES: u64 = 1 << 31;

/// Reads an `.onnx` file.
///
/// # Errors
/// As for [`parse`]; `file-access` when it cannot be read.
pub fn load(path: &Path, options: &Options) -> Result<Graph> {
    let access = |e: std::io::Error| {
        Diagnostic::new(Code::FileAccess, format!("cannot read the model: {e}"))
    };
    let metadata = std::fs::metadata(path).map_err(access)?;
    if !metadata.is_file() {
        return Err(Diagnostic::new(Code::FileAccess, "the model is not a regular file"));
    }
    let bytes = metadata.len();
    if bytes > MAX_FILE_BYTES {
        return Err(Diagnostic::new(Code::ModelFormat, format!("the file has {bytes} bytes"))
            .hint("models up to 2 GiB are read"));
    }
    parse(&std::fs::read(path).map_err(access)?, &crate::stem(path), options)
}

/// Reads a model from the bytes of an `.onnx` file; `name` becomes the name of the graph.
///
/// # Errors
/// `model-format` for bytes that are not ONNX; `model-invalid` and `model-not-finite` for models
/// that break a rule; `unsupported-*` listing every node that is not supported.
pub fn parse(bytes: &[u8], name: &str, options: &Options) -> Result<Graph> {
    let decoded = proto::ModelProto::decode(bytes).map_err(|e| {
        Diagnostic::new(Code::ModelFormat, format!("the file cannot be decoded as ONNX: {e}"))
            .hint("it may be cut short or of another format: download or export it again")
    })?;
    let proto = decoded.graph.as_ref().ok_or_else(|| {
        Diagnostic::new(Code::ModelFormat, "the file holds no ONNX graph")
            .hint("it may be empty or of another format: download or export it again")
    })?;
    let model = model::Model::resolve(proto, &decoded.opset_import)?;
    build::build(&model, bytes.len(), name, options)
}
