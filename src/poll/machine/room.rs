//! Whether a refresh may begin: it has to fit into what is left of the day whole, beside those that are under way.

use std::time::Duration;

use quota::Budget;

use super::Machine;
use crate::model::{Collector, NextRunReason};

/// A pause of the API beyond what a busy minute causes: then nothing new is begun.
const LONG_PAUSE: Duration = Duration::from_secs(120);

/// Shortest time after which room is looked for again.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// A refresh of more than one in so many of the day's requests is a dear one.
const DEAR: u64 = 100;

/// How long there is no room, and why.
type NoRoom = (Duration, NextRunReason);

/// What the budget has to give at this moment.
pub(in crate::poll) trait Room {
    /// How long the API has asked to be left alone.
    fn paused(&self) -> Duration;
    /// How long until the next request may go out.
    fn wait(&self) -> Duration;
    /// Requests that are left of the day.
    fn left(&self) -> u64;
    /// How long until `requests` are left.
    fn until(&self, requests: u64) -> Duration;
}

impl Room for Budget {
    fn paused(&self) -> Duration {
        self.paused()
    }

    fn wait(&self) -> Duration {
        self.wait()
    }

    fn left(&self) -> u64 {
        self.room()
    }

    fn until(&self, requests: u64) -> Duration {
        self.next_room(requests)
    }
}

impl Machine {
    /// Whether the whole refresh fits into what is left of the day.
    pub(super) fn fits(&self, collector: Collector, room: &dyn Room) -> Result<(), NoRoom> {
        let paused = room.paused();
        if paused > LONG_PAUSE {
            return Err((paused, NextRunReason::Throttled));
        }
        // It looks for room object by object.
        if collector.resource().each_of.is_some() {
            return Ok(());
        }
        let needed = self.needed(collector);
        if room.left() < needed {
            let wait = room.until(needed).max(SHORTEST_WAIT);
            return Err((wait, NextRunReason::Budget));
        }
        Ok(())
    }

    /// Requests that it may take, beside what the refreshes under way have still to send. What is dear also leaves what
    /// others wait for: they would never get it where whatever gets free is taken at once.
    fn needed(&self, collector: Collector) -> u64 {
        let cost = self.cost(collector).min(self.forecast.most(collector));
        let wanted = self.agenda.iter().map(|(_, entry)| entry.wants);
        let wanted: u64 = wanted.filter(|wants| *wants <= self.forecast.limit / 2).sum();
        let left = if cost > self.forecast.limit / DEAR {
            wanted
        } else {
            0
        };
        let promised = self.agenda.iter().filter_map(|(other, entry)| {
            let sent = entry.running.as_ref()?.sent();
            Some(self.cost(other).saturating_sub(sent))
        });
        // An estimate may be beyond what is tried.
        promised.sum::<u64>() + cost + left
    }
}
