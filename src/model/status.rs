//! What is known of each collector between refreshes: kept across restarts, shown on the status page.

use serde::{Deserialize, Serialize};

use super::Failure;

/// The running state of one collector of one account. Times are unix seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CollectorStatus {
    /// Off in the configuration: never refreshed, no series of its own.
    pub disabled: bool,
    /// Whether the last finished attempt succeeded; [`None`] before the first.
    pub success: Option<bool>,
    /// When the last whole refresh was published.
    pub last_success: Option<f64>,
    /// When the last refresh was begun.
    pub last_attempt: Option<f64>,
    /// When the next refresh is due.
    pub next_run: Option<f64>,
    /// Why it is due then.
    pub next_run_reason: NextRunReason,
    /// The promised interval in seconds; [`None`] where the budget allows none.
    pub interval: Option<f64>,
    /// How long the last whole refresh took, in seconds.
    pub duration: Option<f64>,
    /// Requests that the last whole refresh cost.
    pub refresh_requests: Option<u64>,
    /// Why the last attempt failed; [`None`] once one succeeded.
    pub last_failure: Option<Failure>,
    /// Things to know that are no failure, such as an empty user list; plain sentences.
    pub notes: Vec<String>,
}

/// Why a collector's next refresh is due when it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NextRunReason {
    /// As planned.
    #[default]
    Interval,
    /// The last attempt failed: tried again sooner than planned, with growing pauses.
    Retry,
    /// The endpoint has never worked and is refused or missing: asked once a day.
    Unavailable,
    /// The key was refused: one probe per growing pause.
    KeyRefused,
    /// The API answered 429: the whole account pauses.
    Throttled,
    /// The budget has no room for it now.
    Budget,
    /// It costs more than the budget can ever give.
    TooExpensive,
}

/// Which campaigns the enrollments were read of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnrollmentScope {
    /// Of all: one listing.
    #[default]
    All,
    /// Of the running ones only, one listing each: the whole listing costs more than the budget gives.
    RunningCampaigns,
}
