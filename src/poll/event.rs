//! What happens to an account: the ends of what its machine wanted done, and what comes from outside.

use tokio::time::Instant;

use crate::api::error::ApiError;
use crate::clock::Noticed;
use crate::collect::Yield;
use crate::config::KeyError;
use crate::model::{Collector, EnrollmentScope};
use crate::secret::ApiKey;
use quota::Hold;

/// One moment by both clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Now {
    /// By the clock that schedules run on.
    pub(super) instant: Instant,
    /// By the wall clock, in unix seconds.
    pub(super) wall: f64,
}

impl Now {
    /// What the wall clock shows at `at`, in unix seconds and whole milliseconds: the same for the same instant, for as
    /// long as nobody sets the clock.
    pub(super) fn wall_at(self, at: Instant) -> f64 {
        let after = at.saturating_duration_since(self.instant).as_secs_f64();
        let before = self.instant.saturating_duration_since(at).as_secs_f64();
        ((self.wall + after - before) * 1000.0).round() / 1000.0
    }
}

/// Something has happened.
#[derive(Debug)]
pub(super) enum Event {
    /// Somebody asks for what was refused to be tried once more.
    Nudged,
    /// Another key or another server may answer what was refused.
    Reconfigured,
    /// The clocks did something besides going on.
    Clocks(Noticed),
    /// The key was read again.
    KeyRead(Result<ApiKey, KeyError>),
    /// A refresh has ended.
    Ended(Box<Ended>),
}

/// A refresh that has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) collector: Collector,
    pub(super) started: Instant,
    /// The same by the wall clock, in unix seconds.
    pub(super) started_at: f64,
    pub(super) requests: u64,
    /// Those of the requests that repeated a failed one.
    pub(super) retries: u64,
    pub(super) scope: EnrollmentScope,
    pub(super) result: Result<Yield, ApiError>,
    /// Nobody goes until its refusal is dealt with.
    pub(super) hold: Option<Hold>,
}
