//! One task per account: what is due, its permits, whole refreshes, publishing.
//!
//! The task owns everything about its account, so that nothing that happens here touches another account. It
//! asks `forecast` for intervals, `agenda` for what is due, `collect` for collections, and puts finished ones into
//! the snapshot, the store and the instruments. A task that dies stops beating its heart, and `/-/healthy` says so.
//! Here is what is begun; whether there is room for it is in `room`, what follows from its end in `outcome`, the key's
//! fate in `key`, and what others see of it all in `show`.

mod agenda;
mod breaker;
mod clocks;
mod heartbeat;
mod key;
mod nudge;
mod outcome;
mod room;
mod show;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug_span, warn};

use self::agenda::{Agenda, Entry, Running};
use self::breaker::Breaker;
pub use self::heartbeat::Heartbeat;
pub use self::nudge::Nudge;
use self::outcome::Ended;
use crate::api::error::ApiError;
use crate::api::transport::Transport;
use crate::api::{Client, Refresh};
use crate::clock::{Clock, Watch};
use crate::collect::{Archive, Directory, Inputs, RecipientsInputs, collect, restrict};
use crate::config::{AccountConfig, KeyError};
use crate::forecast::{self, Forecast, Learned, Sizes, forecast};
use crate::instrument::AccountInstruments;
use crate::join::unless_cancelled;
use crate::model::{Collector, CollectorStatus, Failure, NextRunReason, PerCollector, Reason};
use crate::secret::ApiKey;
use crate::snapshot::{AccountSnapshot, Published};
use crate::store::{Lease, LeaseEnd};
use quota::{Budget, Refused};

/// How long the task sleeps at most: the heartbeat's period, and how soon a changed key file is seen.
const TICK: Duration = Duration::from_secs(10);

/// Most requests of one refresh of recipients: what is read is seen every minute or so while there is much to read.
const RECIPIENTS_BATCH: u64 = 50;

/// How long what hasn't been tried yet may take to be due, for others to wait for it.
const FIRST_TRY: Duration = Duration::from_secs(60);

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
    snapshot: AccountSnapshot,
    directory: Option<Arc<Directory>>,
    /// Who did what in phishing tests.
    archive: Arc<Mutex<Archive>>,
    /// Most requests of one refresh of recipients.
    recipients_batch: u64,
    learned: Learned,
    forecast: Forecast,
    agenda: Agenda,
    statuses: PerCollector<CollectorStatus>,
    /// When each collector is due, by both clocks.
    planned: PerCollector<Option<(Instant, f64)>>,
    breaker: Option<Breaker>,
    /// Collectors that were refused while the key worked elsewhere: their next refusal is theirs alone.
    suspects: Vec<Collector>,
    watch: Watch,
    key_checked: Instant,
    /// The reading of the key under way, beside everything else: its place may not answer.
    reading: JoinSet<Result<ApiKey, KeyError>>,
    /// Why the key could not be read again the last time.
    key_trouble: Option<String>,
    /// Whether the snapshot could not be kept the last time.
    unsaved: bool,
}

impl Poller {
    /// Takes up where the last run ended: its snapshot is published before this returns.
    pub async fn restore(tools: Tools) -> Self {
        let client = Client::new(
            Arc::clone(&tools.transport),
            Arc::clone(&tools.budget),
            Arc::clone(&tools.instruments),
            tools.clock.clone(),
        );
        let saved = tools.lease.load().await.unwrap_or_else(|error| {
            warn!(account = %tools.config.name, "what was kept can't be read, it begins without: {}", error.explain());
            None
        });
        let restored = saved.is_some();
        let saved = saved.unwrap_or_default();
        let learned = Learned::from(&saved);
        let snapshot = shown(saved.snapshot, &tools.config);
        let forecast = forecast(
            &tools.config,
            &forecast::costs(&learned, &Sizes::default(), &snapshot),
        );
        if !forecast.plan.fits {
            warn!(
                account = %tools.config.name,
                requests_per_day = forecast.plan.requests_per_day,
                limit = forecast.limit,
                "the plan does not fit the budget, which is kept all the same; `plan` shows what fits"
            );
        }
        let now = Instant::now();
        let wall = tools.clock.now();
        let archive = Archive::new(tools.config.name.clone(), Arc::clone(&tools.lease));
        let mut agenda = PerCollector::new(|_| Entry::default());
        for (collector, status) in saved.collectors.iter() {
            let entry: &mut Entry = &mut agenda[collector];
            entry.restore(status, now, wall);
        }
        // Looking at what there is to read costs nothing: each test has a phase of its own.
        agenda[Collector::Recipients].started = None;
        let moved = saved
            .base_url
            .is_some_and(|url| url != tools.config.base_url.as_str());
        // Who was refused last time isn't asked whether the key works now.
        let blamed = saved
            .collectors
            .iter()
            .filter(|(_, status)| status.next_run_reason == NextRunReason::KeyRefused)
            .max_by_key(|(_, status)| {
                let failure = status.last_failure.as_ref();
                failure.is_some_and(|failure| failure.reason == Reason::Unauthorized)
            })
            .map(|(collector, _)| collector);
        tools.instruments.update(|state| {
            state.up = saved.up;
            state.snapshot_restored = restored;
        });
        let mut poller = Self {
            client: Arc::new(client),
            snapshot,
            directory: None,
            archive: Arc::new(Mutex::new(archive)),
            recipients_batch: RECIPIENTS_BATCH,
            learned,
            forecast,
            agenda,
            statuses: saved.collectors,
            planned: PerCollector::default(),
            breaker: blamed.map(|blamed| Breaker::open(blamed, now)),
            suspects: Vec::new(),
            watch: Watch::new(&tools.clock, now),
            key_checked: now,
            reading: JoinSet::new(),
            key_trouble: None,
            unsaved: false,
            tools,
        };
        if moved {
            poller.ask_refused_again();
        }
        // Whoever restarts it may have changed what it was refused for.
        poller.ask_once_more();
        poller.replan();
        poller.describe();
        poller.show();
        poller.publish();
        poller
    }

