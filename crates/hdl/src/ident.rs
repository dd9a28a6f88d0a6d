//! Names: any text into Verilog identifiers that every tool and file system keeps apart.

use std::collections::BTreeSet;

use crate::reserved::is_reserved;

/// The longest name that is made.
pub const MAX_LENGTH: usize = 64;

/// Whether a name can be used as it is: a Verilog identifier that is no keyword of Verilog,
/// SystemVerilog or C++ (Verilator makes C++ of it).
pub fn is_legal(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
        && bytes.all(|c| c.is_ascii_alphanumeric() || c == b'_')
        && !is_reserved(name)
}

/// Any text as a legal name of letters, digits and single underscores, at most [`MAX_LENGTH`]
/// long. A name that is cut ends in a hash of the whole text. Different texts may give the same
/// name: see [`Identifiers`].
///
/// ```
/// assert_eq!(hdl::ident::legalise("conv2/Conv:0"), "conv2_Conv_0");
/// assert_eq!(hdl::ident::legalise("0.weight"), "n0_weight");
/// assert_eq!(hdl::ident::legalise("module"), "module_n");
/// ```
pub fn legalise(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.insert(0, 'n');
    }
    if name.len() > MAX_LENGTH {
        name.truncate(MAX_LENGTH - 9);
        name = format!("{}_{:08x}", name.trim_end_matches('_'), hash(text));
    }
    if is_reserved(&name) {
        name.push_str("_n");
    }
    name
}

/// Hands out names that differ even where case does not count.
#[derive(Clone, Debug, Default)]
pub struct Identifiers {
    taken: BTreeSet<String>,
}

impl Identifiers {
    /// Nothing taken yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a name from being handed out.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_ascii_lowercase());
    }

    /// A legal name made from `text` that was not handed out before; the same calls in the same
    /// order give the same names.
    pub fn unique(&mut self, text: &str) -> String {
        let base = legalise(text);
        let mut name = base.clone();
        let mut number = 2u64;
        while is_reserved(&name) || !self.taken.insert(name.to_ascii_lowercase()) {
            let suffix = format!("_n{number}");
            let kept = base.len().min(MAX_LENGTH - suffix.len());
            name = format!("{}{suffix}", base[..kept].trim_end_matches('_'));
            number += 1;
        }
        name
    }
}

/// FNV-1a folded to 32 bits: stable over versions and machines.
fn hash(text: &str) -> u32 {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (hash ^ hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_become_names() {
        let cases = [
            ("", "n"),
            ("___", "n"),
            ("a__b", "a_b"),
            ("_x_", "x"),
            ("9", "n9"),
            ("wire", "wire_n"),
            ("logic", "logic_n"),
            ("namespace", "namespace_n"),
            ("caf\u{e9} \u{1f600} noir", "caf_noir"),
            ("a\nendmodule", "a_endmodule"),
        ];
        for (text, name) in cases {
            assert_eq!(legalise(text), name);
        }
    }

    #[test]
    fn cut_names_keep_a_hash() {
        let (a, b) = (legalise(&"x".repeat(100)), legalise(&"x".repeat(101)));
        assert_eq!((a.len(), b.len()), (64, 64));
        assert_ne!(a, b);
        assert_eq!(a, legalise(&"x".repeat(100)));
    }

    #[test]
    fn clashes_are_resolved_in_order() {
        let mut names = Identifiers::new();
        names.reserve("top");
        let made: Vec<String> =
            ["fc/1", "fc.1", "FC_1", "top", "fc_1_n2"].iter().map(|t| names.unique(t)).collect();
        assert_eq!(made, ["fc_1", "fc_1_n2", "FC_1_n3", "top_n2", "fc_1_n2_n2"]);
    }

    proptest! {
        #[test]
        fn always_legal_and_unique(texts in prop::collection::vec(".*", 1..40)) {
            let mut names = Identifiers::new();
            let mut seen = BTreeSet::new();
            for text in texts.iter().chain(&texts) {
                let name = names.unique(text);
                prop_assert!(is_legal(&name) && name.len() <= MAX_LENGTH, "{name}");
                prop_assert!(name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'));
                prop_assert!(!name.contains("__"));
                prop_assert!(seen.insert(name.to_lowercase()));
            }
        }

        #[test]
        fn legal_short_names_are_kept(name in "[a-z][a-z0-9]{0,20}(_[a-z0-9]{1,10}){0,3}") {
            if is_legal(&name) {
                prop_assert_eq!(legalise(&name), name);
            }
        }
    }
}
