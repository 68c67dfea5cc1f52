//! The README's tables are made of the code: `UPDATE_README=1 cargo test --test documents` renews them.
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use knowbe4_exporter::instrument::{AccountState, Instruments};
use knowbe4_exporter::model::{Collector, Failure, Reason};
use knowbe4_exporter::status::{Meta, StatusView};
use knowbe4_exporter::{catalogue, cli};
use serde_json::Value;

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
        "the README is behind the code: UPDATE_README=1 cargo test --test documents"
    );
}

/// The keys of all objects in it; those that stand for names or reasons of something are left out.
fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                into.insert(key.clone());
                if key != "failures" {
                    keys(value, into);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

#[test]
fn every_field_of_the_status_is_documented() {
    let mut state = AccountState::default();
    state.collectors[Collector::Users].last_failure = Some(Failure {
        reason: Reason::Timeout,
        cause: String::new(),
        cure: String::new(),
        request_id: None,
    });
    state.collectors[Collector::Users].last_success = Some(1.0);
    let meta = Meta {
        version: String::new(),
        started: 1.0,
        process: Instruments::new(1.0).process(),
    };
    let accounts = BTreeMap::from([("acme".parse().expect("a name"), state)]);
    let json = StatusView::build(&accounts, 1.0, &meta).json();
    let mut fields = BTreeSet::new();
    keys(&serde_json::from_slice(&json).expect("JSON"), &mut fields);
    assert!(fields.len() > 35, "{fields:?}");
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("the README");
    for field in fields {
        let quoted = ["`", "\""].map(|quote| format!("{quote}{field}{quote}"));
        assert!(
            quoted.iter().any(|field| readme.contains(field)),
            "{field} is not in the README"
        );
    }
}
