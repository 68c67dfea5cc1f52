//! What is planned, and how it looks from outside: intervals, and the status of each collector.

use std::time::Duration;

use super::{Effect, Machine, Notice};
use crate::forecast::{self, Sizes, Source, forecast};
use crate::model::{Collector, CollectorStatus, Failure, NextRunReason, PerCollector, Reason};
use crate::store::Saved;

impl Machine {
    /// Requests a day that the plan forecasts.
    pub(in crate::poll) fn requests_per_day(&self) -> f64 {
        self.forecast.plan.requests_per_day
    }

    /// Plans anew, from what is known of costs now.
    pub(super) fn replan(&mut self) {
        let costs = forecast::costs(&self.learned, &Sizes::default(), &self.snapshot);
        self.forecast = forecast(&self.config, &costs);
        for collector in Collector::ALL {
            let settings = &self.config.collectors[collector];
            let (cost, source) = self.forecast.costs[collector];
            let planned = self.forecast.interval(collector).map(Duration::from_secs_f64);
            // An estimate that doesn't fit may be wrong: what it really costs is found out within the bounds of `most`.
            let unknown = settings.enabled && source != Source::Learned;
            let mut interval = planned.or_else(|| unknown.then_some(settings.max_interval));
            if collector.resource().each_of.is_some() && settings.interval.is_none() {
                // What is not read again is summed up again: windows move on, and people come and go.
                interval = interval.map(|interval| interval.min(settings.max_interval));
            }
            let entry = &mut self.agenda[collector];
            entry.interval = interval;
            let last = entry.past.last_failure.as_ref();
            let already = last.is_some_and(|failure| failure.reason == Reason::Budget);
            if settings.enabled && interval.is_none() && !already {
                let failure = too_expensive(cost, self.forecast.limit);
                entry.past.success = Some(false);
                entry.past.last_failure = Some(failure.clone());
                self.effects.push(Effect::Count(collector, Reason::Budget));
                self.say(Notice::NotPlanned { collector, failure });
            }
        }
    }

    /// What is known of each collector, and what is planned. `live` says whether a refresh under way counts as its last
    /// attempt: not for what is kept, since after a restart it is due as if it had not begun.
    pub(in crate::poll) fn statuses(&self, live: bool) -> PerCollector<CollectorStatus> {
        PerCollector::new(|collector| {
            let entry = &self.agenda[collector];
            let enabled = self.config.collectors[collector].enabled;
            // Its turn is now until it has ended, also for the next run if this one doesn't live to see it.
            let turn = match &entry.running {
                Some(running) => running.turn,
                None => self.turn(collector),
            };
            let turn = turn.filter(|_| enabled);
            let began = entry.running.as_ref().filter(|_| live);
            let past = entry.past.clone();
            CollectorStatus {
                disabled: !enabled,
                interval: entry.interval.map(|interval| interval.as_secs_f64()),
                next_run: turn.map(|(at, _)| self.anchor.wall_at(at)),
                next_run_reason: turn.map_or(NextRunReason::TooExpensive, |(_, why)| why),
                last_attempt: began.map(|running| running.since).or(past.last_attempt),
                success: past.success,
                last_success: past.last_success,
                duration: past.duration,
                refresh_requests: past.refresh_requests,
                last_failure: past.last_failure,
                notes: past.notes,
            }
        })
    }

    /// What a restart takes up, besides the ledger. `up` is whether the last request succeeded.
    pub(in crate::poll) fn saved(&self, up: Option<bool>) -> Saved {
        Saved {
            snapshot: self.snapshot.clone(),
            collectors: self.statuses(false),
            up,
            costs: self.learned.of,
            running_enrollments_cost: self.learned.running_enrollments,
            filter_ignored: self.learned.filter_ignored,
            overhead: self.learned.overhead,
            base_url: Some(self.config.base_url.as_str().to_owned()),
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
