//! Every interleaving of two replicas, one account and a window: stops, late answers, lapsed leases and late arrivals
//! at each point where they can happen. What arrives is counted where it arrives.

use std::collections::HashSet;

use super::{Counts, Lease, Terms};

const TERMS: Terms = Terms {
    lease: 2,
    send_within: 1,
    latest: 3,
};

/// Length of the window, the beginning, and how long is searched: a lease, a late request and a window one after another.
const WINDOW: u64 = 2;
const START: u64 = 10;
const LONG: u64 = 8;

/// A mistake that the search has to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// A record is made whatever the lease's number is, and a successor knows only of what was there when it came.
    NoFencing,
    /// Records have the replica's own time, which is behind.
    OwnClock,
    /// The request is sent, then recorded.
    RecordAfterSend,
    /// A successor forgets what was under way.
    UnderWayForgotten,
    /// The answer to the record may be as late as it likes.
    NoLastCheck,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Idle,
    /// Holds a lease of this number.
    Holds(u64),
    /// The record was asked for at this time; it isn't made yet.
    Asked(u64, u64),
    /// The record of this index is made; the answer is on its way.
    Recorded(u64, u64, usize),
    /// It may be sent, and may arrive.
    Leave(u64, usize),
    /// It has arrived; its end isn't recorded.
    Arrived(u64, usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Replica {
    step: Step,
    /// What it knows to be spent.
    known: Vec<Counts>,
}

impl Replica {
    /// As it starts: it holds nothing, and knows of nothing.
    const fn started() -> Self {
        Self {
            step: Step::Idle,
            known: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    now: u64,
    lease: Lease,
    /// Recorded, ended.
    records: Vec<(u64, Option<u64>)>,
    arrivals: Vec<u64>,
    replicas: [Replica; 2],
}

struct Search {
    bug: Bug,
    limit: usize,
    /// How long is searched.
    long: u64,
}

impl Search {
    /// Whether one more request fits, as the replica sees it.
    fn has_room(&self, known: &[Counts], now: u64) -> bool {
        let counted = known.iter().filter(|counts| match counts {
            Counts::At(at) => at + WINDOW >= now,
            Counts::Until(until) => until + WINDOW >= now,
        });
        counted.count() < self.limit
    }

    fn take(&self, world: &World, me: usize, next: &mut Vec<World>) {
        let mut world = world.clone();
        let Some(fence) = world.lease.take(world.now, TERMS) else {
            return;
        };
        let records = world
            .records
            .iter()
            .filter(|(_, ended)| ended.is_some() || self.bug != Bug::UnderWayForgotten);
        world.replicas[me].known = records
            .map(|(recorded, ended)| TERMS.counts(*recorded, *ended, world.now))
            .collect();
        world.replicas[me].step = Step::Holds(fence);
        next.push(world);
    }

    fn steps(&self, world: &World, me: usize, next: &mut Vec<World>) {
        let now = world.now;
        let mut go = |change: &dyn Fn(&mut World)| {
            let mut after = world.clone();
            change(&mut after);
            next.push(after);
        };
        // A replica may be killed at any time; what it has handed to the network may arrive all the same.
        match world.replicas[me].step.clone() {
            Step::Idle => self.take(world, me, next),
            Step::Holds(fence) => {
                go(&|w| w.replicas[me] = Replica::started());
                if world.lease.admits(fence, now) {
                    go(&|w| w.lease.expires = now + TERMS.lease);
                }
                if self.has_room(&world.replicas[me].known, now) {
                    go(&|w| w.replicas[me].step = Step::Asked(fence, now));
                }
            }
            Step::Asked(fence, asked) => go(&|w| self.record(w, me, fence, asked)),
            Step::Recorded(fence, asked, index) => {
                if TERMS.may_send(asked, now) || self.bug == Bug::NoLastCheck {
                    go(&|w| w.replicas[me].step = Step::Leave(fence, index));
                } else {
                    // Not sent. It stays under way for the others, and counts here as well.
                    go(&|w| w.replicas[me].step = Step::Idle);
                }
            }
            Step::Leave(fence, index) => {
                let (recorded, _) = world.records[index];
                // What is assumed: it arrives by then or never.
                let unbounded = matches!(self.bug, Bug::NoLastCheck | Bug::OwnClock);
                if now <= recorded + TERMS.latest || unbounded {
                    go(&|w| {
                        w.arrivals.push(now);
                        w.replicas[me].known.push(Counts::At(now));
                        w.replicas[me].step = Step::Arrived(fence, index);
                    });
                }
            }
            Step::Arrived(fence, index) => {
                go(&|w| {
                    match w.records.get_mut(index) {
                        Some(record) => record.1 = Some(now),
                        // Recorded after the send, if the lease still lets it.
                        None if w.lease.admits(fence, now) => w.records.push((now, Some(now))),
                        None => {}
                    }
                    w.replicas[me].step = Step::Holds(fence);
                });
                // Killed before its end is recorded.
                go(&|w| w.replicas[me] = Replica::started());
            }
        }
    }

    /// The record before the send.
    fn record(&self, world: &mut World, me: usize, fence: u64, asked: u64) {
        let now = world.now;
        world.replicas[me].step = if self.bug == Bug::RecordAfterSend {
            world.arrivals.push(now);
            world.replicas[me].known.push(Counts::At(now));
            Step::Arrived(fence, usize::MAX)
        } else if world.lease.admits(fence, now) || self.bug == Bug::NoFencing {
            let time = if self.bug == Bug::OwnClock {
                now.saturating_sub(3)
            } else {
                now
            };
            world.records.push((time, None));
            Step::Recorded(fence, asked, world.records.len() - 1)
        } else {
            Step::Idle
        };
    }

    fn is_exceeded(&self, world: &World) -> bool {
        world.arrivals.iter().any(|from| {
            let within = world
                .arrivals
                .iter()
                .filter(|at| (*from..*from + WINDOW).contains(at));
            within.count() > self.limit
        })
    }

    /// Searches everything that can happen. The first world in which the window is exceeded, and how many were seen.
    fn run(&self) -> (Option<World>, usize) {
        let start = World {
            now: START,
            lease: Lease::default(),
            records: Vec::new(),
            arrivals: Vec::new(),
            replicas: [Replica::started(), Replica::started()],
        };
        let mut seen = HashSet::from([start.clone()]);
        let mut open = vec![start];
        while let Some(world) = open.pop() {
            if self.is_exceeded(&world) {
                return (Some(world), seen.len());
            }
            let mut next = Vec::new();
            self.steps(&world, 0, &mut next);
            self.steps(&world, 1, &mut next);
            if world.now < START + self.long {
                let mut later = world.clone();
                later.now += 1;
                // What can't matter any more makes no difference between worlds.
                let now = later.now;
                later.arrivals.retain(|at| at + WINDOW > now);
                for replica in &mut later.replicas {
                    replica.known.retain(|counts| match counts {
                        Counts::At(at) | Counts::Until(at) => at + WINDOW >= now,
                    });
                    replica.known.sort_unstable();
                }
                next.push(later);
            }
            for world in next {
                if world.records.len() <= self.limit + 1 && seen.insert(world.clone()) {
                    open.push(world);
                }
            }
        }
        (None, seen.len())
    }
}

#[test]
fn no_interleaving_exceeds_a_window() {
    let (exceeded, seen) = Search {
        bug: Bug::None,
        limit: 1,
        long: LONG,
    }
    .run();
    assert_eq!(exceeded, None);
    assert!(seen > 1_000, "only {seen} worlds were seen");
}

#[test]
fn each_planted_mistake_is_found() {
    for bug in [
        Bug::NoFencing,
        Bug::OwnClock,
        Bug::RecordAfterSend,
        Bug::UnderWayForgotten,
        Bug::NoLastCheck,
    ] {
        let (exceeded, _) = Search {
            bug,
            limit: 1,
            long: LONG,
        }
        .run();
        assert!(exceeded.is_some(), "{bug:?} was not found");
    }
}
