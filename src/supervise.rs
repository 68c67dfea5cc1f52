//! Which accounts are polled: starts their tasks, and follows a new configuration without disturbing what it
//! leaves as it was.
//!
//! A change has two halves. In the first all that can fail is tried (`open`), and nobody sees any of it; in the
//! second nothing can fail any more.

mod lanes;
mod open;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info};

use self::lanes::in_lanes;
use self::open::{Kept, limits};
pub use self::open::{OpenError, Shared};
use crate::config::AccountConfig;
use crate::model::AccountName;
use crate::poll::{Heartbeat, Poller, Tools};

/// Pause between the first requests of two accounts, so that a thousand accounts don't begin in one second.
const STAGGER: Duration = Duration::from_millis(50);

/// Within this all accounts have begun, however many they are.
const LONGEST_STAGGER: Duration = Duration::from_secs(60);

struct Task {
    config: Arc<AccountConfig>,
    kept: Kept,
    heartbeat: Arc<Heartbeat>,
    stop: CancellationToken,
    /// [`None`] while another task takes its place.
    handle: Option<JoinHandle<()>>,
}

impl Task {
    fn has_ended(&self) -> bool {
        self.handle.as_ref().is_some_and(JoinHandle::is_finished)
    }

    fn lives(&self) -> bool {
        self.heartbeat.is_alive() && !self.has_ended()
    }
}

/// The running accounts.
pub struct Supervisor {
    shared: Arc<Shared>,
    tracker: TaskTracker,
    tasks: Mutex<BTreeMap<AccountName, Task>>,
    /// Held while accounts are started and stopped: one change at a time.
    changing: tokio::sync::Mutex<()>,
}

impl Supervisor {
    /// Nothing runs yet.
    pub fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
            tracker: TaskTracker::new(),
            tasks: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    /// What all accounts share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Makes `accounts` the ones that run: whole or not at all. Accounts whose configuration is unchanged go on
    /// undisturbed; what is known of those that left is gone when this returns.
    ///
    /// # Errors
    /// When an account that is new or changed can't be opened; then everything stays as it was.
    pub async fn apply(&self, accounts: &[AccountConfig]) -> Result<(), OpenError> {
        let _one_at_a_time = self.changing.lock().await;
        if self.tracker.is_closed() {
            return Err(OpenError::Stopping);
        }
        let begun = self.open(accounts).await?;
        // Nothing fails from here on.
        let configured = |name: &AccountName| accounts.iter().any(|config| config.name == *name);
        let replaced = |name: &AccountName| begun.iter().any(|tools| tools.config.name == *name);
        let ending: Vec<_> = self
            .lock()
            .iter_mut()
            .filter(|(name, _)| replaced(name) || !configured(name))
            .filter_map(|(name, task)| {
                task.stop.cancel();
                Some((name.clone(), task.handle.take()?))
            })
            .collect();
        for (name, handle) in ending {
            if handle.await.is_err() {
                error!(account = %name, "the account's poller had died");
            }
            if !configured(&name) {
                info!(account = %name, "no longer configured");
                self.lock().remove(&name);
                self.shared.published.remove(&name);
                self.shared.instruments.remove(&name);
            }
        }
        self.start(begun).await;
        Ok(())
    }

    /// Opens the accounts that are new, changed or dead.
    async fn open(&self, accounts: &[AccountConfig]) -> Result<Vec<Tools>, OpenError> {
        let opening: Vec<_> = {
            let tasks = self.lock();
            let begun = accounts.iter().filter(|config| {
                let running = tasks.get(&config.name);
                !running.is_some_and(|task| *task.config == **config && !task.has_ended())
            });
            begun
                .map(|config| {
                    let kept = tasks.get(&config.name).map(|task| task.kept.clone());
                    (Arc::new(config.clone()), kept)
                })
                .collect()
        };
        let shared = Arc::clone(&self.shared);
        let opened = in_lanes(opening, move |(config, kept)| {
            let shared = Arc::clone(&shared);
            async move { shared.prepare(&config, kept).await }
        })
        .await;
        opened.into_iter().collect()
    }

    /// Starts what was opened, one after the other.
    async fn start(&self, begun: Vec<Tools>) {
        let stagger = STAGGER.min(LONGEST_STAGGER / u32::try_from(begun.len()).unwrap_or(u32::MAX).max(1));
        let another_key: Vec<bool> = {
            let tasks = self.lock();
            let another = |tools: &Tools| {
                let running = tasks.get(&tools.config.name);
                running.is_some_and(|task| task.config.key != tools.config.key)
            };
            begun.iter().map(another).collect()
        };
        let shared = Arc::clone(&self.shared);
        let restore = move |(tools, another_key): (Tools, bool)| {
            let instruments = Arc::clone(&shared.instruments);
            let config = Arc::clone(&tools.config);
            let heartbeat = Arc::clone(&tools.heartbeat);
            let kept = Kept {
                budget: Arc::clone(&tools.budget),
                lease: Arc::clone(&tools.lease),
                instruments: Arc::clone(&tools.instruments),
            };
            kept.budget.set_limits(limits(&config));
            async move {
                instruments.insert(&config.name, Arc::clone(&kept.instruments));
                let mut poller = Poller::restore(tools).await;
                if another_key {
                    poller.ask_refused_again();
                }
                (config, kept, heartbeat, poller)
            }
        };
        let restored = in_lanes(begun.into_iter().zip(another_key).collect(), restore).await;
        for (index, (config, kept, heartbeat, poller)) in restored.into_iter().enumerate() {
            let pause = stagger * u32::try_from(index).unwrap_or(u32::MAX);
            let stop = CancellationToken::new();
            let stopped = stop.clone();
            let handle = self.tracker.spawn(async move {
                let early = stopped.clone().run_until_cancelled_owned(sleep(pause)).await;
                if early.is_some() {
                    poller.run(stopped).await;
                }
            });
            let task = Task {
                config: Arc::clone(&config),
                kept,
                heartbeat,
                stop,
                handle: Some(handle),
            };
            self.lock().insert(config.name.clone(), task);
        }
    }

    /// Ends all tasks and waits for them: what they know is on disk when this returns. Nothing starts any more.
    pub async fn stop(&self) {
        let _one_at_a_time = self.changing.lock().await;
        for task in self.lock().values() {
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
        let dead = tasks.iter().find(|(_, task)| !task.lives());
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

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<AccountName, Task>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
