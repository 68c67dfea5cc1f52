//! Keys with values, of which nothing goes unread.

use std::collections::BTreeSet;

use super::{Item, describe};
use crate::document::{Node, Value};
use crate::findings::{Findings, Spot};
use crate::nearest::nearest;
use crate::secrecy::{may_be_a_secret, shown};

/// Keys with values. What nobody has taken at the end is a mistake.
#[derive(Debug)]
pub struct Table<'a> {
    entries: Vec<(&'a str, Item<'a>)>,
    findings: &'a Findings,
    /// Where each key stands, taken or not.
    keys: Vec<(&'a str, Spot)>,
    known: Vec<&'static str>,
    /// Where it begins.
    pub at: Spot,
}

impl<'a> Item<'a> {
    /// Keys with values, such as `example`.
    pub fn table(self, example: &str) -> Option<Table<'a>> {
        let Value::Map(map) = &self.node.value else {
            return self.unexpected(&format!("keys and values such as {example}"));
        };
        Some(Table::new(map, self.findings, self.at))
    }
}

impl<'a> Table<'a> {
    fn new(map: &'a [(Node, Node)], findings: &'a Findings, at: Spot) -> Self {
        let mut entries: Vec<(&str, Item<'_>)> = Vec::new();
        let mut keys = Vec::new();
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for (key, node) in map {
            let Value::Text(name) = &key.value else {
                let spot = Spot {
                    position: key.at,
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
                    &Spot {
                        position: key.at,
                        path,
                    },
                    "found this key twice, expected it once",
                );
                continue;
            }
            // Until it is taken the item stands for its key, which is where an unknown one is reported.
            let at = Spot {
                position: key.at,
                path,
            };
            keys.push((name.as_str(), at.clone()));
            entries.push((name, Item { node, findings, at }));
        }
        Self {
            entries,
            findings,
            keys,
            known: Vec::new(),
            at,
        }
    }

    /// The value of a key; [`None`] when it isn't there or is empty.
    pub fn take(&mut self, key: &'static str) -> Option<Item<'a>> {
        self.known.push(key);
        let index = self.entries.iter().position(|(name, _)| *name == key)?;
        let (_, mut item) = self.entries.swap_remove(index);
        item.at.position = item.node.at;
        (!matches!(item.node.value, Value::Null)).then_some(item)
    }

    /// Every key that nobody has taken, with its value, in the order of the file: for tables whose keys are names that
    /// the user chose. Their values may be empty.
    pub fn take_rest(&mut self) -> Vec<(&'a str, Item<'a>)> {
        let mut rest = std::mem::take(&mut self.entries);
        rest.sort_by(|(_, one), (_, other)| one.at.cmp(&other.at));
        for (_, item) in &mut rest {
            item.at.position = item.node.at;
        }
        rest
    }

    /// Where mistakes about more than one value go.
    pub fn findings(&self) -> &'a Findings {
        self.findings
    }

    /// Where a key stands, taken or not; where the table begins when it isn't here.
    pub fn key(&self, key: &str) -> &Spot {
        let found = self.keys.iter().find(|(name, _)| *name == key);
        found.map_or(&self.at, |(_, spot)| spot)
    }

    /// The key can't stand here, and `why` says so and where it can.
    pub fn refuse(&mut self, key: &'static str, why: &str) {
        if let Some(index) = self.entries.iter().position(|(name, _)| *name == key) {
            let (_, item) = self.entries.swap_remove(index);
            self.findings.wrong(&item.at, why);
        }
    }

    /// Whether somebody put a secret among the keys that nobody has taken.
    pub fn has_secret(&self) -> bool {
        self.entries.iter().any(|(name, _)| self.is_secret(name))
    }

    /// Reports that a key isn't here.
    pub fn missing(&self, message: &str) {
        self.findings.wrong(&self.at, message);
    }

    /// Reports every key that nobody has taken.
    pub fn finish(self) {
        let hints = self.findings.hints();
        for (name, item) in &self.entries {
            let message = if *name == "<<" {
                hints.merge.to_owned()
            } else if self.is_secret(name) {
                hints.secret.to_owned()
            } else if let Some(home) = (hints.home)(name) {
                format!("unknown key here, expected it under {home}")
            } else if let Some(meant) = nearest(name, self.known.iter().copied()) {
                format!("unknown key, did you mean {meant:?}?")
            } else {
                format!("unknown key, expected one of {}", self.known.join(", "))
            };
            self.findings.wrong(&item.at, message);
        }
    }

    fn is_secret(&self, name: &str) -> bool {
        let secret_keys = self.findings.hints().secret_keys;
        secret_keys.contains(&name.to_ascii_lowercase().as_str())
    }
}

fn join(path: &str, name: &str) -> String {
    let plain = !name.is_empty()
        && name.len() <= 40
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let name = if plain && !may_be_a_secret(name) {
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
