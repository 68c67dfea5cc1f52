//! The table of configuration keys names those that the reader takes, and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use knowbe4_exporter::{Config, cli, keys};

/// What the reader says that it expected in place of a key that nobody knows.
fn expected(yaml: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("knowbe4.yml");
    fs::write(&file, yaml).expect("written");
    let words = [
        "knowbe4-exporter",
        "--config.file",
        file.to_str().expect("a path"),
    ];
    let options = cli::parse(words, &BTreeMap::new()).expect("flags").options;
    let errors = Config::load(&options, &BTreeMap::new()).expect_err("a key that nobody knows");
    let said = errors.to_string();
    let (_, names) = said
        .lines()
        .find(|line| line.contains("nobody_knows: unknown key"))
        .and_then(|line| line.split_once("expected one of "))
        .unwrap_or_else(|| panic!("no list of keys in: {said}"));
    names
        .split([',', ' '])
        .filter(|name| !name.is_empty() && *name != "and")
        .map(str::to_owned)
        .collect()
}

#[test]
fn the_keys_are_those_that_the_reader_takes() {
    let levels = [
        ("", "nobody_knows: 1\n"),
        ("accounts[].", "accounts:\n  - name: acme\n    nobody_knows: 1\n"),
        (
            "accounts[].budget.",
            "accounts:\n  - name: acme\n    budget: { nobody_knows: 1 }\n",
        ),
        (
            "accounts[].collectors.NAME.",
            "accounts:\n  - name: acme\n    collectors: { users: { nobody_knows: 1 } }\n",
        ),
        (
            "accounts[].phishing.",
            "accounts:\n  - name: acme\n    phishing: { nobody_knows: 1 }\n",
        ),
        (
            "accounts[].groups.",
            "accounts:\n  - name: acme\n    groups: { nobody_knows: 1 }\n",
        ),
        ("storage.", "storage: { nobody_knows: 1 }\n"),
    ];
    for (level, yaml) in levels {
        let wanted: BTreeSet<String> = keys::paths()
            .filter_map(|path| path.strip_prefix(level))
            .filter_map(|rest| rest.split(['.', '[']).next())
            .map(str::to_owned)
            .collect();
        assert_eq!(expected(yaml), wanted, "keys below {level:?}");
    }
}
