//! What the database's clock shows, on this replica's own.

use std::time::Duration;

use tokio::time::Instant;

/// The answer that says best what the database's clock shows, so that a slow one shifts nothing.
#[derive(Debug, Default)]
pub(super) struct DatabaseClock(Option<Reading>);

/// The clock was read at some time between the question and the answer. It counts as read with the answer: what takes
/// long is mostly to connect, which comes first.
#[derive(Debug, Clone, Copy)]
struct Reading {
    asked: Instant,
    answered: Instant,
    /// Unix microseconds of the database.
    shown: i64,
}

impl DatabaseClock {
    /// Notes that the clock showed `shown` (unix microseconds) since `asked`.
    ///
    /// The quickest answer is kept until another contradicts it: then a clock was set, or they have drifted apart.
    pub(super) fn read(&mut self, asked: Instant, shown: i64) {
        let answered = Instant::now();
        let new = Reading {
            asked,
            answered,
            shown,
        };
        let kept = self
            .0
            .is_some_and(|best| best.took() < new.took() && (asked..=answered).contains(&best.when(shown)));
        if !kept {
            self.0 = Some(new);
        }
    }

    /// When it showed `at` (unix microseconds), or will; `None` while it was never read.
    pub(super) fn when(&self, at: i64) -> Option<Instant> {
        self.0.map(|best| best.when(at))
    }
}

impl Reading {
    fn took(&self) -> Duration {
        self.answered - self.asked
    }

    fn when(&self, at: i64) -> Instant {
        let apart = Duration::from_micros(at.abs_diff(self.shown));
        let when = match at < self.shown {
            true => self.answered.checked_sub(apart),
            false => self.answered.checked_add(apart),
        };
        when.unwrap_or(self.answered)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MILLIS: i64 = 1000;

    /// An answer of a database whose clock shows 0 at `start`, after `there` and `back` milliseconds on the way.
    async fn answer(clock: &mut DatabaseClock, start: Instant, there: u64, back: u64) {
        let asked = Instant::now();
        advance(Duration::from_millis(there)).await;
        let shown = i64::try_from(start.elapsed().as_micros()).expect("a few hours");
        advance(Duration::from_millis(back)).await;
        clock.read(asked, shown);
    }

    fn error(clock: &DatabaseClock, start: Instant) -> Duration {
        let when = clock.when(5000 * MILLIS).expect("the clock was read");
        let exact = start + Duration::from_secs(5);
        when.max(exact) - when.min(exact)
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_shifts_nothing_that_a_quick_one_said() {
        let (mut clock, start) = (DatabaseClock::default(), Instant::now());
        assert_eq!(clock.when(0), None);
        answer(&mut clock, start, 0, 600).await;
        assert_eq!(error(&clock, start), Duration::from_millis(600));
        answer(&mut clock, start, 1, 3).await;
        assert_eq!(error(&clock, start), Duration::from_millis(3));
        answer(&mut clock, start, 0, 600).await;
        assert_eq!(error(&clock, start), Duration::from_millis(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_was_set_is_believed_by_the_next_answer() {
        let (mut clock, start) = (DatabaseClock::default(), Instant::now());
        answer(&mut clock, start, 1, 1).await;
        for set in [start + Duration::from_secs(3600), start] {
            advance(Duration::from_secs(3600)).await;
            answer(&mut clock, set, 1, 100).await;
            assert_eq!(error(&clock, set), Duration::from_millis(100));
        }
    }
}
