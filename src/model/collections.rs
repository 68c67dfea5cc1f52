//! What one refresh of each collector yields: aggregated, immutable, without a person in it.
//!
//! Ratios run from 0 to 1 (phish-prone may exceed 1), risk scores from 0 to 100, times are unix seconds.
//! [`None`] means that the API did not say; it is never shown as 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{PHISH_PRONE_BOUNDS, RISK_SCORE_BOUNDS, StatusCounts, TestSpan, privacy};

/// From `/v1/account`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Account {
    /// Name of the organisation.
    pub name: String,
    /// `paid`, `trial` or `free`, as the API writes it.
    pub kind: String,
    /// `Diamond`, ...; empty where the API says nothing (trial accounts).
    pub subscription_level: String,
    /// 0 to 100, higher is riskier.
    pub risk_score: Option<f64>,
    /// Licensed seats.
    pub seats: Option<f64>,
    /// Number of console administrators.
    pub admins: Option<u64>,
    /// Number of domains.
    pub domains: Option<u64>,
    /// Midnight UTC that begins the last day of the subscription.
    pub subscription_end: Option<f64>,
}

/// From `/v1/groups`: the active groups that the configuration includes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Groups {
    /// By ascending id.
    pub groups: Vec<Group>,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Group {
    /// The API's id.
    pub id: i64,
    /// As people named it.
    pub name: String,
    /// `console_group`, `smart_group`, ..., as the API writes it.
    pub kind: String,
    /// `active`.
    pub status: String,
    /// Members as the API counts them.
    pub members: Option<f64>,
    /// 0 to 100; [`None`] also where the group is hidden.
    pub risk_score: Option<f64>,
    /// Smaller than `groups.min_size`: it has no risk score, and nothing about its members is shown.
    pub hidden: bool,
}

impl Group {
    /// The group as it may be shown where groups have at least `least` members.
    pub fn restricted(self, least: u64) -> Self {
        let hidden = !privacy::is_large_enough(self.members, least);
        Self {
            hidden,
            risk_score: self.risk_score.filter(|_| !hidden),
            ..self
        }
    }
}

/// A mean that knows how many values it is of.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Mean {
    /// Sum of the values.
    pub sum: f64,
    /// How many had a value.
    pub count: u64,
}

impl Mean {
    /// Takes in one value.
    pub fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean, [`None`] of nothing.
    pub fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// The mean where it [is about several people](privacy::is_about_several).
    pub fn about_several(&self, least: u64) -> Option<f64> {
        self.value()
            .filter(|_| privacy::is_about_several(self.count, least))
    }
}

/// From `/v1/users?status=active`, aggregated while it streams.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Users {
    /// Active users. [`None`] when the listing was empty without an error: anonymised accounts answer so.
    pub active: Option<u64>,
    /// Cumulative counts by risk score, parallel to [`RISK_SCORE_BOUNDS`].
    pub by_risk_score: [u64; RISK_SCORE_BOUNDS.len()],
    /// Cumulative counts by personal phish-prone ratio, parallel to [`PHISH_PRONE_BOUNDS`].
    pub by_phish_prone_ratio: [u64; PHISH_PRONE_BOUNDS.len()],
    /// Mean personal phish-prone ratio of all active users.
    #[serde(default)]
    pub phish_prone: Mean,
    /// Mean personal phish-prone ratio of each group's active members, by group id.
    pub group_phish_prone: BTreeMap<i64, Mean>,
    /// Segments of at least `segment_min_size` active users, by attribute and value.
    pub segments: Vec<Segment>,
}

/// The active users who share one value of one attribute.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Segment {
    /// `department`, ...
    pub attribute: String,
    /// Its value.
    pub value: String,
    /// Active users in it.
    pub users: u64,
    /// Their mean risk score, 0 to 100.
    pub risk_score: Option<f64>,
    /// Their mean personal phish-prone ratio.
    pub phish_prone: Option<f64>,
}

/// From `/v1/phishing/campaigns`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhishingCampaigns {
    /// By ascending id.
    pub campaigns: Vec<PhishingCampaign>,
}

/// One phishing campaign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhishingCampaign {
    /// The API's `campaign_id`.
    pub id: i64,
    /// As people named it.
    pub name: String,
    /// As the API writes it.
    pub status: String,
    /// `One Time`, ..., as the API writes it.
    pub frequency: String,
    /// `last_phish_prone_percentage`: a fraction, despite its name.
    pub last_phish_prone: Option<f64>,
    /// When it last ran.
    pub last_run: Option<f64>,
    /// How many tests it has had.
    pub tests: Option<u64>,
}

/// From `/v1/phishing/security_tests`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhishingTests {
    /// The newest `phishing.max_tests` by start, by ascending id.
    pub tests: Vec<PhishingTest>,
    /// Ids of those of them that were recent at the refresh, ascending: setting the clock changes nothing about it.
    #[serde(default)]
    pub recent: Vec<i64>,
    /// How many more there are.
    pub omitted: u64,
    /// When the newest of all that had begun by the refresh began, in seconds since 1970.
    #[serde(default)]
    pub last_start: Option<f64>,
    /// Account-wide sums over each configured window, and over all tests.
    pub windows: Vec<PhishingWindow>,
    /// Sums over the tests that started in each of the last 24 months in UTC, the oldest first, the running one last.
    #[serde(default)]
    pub months: Vec<PhishingMonth>,
    /// Sums over the last 30 and 365 days by difficulty, whatever `phishing.windows` says; by window, then difficulty.
    #[serde(default)]
    pub difficulties: Vec<PhishingDifficulty>,
    /// All tests that started within the longest window, also those beyond `phishing.max_tests`, the newest first.
    #[serde(default)]
    pub roster: Vec<TestSpan>,
}

