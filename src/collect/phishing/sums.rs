//! Sums over all of an account's tests by window, difficulty and month, also over those that have no series of their own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::PhishingConfig;
use crate::model::{DAY, PhishingDifficulty, PhishingMonth, PhishingSums, PhishingTest, PhishingWindow};

/// Two years: a year, and the year before to compare it with.
const MONTHS: usize = 24;

/// Tests that the alert rules judge each for itself: the `window` label, and seconds.
const RECENT: (&str, f64) = ("30d", 30.0 * DAY);

/// What the alert rules compare: the recent tests with the others of the year.
const COMPARED: [(&str, f64); 2] = [RECENT, ("365d", 365.0 * DAY)];

/// Each configured window, and the window of all tests.
pub(super) fn windows(tests: &[PhishingTest], config: &PhishingConfig, now: f64) -> Vec<PhishingWindow> {
    let configured = config.windows.iter();
    configured
        .map(|(label, length)| window(label, since(tests, now - length.as_secs_f64())))
        .chain([window("all", tests.iter())])
        .collect()
}

fn window<'a>(label: &str, tests: impl Iterator<Item = &'a PhishingTest> + Clone) -> PhishingWindow {
    let sums = of(tests.clone());
    PhishingWindow {
        window: label.to_owned(),
        phish_prone: phish_prone(&sums),
        sums: Some(sums),
        failures: failures(tests),
    }
}

/// When the newest test that has begun did so.
pub(super) fn last_start(tests: &[PhishingTest], now: f64) -> Option<f64> {
    let starts = tests.iter().filter_map(|test| test.started_at);
    starts.filter(|start| *start <= now).max_by(f64::total_cmp)
}

/// The ids of the tests that have begun, and not long ago.
pub(super) fn recent(tests: &[PhishingTest], now: f64) -> Vec<i64> {
    let (_, seconds) = RECENT;
    since(tests, now - seconds)
        .filter(|test| test.started_at.is_some_and(|start| start <= now))
        .map(|test| test.id)
        .collect()
}

/// Each difficulty that has had a test within a year, in both windows: 0 where one had none.
pub(super) fn difficulties(tests: &[PhishingTest], now: f64) -> Vec<PhishingDifficulty> {
    let [_, (_, year)] = COMPARED;
    let seen: BTreeSet<_> = since(tests, now - year)
        .map(|test| test.difficulty.as_str())
        .collect();
    let mut compared = Vec::with_capacity(COMPARED.len() * seen.len());
    for (window, seconds) in COMPARED {
        compared.extend(seen.iter().map(|difficulty| PhishingDifficulty {
            window: window.to_owned(),
            difficulty: (*difficulty).to_owned(),
            sums: of(since(tests, now - seconds).filter(|test| test.difficulty == *difficulty)),
        }));
    }
    compared
}

/// The tests that started at `unix` seconds or later.
fn since(tests: &[PhishingTest], unix: f64) -> impl Iterator<Item = &PhishingTest> + Clone {
    let started = move |test: &&PhishingTest| test.started_at.is_some_and(|start| start >= unix);
    tests.iter().filter(started)
}

/// The last months in UTC, the oldest first; empty where `now` is beyond any calendar.
pub(super) fn months(tests: &[PhishingTest], now: f64) -> Vec<PhishingMonth> {
    let Some(running) = month(now) else {
        return Vec::new();
    };
    let started: Vec<_> = tests
        .iter()
        .filter_map(|test| Some((month(test.started_at?)?, test)))
        .collect();
    let month = |ago: usize| {
        let first = (0..ago).try_fold(running, |month, _| {
            month.yesterday().ok().map(Date::first_of_month)
        })?;
        let those = started.iter().filter(|(month, _)| *month == first);
        Some(PhishingMonth {
            month: first.strftime("%Y-%m").to_string(),
            sums: of(those.map(|(_, test)| *test)),
        })
    };
    (0..MONTHS).rev().filter_map(month).collect()
}

/// The first day of the month of `unix` seconds.
fn month(unix: f64) -> Option<Date> {
    // `as` saturates, and from_second refuses what is out of range.
    let moment = Timestamp::from_second(unix.floor() as i64).ok()?;
    Some(TimeZone::UTC.to_datetime(moment).date().first_of_month())
}

