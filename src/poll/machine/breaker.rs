//! What stops an account whose key is refused: one probe per growing pause, until the key changes.

use std::time::Duration;

use tokio::time::Instant;

use crate::api::retry::Delays;
use crate::model::Collector;

/// First pause: a key may have been replaced a moment ago, and other keys may be slow to spread.
const FIRST: Duration = Duration::from_secs(60);

/// Longest pause: a dozen requests a day show that nobody cares, and burn no quota.
const LONGEST: Duration = Duration::from_secs(6 * 3600);

/// Open while the key is refused.
#[derive(Debug)]
pub(super) struct Breaker {
    blamed: Collector,
    probe_at: Instant,
    delays: Delays,
}

impl Breaker {
    /// Opens because `blamed` was refused; the first probe may go out at once.
    pub(super) fn open(blamed: Collector, now: Instant) -> Self {
        Self {
            blamed,
            probe_at: now,
            delays: Delays::new(FIRST, LONGEST),
        }
    }

    /// When the next probe may go out.
    pub(super) fn probe_at(&self) -> Instant {
        self.probe_at
    }

    /// The next probe may go out at `now`.
    pub(super) fn probe_now(&mut self, now: Instant) {
        self.probe_at = now;
    }

    /// Which collector to probe with: the cheapest other than the blamed, so that it shows whether the key is refused
    /// everywhere or by one endpoint.
    pub(super) fn probe(&self, order: &[Collector]) -> Collector {
        let other = |collector: &&Collector| **collector != self.blamed;
        let account = order
            .iter()
            .filter(other)
            .find(|collector| **collector == Collector::Account);
        *account
            .or_else(|| order.iter().find(other))
            .unwrap_or(&self.blamed)
    }

    /// A probe failed at `now`.
    pub(super) fn probed(&mut self, now: Instant) {
        self.probe_at = now + self.delays.pause();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_day_of_refusals_costs_a_handful_of_probes() {
        let start = Instant::now();
        let mut breaker = Breaker::open(Collector::Users, start);
        let mut probes = 0;
        while breaker.probe_at() < start + Duration::from_secs(86_400) {
            probes += 1;
            let now = breaker.probe_at();
            breaker.probed(now);
        }
        assert!(probes <= 16, "{probes}");
    }

    #[tokio::test]
    async fn another_endpoint_than_the_refused_is_probed() {
        let breaker = Breaker::open(Collector::Account, Instant::now());
        assert_eq!(
            breaker.probe(&[Collector::Account, Collector::Policies]),
            Collector::Policies
        );
        assert_eq!(breaker.probe(&[Collector::Account]), Collector::Account);
        let breaker = Breaker::open(Collector::Policies, Instant::now());
        assert_eq!(
            breaker.probe(&[Collector::Groups, Collector::Account, Collector::Policies]),
            Collector::Account
        );
    }
}