/// Sums over the account's tests that started within a window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhishingWindow {
    /// `30d`, ..., `all`.
    pub window: String,
    /// Sum of failures / sum of delivered; [`None`] where nothing was delivered.
    pub phish_prone: Option<f64>,
    /// What the tests did, also those beyond `phishing.max_tests`; [`None`] in data of versions that didn't sum it up.
    #[serde(default)]
    pub sums: Option<PhishingSums>,
    /// Failures by kind, as a test has them.
    #[serde(default)]
    pub failures: BTreeMap<String, u64>,
}

/// Sums over the account's tests that started in one month.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhishingMonth {
    /// `2026-03`.
    pub month: String,
    /// What the tests did.
    pub sums: PhishingSums,
}

/// Sums over the account's tests of one difficulty that started within a window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhishingDifficulty {
    /// `30d` or `365d`.
    pub window: String,
    /// As a test has it: `1` to `5`, or empty.
    pub difficulty: String,
    /// What the tests did.
    pub sums: PhishingSums,
}

/// What several tests did together. A count is [`None`] where there were tests, and none of them says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PhishingSums {
    /// Tests.
    pub tests: u64,
    /// Messages that arrived, of tests that say what became of them.
    pub delivered: Option<u64>,
    /// Failures of the same tests; one recipient may fail in several ways.
    pub failures: Option<u64>,
    /// Messages reported.
    pub reported: Option<u64>,
    /// Messages to be sent. These three are [`None`] in data of versions that didn't sum them up.
    #[serde(default)]
    pub scheduled: Option<u64>,
    /// Messages that a mail server refused.
    #[serde(default)]
    pub bounced: Option<u64>,
    /// Messages opened.
    #[serde(default)]
    pub opened: Option<u64>,
}

/// One phishing security test.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PhishingTest {
    /// The API's `pst_id`.
    pub id: i64,
    /// The campaign that it is a run of.
    pub campaign_id: Option<i64>,
    /// The campaign's name: tests have none of their own.
    pub name: String,
    /// As the API writes it.
    pub status: String,
    /// Name of the template; empty for random templates.
    pub template: String,
    /// 1 (very easy to spot) to 5 (very hard); empty where the API says nothing.
    pub difficulty: String,
    /// The API's own fraction; failures / delivered only where that is missing.
    pub phish_prone: Option<f64>,
    /// When it started.
    pub started_at: Option<f64>,
    /// When it ends or has ended, as planned.
    #[serde(default)]
    pub ends_at: Option<f64>,
    /// What became of its messages.
    pub recipients: Recipients,
    /// Failures by kind, as the API counts them, by kind.
    pub failures: BTreeMap<String, u64>,
}

/// A risk score of the past, from `/v1/account/risk_score_history` or that of a group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RiskPoint {
    /// Unix seconds.
    pub at: i64,
    /// 0 to 100.
    pub score: f64,
}

/// Counts of a test's recipients.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Recipients {
    /// To whom it is to be sent.
    pub scheduled: Option<u64>,
    /// Whom it reached.
    pub delivered: Option<u64>,
    /// Who opened it.
    pub opened: Option<u64>,
    /// Who reported it with the Phish Alert Button.
    pub reported: Option<u64>,
    /// Whose mail server refused it.
    pub bounced: Option<u64>,
}

/// From `/v1/training/campaigns`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingCampaigns {
    /// By ascending id.
    pub campaigns: Vec<TrainingCampaign>,
}

/// One training campaign.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingCampaign {
    /// The API's `campaign_id`.
    pub id: i64,
    /// As people named it.
    pub name: String,
    /// As the API writes it.
    pub status: String,
    /// The API's own completion, as a ratio; [`None`] for -1 ("too large to calculate") and where it is missing.
    pub completion: Option<f64>,
    /// When it starts.
    pub start: Option<f64>,
    /// When it ends.
    pub end: Option<f64>,
}

impl TrainingCampaign {
    /// Whether its enrollments may still change: all but the finished.
    pub fn is_running(&self) -> bool {
        const FINISHED: [&str; 4] = ["completed", "closed", "cancelled", "canceled"];
        !FINISHED
            .iter()
            .any(|finished| self.status.eq_ignore_ascii_case(finished))
    }
}

/// From `/v1/training/enrollments`, aggregated while it streams.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Enrollments {
    /// Counts by the campaign's id; all 0 where it is known that there are none.
    pub campaigns: BTreeMap<i64, StatusCounts>,
    /// Counts by segment of the user; [`None`] when the users' segments weren't known at the time.
    pub segments: Option<Vec<SegmentEnrollments>>,
}

/// Enrollments of the users in one segment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SegmentEnrollments {
    /// `department`, ...
    pub attribute: String,
    /// Its value.
    pub value: String,
    /// Counts by status.
    pub counts: StatusCounts,
}

/// From `/v1/training/store_purchases`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StorePurchases {
    /// Number of purchases by type (as the API writes it) and `retired` (`true`, `false`, or empty if not said).
    pub counts: Vec<(String, String, u64)>,
}

/// From `/v1/training/policies`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Policies {
    /// Number of uploaded policies.
    pub policies: u64,
}
