//! From the text of the configuration file to what it says.

mod key;

use std::path::Path;
use std::time::Duration;

use strict_yaml::file::{self, Limits, ReadError};
use strict_yaml::{Findings, Found, Hints, Item, Mistake, Spot, Table};

use super::account::AccountConfig;
use super::layer::Layer;
use super::storage::StorageSaid;
use super::{ConfigErrors, KeySource, Keys, duration, keys};
use crate::env::Env;
use crate::model::{AccountName, Collector};
use crate::secret::ApiKey;

/// What a file says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) accounts: Vec<AccountConfig>,
    pub(super) storage: StorageSaid,
    pub(super) stale_after: Duration,
    pub(super) warnings: Vec<String>,
}

/// How much is read, and for how long: thousands of accounts, from a file that answers. More isn't a configuration but
/// a mix-up of files.
const LIMITS: Limits = Limits {
    bytes: 1 << 20,
    time: Duration::from_secs(5),
};

/// What to say of keys that don't belong where they stand.
const HINTS: Hints = Hints {
    secret_keys: &[
        "api_key",
        "apikey",
        "api-key",
        "key",
        "token",
        "api_token",
        "bearer_token",
        "secret",
        "password",
    ],
    secret: "a key can't stand in this file (its value is not shown): expected api_key_file with the path of a file that \
             holds it, or api_key_env with the name of an environment variable",
    home: keys::home,
    merge: "YAML merge keys are not understood, expected what accounts share under defaults",
};

/// Reads the file, and the keys that it points to.
pub(super) fn read(path: &Path, env: &dyn Env, keys: Keys) -> Result<Said, ConfigErrors> {
    let name = path.display().to_string();
    let hint = format!("'knowbe4-exporter check --config.file={name}' tries the file again");
    let (text, irregular) = file::text(path, LIMITS)
        .map_err(|error| ConfigErrors::new(vec![unreadable(&name, &error)]).with_hint(&hint))?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let understand = |item: Item<'_>| {
        let findings = item.findings();
        File {
            folder,
            findings,
            env,
            keys,
        }
        .read(item)
    };
    let (mut said, warnings) =
        strict_yaml::read(&name, &text, &HINTS, understand).map_err(|mistakes| mistakes.with_hint(&hint))?;
    said.warnings = warnings.iter().map(ToString::to_string).collect();
    said.warnings.extend(
        irregular
            .map(|kind| format!("{name}: is {kind} and no regular file: a reload may find nothing in it")),
    );
    Ok(said)
}

fn unreadable(name: &str, error: &ReadError) -> Mistake {
    match error {
        ReadError::TooLong(most) => Mistake::new(
            name,
            format!("found more than {most} bytes, expected a configuration"),
        ),
        ReadError::NotUtf8(line) => Mistake::new(
            format!("{name}:{line}"),
            "found bytes that are not UTF-8, expected text in UTF-8",
        ),
        ReadError::Io(_) | ReadError::Stalled(_) => {
            Mistake::new(name, format!("cannot read the configuration: {error}"))
        }
    }
}

struct File<'a> {
    /// Relative paths start here, as in Prometheus.
    folder: &'a Path,
    findings: &'a Findings,
    env: &'a dyn Env,
    keys: Keys,
}

