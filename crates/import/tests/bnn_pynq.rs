//! Parameter folders: which network they hold, and how damaged ones are refused.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

use diagnostic::Code;
use graph::{ClassRule, Elementwise, Op};
use import::{Options, load};
use std::fs;
use std::path::Path;

const LAYERS: [(usize, usize, usize); 4] =
    [(32, 416, 32), (64, 512, 16), (32, 512, 32), (16, 512, 4)];

/// A folder of LFC size, all weight bits 1, thresholds 0; `levels` for each layer but the last.
fn write(folder: &Path, levels: usize) {
    for (index, (pe, weights, thresholds)) in LAYERS.into_iter().enumerate() {
        let levels = if index == 3 { 1 } else { levels };
        for pe in 0..pe {
            let weights = vec![0xff; 8 * weights];
            fs::write(folder.join(format!("{index}-{pe}-weights.bin")), weights).unwrap();
            let thresholds = vec![0; 8 * thresholds * levels];
            fs::write(folder.join(format!("{index}-{pe}-thres.bin")), thresholds).unwrap();
        }
    }
    fs::write(folder.join("classes.txt"), "a\r\nb\r\nc").unwrap();
    fs::write(folder.join("hw.xml"), "ignored").unwrap();
}

fn refused(folder: &Path, network: Option<&str>) -> diagnostic::Diagnostic {
    load(folder, &Options { network: network.map(Into::into), sign_zero: None }).unwrap_err()
}

#[test]
fn activation_bits_follow_from_the_sizes() {
    for (levels, first_threshold) in [(1, 2 - 784), (2, 49)] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), levels);
        let graph = load(folder.path(), &Options::default()).unwrap();
        assert_eq!(graph.class_rule, ClassRule::HighestSet);
        let chain = graph.chain().unwrap();
        assert_eq!(chain.len(), 10);
        assert_eq!(graph.node(chain[9]).shape, [1, 3]);
        let Op::Elementwise(Elementwise::MultiThreshold { thresholds, out_scale, .. }) =
            &graph.node(chain[3]).op
        else {
            panic!("{:?}", graph.node(chain[3]).op.name());
        };
        assert_eq!(thresholds.dim(), (1024, levels));
        assert_eq!(thresholds[[0, 0]], first_threshold as f32);
        assert_eq!(*out_scale, if levels == 1 { 2.0 } else { 1.0 });
    }
}

#[test]
fn damaged_folders_are_refused() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    assert_eq!(refused(folder, None).code, Code::NetworkUnknown);
    write(folder, 1);
    let error = refused(folder, Some("lfcW9"));
    assert_eq!(error.code, Code::NetworkUnknown);
    assert!(error.hint.unwrap().contains("lfcW1A1, lfcW1A2, cnvW1A1, cnvW1A2, cnvW2A2"));
    assert_eq!(refused(folder, Some("cnvW1A1")).code, Code::FileFormat);

    fs::rename(folder.join("2-7-weights.bin"), folder.join("kept")).unwrap();
    let error = refused(folder, None);
    assert_eq!(error.code, Code::NetworkUnknown);
    assert!(error.more[0].message.contains("2-7-weights.bin is missing"), "{error}");
    for bytes in [4095, 4104] {
        fs::write(folder.join("2-7-weights.bin"), vec![0; bytes]).unwrap();
        assert_eq!(refused(folder, None).code, Code::NetworkUnknown);
        assert_eq!(refused(folder, Some("lfcW1A1")).code, Code::FileFormat);
    }
    // Shorter files are filled up with zeros.
    fs::write(folder.join("2-7-weights.bin"), vec![0xff; 8]).unwrap();
    assert!(load(folder, &Options::default()).is_ok());

    for (text, code) in [("", Code::FileFormat), (&"class\n".repeat(65), Code::FileFormat)] {
        fs::write(folder.join("classes.txt"), text).unwrap();
        assert_eq!(refused(folder, None).code, code);
    }
    fs::remove_file(folder.join("classes.txt")).unwrap();
    let error = refused(folder, None);
    assert_eq!(error.code, Code::FileAccess);
    assert!(error.from.unwrap().ends_with("classes.txt"));
}

#[test]
fn sizes_that_fit_two_networks_need_a_name() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    write(folder, 1);
    for (index, (pe, ..)) in LAYERS.into_iter().enumerate() {
        for pe in 0..pe {
            fs::write(folder.join(format!("{index}-{pe}-thres.bin")), [0; 8]).unwrap();
        }
    }
    let error = refused(folder, None);
    assert_eq!(error.code, Code::NetworkUnknown);
    assert!(error.hint.unwrap().contains("lfcW1A1, lfcW1A2"));
    let options = Options { network: Some("lfcW1A2".into()), sign_zero: None };
    assert!(load(folder, &options).is_ok());
}
