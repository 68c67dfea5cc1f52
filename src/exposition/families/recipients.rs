//! Who failed and who reported phishing tests: about one test all of its recipients, else who is active now.

use crate::exposition::value::Value;
use crate::model::{
    FAILED_TESTS, Group, PhishingRecipients, PhishingTest, RECIPIENT_DELAY_BOUNDS, RecipientsPeople,
    RecipientsWindow, TestRecipients,
};

use super::groups::shown;
use super::phishing::{ids, tests};
use super::{Data, Samples, Writer, writer};

pub(super) const WRITERS: &[Writer<Data>] = &[
    writer("knowbe4_phishing_test_recipients_failed", |data, samples| {
        each(data, samples, |test| test.failed);
    }),
    writer(
        "knowbe4_phishing_test_recipients_failed_and_reported",
        |data, samples| {
            each(data, samples, |test| test.failed_and_reported);
        },
    ),
    writer("knowbe4_phishing_test_first_failure_seconds", |data, samples| {
        each(data, samples, |test| test.first_failure);
    }),
    writer("knowbe4_phishing_test_first_report_seconds", |data, samples| {
        each(data, samples, |test| test.first_report);
    }),
    writer("knowbe4_phishing_test_median_failure_seconds", |data, samples| {
        each(data, samples, |test| test.median_failure);
    }),
    writer("knowbe4_phishing_test_median_report_seconds", |data, samples| {
        each(data, samples, |test| test.median_report);
    }),
    writer("knowbe4_phishing_recipients", |data, samples| {
        for window in windows(data) {
            for (outcome, count) in window.mails.by_outcome() {
                samples.put(&[(&window.window).into(), outcome.into()], count);
            }
        }
    }),
    writer("knowbe4_group_phishing_recipients", |data, samples| {
        // Without the groups nothing is known of their size, so nothing may be shown of their members.
        for group in shown(data) {
            for (window, people) in people(data) {
                of_group(group, window, people, samples);
            }
        }
    }),
    writer("knowbe4_segment_phishing_recipients", |data, samples| {
        for (window, people) in people(data) {
            for segment in &people.segments {
                for (outcome, count) in segment.mails.mails.by_outcome() {
                    let labels = [
                        (&segment.attribute).into(),
                        (&segment.value).into(),
                        (&window.window).into(),
                        outcome.into(),
                    ];
                    samples.put(&labels, count);
                }
            }
        }
    }),
    writer("knowbe4_phishing_recipients_by_failure_delay", |data, samples| {
        delays(data, samples, |window| &window.failure_delays);
    }),
    writer("knowbe4_phishing_recipients_by_report_delay", |data, samples| {
        delays(data, samples, |window| &window.report_delays);
    }),
    writer("knowbe4_users_tested", |data, samples| {
        for (window, people) in people(data) {
            samples.put(&[(&window.window).into()], people.tested);
        }
    }),
    writer("knowbe4_users_reported", |data, samples| {
        for (window, people) in people(data) {
            samples.put(&[(&window.window).into()], people.reported);
        }
    }),
    writer("knowbe4_users_by_failed_tests", |data, samples| {
        for (window, people) in people(data) {
            for (tests, count) in FAILED_TESTS.into_iter().zip(people.by_failed_tests) {
                samples.put(&[(&window.window).into(), tests.into()], count);
            }
        }
    }),
    writer("knowbe4_phishing_tests_unread", |data, samples| {
        samples.put(&[], recipients(data).map(|recipients| recipients.unread));
    }),
];

fn recipients(data: &Data) -> Option<&PhishingRecipients> {
    let collected = data.snapshot.recipients.as_ref();
    collected.map(|collected| &*collected.data)
}

fn windows(data: &Data) -> impl Iterator<Item = &RecipientsWindow> {
    recipients(data)
        .into_iter()
        .flat_map(|recipients| &recipients.windows)
}

fn people(data: &Data) -> impl Iterator<Item = (&RecipientsWindow, &RecipientsPeople)> {
    windows(data).filter_map(|window| Some((window, window.people.as_ref()?)))
}

/// Of the tests that have series, those that have been read.
fn each<V: Into<Value>>(data: &Data, samples: &mut Samples<'_>, value: impl Fn(&TestRecipients) -> V) {
    let exported = tests(data).into_iter().flat_map(|tests| &tests.tests);
    let read = |test: &'_ PhishingTest| recipients(data)?.tests.get(&test.id);
    for (test, read) in exported.filter_map(|test| Some((test, read(test)?))) {
        samples.put(&ids(test), value(&read.numbers));
    }
}

fn of_group(group: &Group, window: &RecipientsWindow, people: &RecipientsPeople, samples: &mut Samples<'_>) {
    // A group without an active member got no mail; one that is about a single person was left out.
    let empty = people.groups.is_empty() || group.members == Some(0.0);
    let mails = people.groups.get(&group.id).copied();
    let Some(mails) = mails.or_else(|| empty.then(Default::default)) else {
        return;
    };
    for (outcome, count) in mails.mails.by_outcome() {
        let labels = [group.id.into(), (&window.window).into(), outcome.into()];
        samples.put(&labels, count);
    }
}

fn delays<'a>(
    data: &'a Data,
    samples: &mut Samples<'_>,
    counts: impl Fn(&'a RecipientsWindow) -> &'a [u64; RECIPIENT_DELAY_BOUNDS.len()],
) {
    for window in windows(data) {
        for (bound, count) in RECIPIENT_DELAY_BOUNDS.into_iter().zip(counts(window)) {
            samples.put(&[(&window.window).into(), bound.into()], *count);
        }
    }
}
