//! Tells the program which revision and which compiler it was built from, for `knowbe4_exporter_build_info`.
//!
//! Without network, and never a reason for a build to fail: what is not known is empty.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told by the environment"
)]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() {
    let revision = revision().unwrap_or_default();
    println!("cargo::rustc-env=BUILD_REVISION={revision}");
    println!(
        "cargo::rustc-env=BUILD_RUSTVERSION={}",
        rust_version().unwrap_or_default()
    );
    println!("cargo::rerun-if-env-changed=BUILD_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
}

/// From the environment (images are built without `.git`), the package (`cargo install`), or git.
fn revision() -> Option<String> {
    env::var("BUILD_REVISION")
        .ok()
        .or_else(packaged_revision)
        .or_else(git_revision)
        .filter(|revision| revision.len() == 40 && revision.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `cargo package` notes the revision as `"sha1": "..."`.
fn packaged_revision() -> Option<String> {
    let info = fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, behind) = info.split_once("\"sha1\"")?;
    behind.split('"').nth(1).map(str::to_owned)
}

fn git_revision() -> Option<String> {
    // Only of this folder: an unpacked package may lie inside somebody else's repository.
    Path::new(".git").exists().then_some(())?;
    let git = |arguments: &[&str]| output(Command::new("git").args(arguments));
    let mut watched = vec!["HEAD".to_owned(), "packed-refs".to_owned()];
    watched.extend(git(&["symbolic-ref", "--quiet", "HEAD"]));
    for name in watched {
        if let Some(path) = git(&["rev-parse", "--git-path", &name])
            && Path::new(&path).exists()
        {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "HEAD"])
}

/// `rustc 1.95.0 (hash date)`
fn rust_version() -> Option<String> {
    let version = output(Command::new(env::var_os("RUSTC")?).arg("--version"))?;
    version.split_whitespace().nth(1).map(str::to_owned)
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
