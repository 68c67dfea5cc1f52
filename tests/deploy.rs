//! What is in `deploy/` is held against the programs that will read it: one test a part of `deploy/verify`.
//!
//! The image and the packages take minutes and root: `.ci/run` asks `deploy/verify` for them.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::print_stderr,
    reason = "a test reads its switch from the environment, and says what it skips"
)]

use std::path::Path;
use std::process::Command;

/// What `deploy/verify` exits with when something could not be checked.
const SKIPPED: i32 = 77;

fn verify(part: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/verify");
    let done = Command::new("python3")
        .arg(script)
        .arg(part)
        .env("KNOWBE4_EXPORTER", env!("CARGO_BIN_EXE_knowbe4-exporter"))
        .output();
    let done = match done {
        Ok(done) => done,
        Err(error) => {
            assert!(
                std::env::var_os("REQUIRE_OUTSIDE_COMPONENTS").is_none(),
                "python3: {error}"
            );
            eprintln!("skipped {part}: python3 is not installed");
            return;
        }
    };
    let said = String::from_utf8_lossy(&done.stdout);
    match done.status.code() {
        Some(0) => {}
        Some(SKIPPED) if std::env::var_os("REQUIRE_OUTSIDE_COMPONENTS").is_none() => {
            eprintln!("skipped, in part or whole: {part}\n{said}");
        }
        code => panic!(
            "deploy/verify {part}: {code:?}\n{said}{}",
            String::from_utf8_lossy(&done.stderr)
        ),
    }
}

#[test]
fn systemd_takes_the_units() {
    verify("systemd");
}

#[test]
fn helm_and_kubernetes_take_the_chart() {
    verify("helm");
}

#[test]
fn prometheus_and_alertmanager_take_what_compose_mounts() {
    verify("compose");
}

#[test]
fn jsonnet_makes_a_mixin_of_the_same_files() {
    verify("mixin");
}

#[test]
fn workflows_and_release_notes_hold_together() {
    verify("release");
}
