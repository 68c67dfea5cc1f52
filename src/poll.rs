//! One task per account: a machine that decides, and a loop that does what it decided.
//!
//! The task owns everything about its account, so that nothing that happens here touches another account. What is
//! begun, tried again, planned and given up is decided in `machine`, which knows neither a network nor a clock; here
//! is what it wants done: refreshes run, the key is read, the snapshot is kept and served. A task that dies stops
//! beating its heart, and `/-/healthy` says so.

mod effect;
mod event;
mod heartbeat;
mod machine;
mod nudge;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug_span, warn};

use self::effect::{Effect, Order};
use self::event::{Ended, Event, Now};
pub use self::heartbeat::Heartbeat;
use self::machine::{Machine, TICK};
pub use self::nudge::Nudge;
use crate::api::Client;
use crate::api::transport::Transport;
use crate::clock::{Clock, Noticed, Watch};
use crate::collect::{Archive, Inputs, RecipientsInputs, collect, restrict};
use crate::config::{AccountConfig, KeyError};
use crate::instrument::AccountInstruments;
use crate::join::unless_cancelled;
use crate::model::{Collector, Failure, Reason};
use crate::secret::ApiKey;
use crate::snapshot::{AccountSnapshot, Published};
use crate::store::{Lease, LeaseEnd};
use quota::Budget;

/// Most requests of one refresh of recipients: what is read is seen every minute or so while there is much to read.
const RECIPIENTS_BATCH: u64 = 50;

/// Reads the account's key again from where the configuration says it is.
pub type ReadKey = Arc<dyn Fn() -> Result<ApiKey, KeyError> + Send + Sync>;

/// What an account's task works with.
pub struct Tools {
    /// What to collect.
    pub config: Arc<AccountConfig>,
    /// The way to the API.
    pub transport: Arc<dyn Transport>,
    /// What may be sent.
    pub budget: Arc<Budget>,
    /// Leave to poll it, and where it is kept.
    pub lease: Arc<dyn Lease>,
    /// Where it is counted.
    pub instruments: Arc<AccountInstruments>,
    /// Where it is served from.
    pub published: Arc<Published>,
    /// What time it is.
    pub clock: Clock,
    /// The key in use, and how to read it again.
    pub key: ApiKey,
    /// See [`ReadKey`].
    pub read_key: ReadKey,
    /// Beaten while the task lives.
    pub heartbeat: Arc<Heartbeat>,
    /// Wakes the task from outside.
    pub nudge: Arc<Nudge>,
}

/// The part of a snapshot that the configuration lets be seen.
pub fn shown(mut snapshot: AccountSnapshot, config: &AccountConfig) -> AccountSnapshot {
    for (collector, settings) in config.collectors.iter() {
        if !settings.enabled {
            snapshot.clear(collector);
        }
    }
    restrict(&mut snapshot, config);
    snapshot
}

/// One account's poller.
pub struct Poller {
    tools: Tools,
    client: Arc<Client>,
    machine: Machine,
    /// Who did what in phishing tests.
    archive: Arc<Mutex<Archive>>,
    /// Most requests of one refresh of recipients.
    recipients_batch: u64,
    watch: Watch,
    running: JoinSet<Ended>,
    /// Readings of the key under way, beside everything else: its place may not answer.
    reading: JoinSet<Result<ApiKey, KeyError>>,
    key_checked: Instant,
    /// Whether the snapshot could not be kept the last time.
    unsaved: bool,
}

