//! Foldings, boards, rates and budgets that are refused, each with its text.

use super::{built, small};
use tests::command::Folder;
use tests::models::Model;

#[test]
fn foldings() {
    let folder = built();
    let before = tests::command::files(&folder.path("out"));
    let on = |text: &str| {
        folder.write("f.toml", text);
        folder.run("build m.onnx --fold f.toml -o out")
    };
    on("[layers.fc0]\npe = 3\nsimd = 5\n\n[layers.fc1]\npe = 0\n").fails(
        1,
        "
        error[fold-not-divisor]: PE 3 does not divide the 8 elements of `fc0`
          node: fc0
          from: f.toml

        hint: use one of 1, 2, 4, 8

        error[fold-not-divisor]: SIMD 5 does not divide the 16 elements of `fc0`
          node: fc0
          from: f.toml

        hint: use one of 1, 2, 4, 8, 16

        error[fold-not-divisor]: PE 0 does not divide the 4 elements of `fc1`
          node: fc1
          from: f.toml

        hint: use one of 1, 2, 4
    ",
    );
    on("input_lanes = 3\n").fails(
        1,
        "
        error[fold-not-divisor]: input_lanes 3 does not divide the 16 elements of `input`
          node: input
          from: f.toml

        hint: use one of 1, 2, 4, 8, 16
    ",
    );
    on("[layers.fc0]\npe = 8\nspeed = 9\n").fails(1, "
        error[fold-invalid]: line 3: unknown field `speed`, expected one of `pe`, `simd`, `lanes`, `parallel_window`, `pixels`, `dot`, `weights`, `thresholds`, `lines`, `buffer`, `pad`
          from: f.toml

        hint: legal keys: input_lanes, [layers.NAME] with pe, simd, lanes, parallel_window, pixels, dot, weights, thresholds, lines, buffer, pad, and [fifos]
    ");
    on("[layers.fc0]\npe = \"all\"\n").fails(1, r#"
        error[fold-invalid]: line 2: invalid type: string "all", expected usize
          from: f.toml

        hint: legal keys: input_lanes, [layers.NAME] with pe, simd, lanes, parallel_window, pixels, dot, weights, thresholds, lines, buffer, pad, and [fifos]
    "#);
    on("[layers.fc0]\npe = -1\n").fails(1, "
        error[fold-invalid]: line 2: invalid value: integer `-1`, expected usize
          from: f.toml

        hint: legal keys: input_lanes, [layers.NAME] with pe, simd, lanes, parallel_window, pixels, dot, weights, thresholds, lines, buffer, pad, and [fifos]
    ");
    on("[layers.fc0]\nweights = \"paper\"\n").fails(1, "
        error[fold-invalid]: line 2: unknown variant `paper`, expected `block` or `lut`
          from: f.toml

        hint: legal keys: input_lanes, [layers.NAME] with pe, simd, lanes, parallel_window, pixels, dot, weights, thresholds, lines, buffer, pad, and [fifos]
    ");
    on("[layers.quantizer0]\ndot = \"add\"\n\n[layers.fc1]\ndot = \"add\"\n").fails(
        1,
        "
        error[fold-invalid]: `dot` has no meaning for layer `quantizer0`
          node: quantizer0
          from: f.toml

        hint: leave it out

        error[fold-invalid]: dot = \"add\" has no meaning for bipolar weights on the bipolar inputs of layer `fc1`
          node: fc1
          from: f.toml

        hint: leave it out, or use \"planes\"
    ",
    );
    on("[layers.fc7]\npe = 1\n\n[fifos]\nfc8 = 4\n").fails(
        1,
        "
        error[fold-invalid]: there is no layer `fc7`
          from: f.toml

        hint: the layers are quantizer0, fc0, fc1

        error[fold-invalid]: there is no layer `fc8`
          from: f.toml

        hint: the layers are quantizer0, fc0, fc1
    ",
    );
    on("[fifos]\nfc0 = 0\nfc1 = 100000\n").fails(
        1,
        "
        error[fold-invalid]: the FIFO in front of `fc0` cannot hold 0 words
          from: f.toml

        hint: use 1 to 65536

        error[fold-invalid]: the FIFO in front of `fc1` cannot hold 100000 words
          from: f.toml

        hint: use 1 to 65536
    ",
    );
    on("[layers.quantizer0]\npe = 1\n\n[layers.fc0]\nlanes = 2\n").fails(
        1,
        "
        error[fold-invalid]: `pe` has no meaning for layer `quantizer0`
          node: quantizer0
          from: f.toml

        hint: use lanes

        error[fold-invalid]: `lanes` has no meaning for layer `fc0`
          node: fc0
          from: f.toml

        hint: use pe and simd
    ",
    );
    on("[layers.fc0]\nbuffer = 2000000\n").fails(
        1,
        "
        error[fold-invalid]: the input buffer of `fc0` is too deep
          from: f.toml

        hint: use at most 1048576 words
    ",
    );
    on("[layers.fc0\n").fails(1, "
        error[fold-invalid]: line 1: unclosed table, expected `]`
          from: f.toml

        hint: legal keys: input_lanes, [layers.NAME] with pe, simd, lanes, parallel_window, pixels, dot, weights, thresholds, lines, buffer, pad, and [fifos]
    ");
    on("pe = 1\npe = 2\n").fails(1, "
        error[fold-invalid]: line 2: duplicate key
          from: f.toml

        hint: legal keys: input_lanes, [layers.NAME] with pe, simd, lanes, parallel_window, pixels, dot, weights, thresholds, lines, buffer, pad, and [fifos]
    ");
    folder.run("build m.onnx --fold absent.toml -o out").fails(
        1,
        "
        error[file-access]: No such file or directory (os error 2)
          from: absent.toml
    ",
    );
    folder.write("f.toml", [0xff, 0xfe]);
    folder.run("build m.onnx --fold f.toml -o out").fails(
        1,
        "
        error[file-access]: stream did not contain valid UTF-8
          from: f.toml
    ",
    );
    assert!(tests::command::files(&folder.path("out")) == before, "a refused build changed files");
}

#[test]
fn a_written_folding_gives_the_same_design_and_an_edited_one_another() {
    let folder = built();
    folder.run("build m.onnx --fold out/fold.toml -o again").succeeds();
    let rtl = |name: &str| tests::command::files(&folder.path(name).join("rtl"));
    assert!(rtl("out") == rtl("again"));
    assert_eq!(folder.read("out/fold.toml"), folder.read("again/fold.toml"));
    folder.write(
        "f.toml",
        "[layers.fc0]\npe = 8\nsimd = 16\n\n[layers.fc1]\npe = 3\nsimd = 3\npad = true\n",
    );
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
    folder.run("build m.onnx --board nexys -o out").fails(1, "
        error[board-invalid]: there is no board `nexys`

        hint: use one of alveo-u250, arty-a7-100t, arty-a7-35t, basys3, kv260, pynq-z1, pynq-z2, ultra96-v2, zc706, zcu104, or a .toml file
    ");
    folder.run("build m.onnx --board absent.toml -o out").fails(
        1,
        "
        error[board-invalid]: cannot read the board: No such file or directory (os error 2)
          from: absent.toml
    ",
    );
    on("name = \"mine\"\n").fails(
        1,
        "
        error[board-invalid]: missing field `description`
          from: b.toml
    ",
    );
    on(&format!("{board}price = 3\n")).fails(1, "
        error[board-invalid]: unknown field `price`, expected one of `name`, `description`, `part`, `family`, `luts`, `ffs`, `bram36`, `uram`, `dsps`, `clock_mhz`, `link`
          from: b.toml
    ");
    on(&board.replace("53200", "-1")).fails(
        1,
        "
        error[board-invalid]: invalid value: integer `-1`, expected u32
          from: b.toml
    ",
    );
    on(&board.replace("= 100.0", "= 0.0")).fails(
        1,
        "
        error[board-invalid]: clock_mhz must be from 1 to 2000, and luts at least 1
          from: b.toml
    ",
    );
    on(&board.replace("= 100.0", "= nan")).fails(
        1,
        "
        error[board-invalid]: clock_mhz must be from 1 to 2000, and luts at least 1
          from: b.toml
    ",
    );
    on(&board.replace("xc7z020clg400-1", "x]; exec rm -rf /; [")).fails(
        1,
        "
        error[board-invalid]: name, part and family are letters, digits and dashes
          from: b.toml
    ",
    );
    on("name = ").fails(
        1,
        "
        error[board-invalid]: string values must be quoted, expected literal string
          from: b.toml
    ",
    );
    assert!(!folder.path("out").exists());
    on(board).succeeds();
}

#[test]
fn windows_and_pixels_at_once() {
    let quantizer = "qonnx.custom_op.general:BipolarQuant";
    let weights = |count: usize| -> Vec<f32> {
        (0..count).map(|i| if i % 5 < 2 { 1.0 } else { -1.0 }).collect()
    };
    let model = Model::new(&[1, 2, 6, 6])
        .floats("one", &[], &[1.0])
        .floats("w", &[4, 2, 3, 3], &weights(72))
        .floats("end", &[64, 3], &weights(192))
        .node(quantizer, &["x", "one"], "signs")
        .node("Conv", &["signs", "w"], "conv")
        .node(quantizer, &["conv", "one"], "hidden")
        .node("Flatten", &["hidden"], "flat")
        .node("MatMul", &["flat", "end"], "y");
    let folder = Folder::new();
    folder.write("m.onnx", model.bytes());
    let on = |text: &str| {
        folder.write("f.toml", text);
        folder.run("build m.onnx --fold f.toml -o out")
    };
    on("[layers.conv0]\npe = 4\nsimd = 2\nparallel_window = true\n").fails(
        1,
        "
        error[fold-invalid]: SIMD of `conv0` does not make whole windows of 9 taps
          node: conv0
          from: f.toml

        hint: use one of 9, 18
    ",
    );
    on("[layers.conv0]\npe = 2\nsimd = 18\nparallel_window = true\npixels = 4\n").fails(
        1,
        "
        error[fold-invalid]: 4 pixels at once do not divide the rows of `conv0`
          node: conv0
          from: f.toml

        hint: use one of 1, 2

        error[fold-invalid]: several pixels at once need the whole matrix of `conv0` in parallel
          node: conv0
          from: f.toml

        hint: use pe = 4 and simd = 18
    ",
    );
    on("[layers.conv0]\npe = 4\nsimd = 2\npixels = 2\n\n[layers.fc0]\npixels = 2\n").fails(
        1,
        "
        error[fold-invalid]: `conv0` takes several pixels at once but no parallel windows
          node: conv0
          from: f.toml

        hint: add parallel_window = true

        error[fold-invalid]: several pixels at once need the whole matrix of `conv0` in parallel
          node: conv0
          from: f.toml

        hint: use pe = 4 and simd = 18

        error[fold-invalid]: `parallel_window` and `pixels` have no meaning for layer `fc0`
          node: fc0
          from: f.toml

        hint: they are for pools, and for convolutions without groups
    ",
    );
    assert!(!folder.path("out").exists());
    on("[layers.conv0]\npe = 4\nsimd = 18\nparallel_window = true\npixels = 2\n").succeeds();
}

#[test]
fn rates_and_budgets_out_of_reach() {
    let folder = small();
    folder.run("build m.onnx -o out --fps 200000000").fails(
        1,
        "
        error[fold-rate]: 200000000 frames a second is out of reach at 100 MHz

        hint: at most 100000000 frames a second are possible at this clock
    ",
    );
    folder.run("build m.onnx -o out --fps 30 --clock 0.00001").fails(
        1,
        "
        error[fold-rate]: 30 frames a second is out of reach at 0.00001 MHz

        hint: at most 10 frames a second are possible at this clock
    ",
    );
    folder.run("build m.onnx -o out --budget 0.001").fails(1, "
        error[fold-budget]: needed at least: 221 LUTs, 168 more than the 53; 224 flip-flops, 118 more than the 106; 0.5 BRAM36, 0.5 more than the 0 in the budget of pynq-z2

        hint: ask for fewer frames a second, a larger --budget (at most 1) or a larger board
    ");
    folder.run("build m.onnx -o out --fps 100000000 --budget 0.005").fails(1, "
        error[fold-budget]: needed at least: 443 LUTs, 177 more than the 266; 854 flip-flops, 322 more than the 532 in the budget of pynq-z2

        hint: ask for fewer frames a second, a larger --budget (at most 1) or a larger board
    ");
    assert!(!folder.path("out").exists());
}
