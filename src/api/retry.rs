//! Growing pauses with jitter. The only user of `backoff`, for its arithmetic alone: its own retry loop knows
//! neither a limit of attempts nor a budget.

use std::time::Duration;

use backoff::ExponentialBackoff;
use backoff::backoff::Backoff as _;

/// Attempts at one page, the first included. Each costs a request, so that a bad day costs at most three times the plan.
pub const ATTEMPTS: u32 = 3;

/// Pauses that double from the first to the longest.
#[derive(Debug)]
pub struct Delays {
    policy: ExponentialBackoff,
    longest: Duration,
}

impl Delays {
    /// Pauses from about `first` to at most `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        let policy = ExponentialBackoff {
            current_interval: first,
            initial_interval: first,
            multiplier: 2.0,
            // Jitter of a fifth: enough that many accounts don't come back in step.
            randomization_factor: 0.2,
            max_interval: longest,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self { policy, longest }
    }

    /// Between attempts at the same page.
    pub fn between_attempts() -> Self {
        Self::new(Duration::from_secs(1), Duration::from_secs(30))
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        // The policy adds its jitter after its own maximum.
        self.policy
            .next_backoff()
            .unwrap_or(self.longest)
            .min(self.longest)
    }

    /// The next pause, or `asked_for` where that is longer; [`None`] where it is too long to wait for.
    pub fn pause_at_least(&mut self, asked_for: Duration) -> Option<Duration> {
        (asked_for <= self.longest).then(|| self.pause().max(asked_for))
    }

    /// Begins again with the first.
    pub fn reset(&mut self) {
        self.policy.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_the_longest_and_begin_again() {
        let mut delays = Delays::new(Duration::from_secs(10), Duration::from_secs(100));
        let pauses: Vec<_> = (0..6).map(|_| delays.pause().as_secs_f64()).collect();
        assert!((8.0..=12.0).contains(&pauses[0]), "{pauses:?}");
        assert!((16.0..=24.0).contains(&pauses[1]), "{pauses:?}");
        assert!(
            pauses.iter().all(|pause| *pause <= 100.0) && pauses[5] >= 80.0,
            "{pauses:?}"
        );
        delays.reset();
        assert!(delays.pause().as_secs_f64() <= 12.0);
        let minute = Duration::from_secs(60);
        assert_eq!(delays.pause_at_least(minute), Some(minute));
        assert_eq!(delays.pause_at_least(2 * minute), None);
    }
}
