//! What an account's poller decides, as a machine without I/O and without a clock of its own: events go in with the
//! time at which they happen, effects come out.
//!
//! It alone owns what was read, what came of each collector, what was learned of costs, and whether the key is refused.
//! What follows from these (the next run, its reason, the interval on a page) is computed for whoever reads it.

mod agenda;
mod breaker;
mod clocks;
mod key;
mod outcome;
mod plan;
mod room;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::agenda::{Agenda, Entry, Running};
use self::breaker::Breaker;
pub(super) use self::room::Room;
use super::effect::{Effect, Notice, Order};
use super::event::{Ended, Event, Now};
use crate::api::Refresh;
use crate::api::error::ApiError;
use crate::collect::Directory;
use crate::config::AccountConfig;
use crate::forecast::{self, Forecast, Learned, RecipientsPlan, Sizes, forecast};
use crate::model::{Collector, Failure, NextRunReason, PerCollector, Reason};
use crate::secret::ApiKey;
use crate::snapshot::AccountSnapshot;
use crate::store::Saved;
use quota::Refused;

/// Longest pause between two looks at what is due: how soon a changed key file is seen.
pub(super) const TICK: Duration = Duration::from_secs(10);

/// How long what hasn't been tried yet may take to be due, for others to wait for it.
const FIRST_TRY: Duration = Duration::from_secs(60);

/// One account.
pub(super) struct Machine {
    config: Arc<AccountConfig>,
    /// The API's, for messages.
    host: String,
    key: ApiKey,
    /// Since when it is in use.
    key_since: Instant,
    snapshot: AccountSnapshot,
    directory: Option<Arc<Directory>>,
    learned: Learned,
    forecast: Forecast,
    agenda: Agenda,
    breaker: Option<Breaker>,
    /// Collectors that were refused while the key worked elsewhere: their next refusal is theirs alone.
    suspects: Vec<Collector>,
    /// Refusals that wait until the key has been read again.
    refused: Vec<Ended>,
    /// Why the key could not be read again the last time.
    key_trouble: Option<String>,
    /// A moment at which both clocks were compared: the last at which one of them did something besides going on.
    anchor: Now,
    /// What is to be done, in this order.
    effects: Vec<Effect>,
}

impl Machine {
    /// Takes up where the last run ended. `snapshot` is the part of `saved`'s that may be seen.
    pub(super) fn restore(
        config: Arc<AccountConfig>,
        host: &str,
        key: ApiKey,
        saved: &Saved,
        snapshot: AccountSnapshot,
        now: Now,
    ) -> Self {
        let learned = Learned::from(saved);
        let forecast = forecast(&config, &forecast::costs(&learned, &Sizes::default(), &snapshot));
        let mut agenda = PerCollector::new(|_| Entry::new(now.instant));
        for (collector, status) in saved.collectors.iter() {
            let entry: &mut Entry = &mut agenda[collector];
            entry.restore(status, now.instant, now.wall);
            if collector.resource().each_of.is_some() {
                // Looking at what there is to read costs nothing: each object has a phase of its own.
                entry.started = None;
            }
        }
        // Who was refused last time isn't asked whether the key works now.
        let refused = saved
            .collectors
            .iter()
            .filter(|(_, status)| status.next_run_reason == NextRunReason::KeyRefused);
        let blamed = refused.max_by_key(|(_, status)| {
            let failure = status.last_failure.as_ref();
            failure.is_some_and(|failure| failure.reason == Reason::Unauthorized)
        });
        let mut machine = Self {
            host: host.to_owned(),
            key,
            key_since: now.instant,
            snapshot,
            directory: None,
            learned,
            forecast,
            agenda,
            breaker: blamed.map(|(blamed, _)| Breaker::open(blamed, now.instant)),
            suspects: Vec::new(),
            refused: Vec::new(),
            key_trouble: None,
            anchor: now,
            effects: Vec::new(),
            config,
        };
        let here = machine.config.base_url.as_str();
        if saved.base_url.as_ref().is_some_and(|url| url != here) {
            machine.ask_refused_again(now);
        }
        // Whoever restarts it may have changed what it was refused for.
        machine.ask_once_more(now);
        machine.replan();
        machine.effects.push(Effect::Publish);
        machine
    }

