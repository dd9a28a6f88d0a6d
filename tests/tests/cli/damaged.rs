//! Files damaged at seeded places: refused or taken, never a crash.

use super::built;
use tests::command::{Folder, Outcome};

/// Numbers from a seed: SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    /// A copy with one to three of: a changed byte, a flipped bit, a cut, a piece taken out or
    /// doubled, a digit or sign put in.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            if bytes.is_empty() {
                break;
            }
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(12)).min(bytes.len());
            match self.below(7) {
                0 => bytes[at] = self.below(256) as u8,
                1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..end)),
                4 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                5 => bytes.insert(at, b"0123456789-[]=\"{}"[self.below(17)]),
                _ => bytes[at] = [0, 0xff, 0x80, 0x7f][self.below(4)],
            }
        }
        bytes
    }
}

#[track_caller]
fn sound(outcome: &Outcome, what: &str) {
    assert!([0, 1].contains(&outcome.status), "{what}: {outcome:?}");
    assert!(!outcome.stderr.contains("panicked"), "{what}: {outcome:?}");
    let empty = outcome.stderr.is_empty();
    assert_eq!(outcome.status == 0, empty, "{what}: {outcome:?}");
    assert!(empty || outcome.stderr.starts_with("error["), "{what}: {outcome:?}");
}

/// How many times as often as usual, from `XNORFLOW_DAMAGE`.
fn effort() -> usize {
    std::env::var("XNORFLOW_DAMAGE").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Damages a file `times` times and runs a command on it.
fn damaged(folder: &Folder, file: &str, times: usize, command: &str) {
    let whole = folder.read(file);
    let mut random = Random(file.len() as u64);
    let mut refused = 0;
    for round in 0..times * effort() {
        folder.write(file, random.damage(&whole));
        let outcome = folder.run(command);
        refused += usize::from(outcome.status == 1);
        if ![0, 1].contains(&outcome.status) || outcome.stderr.contains("panicked") {
            let kept = std::env::temp_dir().join("xnorflow-damaged");
            std::fs::write(&kept, folder.read(file)).unwrap();
            println!("{file} as it was is kept as {}", kept.display());
        }
        sound(&outcome, &format!("round {round} of {file}"));
    }
    folder.write(file, whole);
    assert!(refused > 0, "{file}: no damage was ever noticed");
}

#[test]
fn models() {
    let folder = built();
    damaged(&folder, "m.onnx", 300, "build m.onnx -o out2");
}

#[test]
fn foldings() {
    let folder = built();
    folder.write("f.toml", folder.read("out/fold.toml"));
    damaged(&folder, "f.toml", 200, "build m.onnx --fold f.toml -o out2");
}

#[test]
fn arrays() {
    let folder = built();
    folder.write("y.npy", tests::models::npy(&[20], vec![0i64; 20]));
    damaged(&folder, "x.npy", 150, "infer m.onnx --input x.npy --labels y.npy");
    damaged(&folder, "y.npy", 150, "sim out --input x.npy --labels y.npy");
}

#[test]
fn boards() {
    let folder = built();
    let board = tests::command::root().join("hw/boards/pynq-z2.toml");
    folder.write("b.toml", std::fs::read(board).unwrap());
    damaged(&folder, "b.toml", 100, "build m.onnx --board b.toml -o out2");
}

/// The hashes keep most damage out; here the manifest is made to fit, as an attacker would.
#[test]
fn designs() {
    let folder = built();
    let manifest = String::from_utf8(folder.read("out/manifest.json")).unwrap();
    let names = [
        "network/streamlined.toml",
        "network/dataflow.toml",
        "network/facts.json",
        "network/board.json",
        "network/fc0.weights.npy",
        "network/fc0.thresholds.npy",
        "network/quantizer0.thresholds.npy",
    ];
    for name in names {
        let place = format!("out/{name}");
        let whole = folder.read(&place);
        let mut random = Random(name.len() as u64);
        for round in 0..40 * effort() {
            let bytes = random.damage(&whole);
            let (before, after) = (emit::sha256(&whole), emit::sha256(&bytes));
            folder.write("out/manifest.json", manifest.replace(&before, &after));
            folder.write(&place, bytes);
            sound(&folder.run("sim out --frames 2"), &format!("round {round} of {name}"));
        }
        folder.write(&place, whole).write("out/manifest.json", &manifest);
    }
    damaged(&folder, "out/manifest.json", 100, "sim out --frames 2");
}
