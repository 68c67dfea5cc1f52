//! What can be read: the families of the catalogue, and what the recording rules make of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use knowbe4_exporter::{FAMILIES, Kind};
use serde_json::Value;

use crate::expression::Reading;
use crate::root;

pub type Labels = BTreeSet<String>;

/// Labels that a scrape adds; the last where a target has a label `account` of its own.
const SCRAPED: [&str; 3] = ["job", "instance", "exported_account"];

/// The one recorded name that dashboards read, each time with a default: they are of use without the rules.
pub const THRESHOLD: &str = "knowbe4:threshold";

/// One name that can be read.
#[derive(Debug, Clone)]
pub struct Readable {
    /// The family's name; a histogram has several names.
    pub family: String,
    /// Only for what the exporter exposes; the rest is read like a gauge.
    pub kind: Kind,
    pub labels: Labels,
}

#[derive(Debug, Clone)]
pub struct Families(BTreeMap<String, Readable>);

impl Families {
    pub fn get(&self, name: &str) -> Option<&Readable> {
        self.0.get(name)
    }

    /// What the exporter exposes, as Prometheus stores it.
    pub fn catalogue() -> Self {
        let mut all = Self(BTreeMap::new());
        for family in FAMILIES {
            let labels = family
                .labels
                .iter()
                .chain(&SCRAPED)
                .map(|label| (*label).to_owned());
            let labels: Labels = labels.collect();
            let names: &[&str] = match family.kind {
                Kind::Histogram => &["_bucket", "_sum", "_count"],
                Kind::Gauge | Kind::Counter | Kind::Info => &[""],
            };
            for part in names {
                let mut labels = labels.clone();
                if *part == "_bucket" {
                    labels.insert("le".to_owned());
                }
                all.add(
                    &format!("{}{part}", family.name),
                    family.name,
                    family.kind,
                    labels,
                );
            }
        }
        // What Prometheus itself records of the rules' alerts.
        let labels = [
            "alertname",
            "alertstate",
            "severity",
            "audience",
            "account",
            "name",
        ];
        let labels = labels.iter().chain(&SCRAPED).map(|label| (*label).to_owned());
        all.add("ALERTS", "ALERTS", Kind::Gauge, labels.collect());
        // What the rules compare with.
        let labels = ["account", "threshold"].map(str::to_owned);
        all.add(THRESHOLD, THRESHOLD, Kind::Gauge, labels.into());
        all
    }

    /// The catalogue and all recording rules; and which of these never get a value.
    pub fn with_recorded() -> (Self, Vec<String>) {
        let mut all = Self::catalogue();
        let scraped = SCRAPED.iter().map(|label| (*label).to_owned());
        all.add("up", "up", Kind::Gauge, scraped.collect());
        // What users add; the file of thresholds says how.
        let labels = ["account", "threshold"].map(str::to_owned);
        let name = "knowbe4:threshold:override";
        all.add(name, name, Kind::Gauge, labels.into());

        let mut waiting: Vec<_> = rules().into_iter().filter(|rule| rule.is_recording).collect();
        loop {
            let before = waiting.len();
            waiting.retain(|rule| {
                let reading = Reading::of(&rule.expression, &all);
                // A rule may carry on what it said before.
                if reading.unknown.iter().any(|name| *name != rule.name) {
                    return true;
                }
                let mut labels = reading.labels.unwrap_or_default();
                labels.extend(rule.labels.iter().cloned());
                // What filters a counter is one still, and keeps its suffix.
                let counts = rule.name.contains("_total:");
                let kind = if counts { Kind::Counter } else { Kind::Gauge };
                all.add(&rule.name, &rule.name, kind, labels);
                false
            });
            if waiting.len() == before {
                break;
            }
        }
        let stuck = waiting
            .iter()
            .map(|rule| format!("{} reads what nobody records", rule.name));
        (all, stuck.collect())
    }

    fn add(&mut self, name: &str, family: &str, kind: Kind, labels: Labels) {
        let family = family.to_owned();
        let readable = Readable { family, kind, labels };
        self.0.insert(name.to_owned(), readable);
    }
}

/// A recording or alert rule.
#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    pub is_recording: bool,
    pub expression: String,
    /// Labels that the rule adds.
    pub labels: Labels,
}

/// All rules of `alerts/`.
pub fn rules() -> Vec<Rule> {
    let mut all = Vec::new();
    for entry in fs::read_dir(root().join("alerts")).expect("alerts") {
        let path = entry.expect("an entry").path();
        if !path.to_string_lossy().ends_with(".rules.yml") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("rules");
        let file: Value = yaml_serde::from_str(&text).expect("YAML");
        for group in file["groups"].as_array().expect("groups") {
            all.extend(group["rules"].as_array().expect("rules").iter().map(rule));
        }
    }
    assert!(all.len() > 50, "the rules are there");
    all
}

fn rule(rule: &Value) -> Rule {
    let text = |key: &str| rule[key].as_str().map(str::to_owned);
    let labels = rule["labels"]
        .as_object()
        .into_iter()
        .flat_map(|labels| labels.keys().cloned());
    Rule {
        is_recording: rule["record"].is_string(),
        name: text("record").or_else(|| text("alert")).expect("a name"),
        expression: text("expr").expect("an expression"),
        labels: labels.collect(),
    }
}
