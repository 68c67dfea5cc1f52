//! One test's recipients, while they are read and once they are.

use serde::{Deserialize, Serialize};

use super::Packed;
use crate::model::{RECIPIENT_DELAY_SECONDS, TestRecipients};

/// Something that happened to a mail, or didn't.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Event {
    /// It didn't.
    #[default]
    Never,
    /// At a time in unix seconds.
    At(f64),
    /// It did, at a time that can't be read.
    Sometime,
}

impl Event {
    /// Whether it happened.
    pub fn happened(self) -> bool {
        self != Self::Never
    }

    /// When it happened, where that is known.
    pub fn time(self) -> Option<f64> {
        match self {
            Self::At(time) => Some(time),
            Self::Never | Self::Sometime => None,
        }
    }

    /// The earlier of two.
    #[must_use]
    pub fn or_earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::At(one), Self::At(other)) => Self::At(one.min(other)),
            (Self::At(time), _) | (_, Self::At(time)) => Self::At(time),
            (Self::Sometime, _) | (_, Self::Sometime) => Self::Sometime,
            (Self::Never, Self::Never) => Self::Never,
        }
    }
}

/// One mail of a test.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Mail {
    /// To whom; [`None`] where the API says nothing of the user, as of one who was deleted.
    pub user: Option<i64>,
    /// It arrived.
    pub delivered: Event,
    /// The first failure of any kind.
    pub failed: Event,
    /// It was reported.
    pub reported: Event,
}

/// What became of a mail: three bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Outcome(u8);

impl Outcome {
    const DELIVERED: u8 = 1;
    const FAILED: u8 = 2;
    const REPORTED: u8 = 4;

    /// Of a mail.
    pub fn of(mail: &Mail) -> Self {
        let bit = |event: Event, bit: u8| if event.happened() { bit } else { 0 };
        Self(
            bit(mail.delivered, Self::DELIVERED)
                | bit(mail.failed, Self::FAILED)
                | bit(mail.reported, Self::REPORTED),
        )
    }

    /// The lowest three of `bits`.
    pub(super) fn from_bits(bits: u8) -> Self {
        Self(bits & (Self::DELIVERED | Self::FAILED | Self::REPORTED))
    }

    pub(super) fn bits(self) -> u8 {
        self.0
    }

    /// Whether it arrived.
    pub fn delivered(self) -> bool {
        self.0 & Self::DELIVERED != 0
    }

    /// Whether the user failed.
    pub fn failed(self) -> bool {
        self.0 & Self::FAILED != 0
    }

    /// Whether the user reported it.
    pub fn reported(self) -> bool {
        self.0 & Self::REPORTED != 0
    }

    /// Whether it arrived, and the user did neither.
    pub fn ignored(self) -> bool {
        self.0 == Self::DELIVERED
    }

    fn nothing(self) -> bool {
        self.0 == 0
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// One test, read whole.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadTest {
    /// When its reading was begun, in unix seconds.
    pub at: f64,
    /// Whether the test had ended by then.
    pub ended: bool,
    /// About all of its mails, also those to people who have left since.
    pub numbers: TestRecipients,
    /// Who did what.
    pub mails: Packed,
}

/// The part of a record before the packed mails.
#[derive(Serialize, Deserialize)]
struct Head {
    at: f64,
    ended: bool,
    numbers: TestRecipients,
}

impl ReadTest {
    /// For a sealed record: the length of the head, the head as JSON, the packed mails.
    pub fn encode(&self) -> Vec<u8> {
        let head = Head {
            at: self.at,
            ended: self.ended,
            numbers: self.numbers.clone(),
        };
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut bytes = (head.len() as u32).to_le_bytes().to_vec();
        bytes.extend(head);
        bytes.extend(self.mails.bytes());
        bytes
    }

    /// What [`ReadTest::encode`] made; [`None`] where it can't be such.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (head, mails) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let head: Head = serde_json::from_slice(head).ok()?;
        Some(Self {
            at: head.at,
            ended: head.ended,
            numbers: head.numbers,
            mails: Packed::from_bytes(mails)?,
        })
    }
}

/// A test whose listing is being read.
#[derive(Debug, Default)]
pub struct Reading {
    numbers: TestRecipients,
    mails: Vec<(i64, Outcome)>,
    first_delivery: Event,
    first_failure: Event,
    first_report: Event,
    failure_delays: Vec<f64>,
    report_delays: Vec<f64>,
}

impl Reading {
    /// Takes in one mail.
    pub fn add(&mut self, mail: &Mail) {
        let outcome = Outcome::of(mail);
        if outcome.nothing() {
            return;
        }
        self.numbers
            .mails
            .add(outcome.delivered(), outcome.failed(), outcome.reported());
        self.first_delivery = self.first_delivery.or_earlier(mail.delivered);
        self.first_failure = self.first_failure.or_earlier(mail.failed);
        self.first_report = self.first_report.or_earlier(mail.reported);
        let delay = |event: Event| Some((event.time()? - mail.delivered.time()?).max(0.0));
        self.failure_delays.extend(delay(mail.failed));
        self.report_delays.extend(delay(mail.reported));
        match mail.user {
            Some(user) => self.mails.push((user, outcome)),
            // Nobody else's mail: one person.
            None => self.numbers.count_person(outcome.failed(), outcome.reported()),
        }
    }

