//! What is true of one account.

use std::time::Duration;

use super::{BaseUrl, GroupFilter, KeySource, SegmentAttribute, keys};
use crate::model::{AccountName, Collector, PerCollector, Region};

/// One account. Two that are equal need not be told apart on a reload.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountConfig {
    /// The `account` label.
    pub name: AccountName,
    /// Where its API answers.
    pub base_url: BaseUrl,
    /// The region it was given by; [`None`] when a base URL was given.
    pub region: Option<Region>,
    /// Where its key is.
    pub key: KeySource,
    /// What it may spend.
    pub budget: BudgetConfig,
    /// How each collector is refreshed.
    pub collectors: PerCollector<CollectorConfig>,
    /// Which phishing tests are exported.
    pub phishing: PhishingConfig,
    /// Which groups are exported.
    pub groups: GroupFilter,
    /// By which attributes users are aggregated, in the order of the file, each once.
    pub segments: Vec<SegmentAttribute>,
    /// Segments of fewer users are left out; at least 2.
    pub segment_min_size: u64,
}

impl AccountConfig {
    /// An account with every default.
    pub fn new(name: AccountName, base_url: BaseUrl, key: KeySource) -> Self {
        Self {
            name,
            base_url,
            region: None,
            key,
            budget: BudgetConfig::default(),
            collectors: PerCollector::new(CollectorConfig::new),
            phishing: PhishingConfig::default(),
            groups: GroupFilter::default(),
            segments: Vec::new(),
            segment_min_size: keys::SEGMENT_MIN_SIZE.default,
        }
    }
}

/// What an account may spend.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BudgetConfig {
    /// The quota of the key: requests in any 24 hours, at least 1.
    pub requests_per_day: u64,
    /// How much of it is the exporter's, above 0 and at most 1.
    pub share: f64,
    /// Requests in any 60 seconds, at least 1.
    pub requests_per_minute: u64,
    /// Requests in any second, at least 1.
    pub requests_per_second: u64,
}

impl BudgetConfig {
    /// Requests that the exporter may send in any 24 hours: the share of the quota, rounded down.
    pub fn per_day_limit(&self) -> u64 {
        // 0.29 of 100 is 28.999999999999996 to a computer, and 29 to whoever wrote it.
        (self.requests_per_day as f64 * self.share + 1e-6).floor() as u64
    }
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            requests_per_day: keys::REQUESTS_PER_DAY.default,
            share: keys::SHARE.default,
            requests_per_minute: keys::REQUESTS_PER_MINUTE.default,
            requests_per_second: keys::REQUESTS_PER_SECOND.default,
        }
    }
}

/// How one collector is refreshed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollectorConfig {
    /// Whether it is refreshed at all.
    pub enabled: bool,
    /// How much its staleness hurts beside the others'; above 0.
    pub weight: f64,
    /// The planner chooses no shorter interval.
    pub min_interval: Duration,
    /// The planner chooses no longer interval; at least `min_interval`.
    pub max_interval: Duration,
    /// An interval that leaves the planner no choice, within the other two or not.
    pub interval: Option<Duration>,
}

impl CollectorConfig {
    /// The defaults of a collector.
    pub fn new(collector: Collector) -> Self {
        Self {
            enabled: keys::ENABLED.default,
            weight: collector.resource().weight,
            min_interval: keys::MIN_INTERVAL.default,
            max_interval: keys::MAX_INTERVAL.default,
            interval: keys::INTERVAL.default,
        }
    }
}

/// Which phishing tests are exported.
#[derive(Debug, Clone, PartialEq)]
pub struct PhishingConfig {
    /// The spans of the account's phish-prone ratio: the `window` label as written, and its length. `all` isn't among
    /// them, and is always exported.
    pub windows: Vec<(String, Duration)>,
    /// How many tests are exported, the newest first.
    pub max_tests: usize,
    /// Whether callback tests are listed as well.
    pub callback: bool,
    /// How much of the exporter's part of the day's quota the recipients of phishing tests may take, from 0 (they
    /// aren't read) to 1.
    pub recipients_share: f64,
}

impl Default for PhishingConfig {
    fn default() -> Self {
        Self {
            windows: keys::PHISHING_WINDOWS
                .map(|(label, length)| (label.to_owned(), length))
                .into(),
            max_tests: usize::try_from(keys::MAX_TESTS.default).unwrap_or(usize::MAX),
            callback: keys::CALLBACK.default,
            recipients_share: keys::RECIPIENTS_SHARE.default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_rounded_down_as_people_reckon() {
        for (requests_per_day, share, limit) in [
            (1000, 0.8, 800),
            (100, 0.29, 29),
            (10, 0.19, 1),
            (1, 0.5, 0),
            (7, 1.0, 7),
            (3000, 0.1, 300),
        ] {
            let budget = BudgetConfig {
                requests_per_day,
                share,
                ..BudgetConfig::default()
            };
            assert_eq!(budget.per_day_limit(), limit, "{requests_per_day} x {share}");
        }
    }
}
