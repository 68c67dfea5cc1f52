//! The only place that asks what time it is.
//!
//! Wall time is for people: timestamps in series, on pages, in files. Schedules and budgets run on
//! [`tokio::time::Instant`], which no step of the wall clock moves and which tests can pause. It stands still while the
//! machine sleeps; the time since boot doesn't, and tells a step from a sleep.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Differences between two clocks, in seconds, that are a step or a sleep, and not slewing or scheduling.
const NOTICED: f64 = 2.0;

/// Where wall time comes from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Anchored {
        epoch: f64,
        start: Instant,
        /// Seconds by which the wall clock was set, and for which the machine slept.
        moved: Arc<Mutex<(f64, f64)>>,
    },
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `epoch` (unix seconds) now and goes on with tokio's time, paused or not.
    pub fn anchored(epoch: f64) -> Self {
        Self(Source::Anchored {
            epoch,
            start: Instant::now(),
            moved: Arc::default(),
        })
    }

    /// Sets an anchored wall clock forward by `seconds`, or back.
    pub fn set_forward(&self, seconds: f64) {
        self.move_by(seconds, 0.0);
    }

    /// Lets the machine of an anchored clock sleep for `seconds`.
    pub fn sleep(&self, seconds: f64) {
        self.move_by(0.0, seconds);
    }

    fn move_by(&self, set: f64, slept: f64) {
        if let Source::Anchored { moved, .. } = &self.0 {
            let mut moved = moved.lock().unwrap_or_else(PoisonError::into_inner);
            moved.0 += set;
            moved.1 += slept;
        }
    }

    /// Unix seconds.
    pub fn now(&self) -> f64 {
        match &self.0 {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that reads the wall clock"
            )]
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or(Duration::ZERO)
                .as_secs_f64(),
            Source::Anchored { epoch, start, moved } => {
                let (set, slept) = *moved.lock().unwrap_or_else(PoisonError::into_inner);
                epoch + start.elapsed().as_secs_f64() + set + slept
            }
        }
    }

    /// The same in whole milliseconds, for a budget's records.
    pub fn milliseconds(&self) -> u64 {
        (self.now() * 1000.0).max(0.0) as u64
    }

    /// Seconds since the machine was booted, its sleep included, or since some other moment.
    pub fn since_boot(&self) -> f64 {
        match &self.0 {
            Source::System => {
                let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
            }
            Source::Anchored { start, moved, .. } => {
                let (_, slept) = *moved.lock().unwrap_or_else(PoisonError::into_inner);
                start.elapsed().as_secs_f64() + slept
            }
        }
    }
}

/// Notices what clocks do besides going on.
#[derive(Debug)]
pub struct Watch {
    wall: f64,
    boot: f64,
    monotonic: Instant,
}

/// What happened since the last look that noticed anything.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Noticed {
    /// Seconds by which the wall clock was set forward, or back.
    pub step: Option<f64>,
    /// How long the machine slept.
    pub slept: Option<Duration>,
}

impl Watch {
    /// Begins at `now`.
    pub fn new(clock: &Clock, now: Instant) -> Self {
        Self {
            wall: clock.now(),
            boot: clock.since_boot(),
            monotonic: now,
        }
    }

    /// What has happened until `now`.
    pub fn look(&mut self, clock: &Clock, now: Instant) -> Noticed {
        let seen = Self::new(clock, now);
        let boot = seen.boot - self.boot;
        let slept = boot - now.saturating_duration_since(self.monotonic).as_secs_f64();
        let step = seen.wall - self.wall - boot;
        let noticed = Noticed {
            step: (step.abs() > NOTICED).then_some(step),
            slept: Duration::try_from_secs_f64(slept)
                .ok()
                .filter(|slept| slept.as_secs_f64() > NOTICED),
        };
        // Slewing adds up until it is a step.
        if noticed != Noticed::default() {
            *self = seen;
        }
        noticed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn steps_and_sleeps_are_told_apart() {
        let clock = Clock::anchored(1_000.0);
        let mut watch = Watch::new(&clock, Instant::now());
        let mut look = || watch.look(&clock, Instant::now());
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(look(), Noticed::default());
        clock.set_forward(-600.0);
        let noticed = look();
        assert!(
            noticed.step.is_some_and(|step| (step + 600.0).abs() < 0.1) && noticed.slept.is_none(),
            "{noticed:?}"
        );
        clock.sleep(600.0);
        let noticed = look();
        assert!(
            noticed.step.is_none() && noticed.slept.is_some_and(|slept| slept.as_secs() == 600),
            "{noticed:?}"
        );
        clock.set_forward(1.5);
        assert_eq!(look(), Noticed::default());
        clock.set_forward(1.5);
        assert!(look().step.is_some());
        assert_eq!(look(), Noticed::default());
    }

    #[test]
    fn the_machines_own_clocks_agree() {
        let clock = Clock::system();
        let mut watch = Watch::new(&clock, Instant::now());
        assert_eq!(watch.look(&clock, Instant::now()), Noticed::default());
    }
}
