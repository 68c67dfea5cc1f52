//! Whose months are played: organisations that differ in what there is to see.

use knowbe4_simulator::{Dialect, Fault, Scenario, Settings};

use super::{DAY, HOUR, Span};

/// An organisation, and how its account is configured.
#[derive(Clone)]
pub struct Organisation {
    pub name: &'static str,
    pub settings: Settings,
    /// Days before the end at which its scenario begins.
    pub origin: u64,
    /// Of the quota of a thousand requests a day.
    pub share: f64,
    pub max_tests: usize,
}

/// `acme` is as organisations are, with an outage, a throttled minute and an undocumented word now and then; the risk
/// of `globex` has been rising for three weeks; in `initech` nothing happens; `umbrella` is a trial whose newest
/// campaign fails.
pub fn organisations(span: &Span) -> [Organisation; 4] {
    let settings = |seed, users: usize, groups, scenario| Settings {
        seed,
        users,
        groups,
        enrollments: users * 10,
        scenario,
        ..Settings::default()
    };
    let organisation = |name, settings, origin| Organisation {
        name,
        settings,
        origin,
        share: 0.25,
        max_tests: 60,
    };
    [
        Organisation {
            max_tests: 100,
            ..organisation(
                "acme",
                Settings {
                    faults: now_and_then(span),
                    ..settings(1, 600, 24, Scenario::Normal)
                },
                1,
            )
        },
        organisation("globex", settings(2, 300, 12, Scenario::RisingRisk), 21),
        organisation(
            "initech",
            Settings {
                dialect: Dialect::Cursor,
                ..settings(3, 120, 8, Scenario::Quiet)
            },
            1,
        ),
        organisation(
            "umbrella",
            Settings {
                faults: faults("quirk=trial"),
                ..settings(4, 60, 6, Scenario::FailedCampaign)
            },
            2,
        ),
    ]
}

fn faults(words: &str) -> Vec<Fault> {
    words.split(',').map(|fault| fault.parse().unwrap()).collect()
}

/// Every three weeks, the last time within the last hours: users fail for two hours, one page comes too soon after
/// others, and one enrollment has a status that nobody has documented. That one a little before: enrollments are read
/// several times a day, and not every few hours.
fn now_and_then(span: &Span) -> Vec<Fault> {
    let length = span.end - span.begin;
    (0..)
        .map(|times| 5 * HOUR + times * 21 * DAY)
        .take_while(|before| *before < length)
        .flat_map(|before| {
            let from = length - before;
            faults(&format!(
                "503:endpoint=users:from={from}:until={},429:from={from}:count=1:retry-after=60,\
                 quirk=unknown-values:endpoint=training/enrollments:from={}:count=2",
                from + 2 * HOUR,
                from - 9 * HOUR
            ))
        })
        .collect()
}
