//! `check`: is the configuration right, does the plan fit, and with `--connect`, does each key work on each endpoint?

use std::sync::Arc;

use super::serve::wire;
use super::{DOES_NOT_FIT, Ending, FAILED, Stop, load_all, output, plan};
use crate::api::page::Seen;
use crate::api::{Client, Probe};
use crate::cli::{CheckArgs, Env, Options};
use crate::collect;
use crate::config::{AccountConfig, Config};
use crate::model::Collector;
use crate::store::Storage;
use crate::supervise::Shared;

/// Difference of clocks beyond which a Retry-After date, and every timestamp, is off by something that matters.
const SKEW: f64 = 60.0;

pub(super) async fn check(options: Options, arguments: CheckArgs, env: impl Env + 'static) -> Ending {
    let (config, _) = load_all(&options, &env)?;
    output::print(&format!("the configuration is valid: {}\n", accounts(&config)))?;
    let mut failed = false;
    if arguments.connects() {
        let shared = wire(&config, Arc::new(env))?;
        for account in &config.accounts {
            failed |= !connect(&shared, account, arguments.shapes).await?;
        }
    }
    let mut fits = true;
    for account in &config.accounts {
        let saved = Storage::peek(&config.storage_path, &account.name).unwrap_or_default();
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

fn accounts(config: &Config) -> String {
    let names: Vec<_> = config
        .accounts
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    match names.len() {
        1 => format!("account {}", names[0]),
        many => format!("{many} accounts, {}", names.join(", ")),
    }
}

/// Tries one account. True when all its endpoints answer as they should.
async fn connect(shared: &Shared, account: &AccountConfig, shapes: bool) -> Result<bool, Stop> {
    let tools = shared.open(&Arc::new(account.clone())).map_err(Stop::failed)?;
    let client = Client::new(
        tools.transport,
        tools.budget,
        Arc::clone(&tools.instruments),
        tools.clock,
    );
    output::print(&format!(
        "account {} at {}\n",
        account.name,
        account.base_url.as_str()
    ))?;
    let mut good = true;
    let mut skew = None;
    for collector in Collector::ALL
        .into_iter()
        .filter(|collector| account.collectors[*collector].enabled)
    {
        let endpoint = collect::endpoint(collector);
        match client.probe(endpoint).await {
            Ok(probe) => {
                skew = skew.or(probe.skew);
                output::print(&format!("  {collector}: ok, {}\n", describe(&probe)))?;
                if shapes {
                    output::print(&format!("    headers: {}\n", probe.headers.join(", ")))?;
                    let shape: String = probe.shape.iter().map(|line| format!("    {line}\n")).collect();
                    output::print(&shape)?;
                }
            }
            Err(error) => {
                good = false;
                let failure = client.explain(&error, endpoint);
                let id = failure
                    .request_id
                    .map(|id| format!("\n    request id: {id}"))
                    .unwrap_or_default();
                output::print(&format!(
                    "  {collector}: FAILED ({})\n    cause: {}\n    cure: {}{id}\n",
                    failure.reason.as_str(),
                    failure.cause,
                    failure.cure
                ))?;
            }
        }
    }
    if let Some(skew) = skew.filter(|skew| skew.abs() > SKEW) {
        output::print(&format!(
            "  this machine's clock differs from the server's by {skew:.0} s: set it by NTP\n"
        ))?;
    }
    let spent: u64 = tools.instruments.read().requests.values().sum();
    let [_, _, used] = tools.instruments.read().budget.used;
    output::print(&format!(
        "  this cost {spent} requests; {used} of {} used in 24 hours\n",
        account.budget.per_day_limit()
    ))?;
    Ok(good)
}

fn describe(probe: &Probe) -> String {
    let Some(elements) = probe.elements else {
        return "an object".to_owned();
    };
    let Seen {
        next_cursor,
        linked,
        total_pages,
        total,
        ..
    } = &probe.paging;
    let paging = if next_cursor.is_some() {
        "pages by cursor"
    } else if *linked || total_pages.is_some() || total.is_some() {
        "pages by number, announced"
    } else {
        "no sign of more"
    };
    format!("{elements} rows in the first page, {paging}")
}
