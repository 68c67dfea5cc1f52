//! Which test is to be read when.
//!
//! A running test is read again and again as the plan allows, one that has ended once more a week later, and then never
//! again. What the plan doesn't hold is read from a share of the day's budget, the newest test first.

use super::Memory;
use crate::model::{Collector, DAY, TestSpan};

/// After the end of a test people still click and report for a while: then it is read for the last time.
const LAST_LOOK: f64 = 7.0 * DAY;

/// How long a test runs of which the API says neither that it has ended nor when it does.
const LONGEST: f64 = 30.0 * DAY;

/// What is due by an interval is read with others that are due a little earlier.
const EARLY: f64 = 0.95;

/// Least pause between two readings of a running test that the plan has no room for.
const SHARE_PAUSE: f64 = 2.0 * DAY;

/// Pause after a test could not be read for the first time; it doubles from failure to failure.
const FIRST_PAUSE: f64 = 1800.0;

/// The longest such pause.
const LONGEST_PAUSE: f64 = 7.0 * DAY;

/// What a reading is paid from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purse {
    /// The plan: a running test.
    Plan,
    /// `phishing.recipients_share`: whatever else is to be read.
    Share,
}

/// When a test is to be read next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// Which.
    pub test: TestSpan,
    /// When, in unix seconds.
    pub at: f64,
    /// From what.
    pub purse: Purse,
    /// Requests that it is expected to take.
    pub cost: u64,
}

/// A test that could not be read the last time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Trouble {
    failures: u32,
    /// Not to be asked before, in unix seconds.
    pub until: f64,
}

impl Trouble {
    /// The test could not be read once more, at `now`.
    pub fn failed(&mut self, now: f64) {
        let pause = FIRST_PAUSE * f64::from(self.failures.min(16)).exp2();
        self.until = now + pause.min(LONGEST_PAUSE);
        self.failures += 1;
    }
}

impl TestSpan {
    /// When it ended or is going to, as planned.
    fn planned_end(&self) -> f64 {
        self.ends_at.unwrap_or(self.started_at + LONGEST)
    }

    /// Whether it has ended at `now`.
    pub fn has_ended(&self, now: f64) -> bool {
        self.finished || self.planned_end() <= now
    }

    /// Whether it has started, and not ended, at `now`.
    pub fn is_running(&self, now: f64) -> bool {
        self.started_at <= now && !self.has_ended(now)
    }

    /// Requests that a reading of it takes.
    pub fn cost(&self) -> u64 {
        Collector::Recipients
            .resource()
            .requests(self.recipients.unwrap_or(1))
    }
}

/// When each test of `roster` that is to be read again is, the newest first. `every` is the planned interval of running
/// tests in seconds; [`None`] where the plan has no room for them.
pub fn turns(
    roster: &[TestSpan],
    memory: &Memory,
    trouble: impl Fn(i64) -> Option<Trouble>,
    every: Option<f64>,
    now: f64,
) -> Vec<Turn> {
    let mut turns: Vec<_> = roster
        .iter()
        .filter_map(|test| turn(test, memory, every, now))
        .map(|turn| Turn {
            at: turn
                .at
                .max(trouble(turn.test.id).map_or(f64::MIN, |trouble| trouble.until)),
            ..turn
        })
        .collect();
    turns.sort_by(|a, b| {
        let newest = b.test.started_at.total_cmp(&a.test.started_at);
        newest.then(b.test.id.cmp(&a.test.id))
    });
    turns
}

