//! What follows from the end of a refresh: for its own next run, for the plan, and for the account.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Poller, TICK};
use crate::api::error::ApiError;
use crate::collect::Yield;
use crate::config::duration;
use crate::model::{Collector, Endpoint, EnrollmentScope, NextRunReason, Reason};
use quota::{Hold, Refused};

/// A refresh that has ended.
pub(super) struct Ended {
    pub(super) collector: Collector,
    pub(super) started: Instant,
    pub(super) started_at: f64,
    pub(super) requests: u64,
    /// Those of the requests that repeated a failed one.
    pub(super) retries: u64,
    pub(super) scope: EnrollmentScope,
    pub(super) result: Result<Yield, ApiError>,
    /// Nobody goes until its refusal is dealt with.
    pub(super) hold: Option<Hold>,
}

impl Poller {
    /// Takes in the end of a refresh. What it brought is on disk before anybody sees it.
    pub(super) async fn end(&mut self, ended: Ended, running: &mut JoinSet<Ended>) {
        let Ended {
            collector,
            started,
            started_at,
            requests,
            retries,
            scope,
            result,
            hold,
        } = ended;
        let entry = &mut self.agenda[collector];
        entry.running = None;
        entry.tried = true;
        entry.attempted_here = true;
        entry.started = Some(started);
        self.statuses[collector].last_attempt = Some(started_at);
        let wasted = if result.is_ok() { retries } else { requests };
        self.learned.spent(requests, wasted, self.forecast.limit);
        let succeeded = result.is_ok();
        match result {
            Ok(yielded) => self.succeeded(collector, yielded, requests, retries, scope, started),
            Err(error) => self.failed(collector, &error, requests, scope, running).await,
        }
        drop(hold);
        self.replan();
        self.describe();
        self.save().await;
        // Before the status: whoever sees the success finds the data.
        if succeeded {
            self.publish();
        }
        self.show();
    }

    fn succeeded(
        &mut self,
        collector: Collector,
        yielded: Yield,
        requests: u64,
        retries: u64,
        scope: EnrollmentScope,
        started: Instant,
    ) {
        let now = self.tools.clock.now();
        let duration = started.elapsed();
        self.learn(collector, scope, requests - retries);
        if !self.has_worked() {
            let at = Instant::now();
            for (other, entry) in self.agenda.iter_mut() {
                if other != collector && entry.unsettled > 0 && entry.running.is_none() {
                    entry.works_elsewhere(at);
                }
            }
        }
        if let Some(directory) = yielded.directory {
            self.directory = Some(Arc::new(directory));
        }
        self.snapshot.set(yielded.collection, now);
        self.agenda[collector].succeeded();
        if let Some(seconds) = yielded.again {
            self.agenda[collector].again(seconds, Instant::now());
        }
        let status = &mut self.statuses[collector];
        status.success = Some(true);
        status.last_success = Some(now);
        status.duration = Some(duration.as_secs_f64());
        status.refresh_requests = Some(requests);
        status.last_failure = None;
        status.notes = yielded.notes;
        self.suspects.retain(|suspect| *suspect != collector);
        if self.breaker.take().is_some() {
            info!(account = %self.tools.config.name, "the key works");
            self.suspect_the_refused();
        }
        info!(
            account = %self.tools.config.name, %collector, requests,
            duration_seconds = duration.as_secs_f64(), "refreshed"
        );
    }

    pub(super) async fn failed(
        &mut self,
        collector: Collector,
        error: &ApiError,
        requests: u64,
        scope: EnrollmentScope,
        running: &mut JoinSet<Ended>,
    ) {
        let now = Instant::now();
        let reason = error.reason();
        let failure = self.client.explain(error, Endpoint::Of(collector));
        let worked = self.statuses[collector].last_success.is_some();
        let said = failure.clone();
        self.tools.instruments.failure(collector, reason);
        let wait = match error {
            ApiError::Status { status: 429, .. } => Some(self.tools.budget.wait().max(TICK)),
            ApiError::Budget(Refused::Later(wait) | Refused::Paused(wait)) => Some(*wait),
            _ => error.retry_after(),
        };
        let own = error.is_the_apis_own();
        self.agenda[collector].own = own;
        let settled = own && (reason == Reason::BadRequest || self.has_worked());
        self.agenda[collector].failed(reason, settled, worked, wait, now);
        let status = &mut self.statuses[collector];
        status.success = Some(false);
        status.last_failure = Some(failure);
        match error {
            ApiError::TooExpensive { requests, announced } => {
                // What doesn't end within what one refresh may take counts as beyond the whole budget: trying again
                // with a little more would burn the next day too. Unless the API says how much it is.
                let beyond = if *announced { 0 } else { self.forecast.limit + 1 };
                self.learn(collector, scope, (*requests).max(beyond));
                self.replan();
                let fits = *announced && *requests <= self.forecast.most(collector);
                self.agenda[collector].instead = fits.then_some((now, NextRunReason::Interval));
            }
            ApiError::Incomplete(_)
                if scope == EnrollmentScope::RunningCampaigns && collector == Collector::Enrollments =>
            {
                self.learned.filter_ignored = true;
            }
            _ => {}
        }
        if reason == Reason::Unauthorized {
            self.refused(collector, now, running).await;
        } else if let Some(breaker) = &mut self.breaker {
            breaker.probed(now);
        }
        warn!(
            account = %self.tools.config.name, %collector, reason = reason.as_str(), requests,
            request_id = said.request_id.as_deref(),
            "refresh failed: {}; {}; {}", said.cause, said.cure, self.asked_again(collector, now)
        );
    }

    /// When it is asked again, in words.
    fn asked_again(&self, collector: Collector, now: Instant) -> String {
        let due = match &self.breaker {
            Some(breaker) => Some(breaker.probe_at()),
            None => self.agenda[collector].due(now).map(|(at, _)| at),
        };
        due.map_or_else(
            || "it is not asked again as things are".to_owned(),
            |at| {
                let seconds = at.saturating_duration_since(now).as_secs().max(1);
                format!(
                    "it is asked again in {}",
                    duration::format(Duration::from_secs(seconds))
                )
            },
        )
    }

    /// Whether anything was ever read of this account.
    fn has_worked(&self) -> bool {
        self.statuses
            .iter()
            .any(|(_, status)| status.last_success.is_some())
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
