//! What has come of each collector, and when it is due: pure rules over instants, without a clock of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::api::retry::Delays;
use crate::model::{CollectorStatus, Failure, NextRunReason, PerCollector, Reason};

/// Pause after the first failure that may pass by itself; doubles from there to the planned interval.
const FIRST_RETRY: Duration = Duration::from_secs(60);

/// Longest such pause: what is down for a day is worth a look a few times a day.
const LONGEST_RETRY: Duration = Duration::from_secs(6 * 3600);

/// When all collectors of an account run.
pub(super) type Agenda = PerCollector<Entry>;

/// How often an endpoint is asked that has never worked and is refused or missing.
const UNAVAILABLE: Duration = Duration::from_secs(24 * 3600);

/// A refresh under way.
#[derive(Debug)]
pub(super) struct Running {
    /// When it began, in unix seconds.
    pub(super) since: f64,
    /// When its turn was, and why then.
    pub(super) turn: Option<(Instant, NextRunReason)>,
    /// Requests it has sent.
    pub(super) requests: Arc<AtomicU64>,
}

impl Running {
    /// Requests it has sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// What has come of a collector so far: kept over restarts. Times are unix seconds.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    pub(super) success: Option<bool>,
    pub(super) last_success: Option<f64>,
    pub(super) last_attempt: Option<f64>,
    pub(super) duration: Option<f64>,
    pub(super) refresh_requests: Option<u64>,
    pub(super) last_failure: Option<Failure>,
    pub(super) notes: Vec<String>,
}

impl From<&CollectorStatus> for Past {
    fn from(status: &CollectorStatus) -> Self {
        Self {
            success: status.success,
            last_success: status.last_success,
            last_attempt: status.last_attempt,
            duration: status.duration,
            refresh_requests: status.refresh_requests,
            last_failure: status.last_failure.clone(),
            notes: status.notes.clone(),
        }
    }
}

/// When one collector runs.
#[derive(Debug)]
pub(super) struct Entry {
    /// See [`Past`].
    pub(super) past: Past,
    /// What never ran is due from here on.
    from: Instant,
    /// When its last refresh began.
    pub(super) started: Option<Instant>,
    /// The promised interval; [`None`] where the budget allows none.
    pub(super) interval: Option<Duration>,
    /// Set by a failure, instead of the interval.
    pub(super) instead: Option<(Instant, NextRunReason)>,
    /// Requests that it waits for, which the day has no room for: see [`Yield::wants`](crate::collect::Yield::wants).
    pub(super) wants: u64,
    /// The refresh under way.
    pub(super) running: Option<Running>,
    /// Whether it was tried since the process began, or its data came back from disk.
    pub(super) tried: bool,
    /// Whether this process has noted the last attempt, and the last success.
    pub(super) attempted_here: bool,
    pub(super) succeeded_here: bool,
    /// Refusals in a row that may not be the last word.
    pub(super) unsettled: u32,
    /// Whether it was the API itself that failed it last.
    pub(super) own: bool,
    delays: Delays,
}

