//! The program under test, run in temporary folders.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;
use tempfile::TempDir;

/// The root of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A file or folder of the shipped example.
pub fn example(name: &str) -> PathBuf {
    root().join("examples/fashion-mlp").join(name)
}

/// A folder of the networks of others beside the workspace; says so when it is not there.
pub fn data(name: &str) -> Option<PathBuf> {
    let path = root().join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: {} is not there", path.display());
    None
}

/// The program: `XNORFLOW_BIN`, else built once, as the tests are.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| match std::env::var_os("XNORFLOW_BIN") {
        Some(program) => std::path::absolute(program).unwrap(),
        None => built(),
    })
}

fn built() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let profile = if cfg!(debug_assertions) { "test" } else { "release" };
    let mut build = Command::new(cargo);
    build.args(["build", "-p", "xnorflow", "--bin", "xnorflow", "--message-format=json"]);
    build.args(["--profile", profile]);
    let output = build.current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).unwrap();
    let mut executable = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    });
    executable.next_back().unwrap()
}

/// What a run ended as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit status; -1 when a signal ended it.
    pub status: i32,
    /// All of stdout.
    pub stdout: String,
    /// All of stderr.
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// Asserts status 0 and nothing on stderr.
    #[track_caller]
    pub fn succeeds(self) -> Self {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "stdout: {}", self.stdout);
        self
    }

    /// Asserts success and the whole of stdout.
    #[track_caller]
    pub fn says(self, stdout: &str) -> Self {
        let done = self.succeeds();
        assert_eq!(done.stdout.trim_end(), stdout.trim_end());
        done
    }

    /// Asserts an exit status, nothing on stdout, and the whole of stderr; the indentation that
    /// all lines of the expected text share does not count.
    #[track_caller]
    pub fn fails(self, status: i32, stderr: &str) -> Self {
        assert_eq!(self.stderr.trim_end(), dedent(stderr));
        assert_eq!((self.status, self.stdout.as_str()), (status, ""));
        self
    }

    /// Asserts an exit status and nothing on stdout.
    #[track_caller]
    pub fn status_is(self, status: i32) -> Self {
        assert_eq!((self.status, self.stdout.as_str()), (status, ""), "{}", self.stderr);
        self
    }

    /// Asserts success and one JSON object on stdout, nothing else.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        let done = self.succeeds();
        let value: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
        assert!(value.is_object(), "{value}");
        value
    }
}

/// A text without the indentation that all its lines share, and without blank lines around it.
fn dedent(text: &str) -> String {
    let lines = || text.lines().filter(|l| !l.trim().is_empty());
    let shared = lines().map(|l| l.len() - l.trim_start().len()).min().unwrap_or(0);
    let lines: Vec<&str> = text.lines().map(|l| l.get(shared..).unwrap_or_default()).collect();
    lines.join("\n").trim_matches('\n').trim_end().to_string()
}

/// The keys of a JSON object, in its order.
pub fn keys(value: &serde_json::Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A temporary folder in which the program runs, so that messages hold relative paths.
#[derive(Debug)]
pub struct Folder(TempDir);

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::Builder::new().prefix("xnorflow-test-").tempdir().unwrap())
    }

    /// A place in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, with the folders that it needs.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Copies a file of the shipped example here.
    pub fn take_example(&self, name: &str) -> &Self {
        self.write(name, fs::read(example(name)).unwrap())
    }

    /// A command of the program in this folder; arguments are split at spaces.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.0.path()).args(arguments.split_whitespace());
        command
    }

    /// Runs the program; arguments are split at spaces.
    pub fn run(&self, arguments: &str) -> Outcome {
        self.outcome(&mut self.command(arguments))
    }

    /// Runs a command; the path of this folder becomes `[DIR]` in what it says.
    pub fn outcome(&self, command: &mut Command) -> Outcome {
        let mut outcome = Outcome::from(command.output().unwrap());
        let place = self.0.path().display().to_string();
        for text in [&mut outcome.stdout, &mut outcome.stderr] {
            *text = text.replace(&place, "[DIR]");
        }
        outcome
    }

    /// Runs the program with further arguments that may hold spaces.
    pub fn run_with(&self, arguments: &str, more: &[&dyn AsRef<OsStr>]) -> Outcome {
        self.outcome(self.command(arguments).args(more.iter().map(AsRef::as_ref)))
    }
}

/// Every file below a folder with its bytes, by relative path in order.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// Whether a folder is a whole output folder: every file is as its manifest lists it.
pub fn is_whole(folder: &Path) -> bool {
    let Ok(text) = fs::read(folder.join("manifest.json")) else { return false };
    let Ok(manifest) = serde_json::from_slice::<serde_json::Value>(&text) else { return false };
    let listed = manifest["files"].as_object().unwrap();
    let found = files(folder);
    found.len() == listed.len() + 1
        && found
            .iter()
            .filter(|(name, _)| name != "manifest.json")
            .all(|(name, bytes)| listed[name] == emit::sha256(bytes))
}
