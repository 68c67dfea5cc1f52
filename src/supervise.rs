//! Which accounts are polled: starts their tasks, and follows a new configuration without disturbing what it
//! leaves as it was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};

use crate::api::transport::{Https, Timeouts, Transport, TransportError};
use crate::budget::{AccountBudget, Limits};
use crate::cli::Env;
use crate::clock::Clock;
use crate::config::{AccountConfig, KeyError};
use crate::instrument::Instruments;
use crate::model::AccountName;
use crate::poll::{Heartbeat, Poller, Tools};
use crate::snapshot::Published;
use crate::store::{Storage, StoreError};

/// Pause between the first requests of two accounts, so that a thousand accounts don't begin in one second.
const STAGGER: Duration = Duration::from_millis(50);

/// What all accounts share.
pub struct Shared {
    /// Locked by this process.
    pub storage: Storage,
    /// What is served.
    pub published: Arc<Published>,
    /// What is counted.
    pub instruments: Arc<Instruments>,
    /// What time it is.
    pub clock: Clock,
    /// Where keys in variables are, and where systemd puts credentials.
    pub env: Arc<dyn Env>,
}

/// An account that can't be polled.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its key can't be read.
    #[error("account {0}: {1}")]
    Key(AccountName, #[source] KeyError),
    /// Its folder can't be used.
    #[error("account {0}: {1}")]
    Store(AccountName, StoreError),
    /// No HTTPS client can be made.
    #[error("account {0}: {1}")]
    Transport(AccountName, TransportError),
}

impl Shared {
    /// Opens what one account's poller works with: key, ledger, snapshot, client.
    ///
    /// # Errors
    /// When any of them can't be had.
    pub fn open(&self, config: &Arc<AccountConfig>) -> Result<Tools, OpenError> {
        let name = || config.name.clone();
        let key = config
            .key
            .read(self.env.as_ref())
            .map_err(|error| OpenError::Key(name(), error))?;
        let store = Arc::new(
            self.storage
                .account(&config.name)
                .map_err(|error| OpenError::Store(name(), error))?,
        );
        let limits = Limits {
            per_second: config.budget.requests_per_second,
            per_minute: config.budget.requests_per_minute,
            per_day: config.budget.per_day_limit(),
        };
        let instruments = self.instruments.account(&config.name);
        let budget = AccountBudget::open(&store, limits, self.clock.clone(), Arc::clone(&instruments))
            .map_err(|error| OpenError::Store(name(), error))?;
        let transport = Https::new(config.base_url.as_str(), key.clone(), Timeouts::default())
            .map_err(|error| OpenError::Transport(name(), error))?;
        let source = config.key.clone();
        let env = Arc::clone(&self.env);
        Ok(Tools {
            config: Arc::clone(config),
            transport: Arc::new(transport) as Arc<dyn Transport>,
            budget: Arc::new(budget),
            store,
            instruments,
            published: Arc::clone(&self.published),
            clock: self.clock.clone(),
            key,
            read_key: Arc::new(move || source.read(env.as_ref()).map_err(|error| error.to_string())),
            heartbeat: Arc::new(Heartbeat::default()),
        })
    }
}

struct Task {
    config: Arc<AccountConfig>,
    heartbeat: Arc<Heartbeat>,
    stop: CancellationToken,
    handle: JoinHandle<()>,
}

/// The running accounts.
pub struct Supervisor {
    shared: Shared,
    tracker: TaskTracker,
    tasks: Mutex<BTreeMap<AccountName, Task>>,
    /// Held while accounts are started and stopped: one change at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Supervisor {
    /// Nothing runs yet.
    pub fn new(shared: Shared) -> Self {
        Self {
            shared,
            tracker: TaskTracker::new(),
            tasks: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// What all accounts share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes `accounts` the ones that run: whole or not at all, as far as keys and folders can be opened. Accounts
    /// whose configuration is unchanged go on undisturbed; what is known of those that left is gone at once.
    ///
    /// # Errors
    /// When an account that is new or changed can't be opened; then everything stays as it was.
    pub async fn apply(&self, accounts: &[AccountConfig]) -> Result<(), OpenError> {
        let _one_at_a_time = self.changing.lock().await;
        let unchanged = |config: &AccountConfig| {
            self.lock()
                .get(&config.name)
                .is_some_and(|task| *task.config == *config && !task.handle.is_finished())
        };
        let (kept, begun): (Vec<_>, Vec<_>) = accounts.iter().partition(|config| unchanged(config));
        // A key that can't be read is found before anything is stopped.
        for config in &begun {
            config
                .key
                .read(self.shared.env.as_ref())
                .map_err(|error| OpenError::Key(config.name.clone(), error))?;
        }
        let stopped = self.take(|name| !kept.iter().any(|config| config.name == *name));
        for task in stopped.values() {
            task.stop.cancel();
        }
        for (name, task) in stopped {
            if task.handle.await.is_err() {
                error!(account = %name, "the account's poller had died");
            }
            if !begun.iter().any(|config| config.name == name) {
                info!(account = %name, "no longer configured");
                self.shared.published.remove(&name);
                self.shared.instruments.remove(&name);
            }
        }
        let mut failed = None;
        for (index, config) in begun.into_iter().enumerate() {
            match self.start(config, STAGGER * u32::try_from(index).unwrap_or(u32::MAX)) {
                Ok(()) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn start(&self, config: &AccountConfig, stagger: Duration) -> Result<(), OpenError> {
        let config = Arc::new(config.clone());
        let tools = self.shared.open(&config)?;
        let heartbeat = Arc::clone(&tools.heartbeat);
        let stop = CancellationToken::new();
        let poller = Poller::restore(tools);
        let stopped = stop.clone();
        let handle = self.tracker.spawn(async move {
            let early = stopped.clone().run_until_cancelled_owned(sleep(stagger)).await;
            if early.is_some() {
                poller.run(stopped).await;
            }
        });
        self.lock().insert(
            config.name.clone(),
            Task {
                config,
                heartbeat,
                stop,
                handle,
            },
        );
        Ok(())
    }

    /// Ends all tasks and waits for them: what they know is on disk when this returns.
    pub async fn stop(&self) {
        let _one_at_a_time = self.changing.lock().await;
        for task in self.take(|_| true).into_values() {
            task.stop.cancel();
        }
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Whether every account's task lives.
    ///
    /// # Errors
    /// Names the first that doesn't.
    pub fn healthy(&self) -> Result<(), String> {
        let tasks = self.lock();
        let dead = tasks
            .iter()
            .find(|(_, task)| task.handle.is_finished() || !task.heartbeat.is_alive());
        dead.map_or(Ok(()), |(name, _)| {
            Err(format!(
                "the poller of account {name} is dead or stuck; restart the exporter"
            ))
        })
    }

    /// Names of the running accounts.
    pub fn accounts(&self) -> Vec<AccountName> {
        self.lock().keys().cloned().collect()
    }

    fn take(&self, which: impl Fn(&AccountName) -> bool) -> BTreeMap<AccountName, Task> {
        let mut tasks = self.lock();
        let (taken, left) = std::mem::take(&mut *tasks)
            .into_iter()
            .partition(|(name, _)| which(name));
        *tasks = left;
        taken
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountName, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
