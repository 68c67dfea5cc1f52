//! The parsers of others: Python's official client in strict mode, `promtool`, `gzip`.
//!
//! Skipped, loudly, where they are not installed; CI has them all.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use knowbe4_exporter::Format;

use crate::fixture::rich;

#[expect(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test that is skipped must say so, and CI skips none"
)]
fn skipped(why: &str) {
    assert!(
        std::env::var_os("REQUIRE_OUTSIDE_COMPONENTS").is_none(),
        "CI skips nothing: {why}"
    );
    eprintln!("skipped: {why}");
}

/// Runs a program that may be missing.
fn run(command: &mut Command, input: &[u8]) -> Option<Output> {
    let program = command.get_program().to_owned();
    let spawned = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        skipped(&format!("{} is not installed", program.display()));
        return None;
    };
    // A program that ends early closes its end: its exit code says why.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    Some(child.wait_with_output().expect("its output"))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_official_python_parsers_read_the_same_from_both() {
    let world = rich();
    let folder = tempfile::tempdir().expect("folder");
    let mut script = Command::new("python3");
    script.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/parse_exposition.py"));
    for (file, encoding, gzip) in [
        ("exposition.om", Format::OpenMetrics, false),
        ("exposition.txt", Format::Text, false),
        ("exposition.om.gz", Format::OpenMetrics, true),
        ("exposition.txt.gz", Format::Text, true),
    ] {
        let path = folder.path().join(file);
        let body = world.exposition.body(None, encoding, gzip).expect("body");
        std::fs::write(&path, body).expect("written");
        script.arg(path);
    }
    let Some(output) = run(&mut script, b"") else {
        return;
    };
    // The script's way to say that the package is missing.
    if output.status.code() == Some(77) {
        skipped(&said(&output));
        return;
    }
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn promtool_finds_nothing_but_the_buckets_that_are_gauges() {
    let body = rich().exposition.body(None, Format::Text, false).expect("body");
    let Some(output) = run(Command::new("promtool").args(["check", "metrics"]), &body) else {
        return;
    };
    let found = said(&output);
    let unexpected: Vec<_> = found
        .lines()
        // Gauges on purpose: users come and go, so their buckets may shrink, as a histogram's may not.
        .filter(|line| !line.ends_with("non-histogram metrics should not have \"le\" label"))
        .collect();
    assert_eq!(unexpected, Vec::<&str>::new());
    // 3: lint only, the text is sound.
    assert_eq!(output.status.code(), Some(3), "{found}");
}

#[test]
fn gzip_takes_the_body() {
    let body = rich()
        .exposition
        .body(None, Format::OpenMetrics, true)
        .expect("body");
    let Some(output) = run(Command::new("gzip").arg("-t"), &body) else {
        return;
    };
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        said(&output)
    );
}