impl Poller {
    /// Takes up where the last run ended: its snapshot is published before this returns.
    pub async fn restore(tools: Tools) -> Self {
        let account = &tools.config.name;
        let client = Client::new(
            Arc::clone(&tools.transport),
            Arc::clone(&tools.budget),
            Arc::clone(&tools.instruments),
            tools.clock.clone(),
        );
        let saved = tools.lease.load().await.unwrap_or_else(|error| {
            warn!(%account, "what was kept can't be read, it begins without: {}", error.explain());
            None
        });
        let restored = saved.is_some();
        let saved = saved.unwrap_or_default();
        let now = now(&tools.clock);
        let machine = Machine::restore(
            Arc::clone(&tools.config),
            tools.transport.host(),
            tools.key.clone(),
            &saved,
            shown(saved.snapshot.clone(), &tools.config),
            now,
        );
        if let Some(forecast) = machine.beyond_the_budget() {
            warn!(
                %account,
                requests_per_day = forecast.plan.requests_per_day,
                limit = forecast.limit,
                "the plan does not fit the budget, which is kept all the same; `plan` shows what fits"
            );
        }
        tools.instruments.update(|state| {
            state.up = saved.up;
            state.snapshot_restored = restored;
        });
        let archive = Archive::new(account.clone(), Arc::clone(&tools.lease));
        let mut poller = Self {
            client: Arc::new(client),
            machine,
            archive: Arc::new(Mutex::new(archive)),
            recipients_batch: RECIPIENTS_BATCH,
            watch: Watch::new(&tools.clock, now.instant),
            running: JoinSet::new(),
            reading: JoinSet::new(),
            key_checked: now.instant,
            unsaved: false,
            tools,
        };
        poller.show();
        poller.perform().await;
        poller
    }

    /// Polls until it is stopped, or until the account is to be polled elsewhere: then it says why.
    pub async fn run(mut self, stop: CancellationToken) -> Option<LeaseEnd> {
        let lease = Arc::clone(&self.tools.lease);
        let nudge = Arc::clone(&self.tools.nudge);
        let end = loop {
            self.tools.heartbeat.beat();
            if nudge.take() {
                self.take_in(Event::Nudged).await;
            }
            self.tools.budget.note_clock().await;
            let noticed = self.watch.look(&self.tools.clock, Instant::now());
            if noticed != Noticed::default() {
                self.take_in(Event::Clocks(noticed)).await;
            }
            if self.reading.is_empty() && self.key_checked.elapsed() >= TICK {
                self.begin_reading();
            }
            self.machine
                .begin_due(now(&self.tools.clock), &*self.tools.budget);
            self.perform().await;
            self.show();
            let wake = self.machine.wake(now(&self.tools.clock));
            let happened = tokio::select! {
                () = stop.cancelled() => break None,
                end = lease.ended() => break Some(end),
                () = nudge.woken() => None,
                event = next(&mut self.running, &mut self.reading) => event,
                () = sleep_until(wake) => None,
            };
            if let Some(event) = happened {
                self.take_in(event).await;
            }
        };
        let cut_off = !self.running.is_empty();
        self.running.shutdown().await;
        // What has ended is on disk already: a thousand accounts needn't write it again while a service manager waits.
        if end != Some(LeaseEnd::Lost) && (cut_off || self.unsaved) {
            self.save().await;
        }
        end
    }

    /// Refreshes every collector once, the cheap ones first. Says which failed, and why. What the budget has no room
    /// for is not begun.
    pub async fn once(mut self) -> Vec<(Collector, Failure)> {
        self.recipients_batch = u64::MAX;
        let mut failed = Vec::new();
        for collector in self.machine.order() {
            if self.machine.is_planned(collector) {
                self.machine
                    .try_now(collector, now(&self.tools.clock), &*self.tools.budget);
                self.perform().await;
                while !self.running.is_empty() || self.machine.awaits_key() {
                    if let Some(event) = next(&mut self.running, &mut self.reading).await {
                        self.take_in(event).await;
                    }
                }
            }
            let failure = self.machine.failure(collector).cloned();
            let refused = matches!(&failure, Some(failure) if failure.reason == Reason::Unauthorized);
            failed.extend(failure.map(|failure| (collector, failure)));
            if refused && self.machine.is_stopped() {
                break;
            }
        }
        self.show();
        self.save().await;
        failed
    }

    /// Another key or another server may answer what was refused; the rest keeps its phase.
    pub async fn ask_refused_again(&mut self) {
        self.take_in(Event::Reconfigured).await;
    }

    async fn take_in(&mut self, event: Event) {
        self.machine
            .on(event, now(&self.tools.clock), &*self.tools.budget);
        self.perform().await;
        // After what it brought: whoever sees the success finds the data.
        self.show();
    }