fn turn(test: &TestSpan, memory: &Memory, every: Option<f64>, now: f64) -> Option<Turn> {
    if test.started_at > now {
        return None;
    }
    let read = memory.get(test.id);
    let ended = test.has_ended(now);
    let by_plan = every.map(|every| (every * EARLY, Purse::Plan));
    let (at, purse) = match read {
        None if ended => (test.started_at, Purse::Share),
        None => (test.started_at, by_plan.map_or(Purse::Share, |(_, purse)| purse)),
        // Since its last reading it has run on, or come to its end.
        Some(read) if !read.ended => match by_plan {
            Some((pause, _)) if ended => (read.at + pause, Purse::Share),
            Some((pause, purse)) => (read.at + pause, purse),
            // Ever more rarely: half of what there is to see of a test is seen in its first hours.
            None => {
                let age = read.at - test.started_at;
                (read.at + age.max(SHARE_PAUSE), Purse::Share)
            }
        },
        Some(read) => {
            let last = test.planned_end() + LAST_LOOK;
            if read.at >= last {
                return None;
            }
            (last, Purse::Share)
        }
    };
    Some(Turn {
        test: *test,
        at,
        purse,
        cost: test.cost(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipients::Reading;

    const HOUR: f64 = 3600.0;

    fn span(id: i64, start: f64, days: f64) -> TestSpan {
        TestSpan {
            id,
            started_at: start * DAY,
            ends_at: Some((start + days) * DAY),
            recipients: Some(1200),
            ..TestSpan::default()
        }
    }

    fn all(roster: &[TestSpan], memory: &Memory, every: Option<f64>, now: f64) -> Vec<(i64, f64, Purse)> {
        let turns = turns(roster, memory, |_| None, every, now);
        turns
            .iter()
            .map(|turn| (turn.test.id, turn.at, turn.purse))
            .collect()
    }

    #[test]
    fn the_newest_first_and_what_has_not_started_not_at_all() {
        let roster = [
            span(1, 10.0, 3.0),
            span(2, 98.0, 7.0),
            span(3, 90.0, 3.0),
            span(4, 101.0, 3.0),
        ];
        let now = 100.0 * DAY;
        assert_eq!(
            all(&roster, &Memory::default(), Some(HOUR), now),
            [
                (2, 98.0 * DAY, Purse::Plan),
                (3, 90.0 * DAY, Purse::Share),
                (1, 10.0 * DAY, Purse::Share)
            ]
        );
        let unplanned = all(&roster, &Memory::default(), None, now);
        assert_eq!(unplanned[0], (2, 98.0 * DAY, Purse::Share));
        assert_eq!(roster[0].cost(), 3);
    }

    /// The life of one test, looked at every hour.
    fn life(every: Option<f64>, days: u32) -> Vec<f64> {
        let test = span(1, 100.0, 3.0);
        let mut memory = Memory::default();
        let mut read_at = Vec::new();
        for hour in 0..days * 24 {
            let now = 100.0 * DAY + f64::from(hour) * HOUR;
            for turn in turns(&[test], &memory, |_| None, every, now) {
                if turn.at <= now {
                    memory.keep(1, Reading::default().finish(now, test.has_ended(now)));
                    read_at.push(now / DAY - 100.0);
                }
            }
        }
        read_at
    }

    #[test]
    fn a_running_test_by_the_plan_an_ended_one_once_more_after_a_week_and_never_again() {
        let read = life(Some(12.0 * HOUR), 400);
        assert_eq!(read, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 10.0]);
    }

    #[test]
    fn what_the_plan_has_no_room_for_is_read_ever_more_rarely() {
        assert_eq!(life(None, 400), [0.0, 2.0, 4.0, 10.0]);
    }

    #[test]
    fn a_test_that_was_read_first_after_that_week_is_never_read_again() {
        let test = span(1, 10.0, 3.0);
        let mut memory = Memory::default();
        memory.keep(1, Reading::default().finish(21.0 * DAY, true));
        assert_eq!(all(&[test], &memory, Some(HOUR), 99.0 * DAY), []);
    }

    #[test]
    fn one_of_which_nobody_says_when_it_ends_has_ended_after_a_month() {
        let test = TestSpan {
            ends_at: None,
            ..span(1, 10.0, 0.0)
        };
        assert!(test.is_running(39.0 * DAY) && test.has_ended(40.0 * DAY));
        let closed = TestSpan {
            finished: true,
            ..test
        };
        assert!(closed.has_ended(11.0 * DAY));
    }

    #[test]
    fn what_always_fails_is_asked_less_and_less() {
        let mut trouble = Trouble::default();
        let pauses: Vec<_> = (0..12)
            .map(|_| {
                trouble.failed(1000.0);
                trouble.until - 1000.0
            })
            .collect();
        assert_eq!(pauses[..3], [1800.0, 3600.0, 7200.0]);
        assert_eq!(pauses[11], 7.0 * DAY);
        let turns = turns(
            &[span(1, 10.0, 3.0)],
            &Memory::default(),
            |_| Some(trouble),
            None,
            20.0 * DAY,
        );
        assert_eq!(turns[0].at, trouble.until.max(10.0 * DAY));
    }
}
