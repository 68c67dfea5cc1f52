//! The only place that asks what time it is.
//!
//! Wall time is for people: timestamps in series, on pages, in files. Schedules and budgets run on
//! [`tokio::time::Instant`], which no step of the wall clock moves and which tests can pause.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Where wall time comes from.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Anchored { epoch: f64, start: Instant },
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
        })
    }

    /// Unix seconds.
    pub fn now(&self) -> f64 {
        match self.0 {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one place that reads the wall clock"
            )]
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or(Duration::ZERO)
                .as_secs_f64(),
            Source::Anchored { epoch, start } => epoch + start.elapsed().as_secs_f64(),
        }
    }

    /// The same in whole milliseconds, for a budget's records.
    pub fn milliseconds(&self) -> u64 {
        (self.now() * 1000.0).max(0.0) as u64
    }
}
