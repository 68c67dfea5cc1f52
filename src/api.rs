//! The only user of the Reporting API: pages, retries, decoding.
//!
//! Each attempt consumes one [`Permit`](quota::Permit), so that nothing can be sent that the budget does
//! not know of. Answers become rows ([`wire`]) that go no further than `collect`. Nothing here knows what a
//! collector makes of them, and no body is ever logged.

mod attempt;
mod broken;
pub mod clients;
pub mod error;
pub mod headers;
mod listing;
pub mod page;
mod probe;
pub mod proxy;
mod refresh;
pub mod retry;
pub mod shape;
pub mod transport;
pub mod trust;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use quota::Budget;

use self::error::ApiError;
pub use self::probe::{PROBE_PAGE, Probe};
pub use self::refresh::Refresh;
use self::retry::Delays;
use self::transport::{Call, Transport};
use self::wire::{Drift, Row};
use crate::clock::Clock;
use crate::instrument::AccountInstruments;
use crate::model::{Collector, Endpoint, Failure, Reason};

/// One account's way to its API.
pub struct Client {
    transport: Arc<dyn Transport>,
    budget: Arc<Budget>,
    instruments: Arc<AccountInstruments>,
    clock: Clock,
}

/// Codes that are counted from 0 on, so that the first one shows in a rate: what a good day has, and what alerts ask for.
/// Six series for each endpoint.
const EXPECTED_CODES: [&str; 6] = ["200", "429", "500", "503", "timeout", "transport"];

impl Client {
    /// A client that spends from `budget` and counts in `instruments`.
    pub fn new(
        transport: Arc<dyn Transport>,
        budget: Arc<Budget>,
        instruments: Arc<AccountInstruments>,
        clock: Clock,
    ) -> Self {
        for endpoint in Endpoint::polled() {
            let kinds = Drift::default().counts().map(|(kind, _)| kind);
            instruments.expect(endpoint, &EXPECTED_CODES, &kinds);
        }
        Self {
            transport,
            budget,
            instruments,
            clock,
        }
    }

    /// What went wrong, for people.
    pub fn explain(&self, error: &ApiError, endpoint: Endpoint) -> Failure {
        error.failure(endpoint, self.transport.host())
    }

    /// Reads the object of an endpoint that has one.
    ///
    /// # Errors
    /// When it can't be had, or isn't what was asked for.
    pub async fn one<R: Row>(&self, refresh: &mut Refresh, endpoint: Endpoint) -> Result<R, ApiError> {
        let call = Call {
            endpoint,
            id: None,
            query: Vec::new(),
        };
        let mut delays = Delays::between_attempts();
        let mut attempt = 1;
        let answer = loop {
            match self.attempt(refresh, &call, attempt).await {
                Ok(answer) => break answer,
                Err(error) => {
                    self.pause_or_fail(refresh, error, endpoint, attempt, &mut delays)
                        .await?;
                }
            }
            attempt += 1;
        };
        let (row, drift) = wire::one::<R>(&answer.body).map_err(|error| self.undecodable(&error, &answer))?;
        self.count(endpoint, &drift);
        Ok(row)
    }

    /// What time it is, in unix seconds.
    pub fn now(&self) -> f64 {
        self.clock.now()
    }

    /// Counts a failure of a part of a refresh that goes on without it.
    pub fn failed(&self, collector: Collector, reason: Reason) {
        self.instruments.failure(collector, reason);
    }

    /// For how long the day has no room for `requests`; [`None`] when it has.
    pub fn no_room(&self, requests: u64) -> Option<Duration> {
        (self.budget.room() < requests).then(|| self.budget.next_room(requests))
    }

    /// Counts surprises that show only once a listing is whole.
    pub fn count(&self, endpoint: Endpoint, drift: &Drift) {
        for (kind, times) in drift.counts() {
            if times > 0 {
                self.instruments.drift(endpoint, kind, times);
            }
        }
    }
}
