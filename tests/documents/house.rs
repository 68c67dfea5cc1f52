//! CONTRIBUTING and ARCHITECTURE name what is there, and links lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::has;
use crate::{files, root, text};

/// Documents that people read, by path.
fn documents() -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
        .map(|name| root().join(name))
        .to_vec();
    for folder in ["docs", "alerts", "crates", "deploy"] {
        if root().join(folder).is_dir() {
            found.extend(files(folder, "md"));
        }
    }
    found
}

#[test]
fn every_switch_is_named_in_contributing() {
    let contributing = text("CONTRIBUTING.md");
    let mut switches = BTreeSet::new();
    let mut sources = files("tests", "rs");
    sources.extend(files("crates", "rs"));
    sources.retain(|source| !source.ends_with("documents/house.rs"));
    for source in sources {
        let code = fs::read_to_string(&source).expect("readable");
        for word in code.split('"') {
            let switch = ["UPDATE_", "REQUIRE_", "BLESS"]
                .iter()
                .any(|start| word.starts_with(start));
            if switch && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_') {
                switches.insert(word.to_owned());
            }
        }
    }
    switches.retain(|switch| !["UPDATE_", "REQUIRE_"].contains(&switch.as_str()));
    assert!(switches.len() >= 4, "{switches:?}");
    for switch in switches {
        assert!(
            contributing.contains(&switch),
            "{switch} is not in CONTRIBUTING.md"
        );
    }
}

#[test]
fn every_room_and_crate_is_in_the_architecture() {
    let architecture = text("docs/ARCHITECTURE.md");
    let (_, floors) = architecture.split_once("## Floors").expect("the floors");
    let (floors, _) = floors.split_once("## The way").expect("an end");
    let mut rooms = BTreeSet::new();
    for entry in fs::read_dir(root().join("src")).expect("src") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            rooms.insert(path.file_stem().expect("a name").to_string_lossy().into_owned());
        }
    }
    let named: BTreeSet<String> = floors
        .lines()
        .filter_map(|line| line.rsplit('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect();
    assert_eq!(named, rooms, "rooms of docs/ARCHITECTURE.md and of src");
    for entry in fs::read_dir(root().join("crates")).expect("crates") {
        let name = entry.expect("an entry").file_name();
        let crate_name = format!("crates/{}", name.to_string_lossy());
        assert!(
            architecture.contains(&crate_name),
            "{crate_name} is not in docs/ARCHITECTURE.md"
        );
    }
}

#[test]
fn links_within_the_project_lead_somewhere() {
    for document in documents() {
        let text =
            fs::read_to_string(&document).unwrap_or_else(|error| panic!("{}: {error}", document.display()));
        let folder = document.parent().expect("a folder");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = target.split('#').next().unwrap_or_default();
            if !target.contains("://") && !path.is_empty() {
                assert!(
                    folder.join(path).exists(),
                    "{}: {target} is not there",
                    document.display()
                );
            }
        }
    }
}

#[test]
fn links_out_of_the_site_lead_to_the_repository() {
    if !has("python3", "apt-get install python3") {
        return;
    }
    let mut program = Command::new("python3")
        .arg(root().join("docs/repository-links"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 runs");
    let chapter =
        |content: &str| json!({ "items": [{ "Chapter": { "content": content, "sub_items": [] } }] });
    let context =
        json!({ "config": { "output": { "html": { "git-repository-url": "https://forge.example/it" } } } });
    let asked = json!([context, chapter("[a](../alerts/README.md), [b](quota.md)")]);
    let mut input = program.stdin.take().expect("a pipe");
    input.write_all(asked.to_string().as_bytes()).expect("written");
    drop(input);
    let output = program.wait_with_output().expect("ended");
    let made: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let wanted = "[a](https://forge.example/it/blob/main/alerts/README.md), [b](quota.md)";
    assert_eq!(made, chapter(wanted));
}
