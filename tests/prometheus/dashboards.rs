//! Every query of every dashboard, asked as a dashboard asks.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::components::Server;

/// What stands for a variable: regular expressions that match all, and the durations that Grafana reckons.
fn filled(expression: &str, range: u64) -> String {
    let mut filled = expression
        .replace("$target_phish_prone", "5")
        .replace("$target_report_rate", "50")
        .replace("$__rate_interval", "6m")
        .replace("$__interval", "5m")
        .replace("$__range_s", &range.to_string())
        .replace("$__range", &format!("{range}s"));
    // $1 is no variable but a part of what label_replace has matched.
    let variable = |text: &str| {
        let dollars = text.match_indices('$').map(|(at, _)| at);
        let is_part = |at: &usize| text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        dollars.into_iter().find(|at| !is_part(at))
    };
    while let Some(at) = variable(&filled) {
        let rest = &filled[at + 1..];
        let end = if rest.starts_with('{') {
            rest.find('}').map_or(rest.len(), |end| end + 1)
        } else {
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len())
        };
        filled.replace_range(at..=at + end, ".*");
    }
    filled
}

/// Seconds from `now-90d` to now.
fn seconds(from: &str) -> u64 {
    let length = from.strip_prefix("now-").expect("a time before now");
    let (number, unit) = length.split_at(length.len() - 1);
    let unit = match unit {
        "h" => 3600,
        "d" => 86_400,
        "y" => 365 * 86_400,
        _ => panic!("{from}: hours, days or years were expected"),
    };
    number.parse::<u64>().unwrap() * unit
}

fn panels<'a>(parent: &'a Value, into: &mut Vec<&'a Value>) {
    for panel in parent["panels"].as_array().into_iter().flatten() {
        into.push(panel);
        panels(panel, into);
    }
}

/// Queries that have no data at `now`, or in the `hours` before it where the panel shows a course.
pub fn without_data(prometheus: &Server, now: u64, hours: u64) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards");
    let mut empty = Vec::new();
    let mut queries: BTreeMap<String, usize> = BTreeMap::new();
    for file in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let dashboard: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let name = dashboard["title"].as_str().unwrap().to_owned();
        let shown = seconds(dashboard["time"]["from"].as_str().unwrap());
        let mut all = Vec::new();
        panels(&dashboard, &mut all);
        let asked = queries.entry(name.clone()).or_default();
        for panel in all {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let Some(expression) = target["expr"].as_str() else {
                    continue;
                };
                *asked += 1;
                let range = if target["instant"] == true {
                    String::new()
                } else {
                    format!("&start={}&end={now}&step=300", now - hours * 3600)
                };
                let answer = prometheus.query(&filled(expression, shown), &range);
                // Recipients are read test by test, over days, and few share a storage: whether they are there is not the
                // dashboards' matter.
                let no_value = panel["fieldConfig"]["defaults"]["noValue"].as_str();
                let may_be_empty = no_value.is_some_and(|text| {
                    text.contains("collector recipients is off") || text.contains("storage isn't shared")
                });
                if answer
                    .as_ref()
                    .is_ok_and(|series| may_be_empty || !series.is_empty())
                {
                    continue;
                }
                let error = answer.err().unwrap_or_else(|| "no data".to_owned());
                empty.push(format!("{name} / {}: {error}: {expression}", panel["title"]));
            }
        }
    }
    assert!(!queries.is_empty(), "there is no dashboard");
    assert!(queries.values().all(|asked| *asked > 0), "no query: {queries:?}");
    empty
}

#[test]
fn variables_are_filled_in() {
    assert_eq!(
        filled(
            "rate(a{b=~\"$account\",c=~\"${group:regex}\"}[$__rate_interval] offset $__range)",
            60
        ),
        "rate(a{b=~\".*\",c=~\".*\"}[6m] offset 60s)"
    );
    assert_eq!(seconds("now-90d"), 90 * 86_400);
}
