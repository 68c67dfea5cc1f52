//! The sums against a plain count of raw rows, and their edges.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::model::{DAY, RECIPIENT_DELAY_SECONDS, TestRecipients};
use crate::recipients::{DirectoryBuilder, Event, Mail, Reading};

const NOW: f64 = 1000.0 * DAY;

/// A test as rows.
#[derive(Debug, Clone)]
struct Raw {
    age_days: f64,
    read: bool,
    rows: Vec<Mail>,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Never),
        1 => Just(Event::Sometime),
        4 => (0_f64..200_000.0).prop_map(|seconds| Event::At(NOW - 400_000.0 + seconds.round())),
    ]
}

fn row() -> impl Strategy<Value = Mail> {
    let user = prop_oneof![9 => (0_i64..30).prop_map(Some), 1 => Just(None)];
    let delivered = prop_oneof![1 => Just(Event::Never), 9 => Just(Event::At(NOW - 400_000.0)), 2 => event()];
    (user, delivered, event(), event()).prop_map(|(user, delivered, failed, reported)| Mail {
        user,
        delivered,
        failed,
        reported,
    })
}

fn raw() -> impl Strategy<Value = Raw> {
    let rows = prop::collection::vec(row(), 0..40);
    let age = prop_oneof![0_f64..30.0, 0_f64..100.0, Just(30.0), Just(90.0)];
    (age, prop::bool::weighted(0.95), rows).prop_map(|(age_days, read, rows)| Raw { age_days, read, rows })
}

/// For each active user the groups; the user's department is the id's last digit by four.
fn users() -> impl Strategy<Value = BTreeMap<i64, BTreeSet<i64>>> {
    prop::collection::btree_map(0_i64..30, prop::collection::btree_set(1_i64..5, 0..4), 0..25)
}

fn department(user: i64) -> i64 {
    user % 4
}

fn people(users: &BTreeMap<i64, BTreeSet<i64>>) -> Directory {
    let mut builder = DirectoryBuilder::new(1);
    for (id, groups) in users.iter().rev() {
        let groups: Vec<_> = groups.iter().copied().collect();
        builder.add(*id, &groups, [Some(department(*id) as u32)]);
    }
    let segments = (0..4).map(|n| ("department".to_owned(), n.to_string())).collect();
    builder.finish(segments, &[Some(0), Some(1), Some(2), Some(3)])
}

fn counts(rows: &[&Mail]) -> MailCounts {
    let number = |is: fn(&Mail) -> bool| rows.iter().filter(|row| is(row)).count() as u64;
    MailCounts {
        delivered: number(|row| row.delivered != Event::Never),
        failed: number(|row| row.failed != Event::Never),
        reported: number(|row| row.reported != Event::Never),
        ignored: number(|row| {
            row.delivered != Event::Never && row.failed == Event::Never && row.reported == Event::Never
        }),
    }
}

fn delays(rows: &[&Mail], of: fn(&Mail) -> Event) -> Vec<f64> {
    let delay = |row: &&&Mail| match (row.delivered, of(row)) {
        (Event::At(sent), Event::At(at)) => Some((at - sent).max(0.0)),
        _ => None,
    };
    rows.iter().filter_map(|row| delay(&row)).collect()
}

fn within(rows: &[&Mail], of: fn(&Mail) -> Event) -> Vec<u64> {
    let delays = delays(rows, of);
    let all = rows.iter().filter(|row| of(row) != Event::Never).count() as u64;
    let bounds = RECIPIENT_DELAY_SECONDS.iter();
    let below = bounds.map(|bound| delays.iter().filter(|delay| *delay <= bound).count() as u64);
    below.chain([all]).collect()
}

fn plain_numbers(rows: &[Mail]) -> TestRecipients {
    let all: Vec<_> = rows.iter().collect();
    let earliest = |of: fn(&Mail) -> Event| {
        let times = rows.iter().filter_map(|row| of(row).time());
        times.min_by(f64::total_cmp)
    };
    let since_first = |of| Some((earliest(of)? - earliest(|row| row.delivered)?).max(0.0));
    let median = |of| {
        let mut delays = delays(&all, of);
        delays.sort_by(f64::total_cmp);
        let n = delays.len();
        (n > 0).then(|| f64::midpoint(delays[(n - 1) / 2], delays[n / 2]))
    };
    // Each row without a user is a person.
    let mut who = BTreeMap::<(Option<i64>, usize), (bool, bool)>::new();
    for (index, row) in rows.iter().enumerate() {
        let key = (row.user, if row.user.is_none() { index } else { 0 });
        let person = who.entry(key).or_default();
        person.0 |= row.failed != Event::Never;
        person.1 |= row.reported != Event::Never;
    }
    let people = |is: fn(&(bool, bool)) -> bool| who.values().filter(|person| is(person)).count() as u64;
    TestRecipients {
        mails: counts(&all),
        failed: people(|person| person.0),
        failed_and_reported: people(|person| person.0 && person.1),
        first_failure: since_first(|row| row.failed),
        first_report: since_first(|row| row.reported),
        median_failure: median(|row| row.failed),
        median_report: median(|row| row.reported),
        failure_delays: within(&all, |row| row.failed).try_into().expect("all bounds"),
        report_delays: within(&all, |row| row.reported).try_into().expect("all bounds"),
    }
}

fn read(raw: &Raw) -> ReadTest {
    let mut reading = Reading::default();
    raw.rows.iter().for_each(|row| reading.add(row));
    reading.finish(NOW, true)
}

