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
        on("absent.npy").fails(1, "");
        on("cut.npy").fails(1, "");
        on("head.npy").fails(1, "");
        on("text.npy").fails(1, "");
        on("long.npy").fails(1, "");
        on("wide.npy").fails(1, "");
        on("image.npy").fails(1, "");
        on("none.npy").fails(1, "");
        on("scalar.npy").fails(1, "");
        on("double.npy").fails(1, "");
        on("int64.npy").fails(1, "");
        on("bool.npy").fails(1, "");
        on("half.npy").fails(1, "");
        on("nan.npy").fails(1, "");
        on("minus.npy").fails(1, "");
    }
    folder.run("build m.onnx -o out2 --input wide.npy").fails(1, "");
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
        folder.run(&format!("infer m.onnx --input {name}.npy --raw --output {name}.raw")).succeeds();
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
        on("short").fails(1, "");
        on("long").fails(1, "");
        on("square").fails(1, "");
        on("float").fails(1, "");
        on("absent").fails(1, "");
    }
    folder.run("infer m.onnx --input x.npy --labels column.npy").succeeds();
    folder.run("sim out --input x.npy --labels long.npy --frames 20").succeeds();
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = small();
    folder.run("infer m.onnx --input x.npy --output no/such/folder.npy").fails(1, "");
    folder.run("infer m.onnx --input x.npy --output .").fails(1, "");
}
