//! What a refresh has spent and may spend.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quota::Hold;

use super::retry::ATTEMPTS;

/// One refresh under way: what it has spent and may spend.
#[derive(Debug)]
pub struct Refresh {
    pub(super) priority: f64,
    pub(super) most: Option<u64>,
    /// Attempts at a request, the first included.
    pub(super) attempts: u32,
    pub(super) requests: Arc<AtomicU64>,
    pub(super) retries: u64,
    /// While the API's refusal of the key isn't dealt with.
    pub(super) hold: Option<Hold>,
}

impl Refresh {
    /// A refresh that gets its permits before those of larger `priority`, and at most `most` of them.
    pub fn new(priority: f64, most: Option<u64>) -> Self {
        Self {
            priority,
            most,
            attempts: ATTEMPTS,
            requests: Arc::default(),
            retries: 0,
            hold: None,
        }
    }

    /// The same after one that failed: a single attempt until the first answer, so that an API that is down for long
    /// costs no more than one that works.
    #[must_use]
    pub fn after_failure(self) -> Self {
        Self { attempts: 1, ..self }
    }

    /// Requests sent so far, retries included.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Those of them that repeated a failed one.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// What holds up the account since its key was refused: dropped with the refresh, unless it is taken.
    pub fn take_hold(&mut self) -> Option<Hold> {
        self.hold.take()
    }

    /// For whoever wants to know what it has sent while it is under way.
    pub fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.requests)
    }
}
