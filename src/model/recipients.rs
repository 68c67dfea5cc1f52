//! What the collector `recipients` yields: numbers about mails and about active people, nobody by id.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::privacy;

/// The `le` labels of delays in seconds.
pub const RECIPIENT_DELAY_BOUNDS: [&str; 7] = ["60", "300", "900", "3600", "14400", "86400", "+Inf"];

/// The finite ones of them.
pub const RECIPIENT_DELAY_SECONDS: [f64; RECIPIENT_DELAY_BOUNDS.len() - 1] =
    [60.0, 300.0, 900.0, 3600.0, 14_400.0, 86_400.0];

/// The `tests` labels of people by how many tests they failed.
pub const FAILED_TESTS: [&str; 6] = ["0", "1", "2", "3", "4", "5+"];

/// Counts of mails by what became of them. One that was failed and reported counts in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MailCounts {
    /// Arrived.
    pub delivered: u64,
    /// Answered by a failure of any kind.
    pub failed: u64,
    /// Reported.
    pub reported: u64,
    /// Arrived, and neither.
    pub ignored: u64,
}

impl MailCounts {
    /// Counts one mail.
    pub fn add(&mut self, delivered: bool, failed: bool, reported: bool) {
        self.delivered += u64::from(delivered);
        self.failed += u64::from(failed);
        self.reported += u64::from(reported);
        self.ignored += u64::from(delivered && !failed && !reported);
    }

    /// Adds those of another.
    pub fn merge(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.reported += other.reported;
        self.ignored += other.ignored;
    }

    /// Each with its `outcome` label.
    pub fn by_outcome(&self) -> [(&'static str, u64); 4] {
        [
            ("delivered", self.delivered),
            ("failed", self.failed),
            ("reported", self.reported),
            ("ignored", self.ignored),
        ]
    }
}

/// Numbers about one test, of all of its recipients.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TestRecipients {
    /// Its mails.
    pub mails: MailCounts,
    /// People, each once, who failed in any way.
    pub failed: u64,
    /// Those of them who reported as well, before or after.
    pub failed_and_reported: u64,
    /// Seconds from the first delivery to the first failure.
    pub first_failure: Option<f64>,
    /// Seconds from the first delivery to the first report.
    pub first_report: Option<f64>,
    /// Median seconds from each one's delivery to the first failure, over those who failed.
    pub median_failure: Option<f64>,
    /// Median seconds from each one's delivery to the report, over those who reported.
    pub median_report: Option<f64>,
    /// Mails by seconds until the first failure: cumulative, parallel to [`RECIPIENT_DELAY_BOUNDS`].
    pub failure_delays: [u64; RECIPIENT_DELAY_BOUNDS.len()],
    /// Mails by seconds until the report: cumulative, parallel to [`RECIPIENT_DELAY_BOUNDS`].
    pub report_delays: [u64; RECIPIENT_DELAY_BOUNDS.len()],
}

impl TestRecipients {
    /// Counts one person.
    pub fn count_person(&mut self, failed: bool, reported: bool) {
        self.failed += u64::from(failed);
        self.failed_and_reported += u64::from(failed && reported);
    }
}

/// A test of the longest window, as far as reading its recipients goes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TestSpan {
    /// The API's `pst_id`.
    pub id: i64,
    /// Whether it is a callback test, which is asked for in another way.
    pub callback: bool,
    /// When it started.
    pub started_at: f64,
    /// When it ends or has ended, as planned.
    pub ends_at: Option<f64>,
    /// Whether the API calls it ended.
    pub finished: bool,
    /// How many recipients it has, where the API says it.
    pub recipients: Option<u64>,
}

/// From `/v1/phishing/security_tests/{id}/recipients` of all tests of the longest window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PhishingRecipients {
    /// Each test that has been read.
    pub tests: BTreeMap<i64, RecipientsRead>,
    /// Tests of the longest window that are still to be read.
    pub unread: u64,
    /// Those windows of which all tests have been read, the shortest first.
    pub windows: Vec<RecipientsWindow>,
    /// Requests spent on tests that had ended before they were first read, and when, in unix seconds: not older than
    /// they count against `phishing.recipients_share`.
    pub backlog_spent: Vec<(f64, u64)>,
}

impl PhishingRecipients {
    /// Requests of the share that were spent after `since` (unix seconds).
    pub fn spent_since(&self, since: f64) -> u64 {
        let lately = self.backlog_spent.iter().filter(|(at, _)| *at > since);
        lately.map(|(_, requests)| requests).sum()
    }
}

/// One test that has been read.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RecipientsRead {
    /// When, in unix seconds.
    pub at: f64,
    /// Whether the test had ended by then.
    pub ended: bool,
    /// What came of it.
    pub numbers: TestRecipients,
}

/// The tests started within one window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipientsWindow {
    /// `30d`, ...
    pub window: String,
    /// Their mails.
    pub mails: MailCounts,
    /// Cumulative, parallel to [`RECIPIENT_DELAY_BOUNDS`].
    pub failure_delays: [u64; RECIPIENT_DELAY_BOUNDS.len()],
    /// Cumulative, parallel to [`RECIPIENT_DELAY_BOUNDS`].
    pub report_delays: [u64; RECIPIENT_DELAY_BOUNDS.len()],
    /// Who is active now; [`None`] where that isn't known.
    pub people: Option<RecipientsPeople>,
}

/// What the people who are active now did in the tests of a window.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RecipientsPeople {
    /// To whom a test was delivered.
    pub tested: u64,
    /// Who reported one.
    pub reported: u64,
    /// The tested by how many tests they failed, parallel to [`FAILED_TESTS`]; not cumulative.
    pub by_failed_tests: [u64; FAILED_TESTS.len()],
    /// Mails to the active members of each group, by the group's id.
    pub groups: BTreeMap<i64, MailsOfMany>,
    /// Mails to the active users of each segment.
    pub segments: Vec<SegmentMails>,
}

/// Mails, and to how many people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MailsOfMany {
    /// The mails.
    pub mails: MailCounts,
    /// People whom they reached or who answered them.
    pub people: u64,
}

impl MailsOfMany {
    /// Whether they may be shown where `least` people are the fewest: what one person did is not.
    pub fn about_several(&self, least: u64) -> bool {
        self.people == 0 || privacy::is_about_several(self.people, least)
    }
}

/// Mails to the active users of one segment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SegmentMails {
    /// `department`, ...
    pub attribute: String,
    /// Its value.
    pub value: String,
    /// What became of them.
    pub mails: MailsOfMany,
}
