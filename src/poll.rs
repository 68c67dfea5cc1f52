//! One task per account: what is due, its permits, whole refreshes, publishing.
//!
//! The task owns everything about its account, so that nothing that happens here touches another account. It
//! asks `forecast` for intervals, `agenda` for what is due, `collect` for collections, and puts finished ones into
//! the snapshot, the store and the instruments. A task that dies stops beating its heart, and `/-/healthy` says so.

mod agenda;
mod breaker;
mod heartbeat;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, debug_span, info, warn};

use self::agenda::{Agenda, Entry, prerequisites};
use self::breaker::Breaker;
pub use self::heartbeat::Heartbeat;
use crate::api::error::ApiError;
use crate::api::transport::Transport;
use crate::api::{Client, Refresh};
use crate::budget::{AccountBudget, Refused};
use crate::clock::Clock;
use crate::collect::{self, Directory, Inputs, Yield, collect, restrict};
use crate::config::AccountConfig;
use crate::forecast::{self, Forecast, Learned, Sizes, forecast};
use crate::instrument::AccountInstruments;
use crate::model::{
    Collector, CollectorStatus, EnrollmentScope, Failure, NextRunReason, PerCollector, Reason,
};
use crate::secret::ApiKey;
use crate::snapshot::{AccountSnapshot, Published};
use crate::store::{AccountStore, Saved};

/// How long the task sleeps at most: the heartbeat's period, and how soon a changed key file is seen.
const TICK: Duration = Duration::from_secs(10);

/// A wait for the next permit beyond what a busy minute causes: then nothing new is begun.
const LONG_WAIT: Duration = Duration::from_secs(120);

/// Reads the account's key again from where the configuration says it is.
pub type ReadKey = Arc<dyn Fn() -> Result<ApiKey, String> + Send + Sync>;

/// What an account's task works with.
pub struct Tools {
    /// What to collect.
    pub config: Arc<AccountConfig>,
    /// The way to the API.
    pub transport: Arc<dyn Transport>,
    /// What may be sent.
    pub budget: Arc<AccountBudget>,
    /// Where it is kept.
    pub store: Arc<AccountStore>,
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
}

/// One account's poller.
pub struct Poller {
    tools: Tools,
    client: Arc<Client>,
    snapshot: AccountSnapshot,
    directory: Option<Arc<Directory>>,
    learned: Learned,
    forecast: Forecast,
    agenda: Agenda,
    statuses: PerCollector<CollectorStatus>,
    breaker: Option<Breaker>,
    /// Collectors that were refused while the key worked elsewhere: their next refusal is theirs alone.
    suspects: Vec<Collector>,
    key_checked: Instant,
}

/// A refresh that has ended.
struct Ended {
    collector: Collector,
    started: Instant,
    started_at: f64,
    requests: u64,
    scope: EnrollmentScope,
    result: Result<Yield, ApiError>,
}

impl Poller {
    /// Takes up where the last run ended: its snapshot is published before this returns.
    pub fn restore(tools: Tools) -> Self {
        let client = Client::new(
            Arc::clone(&tools.transport),
            Arc::clone(&tools.budget),
            Arc::clone(&tools.instruments),
            tools.clock.clone(),
        );
        let saved = tools.store.load_snapshot();
        let restored = saved.is_some();
        let saved = saved.unwrap_or_default();
        let mut snapshot = saved.snapshot;
        for (collector, settings) in tools.config.collectors.iter() {
            if !settings.enabled {
                snapshot.clear(collector);
            }
        }
        restrict(&mut snapshot, &tools.config);
        let learned = Learned {
            of: saved.costs,
            running_enrollments: saved.running_enrollments_cost,
            filter_ignored: false,
        };
        let forecast = forecast(
            &tools.config,
            &forecast::costs(&learned, &Sizes::default(), &snapshot),
        );
        let now = Instant::now();
        let wall = tools.clock.now();
        let mut agenda = PerCollector::new(|_| Entry::default());
        for (collector, status) in saved.collectors.iter() {
            let entry: &mut Entry = &mut agenda[collector];
            entry.restore(status, now, wall);
        }
        let refused = saved
            .collectors
            .iter()
            .any(|(_, status)| status.next_run_reason == NextRunReason::KeyRefused);
        tools.instruments.update(|state| {
            state.up = saved.up;
            state.snapshot_restored = restored;
        });
        let mut poller = Self {
            client: Arc::new(client),
            snapshot,
            directory: None,
            learned,
            forecast,
            agenda,
            statuses: saved.collectors,
            breaker: refused.then(|| Breaker::open(Collector::Account, now)),
            suspects: Vec::new(),
            key_checked: now,
            tools,
        };
        poller.replan();
        poller.show();
        poller.publish();
        poller
    }