    /// The test, now that its listing has come to an end. Its reading was begun `at` unix seconds, and `ended` says
    /// whether the test itself had ended by then.
    pub fn finish(mut self, at: f64, ended: bool) -> ReadTest {
        let mails = Packed::of(&mut self.mails);
        let people = self.mails.chunk_by(|(one, _), (other, _)| one == other);
        for person in people {
            let all = person
                .iter()
                .fold(Outcome::default(), |all, (_, one)| all.and(*one));
            self.numbers.count_person(all.failed(), all.reported());
        }
        let since = |event: Event| Some((event.time()? - self.first_delivery.time()?).max(0.0));
        self.numbers.first_failure = since(self.first_failure);
        self.numbers.first_report = since(self.first_report);
        self.numbers.failure_delays = buckets(&self.failure_delays, self.numbers.mails.failed);
        self.numbers.report_delays = buckets(&self.report_delays, self.numbers.mails.reported);
        self.numbers.median_failure = median(&mut self.failure_delays);
        self.numbers.median_report = median(&mut self.report_delays);
        ReadTest {
            at,
            ended,
            numbers: self.numbers,
            mails,
        }
    }
}

/// Cumulative counts; the last bucket holds all who did, also those of whom nobody knows how fast.
fn buckets(delays: &[f64], all: u64) -> [u64; RECIPIENT_DELAY_SECONDS.len() + 1] {
    let mut buckets = [all; RECIPIENT_DELAY_SECONDS.len() + 1];
    for (bucket, bound) in buckets.iter_mut().zip(RECIPIENT_DELAY_SECONDS) {
        *bucket = delays.iter().filter(|delay| **delay <= bound).count() as u64;
    }
    buckets
}

/// The middle one, or the mean of the two in the middle.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if !even {
        return Some(*upper);
    }
    let lower = below.iter().copied().fold(f64::MIN, f64::max);
    Some((lower + *upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(user: i64, delivered: f64, failed: Option<f64>, reported: Option<f64>) -> Mail {
        let event = |time: Option<f64>| time.map_or(Event::Never, Event::At);
        Mail {
            user: Some(user),
            delivered: Event::At(delivered),
            failed: event(failed),
            reported: event(reported),
        }
    }

    #[test]
    fn a_test_knows_how_fast_and_how_many() {
        let mut reading = Reading::default();
        for mail in [
            mail(1, 100.0, Some(160.0), None),
            mail(2, 110.0, Some(1110.0), Some(120.0)),
            mail(3, 120.0, None, Some(420.0)),
            mail(4, 130.0, None, None),
            // A second mail to the same person, and one to somebody who was deleted.
            mail(1, 140.0, Some(150.0), Some(9999.0)),
            Mail {
                user: None,
                ..mail(0, 150.0, Some(150.0), None)
            },
            // Bounced.
            Mail {
                user: Some(5),
                ..Mail::default()
            },
        ] {
            reading.add(&mail);
        }
        let read = reading.finish(7.0, true);
        let numbers = &read.numbers;
        assert_eq!(
            (
                numbers.mails.delivered,
                numbers.mails.failed,
                numbers.mails.reported,
                numbers.mails.ignored
            ),
            (6, 4, 3, 1)
        );
        assert_eq!((numbers.failed, numbers.failed_and_reported), (3, 2));
        assert_eq!(
            (numbers.first_failure, numbers.first_report),
            (Some(50.0), Some(20.0))
        );
        // 0, 10, 60, 1000 and 10, 300, 9859.
        assert_eq!(
            (numbers.median_failure, numbers.median_report),
            (Some(35.0), Some(300.0))
        );
        assert_eq!(numbers.failure_delays, [3, 3, 3, 4, 4, 4, 4]);
        assert_eq!(numbers.report_delays, [1, 2, 2, 2, 3, 3, 3]);
        assert_eq!(read.mails.mails().count(), 5);
        assert_eq!(ReadTest::decode(&read.encode()), Some(read));
    }

    #[test]
    fn what_has_no_time_counts_and_has_no_delay() {
        let mut reading = Reading::default();
        reading.add(&Mail {
            failed: Event::Sometime,
            ..mail(1, 100.0, None, Some(130.0))
        });
        reading.add(&Mail {
            delivered: Event::Sometime,
            ..mail(2, 0.0, Some(100.0), None)
        });
        let numbers = reading.finish(0.0, true).numbers;
        assert_eq!(numbers.failure_delays, [0, 0, 0, 0, 0, 0, 2]);
        assert_eq!(
            (numbers.median_failure, numbers.median_report),
            (None, Some(30.0))
        );
        assert_eq!((numbers.failed, numbers.failed_and_reported), (2, 1));
    }

    #[test]
    fn a_test_that_nobody_got_has_no_times() {
        let read = Reading::default().finish(1.0, false);
        assert_eq!(read.numbers, TestRecipients::default());
        assert_eq!(ReadTest::decode(b"\x01"), None);
        assert_eq!(ReadTest::decode(&[0xff; 40]), None);
    }
}