impl File<'_> {
    fn read(&self, root: Item<'_>) -> Option<Said> {
        let mut root = root.table("accounts: [{ name: acme, api_key_file: /run/secrets/acme }]")?;
        let below = root
            .take("defaults")
            .and_then(|item| item.table("{ budget: { share: 0.5 } }"))
            .map(|table| self.defaults(table))
            .unwrap_or_default();
        let accounts = root.take("accounts");
        if accounts.is_none() {
            root.missing("found no accounts, expected accounts: with at least one name and api_key_file");
        }
        let accounts = accounts
            .and_then(|item| item.list("accounts"))
            .map(|list| self.accounts(list, &below));
        let storage = root
            .take("storage")
            .and_then(|item| item.table("{ path: /var/lib/knowbe4-exporter }"))
            .map(|table| StorageSaid::read(table, self.folder, self.env))
            .unwrap_or_default();
        let stale_after = keys::STALE_AFTER.take(&mut root);
        root.finish();
        let accounts = accounts?;
        self.check_staleness(&accounts, stale_after.as_ref());
        Some(Said {
            accounts,
            storage,
            stale_after: stale_after.map_or(keys::STALE_AFTER.default, |found| found.value),
            warnings: Vec::new(),
        })
    }

    fn defaults(&self, mut table: Table<'_>) -> Layer {
        table.refuse(
            "name",
            "found a name, which is one account's own, expected it under accounts",
        );
        for key in ["api_key_file", "api_key_env", "api_key_credential"] {
            table.refuse(
                key,
                "a key belongs to one account (two would share one quota), expected this under accounts",
            );
        }
        let layer = Layer::read(&mut table, self.findings);
        table.finish();
        layer
    }

    fn accounts(&self, list: Found<Vec<Item<'_>>>, below: &Layer) -> Vec<AccountConfig> {
        if list.value.is_empty() {
            self.findings
                .wrong(&list.at, "found no account, expected at least one");
        }
        let mut accounts = Vec::new();
        let mut names: Vec<AccountName> = Vec::new();
        let mut keys: Vec<(ApiKey, AccountConfig)> = Vec::new();
        for item in list.value {
            let Some(table) = item.table("{ name: acme, api_key_file: /run/secrets/acme }") else {
                continue;
            };
            let at = table.at.clone();
            let Some((account, key)) = self.account(table, below, &mut names) else {
                continue;
            };
            if let Some(key) = key {
                match keys.iter().find(|(other, a)| *other == key && a.base_url == account.base_url) {
                    Some((_, other)) => self.findings.wrong(
                        &at,
                        format!(
                            "the key is that of {} as well, and both would spend its quota; expected a key of its own for each account",
                            other.name
                        ),
                    ),
                    None => keys.push((key, account.clone())),
                }
            }
            accounts.push(account);
        }
        accounts
    }

    fn account(
        &self,
        mut table: Table<'_>,
        below: &Layer,
        names: &mut Vec<AccountName>,
    ) -> Option<(AccountConfig, Option<ApiKey>)> {
        let at = table.at.clone();
        let name = self.name(&mut table, names);
        let source = self.key(&mut table, name.as_ref());
        let layer = Layer::read(&mut table, self.findings);
        table.finish();
        let key = source.as_ref().and_then(|source| self.try_key(source));
        // Settled even without a name or a key, so that what is wrong between two values is told as well.
        let stand_in = || "unnamed".parse().ok();
        let nowhere = KeySource::Env(String::new());
        let complete = name.is_some() && source.is_some();
        let source = source.map_or(nowhere, |found| found.value);
        let account = layer.settle(below, name.or_else(stand_in)?, source, &at, self.findings);
        complete.then_some((account, key))
    }

    fn name(&self, table: &mut Table<'_>, names: &mut Vec<AccountName>) -> Option<AccountName> {
        let Some(item) = table.take("name") else {
            table.missing("found no name, expected name: with 1 to 64 characters of a-z, 0-9, _ and -");
            return None;
        };
        let found = item.text("1 to 64 characters of a-z, 0-9, _ and -", |text| {
            text.parse::<AccountName>().ok()
        })?;
        if names.contains(&found.value) {
            self.findings.wrong(
                &found.at,
                format!(
                    "found {:?} a second time, expected a name of its own for each account",
                    found.value.as_str()
                ),
            );
        } else {
            names.push(found.value.clone());
        }
        Some(found.value)
    }

    /// Series that leave before they can be refreshed are a gap in every graph.
    fn check_staleness(&self, accounts: &[AccountConfig], stale_after: Option<&Found<Duration>>) {
        let limit = stale_after.map_or(keys::STALE_AFTER.default, |found| found.value);
        let longest = accounts
            .iter()
            .flat_map(|account| {
                account
                    .collectors
                    .iter()
                    .map(move |(collector, c)| (account, collector, c))
            })
            .filter(|(_, _, settled)| settled.enabled)
            .map(|(account, collector, settled)| {
                (
                    settled.interval.unwrap_or(settled.max_interval),
                    account,
                    collector,
                )
            })
            .max_by_key(|(interval, _, _)| *interval);
        let Some((interval, account, collector)): Option<(Duration, &AccountConfig, Collector)> = longest
        else {
            return;
        };
        if interval >= limit {
            self.findings.odd(
                stale_after.map_or(&Spot::FILE, |found| &found.at),
                format!(
                    "series leave after {}, but {collector} of {} may be refreshed only every {}",
                    duration::format(limit),
                    account.name,
                    duration::format(interval)
                ),
            );
        }
    }
}
