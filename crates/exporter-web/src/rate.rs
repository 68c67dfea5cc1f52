//! The rate limit of the web configuration: a token bucket over all clients.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// What the configuration allows: one request per interval, and a number of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RateLimit {
    /// Time in which one more request is allowed; never zero.
    pub(super) interval: Duration,
    /// Most requests at once; never zero.
    pub(super) burst: u32,
}

/// How full the bucket is. It outlives changes of the configuration.
#[derive(Default)]
pub(super) struct Bucket(Mutex<Option<Level>>);

#[derive(Clone, Copy)]
struct Level {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    /// Takes a token, if there is one.
    pub(super) fn admits(&self, limit: RateLimit) -> bool {
        let mut level = self.0.lock();
        let now = Instant::now();
        let burst = f64::from(limit.burst);
        let tokens = level.map_or(burst, |level| {
            let gained = now.duration_since(level.at).as_secs_f64() / limit.interval.as_secs_f64();
            (level.tokens + gained).min(burst)
        });
        let admitted = tokens >= 1.0;
        *level = Some(Level {
            tokens: if admitted { tokens - 1.0 } else { tokens },
            at: now,
        });
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_one_per_interval() {
        let limit = RateLimit {
            interval: Duration::from_secs(2),
            burst: 3,
        };
        let bucket = Bucket::default();
        let admitted = |times: usize| (0..times).filter(|_| bucket.admits(limit)).count();
        assert_eq!(admitted(5), 3);
        tokio::time::advance(Duration::from_millis(1_999)).await;
        assert_eq!(admitted(1), 0);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(admitted(2), 1);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(admitted(9), 3, "idle time fills the bucket to its brim");
    }
}