    /// Takes in what has happened.
    pub(super) fn on(&mut self, event: Event, now: Now, room: &dyn Room) {
        match event {
            Event::Nudged => self.ask_once_more(now),
            Event::Reconfigured => self.ask_refused_again(now),
            Event::Clocks(noticed) => self.noticed(noticed, now),
            Event::KeyRead(read) => self.key_read(read, now, room.wait()),
            Event::Ended(ended) => self.ended(*ended, now, room.wait()),
        }
    }

    /// What is to be done, in this order. Each is named once.
    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Begins what is due and has room.
    pub(super) fn begin_due(&mut self, now: Now, room: &dyn Room) {
        if self.awaits_key() {
            return;
        }
        if let Some(breaker) = &self.breaker {
            let idle = self.agenda.iter().all(|(_, entry)| entry.running.is_none());
            if breaker.probe_at() <= now.instant && idle {
                let probe = breaker.probe(&self.order());
                self.begin(probe, now);
            }
            return;
        }
        for collector in self.order() {
            if self.agenda[collector].running.is_some() || !self.is_due(collector, now) {
                continue;
            }
            let segments = !self.config.segments.is_empty();
            if collector == Collector::Enrollments && segments && self.directory.is_none() {
                // Whose segment is whose isn't kept on disk: users have to be read once more.
                self.ask_for_users(now);
            }
            if self.is_its_turn(collector, now) {
                match self.fits(collector, room) {
                    Ok(()) => self.begin(collector, now),
                    Err((wait, why)) => self.agenda[collector].instead = Some((now.instant + wait, why)),
                }
            }
        }
    }

    /// Begins one now, or takes in that there is no room for it.
    pub(super) fn try_now(&mut self, collector: Collector, now: Now, room: &dyn Room) {
        let Err((wait, why)) = self.fits(collector, room) else {
            return self.begin(collector, now);
        };
        let refused = if why == NextRunReason::Throttled {
            Refused::Paused(wait)
        } else {
            Refused::Later(wait)
        };
        let ended = Ended {
            collector,
            started: now.instant,
            started_at: now.wall,
            requests: 0,
            retries: 0,
            scope: self.forecast.enrollments,
            result: Err(ApiError::Budget(refused)),
            hold: None,
        };
        self.finish(ended, false, now, room.wait());
    }

    /// Enabled collectors, those first that give most for a request; what others build on before them.
    pub(super) fn order(&self) -> Vec<Collector> {
        let mut order: Vec<_> = Collector::ALL
            .into_iter()
            .filter(|collector| self.config.collectors[*collector].enabled)
            .collect();
        order.sort_by(|a, b| self.priority(*a).total_cmp(&self.priority(*b)));
        order.sort_by_key(|collector| !collector.resource().needs.is_empty());
        order
    }

    /// When there may be something to do.
    pub(super) fn wake(&self, now: Now) -> Instant {
        let now = now.instant;
        let tick = now + TICK;
        if let Some(breaker) = &self.breaker {
            return breaker.probe_at().max(now + Duration::from_millis(100)).min(tick);
        }
        let idle = self.agenda.iter().filter(|(_, entry)| entry.running.is_none());
        let next = idle.filter_map(|(_, entry)| entry.due()).map(|(at, _)| at).min();
        // What is due but waits for another collector is looked at when that one ends.
        next.map_or(tick, |next| next.max(now + Duration::from_secs(1)).min(tick))
    }

    /// Whether a refusal waits until the key has been read again.
    pub(super) fn awaits_key(&self) -> bool {
        !self.refused.is_empty()
    }

    /// Whether the account is stopped since its key is refused.
    pub(super) fn is_stopped(&self) -> bool {
        self.breaker.is_some()
    }

    /// Whether the budget allows any run of it.
    pub(super) fn is_planned(&self, collector: Collector) -> bool {
        self.agenda[collector].interval.is_some()
    }