    /// Does what the machine wants done.
    async fn perform(&mut self) {
        for effect in self.machine.take_effects() {
            match effect {
                Effect::Begin(order) => self.begin(order),
                Effect::CutOff => self.running.shutdown().await,
                Effect::ReadKey => self.begin_reading(),
                Effect::UseKey(key) => self.tools.transport.set_key(key),
                Effect::Count(collector, reason) => self.tools.instruments.failure(collector, reason),
                Effect::Save => self.save().await,
                Effect::Publish => self.publish(),
                Effect::Say(notice) => notice.log(&self.tools.config.name),
            }
        }
    }

    fn begin(&mut self, order: Order) {
        let Order {
            collector,
            mut refresh,
            scope,
        } = order;
        let started_at = self.tools.clock.now();
        let client = Arc::clone(&self.client);
        let config = Arc::clone(&self.tools.config);
        let directory = self.machine.directory().cloned();
        let snapshot = self.machine.snapshot();
        let campaigns = snapshot.training_campaigns.as_ref();
        let campaigns = campaigns.map(|collected| Arc::clone(&collected.data));
        let tests = snapshot.phishing_tests.as_ref();
        let tests = tests.map(|collected| Arc::clone(&collected.data));
        let last = snapshot.recipients.as_ref();
        let last = last.map(|collected| Arc::clone(&collected.data));
        let archive = Arc::clone(&self.archive);
        let key = self.machine.key().clone();
        let (plan, batch) = (self.machine.recipients(), self.recipients_batch);
        // What happens on the way names whose it is.
        let span = debug_span!("refresh", account = %self.tools.config.name, %collector);
        let work = async move {
            let started = Instant::now();
            let inputs = Inputs {
                config: &config,
                now: started_at,
                directory: directory.as_deref(),
                campaigns: campaigns.as_deref(),
                enrollments: scope,
                recipients: Some(RecipientsInputs {
                    archive: &archive,
                    tests: tests.as_deref(),
                    last: last.as_deref(),
                    key: &key,
                    plan,
                    batch,
                }),
            };
            let result = collect(&client, &mut refresh, collector, inputs).await;
            Ended {
                collector,
                started,
                started_at,
                requests: refresh.requests(),
                retries: refresh.retries(),
                scope,
                result,
                hold: refresh.take_hold(),
            }
        };
        self.running.spawn(work.instrument(span));
    }

    /// Looks what the key is where it is kept.
    fn begin_reading(&mut self) {
        self.key_checked = Instant::now();
        let read = Arc::clone(&self.tools.read_key);
        self.reading.spawn_blocking(move || read());
    }

    /// Lets pages and series see what is planned, under way and done.
    fn show(&self) {
        self.tools.instruments.update(|state| {
            state.collectors = self.machine.statuses(true);
            state.plan_requests_per_day = Some(self.machine.requests_per_day());
        });
    }

    fn publish(&self) {
        let snapshot = Arc::new(self.machine.snapshot().clone());
        self.tools.published.publish(&self.tools.config.name, snapshot);
    }

    /// Keeps what is known.
    async fn save(&mut self) {
        let up = self.tools.instruments.update(|state| state.up);
        let unsaved = self.tools.lease.save(self.machine.saved(up)).await.err();
        if let Some(error) = unsaved.as_ref().filter(|_| !self.unsaved) {
            warn!(account = %self.tools.config.name, "the snapshot can't be kept, a restart would begin without it: {}", error.explain());
        }
        self.unsaved = unsaved.is_some();
    }
}

fn now(clock: &Clock) -> Now {
    Now {
        instant: Instant::now(),
        wall: clock.now(),
    }
}

/// The end of a refresh, or of a reading of the key; waits for one for as long as there is none. A panic goes on: the
/// task dies with it, and the heartbeat with the task.
async fn next(
    running: &mut JoinSet<Ended>,
    reading: &mut JoinSet<Result<ApiKey, KeyError>>,
) -> Option<Event> {
    tokio::select! {
        Some(read) = reading.join_next(), if !reading.is_empty() => unless_cancelled(read).map(Event::KeyRead),
        Some(ended) = running.join_next(), if !running.is_empty() => unless_cancelled(ended).map(|ended| Event::Ended(Box::new(ended))),
        else => std::future::pending().await,
    }
}
