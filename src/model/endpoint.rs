//! Every path of the Reporting API that is asked.

use super::Collector;

/// A path of the Reporting API; the `endpoint` label is its path, never a URL with ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// What a collector reads.
    Of(Collector),
    /// Risk scores of the account in the past, which `backfill` reads.
    AccountHistory,
    /// Risk scores of one group in the past, which `backfill` reads.
    GroupHistory,
}

impl From<Collector> for Endpoint {
    fn from(collector: Collector) -> Self {
        Self::Of(collector)
    }
}

impl Endpoint {
    /// All that are polled.
    pub fn polled() -> impl Iterator<Item = Self> {
        Collector::ALL.into_iter().map(Self::Of)
    }

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::polled().chain([Self::AccountHistory, Self::GroupHistory])
    }

    /// Path below the base URL, and the value of the `endpoint` label; `{id}` stands for the object's id.
    pub fn path(self) -> &'static str {
        match self {
            Self::Of(collector) => collector.resource().path,
            Self::AccountHistory => "/v1/account/risk_score_history",
            Self::GroupHistory => "/v1/groups/{id}/risk_score_history",
        }
    }

    /// Parameters that every request to it carries, besides those of paging; see [`Resource::parameters`](super::Resource::parameters).
    pub fn parameters(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Of(collector) => collector.resource().parameters,
            // Without it they go back six months.
            Self::AccountHistory | Self::GroupHistory => &[("full", "true")],
        }
    }

    /// Whether the server calculates while it answers, which may take up to a minute.
    pub fn is_slow(self) -> bool {
        matches!(self, Self::Of(collector) if collector.resource().is_slow)
    }
}
