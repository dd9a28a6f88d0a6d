//! Many designs in one Verilator build.
//!
//! Every design is verilated on its own; the C++ of all of them, each with its own copy of the
//! harness in a namespace, becomes a few translation units and one executable, whose first argument
//! chooses the design. Verilator's own library is compiled once for all. Building is what takes the
//! time: so a design costs a fraction of a second in place of many.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

/// A design to build.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Unique identifier in the bundle.
    pub name: String,
    /// Folder with `rtl/`, `sim/` and `files.f`, as in an output folder.
    pub folder: PathBuf,
    /// Name of the top module.
    pub top: String,
    /// Warnings of Verilator (`-Wall`) and errors of Icarus Verilog fail the unit.
    pub strict: bool,
}

/// An executable that holds many designs.
#[derive(Debug)]
pub struct Bundle {
    executable: PathBuf,
    /// Units that could not be verilated, with what the tool said.
    pub refused: BTreeMap<String, String>,
}

/// Processes that a build runs at once.
const JOBS: usize = 2;

/// Units of one translation unit: many share the cost of the headers, few use both cores.
const UNITS_OF_A_FILE: usize = 16;

const HEADERS: &str = "#include <chrono>\n#include <cstdint>\n#include <cstdio>\n#include <cstring>\n\
    #include <fstream>\n#include <iostream>\n#include <memory>\n#include <stdexcept>\n\
    #include <string>\n#include <vector>\n#include \"verilated.h\"\n";

impl Bundle {
    /// Builds `units` in `work`, a folder of its own.
    ///
    /// # Errors
    /// What a tool said, when something other than a unit that is not strict fails.
    pub fn build(work: &Path, units: &[Unit]) -> Result<Self, String> {
        let library = library()?;
        let generated = work.join("cpp");
        fs::create_dir_all(&generated).map_err(|e| access(&generated, &e))?;
        let results = in_parallel(units, |unit| verilate(unit, &generated));
        let mut refused = BTreeMap::new();
        let mut built = Vec::new();
        for (unit, result) in units.iter().zip(results) {
            match result {
                Ok(()) => built.push(unit),
                Err(text) if unit.strict => return Err(format!("{}: {text}", unit.name)),
                Err(text) => {
                    refused.insert(unit.name.clone(), text);
                }
            }
        }
        let files: Vec<(PathBuf, &[&Unit])> = built
            .chunks(UNITS_OF_A_FILE)
            .enumerate()
            .map(|(i, units)| (generated.join(format!("part_{i}.cpp")), units))
            .collect();
        for (path, units) in &files {
            let text = translation_unit(units, &generated)?;
            fs::write(path, text).map_err(|e| access(path, &e))?;
        }
        let dispatcher = generated.join("dispatcher.cpp");
        fs::write(&dispatcher, dispatcher_text(&built)).map_err(|e| access(&dispatcher, &e))?;
        let mut sources: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
        sources.push(dispatcher);
        for result in in_parallel(&sources, |source| compile(source, &generated)) {
            result?;
        }
        let executable = work.join("bundle");
        let mut link = Command::new("g++");
        link.arg("-o").arg(&executable);
        link.args(sources.iter().map(|s| s.with_extension("o")));
        link.arg(library).args(["-lpthread", "-latomic"]);
        checked(&mut link)?;
        let _ = fs::remove_dir_all(&generated);
        Ok(Self { executable, refused })
    }

    /// Runs a unit in the folder of its memory files.
    ///
    /// # Errors
    /// When it prints no result.
    pub fn run(
        &self,
        unit: &Unit,
        rtl: &Path,
        input: &Path,
        record: &Path,
        more: &[&str],
    ) -> Result<verify::Run, String> {
        let mut command = Command::new(&self.executable);
        command.current_dir(rtl).arg(&unit.name).arg("--input").arg(input);
        command.arg("--record").arg(record).args(more);
        let output = command.output().map_err(|e| access(&self.executable, &e))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rev().find(|l| l.starts_with('{'));
        let run: Option<verify::Run> = line.and_then(|l| serde_json::from_str(l).ok());
        let mut run = run.ok_or_else(|| said(&output))?;
        run.messages = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(run)
    }
}

