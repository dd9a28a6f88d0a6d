//! Many designs in one Verilator build.
//!
//! Every design is verilated on its own; the C++ of all of them becomes a few translation units and
//! one executable, whose first argument chooses the design. Verilator's own library and the harness
//! are compiled once for all. Building is what takes the time: so a design costs a fraction of a
//! second in place of many.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};

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

/// Units of one translation unit: the fewest that are worth the cost of the headers, and the most
/// that a compiler has memory for.
const UNITS_OF_A_FILE: (usize, usize) = (12, 40);

/// What the harness gets in place of a design's `streams.h`.
const ANY_DESIGN: &str = include_str!("bundle.h");

impl Bundle {
    /// Builds `units` in `work`, a folder of its own.
    ///
    /// # Errors
    /// What a tool said, when something other than a unit that is not strict fails.
    pub fn build(work: &Path, units: &[Unit]) -> Result<Self, String> {
        let library = library(&units.first().ok_or("there is nothing to build")?.folder)?;
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
            .chunks(built.len().div_ceil(JOBS).clamp(UNITS_OF_A_FILE.0, UNITS_OF_A_FILE.1))
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
    let bench = emit::bench::files(dataflow, 100.0);
    files.extend(bench.into_iter().map(|(name, text)| (format!("sim/{name}"), text)));
    let models = rtl.models.iter();
    files.extend(models.map(|(name, text)| (format!("sim/primitives/{name}"), text.clone())));
    for part in ["rtl", "sim/primitives"] {
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
    let mut command = verilator()?;
    command.current_dir(&unit.folder).args(["--cc", "-O3", "--x-assign", "unique"]);
    command.args(["--x-initial", "unique", "-Wall", "--output-split", "0"]);
    command.args(["--top-module", &unit.top, "-f", "files.f", "sim/observe.vlt"]);
    command.args(["-y", "sim/primitives"]);
    command.arg("--Mdir").arg(generated).arg("--prefix").arg(prefix(unit));
    if !unit.strict {
        command.arg("-Wno-fatal");
    }
    checked(&mut command)?;
    if unit.strict {
        let list = fs::read_to_string(unit.folder.join("files.f")).map_err(|e| e.to_string())?;
        let mut icarus = Command::new("iverilog");
        icarus.current_dir(&unit.folder).args(["-g2005", "-tnull", "-Wall", "-s", &unit.top]);
        icarus.args(["-y", "sim/primitives", "-Wno-timescale"]).args(list.lines());
        match checked(&mut icarus) {
            Ok(output) if output.stderr.is_empty() => {}
            Ok(output) => return Err(said(&output)),
            Err(text) => return Err(text),
        }
    }
    Ok(())
}

/// Generated C++ of some units, each with a function that makes its model.
fn translation_unit(units: &[&Unit], generated: &Path) -> Result<String, String> {
    let mut text = String::from(ANY_DESIGN);
    for unit in units {
        let (name, prefix) = (&unit.name, prefix(unit));
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
        sources.push(format!("{prefix}___024root.h"));
        for source in sources {
            text += &format!("#include \"{source}\"\n");
        }
        let path = unit.folder.join("sim/streams.h");
        let streams = fs::read_to_string(&path).map_err(|e| access(&path, &e))?;
        text += &format!("namespace unit_{name} {{\n#undef TOP\n#define TOP {prefix}\n");
        for line in streams.lines().filter(|line| !line.starts_with('#')) {
            text += &format!("{line}\n");
        }
        text += "void evaluate(void* model) { static_cast<TOP*>(model)->eval(); }\n\
            Pins make(VerilatedContext* context) {\n    TOP& top = *new TOP(context);\n    \
            return {&top, evaluate, top.aclk, top.aresetn, top.s_axis_tvalid, top.s_axis_tlast, \
            top.m_axis_tready, top.m_axis_tlast, top.m_axis_tuser, top.frame_error, ports(top)};\n\
            }\n}\n";
    }
    Ok(text)
}

fn dispatcher_text(units: &[&Unit]) -> String {
    let mut text = format!("#include <cstring>\n{ANY_DESIGN}int bench(int, char**);\n");
    for unit in units {
        text += &format!("namespace unit_{} {{ Pins make(VerilatedContext*); }}\n", unit.name);
    }
    text += "static Pins (*maker)(VerilatedContext*);\n\
        Pins chosen(VerilatedContext* context) { return maker(context); }\n\
        int main(int argc, char** argv) {\n    if (argc < 2) return 2;\n";
    for unit in units {
        let name = &unit.name;
        text += &format!("    if (!std::strcmp(argv[1], \"{name}\")) maker = unit_{name}::make;\n");
    }
    text + "    return maker ? bench(argc - 1, argv + 1) : 2;\n}\n"
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
    command.arg("-I").arg(generated).arg("-I").arg(harness_folder());
    command.arg("-o").arg(source.with_extension("o")).arg(source);
    checked(&mut command).map(|_| ())
}

/// Where `port.h` is.
fn harness_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sim/harness")
}

/// Verilator without the Perl script around it, which takes as long as a small design, where that
/// is to be found.
fn verilator() -> Result<Command, String> {
    static PROGRAM: OnceLock<Result<(&str, String), String>> = OnceLock::new();
    let find = || {
        let root = verilator_root()?;
        let bare = checked(Command::new("verilator_bin").arg("--version"));
        let wrapped = checked(Command::new("verilator").arg("--version"))?;
        let same = bare.is_ok_and(|bare| bare.stdout == wrapped.stdout);
        Ok((if same { "verilator_bin" } else { "verilator" }, root))
    };
    let (program, root) = PROGRAM.get_or_init(find).as_ref().map_err(String::clone)?;
    let mut command = Command::new(program);
    command.env("VERILATOR_ROOT", root);
    Ok(command)
}

fn verilator_root() -> Result<String, String> {
    let output = checked(Command::new("verilator").args(["--getenv", "VERILATOR_ROOT"]))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// Verilator's own library and the harness of `unit`, compiled once below `target`.
fn library(unit: &Path) -> Result<PathBuf, String> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut built = BUILT.lock().map_err(|e| e.to_string())?;
    if let Some(path) = &*built {
        return Ok(path.clone());
    }
    let root = verilator_root()?;
    let mut sources = vec![verify::verilator_version().map_err(|e| e.to_string())?];
    let files = ["harness.cpp", "npy.h", "port.h"];
    for name in files {
        let path = unit.join("sim").join(name);
        sources.push(fs::read_to_string(&path).map_err(|e| access(&path, &e))?);
    }
    let key = emit::sha256([sources.concat(), ANY_DESIGN.into()].concat().as_bytes());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/verilator-library");
    let folder = folder.join(&key[..16]);
    let path = folder.join("library.o");
    if !path.is_file() {
        let own = folder.join(std::process::id().to_string());
        fs::create_dir_all(&own).map_err(|e| access(&own, &e))?;
        for (name, text) in
            files.iter().zip(&sources[1..]).chain([(&"streams.h", &ANY_DESIGN.into())])
        {
            fs::write(own.join(name), text).map_err(|e| access(&own, &e))?;
        }
        let mut join = Command::new("ld");
        join.arg("-r").arg("-o").arg(own.join("library.o"));
        let include = Path::new(&root).join("include");
        let verilated =
            ["verilated", "verilated_threads"].map(|n| include.join(format!("{n}.cpp")));
        for source in verilated.into_iter().chain([own.join("harness.cpp")]) {
            let object = own.join(source.with_extension("o").file_name().unwrap_or_default());
            let mut command = compiler(&root);
            // The bundle has a `main` of its own, which calls that of the harness.
            command.args(["-O1", "-Dmain=bench"]).arg("-I").arg(&own);
            checked(command.arg("-o").arg(&object).arg(source))?;
            join.arg(object);
        }
        checked(&mut join)?;
        fs::rename(own.join("library.o"), &path).map_err(|e| access(&path, &e))?;
        fs::remove_dir_all(&own).map_err(|e| access(&own, &e))?;
    }
    *built = Some(path.clone());
    Ok(path)
}

/// The results of `work` on all items, in their order, by a few threads.
pub(super) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
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
