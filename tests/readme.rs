//! The README's tables are made of the code: `UPDATE_README=1 cargo test --test readme` renews them.
#![allow(
    missing_docs,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test reads its switch from the environment"
)]

use std::fs;
use std::path::Path;

use knowbe4_exporter::{catalogue, cli};

/// The text with what stands between the marks of `name` replaced.
fn with_section(text: &str, name: &str, section: &str) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let start = text.find(&begin).unwrap_or_else(|| panic!("no section {name}")) + begin.len();
    let end = start + text[start..].find("<!-- end -->").expect("an end");
    format!("{}{section}{}", &text[..start], &text[end..])
}

#[test]
fn the_tables_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = fs::read_to_string(&path).expect("the README");
    let mut wanted = with_section(&text, "commands", &cli::markdown());
    wanted = with_section(&wanted, "metrics", &catalogue::print::markdown());
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(&path, &wanted).expect("written");
        return;
    }
    assert!(
        text == wanted,
        "the README is behind the code: UPDATE_README=1 cargo test --test readme"
    );
}

#[test]
fn links_within_the_project_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("README.md")).expect("the README");
    for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if !target.contains("://") && !target.starts_with('#') {
            assert!(root.join(target).exists(), "{target} is not there");
        }
    }
}
