//! Whether a refresh may begin: it has to fit into what is left of the day whole, beside those that are under way.

use std::time::Duration;

use super::Poller;
use crate::model::{Collector, NextRunReason};

/// A pause of the API beyond what a busy minute causes: then nothing new is begun.
const LONG_PAUSE: Duration = Duration::from_secs(120);

/// Shortest time after which room is looked for again.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// How long there is no room, and why.
pub(super) type NoRoom = (Duration, NextRunReason);

impl Poller {
    /// Whether the whole refresh fits into what is left of the day.
    pub(super) fn room(&self, collector: Collector) -> Result<(), NoRoom> {
        let budget = &self.tools.budget;
        let paused = budget.paused();
        if paused > LONG_PAUSE {
            return Err((paused, NextRunReason::Throttled));
        }
        // It looks for room object by object.
        if collector.resource().each_of.is_some() {
            return Ok(());
        }
        let needed = self.needed(collector);
        if budget.room() < needed {
            let wait = budget.next_room(needed).max(SHORTEST_WAIT);
            return Err((wait, NextRunReason::Budget));
        }
        Ok(())
    }

    /// Requests that it may take, beside what the refreshes under way have still to send.
    fn needed(&self, collector: Collector) -> u64 {
        let promised = self.agenda.iter().filter_map(|(other, entry)| {
            let sent = entry.running.as_ref()?.sent();
            Some(self.cost(other).saturating_sub(sent))
        });
        // An estimate may be beyond what is tried.
        promised.sum::<u64>() + self.cost(collector).min(self.forecast.most(collector))
    }
}