    /// Polls until it is stopped, or until the account is to be polled elsewhere: then it says why.
    pub async fn run(mut self, stop: CancellationToken) -> Option<LeaseEnd> {
        let mut running = JoinSet::new();
        let lease = Arc::clone(&self.tools.lease);
        let nudge = Arc::clone(&self.tools.nudge);
        let end = loop {
            self.tools.heartbeat.beat();
            if self.tools.nudge.take() {
                self.ask_once_more();
            }
            self.tools.budget.note_clock().await;
            if self.look_at_clocks() {
                self.publish();
                self.save().await;
            }
            self.begin_reading();
            self.begin_due(&mut running);
            self.describe();
            self.show();
            let wake = self.wake();
            tokio::select! {
                () = stop.cancelled() => break None,
                end = lease.ended() => break Some(end),
                () = nudge.woken() => {}
                Some(read) = self.reading.join_next(), if !self.reading.is_empty() => {
                    if let Some(read) = unless_cancelled(read) {
                        self.read_key(read);
                    }
                }
                // A panic goes on: the task dies with it, and the heartbeat with the task.
                Some(ended) = running.join_next(), if !running.is_empty() => {
                    if let Some(ended) = unless_cancelled(ended) {
                        self.end(ended, &mut running).await;
                    }
                }
                () = sleep_until(wake) => {}
            }
        };
        let cut_off = !running.is_empty();
        running.shutdown().await;
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
        let mut running = JoinSet::new();
        let mut failed = Vec::new();
        for collector in self.order() {
            if self.agenda[collector].interval.is_some() {
                if let Err((wait, why)) = self.room(collector) {
                    let error = ApiError::Budget(if why == NextRunReason::Throttled {
                        Refused::Paused(wait)
                    } else {
                        Refused::Later(wait)
                    });
                    self.failed(collector, &error, 0, self.forecast.enrollments, &mut running)
                        .await;
                } else {
                    self.begin(collector, &mut running);
                    if let Some(ended) = running.join_next().await.and_then(unless_cancelled) {
                        self.end(ended, &mut running).await;
                    }
                }
            }
            let failure = self.statuses[collector].last_failure.clone();
            let refused = matches!(&failure, Some(failure) if failure.reason == Reason::Unauthorized);
            failed.extend(failure.map(|failure| (collector, failure)));
            if refused && self.breaker.is_some() {
                break;
            }
        }
        self.describe();
        self.show();
        self.save().await;
        failed
    }

    /// Enabled collectors, those first that give most for a request; what others build on before them.
    fn order(&self) -> Vec<Collector> {
        let mut order: Vec<_> = Collector::ALL
            .into_iter()
            .filter(|collector| self.tools.config.collectors[*collector].enabled)
            .collect();
        order.sort_by(|a, b| self.priority(*a).total_cmp(&self.priority(*b)));
        order.sort_by_key(|collector| !collector.resource().needs.is_empty());
        order
    }

    /// Requests by weight: small ones first, so that a long refresh holds up none of them.
    fn priority(&self, collector: Collector) -> f64 {
        self.cost(collector) as f64 / self.tools.config.collectors[collector].weight
    }

