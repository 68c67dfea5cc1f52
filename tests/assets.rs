//! `assets DIR`: what is in the folders is in the binary, and nothing that somebody changed is lost.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

fn assets(arguments: &[&str], dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_knowbe4-exporter"))
        .arg("assets")
        .arg(dir)
        .args(arguments)
        .output()
        .expect("started")
}

/// Contents and execute bit of all files below `folder`, by path.
fn files(folder: &Path, below: &str, into: &mut BTreeMap<String, (Vec<u8>, bool)>) {
    for entry in fs::read_dir(folder.join(below)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = format!("{below}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            files(folder, &path, into);
        } else if !path.contains("/.") && !path.contains("__pycache__") {
            let mode = entry.metadata().expect("metadata").permissions().mode();
            into.insert(
                path,
                (fs::read(entry.path()).expect("readable"), mode & 0o100 != 0),
            );
        }
    }
}

#[test]
fn everything_in_the_folders_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let target = dir.path().join("new/folder");
    let output = assets(&[], &target);
    assert!(output.status.success(), "{output:?}");
    let (mut wanted, mut found) = (BTreeMap::new(), BTreeMap::new());
    for folder in ["alerts", "dashboards"] {
        files(Path::new(env!("CARGO_MANIFEST_DIR")), folder, &mut wanted);
        files(&target, folder, &mut found);
    }
    assert!(wanted.keys().any(|path| path.ends_with(".rules.yml")));
    assert!(wanted.keys().any(|path| path.ends_with(".json")));
    let different = |path: &&String| found.get(*path) != wanted.get(*path);
    let different: Vec<_> = wanted.keys().chain(found.keys()).filter(different).collect();
    assert!(different.is_empty(), "{different:?}");
}

#[test]
fn a_changed_file_is_replaced_on_demand_only() {
    let dir = tempfile::tempdir().expect("a folder");
    assert!(assets(&[], dir.path()).status.success());
    assert!(
        assets(&[], dir.path()).status.success(),
        "a second time changes nothing"
    );
    let (changed, gone) = (
        dir.path().join("alerts/knowbe4-thresholds.rules.yml"),
        dir.path().join("alerts/README.md"),
    );
    let original = fs::read(&changed).expect("written");
    fs::write(&changed, "groups: []\n").expect("changed");
    fs::remove_file(&gone).expect("removed");

    let output = assets(&[], dir.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("knowbe4-thresholds.rules.yml") && said.contains("--force"),
        "{said}"
    );
    assert!(!gone.exists(), "nothing was written");
    assert_eq!(fs::read_to_string(&changed).expect("there"), "groups: []\n");

    assert!(assets(&["--force"], dir.path()).status.success());
    assert_eq!(fs::read(&changed).expect("there"), original);
    assert!(gone.exists());
}

#[test]
fn thresholds_of_ones_own_are_never_replaced() {
    let dir = tempfile::tempdir().expect("a folder");
    let own = dir.path().join("alerts/knowbe4-overrides.rules.yml");
    assert!(assets(&[], dir.path()).status.success());
    fs::write(&own, "groups: [] # mine\n").expect("changed");
    assert!(assets(&[], dir.path()).status.success());
    assert!(assets(&["--force"], dir.path()).status.success());
    assert_eq!(fs::read_to_string(&own).expect("there"), "groups: [] # mine\n");
}

#[test]
fn links_lead_where_the_flags_say() {
    let dir = tempfile::tempdir().expect("a folder");
    let flags = [
        "--runbook-url=https://wiki.example.com/knowbe4/",
        "--dashboard-url=https://grafana.example.com",
    ];
    assert!(assets(&flags, dir.path()).status.success());
    let rules = fs::read_to_string(dir.path().join("alerts/knowbe4-exporter.rules.yml")).expect("rules");
    assert!(rules.contains("runbook_url: https://wiki.example.com/knowbe4/KnowBe4ExporterDown.md"));
    assert!(rules.contains("dashboard: https://grafana.example.com/d/knowbe4-exporter"));
    assert!(!rules.contains("github.com"));
    let overview =
        fs::read_to_string(dir.path().join("dashboards/knowbe4-overview.json")).expect("a dashboard");
    assert!(overview.contains("\"https://wiki.example.com/knowbe4/${__value.text}.md\""));
    // The same again changes nothing, another place is a change.
    assert!(assets(&flags, dir.path()).status.success());
    assert_eq!(assets(&[], dir.path()).status.code(), Some(1));
    for bad in ["wiki", "https://a b", "https://{{ x }}"] {
        let output = assets(&[&format!("--runbook-url={bad}")], &dir.path().join("other"));
        assert_eq!(output.status.code(), Some(64), "{bad}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    fs::write(&file, "").expect("written");
    let output = assets(&[], &file);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("file/alerts"));
}
