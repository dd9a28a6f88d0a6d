//! Arrays that are refused, each with its text.

use super::{built, small};
use tests::models::npy;

#[test]
fn input_arrays() {
    let folder = built();
    let good = folder.read("x.npy");
    folder.write("cut.npy", &good[..good.len() - 5]).write("head.npy", &good[..40]);
    folder.write("text.npy", "no array\n").write("long.npy", [good.as_slice(), b"more"].concat());
    folder.write("wide.npy", npy(&[2, 5, 4, 1], vec![0u8; 40]));
    folder.write("image.npy", npy(&[4, 4], vec![0u8; 16]));
    folder.write("none.npy", npy(&[0, 4, 4, 1], Vec::<u8>::new()));
    folder.write("scalar.npy", npy(&[], vec![7u8]));
    folder.write("double.npy", npy(&[1, 1, 4, 4], vec![0f64; 16]));
    folder.write("int64.npy", npy(&[1, 1, 4, 4], vec![0i64; 16]));
    folder.write("bool.npy", npy(&[1, 1, 4, 4], vec![true; 16]));
    folder.write("half.npy", npy(&[1, 1, 4, 4], vec![0.5f32; 16]));
    folder.write("nan.npy", npy(&[1, 1, 4, 4], vec![f32::NAN; 16]));
    folder.write("minus.npy", npy(&[1, 1, 4, 4], vec![-1i8; 16]));

    for command in ["infer m.onnx", "sim out", "verify out"] {
        let on = |name: &str| folder.run(&format!("{command} --input {name}"));
        on("absent.npy").fails(
            1,
            "
            error[file-access]: cannot access the file: No such file or directory (os error 2)
              from: absent.npy
        ",
        );
        on("cut.npy").fails(
            1,
            "
            error[file-format]: not a .npy array: reached EOF before reading all data
              from: cut.npy

            hint: write it with `numpy.save`
        ",
        );
        on("head.npy").fails(
            1,
            "
            error[file-format]: not a .npy array: I/O error: failed to fill whole buffer
              from: head.npy

            hint: write it with `numpy.save`
        ",
        );
        on("text.npy").fails(1, "
            error[file-format]: not a .npy array: error parsing header: start does not match magic string
              from: text.npy

            hint: write it with `numpy.save`
        ");
        on("long.npy").fails(
            1,
            "
            error[file-format]: not a .npy array: file had 4 extra bytes before EOF
              from: long.npy

            hint: write it with `numpy.save`
        ",
        );
        on("wide.npy").fails(1, "
            error[input-shape]: the input array has shape [2, 5, 4, 1], but uint8 arrays must have [N, 4, 4, 1]
              node: x
              from: wide.npy

            hint: see `xnorflow inspect` for the rule in force
        ");
        on("image.npy").fails(1, "
            error[input-shape]: the input array has shape [4, 4], but uint8 arrays must have [N, 4, 4, 1]
              node: x
              from: image.npy

            hint: see `xnorflow inspect` for the rule in force
        ");
        on("none.npy").fails(1, "
            error[input-shape]: the input array has shape [0, 4, 4, 1], but uint8 arrays must have [N, 4, 4, 1]
              node: x
              from: none.npy

            hint: see `xnorflow inspect` for the rule in force
        ");
        on("scalar.npy").fails(1, "
            error[input-shape]: the input array has shape [], but uint8 arrays must have [N, 4, 4, 1]
              node: x
              from: scalar.npy

            hint: see `xnorflow inspect` for the rule in force
        ");
        on("double.npy").fails(
            1,
            "
            error[input-type]: the input is an array of float64
              from: double.npy

            hint: use uint8 pixels, or int8 or float32 values in the model's layout
        ",
        );
        on("int64.npy").fails(
            1,
            "
            error[input-type]: the input is an array of int64
              from: int64.npy

            hint: use uint8 pixels, or int8 or float32 values in the model's layout
        ",
        );
        on("bool.npy").fails(1, "
            error[file-format]: the array has an element type that is not supported
              from: bool.npy

            hint: convert it with `.astype(...)` to uint8, int8, int16, int32, int64, float32 or float64
        ");
        on("half.npy").fails(1, "
            error[input-value]: the input value 0.5 is not one that the network takes
              node: x
              from: half.npy

            hint: it takes uint<8> pixels, value = float32(p) / 255, model layout [1, 4, 4]; see `--input-scale` and `--input-type`
        ");
        on("nan.npy").fails(1, "
            error[input-value]: the input value NaN is not one that the network takes
              node: x
              from: nan.npy

            hint: it takes uint<8> pixels, value = float32(p) / 255, model layout [1, 4, 4]; see `--input-scale` and `--input-type`
        ");
        if command.starts_with("infer") {
            // The model does not say what goes in, and nothing is built yet: integers it is.
            on("minus.npy").succeeds();
            continue;
        }
        on("minus.npy").fails(1, "
            error[input-value]: the input value -1 is not one that the network takes
              node: x
              from: minus.npy

            hint: it takes uint<8> pixels, value = float32(p) / 255, model layout [1, 4, 4]; see `--input-scale` and `--input-type`
        ");
    }
    folder.run("build m.onnx -o out2 --input wide.npy").fails(1, "
        error[input-shape]: the input array has shape [2, 5, 4, 1], but uint8 arrays must have [N, 4, 4, 1]
          node: x
          from: wide.npy

        hint: see `xnorflow inspect` for the rule in force
    ");
    assert!(!folder.path("out2").exists());
}

#[test]
fn flat_pixels_and_values_in_the_models_layout_are_the_same_frames() {
    let folder = small();
    let pixels = folder.read("x.npy")[128..].to_vec();
    folder.write("flat.npy", npy(&[20, 16], pixels.clone()));
    folder.write("map.npy", npy(&[20, 4, 4], pixels.clone()));
    let floats: Vec<f32> = pixels.iter().map(|&p| f32::from(p) / 255.0).collect();
    folder.write("floats.npy", npy(&[20, 1, 4, 4], floats));
    for name in ["x", "flat", "map", "floats"] {
        folder
            .run(&format!("infer m.onnx --input {name}.npy --raw --output {name}.raw"))
            .succeeds();
        assert!(folder.read("x.raw") == folder.read(&format!("{name}.raw")), "{name}");
    }
}

#[test]
fn labels() {
    let folder = built();
    folder.write("short.npy", npy(&[19], vec![0u8; 19]));
    folder.write("long.npy", npy(&[21], vec![0i64; 21]));
    folder.write("square.npy", npy(&[4, 5], vec![0u8; 20]));
    folder.write("float.npy", npy(&[20], vec![0f32; 20]));
    folder.write("column.npy", npy(&[20, 1], vec![0i16; 20]));
    for command in ["infer m.onnx", "sim out", "verify out"] {
        let on = |name: &str| folder.run(&format!("{command} --input x.npy --labels {name}.npy"));
        on("short").fails(
            1,
            "
            error[input-shape]: labels of shape [19] for 20 frames
              from: short.npy

            hint: one label a frame
        ",
        );
        on("long").fails(
            1,
            "
            error[input-shape]: labels of shape [21] for 20 frames
              from: long.npy

            hint: one label a frame
        ",
        );
        on("square").fails(
            1,
            "
            error[input-shape]: labels of shape [4, 5] for 20 frames
              from: square.npy

            hint: one label a frame
        ",
        );
        on("float").fails(
            1,
            "
            error[input-type]: the labels are an array of float32
              from: float.npy

            hint: use integers
        ",
        );
        on("absent").fails(
            1,
            "
            error[file-access]: cannot access the file: No such file or directory (os error 2)
              from: absent.npy
        ",
        );
    }
    folder.run("infer m.onnx --input x.npy --labels column.npy").succeeds();
    folder.run("sim out --input x.npy --labels long.npy --frames 20").succeeds();
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = small();
    folder.run("infer m.onnx --input x.npy --output no/such/folder.npy").fails(
        1,
        "
        error[file-access]: cannot access the file: No such file or directory (os error 2)
          from: no/such/folder.npy
    ",
    );
    folder.run("infer m.onnx --input x.npy --output .").fails(
        1,
        "
        error[file-access]: cannot access the file: Is a directory (os error 21)
          from: .
    ",
    );
}