/// Writes what a [`Unit`] needs of a design.
///
/// # Errors
/// When the disk refuses.
pub fn build_folder(
    folder: &Path,
    dataflow: &dataflow::Dataflow,
    rtl: &rtl::Rtl,
) -> Result<(), String> {
    let list: String = rtl.verilog.keys().map(|name| format!("rtl/{name}\n")).collect();
    let mut files = vec![("files.f".to_string(), list)];
    let parts = rtl.verilog.iter().chain(&rtl.memories);
    files.extend(parts.map(|(name, text)| (format!("rtl/{name}"), text.clone())));
    let bench = emit::bench::files(dataflow);
    files.extend(bench.into_iter().map(|(name, text)| (format!("sim/{name}"), text)));
    for part in ["rtl", "sim"] {
        fs::create_dir_all(folder.join(part)).map_err(|e| access(folder, &e))?;
    }
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| access(&path, &e))?;
    }
    Ok(())
}

fn prefix(unit: &Unit) -> String {
    format!("V{}", unit.name)
}

fn verilate(unit: &Unit, generated: &Path) -> Result<(), String> {
    let mut command = Command::new("verilator");
    command.current_dir(&unit.folder).args(["--cc", "-O3", "--x-assign", "unique"]);
    command.args(["--x-initial", "unique", "-Wall", "--output-split", "0"]);
    command.args(["--top-module", &unit.top, "-f", "files.f", "sim/observe.vlt"]);
    command.arg("--Mdir").arg(generated).arg("--prefix").arg(prefix(unit));
    if !unit.strict {
        command.arg("-Wno-fatal");
    }
    checked(&mut command)?;
    if unit.strict {
        let list = fs::read_to_string(unit.folder.join("files.f")).map_err(|e| e.to_string())?;
        let mut icarus = Command::new("iverilog");
        icarus.current_dir(&unit.folder).args(["-g2005", "-tnull", "-Wall", "-s", &unit.top]);
        icarus.args(list.lines());
        match checked(&mut icarus) {
            Ok(output) if output.stderr.is_empty() => {}
            Ok(output) => return Err(said(&output)),
            Err(text) => return Err(text),
        }
    }
    Ok(())
}

/// Generated C++ and harness of some units.
fn translation_unit(units: &[&Unit], generated: &Path) -> Result<String, String> {
    let mut text = String::from(HEADERS);
    for unit in units {
        let prefix = prefix(unit);
        let mut sources: Vec<String> = fs::read_dir(generated)
            .map_err(|e| access(generated, &e))?
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| {
                *name == format!("{prefix}.cpp") || name.starts_with(&format!("{prefix}__"))
            })
            .filter(|name| name.ends_with(".cpp"))
            .collect();
        sources.sort();
        for name in sources {
            writeln!(text, "#include \"{name}\"").map_err(|e| e.to_string())?;
        }
        let read = |name: &str| {
            let path = unit.folder.join("sim").join(name);
            fs::read_to_string(&path).map_err(|e| access(&path, &e))
        };
        writeln!(text, "#include \"{prefix}___024root.h\"").map_err(|e| e.to_string())?;
        writeln!(text, "namespace unit_{} {{", unit.name).map_err(|e| e.to_string())?;
        for macro_name in [
            "TOP",
            "INPUT_BYTES",
            "WORDS_PER_FRAME",
            "OUTPUT_WORDS_PER_FRAME",
            "STREAM_FRAME_WORDS",
            "STREAM_LIST",
        ] {
            writeln!(text, "#undef {macro_name}").map_err(|e| e.to_string())?;
        }
        let parts = [read("npy.h")?, read("streams.h")?, read("harness.cpp")?];
        let own = |line: &&str| !line.starts_with("#include") && !line.starts_with("#pragma once");
        for line in parts.iter().flat_map(|part| part.lines()).filter(own) {
            let line = if line.starts_with("#define TOP ") {
                format!("#define TOP {prefix}")
            } else {
                line.into()
            };
            text.push_str(&line);
            text.push('\n');
        }
        text.push_str("}\n");
    }
    Ok(text)
}

