//! The arithmetic of sliding windows: pure, in milliseconds on the ledger's timeline.

use std::collections::VecDeque;

use crate::ledger::{Entry, Loaded, Mark};

/// Milliseconds of a day: what a ledger remembers.
pub(crate) const DAY: u64 = 86_400_000;

/// Lengths of the windows: 1 s, 60 s, 24 h.
const LENGTHS: [u64; 3] = [1_000, 60_000, DAY];

/// A server's clock may tick in whole milliseconds, and round the other way.
const MARGIN: u64 = 5;

/// The time of what can't happen.
pub const NEVER: u64 = u64::MAX;

/// Most requests in any window of each length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// In any second.
    pub per_second: u64,
    /// In any 60 seconds.
    pub per_minute: u64,
    /// In any 24 hours.
    pub per_day: u64,
}

impl Limits {
    fn all(&self) -> [u64; 3] {
        [self.per_second, self.per_minute, self.per_day]
    }
}

/// What the budget allows and what of it is used: 1 s, 1 m, 24 h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BudgetState {
    /// Most requests in each window.
    pub limit: [u64; 3],
    /// Requests in each window now.
    pub used: [u64; 3],
}

impl BudgetState {
    /// Names of the windows, in the order of the elements.
    pub const WINDOWS: [&'static str; 3] = ["1s", "1m", "24h"];
}

/// Requests of the last 24 hours, and what else holds up the next.
#[derive(Debug)]
pub(crate) struct Windows {
    limits: Limits,
    /// When each ended, ascending.
    sent: VecDeque<u64>,
    /// One is under way: it counts as sent now, at any time.
    occupied: bool,
    /// Others' requests that may be under way: each counts as sent now, at any time until this one, and from then on
    /// as sent at this time.
    elsewhere: Vec<u64>,
    paused_until: u64,
    spent_until: u64,
}

impl Windows {
    pub(crate) fn new(limits: Limits, loaded: Loaded) -> Self {
        Self {
            limits,
            sent: loaded.requests.into(),
            occupied: false,
            elsewhere: loaded.under_way,
            paused_until: loaded.paused_until,
            spent_until: loaded.spent_until,
        }
    }

    pub(crate) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    pub(crate) fn is_occupied(&self) -> bool {
        self.occupied
    }

    /// What can't be under way any more was sent, at the latest then.
    pub(crate) fn retire(&mut self, now: u64) {
        let mut over: Vec<u64> = self.elsewhere.extract_if(.., |until| *until < now).collect();
        over.sort_unstable();
        for until in over {
            let place = self.sent.partition_point(|sent| *sent <= until);
            self.sent.insert(place, until);
        }
    }

    /// A request is under way.
    pub(crate) fn occupy(&mut self) {
        self.occupied = true;
    }

    /// It has ended; `void` if it was never sent.
    pub(crate) fn settle(&mut self, now: u64, void: bool) {
        self.occupied = false;
        if !void {
            // Time doesn't run backwards here, but threads may arrive out of order.
            let at = self.sent.back().map_or(now, |last| now.max(*last));
            self.sent.push_back(at);
        }
        while self
            .sent
            .front()
            .is_some_and(|oldest| oldest + DAY + MARGIN < now)
        {
            self.sent.pop_front();
        }
    }

    pub(crate) fn mark(&mut self, mark: Mark) {
        match mark {
            Mark::Request { .. } | Mark::Clock => {}
            Mark::PausedUntil(until) => self.paused_until = self.paused_until.max(until),
            Mark::SpentUntil(until) => self.spent_until = self.spent_until.max(until),
        }
    }

    /// When the API's pause, or the day that counts as spent, is over: `now` or later.
    pub(crate) fn resumes(&self, now: u64) -> u64 {
        now.max(self.paused_until).max(self.spent_until)
    }

    /// Whether it is the API's pause that ends at `time`.
    pub(crate) fn is_paused_until(&self, time: u64) -> bool {
        self.paused_until == time
    }

    /// When one more request fits into all windows: `now` or later. What is under way is the caller's to wait for.
    pub(crate) fn earliest(&self, now: u64) -> u64 {
        let free = LENGTHS
            .into_iter()
            .zip(self.limits.all())
            .map(|(length, limit)| self.free(1, length, limit));
        free.fold(self.resumes(now), u64::max)
    }

    /// When a window of `length` has room for `requests` more.
    fn free(&self, requests: u64, length: u64, limit: u64) -> u64 {
        let elsewhere = self.elsewhere.len() as u64;
        let Some(others) = limit.checked_sub(requests + elsewhere) else {
            // There may be room when those elsewhere have ended.
            let last = self.elsewhere.iter().max();
            return last
                .filter(|_| requests <= limit)
                .map_or(NEVER, |until| until + length + MARGIN);
        };
        // The newest `others` may stay; the one before them has to have left.
        let sent = self.sent.len() as u64;
        let Some(leaving) = sent.checked_sub(others + 1) else {
            return 0;
        };
        self.sent
            .get(leaving as usize)
            .map_or(0, |time| time + length + MARGIN)
    }

    fn used(&self, now: u64) -> [u64; 3] {
        LENGTHS.map(|length| {
            let left = self.sent.partition_point(|time| time + length + MARGIN <= now);
            (self.sent.len() - left + self.elsewhere.len()) as u64 + u64::from(self.occupied)
        })
    }

    pub(crate) fn state(&self, now: u64) -> BudgetState {
        let mut used = self.used(now);
        if now < self.spent_until {
            used[2] = used[2].max(self.limits.per_day);
        }
        BudgetState {
            limit: self.limits.all(),
            used,
        }
    }

    pub(crate) fn room(&self, now: u64) -> u64 {
        let state = self.state(now);
        state.limit[2].saturating_sub(state.used[2])
    }

    pub(crate) fn next_room(&self, requests: u64, now: u64) -> u64 {
        self.free(requests, DAY, self.limits.per_day)
            .max(self.resumes(now))
    }

    /// The oldest request of the last 24 hours.
    pub(crate) fn oldest(&self, now: u64) -> Option<u64> {
        self.sent.iter().copied().find(|time| time + DAY > now)
    }

    /// When the last request ended; 0 without one.
    pub(crate) fn newest(&self) -> u64 {
        self.sent.back().copied().unwrap_or(0)
    }

    /// The records that say the same, for a ledger that is written anew. What is under way counts as sent now.
    pub(crate) fn entries(&self, now: u64) -> Vec<Entry> {
        let marks = [
            (self.paused_until > now).then_some(Mark::PausedUntil(self.paused_until)),
            (self.spent_until > now).then_some(Mark::SpentUntil(self.spent_until)),
        ];
        let marks = marks.into_iter().flatten().map(|mark| Entry { time: now, mark });
        let under_way = self.occupied.then_some(now);
        let requests = self.sent.iter().copied().chain(under_way);
        marks.chain(requests.map(Entry::settled)).collect()
    }
}
