//! What alerts/alertmanager.yml makes one notification of, and what it holds back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use super::components::Server;
use super::rules;
use super::support::has;

/// Alerts by name, with the labels that the rules give them.
struct Alerts(BTreeMap<String, Value>);

impl Alerts {
    fn of_the_rules() -> Self {
        let mut alerts = BTreeMap::new();
        for file in ["knowbe4-exporter.rules.yml", "knowbe4-security.rules.yml"] {
            let text = fs::read_to_string(rules::folder().join(file)).unwrap();
            let file: Value = yaml_serde::from_str(&text).unwrap();
            for group in file["groups"].as_array().unwrap() {
                for rule in group["rules"].as_array().unwrap() {
                    let name = rule["alert"].as_str().unwrap().to_owned();
                    alerts.insert(name, rule["labels"].clone());
                }
            }
        }
        Self(alerts)
    }

    /// An alert about an account, as Prometheus sends it.
    fn about(&self, account: &str, name: &str) -> Value {
        let mut alert = self.about_none(name);
        alert["labels"]["account"] = account.into();
        alert
    }

    fn about_none(&self, name: &str) -> Value {
        let mut labels = self.0[name].clone();
        labels["alertname"] = name.into();
        json!({ "labels": labels })
    }
}

fn set(notifications: &[&str]) -> BTreeSet<String> {
    notifications.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn one_cause_is_one_notification() {
    let program = "prometheus-alertmanager";
    if !has(program, &format!("apt-get install {program}")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let alertmanager = Server::alertmanager_of_the_example(folder.path());
    let alerts = Alerts::of_the_rules();
    // The API, or the way to it, fails for all accounts.
    let accounts: Vec<_> = (0..80).map(|number| format!("account-{number}")).collect();
    let mut raised: Vec<_> = accounts
        .iter()
        .flat_map(|account| {
            ["KnowBe4AccountDown", "KnowBe4DataStale"].map(|name| alerts.about(account, name))
        })
        .collect();
    let others = [
        // What one account's key explains is about that account alone.
        ("acme", "KnowBe4KeyRefused"),
        ("acme", "KnowBe4AccountDown"),
        ("globex", "KnowBe4KeyRefused"),
        ("initech", "KnowBe4DataStale"),
        ("acme", "KnowBe4LedgerNotWritable"),
        ("globex", "KnowBe4LedgerNotWritable"),
        ("acme", "KnowBe4SchemaDrift"),
        ("acme", "KnowBe4AccountMissing"),
        ("globex", "KnowBe4AccountMissing"),
        // What the awareness program is told of an account it is told together, but for what can't wait for office hours.
        ("acme", "KnowBe4SeatsRunningOut"),
        ("acme", "KnowBe4NoPhishingTest"),
        ("acme", "KnowBe4PhishingNeverTested"),
        ("acme", "KnowBe4AdminsGrow"),
        ("globex", "KnowBe4NoPhishingTest"),
    ];
    raised.extend(others.map(|(account, name)| alerts.about(account, name)));
    raised.push(alerts.about_none("KnowBe4ExporterAbsent"));
    alertmanager.raise(&raised);
    let mut expected = set(&[
        "operation: 80 KnowBe4AccountDown",
        "operation: 1 KnowBe4DataStale",
        "on-call: 1 acme KnowBe4KeyRefused",
        "on-call: 1 globex KnowBe4KeyRefused",
        "on-call: 2 KnowBe4LedgerNotWritable",
        "on-call: 1 KnowBe4ExporterAbsent",
        "nobody: 1 KnowBe4SchemaDrift",
        "awareness: 2 acme",
        "awareness: 1 globex",
        "awareness: 1 acme KnowBe4AdminsGrow",
        "nobody: 1 acme",
    ]);
    alertmanager.until("notifications", || alertmanager.notifications() == expected);

    // An exporter is back, without the accounts.
    let mut back = alerts.about_none("KnowBe4ExporterAbsent");
    back["endsAt"] = "2020-01-01T00:00:00Z".into();
    back["startsAt"] = "2020-01-01T00:00:00Z".into();
    alertmanager.raise(&[back]);
    expected.remove("on-call: 1 KnowBe4ExporterAbsent");
    expected.insert("operation: 2 KnowBe4AccountMissing".to_owned());
    alertmanager.until("the accounts that are missing", || {
        alertmanager.notifications() == expected
    });
}
