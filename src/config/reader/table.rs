//! Keys with values, of which nothing goes unread.

use std::collections::BTreeSet;

use super::super::document::{Node, Value};
use super::super::mistakes::{Findings, Spot};
use super::super::secrecy::{may_be_a_key, shown};
use super::{Item, describe};
use crate::cli::nearest;

/// Keys under which somebody might put a key.
const SECRETS: [&str; 9] = [
    "api_key",
    "apikey",
    "api-key",
    "key",
    "token",
    "api_token",
    "bearer_token",
    "secret",
    "password",
];

/// Keys with values. What nobody has taken at the end is a mistake.
#[derive(Debug)]
pub(in crate::config) struct Table<'a> {
    entries: Vec<(&'a str, Item<'a>)>,
    findings: &'a Findings,
    known: Vec<&'static str>,
    pub(in crate::config) at: Spot,
}

impl<'a> Table<'a> {
    pub(super) fn new(map: &'a [(Node, Node)], findings: &'a Findings, at: Spot) -> Self {
        let mut entries: Vec<(&str, Item<'_>)> = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (key, node) in map {
            let Value::Text(name) = &key.value else {
                let spot = Spot {
                    id: key.id,
                    path: at.path.clone(),
                };
                findings.wrong(
                    &spot,
                    format!("found {} as a key, expected a name", describe(&key.value)),
                );
                continue;
            };
            let path = join(&at.path, name);
            if !seen.insert(name) {
                findings.wrong(
                    &Spot { id: key.id, path },
                    "found this key twice, expected it once",
                );
                continue;
            }
            // Until it is taken the item stands for its key, which is where an unknown one is reported.
            let at = Spot { id: key.id, path };
            entries.push((name, Item { node, findings, at }));
        }
        Self {
            entries,
            findings,
            known: Vec::new(),
            at,
        }
    }

    /// The value of a key; [`None`] when it isn't there or is empty.
    pub(in crate::config) fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        let index = self.entries.iter().position(|(name, _)| *name == key)?;
        let (_, mut item) = self.entries.swap_remove(index);
        item.at.id = item.node.id;
        (!matches!(item.node.value, Value::Null)).then_some(item)
    }

    /// The key can't stand here, and `why` says so and where it can.
    pub(in crate::config) fn refuse(&mut self, key: &'static str, why: &str) {
        if let Some(index) = self.entries.iter().position(|(name, _)| *name == key) {
            let (_, item) = self.entries.swap_remove(index);
            self.findings.wrong(&item.at, why);
        }
    }

    /// Whether somebody put a key itself among the keys.
    pub(in crate::config) fn has_secret(&self) -> bool {
        self.entries.iter().any(|(name, _)| is_secret(name))
    }

    /// Reports that a key isn't here.
    pub(in crate::config) fn missing(&self, message: &str) {
        self.findings.wrong(&self.at, message);
    }

    /// Reports every key that nobody has taken.
    pub(in crate::config) fn finish(self) {
        for (name, item) in self.entries {
            let message = if name == "<<" {
                "YAML merge keys are not understood, expected what accounts share under defaults".to_owned()
            } else if is_secret(name) {
                "a key can't stand in this file (its value is not shown): expected api_key_file with the path of a \
                 file that holds it, or api_key_env with the name of an environment variable"
                    .to_owned()
            } else if let Some(home) = home(name) {
                format!("unknown key here, expected it under {home}")
            } else if let Some(meant) = nearest(name, self.known.iter().copied()) {
                format!("unknown key, did you mean {meant:?}?")
            } else {
                format!("unknown key, expected one of {}", self.known.join(", "))
            };
            self.findings.wrong(&item.at, message);
        }
    }
}

/// Where a key belongs that is often put one level too high.
fn home(name: &str) -> Option<&'static str> {
    Some(match name {
        "requests_per_day" | "requests_per_minute" | "requests_per_second" | "share" => "budget",
        "include" | "exclude" | "min_size" => "groups",
        "windows" | "max_tests" | "callback" => "phishing",
        "interval" | "min_interval" | "max_interval" | "weight" | "enabled" => {
            "collectors and the collector's name"
        }
        _ => return None,
    })
}

fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name.to_ascii_lowercase().as_str())
}

fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name.len() <= 40
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let name = if plain && !may_be_a_key(name) {
        name.to_owned()
    } else {
        shown(name)
    };
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}
