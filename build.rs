//! Tells the program which revision and which compiler it was built from, for `knowbe4_exporter_build_info`, and lists
//! the files that it carries, for `assets`.
//!
//! Without network; a revision or compiler that is not known is empty, and no reason for a build to fail.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script is told by the environment"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// Folders that the binary carries.
const CARRIED: [&str; 2] = ["alerts", "dashboards"];

fn main() -> io::Result<()> {
    let revision = revision().unwrap_or_default();
    println!("cargo::rustc-env=BUILD_REVISION={revision}");
    println!(
        "cargo::rustc-env=BUILD_RUSTVERSION={}",
        rust_version().unwrap_or_default()
    );
    println!("cargo::rerun-if-env-changed=BUILD_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    carry()
}

/// Writes the constant `FILES` of `src/assets.rs`.
fn carry() -> io::Result<()> {
    let mut files = Vec::new();
    for folder in CARRIED {
        println!("cargo::rerun-if-changed={folder}");
        list(Path::new(folder), &mut files)?;
    }
    files.sort();
    let root = env::current_dir()?;
    let rows: String = files
        .iter()
        .map(|file| {
            let (path, whole) = (file.display(), root.join(file));
            format!("    Asset {{ path: \"{path}\", contents: include_bytes!({whole:?}) }},\n")
        })
        .collect();
    let code = format!("/// All files, by path.\npub const FILES: &[Asset] = &[\n{rows}];\n");
    let out = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("assets.rs"), code)
}

/// All files below `folder` but hidden ones and what an editor or Python leaves behind.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') || name == "__pycache__" {
            continue;
        }
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
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
