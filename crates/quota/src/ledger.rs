//! Where requests are recorded before they are sent, and what a record says.

mod file;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use self::file::FileLedger;
use crate::windows::DAY;

/// A future behind a pointer: a ledger is chosen at run time.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps records of one budget where they survive the process.
pub trait Ledger: fmt::Debug + Send + Sync {
    /// Adds a record, which survives a kill and a power failure once the future has ended. Its time is
    /// [`Living::now`], asked for when the record's place is certain, so that records ascend.
    ///
    /// A future that is dropped may or may not have made the record.
    ///
    /// # Errors
    /// When it isn't certain that the record survives. Then what it is about must not happen.
    fn append(&self, mark: Mark, living: Arc<dyn Living>) -> Pending<'_, Result<Stamp, LedgerError>>;
}

/// The budget whose records a ledger keeps.
pub trait Living: Send + Sync {
    /// Milliseconds on the ledger's own timeline.
    fn now(&self) -> u64;

    /// Unix milliseconds by the wall clock.
    fn wall(&self) -> u64;

    /// Whether no request is under way: all that were recorded have ended.
    fn is_idle(&self) -> bool;

    /// All records that still count at `now`, a request under way among them: for a ledger that is written anew.
    fn entries(&self, now: u64) -> Vec<Entry>;
}

/// When a record was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Milliseconds on the ledger's timeline.
    pub time: u64,
    /// Unix milliseconds by the wall clock.
    pub wall: u64,
}

/// A record that isn't certain to survive.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Somebody else spends this budget now; nothing is ever recorded here again.
    #[error("another process spends this budget now")]
    Lost,
    /// It could not be written this time.
    #[error(transparent)]
    Failed(Box<dyn Error + Send + Sync>),
}

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// A request.
    Request {
        /// When the request before it had ended: until then it may have been on its way, and counts from then. 0 where
        /// the time of the record before it says that already.
        previous_ended: u64,
    },
    /// The API asked to pause until this time.
    PausedUntil(u64),
    /// The day's quota counts as spent until this time.
    SpentUntil(u64),
    /// Nothing but the time: the wall clock was stepped.
    Clock,
}

/// One record. Times are milliseconds on the ledger's own timeline, which no step of the wall clock moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub time: u64,
    /// What.
    pub mark: Mark,
}

impl Entry {
    /// A request that has ended at `time`.
    pub fn settled(time: u64) -> Self {
        Self {
            time,
            mark: Mark::Request { previous_ended: 0 },
        }
    }
}

/// What a ledger holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// Times of requests, ascending.
    pub requests: Vec<u64>,
    /// Requests that somebody else may have under way: each until this time at the latest.
    pub under_way: Vec<u64>,
    /// End of the API's pause.
    pub paused_until: u64,
    /// End of the day that counts as spent.
    pub spent_until: u64,
    /// The ledger's time now.
    pub now: u64,
    /// The wall clock when the last record was written, in unix milliseconds.
    pub wall: u64,
}

impl Loaded {
    /// Of an account that was never polled.
    pub fn fresh(wall: u64) -> Self {
        Self {
            now: wall,
            wall,
            ..Self::default()
        }
    }

    /// Of an account of which nobody knows what it has spent: the whole day counts.
    pub fn spent(wall: u64) -> Self {
        Self {
            spent_until: wall + DAY,
            ..Self::fresh(wall)
        }
    }

    /// Goes on at `wall`: what time has passed since the last record by the wall clock, and none if that is behind.
    /// The last request may have been on its way until the process died, so it counts from now.
    pub fn resumed(mut self, wall: u64) -> Self {
        self.now += wall.saturating_sub(self.wall);
        self.wall = wall;
        if let Some(last) = self.requests.last_mut() {
            *last = self.now;
        }
        let now = self.now;
        self.requests.retain(|time| time + DAY >= now);
        self
    }

    /// The same as another ledger sees it, whose time is `now`. What may be under way counts as sent now: nobody there
    /// learns when it ends.
    pub fn moved_to(&self, now: u64) -> Self {
        let past = |time: &u64| now.saturating_sub(self.now.saturating_sub(*time));
        let future = |time: u64| time.checked_sub(self.now).map_or(0, |left| now + left);
        let under_way = self.under_way.iter().map(|_| now);
        Self {
            requests: self.requests.iter().map(past).chain(under_way).collect(),
            under_way: Vec::new(),
            paused_until: future(self.paused_until),
            spent_until: future(self.spent_until),
            now,
            wall: self.wall,
        }
    }

    /// What is spent by this ledger or by `other`, whose time is the same.
    #[must_use]
    pub fn joined(mut self, other: &Self) -> Self {
        self.requests.extend(&other.requests);
        self.requests.sort_unstable();
        self.under_way.extend(&other.under_way);
        self.paused_until = self.paused_until.max(other.paused_until);
        self.spent_until = self.spent_until.max(other.spent_until);
        self
    }

    /// The records that say the same.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |mark| Entry { time: self.now, mark };
        let marks = [
            (self.paused_until > self.now).then(|| entry(Mark::PausedUntil(self.paused_until))),
            (self.spent_until > self.now).then(|| entry(Mark::SpentUntil(self.spent_until))),
        ];
        let requests = self.requests.iter().map(|time| Entry::settled(*time));
        marks.into_iter().flatten().chain(requests).collect()
    }

    /// Takes in one more record, written when the wall clock showed `wall`.
    pub fn take(&mut self, entry: Entry, wall: u64) {
        match entry.mark {
            Mark::Request { previous_ended } => {
                if let Some(previous) = self.requests.last_mut() {
                    *previous = previous_ended.clamp(*previous, entry.time.max(*previous));
                }
                self.requests.push(entry.time);
            }
            Mark::PausedUntil(until) => self.paused_until = until,
            Mark::SpentUntil(until) => self.spent_until = until,
            Mark::Clock => {}
        }
        self.now = self.now.max(entry.time);
        self.wall = wall;
    }
}
