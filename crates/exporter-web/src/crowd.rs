//! Who is connected, and who has to leave when there is no room.
//!
//! Connections are accepted at once, however many there are: one that waits in the kernel's queue waits behind all that
//! came before it. Where that makes one too many, somebody leaves, and it is never who asks and reads:
//!
//! 1. It is a client of the network that holds the most connections. One that floods takes its own seats.
//! 2. Among those, the one that has held its seat the longest without using it: by sending no whole request, or by
//!    not taking its answer. Then who is idle between requests, for whom a new connection costs next to nothing. Then
//!    who came first. A running request goes last of all.
//!
//! Behind a proxy all clients are one network; the second rule still holds.
//!
//! Who has not sent a byte costs a socket and no more, so that there is room for many of those, on seats of their own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// All connections of an endpoint.
pub(super) struct Crowd {
    seats: usize,
    silent: usize,
    settle: Duration,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    next: u64,
    by_id: HashMap<u64, Arc<Member>>,
}

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Not a byte has come.
    Silent,
    /// Something has come, and no whole request yet.
    Waiting,
    /// A request is being worked on.
    Running,
    /// An answer is on its way.
    Answering,
    /// All that was asked is answered.
    Idle,
}

/// One connection, as the crowd sees it.
#[derive(Debug)]
struct Member {
    network: IpAddr,
    state: Mutex<State>,
    leave: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
struct State {
    doing: Doing,
    since: Instant,
    /// Since when answers are there that the client has not taken; further requests change nothing about it.
    unread: Option<Instant>,
}

/// A place in the crowd; free again when it is dropped.
pub(super) struct Seat {
    crowd: Arc<Crowd>,
    id: u64,
    member: Arc<Member>,
    /// Whether bytes have come since the last request was taken out of them.
    heard: AtomicBool,
}

impl Crowd {
    /// Room for so many, and for so many `silent` ones more; what takes longer than `settle` holds a seat without using
    /// it.
    pub(super) fn new(seats: usize, silent: usize, settle: Duration) -> Self {
        Self {
            seats,
            silent,
            settle,
            members: Mutex::default(),
        }
    }

    /// A seat for a client that has just come. When there is none left, another has to leave, or this one.
    pub(super) fn seat(self: &Arc<Self>, peer: IpAddr) -> Arc<Seat> {
        let now = Instant::now();
        let member = Arc::new(Member {
            network: network(peer),
            state: Mutex::new(State {
                doing: Doing::Silent,
                since: now,
                unread: None,
            }),
            leave: CancellationToken::new(),
        });
        let mut members = self.members.lock();
        let id = members.next;
        members.next += 1;
        members.by_id.insert(id, Arc::clone(&member));
        if members.count(true) > self.silent {
            members.dismiss(now, self.settle, Some(true));
        }
        drop(members);
        Arc::new(Seat {
            crowd: Arc::clone(self),
            id,
            member,
            heard: AtomicBool::new(false),
        })
    }

    /// Makes room for something else that the machine has run out of, such as file descriptors. Whether somebody had
    /// to leave.
    pub(super) fn make_room(&self) -> bool {
        self.members.lock().dismiss(Instant::now(), self.settle, None)
    }

    /// How many are connected.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.members.lock().by_id.len()
    }
}

impl Members {
    fn count(&self, silent: bool) -> usize {
        self.by_id
            .values()
            .filter(|member| member.is_silent() == silent)
            .count()
    }

    /// Makes one leave: of the silent ones, of the others, or of all.
    fn dismiss(&mut self, now: Instant, settle: Duration, silent: Option<bool>) -> bool {
        let concerned = |member: &Member| silent.is_none_or(|silent| member.is_silent() == silent);
        let mut crowds: BTreeMap<IpAddr, usize> = BTreeMap::new();
        for member in self.by_id.values().filter(|member| concerned(member)) {
            *crowds.entry(member.network).or_default() += 1;
        }
        let largest = crowds.values().copied().max().unwrap_or_default();
        let leaves = self
            .by_id
            .iter()
            .filter(|(_, member)| concerned(member))
            .filter(|(_, member)| crowds.get(&member.network) == Some(&largest))
            .max_by_key(|(id, member)| {
                let State { doing, since, .. } = *member.state.lock();
                let held = now.saturating_duration_since(since);
                // The oldest among equals.
                (rank(doing, held, settle), held, Reverse(**id))
            })
            .map(|(id, _)| *id);
        let Some(member) = leaves.and_then(|id| self.by_id.remove(&id)) else {
            return false;
        };
        member.leave.cancel();
        true
    }
}

