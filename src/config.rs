//! The configuration: what is true, and only that.
//!
//! Takes what was typed ([`cli`](crate::cli)), the configuration file and the environment, and answers with a
//! [`Config`] that needs no further check, or with every mistake at once ([`ConfigErrors`]). Opens no port and sends
//! nothing; it reads the file, and each key once, so that a missing one is found before anything starts. Keys aren't
//! kept: [`KeySource::read`] reads them anew.
//!
//! The rooms: `layer` (what an account and `defaults` may say), `file` and `environment` (the two ways to say it), [`keys`] (what holds when nobody
//! says anything).

mod account;
mod base_url;
pub mod duration;
mod environment;
mod file;
mod fingerprint;
mod groups;
mod key;
pub mod keys;
mod layer;
mod segment;
mod shard;
mod storage;

use std::path::PathBuf;
use std::time::Duration;

pub use account::{AccountConfig, PhishingConfig};
pub use base_url::{BaseUrl, BaseUrlError};
pub use fingerprint::fingerprint;
pub use groups::GroupFilter;
pub use key::{KeyError, KeySource};
pub use segment::SegmentAttribute;
use storage::StorageSaid;
pub use strict_yaml::Mistakes as ConfigErrors;

use crate::cli::Options;
use crate::database_url::DatabaseUrl;
use crate::env::Env;

/// What is true.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// At least one, in the order of the file, with names of their own; none or some after [`Config::shard`].
    pub accounts: Vec<AccountConfig>,
    /// Where the ledger and the last snapshot lie. Not created, not checked.
    pub storage_path: PathBuf,
    /// The database that takes the place of the path, when one is named.
    pub storage_url: Option<DatabaseUrl>,
    /// A path whose accounts the database takes over at the start, where it doesn't hold them yet.
    pub take_over: Option<PathBuf>,
    /// A collector's series leave the exposition once its last success is this old.
    pub stale_after: Duration,
}

/// A configuration and what is odd but harmless about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// All accounts, of all shards.
    pub config: Config,
    /// One line each, with file, line and column where there are any; to be logged.
    pub warnings: Vec<String>,
}

impl Config {
    /// Reads the file that `options` name, or the variables of one account when they name none, and every key.
    ///
    /// The storage path is the flag's, else the file's, else the first of `$STATE_DIRECTORY`, else `./data`. Where flags name
    /// both a path and a database, the database takes over what is in the path.
    ///
    /// # Errors
    /// With every mistake, when there is one.
    pub fn load(options: &Options, env: &dyn Env) -> Result<Loaded, ConfigErrors> {
        Self::read(options, env, Keys::Read)
    }

    /// The same without looking for a key: for what sends nothing, such as the plan of an account that has none yet.
    ///
    /// # Errors
    /// With every mistake but those about keys.
    pub fn load_without_keys(options: &Options, env: &dyn Env) -> Result<Loaded, ConfigErrors> {
        Self::read(options, env, Keys::Leave)
    }

    fn read(options: &Options, env: &dyn Env, keys: Keys) -> Result<Loaded, ConfigErrors> {
        let (accounts, storage, stale_after, warnings) = match &options.config_file {
            Some(path) => {
                let mut said = file::read(path, env, keys)?;
                said.warnings.extend(ignored(&said.accounts, path, env));
                (said.accounts, said.storage, said.stale_after, said.warnings)
            }
            None => {
                let (account, warnings) = environment::read(env, keys)?;
                (
                    vec![account],
                    StorageSaid::default(),
                    keys::STALE_AFTER.default,
                    warnings,
                )
            }
        };
        let storage_path = options
            .storage_path
            .clone()
            .or(storage.path)
            .unwrap_or_else(|| default_storage(env));
        // A path that was typed goes before what the file says.
        let storage_url = options
            .storage_url
            .clone()
            .or_else(|| storage.url.filter(|_| options.storage_path.is_none()));
        let both = options.storage_url.is_some();
        let config = Self {
            accounts,
            storage_path,
            storage_url,
            take_over: options.storage_path.clone().filter(|_| both),
            stale_after,
        };
        Ok(Loaded { config, warnings })
    }

    /// Where accounts are kept, for people: without a password.
    pub fn storage_place(&self) -> String {
        let path = || self.storage_path.display().to_string();
        self.storage_url.as_ref().map_or_else(path, ToString::to_string)
    }

    /// One account against the simulator, with every default.
    pub fn for_one(account: AccountConfig, storage_path: PathBuf) -> Self {
        Self {
            accounts: vec![account],
            storage_path,
            storage_url: None,
            take_over: None,
            stale_after: keys::STALE_AFTER.default,
        }
    }

    /// Keeps the accounts of one of `total` exporters that read the same file; `index` runs from 0.
    ///
    /// Which accounts these are depends on their names alone, and hardly changes when `total` does.
    #[must_use]
    pub fn shard(mut self, index: u32, total: u32) -> Self {
        self.accounts
            .retain(|account| shard::of(account.name.as_str(), total) == index);
        self
    }
}

/// Whether keys are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Each is read once, so that one that isn't there is told before anything starts.
    Read,
    /// Nobody needs one.
    Leave,
}

fn default_storage(env: &dyn Env) -> PathBuf {
    // systemd lists all directories of StateDirectory=, parted by colons.
    env.filled("STATE_DIRECTORY")
        .and_then(|list| list.split(':').find(|path| !path.is_empty()).map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("./data"))
}

/// A warning when variables of one account are set although the accounts come from a file.
fn ignored(accounts: &[AccountConfig], path: &std::path::Path, env: &dyn Env) -> Option<String> {
    let used = |name: &str| {
        accounts
            .iter()
            .any(|account| matches!(&account.key, KeySource::Env(used) if used == name))
    };
    let set: Vec<&str> = environment::VARIABLES
        .into_iter()
        .filter(|name| env.filled(name).is_some() && !used(name))
        .collect();
    (!set.is_empty()).then(|| {
        format!(
            "{} in the environment: not used, since the accounts come from {}",
            set.join(", "),
            path.display()
        )
    })
}