/// A test of which the API doesn't say how many it reached, or nothing of what they did, is in neither of these two sums.
pub(super) fn of<'a>(tests: impl IntoIterator<Item = &'a PhishingTest>) -> PhishingSums {
    let mut sums = PhishingSums::default();
    for test in tests {
        sums.tests += 1;
        if let Some(reached) = test.recipients.delivered
            && !test.failures.is_empty()
        {
            add(&mut sums.delivered, reached);
            let failed = test.failures.values();
            add(
                &mut sums.failures,
                failed.fold(0, |sum, more| sum.saturating_add(*more)),
            );
        }
        for (sum, count) in [
            (&mut sums.reported, test.recipients.reported),
            (&mut sums.scheduled, test.recipients.scheduled),
            (&mut sums.bounced, test.recipients.bounced),
            (&mut sums.opened, test.recipients.opened),
        ] {
            if let Some(count) = count {
                add(sum, count);
            }
        }
    }
    if sums.tests == 0 {
        return PhishingSums {
            tests: 0,
            delivered: Some(0),
            failures: Some(0),
            reported: Some(0),
            scheduled: Some(0),
            bounced: Some(0),
            opened: Some(0),
        };
    }
    sums
}

fn add(sum: &mut Option<u64>, more: u64) {
    *sum = Some(sum.unwrap_or(0).saturating_add(more));
}

fn failures<'a>(tests: impl Iterator<Item = &'a PhishingTest>) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::<String, u64>::new();
    for (failure, more) in tests.flat_map(|test| &test.failures) {
        let sum = sums.entry(failure.clone()).or_default();
        *sum = sum.saturating_add(*more);
    }
    sums
}