    fn cost(&self, collector: Collector) -> u64 {
        self.forecast.costs[collector].0
    }

    /// Begins what is due and has room.
    fn begin_due(&mut self, running: &mut JoinSet<Ended>) {
        let now = Instant::now();
        if let Some(breaker) = &self.breaker {
            if breaker.probe_at() <= now && running.is_empty() {
                let probe = breaker.probe(&self.order());
                self.begin(probe, running);
            }
            return;
        }
        let segments = !self.tools.config.segments.is_empty();
        for collector in self.order() {
            let entry = &self.agenda[collector];
            let due = entry.due(now).is_some_and(|(at, _)| at <= now);
            if entry.running.is_some() || !due {
                continue;
            }
            if collector == Collector::Enrollments && segments && self.directory.is_none() {
                // Whose segment is whose isn't kept on disk: users have to be read once more.
                self.ask_for_users(now);
            }
            if self.is_its_turn(collector, now) {
                match self.room(collector) {
                    Ok(()) => self.begin(collector, running),
                    Err((wait, why)) => self.agenda[collector].instead = Some((now + wait, why)),
                }
            }
        }
    }

    /// Whether what it builds on has been tried. What is read object by object waits for everybody else's first try,
    /// too, and needs to know the objects: what it costs on the first day is nobody else's.
    fn is_its_turn(&self, collector: Collector, now: Instant) -> bool {
        let resource = collector.resource();
        let settled = |needed: &Collector| {
            let entry = &self.agenda[*needed];
            let off = !self.tools.config.collectors[*needed].enabled || entry.due(now).is_none();
            off || (entry.tried && entry.running.is_none() && !self.is_due(*needed, now))
        };
        let untried = |other: &Collector| {
            let entry = &self.agenda[*other];
            let soon = now + FIRST_TRY;
            !entry.tried
                && other.resource().each_of.is_none()
                && entry.due(now).is_some_and(|(at, _)| at <= soon)
        };
        let known =
            |listed: Collector| self.snapshot.at(listed).is_some() && !Collector::ALL.iter().any(untried);
        resource.needs.iter().all(settled) && resource.each_of.is_none_or(known)
    }

    fn is_due(&self, collector: Collector, now: Instant) -> bool {
        self.agenda[collector].due(now).is_some_and(|(at, _)| at <= now)
    }

    fn ask_for_users(&mut self, now: Instant) {
        let enabled = self.tools.config.collectors[Collector::Users].enabled;
        let users = &mut self.agenda[Collector::Users];
        if enabled && users.running.is_none() && users.instead.is_none() {
            users.instead = Some((now, NextRunReason::Interval));
        }
    }

    fn begin(&mut self, collector: Collector, running: &mut JoinSet<Ended>) {
        let started_at = self.tools.clock.now();
        let mut refresh = Refresh::new(self.priority(collector), Some(self.forecast.most(collector)));
        let entry = &mut self.agenda[collector];
        if entry
            .instead
            .take()
            .is_some_and(|(_, why)| why == NextRunReason::Retry)
        {
            refresh = refresh.after_failure();
        }
        entry.running = Some(Running {
            since: started_at,
            requests: refresh.counter(),
        });
        let client = Arc::clone(&self.client);
        let config = Arc::clone(&self.tools.config);
        let directory = self.directory.clone();
        let campaigns = self
            .snapshot
            .training_campaigns
            .as_ref()
            .map(|collected| Arc::clone(&collected.data));
        let tests = self.snapshot.phishing_tests.as_ref();
        let tests = tests.map(|collected| Arc::clone(&collected.data));
        let last = self.snapshot.recipients.as_ref();
        let last = last.map(|collected| Arc::clone(&collected.data));
        let archive = Arc::clone(&self.archive);
        let key = self.tools.key.clone();
        let (plan, batch) = (self.forecast.recipients, self.recipients_batch);
        let scope = self.forecast.enrollments;
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
        running.spawn(work.instrument(span));
    }

    /// When there may be something to do.
    fn wake(&self) -> Instant {
        let now = Instant::now();
        let tick = now + TICK;
        if let Some(breaker) = &self.breaker {
            return breaker.probe_at().max(now + Duration::from_millis(100)).min(tick);
        }
        let due = Collector::ALL
            .into_iter()
            .filter(|collector| self.agenda[*collector].running.is_none());
        let next = due
            .filter_map(|collector| self.agenda[collector].due(now))
            .map(|(at, _)| at)
            .min();
        // What is due but waits for another collector is looked at when that one ends.
        next.map_or(tick, |next| next.max(now + Duration::from_secs(1)).min(tick))
    }
}