/// Who leaves first has the highest.
fn rank(doing: Doing, held: Duration, settle: Duration) -> u8 {
    match doing {
        Doing::Silent | Doing::Waiting | Doing::Answering if held > settle => 3,
        Doing::Idle => 2,
        // Who has just come is not worse than who is just being answered: else a newcomer had no chance.
        Doing::Silent | Doing::Waiting | Doing::Answering => 1,
        Doing::Running => 0,
    }
}

/// What one client has: an IPv4 address, or a network of IPv6, in which it may take any address it likes.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

impl Member {
    fn is_silent(&self) -> bool {
        self.state.lock().doing == Doing::Silent
    }
}

impl Seat {
    /// Its first byte has come. It takes a seat among those that cost more, and another may have to leave for it.
    pub(super) fn speaks(&self) {
        self.now(Doing::Waiting);
        let mut members = self.crowd.members.lock();
        if members.count(false) > self.crowd.seats {
            members.dismiss(Instant::now(), self.crowd.settle, Some(false));
        }
    }

    /// Says what the connection does now; what it did already it goes on doing.
    pub(super) fn now(&self, doing: Doing) {
        let mut state = self.member.state.lock();
        if state.doing == doing {
            return;
        }
        let now = Instant::now();
        state.doing = doing;
        state.since = match doing {
            Doing::Answering => *state.unread.get_or_insert(now),
            Doing::Silent | Doing::Waiting | Doing::Running => now,
            Doing::Idle => {
                state.unread = None;
                now
            }
        };
    }

