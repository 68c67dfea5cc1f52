//! The account's key: what its refusal means, and when it is read again.

use std::sync::Arc;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;
use tracing::{info, warn};

use super::agenda::Entry;
use super::breaker::Breaker;
use super::outcome::Ended;
use super::{Poller, TICK};
use crate::causes::causes;
use crate::config::KeyError;
use crate::join::resumed;
use crate::model::{Collector, NextRunReason, Reason};
use crate::secret::ApiKey;

impl Poller {
    /// 401: the account stops, unless the key has changed meanwhile, or this endpoint alone is known to refuse it.
    pub(super) async fn refused(&mut self, collector: Collector, now: Instant, running: &mut JoinSet<Ended>) {
        if self.reread_key().await {
            return;
        }
        if self.suspects.contains(&collector) {
            self.agenda[collector].failed(Reason::Unauthorized, true, false, None, now);
            return;
        }
        match &mut self.breaker {
            Some(breaker) => breaker.probed(now),
            None => {
                let mut breaker = Breaker::open(collector, now);
                breaker.probed(now);
                self.breaker = Some(breaker);
            }
        }
        running.shutdown().await;
        for collector in Collector::ALL {
            self.agenda[collector].running = None;
        }
    }

    /// Begins to look whether the key has changed where it is kept, unless that was done a moment ago.
    pub(super) fn begin_reading(&mut self) {
        if self.reading.is_empty() && self.key_checked.elapsed() >= TICK {
            self.key_checked = Instant::now();
            let read = Arc::clone(&self.tools.read_key);
            self.reading.spawn_blocking(move || read());
        }
    }

    /// Looks now, for as long as reading may take.
    async fn reread_key(&mut self) -> bool {
        self.key_checked = Instant::now();
        let read = Arc::clone(&self.tools.read_key);
        let read = resumed(spawn_blocking(move || read())).await;
        self.read_key(read)
    }

    /// Takes up a key that has changed. True if it has.
    pub(super) fn read_key(&mut self, read: Result<ApiKey, KeyError>) -> bool {
        let key = match read {
            Ok(key) => key,
            Err(error) => {
                let why = causes(&error);
                if self.key_trouble.as_ref() != Some(&why) {
                    warn!(account = %self.tools.config.name, "the key can't be read again, the one in use stays: {why}");
                    self.key_trouble = Some(why);
                }
                return false;
            }
        };
        if self.key_trouble.take().is_some() {
            info!(account = %self.tools.config.name, "the key can be read again");
        }
        if key == self.tools.key {
            return false;
        }
        info!(account = %self.tools.config.name, "the key has changed");
        self.tools.transport.set_key(key.clone());
        self.tools.key = key;
        self.ask_refused_again();
        true
    }

    /// Somebody may have changed what the API or a gateway refused: it is asked for once more.
    pub(super) fn ask_once_more(&mut self) {
        let now = Instant::now();
        if let Some(breaker) = &mut self.breaker {
            breaker.probe_now(now);
        }
        self.ask_again(|entry, reason| {
            matches!(reason, Reason::Forbidden | Reason::NotFound) || entry.unsettled > 0
        });
    }

    fn ask_again(&mut self, which: impl Fn(&Entry, Reason) -> bool) {
        for (collector, status) in self.statuses.iter() {
            let entry = &mut self.agenda[collector];
            let refused = status.last_failure.as_ref();
            if refused.is_some_and(|failure| which(entry, failure.reason)) && entry.running.is_none() {
                entry.instead = Some((Instant::now(), NextRunReason::Interval));
            }
        }
    }

    /// Another key or another server may answer what was refused; the rest keeps its phase.
    pub fn ask_refused_again(&mut self) {
        self.breaker = None;
        self.suspects.clear();
        self.ask_again(|_, reason| {
            matches!(
                reason,
                Reason::Unauthorized | Reason::Forbidden | Reason::NotFound
            )
        });
    }

    /// The key works somewhere: who was refused is asked once more, and is then known to be refused alone.
    pub(super) fn suspect_the_refused(&mut self) {
        for collector in Collector::ALL {
            let failure = self.statuses[collector].last_failure.as_ref();
            if failure.is_some_and(|failure| failure.reason == Reason::Unauthorized) {
                self.suspects.push(collector);
                self.agenda[collector].instead = Some((Instant::now(), NextRunReason::Retry));
            }
        }
    }
}
