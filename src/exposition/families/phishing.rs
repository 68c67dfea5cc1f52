//! Phishing campaigns and phishing security tests.

use crate::exposition::value::{Label, Value};
use crate::model::{PhishingCampaign, PhishingSums, PhishingTest, PhishingTests};

use super::{Data, Samples, Writer, writer};

pub(super) const WRITERS: &[Writer<Data>] = &[
    writer("knowbe4_account_phish_prone_ratio", |data, samples| {
        for window in tests(data).into_iter().flat_map(|tests| &tests.windows) {
            samples.put(&[(&window.window).into()], window.phish_prone);
        }
    }),
    writer("knowbe4_account_phishing_tests", |data, samples| {
        windows(data, samples, |sums| Some(sums.tests));
    }),
    writer("knowbe4_account_phishing_delivered", |data, samples| {
        windows(data, samples, |sums| sums.delivered);
    }),
    writer("knowbe4_account_phishing_failures", |data, samples| {
        windows(data, samples, |sums| sums.failures);
    }),
    writer("knowbe4_account_phishing_reported", |data, samples| {
        windows(data, samples, |sums| sums.reported);
    }),
    writer("knowbe4_account_phishing_scheduled", |data, samples| {
        windows(data, samples, |sums| sums.scheduled);
    }),
    writer("knowbe4_account_phishing_bounced", |data, samples| {
        windows(data, samples, |sums| sums.bounced);
    }),
    writer("knowbe4_account_phishing_opened", |data, samples| {
        windows(data, samples, |sums| sums.opened);
    }),
    writer("knowbe4_account_phishing_failures_by_kind", |data, samples| {
        for window in tests(data).into_iter().flat_map(|tests| &tests.windows) {
            for (failure, count) in &window.failures {
                samples.put(&[(&window.window).into(), failure.into()], *count);
            }
        }
    }),
    writer(
        "knowbe4_account_phishing_last_test_timestamp_seconds",
        |data, samples| {
            samples.put(&[], tests(data).and_then(|tests| tests.last_start));
        },
    ),
    writer("knowbe4_account_phishing_month_tests", |data, samples| {
        months(data, samples, |sums| Some(sums.tests));
    }),
    writer("knowbe4_account_phishing_month_delivered", |data, samples| {
        months(data, samples, |sums| sums.delivered);
    }),
    writer("knowbe4_account_phishing_month_failures", |data, samples| {
        months(data, samples, |sums| sums.failures);
    }),
    writer("knowbe4_account_phishing_month_reported", |data, samples| {
        months(data, samples, |sums| sums.reported);
    }),
    writer("knowbe4_account_phishing_difficulty_tests", |data, samples| {
        difficulties(data, samples, |sums| Some(sums.tests));
    }),
    writer(
        "knowbe4_account_phishing_difficulty_delivered",
        |data, samples| {
            difficulties(data, samples, |sums| sums.delivered);
        },
    ),
    writer("knowbe4_account_phishing_difficulty_failures", |data, samples| {
        difficulties(data, samples, |sums| sums.failures);
    }),
    writer("knowbe4_account_phishing_difficulty_reported", |data, samples| {
        difficulties(data, samples, |sums| sums.reported);
    }),
    writer("knowbe4_phishing_campaign_info", |data, samples| {
        for campaign in campaigns(data) {
            samples.info(&[
                campaign.id.into(),
                (&campaign.name).into(),
                (&campaign.status).into(),
                (&campaign.frequency).into(),
            ]);
        }
    }),
    writer(
        "knowbe4_phishing_campaign_last_phish_prone_ratio",
        |data, samples| {
            for campaign in campaigns(data) {
                samples.put(&[campaign.id.into()], campaign.last_phish_prone);
            }
        },
    ),
    writer(
        "knowbe4_phishing_campaign_last_run_timestamp_seconds",
        |data, samples| {
            for campaign in campaigns(data) {
                samples.put(&[campaign.id.into()], campaign.last_run);
            }
        },
    ),
    writer("knowbe4_phishing_campaign_tests", |data, samples| {
        for campaign in campaigns(data) {
            samples.put(&[campaign.id.into()], campaign.tests);
        }
    }),
    writer("knowbe4_phishing_test_info", |data, samples| {
        for test in all(data) {
            let [id, campaign] = ids(test);
            samples.info(&[
                id,
                campaign,
                (&test.name).into(),
                (&test.status).into(),
                (&test.template).into(),
                (&test.difficulty).into(),
            ]);
        }
    }),
    writer("knowbe4_phishing_test_phish_prone_ratio", |data, samples| {
        each(all(data), samples, |test| test.phish_prone);
    }),
    writer(
        "knowbe4_phishing_test_start_timestamp_seconds",
        |data, samples| {
            each(all(data), samples, |test| test.started_at);
        },
    ),
    writer("knowbe4_phishing_test_recipients_scheduled", |data, samples| {
        each(all(data), samples, |test| test.recipients.scheduled);
    }),
    writer("knowbe4_phishing_test_recipients_delivered", |data, samples| {
        each(all(data), samples, |test| test.recipients.delivered);
    }),
    writer("knowbe4_phishing_test_recipients_opened", |data, samples| {
        each(all(data), samples, |test| test.recipients.opened);
    }),
    writer("knowbe4_phishing_test_recipients_reported", |data, samples| {
        each(all(data), samples, |test| test.recipients.reported);
    }),
    writer("knowbe4_phishing_test_recipients_bounced", |data, samples| {
        each(all(data), samples, |test| test.recipients.bounced);
    }),
    writer("knowbe4_phishing_test_failures", |data, samples| {
        for test in all(data) {
            let [id, campaign] = ids(test);
            for (failure, count) in &test.failures {
                samples.put(&[id, campaign, failure.into()], *count);
            }
        }
    }),
    writer("knowbe4_phishing_recent_test_info", |data, samples| {
        for test in recent(data) {
            let [id, campaign] = ids(test);
            samples.info(&[id, campaign, (&test.name).into(), (&test.difficulty).into()]);
        }
    }),
    writer(
        "knowbe4_phishing_recent_test_start_timestamp_seconds",
        |data, samples| {
            each(recent(data), samples, |test| test.started_at);
        },
    ),
    writer(
        "knowbe4_phishing_recent_test_phish_prone_ratio",
        |data, samples| {
            each(recent(data), samples, |test| test.phish_prone);
        },
    ),
    writer("knowbe4_phishing_recent_test_recipients", |data, samples| {
        for test in recent(data) {
            let [id, campaign] = ids(test);
            for (outcome, count) in [
                ("delivered", test.recipients.delivered),
                ("opened", test.recipients.opened),
                ("clicked", test.failures.get("clicked").copied()),
                ("reported", test.recipients.reported),
                ("bounced", test.recipients.bounced),
            ] {
                samples.put(&[id, campaign, outcome.into()], count);
            }
        }
    }),
    writer("knowbe4_phishing_tests_omitted", |data, samples| {
        samples.put(&[], tests(data).map(|tests| tests.omitted));
    }),
];

