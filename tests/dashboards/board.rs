//! A dashboard as it lies in the repository.

use std::fs;

use serde_json::Value;

use crate::root;

#[derive(Debug)]
pub struct Board {
    /// Name of the file without `.json`.
    pub name: String,
    pub json: Value,
}

impl Board {
    /// All dashboards.
    pub fn all() -> Vec<Self> {
        let entries = fs::read_dir(root().join("dashboards")).expect("dashboards");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let mut boards: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| Self {
                name: path.file_stem().expect("a name").to_string_lossy().into_owned(),
                json: serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON"),
            })
            .collect();
        boards.sort_by(|a, b| a.name.cmp(&b.name));
        boards
    }

    /// Panels that show something, and those in folded rows.
    pub fn panels(&self) -> Vec<&Value> {
        let top = list(&self.json["panels"]);
        let panels = top.flat_map(|panel| std::iter::once(panel).chain(list(&panel["panels"])));
        panels.filter(|panel| panel["type"] != "row").collect()
    }

    pub fn variables(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["templating"]["list"])
    }

    /// Places and expressions of all panels, ready to be parsed.
    pub fn targets(&self) -> Vec<(String, String)> {
        let mut targets = Vec::new();
        for panel in self.panels() {
            for target in list(&panel["targets"]) {
                let place = format!(
                    "{} / {} / {}",
                    self.name,
                    text(&panel["title"]),
                    text(&target["refId"])
                );
                targets.push((place, substituted(text(&target["expr"]))));
            }
        }
        targets
    }

    /// Those of panels, variables and annotations.
    pub fn expressions(&self) -> Vec<(String, String)> {
        let mut expressions = self.targets();
        for variable in self.variables().filter(|variable| variable["type"] == "query") {
            let query = text(&variable["query"]["query"]);
            let arguments = query
                .strip_prefix("label_values(")
                .and_then(|rest| rest.strip_suffix(')'));
            let (selector, label) = arguments
                .and_then(|a| a.rsplit_once(", "))
                .expect("label_values(selector, label)");
            let place = format!("{} / variable {}", self.name, text(&variable["name"]));
            // An aggregation says that the label is there.
            expressions.push((place, format!("group by ({label}) ({selector})")));
        }
        for annotation in list(&self.json["annotations"]["list"]) {
            let place = format!("{} / annotation {}", self.name, text(&annotation["name"]));
            expressions.push((place, substituted(text(&annotation["expr"]))));
        }
        expressions
    }
}

pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// With a duration for each of Grafana's own variables.
fn substituted(expression: &str) -> String {
    expression
        .replace("$target_phish_prone", "5")
        .replace("$target_report_rate", "50")
        .replace("$__rate_interval", "5m")
        .replace("$__interval", "1m")
        .replace("$__range_s", "3600")
        .replace("$__range", "1h")
}
