//! What a step of the wall clock and a sleep of the machine mean for an account: data keeps its true age, and what is
//! older than its interval by any clock is due.

use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::Poller;
use crate::model::{Collector, NextRunReason, PerCollector};

impl Poller {
    /// Looks at the clocks; sets right what they have done since the last look. True if anybody should see it.
    pub(super) fn look_at_clocks(&mut self) -> bool {
        let now = Instant::now();
        let noticed = self.watch.look(&self.tools.clock, now);
        if let Some(slept) = noticed.slept {
            info!(account = %self.tools.config.name, seconds = slept.as_secs(), "the machine has slept: what has grown too old is due");
            self.slept(slept, now);
        }
        if let Some(step) = noticed.step {
            info!(account = %self.tools.config.name, seconds = step, "the wall clock was set: what was read keeps its age");
            self.stepped(step);
        }
        noticed.step.is_some()
    }

    /// Intervals and retries go on while the machine sleeps. Pauses of the API and of the budget don't: they are as
    /// careful as the ledger, which counts the time that the machine was awake.
    fn slept(&mut self, slept: Duration, now: Instant) {
        for entry in self.agenda.iter_mut().map(|(_, entry)| entry) {
            // No instant so long ago: due at once.
            entry.started = entry.started.and_then(|started| started.checked_sub(slept));
            if let Some((at, why)) = entry.instead
                && !matches!(why, NextRunReason::Throttled | NextRunReason::Budget)
            {
                entry.instead = Some((at.checked_sub(slept).unwrap_or(now), why));
            }
        }
    }

    /// Times that this process has noted move with the clock they were read from. Those of an earlier run were read
    /// from a clock that may have been right: they stay, and what they make too old is due.
    fn stepped(&mut self, step: f64) {
        let wall = self.tools.clock.now();
        self.planned = PerCollector::default();
        for collector in Collector::ALL {
            let entry = &mut self.agenda[collector];
            let status = &mut self.statuses[collector];
            let shift = |time: &mut Option<f64>| *time = time.map(|at| at + step);
            if let Some(running) = &mut entry.running {
                running.since += step;
            }
            if entry.succeeded_here {
                self.snapshot.shift(collector, step);
                shift(&mut status.last_success);
            }
            if entry.attempted_here {
                shift(&mut status.last_attempt);
            } else if let (Some(at), Some(interval)) = (status.last_attempt, entry.interval)
                && wall - at > interval.as_secs_f64()
            {
                entry.started = None;
            }
        }
    }
}
