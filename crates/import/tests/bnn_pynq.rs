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

/// The colour network with 2-bit weights: PE, words of weights and thresholds of each file.
const COLOUR: [(usize, usize, usize); 9] = [
    (8, 8 * 9, 8 * 2),
    (16, 4 * 36, 4 * 2),
    (8, 16 * 36, 16 * 2),
    (8, 16 * 72, 16 * 2),
    (4, 64 * 144, 64 * 2),
    (1, 256 * 288, 256 * 2),
    (1, 512 * 128, 512 * 2),
    (2, 256 * 256, 256 * 2),
    (4, 16 * 512, 0),
];

#[test]
fn fields_of_two_bits_are_signed_and_channels_come_first() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    for (index, (pe, weights, thresholds)) in COLOUR.into_iter().enumerate() {
        for pe in 0..pe {
            let words = (0..weights).flat_map(|word| {
                // -1 for channel 1 in row 1, column 2 of the first kernels; else +1 everywhere.
                let first = if word % 9 == 5 { 0b01_11_01 } else { 0b01_01_01u64 };
                (if index == 0 { first } else { 0x5555_5555 }).to_le_bytes()
            });
            let path = folder.join(format!("{index}-{pe}-weights.bin"));
            fs::write(path, words.collect::<Vec<u8>>()).unwrap();
            let words = (0..thresholds).flat_map(|word| [5u64, 9][word % 2].to_le_bytes());
            if thresholds > 0 {
                let path = folder.join(format!("{index}-{pe}-thres.bin"));
                fs::write(path, words.collect::<Vec<u8>>()).unwrap();
            }
        }
    }
    fs::write(folder.join("classes.txt"), "a\nb\nc\n").unwrap();
    let graph = load(folder, &Options::default()).unwrap();
    assert_eq!(graph.class_rule, ClassRule::ArgMax);
    let chain = graph.chain().unwrap();
    let named = |name: &str| {
        let id = chain.iter().find(|&&id| graph.node(id).name == name);
        graph.node(*id.unwrap())
    };
    let Op::Conv(conv) = &named("conv0").op else { panic!("{}", named("conv0").op.name()) };
    let row: Vec<i64> = (0..27).map(|c| if c == 9 + 3 + 2 { -1 } else { 1 }).collect();
    let integers = &conv.weights.quantized.as_ref().unwrap().integers;
    assert!(integers.rows().into_iter().all(|r| r.to_vec() == row));
    let thresholds = |name: &str| match &named(name).op {
        Op::Elementwise(Elementwise::MultiThreshold {
            thresholds, out_scale, out_bias, ..
        }) => {
            assert_eq!((*out_scale, *out_bias), (1.0, -1.0));
            thresholds.row(0).to_vec()
        }
        op => panic!("{}", op.name()),
    };
    // The first accumulator counts half steps.
    assert_eq!(thresholds("threshold0"), [3.0, 5.0]);
    assert_eq!(thresholds("threshold1"), [6.0, 10.0]);
    let shapes = ["pixels", "conv0", "pool1", "pool3", "conv5", "flatten", "fc8"];
    let shapes = shapes.map(|name| named(name).shape.clone());
    let expected: [&[usize]; 7] = [
        &[1, 3, 32, 32],
        &[1, 64, 30, 30],
        &[1, 64, 14, 14],
        &[1, 128, 5, 5],
        &[1, 256, 1, 1],
        &[1, 256],
        &[1, 3],
    ];
    assert_eq!(shapes, expected);
    assert_eq!(chain.last(), graph.output_id().as_ref());
}
