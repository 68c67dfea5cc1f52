//! The rules: who may record, when a recorded request may still be sent, and what a successor counts.
//!
//! 1. An account has one lease. Taking it raises its fencing number; it can be taken when it was given back or has run
//!    out, by the database's clock.
//! 2. A request is recorded under the lease's number by a statement that fails under any other, and when the lease has
//!    run out. Its time is the database's.
//! 3. It is sent only if its record is known to be made within [`Terms::send_within`] of the moment at which the record
//!    was *asked for*, by a clock of the replica that can't be set.
//! 4. When it has ended, its end is recorded. Until then it is under way: whoever takes the account counts it as sent
//!    at every moment until [`Terms::latest`] after its record.
//!
//! Times are milliseconds.

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A lease that isn't renewed.
    pub lease: u64,
    /// From asking for a record to leave to send.
    pub send_within: u64,
    /// From a record to the last moment at which its request can arrive.
    pub latest: u64,
}

impl Terms {
    /// What is used. A lease of 12 s leaves 8 s to be found, taken and polled within 20 s. Linux gives up a connection
    /// that is cut 15.4 minutes after the bytes were written (`tcp_retries2`), so that `latest` is that, five
    /// seconds before the send, and a minute and a half for a process that is stopped in between.
    pub const REAL: Self = Self {
        lease: 12_000,
        send_within: 5_000,
        latest: 17 * 60_000,
    };

    /// Whether a request may be sent at `now` whose record was asked for at `asked`, by the replica's own clock.
    pub fn may_send(self, asked: u64, now: u64) -> bool {
        now.saturating_sub(asked) <= self.send_within
    }

    /// What a successor counts of a request at `now`, by the database's clock.
    pub fn counts(self, recorded: u64, ended: Option<u64>, now: u64) -> Counts {
        match ended {
            Some(ended) => Counts::At(ended.max(recorded)),
            None if recorded + self.latest >= now => Counts::Until(recorded + self.latest),
            None => Counts::At(recorded + self.latest),
        }
    }
}

/// How a request counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Counts {
    /// As sent at this time.
    At(u64),
    /// As sent now, at any time until this one.
    Until(u64),
}

/// An account's lease, as the database holds it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Lease {
    /// Raised by each taking.
    pub fence: u64,
    /// When it runs out; 0 when it was given back.
    pub expires: u64,
}

impl Lease {
    /// Takes it, if it is to be had.
    pub fn take(&mut self, now: u64, terms: Terms) -> Option<u64> {
        if self.expires > now {
            return None;
        }
        self.fence += 1;
        self.expires = now + terms.lease;
        Some(self.fence)
    }

    /// Whether something may be recorded under `fence`.
    pub fn admits(&self, fence: u64, now: u64) -> bool {
        self.fence == fence && self.expires > now
    }
}

#[cfg(test)]
mod search;
