//! Dashboards and rules keep to the catalogue: what they read exists, with the labels they name, and is read as its
//! type asks; what the exporter exposes is on a panel; and a dashboard can be provisioned as it is.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a test panics when it fails"
)]

mod board;
mod expression;
mod families;
mod frame;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use knowbe4_exporter::FAMILIES;
use regex::Regex;

use board::Board;
use expression::Reading;
use families::{Families, THRESHOLD, rules};
use support::has;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Shows all mistakes at once.
fn none(mistakes: &[String]) {
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

#[test]
fn expressions_of_dashboards_read_what_is_there() {
    // A user who has imported the dashboards alone has no recording rules.
    let families = Families::catalogue();
    let mut mistakes = Vec::new();
    for board in Board::all() {
        for (place, expression) in board.expressions() {
            let reading = Reading::of(&expression, &families);
            mistakes.extend(reading.mistakes.iter().map(|m| format!("{place}: {m}")));
        }
    }
    none(&mistakes);
}

#[test]
fn expressions_of_rules_read_what_is_there() {
    let (families, mut mistakes) = Families::with_recorded();
    for rule in rules() {
        let reading = Reading::of(&rule.expression, &families);
        mistakes.extend(reading.mistakes.iter().map(|m| format!("{}: {m}", rule.name)));
    }
    none(&mistakes);
}

#[test]
fn thresholds_have_a_default_where_the_rules_are_not_loaded() {
    let default = Regex::new(&format!(
        r#"max by \(account\) \({THRESHOLD}\{{[^}}]*\}}\) or 0 \* "#
    ))
    .unwrap();
    let mut mistakes = Vec::new();
    for board in Board::all() {
        for (place, expression) in board.expressions() {
            if expression.matches(THRESHOLD).count() != default.find_iter(&expression).count() {
                mistakes.push(place);
            }
        }
    }
    none(&mistakes);
}

#[test]
fn every_family_is_on_a_panel() {
    let families = Families::catalogue();
    let shown: BTreeSet<String> = Board::all()
        .iter()
        .flat_map(Board::targets)
        .flat_map(|(_, expression)| Reading::of(&expression, &families).families)
        .collect();
    let missing: Vec<_> = FAMILIES
        .iter()
        .map(|family| family.name.to_owned())
        .filter(|name| !shown.contains(name))
        .collect();
    none(&missing);
}

#[test]
fn every_choice_narrows_every_query() {
    let mut mistakes = Vec::new();
    for board in Board::all() {
        for (place, expression) in board.expressions() {
            // Thresholds are an account's, whoever exposes it.
            let thresholds = expression.matches(&format!("{THRESHOLD}{{")).count();
            let selectors = expression.matches('{').count() - thresholds;
            for matcher in [r#"job=~"$job""#, r#"instance=~"$instance""#] {
                // The variables that choose them have no choice to narrow them yet.
                if !place.ends_with("variable job")
                    && !place.ends_with("variable instance")
                    && expression.matches(matcher).count() != selectors
                {
                    mistakes.push(format!("{place}: a selector without {matcher}"));
                }
            }
        }
    }
    none(&mistakes);
}

#[test]
fn dashboards_can_be_provisioned() {
    let boards = Board::all();
    assert_eq!(boards.len(), 7, "the set is complete");
    let mistakes: Vec<_> = boards
        .iter()
        .flat_map(|board| frame::mistakes(board, &boards))
        .collect();
    none(&mistakes);
}

#[test]
fn a_dashboard_fits_a_config_map() {
    // Kubernetes keeps a copy of what is applied in an annotation of at most 262,144 bytes.
    let mut mistakes = Vec::new();
    for board in Board::all() {
        let file = root().join("dashboards").join(format!("{}.json", board.name));
        let bytes = std::fs::metadata(&file).unwrap().len();
        if bytes > 150_000 {
            mistakes.push(format!("{}: {bytes} bytes", board.name));
        }
    }
    none(&mistakes);
}

#[test]
fn dashboards_are_what_their_source_makes() {
    if !has("python3", "apt-get install python3") {
        return;
    }
    let output = Command::new("python3")
        .args(["dashboards/build", "--check"])
        .current_dir(root())
        .output()
        .expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
