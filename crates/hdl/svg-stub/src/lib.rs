//! The part of svg 0.10 that rust-hdl 0.46 names, without any drawing.

pub use node::element::SVG as Document;

/// Writes nothing.
pub fn save<P: AsRef<std::path::Path>, N>(_path: P, _document: &N) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Nodes.
pub mod node {
    /// Text in a node.
    #[derive(Clone, Debug, Default)]
    pub struct Text;

    impl Text {
        /// Nothing.
        pub fn new<T: Into<String>>(_text: T) -> Self {
            Self
        }
    }

    /// Elements.
    pub mod element {
        macro_rules! elements {
            ($($name:ident),+) => {$(
                /// An element without contents.
                #[derive(Clone, Debug, Default)]
                pub struct $name;

                impl $name {
                    /// Nothing.
                    pub fn new() -> Self {
                        Self
                    }

                    /// Nothing.
                    pub fn set<T, U>(self, _name: T, _value: U) -> Self {
                        self
                    }

                    /// Nothing.
                    pub fn add<T>(self, _node: T) -> Self {
                        self
                    }
                }
            )+};
        }

        elements!(Path, Text, SVG);

        /// Path data.
        pub mod path {
            /// A path without points.
            #[derive(Clone, Debug, Default)]
            pub struct Data;

            impl Data {
                /// Nothing.
                pub fn new() -> Self {
                    Self
                }

                /// Nothing.
                pub fn move_to<T>(self, _to: T) -> Self {
                    self
                }

                /// Nothing.
                pub fn line_to<T>(self, _to: T) -> Self {
                    self
                }

                /// Nothing.
                pub fn close(self) -> Self {
                    self
                }
            }
        }
    }
}
