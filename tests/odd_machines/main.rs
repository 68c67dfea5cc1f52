//! What operators run into: gateways that answer in the API's place, clocks that are set, machines that sleep, files
//! that hang, file systems that can't. The real program over real HTTP.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod clocks;
mod files;
mod gateway;
#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::process::Command;

/// The library that makes a machine odd, built where the test keeps its files.
fn shim(folder: &std::path::Path) -> PathBuf {
    let library = folder.join("shim.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/odd_machines/shim.c");
    let status = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("a C compiler, which Rust links with");
    assert!(status.success());
    library
}
