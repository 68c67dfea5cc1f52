//! What a step of the wall clock and a sleep of the machine mean for an account: data keeps its true age, and what is
//! older than its interval by any clock is due.

use std::time::Duration;

use super::{Effect, Machine, Notice, Now};
use crate::clock::Noticed;
use crate::model::{Collector, NextRunReason};

impl Machine {
    /// Sets right what the clocks have done since they were looked at last.
    pub(super) fn noticed(&mut self, noticed: Noticed, now: Now) {
        self.anchor = now;
        if let Some(slept) = noticed.slept {
            self.say(Notice::Slept(slept));
            self.slept(slept, now);
        }
        if let Some(step) = noticed.step {
            self.say(Notice::Stepped(step));
            self.stepped(step, now);
            self.effects.extend([Effect::Publish, Effect::Save]);
        }
    }

    /// Intervals and retries go on while the machine sleeps. Pauses of the API and of the budget don't: they are as
    /// careful as the ledger, which counts the time that the machine was awake.
    fn slept(&mut self, slept: Duration, now: Now) {
        for entry in self.agenda.iter_mut().map(|(_, entry)| entry) {
            // No instant so long ago: due at once.
            entry.started = entry.started.and_then(|started| started.checked_sub(slept));
            if let Some((at, why)) = entry.instead
                && !matches!(why, NextRunReason::Throttled | NextRunReason::Budget)
            {
                entry.instead = Some((at.checked_sub(slept).unwrap_or(now.instant), why));
            }
        }
    }

    /// Times that this process has noted move with the clock they were read from. Those of an earlier run were read
    /// from a clock that may have been right: they stay, and what they make too old is due.
    fn stepped(&mut self, step: f64, now: Now) {
        for collector in Collector::ALL {
            let entry = &mut self.agenda[collector];
            let shift = |time: &mut Option<f64>| *time = time.map(|at| at + step);
            if let Some(running) = &mut entry.running {
                running.since += step;
            }
            if entry.succeeded_here {
                self.snapshot.shift(collector, step);
                shift(&mut entry.past.last_success);
            }
            if entry.attempted_here {
                shift(&mut entry.past.last_attempt);
            } else if let (Some(at), Some(interval)) = (entry.past.last_attempt, entry.interval)
                && now.wall - at > interval.as_secs_f64()
            {
                entry.started = None;
            }
        }
    }
}
