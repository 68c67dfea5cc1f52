//! What follows from the end of a refresh: for its own next run, for the plan, and for the account.

use std::sync::Arc;
use std::time::Duration;

use super::{Effect, Ended, Machine, Notice, Now};
use crate::api::error::ApiError;
use crate::collect::Yield;
use crate::model::{Collector, Endpoint, EnrollmentScope, NextRunReason, Reason};
use quota::Refused;

/// Shortest pause after a 429: a Retry-After of a second says that the minute is full, not that it is over.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// Pause after a request could not be recorded: to try again sends nothing until it can.
const RECORD_AGAIN: Duration = Duration::from_secs(20);

/// What of a refresh's end is needed beyond its result.
struct Cost {
    requests: u64,
    retries: u64,
    scope: EnrollmentScope,
}

impl Machine {
    /// Takes in the end of a refresh. A refusal of the key waits until the key has been read again; `pause` is how long
    /// the budget waits for its next request.
    pub(super) fn ended(&mut self, ended: Ended, now: Now, pause: Duration) {
        let unauthorized = matches!(&ended.result, Err(error) if error.reason() == Reason::Unauthorized);
        if unauthorized {
            self.refused.push(ended);
            self.effects.push(Effect::ReadKey);
        } else {
            self.finish(ended, false, now, pause);
        }
    }

    /// What it brought is on disk before anybody sees it.
    pub(super) fn finish(&mut self, ended: Ended, key_has_changed: bool, now: Now, pause: Duration) {
        let Ended {
            collector,
            started,
            started_at,
            requests,
            retries,
            scope,
            result,
            // Nobody goes before this has ended.
            hold: _hold,
        } = ended;
        let entry = &mut self.agenda[collector];
        entry.running = None;
        entry.wants = 0;
        entry.tried = true;
        entry.attempted_here = true;
        entry.started = Some(started);
        entry.past.last_attempt = Some(started_at);
        let wasted = if result.is_ok() { retries } else { requests };
        self.learned.spent(requests, wasted, self.forecast.limit);
        let cost = Cost {
            requests,
            retries,
            scope,
        };
        let succeeded = result.is_ok();
        match result {
            Ok(yielded) => self.succeeded(collector, yielded, &cost, now.instant - started, now),
            Err(error) => self.failed(collector, &error, &cost, key_has_changed, now, pause),
        }
        self.replan();
        self.effects.push(Effect::Save);
        if succeeded {
            self.effects.push(Effect::Publish);
        }
    }

    fn succeeded(&mut self, collector: Collector, yielded: Yield, cost: &Cost, duration: Duration, now: Now) {
        self.learn(collector, cost.scope, cost.requests - cost.retries);
        if !self.has_worked() {
            for (other, entry) in self.agenda.iter_mut() {
                if other != collector && entry.unsettled > 0 && entry.running.is_none() {
                    entry.works_elsewhere(now.instant);
                }
            }
        }
        if let Some(directory) = yielded.directory {
            self.directory = Some(Arc::new(directory));
        }
        self.snapshot.set(yielded.collection, now.wall);
        let entry = &mut self.agenda[collector];
        entry.succeeded();
        if let Some(seconds) = yielded.again {
            entry.again(seconds, now.instant);
        }
        entry.wants = yielded.wants.unwrap_or_default();
        let past = &mut entry.past;
        past.success = Some(true);
        past.last_success = Some(now.wall);
        past.duration = Some(duration.as_secs_f64());
        past.refresh_requests = Some(cost.requests);
        past.last_failure = None;
        past.notes = yielded.notes;
        self.suspects.retain(|suspect| *suspect != collector);
        if self.breaker.take().is_some() {
            self.say(Notice::KeyWorks);
            self.suspect_the_refused(now);
        }
        self.say(Notice::Refreshed {
            collector,
            requests: cost.requests,
            duration,
        });
    }

    fn failed(
        &mut self,
        collector: Collector,
        error: &ApiError,
        cost: &Cost,
        key_has_changed: bool,
        now: Now,
        pause: Duration,
    ) {
        let reason = error.reason();
        let failure = error.failure(Endpoint::Of(collector), &self.host);
        self.effects.push(Effect::Count(collector, reason));
        let wait = match error {
            ApiError::Status { status: 429, .. } => Some(pause.max(SHORTEST_PAUSE)),
            ApiError::Budget(Refused::Later(wait) | Refused::Paused(wait)) => Some(*wait),
            ApiError::Budget(Refused::Unrecorded(_)) => Some(RECORD_AGAIN),
            _ => error.retry_after(),
        };
        let own = error.is_the_apis_own();
        let settled = own && (reason == Reason::BadRequest || self.has_worked());
        let entry = &mut self.agenda[collector];
        let worked = entry.past.last_success.is_some();
        entry.own = own;
        entry.failed(reason, settled, worked, wait, now.instant);
        entry.past.success = Some(false);
        entry.past.last_failure = Some(failure.clone());
        self.learn_from(collector, error, cost.scope, now);
        if reason == Reason::Unauthorized {
            if key_has_changed {
                self.agenda[collector].instead = Some((now.instant, NextRunReason::Interval));
            } else {
                self.stop_at_refusal(collector, now);
            }
        } else if let Some(breaker) = &mut self.breaker {
            breaker.probed(now.instant);
        }
        let again = self.turn(collector);
        self.say(Notice::Failed {
            collector,
            requests: cost.requests,
            failure,
            again: again.map(|(at, _)| at.saturating_duration_since(now.instant)),
        });
    }

    /// What a failure says of the cost.
    fn learn_from(&mut self, collector: Collector, error: &ApiError, scope: EnrollmentScope, now: Now) {
        match error {
            ApiError::TooExpensive { requests, announced } => {
                // What doesn't end within what one refresh may take counts as beyond the whole budget: trying again
                // with a little more would burn the next day too. Unless the API says how much it is.
                let beyond = if *announced { 0 } else { self.forecast.limit + 1 };
                self.learn(collector, scope, (*requests).max(beyond));
                self.replan();
                let fits = *announced && *requests <= self.forecast.most(collector);
                self.agenda[collector].instead = fits.then_some((now.instant, NextRunReason::Interval));
            }
            ApiError::Incomplete(_)
                if scope == EnrollmentScope::RunningCampaigns && collector == Collector::Enrollments =>
            {
                self.learned.filter_ignored = true;
            }
            _ => {}
        }
    }

    /// Whether anything was ever read of this account.
    fn has_worked(&self) -> bool {
        self.agenda
            .iter()
            .any(|(_, entry)| entry.past.last_success.is_some())
    }

    fn learn(&mut self, collector: Collector, scope: EnrollmentScope, cost: u64) {
        if collector.resource().each_of.is_some() {
            // Its cost follows from the objects' sizes.
        } else if collector == Collector::Enrollments && scope == EnrollmentScope::RunningCampaigns {
            self.learned.running_enrollments = Some(cost);
        } else {
            self.learned.of[collector] = Some(cost);
        }
    }
}
