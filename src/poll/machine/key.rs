//! The account's key: what its refusal means, and what follows when it is read again.

use std::time::Duration;

use super::agenda::Entry;
use super::breaker::Breaker;
use super::{Effect, Machine, Notice, Now};
use crate::causes::causes;
use crate::config::KeyError;
use crate::model::{Collector, NextRunReason, Reason};
use crate::secret::ApiKey;

impl Machine {
    /// Takes in what the key is where it is kept. Refusals that waited for it are dealt with: they say nothing of a
    /// key that has changed.
    pub(super) fn key_read(&mut self, read: Result<ApiKey, KeyError>, now: Now, pause: Duration) {
        self.take_up(read, now);
        for ended in std::mem::take(&mut self.refused) {
            let stopped = self.breaker.is_some();
            let key_has_changed = ended.started < self.key_since;
            self.finish(ended, key_has_changed, now, pause);
            // The first of them has stopped the account: the others were cut off.
            if self.breaker.is_some() && !stopped {
                break;
            }
        }
    }

    /// Takes up a key that has changed.
    fn take_up(&mut self, read: Result<ApiKey, KeyError>, now: Now) {
        let key = match read {
            Ok(key) => key,
            Err(error) => {
                let why = causes(&error);
                if self.key_trouble.as_ref() != Some(&why) {
                    self.say(Notice::KeyUnreadable(why.clone()));
                    self.key_trouble = Some(why);
                }
                return;
            }
        };
        if self.key_trouble.take().is_some() {
            self.say(Notice::KeyReadable);
        }
        if key == self.key {
            return;
        }
        self.say(Notice::KeyChanged);
        self.effects.push(Effect::UseKey(key.clone()));
        self.key = key;
        self.key_since = now.instant;
        self.ask_refused_again(now);
    }

    /// 401: the account stops, unless this endpoint alone is known to refuse the key.
    pub(super) fn stop_at_refusal(&mut self, collector: Collector, now: Now) {
        if self.suspects.contains(&collector) {
            self.agenda[collector].failed(Reason::Unauthorized, true, false, None, now.instant);
            return;
        }
        self.breaker
            .get_or_insert_with(|| Breaker::open(collector, now.instant))
            .probed(now.instant);
        self.effects.push(Effect::CutOff);
        for (_, entry) in self.agenda.iter_mut() {
            entry.running = None;
        }
    }

    /// Somebody may have changed what the API or a gateway refused: it is asked for once more.
    pub(super) fn ask_once_more(&mut self, now: Now) {
        if let Some(breaker) = &mut self.breaker {
            breaker.probe_now(now.instant);
        }
        self.ask_again(now, |entry, reason| {
            matches!(reason, Reason::Forbidden | Reason::NotFound) || entry.unsettled > 0
        });
    }

    /// Another key or another server may answer what was refused; the rest keeps its phase.
    pub(super) fn ask_refused_again(&mut self, now: Now) {
        self.breaker = None;
        self.suspects.clear();
        self.ask_again(now, |_, reason| {
            matches!(
                reason,
                Reason::Unauthorized | Reason::Forbidden | Reason::NotFound
            )
        });
    }

    fn ask_again(&mut self, now: Now, which: impl Fn(&Entry, Reason) -> bool) {
        for (_, entry) in self.agenda.iter_mut() {
            let refused = entry.past.last_failure.as_ref();
            if refused.is_some_and(|failure| which(entry, failure.reason)) && entry.running.is_none() {
                entry.instead = Some((now.instant, NextRunReason::Interval));
            }
        }
    }

    /// The key works somewhere: who was refused is asked once more, and is then known to be refused alone.
    pub(super) fn suspect_the_refused(&mut self, now: Now) {
        for (collector, entry) in self.agenda.iter_mut() {
            let failure = entry.past.last_failure.as_ref();
            if failure.is_some_and(|failure| failure.reason == Reason::Unauthorized) {
                self.suspects.push(collector);
                entry.instead = Some((now.instant, NextRunReason::Retry));
            }
        }
    }
}
