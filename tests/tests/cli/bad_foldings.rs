//! Foldings, boards, rates and budgets that are refused, each with its text.

use super::{built, small};

#[test]
fn foldings() {
    let folder = built();
    let before = tests::command::files(&folder.path("out"));
    let on = |text: &str| {
        folder.write("f.toml", text);
        folder.run("build m.onnx --fold f.toml -o out")
    };
    on("[layers.fc0]\npe = 3\nsimd = 5\n\n[layers.fc1]\npe = 0\n").fails(1, "");
    on("input_lanes = 3\n").fails(1, "");
    on("[layers.fc0]\npe = 8\nspeed = 9\n").fails(1, "");
    on("[layers.fc0]\npe = \"all\"\n").fails(1, "");
    on("[layers.fc0]\npe = -1\n").fails(1, "");
    on("[layers.fc0]\nweights = \"paper\"\n").fails(1, "");
    on("[layers.fc7]\npe = 1\n\n[fifos]\nfc8 = 4\n").fails(1, "");
    on("[fifos]\nfc0 = 0\nfc1 = 100000\n").fails(1, "");
    on("[layers.quantizer0]\npe = 1\n\n[layers.fc0]\nlanes = 2\n").fails(1, "");
    on("[layers.fc0]\nbuffer = 1000000\n").fails(1, "");
    on("[layers.fc0\n").fails(1, "");
    on("pe = 1\npe = 2\n").fails(1, "");
    folder.run("build m.onnx --fold absent.toml -o out").fails(1, "");
    folder.write("f.toml", [0xff, 0xfe]);
    folder.run("build m.onnx --fold f.toml -o out").fails(1, "");
    assert!(tests::command::files(&folder.path("out")) == before, "a refused build changed files");
}

#[test]
fn a_written_folding_gives_the_same_design_and_an_edited_one_another() {
    let folder = built();
    folder.run("build m.onnx --fold out/fold.toml -o again").succeeds();
    let rtl = |name: &str| tests::command::files(&folder.path(name).join("rtl"));
    assert!(rtl("out") == rtl("again"));
    assert_eq!(folder.read("out/fold.toml"), folder.read("again/fold.toml"));
    folder.write("f.toml", "[layers.fc0]\npe = 8\nsimd = 16\n\n[layers.fc1]\npe = 3\nsimd = 3\npad = true\n");
    let json = folder.run("build m.onnx --fold f.toml -o edited --json").json();
    let fold = String::from_utf8(folder.read("edited/fold.toml")).unwrap();
    assert!(fold.contains("pe = 8\nsimd = 16\n"), "{fold}");
    // 2 times 3 rows cover 4, 3 times 3 columns cover 8.
    let engine = |name: &str| {
        let engines = json["engines"].as_array().unwrap();
        engines.iter().find(|e| e["name"] == name).unwrap()["cycles"].as_u64().unwrap()
    };
    assert_eq!((engine("fc0"), engine("fc1")), (1, 6));
}

#[test]
fn boards() {
    let folder = small();
    let on = |text: &str| {
        folder.write("b.toml", text);
        folder.run("build m.onnx --board b.toml -o out")
    };
    let board = "name = \"mine\"\ndescription = \"x\"\npart = \"xc7z020clg400-1\"\nfamily = \"xc7\"\n\
                 luts = 53200\nffs = 106400\nbram36 = 140\nuram = 0\ndsps = 220\nclock_mhz = 100.0\n";
    folder.run("build m.onnx --board nexys -o out").fails(1, "");
    folder.run("build m.onnx --board absent.toml -o out").fails(1, "");
    on("name = \"mine\"\n").fails(1, "");
    on(&format!("{board}price = 3\n")).fails(1, "");
    on(&board.replace("53200", "-1")).fails(1, "");
    on(&board.replace("= 100.0", "= 0.0")).fails(1, "");
    on(&board.replace("= 100.0", "= nan")).fails(1, "");
    on(&board.replace("xc7z020clg400-1", "x]; exec rm -rf /; [")).fails(1, "");
    on("name = ").fails(1, "");
    assert!(!folder.path("out").exists());
    on(board).succeeds();
}

#[test]
fn rates_and_budgets_out_of_reach() {
    let folder = small();
    folder.run("build m.onnx -o out --fps 200000000").fails(1, "");
    folder.run("build m.onnx -o out --fps 30 --clock 0.00001").fails(1, "");
    folder.run("build m.onnx -o out --budget 0.001").fails(1, "");
    folder.run("build m.onnx -o out --fps 100000000 --budget 0.01").fails(1, "");
    assert!(!folder.path("out").exists());
}