fn dispatcher_text(units: &[&Unit]) -> String {
    let mut text = String::from("#include <cstring>\n");
    for unit in units {
        text += &format!("namespace unit_{} {{ int main(int, char**); }}\n", unit.name);
    }
    text += "int main(int argc, char** argv) {\n    if (argc < 2) return 2;\n";
    for unit in units {
        let name = &unit.name;
        text += &format!(
            "    if (!std::strcmp(argv[1], \"{name}\")) return unit_{name}::main(argc - 1, argv + 1);\n"
        );
    }
    text + "    return 2;\n}\n"
}

/// Optimisation of the models: they run for a few thousand cycles only.
const OPTIMISATION: &str = "-O0";

fn compiler(root: &str) -> Command {
    let mut command = Command::new("g++");
    command.args(["-std=c++17", OPTIMISATION, "-w", "-DVL_THREADED=1", "-c"]);
    command.arg(format!("-I{root}/include")).arg(format!("-I{root}/include/vltstd"));
    command
}

fn compile(source: &Path, generated: &Path) -> Result<(), String> {
    let mut command = compiler(&verilator_root()?);
    command.arg("-I").arg(generated).arg("-o").arg(source.with_extension("o")).arg(source);
    checked(&mut command).map(|_| ())
}

fn verilator_root() -> Result<String, String> {
    let output = checked(Command::new("verilator").args(["--getenv", "VERILATOR_ROOT"]))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// Verilator's own library, compiled once in the folder of temporary files.
fn library() -> Result<PathBuf, String> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut built = BUILT.lock().map_err(|e| e.to_string())?;
    if let Some(path) = &*built {
        return Ok(path.clone());
    }
    let root = verilator_root()?;
    let version = verify::verilator_version().map_err(|e| e.to_string())?;
    let key: String = version.chars().filter(char::is_ascii_alphanumeric).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/verilator-library");
    let folder = folder.join(key);
    let path = folder.join("library.o");
    if !path.is_file() {
        fs::create_dir_all(&folder).map_err(|e| access(&folder, &e))?;
        let own = |name: &str| folder.join(format!("{name}-{}.o", std::process::id()));
        for name in ["verilated", "verilated_threads"] {
            let source = format!("{root}/include/{name}.cpp");
            checked(compiler(&root).arg("-O1").arg("-o").arg(own(name)).arg(source))?;
        }
        let mut join = Command::new("ld");
        join.arg("-r").arg("-o").arg(own("library"));
        checked(join.arg(own("verilated")).arg(own("verilated_threads")))?;
        fs::rename(own("library"), &path).map_err(|e| access(&path, &e))?;
    }
    *built = Some(path.clone());
    Ok(path)
}

/// The results of `work` on all items, in their order, by a few threads.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let result = work(item);
                    *results[index].lock().expect("no thread panics with the lock") = Some(result);
                }
            });
        }
    });
    let take = |r: Mutex<Option<R>>| r.into_inner().expect("no thread panics with the lock");
    results.into_iter().map(|r| take(r).expect("every item was worked on")).collect()
}

fn checked(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|e| format!("cannot start {command:?}: {e}"))?;
    if output.status.success() {
        Ok(output)
    } else {
        Err(format!("{command:?}: {}", said(&output)))
    }
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let end: Vec<&str> = text.lines().take(20).collect();
    format!("{}\n{}", output.status, end.join("\n"))
}

fn access(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}
