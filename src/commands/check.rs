//! `check`: is the configuration right, does the plan fit, and with `--connect`, does each key work on each endpoint?

mod connect;
mod elsewhere;
mod running;

use std::sync::Arc;

use connect::connect;
use tracing::warn;

use super::{
    DOES_NOT_FIT, Ending, FAILED, Stop, clients, configured_storage, holding, load_all, output, plan, wire,
};
use crate::cli::{CheckArgs, Options};
use crate::config::Config;
use crate::env::Env;

pub(super) async fn check(options: Options, arguments: CheckArgs, env: impl Env + 'static) -> Ending {
    let (config, _) = load_all(&options, &env)?;
    if !arguments.connects() {
        // Names what can't be used of proxy and certificate authorities, also where no request is sent.
        clients(&config, &env)?;
    }
    output::print(&format!("the configuration is valid: {}\n", accounts(&config)))?;
    let storage = configured_storage(&config, &env)?;
    let mut failed = false;
    if arguments.connects() {
        failed = !try_keys(&config, Arc::new(env), arguments.shapes).await?;
    }
    let mut fits = true;
    for account in &config.accounts {
        // The configuration is as right without a database as with one.
        let saved = storage.peek(&account.name).await.unwrap_or_else(|error| {
            warn!(account = %account.name, "what is known of costs can't be read, they are estimated: {}", error.explain());
            None
        });
        let saved = saved.unwrap_or_default();
        let forecast = plan::of(account, &saved, &Default::default());
        if !forecast.plan.fits {
            fits = false;
            output::print(&format!(
                "account {}: the plan does not fit: {:.0} requests a day of {}; `plan` shows what gives\n",
                account.name, forecast.plan.requests_per_day, forecast.limit
            ))?;
        }
    }
    match (failed, fits) {
        (true, _) => Err(Stop::silent(FAILED)),
        (false, false) => Err(Stop::silent(DOES_NOT_FIT)),
        (false, true) => Ok(()),
    }
}

/// Tries the key of each account, within its budget, and says what came of it. True when nothing failed.
pub(super) async fn try_keys(config: &Config, env: Arc<dyn Env>, shapes: bool) -> Result<bool, Stop> {
    let shared = wire(config, env).await?;
    let tried = async {
        let mut all = true;
        for account in &config.accounts {
            all &= connect(&shared, account, shapes).await?;
        }
        Ok(all)
    };
    holding(Arc::clone(&shared.storage), tried).await
}

fn accounts(config: &Config) -> String {
    let names: Vec<_> = config
        .accounts
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    match names.len() {
        0 => "no account is of this shard".to_owned(),
        1 => format!("account {}", names[0]),
        many => format!("{many} accounts, {}", names.join(", ")),
    }
}
