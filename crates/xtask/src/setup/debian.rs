//! Packages of Debian and its relatives.

use crate::run;
use anyhow::{Context, Result, bail};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// Whether the package lists were fetched by this process.
static UPDATED: AtomicBool = AtomicBool::new(false);

/// A first try and two more.
const TRIES: u64 = 3;

/// Installs packages: as root directly, else through `sudo` if it asks for no password.
pub(super) fn install(packages: &[&str]) -> Result<()> {
    let by_hand = format!("apt-get install {}", packages.join(" "));
    if !run::exists("apt-get", "--version") {
        bail!(
            "there is no apt-get here: install {} with the package manager of this system",
            packages.join(", ")
        );
    }
    if !is_root() && !sudo_works() {
        bail!("installing needs root: run `{by_hand}` as root, then start again");
    }
    // Old package lists, or those of all mirrors but one, may still do.
    if !UPDATED.swap(true, Ordering::SeqCst)
        && let Err(error) = with_retries(&["update"])
    {
        eprintln!("{error:#}: going on with the package lists that are there");
    }
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    with_retries(&arguments).with_context(|| format!("try `{by_hand}` by hand"))
}

fn with_retries(arguments: &[&str]) -> Result<()> {
    let mut tries = 1;
    loop {
        match run::step(&mut apt_get(arguments)) {
            Ok(_) => return Ok(()),
            Err(error) if tries == TRIES => return Err(error),
            Err(error) => eprintln!("{error:#}: trying again"),
        }
        sleep(Duration::from_secs(5 * tries));
        tries += 1;
    }
}

/// `apt-get` that asks nothing and waits for another one to finish.
fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new(if is_root() { "apt-get" } else { "sudo" });
    if !is_root() {
        command.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    }
    command.args(["-q", "-o", "DPkg::Lock::Timeout=300"]).args(arguments);
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    run::text(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn sudo_works() -> bool {
    run::text(Command::new("sudo").args(["-n", "true"])).is_ok()
}
