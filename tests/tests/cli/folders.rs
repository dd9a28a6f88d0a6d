//! Output folders: what is never touched, what is not a design, and that bytes repeat.

use super::{built, small};
use std::fs;
use tests::command::{Folder, files, is_whole};

#[test]
fn what_something_else_wrote_is_never_touched() {
    let folder = small();
    folder.write("thesis/thesis.tex", "x").write("thesis/deep/figure.svg", "y");
    folder.write("file", "z");
    fs::create_dir(folder.path("empty")).unwrap();
    let before = files(&folder.path("."));
    folder.run("build m.onnx -o thesis").fails(
        1,
        "
        error[output-folder]: the output folder holds something that xnorflow did not write
          from: thesis

        hint: choose another folder with -o, or remove this one yourself
    ",
    );
    folder.run("build m.onnx -o file").fails(
        1,
        "
        error[output-folder]: the output folder exists and is not a folder
          from: file

        hint: choose another folder with -o, or remove this one yourself
    ",
    );
    folder.run("build m.onnx -o file/below").fails(
        1,
        "
        error[file-access]: cannot write: File exists (os error 17)
          from: [DIR]/file
    ",
    );
    folder.run("build m.onnx -o .").fails(
        1,
        "
        error[output-folder]: the output folder holds something that xnorflow did not write
          from: .

        hint: choose another folder with -o, or remove this one yourself
    ",
    );
    assert!(files(&folder.path(".")) == before);
    folder.run("build m.onnx -o empty").succeeds();
    assert!(is_whole(&folder.path("empty")));
    folder.run("build m.onnx -o new/deep/out").succeeds();
    assert!(is_whole(&folder.path("new/deep/out")));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let folder = built();
    std::os::unix::fs::symlink("out", folder.path("link")).unwrap();
    folder.run("build m.onnx -o link").fails(
        1,
        "
        error[output-folder]: the output folder exists and is not a folder
          from: link

        hint: choose another folder with -o, or remove this one yourself
    ",
    );
}

#[test]
fn designs_that_are_none_or_were_changed() {
    let folder = built();
    for command in ["sim", "verify"] {
        let on = |name: &str| folder.run(&format!("{command} {name}"));
        on("absent").fails(1, "
            error[design-folder]: not an output folder of xnorflow: No such file or directory (os error 2)
              from: absent

            hint: make one with `xnorflow build MODEL -o DIR`
        ");
        on(".").fails(1, "
            error[design-folder]: not an output folder of xnorflow: No such file or directory (os error 2)
              from: .

            hint: make one with `xnorflow build MODEL -o DIR`
        ");
        on("m.onnx").fails(
            1,
            "
            error[design-folder]: not an output folder of xnorflow: Not a directory (os error 20)
              from: m.onnx

            hint: make one with `xnorflow build MODEL -o DIR`
        ",
        );
    }
    let change = |name: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
        let place = format!("out/{name}");
        let kept = folder.read(&place);
        folder.write(&place, change(kept.clone()));
        let outcome = folder.run("sim out");
        folder.write(&place, kept);
        outcome
    };
    let flip = |mut bytes: Vec<u8>| {
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    change("network/fc0.weights.npy", &flip).fails(
        1,
        "
        error[design-folder]: the file was changed after xnorflow wrote it
          from: out/network/fc0.weights.npy

        hint: run `xnorflow build` again
    ",
    );
    change("network/streamlined.toml", &flip).fails(
        1,
        "
        error[design-folder]: the file was changed after xnorflow wrote it
          from: out/network/streamlined.toml

        hint: run `xnorflow build` again
    ",
    );
    change("network/dataflow.toml", &flip).fails(
        1,
        "
        error[design-folder]: the file was changed after xnorflow wrote it
          from: out/network/dataflow.toml

        hint: run `xnorflow build` again
    ",
    );
    change("network/facts.json", &flip).fails(
        1,
        "
        error[design-folder]: the file was changed after xnorflow wrote it
          from: out/network/facts.json

        hint: run `xnorflow build` again
    ",
    );
    change("fold.toml", &flip).fails(
        1,
        "
        error[design-folder]: the file was changed after xnorflow wrote it
          from: out/fold.toml

        hint: run `xnorflow build` again
    ",
    );
    change("manifest.json", &|_| b"{}".to_vec()).fails(
        1,
        "
        error[design-folder]: the manifest is malformed: missing field `xnorflow` at line 1 column 2
          from: out/manifest.json
    ",
    );
    change("manifest.json", &|bytes| bytes[..100].to_vec()).fails(1, "
        error[design-folder]: the manifest is malformed: EOF while parsing a string at line 5 column 37
          from: out/manifest.json
    ");
    let unlisted = |bytes: Vec<u8>| {
        String::from_utf8(bytes).unwrap().replace("network/fc0.", "network/fc9.").into_bytes()
    };
    change("manifest.json", &unlisted).fails(
        1,
        "
        error[design-folder]: the manifest does not list it
          from: out/network/fc0.weights.npy

        hint: run `xnorflow build` again
    ",
    );
    folder.run("sim out").succeeds();
    fs::remove_file(folder.path("out/network/fc1.weights.npy")).unwrap();
    folder.run("sim out").fails(
        1,
        "
        error[design-folder]: cannot read the file: No such file or directory (os error 2)
          from: out/network/fc1.weights.npy

        hint: run `xnorflow build` again
    ",
    );
}

#[test]
fn the_same_build_gives_the_same_bytes_from_anywhere() {
    let folder = built();
    let first = files(&folder.path("out"));
    folder.run("build m.onnx -o out --fps 1000000").succeeds();
    assert!(files(&folder.path("out")) == first);
    let elsewhere = Folder::new();
    let (model, out) = (folder.path("m.onnx"), folder.path("other name"));
    elsewhere.run_with("build --fps 1000000 -o", &[&out, &model]).succeeds();
    assert!(files(&out) == first);
    let place = folder.path("").display().to_string();
    for (name, bytes) in &first {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(place.trim_end_matches('/')), "{name} holds a path");
    }
    folder.run("build m.onnx -o seeded --fps 1000000 --seed 2").succeeds();
    let differ: Vec<&String> = files(&folder.path("seeded"))
        .iter()
        .zip(&first)
        .filter(|(a, b)| a.1 != b.1)
        .map(|(_, (name, _))| name)
        .filter(|name| !name.starts_with("golden/"))
        .collect::<Vec<_>>();
    assert_eq!(differ, ["manifest.json"]);
}

#[test]
fn every_listed_file_is_there() {
    let folder = built();
    assert!(is_whole(&folder.path("out")));
    for name in ["report.html", "report.json", "files.f", "sim/Makefile", "vivado/package_ip.tcl"] {
        assert!(folder.path("out").join(name).is_file(), "{name}");
    }
    for line in String::from_utf8(folder.read("out/files.f")).unwrap().lines() {
        assert!(folder.path("out").join(line).is_file(), "{line}");
    }
}
