//! Which tests there are to read the recipients of.

use std::collections::BTreeMap;

use crate::config::PhishingConfig;
use crate::model::{PhishingTest, TestSpan};

/// How the API calls tests that have ended.
const ENDED: [&str; 6] = [
    "closed",
    "error",
    "completed",
    "finished",
    "cancelled",
    "canceled",
];

/// Those that started within the longest window, the newest first. What has yet to start is none of them.
pub(super) fn roster(
    tests: &BTreeMap<i64, PhishingTest>,
    callbacks: &BTreeMap<i64, PhishingTest>,
    config: &PhishingConfig,
    now: f64,
) -> Vec<TestSpan> {
    let longest = config.windows.iter().map(|(_, length)| length.as_secs_f64());
    let longest = longest.fold(0.0, f64::max);
    let span = |test: &PhishingTest, callback: bool| {
        let started_at = test.started_at.filter(|start| *start >= now - longest)?;
        let status = test.status.trim();
        Some(TestSpan {
            id: test.id,
            callback,
            started_at,
            ends_at: test.ends_at,
            finished: ENDED.iter().any(|ended| status.eq_ignore_ascii_case(ended)),
            recipients: test.recipients.scheduled.max(test.recipients.delivered),
        })
    };
    let plain = tests.values().filter_map(|test| span(test, false));
    let callbacks = callbacks.values().filter_map(|test| span(test, true));
    let mut roster: Vec<_> = plain.chain(callbacks).collect();
    roster.sort_by(|a, b| b.started_at.total_cmp(&a.started_at).then(b.id.cmp(&a.id)));
    roster
}
