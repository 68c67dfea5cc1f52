//! `storage copy`: takes accounts from one storage to another; and what every command does first that is given two and
//! sends requests.

use std::path::Path;
use std::sync::Arc;

use tracing::info;

use super::{Ending, Stop, configured_storage, holding, load_without_keys, output};
use crate::cli::{CopyArgs, Options, StorageCommand, StoragePlace};
use crate::clock::Clock;
use crate::config::{AccountConfig, Config};
use crate::database_url::DatabaseUrl;
use crate::env::Env;
use crate::store::{Copied, FileStorage, PostgresStorage, Storage, StoreError, copy};

pub(super) async fn storage(options: Options, command: StorageCommand, env: impl Env) -> Ending {
    let StorageCommand::Copy(CopyArgs { from, to }) = command;
    let config = load_without_keys(&options, &env)?;
    let configured = configured_storage(&config, &env)?;
    let (from, to) = match (from, to) {
        (Some(from), _) => (place(&from, &env)?, configured),
        (None, Some(to)) => (configured, place(&to, &env)?),
        (None, None) => {
            return Err(Stop::usage(
                "found neither --from nor --to, expected one of them".to_owned(),
            ));
        }
    };
    if from.place() == to.place() {
        return Err(Stop::usage(format!(
            "{}: found the same storage twice, expected two storages",
            from.place()
        )));
    }
    let copying = async {
        for account in &config.accounts {
            let became = match copied(account, &*from, &*to).await? {
                Copied::Now => "copied",
                Copied::Before => "is there already",
                Copied::Nothing => "nothing to copy",
            };
            output::print(&format!("account {}: {became}\n", account.name))?;
        }
        output::print(&format!(
            "{} is as it was: whoever goes on polling from it spends the same quota twice\n",
            from.place()
        ))
    };
    holding(Arc::clone(&from), holding(Arc::clone(&to), copying)).await
}

/// The database takes over what is kept in `config.take_over`, where it doesn't hold it yet.
pub(super) async fn take_over(config: &Config, database: &Arc<dyn Storage>) -> Ending {
    let Some(path) = config.take_over.as_deref().filter(|path| path.is_dir()) else {
        return Ok(());
    };
    holding(Arc::clone(database), take_over_from(path, config, &**database)).await
}

async fn take_over_from(path: &Path, config: &Config, database: &dyn Storage) -> Ending {
    let from = FileStorage::at(path);
    for account in &config.accounts {
        let there = database
            .peek(&account.name)
            .await
            .map_err(|error| failed(account, &error))?;
        if there.is_none() && copied(account, &from, database).await? == Copied::Now {
            info!(account = %account.name, from = from.place(), to = database.place(), "taken over, with all that it has spent");
        }
    }
    Ok(())
}

async fn copied(account: &AccountConfig, from: &dyn Storage, to: &dyn Storage) -> Result<Copied, Stop> {
    let wall = Clock::system().milliseconds();
    copy(&account.name, account.base_url.as_str(), from, to, wall)
        .await
        .map_err(|error| failed(account, &error))
}

fn failed(account: &AccountConfig, error: &StoreError) -> Stop {
    Stop::said(format!("account {}: {}", account.name, error.explain()))
}

fn place(place: &StoragePlace, env: &dyn Env) -> Result<Arc<dyn Storage>, Stop> {
    match place {
        StoragePlace::Path(path) => Ok(Arc::new(FileStorage::at(path))),
        StoragePlace::Url(url) => database(url, env),
    }
}

/// The database at `url`. Nothing is connected yet.
pub(super) fn database(url: &DatabaseUrl, env: &dyn Env) -> Result<Arc<dyn Storage>, Stop> {
    let database = PostgresStorage::at(url, env, Clock::system());
    Ok(Arc::new(database.map_err(|error| Stop::usage(error.explain()))?))
}