fn windows() -> Vec<(String, Duration)> {
    [("90d", 90), ("30d", 30)]
        .map(|(label, days)| (label.to_owned(), Duration::from_secs(days * 86_400)))
        .into()
}

proptest! {
    #[test]
    fn numbers_of_a_test_are_those_of_its_rows(raw in raw()) {
        prop_assert_eq!(read(&raw).numbers, plain_numbers(&raw.rows));
    }

    #[test]
    fn windows_are_the_sums_of_their_rows(tests in prop::collection::vec(raw(), 0..8), users in users()) {
        let mut memory = Memory::default();
        let mut roster = Vec::new();
        for (id, raw) in (0_i64..).zip(&tests) {
            roster.push(TestSpan { id, started_at: NOW - raw.age_days * DAY, ..TestSpan::default() });
            if raw.read {
                memory.keep(id, read(raw));
            }
        }
        let (people, windows) = (people(&users), windows());
        let summary = summarise(&memory, &Inputs {
            roster: &roster,
            windows: &windows,
            people: Some(&people),
            group_min_size: 1,
            segment_min_size: 1,
            now: NOW,
        });
        let inside = |days: f64| tests.iter().filter(move |raw| raw.age_days <= days);
        prop_assert_eq!(summary.unread, inside(90.0).filter(|raw| !raw.read).count() as u64);
        for (label, days) in [("30d", 30.0), ("90d", 90.0)] {
            let shown = summary.windows.iter().find(|window| window.window == label);
            prop_assert_eq!(shown.is_some(), inside(days).all(|raw| raw.read), "{}", label);
            let Some(shown) = shown else { continue };
            let rows: Vec<_> = inside(days).flat_map(|raw| &raw.rows).collect();
            prop_assert_eq!(shown.mails, counts(&rows));
            prop_assert_eq!(shown.failure_delays.to_vec(), within(&rows, |row| row.failed));
            prop_assert_eq!(shown.report_delays.to_vec(), within(&rows, |row| row.reported));
            let Some(sums) = &shown.people else {
                prop_assert!(users.is_empty());
                continue;
            };
            let to = |user: i64| rows.iter().copied().filter(|row| row.user == Some(user)).collect::<Vec<_>>();
            let tested: Vec<_> = users.keys().copied().filter(|user| counts(&to(*user)).delivered > 0).collect();
            prop_assert_eq!(sums.tested, tested.len() as u64);
            let reported = users.keys().filter(|user| counts(&to(**user)).reported > 0).count();
            prop_assert_eq!(sums.reported, reported as u64);
            let mut by_failed = [0; 6];
            for user in tested {
                let failed = |raw: &&Raw| {
                    raw.rows.iter().any(|row| row.user == Some(user) && row.failed != Event::Never)
                };
                by_failed[inside(days).filter(failed).count().min(5)] += 1;
            }
            prop_assert_eq!(sums.by_failed_tests, by_failed);
            for (group, mails) in &sums.groups {
                let members = users.iter().filter(|(_, groups)| groups.contains(group));
                let rows: Vec<_> = members.flat_map(|(user, _)| to(*user)).collect();
                prop_assert_eq!(mails.mails, counts(&rows));
            }
            for segment in &sums.segments {
                let those = users.keys().filter(|user| department(**user).to_string() == segment.value);
                let rows: Vec<_> = those.flat_map(|user| to(*user)).collect();
                prop_assert_eq!(segment.mails.mails, counts(&rows));
            }
        }
    }

    #[test]
    fn looking_ahead_finds_the_place(mut ids in prop::collection::vec(0_i64..200, 0..80), user in 0_i64..200) {
        ids.sort_unstable();
        prop_assert_eq!(ahead(&ids, user), ids.partition_point(|id| *id < user));
    }
}

#[test]
fn what_one_person_did_is_not_shown_where_sizes_matter() {
    let users: BTreeMap<_, _> = [(1, [7].into()), (2, [7].into()), (3, [8].into())].into();
    let mail = |user| Mail {
        user: Some(user),
        delivered: Event::At(NOW),
        ..Mail::default()
    };
    let raw = Raw {
        age_days: 1.0,
        read: true,
        rows: vec![mail(1), mail(3), mail(2)],
    };
    let mut memory = Memory::default();
    memory.keep(1, read(&raw));
    let roster = [TestSpan {
        id: 1,
        started_at: NOW - DAY,
        ..TestSpan::default()
    }];
    let groups = |group_min_size| {
        let summary = summarise(
            &memory,
            &Inputs {
                roster: &roster,
                windows: &windows(),
                people: Some(&people(&users)),
                group_min_size,
                segment_min_size: 5,
                now: NOW,
            },
        );
        let people = summary.windows[0].people.clone().expect("people");
        // Departments 1, 2 and 3 have one each, and nobody is in department 0.
        assert_eq!(people.segments.len(), 1);
        people.groups.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(groups(1), [7, 8]);
    assert_eq!(groups(5), [7]);
}

#[test]
fn a_window_without_a_test_is_whole() {
    let summary = summarise(
        &Memory::default(),
        &Inputs {
            roster: &[],
            windows: &windows(),
            people: None,
            group_min_size: 1,
            segment_min_size: 5,
            now: NOW,
        },
    );
    assert_eq!((summary.unread, summary.windows.len()), (0, 2));
    assert_eq!(summary.windows[0].window, "30d");
}
