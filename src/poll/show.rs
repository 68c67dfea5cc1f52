//! What others see of an account's task: intervals, statuses, the snapshot in memory and on disk.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::Poller;
use crate::forecast::{self, Sizes, Source, forecast};
use crate::model::{Collector, Failure, NextRunReason, Reason};
use crate::store::Saved;

impl Poller {
    pub(super) fn replan(&mut self) {
        let costs = forecast::costs(&self.learned, &Sizes::default(), &self.snapshot);
        self.forecast = forecast(&self.tools.config, &costs);
        for collector in Collector::ALL {
            let settings = &self.tools.config.collectors[collector];
            let enabled = settings.enabled;
            let (cost, source) = self.forecast.costs[collector];
            let planned = self.forecast.interval(collector).map(Duration::from_secs_f64);
            // An estimate that doesn't fit may be wrong: what it really costs is found out within the bounds of `most`.
            let unknown = enabled && source != Source::Learned;
            let mut interval = planned.or_else(|| unknown.then_some(settings.max_interval));
            if collector == Collector::Recipients && settings.interval.is_none() {
                // What is not read again is summed up again: windows move on, and people come and go.
                interval = interval.map(|interval| interval.min(settings.max_interval));
            }
            self.agenda[collector].interval = interval;
            let status = &mut self.statuses[collector];
            status.disabled = !enabled;
            let already = status
                .last_failure
                .as_ref()
                .is_some_and(|failure| failure.reason == Reason::Budget);
            if enabled && interval.is_none() && !already {
                let failure = too_expensive(cost, self.forecast.limit);
                warn!(account = %self.tools.config.name, %collector, reason = "budget", "not planned: {}; {}", failure.cause, failure.cure);
                self.tools.instruments.failure(collector, Reason::Budget);
                status.success = Some(false);
                status.last_failure = Some(failure);
            }
        }
    }

    /// Notes what is planned.
    pub(super) fn describe(&mut self) {
        let (now, wall) = (Instant::now(), self.tools.clock.now());
        for collector in Collector::ALL {
            let entry = &self.agenda[collector];
            let status = &mut self.statuses[collector];
            status.interval = entry.interval.map(|interval| interval.as_secs_f64());
            let due = match &self.breaker {
                Some(breaker) => Some((breaker.probe_at(), NextRunReason::KeyRefused)),
                // Its turn is now until it has ended, also for the next run if this one doesn't live to see it.
                None if entry.running.is_some() => continue,
                None => entry.due(now),
            };
            let due = due.filter(|_| !status.disabled);
            let planned = &mut self.planned[collector];
            // The same instant is the same time, however the clocks drift.
            *planned = due.map(|(at, _)| match *planned {
                Some((known, time)) if known == at => (at, time),
                _ => {
                    let time = wall + at.saturating_duration_since(now).as_secs_f64();
                    (at, (time * 1000.0).round() / 1000.0)
                }
            });
            status.next_run = planned.map(|(_, time)| time);
            status.next_run_reason = due.map_or(NextRunReason::TooExpensive, |(_, why)| why);
        }
    }

    /// Lets pages and series see what is planned, under way and done.
    pub(super) fn show(&self) {
        let requests = self.forecast.plan.requests_per_day;
        let mut statuses = self.statuses.clone();
        for (collector, entry) in self.agenda.iter() {
            if let Some(running) = &entry.running {
                statuses[collector].last_attempt = Some(running.since);
            }
        }
        self.tools.instruments.update(|state| {
            state.collectors = statuses;
            state.plan_requests_per_day = Some(requests);
        });
    }

    pub(super) fn publish(&self) {
        self.tools
            .published
            .publish(&self.tools.config.name, Arc::new(self.snapshot.clone()));
    }

    /// Keeps what is known. A refresh under way isn't: after a restart it is due as if it had not begun.
    pub(super) async fn save(&mut self) {
        let saved = Saved {
            snapshot: self.snapshot.clone(),
            collectors: self.statuses.clone(),
            up: self.tools.instruments.update(|state| state.up),
            costs: self.learned.of,
            running_enrollments_cost: self.learned.running_enrollments,
            filter_ignored: self.learned.filter_ignored,
            overhead: self.learned.overhead,
            base_url: Some(self.tools.config.base_url.as_str().to_owned()),
        };
        let unsaved = self.tools.lease.save(saved).await.err();
        if let Some(error) = unsaved.as_ref().filter(|_| !self.unsaved) {
            warn!(account = %self.tools.config.name, "the snapshot can't be kept, a restart would begin without it: {}", error.explain());
        }
        self.unsaved = unsaved.is_some();
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
