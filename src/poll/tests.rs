//! What becomes of a bug: whoever waits for the poller ends with it.

use std::sync::Arc;

use quota::{Limits, Permit};
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Poller, Tools};
use crate::api::transport::{Call, Sending, Transport};
use crate::clock::Clock;
use crate::config::{AccountConfig, KeySource};
use crate::secret::ApiKey;
use crate::store::{FileStorage, Storage as _};

/// An API that answers with a bug.
struct Broken;

impl Transport for Broken {
    fn send<'a>(&'a self, _: &'a Call, _: Permit) -> Sending<'a> {
        Box::pin(async { panic!("a bug") })
    }

    fn host(&self) -> &str {
        "simulated"
    }

    fn set_key(&self, _: ApiKey) {}
}

const LIMITS: Limits = Limits {
    per_second: 4,
    per_minute: 60,
    per_day: 1000,
};

async fn poller(storage: &FileStorage) -> Poller {
    let key = ApiKey::new("key").expect("a key");
    let name = "acme".parse().expect("a name");
    let url = "https://simulated.example".parse().expect("a URL");
    let clock = Clock::anchored(1_780_000_000.0);
    let lease = storage.lease(&name).await.expect("a lease");
    let budget = lease.budget(LIMITS, clock.clone()).await.expect("a budget");
    Poller::restore(Tools {
        config: Arc::new(AccountConfig::new(name, url, KeySource::Fixed(key.clone()))),
        transport: Arc::new(Broken),
        budget: Arc::new(budget),
        lease,
        instruments: Arc::default(),
        published: Arc::default(),
        clock,
        key: key.clone(),
        read_key: Arc::new(move || Ok(key.clone())),
        heartbeat: Arc::default(),
        nudge: Arc::default(),
    })
    .await
}

/// How a task of its own ended.
async fn end(task: impl Future<Output = ()> + Send + 'static) -> Result<(), JoinError> {
    let mut tasks = JoinSet::new();
    tasks.spawn(task);
    tasks.join_next().await.expect("the task")
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_refresh_ends_whoever_reads_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let poller = poller(&FileStorage::at(dir.path())).await;
    let ended = end(async { _ = poller.once().await }).await;
    assert!(ended.is_err_and(|error| error.is_panic()));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_refresh_ends_the_accounts_task() {
    let dir = tempfile::tempdir().expect("a folder");
    let poller = poller(&FileStorage::at(dir.path())).await;
    let ended = end(async { _ = poller.run(CancellationToken::new()).await }).await;
    assert!(ended.is_err_and(|error| error.is_panic()));
}
