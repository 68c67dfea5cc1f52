//! Tables of the documents are made of the code: `UPDATE_README=1 cargo test --test documents` renews them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use knowbe4_exporter::{
    AccountState, Instruments, Meta, StatusView, cli, families_markdown, keys,
    model::{Collector, Failure, Reason},
};
use serde_json::Value;

use crate::messages;
use crate::{root, text};

/// The text with what stands between the marks of `name` replaced.
fn with_section(text: &str, name: &str, section: &str) -> String {
    let begin = format!("<!-- generated: {name} -->\n");
    let start = text.find(&begin).unwrap_or_else(|| panic!("no section {name}")) + begin.len();
    let end = start + text[start..].find("<!-- end -->").expect("an end");
    format!("{}{section}{}", &text[..start], &text[end..])
}

/// Requests of one refresh of everything, as `plan` says, and what others ask for the same.
fn cost() -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_knowbe4-exporter"))
        .args([
            "plan",
            "--users",
            "2000",
            "--groups",
            "50",
            "--enrollments",
            "10000",
        ])
        .args(["--format", "json", "--storage.path", "/nonexistent"])
        .env("KNOWBE4_API_KEY", "none")
        .output()
        .expect("ran");
    let plan: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    let account = &plan["accounts"][0];
    let rows = account["collectors"].as_array().expect("collectors");
    let mut table = "| collector | requests a refresh | requests a day |\n| --- | --- | --- |\n".to_owned();
    let mut all = 0.0;
    for row in rows {
        let requests = row["requests_per_refresh"].as_f64().expect("a number");
        let day = row["requests_per_day"].as_f64().unwrap_or_default();
        all += requests;
        table.push_str(&format!(
            "| {} | {requests:.0} | {day:.0} |\n",
            row["collector"].as_str().expect("a name")
        ));
    }
    let day = account["requests_per_day"].as_f64().expect("a number");
    table.push_str(&format!(
        "| all, as fresh as {} a day allow | {all:.0} | {day:.0} |\n",
        account["limit"]
    ));
    table.push_str(&format!(
        "| a script, all of it hourly | {all:.0} | {:.0} |\n",
        24.0 * all
    ));
    // Recipients are listed by test, so their first page alone says nothing.
    let listings = rows.len() - 1;
    table.push_str(&format!(
        "| json_exporter, first pages, a scrape a minute | {listings} | {} |\n",
        24 * 60 * listings
    ));
    table
}

#[test]
fn the_tables_are_those_of_the_code() {
    let documents: [(&str, Vec<(&str, String)>); 4] = [
        (
            "docs/configuration.md",
            vec![
                ("keys", keys::markdown()),
                ("flags", cli::flags()),
                ("commands", cli::markdown()),
            ],
        ),
        ("docs/metrics.md", vec![("metrics", families_markdown())]),
        (
            "docs/troubleshooting.md",
            vec![("messages", messages::markdown())],
        ),
        ("docs/comparison.md", vec![("cost", cost())]),
    ];
    let mut behind = Vec::new();
    for (path, sections) in documents {
        let found = text(path);
        let wanted = sections.iter().fold(found.clone(), |text, (name, section)| {
            with_section(&text, name, section)
        });
        if std::env::var_os("UPDATE_README").is_some() {
            fs::write(root().join(path), &wanted).expect("written");
        } else if found != wanted {
            behind.push(path);
        }
    }
    assert!(
        behind.is_empty(),
        "behind the code: {behind:?}; UPDATE_README=1 cargo test --test documents"
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
    let pages = text("docs/pages.md");
    for field in fields {
        let quoted = ["`", "\""].map(|quote| format!("{quote}{field}{quote}"));
        assert!(
            quoted.iter().any(|field| pages.contains(field)),
            "{field} is not in docs/pages.md"
        );
    }
}
