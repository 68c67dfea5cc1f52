//! From the text of the configuration file to what it says.

mod key;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::account::AccountConfig;
use super::document::Document;
use super::layer::Layer;
use super::mistakes::{Findings, Mistake, Spot};
use super::reader::{Found, Item, Table};
use super::{ConfigErrors, KeySource, Keys, defaults, duration};
use crate::cli::Env;
use crate::model::{AccountName, Collector};
use crate::secret::ApiKey;

/// The longest file that is read: thousands of accounts. More isn't a configuration but a mix-up of files.
const LONGEST: u64 = 1 << 20;

/// What a file says.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) accounts: Vec<AccountConfig>,
    pub(super) storage_path: Option<PathBuf>,
    pub(super) stale_after: Duration,
    pub(super) warnings: Vec<String>,
}

/// Reads the file, and the keys that it points to.
pub(super) fn read(path: &Path, env: &dyn Env, keys: Keys) -> Result<Said, ConfigErrors> {
    let file = path.display().to_string();
    let text = text(path).map_err(|mistake| errors(&file, vec![mistake], 0))?;
    let document = Document::parse(&text).map_err(|malformed| {
        let (line, column) = malformed.position;
        let place = format!("{file}:{line}:{column}");
        errors(&file, vec![Mistake::new(place, malformed.message)], 0)
    })?;
    let findings = Findings::default();
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    let said = File {
        folder,
        findings: &findings,
        env,
        keys,
    }
    .read(&document);
    match said {
        Some(said) if findings.is_clean() => Ok(Said {
            warnings: findings.warnings(&file, &document),
            ..said
        }),
        _ => {
            let (mistakes, omitted) = findings.mistakes(&file, &document);
            Err(errors(&file, mistakes, omitted))
        }
    }
}

fn errors(file: &str, mistakes: Vec<Mistake>, omitted: usize) -> ConfigErrors {
    let hint = format!("'knowbe4-exporter check --config.file={file}' tries the file again");
    ConfigErrors::new(mistakes, omitted, hint)
}

fn text(path: &Path) -> Result<String, Mistake> {
    use std::io::Read;

    let file = path.display().to_string();
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|open| open.take(LONGEST + 1).read_to_end(&mut bytes))
        .map_err(|error| Mistake::new(&file, format!("cannot read the configuration: {error}")))?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("found more than {LONGEST} bytes, expected a configuration");
        return Err(Mistake::new(file, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        Mistake::new(
            format!("{file}:{line}"),
            "found bytes that are no UTF-8, expected text in UTF-8",
        )
    })
}

struct File<'a> {
    /// Relative paths start here, as in Prometheus.
    folder: &'a Path,
    findings: &'a Findings,
    env: &'a dyn Env,
    keys: Keys,
}

impl File<'_> {
    fn read(&self, document: &Document<'_>) -> Option<Said> {
        let root = Item::root(&document.root, self.findings);
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
        let storage_path = root
            .take("storage")
            .and_then(|item| item.table("{ path: /var/lib/knowbe4-exporter }"))
            .and_then(|table| self.storage(table));
        let stale_after = root
            .take("stale_after")
            .and_then(|item| item.duration(Duration::from_secs(1)));
        root.finish();
        let accounts = accounts?;
        self.check_staleness(&accounts, stale_after.as_ref());
        Some(Said {
            accounts,
            storage_path,
            stale_after: stale_after.map_or(defaults::STALE_AFTER, |found| found.value),
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

    fn storage(&self, mut table: Table<'_>) -> Option<PathBuf> {
        let path = table.take("path").and_then(|item| {
            item.text("the path of a directory", |text| {
                (!text.is_empty()).then(|| self.folder.join(text))
            })
        });
        table.finish();
        path.map(|found| found.value)
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
                    Some((_, other)) => self.findings.odd(
                        &at,
                        format!(
                            "the key is that of {} as well: both spend the same quota, and each counts only its own part",
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
        let limit = stale_after.map_or(defaults::STALE_AFTER, |found| found.value);
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
            let top = Spot {
                id: 0,
                path: String::new(),
            };
            self.findings.odd(
                stale_after.map_or(&top, |found| &found.at),
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
