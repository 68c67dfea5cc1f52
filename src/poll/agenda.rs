//! When each collector is due: pure rules over instants, without a clock of their own.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::retry::Delays;
use crate::model::{Collector, CollectorStatus, NextRunReason, PerCollector, Reason};

/// Pause after the first failure that may pass by itself; doubles from there to the planned interval.
const FIRST_RETRY: Duration = Duration::from_secs(60);

/// Longest such pause: what is down for a day is worth a look a few times a day.
const LONGEST_RETRY: Duration = Duration::from_secs(6 * 3600);

/// How often an endpoint is asked that has never worked and is refused or missing.
const UNAVAILABLE: Duration = Duration::from_secs(24 * 3600);

/// When one collector runs.
#[derive(Debug)]
pub(super) struct Entry {
    /// When its last refresh began.
    pub(super) started: Option<Instant>,
    /// The promised interval; [`None`] where the budget allows none.
    pub(super) interval: Option<Duration>,
    /// Set by a failure, instead of the interval.
    pub(super) instead: Option<(Instant, NextRunReason)>,
    /// Whether a refresh is under way.
    pub(super) running: bool,
    /// Whether it was tried since the process began, or its data came back from disk.
    pub(super) tried: bool,
    delays: Delays,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            started: None,
            interval: None,
            instead: None,
            running: false,
            tried: false,
            delays: Delays::new(FIRST_RETRY, LONGEST_RETRY),
        }
    }
}

/// When all collectors of an account run.
pub(super) type Agenda = PerCollector<Entry>;

impl Entry {
    /// Takes up the phase of an earlier run. `wall` is unix seconds at `now`.
    pub(super) fn restore(&mut self, status: &CollectorStatus, now: Instant, wall: f64) {
        let age = |at: f64| Duration::try_from_secs_f64(wall - at).unwrap_or(Duration::ZERO);
        // A machine that is younger than the last attempt has no instant for it: then it begins at once.
        self.started = status.last_attempt.and_then(|at| now.checked_sub(age(at)));
        self.tried = status.success.is_some();
        if let (Some(at), false) = (status.next_run, status.next_run_reason == NextRunReason::Interval) {
            let wait = Duration::try_from_secs_f64(at - wall).unwrap_or(Duration::ZERO);
            self.instead = Some((now + wait.min(UNAVAILABLE), status.next_run_reason));
        }
    }

    /// When it is due, and why then; [`None`] for never.
    pub(super) fn due(&self, now: Instant) -> Option<(Instant, NextRunReason)> {
        if let Some(instead) = self.instead {
            return Some(instead);
        }
        let interval = self.interval?;
        Some((
            self.started.map_or(now, |started| started + interval),
            NextRunReason::Interval,
        ))
    }

    /// A refresh succeeded.
    pub(super) fn succeeded(&mut self) {
        self.instead = None;
        self.delays.reset();
    }

    /// A refresh failed at `now`. `worked` says whether one ever succeeded.
    pub(super) fn failed(&mut self, reason: Reason, worked: bool, wait: Option<Duration>, now: Instant) {
        self.instead = match reason {
            Reason::Forbidden | Reason::NotFound | Reason::Unauthorized if !worked => {
                Some((now + UNAVAILABLE, NextRunReason::Unavailable))
            }
            // Asked again as planned: the answer is not going to be another one in a minute.
            Reason::BadRequest
            | Reason::Forbidden
            | Reason::NotFound
            | Reason::Unauthorized
            | Reason::Incomplete => None,
            Reason::Budget => Some((now + wait.unwrap_or(FIRST_RETRY), NextRunReason::Budget)),
            Reason::RateLimited => Some((now + wait.unwrap_or(FIRST_RETRY), NextRunReason::Throttled)),
            Reason::ServerError | Reason::Timeout | Reason::Transport | Reason::Decode => {
                let pause = self.delays.pause();
                let pause = self.interval.map_or(pause, |interval| pause.min(interval));
                // As long as the server asked for, but not forever.
                let asked_for = wait.unwrap_or_default().min(LONGEST_RETRY);
                Some((now + pause.max(asked_for), NextRunReason::Retry))
            }
        };
    }
}

/// What must have been tried before `collector` can make the most of its requests.
pub(super) fn prerequisites(collector: Collector, segments: bool) -> &'static [Collector] {
    match collector {
        // Names of campaigns to join rows by; segments of users to count them by.
        Collector::Enrollments if segments => &[Collector::TrainingCampaigns, Collector::Users],
        Collector::Enrollments => &[Collector::TrainingCampaigns],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(interval: u64) -> Entry {
        Entry {
            interval: Some(Duration::from_secs(interval)),
            ..Entry::default()
        }
    }

    #[tokio::test]
    async fn what_never_ran_is_due_at_once_and_then_by_interval() {
        let now = Instant::now();
        let mut entry = entry(600);
        assert_eq!(entry.due(now), Some((now, NextRunReason::Interval)));
        entry.started = Some(now);
        assert_eq!(
            entry.due(now),
            Some((now + Duration::from_secs(600), NextRunReason::Interval))
        );
        entry.interval = None;
        assert_eq!(entry.due(now), None);
    }

    #[tokio::test]
    async fn each_reason_has_its_pause() {
        let now = Instant::now();
        let due = |reason, worked, wait| {
            let mut entry = entry(3600);
            entry.started = Some(now);
            entry.failed(reason, worked, wait, now);
            let (at, why) = entry.due(now).expect("due");
            ((at - now).as_secs(), why)
        };
        assert_eq!(
            due(Reason::Forbidden, false, None),
            (86_400, NextRunReason::Unavailable)
        );
        assert_eq!(
            due(Reason::NotFound, false, None),
            (86_400, NextRunReason::Unavailable)
        );
        assert_eq!(due(Reason::NotFound, true, None), (3600, NextRunReason::Interval));
        assert_eq!(
            due(Reason::BadRequest, false, None),
            (3600, NextRunReason::Interval)
        );
        assert_eq!(
            due(Reason::Incomplete, true, None),
            (3600, NextRunReason::Interval)
        );
        assert_eq!(
            due(Reason::Budget, true, Some(Duration::from_secs(7))),
            (7, NextRunReason::Budget)
        );
        assert_eq!(
            due(Reason::ServerError, true, Some(Duration::from_secs(600))),
            (600, NextRunReason::Retry)
        );
        let (pause, why) = due(Reason::ServerError, true, None);
        assert!(
            (48..=72).contains(&pause) && why == NextRunReason::Retry,
            "{pause}"
        );
    }

    #[tokio::test]
    async fn a_restart_keeps_the_phase() {
        let now = Instant::now() + Duration::from_secs(100_000);
        let status = CollectorStatus {
            last_attempt: Some(1_000.0),
            success: Some(true),
            ..CollectorStatus::default()
        };
        let mut entry = entry(600);
        entry.restore(&status, now, 1_250.0);
        assert_eq!(
            entry.due(now),
            Some((now + Duration::from_secs(350), NextRunReason::Interval))
        );
        let mut behind = Entry {
            interval: entry.interval,
            ..Entry::default()
        };
        behind.restore(&status, now, 10.0);
        assert_eq!(
            behind.due(now),
            Some((now + Duration::from_secs(600), NextRunReason::Interval))
        );
    }
}
