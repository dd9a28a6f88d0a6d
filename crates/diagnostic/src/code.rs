//! The closed list of error codes.

use std::fmt;

/// The exit status that a code leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Refused input, or a mismatch: status 1.
    Refused,
    /// Wrong usage of the command line: status 2.
    Usage,
    /// An external tool is missing or failed: status 3.
    Tool,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $exit:ident;)+) => {
        /// Stable identifier of an error, shown as `error[code]`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$name,)+];

            /// The kebab-case text.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)+ }
            }

            /// The exit status that this error ends the program with.
            pub fn exit(self) -> Exit {
                match self { $(Code::$name => Exit::$exit,)+ }
            }

            /// One paragraph for `docs/errors.md`.
            pub fn explanation(self) -> String {
                let lines: &[&str] = match self { $(Code::$name => &[$($doc),+],)+ };
                lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
            }
        }
    };
}

codes! {
    /// A file could not be read or written.
    FileAccess = "file-access", Refused;
    /// A file is not what its name says, or is cut short.
    FileFormat = "file-format", Refused;
    /// The model file cannot be decoded as ONNX.
    ModelFormat = "model-format", Refused;
    /// An operator is not supported; all such nodes are listed, each with what would make it acceptable.
    UnsupportedOp = "unsupported-op", Refused;
    /// An operator is known, but not with these attributes or inputs.
    UnsupportedAttribute = "unsupported-attribute", Refused;
    /// The structure of the model is not supported (several inputs, branches, a layer order).
    UnsupportedStructure = "unsupported-structure", Refused;
    /// The graph breaks a rule of ONNX: a missing tensor, a cycle, shapes that do not agree.
    ModelInvalid = "model-invalid", Refused;
    /// A parameter is NaN or infinite where it decides something.
    ModelNotFinite = "model-not-finite", Refused;
    /// Values that should be quantized are not, or to more than 8 bits.
    NotQuantized = "not-quantized", Refused;
    /// A BNN-PYNQ folder fits no published network, or several.
    NetworkUnknown = "network-unknown", Refused;
    /// An input or label array has the wrong shape.
    InputShape = "input-shape", Refused;
    /// An input or label array has the wrong element type.
    InputType = "input-type", Refused;
    /// An input value cannot be represented in the type of the network's input.
    InputValue = "input-value", Refused;
    /// A PE or SIMD does not divide the layer.
    FoldNotDivisor = "fold-not-divisor", Refused;
    /// A folding file has an unknown key, an unknown layer or an impossible value.
    FoldInvalid = "fold-invalid", Refused;
    /// The requested rate cannot be reached by any legal folding.
    FoldRate = "fold-rate", Refused;
    /// The design does not fit the budget of the board.
    FoldBudget = "fold-budget", Refused;
    /// The board is unknown, or its file is malformed.
    BoardInvalid = "board-invalid", Refused;
    /// The output folder exists and was not written by xnorflow, or is in use.
    OutputFolder = "output-folder", Refused;
    /// The folder is not an output folder of `xnorflow build`, or was changed.
    DesignFolder = "design-folder", Refused;
    /// Verilator, the simulator and the golden model disagree.
    Mismatch = "mismatch", Refused;
    /// The design waits for itself and never finishes.
    Deadlock = "deadlock", Refused;
    /// An option of the command line has an impossible value.
    Usage = "usage", Usage;
    /// An external tool is not installed.
    ToolMissing = "tool-missing", Tool;
    /// An external tool failed.
    ToolFailed = "tool-failed", Tool;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
