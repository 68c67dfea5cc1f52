//! `demo`: `serve` against a simulated organisation inside the same process.

use std::env::temp_dir;
use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tracing::info;

use super::backfill::write;
use super::exporter::{App, say_version};
use super::signals::interrupted;
use super::simulate::organisation;
use super::{Ending, Stop, load_web, wire};
use crate::cli::{BackfillArgs, DemoArgs, Options};
use crate::config::{AccountConfig, Config, KeySource, SegmentAttribute};
use crate::env::Env;
use crate::model::{AccountName, Collector, PerCollector};
use crate::secret::ApiKey;

/// Refreshes often enough that something is seen to move; the simulated quota is as large as that needs.
const INTERVAL: Duration = Duration::from_secs(5);

pub(super) async fn demo(options: Options, arguments: DemoArgs, env: impl Env + 'static) -> Ending {
    say_version();
    let web = load_web(&options)?;
    let simulator = Arc::new(organisation(&arguments.organisation)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(Stop::failed)?;
    let address = listener.local_addr().map_err(Stop::failed)?;
    let storage = Temporary::new("data");
    let account = account(&format!("http://{address}"))?;
    info!("a simulated organisation; nothing here is real");
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { knowbe4_simulator::serve(simulator, listener, std::future::pending()).await });
    let env: Arc<dyn Env> = Arc::new(env);
    if let Some(file) = arguments.history {
        info!(file = %file.display(), "writing a year of its history");
        // What was asked for the past is nothing to what is served: it has a ledger of its own.
        let past = Temporary::new("history");
        let config = Config::for_one(account.clone(), past.0.clone());
        write(&config, wire(&config, Arc::clone(&env)).await?, &history(file)).await?;
    }
    let config = Config::for_one(account, storage.0.clone());
    let again = config.clone();
    let app = App::build(options, config, web, env, Arc::new(move || Ok(again.clone()))).await?;
    let ending = app.run(interrupted()).await;
    tasks.shutdown().await;
    ending
}

/// With the labels that the README's Prometheus adds.
fn history(output: PathBuf) -> BackfillArgs {
    BackfillArgs {
        output,
        account: None,
        // A year, and the day whose mean is that of a year ago.
        since: "366d".to_owned(),
        step: "4m".to_owned(),
        label: vec!["job=knowbe4".to_owned(), "instance=localhost:10524".to_owned()],
    }
}

fn account(base_url: &str) -> Result<AccountConfig, Stop> {
    let name: AccountName = "demo".parse().map_err(Stop::failed)?;
    let key = KeySource::Fixed(ApiKey::new("demo").map_err(Stop::failed)?);
    let mut account = AccountConfig::new(name, base_url.parse().map_err(Stop::failed)?, key);
    account.budget.requests_per_day = 10_000_000;
    account.budget.requests_per_minute = 6000;
    account.budget.requests_per_second = 100;
    account.segments = vec![SegmentAttribute::Department, SegmentAttribute::Location];
    let plain = account.collectors;
    account.collectors = PerCollector::new(|collector: Collector| {
        let mut settings = plain[collector];
        settings.min_interval = INTERVAL;
        settings
    });
    Ok(account)
}

/// A folder of this process alone, removed with its value.
struct Temporary(PathBuf);

impl Temporary {
    fn new(what: &str) -> Self {
        Self(temp_dir().join(format!("knowbe4-exporter-demo-{}-{what}", process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // What can't be removed is small, and the system clears this place.
        let _ = fs::remove_dir_all(&self.0);
    }
}
