//! Names in a model are untrusted: whatever they hold, they are text and nothing else.

use std::fs;
use std::process::Command;
use tests::command::{Folder, files};
use tests::models::{small_images, small_network};

/// Text that means something to a shell, Verilog, Tcl, C++, make, HTML, JSON or TOML.
const HOSTILE: &[&str] = &[
    "a b;$(touch pwned)\"<script>alert(1)</script>",
    "*/ endmodule /*\nmodule pwned; endmodule\n//",
    "`include \"/etc/passwd\"\n`define x",
    "]; exec touch pwned; [",
    "\\\n#error pwned\n\\",
    "\r\nendmodule\r\n$finish;",
    "$(shell touch pwned)",
    "../../pwned",
    "\u{2028}\u{202e}\u{0}\u{1b}[31m'\"",
    "%s%n{}{0}\\u0041",
    "[layers.fc0]\npe = 1\n\"\"\"",
    "begin",
];

/// The small network with a hostile name everywhere a name can be.
fn hostile(name: &str) -> Vec<u8> {
    let mut model = small_network();
    let graph = model.graph();
    graph.name = name.into();
    let renamed = |tensor: &str| match tensor {
        "" => String::new(),
        tensor => format!("{tensor}{name}"),
    };
    for node in &mut graph.node {
        node.name = format!("{}{name}", node.op_type);
        node.input.iter_mut().chain(&mut node.output).for_each(|t| *t = renamed(t));
    }
    graph.initializer.iter_mut().for_each(|t| t.name = renamed(&t.name));
    graph.input.iter_mut().chain(&mut graph.output).for_each(|v| v.name = renamed(&v.name));
    model.bytes()
}

/// Pieces of a name that must not appear as they are in code.
fn pieces(name: &str) -> Vec<&str> {
    let marks = [
        "touch pwned",
        "module pwned",
        "#error",
        "alert(1)",
        "/etc/passwd",
        "`define",
        "$finish",
        "../../pwned",
        "pe = 1",
        "\u{1b}",
        "%n",
    ];
    marks.into_iter().filter(|mark| name.contains(mark)).collect()
}

#[track_caller]
fn check(folder: &Folder, name: &str) {
    let place = folder.path("out");
    for (file, bytes) in files(&place) {
        let Ok(text) = String::from_utf8(bytes) else { continue };
        let end = file.rsplit('.').next().unwrap_or_default().to_string();
        match end.as_str() {
            "v" => {
                for line in text.lines() {
                    let code = line.split("//").next().unwrap_or_default();
                    for piece in pieces(name) {
                        assert!(!code.contains(piece), "{file}: {line:?}");
                    }
                    assert!(
                        line.chars().all(|c| c.is_ascii() && !c.is_control()),
                        "{file}: {line:?}"
                    );
                    assert!(!line.ends_with('\\'), "{file}: a comment goes on: {line:?}");
                    assert!(!line.starts_with('`') || line.contains("default_nettype"), "{line:?}");
                }
                assert_eq!(text.matches("\nendmodule").count(), 1, "{file}");
            }
            "html" => {
                assert!(!text.contains("<script>alert"), "{file}");
                assert!(!text.contains('\u{202e}') && !text.contains('\u{1b}'), "{file}");
            }
            "h" | "cpp" | "tcl" | "xdc" | "vlt" | "f" | "mem" => {
                for piece in pieces(name) {
                    assert!(!text.contains(piece), "{file} holds {piece:?}");
                }
            }
            _ if file == "sim/Makefile" => {
                for piece in pieces(name) {
                    assert!(!text.contains(piece), "{file} holds {piece:?}");
                }
            }
            _ => {}
        }
    }
    let list = String::from_utf8(fs::read(place.join("files.f")).unwrap()).unwrap();
    let mut iverilog = Command::new("iverilog");
    iverilog.args(["-g2005", "-Wall", "-tnull"]).args(list.lines()).current_dir(&place);
    let output = iverilog.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

#[test]
fn names_inside_a_model() {
    for name in HOSTILE {
        let folder = Folder::new();
        folder.write("m.onnx", hostile(name)).write("x.npy", small_images(3));
        for command in ["inspect m.onnx", "inspect m.onnx --json"] {
            let text = folder.run(command).succeeds().stdout;
            assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{name:?}: {text:?}");
        }
        folder.run("build m.onnx -o out --fps 1000000").succeeds();
        check(&folder, name);
        folder.run("build m.onnx --fold out/fold.toml -o out2").succeeds();
        folder.run("sim out --input x.npy").succeeds();
        let mut beside: Vec<String> = fs::read_dir(folder.path("."))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        beside.sort();
        assert_eq!(beside, ["m.onnx", "out", "out2", "x.npy"], "{name:?}");
    }
}

#[test]
fn names_of_files_and_tops() {
    for name in HOSTILE {
        let folder = Folder::new();
        let file: String = name.chars().filter(|c| !"/\0".contains(*c)).collect();
        let model = folder.path(&format!("{file}.onnx"));
        fs::write(&model, small_network().bytes()).unwrap();
        folder.run_with("build -o out --fps 1000000", &[&model]).succeeds();
        check(&folder, &file);
        folder.run_with("build -o named --fps 1000000 --name", &[&file, &model]).succeeds();
        folder.run("sim out --frames 2").succeeds();
    }
}

/// A top module named by anything passes Verilator too.
#[test]
fn a_hostile_name_verifies() {
    let folder = Folder::new();
    let model = folder.path("a b;$(touch pwned)`\"<b>*\\n.onnx");
    fs::write(&model, hostile(HOSTILE[0])).unwrap();
    let out = folder.path("out put;$(touch pwned)");
    folder.run_with("build --fps 1000000 -o", &[&out, &model]).succeeds();
    folder.run_with("verify --frames 3", &[&out]).succeeds();
    assert!(!folder.path("pwned").exists());
}
