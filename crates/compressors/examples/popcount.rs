//! Writes the popcount of a number of bits, with the models of its primitives, into a folder:
//! `cargo run -p compressors --example popcount -- 64 FOLDER`.

use std::path::Path;

use compressors::{Heap, Search, simulation_models};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, inputs, folder] = &arguments[..] else {
        return Err("usage: popcount INPUTS FOLDER".into());
    };
    let inputs: usize = inputs.parse()?;
    let heap = Heap::popcount(inputs);
    let netlist = heap.compress(&Search::default());
    netlist.check(&heap)?;
    let mut library = hdl::Library::new();
    netlist.module(&mut library, &format!("popcount_{inputs}"));
    let folder = Path::new(folder);
    for (name, text) in library.files() {
        std::fs::write(folder.join(name), text)?;
    }
    std::fs::create_dir_all(folder.join("models"))?;
    for (name, text) in simulation_models() {
        std::fs::write(folder.join("models").join(name), text)?;
    }
    Ok(())
}
