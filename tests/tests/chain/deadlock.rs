//! Designs that stand still are refused by whoever meets them, with the ring of engines.

use crate::branches::{check_ring, skip, skip_over};
use dataflow::{Dataflow, EngineKind};
use diagnostic::Code;
use tensor::Map;
use tests::command::{Folder, files};

/// `out`, written with a FIFO that is deep enough, now says that it holds `depth` words.
fn with_a_fifo_of(folder: &Folder, depth: usize) -> Dataflow {
    let (dataflow, manifest) = ("out/network/dataflow.toml", "out/manifest.json");
    let [old, hashes] = [dataflow, manifest].map(|f| String::from_utf8(folder.read(f)).unwrap());
    let mut changed = Dataflow::parse(&old).unwrap();
    for engine in &mut changed.engines {
        if matches!(engine.kind, EngineKind::Fifo { .. }) {
            engine.kind = EngineKind::Fifo { depth };
        }
    }
    let new = changed.to_text();
    let hash = |text: &str| emit::sha256(text.as_bytes());
    folder.write(manifest, hashes.replace(&hash(&old), &hash(&new))).write(dataflow, &new);
    changed
}

#[test]
fn a_design_that_stands_still_makes_no_files() {
    let design = skip("skip", 2);
    let frames = emit::seeded_frames(&design.network.input, 1, 1);
    let error = design.files(&frames).unwrap_err();
    assert_eq!(error.code, Code::Deadlock);
    check_ring(&design.dataflow, &error.message);
}

#[test]
fn commands_name_the_ring_of_a_folder_that_stands_still() {
    let large = Map { height: 32, width: 32, channels: 64 };
    for roomy in [skip("skip", 64), skip_over("skip", large, 8, 1 << 14)] {
        let folder = Folder::new();
        let frames = emit::seeded_frames(&roomy.network.input, 1, 1);
        emit::folder::write(&folder.path("out"), &roomy.files(&frames).unwrap()).unwrap();
        folder.run("sim out --frames 1").succeeds();
        let dataflow = with_a_fifo_of(&folder, 2);
        let before = files(&folder.path("."));
        for command in ["sim out -o kept", "sim out --stall 0.3", "verify out -o kept"] {
            let refused = folder.run(&format!("{command} --frames 1")).status_is(1);
            let message = refused.stderr.lines().next().unwrap();
            assert!(message.starts_with("error[deadlock]: stream `"), "{}", refused.stderr);
            check_ring(&dataflow, message);
        }
        assert!(files(&folder.path(".")) == before, "something was written");
    }
}