    /// Bytes have come.
    pub(super) fn hears(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    /// Whether the request that is there came together with one that was answered already.
    pub(super) fn is_pipelined(&self) -> bool {
        !self.heard.swap(false, Ordering::Relaxed)
    }

    /// What it does, and since when.
    pub(super) fn doing(&self) -> (Doing, Instant) {
        let state = self.member.state.lock();
        (state.doing, state.since)
    }

    /// Resolves when it has to leave.
    pub(super) async fn left(&self) {
        self.member.leave.cancelled().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.crowd.members.lock().by_id.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_millis(250);

    fn crowd(seats: usize) -> Arc<Crowd> {
        Arc::new(Crowd::new(seats, seats, SETTLE))
    }

    /// Somebody who sends something as soon as it is connected.
    fn comes(crowd: &Arc<Crowd>, peer: IpAddr) -> Arc<Seat> {
        let seat = crowd.seat(peer);
        seat.speaks();
        seat
    }

    fn from(address: &str) -> IpAddr {
        address.parse().expect(address)
    }

    fn left(seat: &Seat) -> bool {
        seat.member.leave.is_cancelled()
    }

    async fn later(millis: u64) {
        tokio::time::advance(Duration::from_millis(millis)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_never_more_than_there_are_seats() {
        let crowd = crowd(3);
        let seats: Vec<_> = (0..10).map(|_| crowd.seat(from("10.0.0.1"))).collect();
        assert_eq!(crowd.len(), 3);
        assert_eq!(seats.iter().filter(|seat| left(seat)).count(), 7);
        drop(seats);
        assert_eq!(crowd.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_takes_its_own_seats_and_nobody_elses() {
        let crowd = crowd(4);
        // Idle for long, and so the first to go if all were one.
        let honest = crowd.seat(from("10.0.0.9"));
        honest.now(Doing::Idle);
        later(60_000).await;
        let flood: Vec<_> = (0..100).map(|_| comes(&crowd, from("10.0.0.1"))).collect();
        assert!(!left(&honest));
        assert_eq!(flood.iter().filter(|seat| !left(seat)).count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_of_one_ipv6_network_are_one_client() {
        let crowd = crowd(2);
        let honest = crowd.seat(from("2001:db8:0:2::1"));
        let flood: Vec<_> = (1..=9)
            .map(|i| crowd.seat(from(&format!("2001:db8:0:1::{i}"))))
            .collect();
        assert!(!left(&honest));
        assert_eq!(flood.iter().filter(|seat| !left(seat)).count(), 1);
        assert_eq!(network(from("::ffff:10.0.0.1")), from("10.0.0.1"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_a_seat_without_using_it_leaves_first() {
        let crowd = crowd(5);
        let peer = from("10.0.0.1");
        let running = comes(&crowd, peer);
        running.now(Doing::Running);
        let slow = comes(&crowd, peer);
        slow.now(Doing::Answering);
        later(100).await;
        let silent = comes(&crowd, peer);
        let idle = comes(&crowd, peer);
        idle.now(Doing::Idle);
        later(300).await;
        let young = comes(&crowd, peer);
        let mut gone = Vec::new();
        for _ in 0..5 {
            // An honest client: it asks, is answered, and stays out of the way.
            let scrape = comes(&crowd, peer);
            assert!(!left(&scrape));
            scrape.now(Doing::Answering);
            for (name, seat) in [
                ("slow", &slow),
                ("silent", &silent),
                ("idle", &idle),
                ("young", &young),
                ("running", &running),
            ] {
                if left(seat) && !gone.contains(&name) {
                    gone.push(name);
                }
            }
            std::mem::forget(scrape);
        }
        // The fifth scrape took the seat of the first, not of the running request.
        assert_eq!(gone, ["slow", "silent", "idle", "young"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_scrape_that_asks_and_reads_outlives_any_flood_of_its_own_network() {
        let crowd = crowd(8);
        let peer = from("10.0.0.1");
        let mut flood: Vec<_> = (0..8).map(|_| comes(&crowd, peer)).collect();
        for seat in &flood {
            seat.now(Doing::Answering);
        }
        later(300).await;
        let scrape = comes(&crowd, peer);
        scrape.now(Doing::Running);
        // Each that is cut comes again at once, and reads slowly again.
        for _ in 0..1_000 {
            let again = comes(&crowd, peer);
            again.now(Doing::Answering);
            flood.push(again);
            assert!(!left(&scrape));
        }
        scrape.now(Doing::Answering);
        scrape.now(Doing::Idle);
        assert_eq!(crowd.len(), 8);
        assert_eq!(scrape.doing().0, Doing::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn further_requests_make_an_answer_that_is_not_taken_no_younger() {
        let crowd = crowd(2);
        let peer = from("10.0.0.1");
        let pipelined = comes(&crowd, peer);
        let begun = Instant::now();
        for _ in 0..20 {
            pipelined.now(Doing::Running);
            pipelined.now(Doing::Answering);
            later(100).await;
        }
        assert_eq!(pipelined.doing(), (Doing::Answering, begun));
        pipelined.now(Doing::Idle);
        pipelined.now(Doing::Running);
        pipelined.now(Doing::Answering);
        assert_eq!(pipelined.doing(), (Doing::Answering, Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_takes_no_seat_of_who_speaks() {
        let crowd = Arc::new(Crowd::new(2, 10, SETTLE));
        let peer = from("10.0.0.1");
        let speaking = comes(&crowd, peer);
        let silent: Vec<_> = (0..50).map(|_| crowd.seat(peer)).collect();
        assert!(!left(&speaking));
        assert_eq!(silent.iter().filter(|seat| !left(seat)).count(), 10);
        let other = comes(&crowd, peer);
        assert!(!left(&other) && !left(&speaking));
        let third = comes(&crowd, peer);
        assert!(!left(&third) && left(&speaking), "the first of those that speak");
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_busy_the_newcomer_leaves() {
        let crowd = crowd(2);
        let peer = from("10.0.0.1");
        let busy: Vec<_> = (0..2).map(|_| comes(&crowd, peer)).collect();
        for seat in &busy {
            seat.now(Doing::Running);
        }
        assert!(left(&comes(&crowd, peer)));
        assert!(busy.iter().all(|seat| !left(seat)));
        assert!(crowd.make_room());
        assert!(left(&busy[0]));
    }
}