    /// Why its last attempt failed, if it did.
    pub(super) fn failure(&self, collector: Collector) -> Option<&Failure> {
        self.agenda[collector].past.last_failure.as_ref()
    }

    /// What was read.
    pub(super) fn snapshot(&self) -> &AccountSnapshot {
        &self.snapshot
    }

    /// Who is active, once this process has read it.
    pub(super) fn directory(&self) -> Option<&Arc<Directory>> {
        self.directory.as_ref()
    }

    /// The key in use.
    pub(super) fn key(&self) -> &ApiKey {
        &self.key
    }

    /// How recipients are paid for.
    pub(super) fn recipients(&self) -> RecipientsPlan {
        self.forecast.recipients
    }

    /// The plan, if it doesn't fit the budget.
    pub(super) fn beyond_the_budget(&self) -> Option<&Forecast> {
        (!self.forecast.plan.fits).then_some(&self.forecast)
    }

    fn say(&mut self, notice: Notice) {
        self.effects.push(Effect::Say(notice));
    }

    /// Requests by weight: small ones first, so that a long refresh holds up none of them.
    fn priority(&self, collector: Collector) -> f64 {
        self.cost(collector) as f64 / self.config.collectors[collector].weight
    }

    fn cost(&self, collector: Collector) -> u64 {
        self.forecast.costs[collector].0
    }

    /// When it is asked next, as things are, and why then.
    fn turn(&self, collector: Collector) -> Option<(Instant, NextRunReason)> {
        match &self.breaker {
            Some(breaker) => Some((breaker.probe_at(), NextRunReason::KeyRefused)),
            None => self.agenda[collector].due(),
        }
    }

    fn is_due(&self, collector: Collector, now: Now) -> bool {
        let due = self.agenda[collector].due();
        due.is_some_and(|(at, _)| at <= now.instant)
    }

    /// Whether what it builds on has been tried. What is read object by object waits for everybody else's first try,
    /// too, and needs to know the objects: what it costs on the first day is nobody else's.
    fn is_its_turn(&self, collector: Collector, now: Now) -> bool {
        let resource = collector.resource();
        let settled = |needed: &Collector| {
            let entry = &self.agenda[*needed];
            let off = !self.config.collectors[*needed].enabled || entry.due().is_none();
            off || (entry.tried && entry.running.is_none() && !self.is_due(*needed, now))
        };
        // Also one that has found out what it costs, and begins again at once.
        let first = |other: &Collector| {
            let entry = &self.agenda[*other];
            let soon = if entry.tried {
                now.instant
            } else {
                now.instant + FIRST_TRY
            };
            let waits = |(at, why)| at <= soon && why == NextRunReason::Interval;
            let alone = other.resource().each_of.is_none() && self.snapshot.at(*other).is_none();
            alone && (entry.running.is_some() || entry.due().is_some_and(waits))
        };
        let known =
            |listed: Collector| self.snapshot.at(listed).is_some() && !Collector::ALL.iter().any(first);
        resource.needs.iter().all(settled) && resource.each_of.is_none_or(known)
    }

    fn ask_for_users(&mut self, now: Now) {
        let enabled = self.config.collectors[Collector::Users].enabled;
        let users = &mut self.agenda[Collector::Users];
        if enabled && users.running.is_none() && users.instead.is_none() {
            users.instead = Some((now.instant, NextRunReason::Interval));
        }
    }

    fn begin(&mut self, collector: Collector, now: Now) {
        let turn = self.turn(collector);
        let mut refresh = Refresh::new(self.priority(collector), Some(self.forecast.most(collector)));
        let entry = &mut self.agenda[collector];
        let retries = |(_, why)| why == NextRunReason::Retry;
        if entry.instead.take().is_some_and(retries) {
            refresh = refresh.after_failure();
        }
        entry.running = Some(Running {
            since: now.wall,
            turn,
            requests: refresh.counter(),
        });
        self.effects.push(Effect::Begin(Order {
            collector,
            refresh,
            scope: self.forecast.enrollments,
        }));
    }
}