impl Entry {
    /// One that was never tried. It is due at once, when there is an interval.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            past: Past::default(),
            from: now,
            started: None,
            interval: None,
            instead: None,
            wants: 0,
            running: None,
            tried: false,
            attempted_here: false,
            succeeded_here: false,
            unsettled: 0,
            own: false,
            delays: Delays::new(FIRST_RETRY, LONGEST_RETRY),
        }
    }

    /// Takes up the past and the phase of an earlier run. `wall` is unix seconds at `now`.
    pub(super) fn restore(&mut self, status: &CollectorStatus, now: Instant, wall: f64) {
        self.past = status.into();
        let age = |at: f64| Duration::try_from_secs_f64(wall - at).unwrap_or(Duration::ZERO);
        // A machine that is younger than the last attempt has no instant for it: then it begins at once.
        self.started = status.last_attempt.and_then(|at| now.checked_sub(age(at)));
        self.tried = status.success.is_some();
        // What waited for the key is due by its interval: the new process may have another key.
        let waits = !matches!(
            status.next_run_reason,
            NextRunReason::Interval | NextRunReason::KeyRefused | NextRunReason::Unavailable
        );
        if let Some(at) = status.next_run.filter(|_| waits) {
            let wait = Duration::try_from_secs_f64(at - wall).unwrap_or(Duration::ZERO);
            self.instead = Some((now + wait.min(UNAVAILABLE), status.next_run_reason));
        }
    }

    /// When it is due, and why then; [`None`] for never.
    pub(super) fn due(&self) -> Option<(Instant, NextRunReason)> {
        if let Some(instead) = self.instead {
            return Some(instead);
        }
        let interval = self.interval?;
        Some((
            self.started.map_or(self.from, |started| started + interval),
            NextRunReason::Interval,
        ))
    }

    /// A refresh succeeded.
    pub(super) fn succeeded(&mut self) {
        self.instead = None;
        self.unsettled = 0;
        self.succeeded_here = true;
        self.delays.reset();
    }

    /// There is more to do after `seconds`, if that is before the next run as planned.
    pub(super) fn again(&mut self, seconds: f64, now: Instant) {
        let at = now
            + Duration::try_from_secs_f64(seconds)
                .unwrap_or(UNAVAILABLE)
                .min(UNAVAILABLE);
        let planned = self.due();
        if planned.is_none_or(|(planned, _)| at < planned) {
            self.instead = Some((at, NextRunReason::Interval));
        }
    }

    /// A refresh failed at `now`. `settled` says whether a refusal is the API's last word: not a gateway's, and not one
    /// that all get; `worked` whether a refresh ever succeeded.
    pub(super) fn failed(
        &mut self,
        reason: Reason,
        settled: bool,
        worked: bool,
        wait: Option<Duration>,
        now: Instant,
    ) {
        let refused = matches!(reason, Reason::BadRequest | Reason::Forbidden | Reason::NotFound);
        let unsettled = refused && !settled;
        self.unsettled = if unsettled { self.unsettled + 1 } else { 0 };
        self.instead = match reason {
            _ if unsettled => Some((now + self.retry(wait), NextRunReason::Retry)),
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
                Some((now + self.retry(wait), NextRunReason::Retry))
            }
        };
    }

    /// A growing pause, within the interval; as long as the server asked for, but not forever.
    fn retry(&mut self, wait: Option<Duration>) -> Duration {
        let pause = self.delays.pause();
        let pause = self.interval.map_or(pause, |interval| pause.min(interval));
        pause.max(wait.unwrap_or_default().min(LONGEST_RETRY))
    }

    /// Something of the account works: what the API itself refused at the same time as everything else is this
    /// endpoint's own. What was confirmed since, or was a gateway's word, is asked again: what refused all has gone.
    pub(super) fn works_elsewhere(&mut self, now: Instant) {
        let first = self.own && self.unsettled == 1;
        let waits = matches!(self.instead, Some((_, NextRunReason::Retry)));
        self.instead = Some(if first && waits {
            (now + UNAVAILABLE, NextRunReason::Unavailable)
        } else {
            (now, NextRunReason::Interval)
        });
        self.unsettled = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(interval: u64, now: Instant) -> Entry {
        Entry {
            interval: Some(Duration::from_secs(interval)),
            ..Entry::new(now)
        }
    }

    #[tokio::test]
    async fn what_never_ran_is_due_at_once_and_then_by_interval() {
        let now = Instant::now();
        let mut entry = entry(600, now);
        assert_eq!(entry.due(), Some((now, NextRunReason::Interval)));
        entry.started = Some(now);
        assert_eq!(
            entry.due(),
            Some((now + Duration::from_secs(600), NextRunReason::Interval))
        );
        entry.interval = None;
        assert_eq!(entry.due(), None);
    }

    #[tokio::test]
    async fn each_reason_has_its_pause() {
        let now = Instant::now();
        let due = |reason, worked, wait| {
            let mut entry = entry(3600, now);
            entry.started = Some(now);
            entry.failed(reason, true, worked, wait, now);
            let (at, why) = entry.due().expect("due");
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
        for (reason, worked) in [
            (Reason::Forbidden, false),
            (Reason::NotFound, true),
            (Reason::BadRequest, false),
        ] {
            let mut entry = entry(7 * 86_400, now);
            let mut pauses = Vec::new();
            for _ in 0..12 {
                entry.failed(reason, false, worked, None, now);
                let (at, why) = entry.due().expect("due");
                assert_eq!(why, NextRunReason::Retry);
                pauses.push((at - now).as_secs());
            }
            assert!(
                pauses[0] <= 72 && pauses[1] > 80 && pauses[11] <= 6 * 3600,
                "{pauses:?}"
            );
        }
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
        let mut entry = entry(600, now);
        entry.restore(&status, now, 1_250.0);
        assert_eq!(
            entry.due(),
            Some((now + Duration::from_secs(350), NextRunReason::Interval))
        );
        let mut behind = Entry {
            interval: entry.interval,
            ..Entry::new(now)
        };
        behind.restore(&status, now, 10.0);
        assert_eq!(
            behind.due(),
            Some((now + Duration::from_secs(600), NextRunReason::Interval))
        );
    }

    #[tokio::test]
    async fn what_waited_for_the_key_is_due_by_its_interval_after_a_restart() {
        let now = Instant::now() + Duration::from_secs(100_000);
        let status = |next_run_reason| CollectorStatus {
            last_attempt: Some(1_000.0),
            next_run: Some(20_000.0),
            next_run_reason,
            ..CollectorStatus::default()
        };
        let due = |why| {
            let mut entry = entry(600, now);
            entry.restore(&status(why), now, 10_000.0);
            entry.due().expect("due").0
        };
        assert!(due(NextRunReason::KeyRefused) < now);
        assert_eq!(due(NextRunReason::Throttled), now + Duration::from_secs(10_000));
    }
}
