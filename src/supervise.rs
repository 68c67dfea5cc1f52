//! Which accounts are polled: starts their tasks, and follows a new configuration without disturbing what it
//! leaves as it was.
//!
//! A change has two halves. In the first all that can fail is tried (`open`), and nobody sees any of it; in the
//! second nothing can fail any more.

mod keys;
mod lanes;
mod life;
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
use self::life::{Holding, Life};
use self::open::{Kept, Opened, limits};
pub use self::open::{OpenError, Shared};
use crate::config::{AccountConfig, fingerprint};
use crate::instrument::AccountInstruments;
use crate::model::AccountName;
use crate::poll::{Heartbeat, Nudge};

/// Pause between the first requests of two accounts, so that a thousand accounts don't begin in one second.
const STAGGER: Duration = Duration::from_millis(50);

/// Within this all accounts have begun, however many they are.
const LONGEST_STAGGER: Duration = Duration::from_secs(60);

struct Task {
    config: Arc<AccountConfig>,
    instruments: Arc<AccountInstruments>,
    holding: Holding,
    heartbeat: Arc<Heartbeat>,
    nudge: Arc<Nudge>,
    stop: CancellationToken,
    /// [`None`] while another task takes its place.
    handle: Option<JoinHandle<()>>,
}

impl Task {
    fn has_ended(&self) -> bool {
        self.handle.as_ref().is_some_and(JoinHandle::is_finished)
    }

    fn kept(&self) -> Kept {
        Kept {
            instruments: Arc::clone(&self.instruments),
            held: self
                .holding
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
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
        let names = accounts.iter().map(|config| config.name.clone()).collect();
        self.shared.storage.configured(names, fingerprint(accounts));
        let configured = |name: &AccountName| accounts.iter().any(|config| config.name == *name);
        let replaced = |name: &AccountName| begun.iter().any(|opened| opened.config.name == *name);
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
                let held = self.lock().remove(&name).and_then(|task| task.kept().held);
                if let Some(held) = held {
                    held.lease.release().await;
                }
                self.shared.published.remove(&name);
                self.shared.instruments.remove(&name);
                self.shared.keys.end(&name);
            }
        }
        self.start(begun).await;
        Ok(())
    }

    /// Opens the accounts that are new, changed or dead.
    async fn open(&self, accounts: &[AccountConfig]) -> Result<Vec<Opened>, OpenError> {
        let opening: Vec<_> = {
            let tasks = self.lock();
            let begun = accounts.iter().filter(|config| {
                let running = tasks.get(&config.name);
                !running.is_some_and(|task| *task.config == **config && !task.has_ended())
            });
            begun
                .map(|config| {
                    let kept = tasks.get(&config.name).map(Task::kept);
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
    async fn start(&self, begun: Vec<Opened>) {
        let stagger = STAGGER.min(LONGEST_STAGGER / u32::try_from(begun.len()).unwrap_or(u32::MAX).max(1));
        let lives: Vec<_> = begun.into_iter().map(|opened| self.life(opened)).collect();
        let waiting = lives.iter().filter(|(life, _)| life.opened.kept.held.is_none());
        let waiting = waiting.count();
        if waiting > 0 {
            info!(
                accounts = waiting,
                storage = self.shared.storage.place(),
                "another process uses this storage: what it saves is served, and nothing is sent until it ends or gives them up"
            );
        }
        let restored = in_lanes(lives, |(life, another_key)| async move {
            let mut poller = life.begin().await;
            if let Some(poller) = poller.as_mut().filter(|_| another_key) {
                poller.ask_refused_again().await;
            }
            (life, poller)
        });
        for (index, (life, poller)) in restored.await.into_iter().enumerate() {
            let pause = stagger * u32::try_from(index).unwrap_or(u32::MAX);
            let Opened {
                config,
                kept,
                heartbeat,
                nudge,
                ..
            } = &life.opened;
            let name = config.name.clone();
            let mut task = Task {
                config: Arc::clone(config),
                instruments: Arc::clone(&kept.instruments),
                holding: Arc::clone(&life.holding),
                heartbeat: Arc::clone(heartbeat),
                nudge: Arc::clone(nudge),
                stop: life.stop.clone(),
                handle: None,
            };
            let stopped = life.stop.clone();
            task.handle = Some(self.tracker.spawn(async move {
                if stopped.run_until_cancelled_owned(sleep(pause)).await.is_some() {
                    life.run(poller).await;
                }
            }));
            self.lock().insert(name, task);
        }
    }

    /// The life of an account, which takes up what the task before it held; whether it has another key than that.
    fn life(&self, mut opened: Opened) -> (Life, bool) {
        let mut another_key = false;
        if let Some(before) = self.lock().get(&opened.config.name) {
            opened.kept = before.kept();
            another_key = before.config.key != opened.config.key;
        }
        if let Some(held) = &opened.kept.held {
            held.budget.set_limits(limits(&opened.config));
        }
        self.shared.keys.begin(&opened.config.name, opened.key());
        let instruments = Arc::clone(&opened.kept.instruments);
        self.shared.instruments.insert(&opened.config.name, instruments);
        let life = Life {
            shared: Arc::clone(&self.shared),
            holding: Arc::new(Mutex::new(opened.kept.held.clone())),
            opened,
            stop: CancellationToken::new(),
        };
        (life, another_key)
    }

    /// Somebody has changed something: what an account was refused is asked for once more.
    pub fn ask_again(&self) {
        for task in self.lock().values() {
            task.nudge.ask_again();
        }
    }

    /// Lets every account look at its clocks now.
    pub fn wake(&self) {
        for task in self.lock().values() {
            task.nudge.wake();
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
        let held: Vec<_> = self.lock().values().filter_map(|task| task.kept().held).collect();
        in_lanes(held, |held| async move { held.lease.release().await }).await;
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
