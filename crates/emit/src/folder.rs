//! Writing a folder whole or not at all.

use crate::{Files, manifest};
use diagnostic::{Code, Diagnostic, Result};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Refuses a place that xnorflow must not write to, before any long work.
///
/// # Errors
/// `output-folder` when something is there that xnorflow did not write.
pub fn check(folder: &Path) -> Result<()> {
    let refuse = |text: &str| {
        Err(Diagnostic::new(Code::OutputFolder, text.to_string())
            .from(folder.display().to_string())
            .hint("choose another folder with -o, or remove this one yourself"))
    };
    let Ok(facts) = fs::symlink_metadata(folder) else { return Ok(()) };
    if !facts.is_dir() {
        return refuse("the output folder exists and is not a folder");
    }
    let empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if !empty && !folder.join(manifest::FILE).is_file() {
        return refuse("the output folder holds something that xnorflow did not write");
    }
    Ok(())
}

/// Writes `files` as `folder`: into a temporary sibling first, which then takes its place in one
/// step. What was there is removed only afterwards.
///
/// # Errors
/// `output-folder` as for [`check`]; `file-access` when the disk refuses. Then nothing has changed.
pub fn write(folder: &Path, files: &Files) -> Result<()> {
    check(folder)?;
    let absolute = std::path::absolute(folder).map_err(|e| access(folder, &e))?;
    let parent = absolute
        .parent()
        .ok_or_else(|| Diagnostic::new(Code::OutputFolder, "the root is no output folder"))?;
    fs::create_dir_all(parent).map_err(|e| access(parent, &e))?;
    remove_leftovers(parent, &absolute);
    let temporary = sibling(&absolute, std::process::id());
    let written = fill(&temporary, files)
        .and_then(|()| exchange(&temporary, &absolute).map_err(|e| access(&absolute, &e)));
    // Now the sibling holds what was there before, or the failed attempt.
    let _ = fs::remove_dir_all(&temporary);
    written
}

fn fill(folder: &Path, files: &Files) -> Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|e| access(parent, &e))?;
        fs::write(&path, bytes).map_err(|e| access(&path, &e))?;
    }
    Ok(())
}

/// Puts `new` in the place of `old` in one step; `new` then holds what `old` held, if anything.
fn exchange(new: &Path, old: &Path) -> std::io::Result<()> {
    if !old.exists() {
        return fs::rename(new, old);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, new, CWD, old, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    // Not every file system can exchange: put the old one aside, and back if the rename fails.
    let aside = new.with_extension("old");
    fs::rename(old, &aside)?;
    fs::rename(new, old).inspect_err(|_| {
        let _ = fs::rename(&aside, old);
    })?;
    fs::rename(&aside, new)
}

fn sibling(folder: &Path, process: u32) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(folder.file_name().unwrap_or_default());
    name.push(format!(".xnorflow-{process}"));
    folder.with_file_name(name)
}

/// Removes temporary siblings of processes that were killed.
fn remove_leftovers(parent: &Path, folder: &Path) {
    let mut prefix = OsString::from(".");
    prefix.push(folder.file_name().unwrap_or_default());
    prefix.push(".xnorflow-");
    let prefix = prefix.to_string_lossy().into_owned();
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(&prefix).and_then(|p| p.parse::<u32>().ok());
        let dead = process.is_some_and(|p| !Path::new(&format!("/proc/{p}")).exists());
        if dead && Path::new("/proc/self").exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn access(path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(Code::FileAccess, format!("cannot write: {error}"))
        .from(path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(text: &str) -> Files {
        let manifest = (manifest::FILE.to_string(), b"{}".to_vec());
        Files::from([manifest, ("a/b".into(), text.as_bytes().to_vec())])
    }

    #[test]
    fn replaces_its_own_and_touches_nothing_else() {
        let temp = tempfile::tempdir().unwrap();
        let out = temp.path().join("out");
        write(&out, &files("one")).unwrap();
        fs::write(out.join("extra"), "x").unwrap();
        write(&out, &files("two")).unwrap();
        assert_eq!(fs::read_to_string(out.join("a/b")).unwrap(), "two");
        assert!(!out.join("extra").exists());
        assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);

        let foreign = temp.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("thesis.tex"), "x").unwrap();
        assert_eq!(write(&foreign, &files("x")).unwrap_err().code, Code::OutputFolder);
        assert!(foreign.join("thesis.tex").exists());
        let file = temp.path().join("file");
        fs::write(&file, "x").unwrap();
        assert_eq!(write(&file, &files("x")).unwrap_err().code, Code::OutputFolder);
    }

    #[test]
    fn leftovers_of_killed_processes_go() {
        let temp = tempfile::tempdir().unwrap();
        let out = temp.path().join("out");
        let left = sibling(&out, u32::MAX);
        fs::create_dir(&left).unwrap();
        write(&out, &files("one")).unwrap();
        assert!(!left.exists());
    }
}
