//! The account's key: what its refusal means, and when it is read again.

use std::sync::Arc;

use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::Instant;
use tracing::{info, warn};

use super::breaker::Breaker;
use super::outcome::Ended;
use super::{Poller, TICK};
use crate::causes::causes;
use crate::join::resumed;
use crate::model::{Collector, NextRunReason, Reason};

impl Poller {
    /// 401: the account stops, unless the key has changed meanwhile, or this endpoint alone is known to refuse it.
    pub(super) async fn refused(&mut self, collector: Collector, now: Instant, running: &mut JoinSet<Ended>) {
        if self.reread_key(true).await {
            return;
        }
        if self.suspects.contains(&collector) {
            self.agenda[collector].failed(Reason::Unauthorized, false, None, now);
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

    /// Takes up a key that has changed where it is kept. True if it has.
    pub(super) async fn reread_key(&mut self, now: bool) -> bool {
        if !now && self.key_checked.elapsed() < TICK {
            return false;
        }
        self.key_checked = Instant::now();
        let read = Arc::clone(&self.tools.read_key);
        let key = match resumed(spawn_blocking(move || read())).await {
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
        self.key_trouble = None;
        if key == self.tools.key {
            return false;
        }
        info!(account = %self.tools.config.name, "the key has changed");
        self.tools.transport.set_key(key.clone());
        self.tools.key = key;
        self.ask_refused_again();
        true
    }

    /// Another key or another server may answer what was refused; the rest keeps its phase.
    pub fn ask_refused_again(&mut self) {
        self.breaker = None;
        self.suspects.clear();
        for (collector, status) in self.statuses.iter() {
            let refused = status.last_failure.as_ref().is_some_and(|failure| {
                matches!(
                    failure.reason,
                    Reason::Unauthorized | Reason::Forbidden | Reason::NotFound
                )
            });
            if refused {
                self.agenda[collector].instead = Some((Instant::now(), NextRunReason::Interval));
            }
        }
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
