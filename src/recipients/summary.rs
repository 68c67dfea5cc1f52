//! From the tests that have been read, and the people who are active now, to numbers by window.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Directory, Memory, Outcome, ReadTest};
use crate::model::{
    FAILED_TESTS, MailCounts, MailsOfMany, PhishingRecipients, RecipientsPeople, RecipientsRead,
    RecipientsWindow, SegmentMails, TestSpan,
};

/// What is summarised.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// All tests of the longest window.
    pub roster: &'a [TestSpan],
    /// Windows: label and length.
    pub windows: &'a [(String, Duration)],
    /// Who is active now; [`None`] where that isn't known.
    pub people: Option<&'a Directory>,
    /// Fewest people that numbers of a group may be about.
    pub group_min_size: u64,
    /// Fewest people that numbers of a segment may be about.
    pub segment_min_size: u64,
    /// Unix seconds: windows end here.
    pub now: f64,
}

/// Sums up `memory`. A window is there once all of its tests have been read.
pub fn summarise(memory: &Memory, inputs: &Inputs<'_>) -> PhishingRecipients {
    let mut windows: Vec<_> = inputs.windows.iter().collect();
    windows.sort_by_key(|(_, length)| *length);
    let longest = windows.last().map_or(0.0, |(_, length)| length.as_secs_f64());
    let mut roster: Vec<_> = inputs
        .roster
        .iter()
        .filter(|test| test.started_at <= inputs.now && test.started_at >= inputs.now - longest)
        .collect();
    roster.sort_by(|a, b| b.started_at.total_cmp(&a.started_at));
    let read = |test: &&TestSpan| memory.get(test.id);
    let unread = roster.iter().filter(|test| read(test).is_none()).count() as u64;
    // Each window holds the tests of all shorter ones.
    let mut tally = Tally::new(inputs.people);
    let mut rest = roster.iter().peekable();
    let mut whole = Vec::new();
    'windows: for (label, length) in windows {
        let begins = inputs.now - length.as_secs_f64();
        while let Some(test) = rest.next_if(|test| test.started_at >= begins) {
            let Some(test) = read(test) else { break 'windows };
            tally.add(test);
        }
        whole.push(tally.window(label, inputs));
    }
    let numbers = |test: &&TestSpan| {
        let read = memory.get(test.id)?;
        let numbers = RecipientsRead {
            at: read.at,
            ended: read.ended,
            numbers: read.numbers.clone(),
        };
        Some((test.id, numbers))
    };
    PhishingRecipients {
        tests: roster.iter().filter_map(numbers).collect(),
        unread,
        windows: whole,
        backlog_spent: Vec::new(),
    }
}

/// What one person did.
#[derive(Debug, Clone, Copy, Default)]
struct Person {
    mails: MailCounts,
    failed_tests: u32,
    answered: bool,
}

impl Person {
    fn add(&mut self, outcome: Outcome) {
        self.mails
            .add(outcome.delivered(), outcome.failed(), outcome.reported());
        self.answered = true;
    }
}

/// Sums over the tests so far.
struct Tally<'a> {
    sums: RecipientsWindow,
    people: Option<(&'a Directory, Vec<Person>)>,
}

impl<'a> Tally<'a> {
    fn new(people: Option<&'a Directory>) -> Self {
        // Where nobody may be listed, nobody is known not to have been tested.
        let people = people.filter(|people| !people.is_empty());
        Self {
            sums: RecipientsWindow::default(),
            people: people.map(|people| (people, vec![Person::default(); people.len()])),
        }
    }

    fn add(&mut self, test: &ReadTest) {
        let numbers = &test.numbers;
        self.sums.mails.merge(&numbers.mails);
        let delays = [
            (&mut self.sums.failure_delays, &numbers.failure_delays),
            (&mut self.sums.report_delays, &numbers.report_delays),
        ];
        for (sums, counts) in delays {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        let Some((people, persons)) = &mut self.people else {
            return;
        };
        let ids = people.ids();
        let mut position = 0;
        let mut failed = None;
        for (user, outcome) in test.mails.mails() {
            position += ahead(&ids[position..], user);
            if ids.get(position) != Some(&user) {
                continue;
            }
            let person = &mut persons[position];
            person.add(outcome);
            // A second mail of the same test is no second test.
            if outcome.failed() && failed != Some(position) {
                person.failed_tests += 1;
                failed = Some(position);
            }
        }
    }

    fn window(&self, label: &str, inputs: &Inputs<'_>) -> RecipientsWindow {
        RecipientsWindow {
            window: label.to_owned(),
            people: self.people.as_ref().map(|(people, persons)| {
                let mut sums = about(people, persons);
                sums.groups
                    .retain(|_, mails| mails.about_several(inputs.group_min_size));
                sums.segments
                    .retain(|segment| segment.mails.about_several(inputs.segment_min_size));
                sums
            }),
            ..self.sums.clone()
        }
    }
}

/// How many of `ids` are below `user`: near ones are found fast.
fn ahead(ids: &[i64], user: i64) -> usize {
    let mut reach = 1;
    while ids.get(reach - 1).is_some_and(|id| *id < user) {
        reach *= 2;
    }
    let (from, to) = (reach / 2, (reach - 1).min(ids.len()));
    from + ids[from..to.max(from)].partition_point(|id| *id < user)
}

fn about(people: &Directory, persons: &[Person]) -> RecipientsPeople {
    let mut sums = RecipientsPeople::default();
    let mut groups = vec![MailsOfMany::default(); people.groups().len()];
    let mut segments = vec![MailsOfMany::default(); people.segments().len()];
    for (position, person) in persons.iter().enumerate() {
        let tested = person.mails.delivered > 0;
        sums.tested += u64::from(tested);
        sums.reported += u64::from(person.mails.reported > 0);
        if tested {
            let most = FAILED_TESTS.len() - 1;
            sums.by_failed_tests[most.min(person.failed_tests as usize)] += 1;
        }
        let add = |sums: &mut MailsOfMany| {
            sums.mails.merge(&person.mails);
            sums.people += u64::from(person.answered);
        };
        people
            .groups_of(position)
            .for_each(|group| add(&mut groups[group]));
        people
            .segments_of(position)
            .for_each(|segment| add(&mut segments[segment]));
    }
    sums.groups = people
        .groups()
        .iter()
        .copied()
        .zip(groups)
        .collect::<BTreeMap<_, _>>();
    sums.segments = people
        .segments()
        .iter()
        .zip(segments)
        .map(|((attribute, value), mails)| SegmentMails {
            attribute: attribute.clone(),
            value: value.clone(),
            mails,
        })
        .collect();
    sums
}

#[cfg(test)]
mod tests;