/// Failures / delivered; [`None`] where nothing was delivered.
pub(super) fn phish_prone(sums: &PhishingSums) -> Option<f64> {
    let (failures, delivered) = sums.failures.zip(sums.delivered)?;
    (delivered > 0).then(|| failures as f64 / delivered as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PhishingTests, Recipients};

    fn test(started: &str, delivered: Option<u64>, clicked: u64, reported: Option<u64>) -> PhishingTest {
        let started: Timestamp = started.parse().expect("a time");
        PhishingTest {
            started_at: Some(started.as_second() as f64),
            recipients: Recipients {
                delivered,
                reported,
                ..Recipients::default()
            },
            failures: [("clicked".to_owned(), clicked)].into(),
            ..PhishingTest::default()
        }
    }

    fn at(moment: &str) -> f64 {
        moment.parse::<Timestamp>().expect("a time").as_second() as f64
    }

    #[test]
    fn a_month_is_that_of_the_start_in_utc() {
        let tests = [
            test("2026-03-01T00:30:00+01:00", Some(10), 1, Some(2)),
            test("2026-03-01T00:00:00Z", Some(20), 2, Some(3)),
            test("2026-03-31T23:59:59Z", Some(40), 4, None),
            test("2024-03-31T23:59:59Z", Some(80), 8, Some(9)),
        ];
        let months = months(&tests, at("2026-03-31T23:59:59Z"));
        assert_eq!(months.len(), 24);
        assert_eq!(months[0].month, "2024-04");
        let sums = |index: usize| {
            let month = &months[index];
            let sums = month.sums;
            (
                month.month.as_str(),
                sums.tests,
                sums.delivered,
                sums.failures,
                sums.reported,
            )
        };
        assert_eq!(sums(23), ("2026-03", 2, Some(60), Some(6), Some(3)));
        assert_eq!(sums(22), ("2026-02", 1, Some(10), Some(1), Some(2)));
        assert_eq!(sums(21), ("2026-01", 0, Some(0), Some(0), Some(0)));
    }

    #[test]
    fn difficulties_are_compared_within_a_year() {
        let of_difficulty = |difficulty: &str, test: PhishingTest| PhishingTest {
            difficulty: difficulty.to_owned(),
            ..test
        };
        let tests = [
            of_difficulty("3", test("2026-03-20T00:00:00Z", Some(10), 1, Some(2))),
            of_difficulty("3", test("2025-12-01T00:00:00Z", Some(20), 4, Some(8))),
            of_difficulty("", test("2025-12-01T00:00:00Z", Some(40), 2, Some(1))),
            of_difficulty("5", test("2025-03-01T00:00:00Z", Some(80), 8, Some(9))),
        ];
        let compared: Vec<_> = difficulties(&tests, at("2026-03-31T00:00:00Z"))
            .into_iter()
            .map(|of| {
                (
                    of.window,
                    of.difficulty,
                    of.sums.tests,
                    of.sums.delivered,
                    of.sums.failures,
                )
            })
            .collect();
        let expected = [
            ("30d", "", 0, 0, 0),
            ("30d", "3", 1, 10, 1),
            ("365d", "", 1, 40, 2),
            ("365d", "3", 2, 30, 5),
        ];
        let expected = expected.map(|(window, difficulty, tests, delivered, failures)| {
            (
                window.to_owned(),
                difficulty.to_owned(),
                tests,
                Some(delivered),
                Some(failures),
            )
        });
        assert_eq!(compared, expected);
    }

    #[test]
    fn a_window_sums_up_each_step_and_each_kind_of_failure() {
        let first = PhishingTest {
            recipients: Recipients {
                scheduled: Some(12),
                delivered: Some(10),
                opened: Some(6),
                reported: Some(2),
                bounced: None,
            },
            failures: [("clicked".to_owned(), 3), ("replied".to_owned(), 0)].into(),
            ..test("2026-03-20T00:00:00Z", None, 0, None)
        };
        let second = PhishingTest {
            recipients: Recipients {
                opened: Some(u64::MAX),
                ..Recipients::default()
            },
            failures: [("clicked".to_owned(), 4)].into(),
            ..test("2026-03-21T00:00:00Z", None, 0, None)
        };
        let of_both = window("30d", [&first, &second].into_iter());
        let expected = PhishingSums {
            tests: 2,
            delivered: Some(10),
            failures: Some(3),
            reported: Some(2),
            scheduled: Some(12),
            bounced: None,
            opened: Some(u64::MAX),
        };
        assert_eq!(of_both.sums, Some(expected));
        assert_eq!(
            of_both.failures,
            [("clicked".to_owned(), 7), ("replied".to_owned(), 0)].into()
        );
        let of_none = window("30d", [].iter());
        assert_eq!(of_none.sums.and_then(|sums| sums.bounced), Some(0));
        assert!(of_none.failures.is_empty());
    }

    #[test]
    fn the_last_test_is_the_newest_that_has_begun() {
        let tests = [
            test("2026-03-01T00:00:00Z", None, 0, None),
            test("2026-03-03T00:00:00Z", None, 0, None),
            test("2026-04-01T00:00:00Z", None, 0, None),
            PhishingTest::default(),
        ];
        let now = at("2026-03-31T00:00:00Z");
        assert_eq!(last_start(&tests, now), Some(at("2026-03-03T00:00:00Z")));
        assert_eq!(last_start(&tests[2..], now), None);
    }

    #[test]
    fn a_test_is_recent_from_its_start_for_thirty_days() {
        let now = at("2026-03-31T00:00:00Z");
        for (started, expected) in [
            ("2026-03-31T00:00:01Z", false),
            ("2026-03-31T00:00:00Z", true),
            ("2026-03-01T00:00:00Z", true),
            ("2026-02-28T23:59:59Z", false),
        ] {
            let tests = [test(started, None, 0, None), PhishingTest::default()];
            assert_eq!(recent(&tests, now).len(), usize::from(expected), "{started}");
        }
    }

    #[test]
    fn what_no_test_says_is_no_zero() {
        let silent = test("2026-03-01T00:00:00Z", None, 1, None);
        let sums = of([&silent]);
        assert_eq!(
            (sums.tests, sums.delivered, sums.failures, sums.reported),
            (1, None, None, None)
        );
        assert_eq!(phish_prone(&sums), None);
    }

    #[test]
    fn a_clock_beyond_the_calendar_has_no_months() {
        assert_eq!(months(&[], f64::MAX), Vec::new());
    }

    #[test]
    fn data_of_versions_without_sums_is_read() {
        let json = r#"{"tests":[],"omitted":2,"windows":[{"window":"30d","phish_prone":0.1}]}"#;
        let tests: PhishingTests = serde_json::from_str(json).expect("an earlier version's tests");
        assert_eq!(
            (
                tests.windows[0].sums,
                tests.months.len(),
                tests.difficulties.len()
            ),
            (None, 0, 0)
        );
        assert_eq!((tests.recent.len(), tests.last_start), (0, None));
    }
}