    /// Polls until it is stopped.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut running = JoinSet::new();
        loop {
            self.tools.heartbeat.beat();
            self.tools.budget.note_clock().await;
            self.reread_key(false).await;
            self.begin_due(&mut running);
            self.show();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(ended) = running.join_next(), if !running.is_empty() => match ended {
                    Ok(ended) => self.end(ended, &mut running).await,
                    Err(error) if error.is_cancelled() => {}
                    // A bug: the task dies with it, and the heartbeat with the task.
                    Err(error) => resume_unwind(error.into_panic()),
                },
                () = sleep_until(self.wake()) => {}
            }
        }
        running.shutdown().await;
        self.save().await;
    }

    /// Refreshes every collector once, the cheap ones first. Says which failed, and why.
    pub async fn once(mut self) -> Vec<(Collector, Failure)> {
        let mut failures = Vec::new();
        let mut running = JoinSet::new();
        for collector in self.order() {
            self.begin(collector, &mut running);
            if let Some(Ok(ended)) = running.join_next().await {
                let refused = matches!(&ended.result, Err(error) if error.reason() == Reason::Unauthorized);
                self.end(ended, &mut running).await;
                failures.extend(
                    self.statuses[collector]
                        .last_failure
                        .clone()
                        .map(|failure| (collector, failure)),
                );
                if refused {
                    break;
                }
            }
        }
        failures
    }

    /// Enabled collectors, those first that give most for a request; what others build on before them.
    fn order(&self) -> Vec<Collector> {
        let mut order: Vec<_> = Collector::ALL
            .into_iter()
            .filter(|collector| self.tools.config.collectors[*collector].enabled)
            .collect();
        order.sort_by(|a, b| self.priority(*a).total_cmp(&self.priority(*b)));
        // Enrollments are the one collector that others are prerequisites of, and nothing follows from them.
        order.sort_by_key(|collector| *collector == Collector::Enrollments);
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
            if entry.running || !due {
                continue;
            }
            if collector == Collector::Enrollments && segments && self.directory.is_none() {
                // Whose segment is whose isn't kept on disk: users have to be read once more.
                self.ask_for_users(now);
            }
            let ready = prerequisites(collector, segments).iter().all(|needed| {
                let needed_entry = &self.agenda[*needed];
                let off = !self.tools.config.collectors[*needed].enabled || needed_entry.due(now).is_none();
                off || (needed_entry.tried && !needed_entry.running && !self.is_due(*needed, now))
            });
            if ready && self.has_room(collector, now) {
                self.begin(collector, running);
            }
        }
    }

    fn is_due(&self, collector: Collector, now: Instant) -> bool {
        self.agenda[collector].due(now).is_some_and(|(at, _)| at <= now)
    }

    fn ask_for_users(&mut self, now: Instant) {
        let enabled = self.tools.config.collectors[Collector::Users].enabled;
        let users = &mut self.agenda[Collector::Users];
        if enabled && !users.running && users.instead.is_none() {
            users.instead = Some((now, NextRunReason::Interval));
        }
    }

    /// Whether the whole refresh fits into what is left of the day. If not, it is put off until it does.
    fn has_room(&mut self, collector: Collector, now: Instant) -> bool {
        let reserved: u64 = Collector::ALL
            .into_iter()
            .filter(|other| self.agenda[*other].running)
            .map(|other| self.cost(other))
            .sum();
        let cost = self.cost(collector);
        let wait = self.tools.budget.wait();
        let (until, why) = if wait > LONG_WAIT {
            (wait, NextRunReason::Throttled)
        } else if self.tools.budget.room() < reserved + cost {
            (
                self.tools
                    .budget
                    .next_room(reserved + cost)
                    .max(Duration::from_secs(1)),
                NextRunReason::Budget,
            )
        } else {
            return true;
        };
        self.agenda[collector].instead = Some((now + until, why));
        false
    }

    fn begin(&mut self, collector: Collector, running: &mut JoinSet<Ended>) {
        let entry = &mut self.agenda[collector];
        entry.running = true;
        entry.instead = None;
        let started_at = self.tools.clock.now();
        self.statuses[collector].last_attempt = Some(started_at);
        let client = Arc::clone(&self.client);
        let config = Arc::clone(&self.tools.config);
        let directory = self.directory.clone();
        let campaigns = self
            .snapshot
            .training_campaigns
            .as_ref()
            .map(|collected| Arc::clone(&collected.data));
        let scope = self.forecast.enrollments;
        let mut refresh = Refresh::new(self.priority(collector), Some(self.forecast.most(collector)));
        // Whose requests they are, where requests are logged.
        let span = debug_span!("refresh", account = %self.tools.config.name, %collector);
        let refreshing = async move {
            let started = Instant::now();
            let inputs = Inputs {
                config: &config,
                now: started_at,
                directory: directory.as_deref(),
                campaigns: campaigns.as_deref(),
                enrollments: scope,
            };
            let result = collect(&client, &mut refresh, collector, inputs).await;
            Ended {
                collector,
                started,
                started_at,
                requests: refresh.requests(),
                scope,
                result,
            }
        };
        running.spawn(refreshing.instrument(span));
    }

    async fn end(&mut self, ended: Ended, running: &mut JoinSet<Ended>) {
        let Ended {
            collector,
            started,
            requests,
            scope,
            ..
        } = ended;
        let entry = &mut self.agenda[collector];
        entry.running = false;
        entry.tried = true;
        entry.started = Some(started);
        match ended.result {
            Ok(yielded) => self.succeeded(collector, yielded, requests, scope, started),
            Err(error) => self.failed(collector, &error, requests, scope, running).await,
        }
        let status = &mut self.statuses[collector];
        status.last_attempt = Some(ended.started_at);
        self.replan();
        self.show();
        self.save().await;
    }

    fn succeeded(
        &mut self,
        collector: Collector,
        yielded: Yield,
        requests: u64,
        scope: EnrollmentScope,
        started: Instant,
    ) {
        let now = self.tools.clock.now();
        let duration = started.elapsed();
        if collector == Collector::Enrollments && scope == EnrollmentScope::RunningCampaigns {
            self.learned.running_enrollments = Some(requests);
        } else {
            self.learned.of[collector] = Some(requests);
        }
        if let Some(directory) = yielded.directory {
            self.directory = Some(Arc::new(directory));
        }
        self.snapshot.set(yielded.collection, now);
        // Before the status: whoever sees the success finds the data.
        self.publish();
        self.agenda[collector].succeeded();
        let status = &mut self.statuses[collector];
        status.success = Some(true);
        status.last_success = Some(now);
        status.duration = Some(duration.as_secs_f64());
        status.refresh_requests = Some(requests);
        status.last_failure = None;
        status.notes = yielded.notes;
        self.suspects.retain(|suspect| *suspect != collector);
        if let Some(breaker) = self.breaker.take() {
            info!(account = %self.tools.config.name, "the key works");
            if breaker.blamed() != collector {
                self.suspects.push(breaker.blamed());
                self.agenda[breaker.blamed()].instead = Some((Instant::now(), NextRunReason::Retry));
            }
        }
        info!(
            account = %self.tools.config.name, %collector, requests,
            duration_seconds = duration.as_secs_f64(), "refreshed"
        );
    }

    async fn failed(
        &mut self,
        collector: Collector,
        error: &ApiError,
        requests: u64,
        scope: EnrollmentScope,
        running: &mut JoinSet<Ended>,
    ) {
        let now = Instant::now();
        let reason = error.reason();
        let failure = self.client.explain(error, collect::endpoint(collector));
        let worked = self.statuses[collector].last_success.is_some();
        warn!(
            account = %self.tools.config.name, %collector, reason = reason.as_str(), requests,
            request_id = failure.request_id.as_deref().unwrap_or_default(),
            "refresh failed: {}; {}", failure.cause, failure.cure
        );
        self.tools.instruments.failure(collector, reason);
        let wait = match error {
            ApiError::Status { status: 429, .. } => Some(self.tools.budget.wait().max(TICK)),
            ApiError::Budget(Refused::Later(wait)) => Some(*wait),
            _ => error.retry_after(),
        };
        self.agenda[collector].failed(reason, worked, wait, now);
        match error {
            ApiError::TooExpensive(needed) => {
                // What doesn't end within what one refresh may take counts as beyond the whole budget: trying again
                // with a little more would burn the next day too.
                let cost = Some((*needed).max(self.forecast.limit + 1));
                if scope == EnrollmentScope::RunningCampaigns && collector == Collector::Enrollments {
                    self.learned.running_enrollments = cost;
                } else {
                    self.learned.of[collector] = cost;
                }
                self.agenda[collector].instead = None;
            }
            ApiError::Incomplete(_)
                if scope == EnrollmentScope::RunningCampaigns && collector == Collector::Enrollments =>
            {
                self.learned.filter_ignored = true;
            }
            _ => {}
        }
        let status = &mut self.statuses[collector];
        status.success = Some(false);
        status.last_failure = Some(failure);
        if reason == Reason::Unauthorized {
            self.refused(collector, now, running).await;
        } else if let Some(breaker) = &mut self.breaker {
            breaker.probed(now);
        }
    }

    /// 401: the account stops, unless the key has changed meanwhile, or this endpoint alone is known to refuse it.
    async fn refused(&mut self, collector: Collector, now: Instant, running: &mut JoinSet<Ended>) {
        if self.reread_key(true).await {
            return;
        }
        if self.suspects.contains(&collector) {
            self.agenda[collector].failed(Reason::Unauthorized, false, None, now);
            return;
        }
        match &mut self.breaker {
            Some(breaker) => breaker.probed(now),
            None => {
                let mut breaker = Breaker::open(collector, now);
                breaker.probed(now);
                self.breaker = Some(breaker);
            }
        }
        running.shutdown().await;
        for collector in Collector::ALL {
            self.agenda[collector].running = false;
        }
    }

    /// Takes up a key that has changed where it is kept. True if it has.
    async fn reread_key(&mut self, now: bool) -> bool {
        if !now && self.key_checked.elapsed() < TICK {
            return false;
        }
        self.key_checked = Instant::now();
        let read = Arc::clone(&self.tools.read_key);
        let key = match spawn_blocking(move || read()).await {
            Ok(Ok(key)) => key,
            Ok(Err(error)) => {
                warn!(account = %self.tools.config.name, "the key can't be read again, the one in use stays: {error}");
                return false;
            }
            Err(_) => return false,
        };
        if key == self.tools.key {
            return false;
        }
        info!(account = %self.tools.config.name, "the key has changed");
        self.tools.transport.set_key(key.clone());
        self.tools.key = key;
        self.breaker = None;
        self.suspects.clear();
        for collector in Collector::ALL {
            // Who was refused for the old key asks again; the rest keeps its phase.
            let refused = self.statuses[collector]
                .last_failure
                .as_ref()
                .is_some_and(|failure| {
                    matches!(
                        failure.reason,
                        Reason::Unauthorized | Reason::Forbidden | Reason::NotFound
                    )
                });
            if refused {
                self.agenda[collector].instead = Some((Instant::now(), NextRunReason::Interval));
            }
        }
        true
    }

    fn replan(&mut self) {
        let costs = forecast::costs(&self.learned, &Sizes::default(), &self.snapshot);
        self.forecast = forecast(&self.tools.config, &costs);
        for collector in Collector::ALL {
            let interval = self.forecast.interval(collector).map(Duration::from_secs_f64);
            self.agenda[collector].interval = interval;
            let enabled = self.tools.config.collectors[collector].enabled;
            let status = &mut self.statuses[collector];
            status.disabled = !enabled;
            let already = status
                .last_failure
                .as_ref()
                .is_some_and(|failure| failure.reason == Reason::Budget);
            if enabled && interval.is_none() && !already {
                let failure = too_expensive(self.forecast.costs[collector].0, self.forecast.limit);
                warn!(account = %self.tools.config.name, %collector, reason = "budget", "not planned: {}; {}", failure.cause, failure.cure);
                self.tools.instruments.failure(collector, Reason::Budget);
                status.success = Some(false);
                status.last_failure = Some(failure);
            }
        }
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
            .filter(|collector| !self.agenda[*collector].running);
        let next = due
            .filter_map(|collector| self.agenda[collector].due(now))
            .map(|(at, _)| at)
            .min();
        // What is due but waits for another collector is looked at when that one ends.
        next.map_or(tick, |next| next.max(now + Duration::from_secs(1)).min(tick))
    }

    /// Lets pages and series see what is planned and what happened.
    fn show(&mut self) {
        let (now, wall) = (Instant::now(), self.tools.clock.now());
        for collector in Collector::ALL {
            let due = match &self.breaker {
                Some(breaker) => Some((breaker.probe_at(), NextRunReason::KeyRefused)),
                None => self.agenda[collector].due(now),
            };
            let status = &mut self.statuses[collector];
            status.interval = self.agenda[collector]
                .interval
                .map(|interval| interval.as_secs_f64());
            let due = due.filter(|_| !status.disabled);
            status.next_run = due.map(|(at, _)| wall + at.saturating_duration_since(now).as_secs_f64());
            status.next_run_reason = due.map_or(NextRunReason::TooExpensive, |(_, why)| why);
        }
        let requests = self.forecast.plan.requests_per_day;
        let statuses = self.statuses.clone();
        self.tools.instruments.update(|state| {
            state.collectors = statuses;
            state.plan_requests_per_day = Some(requests);
        });
    }

    fn publish(&self) {
        self.tools
            .published
            .publish(&self.tools.config.name, Arc::new(self.snapshot.clone()));
    }

    async fn save(&self) {
        let saved = Saved {
            snapshot: self.snapshot.clone(),
            collectors: self.statuses.clone(),
            up: self.tools.instruments.read().up,
            costs: self.learned.of,
            running_enrollments_cost: self.learned.running_enrollments,
        };
        let store = Arc::clone(&self.tools.store);
        let written = spawn_blocking(move || store.save_snapshot(&saved)).await;
        if let Ok(Err(error)) = written {
            warn!(account = %self.tools.config.name, "the snapshot can't be kept, a restart would begin without it: {error}");
        }
    }
}

fn too_expensive(cost: u64, limit: u64) -> Failure {
    Failure {
        reason: Reason::Budget,
        cause: format!("one refresh costs {cost} requests, more than the day's {limit} leave beside collectors of more weight"),
        cure: "raise budget.requests_per_day if the account's quota is larger, give the collector a longer max_interval, or switch it or others off; `plan` shows what fits".to_owned(),
        request_id: None,
    }
}