fn campaigns(data: &Data) -> impl Iterator<Item = &PhishingCampaign> {
    let collected = data.snapshot.phishing_campaigns.as_ref();
    collected
        .into_iter()
        .flat_map(|collected| &collected.data.campaigns)
}

pub(super) fn tests(data: &Data) -> Option<&PhishingTests> {
    data.snapshot
        .phishing_tests
        .as_ref()
        .map(|collected| &*collected.data)
}

fn windows(data: &Data, samples: &mut Samples<'_>, value: impl Fn(&PhishingSums) -> Option<u64>) {
    for window in tests(data).into_iter().flat_map(|tests| &tests.windows) {
        samples.put(&[(&window.window).into()], window.sums.as_ref().and_then(&value));
    }
}

fn months(data: &Data, samples: &mut Samples<'_>, value: impl Fn(&PhishingSums) -> Option<u64>) {
    for month in tests(data).into_iter().flat_map(|tests| &tests.months) {
        samples.put(&[(&month.month).into()], value(&month.sums));
    }
}

fn difficulties(data: &Data, samples: &mut Samples<'_>, value: impl Fn(&PhishingSums) -> Option<u64>) {
    for of in tests(data).into_iter().flat_map(|tests| &tests.difficulties) {
        samples.put(&[(&of.window).into(), (&of.difficulty).into()], value(&of.sums));
    }
}

fn all(data: &Data) -> impl Iterator<Item = &PhishingTest> {
    tests(data).into_iter().flat_map(|tests| &tests.tests)
}

fn recent(data: &Data) -> impl Iterator<Item = &PhishingTest> {
    tests(data).into_iter().flat_map(|tests| {
        let is_recent = |test: &&PhishingTest| tests.recent.binary_search(&test.id).is_ok();
        tests.tests.iter().filter(is_recent)
    })
}

pub(super) fn ids(test: &PhishingTest) -> [Label<'_>; 2] {
    [test.id.into(), test.campaign_id.into()]
}

fn each<'a, V: Into<Value>>(
    those: impl Iterator<Item = &'a PhishingTest>,
    samples: &mut Samples<'_>,
    value: impl Fn(&PhishingTest) -> V,
) {
    for test in those {
        samples.put(&ids(test), value(test));
    }
}
