//! The command line from outside: exit status, stdout, stderr and files of every command.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "test helpers")]

mod bad_arrays;
mod bad_foldings;
mod bad_maps;
mod bad_models;
mod convolutional;
mod damaged;
mod example;
mod explore;
mod folders;
mod killed;
mod maps;
mod memory;
mod names;
mod published;
mod simulation;
mod trace;
mod usage;

use tests::command::Folder;
use tests::models::{small_images, small_network};

/// A folder with the small network as `m.onnx` and 20 images for it as `x.npy`.
fn small() -> Folder {
    let folder = Folder::new();
    folder.write("m.onnx", small_network().bytes()).write("x.npy", small_images(20));
    folder
}

/// [`small`] with the network built as `out`.
fn built() -> Folder {
    let folder = small();
    folder.run("build m.onnx -o out --fps 1000000").succeeds();
    folder
}
