//! What may be sent: the windows, and the permit that only this room can make.
//!
//! A permit is recorded before it exists, and nothing can be sent without one. One request of a budget is under way at
//! a time; it occupies the windows from its permit until its end plus the window's length, so that no server
//! that counts arrivals by its own clock ever counts more. Answers of 429 come back as values and pause the whole
//! account.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::ledger::{Entry, Ledger, LedgerError, Living, Loaded, Mark, Stamp};
use crate::windows::{BudgetState, DAY, Limits, Windows};

/// Pause after a 429 without `Retry-After`: what the API's own example says.
const PAUSE: Duration = Duration::from_secs(60);

/// Longest pause that a 429 is granted.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// Most of the jitter on top of a pause, so that several users of one quota don't come back in step.
const JITTER: f64 = 5.0;

/// Answers of 429 in a row that mean that the day's quota is spent, and not the minute's.
const PERSISTENT: u32 = 3;

/// Shortest time for which the day's quota counts as spent, in milliseconds: others spend of it too, so that it may be
/// spent again soon after it has come back.
const SPENT_AT_LEAST: u64 = 3_600_000;

/// Difference of wall and monotonic time, in milliseconds, that is a step and not slewing.
const CLOCK_STEP: u64 = 2_000;

/// Who asks for a permit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// Smaller goes first among those who wait.
    pub priority: f64,
    /// Longest wait for the windows; beyond it the claim is refused at once, and nothing is spent.
    pub give_up_after: Option<Duration>,
}

/// No permit.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is room only so much later.
    #[error("the budget has room again in {} s", .0.as_secs())]
    Later(Duration),
    /// The API has asked for a pause.
    #[error("the API has asked to be left alone for {} s more", .0.as_secs())]
    Paused(Duration),
    /// The request can't be recorded, so it must not be sent.
    #[error("the ledger can't be written: {0}")]
    Unrecorded(LedgerError),
}

/// Says what the wall clock shows, in unix milliseconds.
pub type WallClock = Box<dyn Fn() -> u64 + Send + Sync>;

/// Leave to send one request. Given back when it is dropped: the request has ended by then.
#[must_use = "a permit that isn't used is spent all the same"]
#[derive(Debug)]
pub struct Permit {
    budget: Arc<Shared>,
    void: bool,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let now = self.budget.now();
        self.budget.lock().windows.settle(now, self.void);
        self.budget.changed.notify_waiters();
    }
}

/// Nobody gets a permit while it lives: whoever was refused keeps it until it is known what the refusal means. However
/// that ends, cut off or not, it is dropped.
#[must_use = "others may go as soon as it is dropped"]
#[derive(Debug)]
pub struct Hold(Arc<Shared>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.lock().held = false;
        self.0.changed.notify_waiters();
    }
}

/// What may be sent with one key.
#[derive(Debug)]
pub struct Budget(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    ledger: Box<dyn Ledger>,
    /// Whether the last record was made.
    recording: AtomicBool,
    changed: Notify,
    wall: WallClock,
    start: Instant,
    /// The ledger's time at `start`.
    base: u64,
    /// Of the last record.
    noted: Mutex<Stamp>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct State {
    windows: Windows,
    /// Who waits: priority and order of arrival.
    queue: BTreeSet<(u64, u64)>,
    arrivals: u64,
    /// Answers of 429 since the last success.
    throttled: u32,
    /// Nobody gets a permit until it is known what the last answer means.
    held: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a record. The windows' lock isn't held meanwhile: nobody who only looks waits for a disk.
    async fn record(self: &Arc<Self>, mark: Mark) -> Result<(), LedgerError> {
        let living: Arc<dyn Living> = Arc::clone(self) as _;
        let made = self.ledger.append(mark, living).await;
        self.recording.store(made.is_ok(), Ordering::Relaxed);
        let stamp = made?;
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
        Ok(())
    }
}

impl Living for Shared {
    fn now(&self) -> u64 {
        self.base + self.start.elapsed().as_millis() as u64
    }

    fn wall(&self) -> u64 {
        (self.wall)()
    }

    fn is_idle(&self) -> bool {
        !self.lock().windows.is_occupied()
    }

    fn entries(&self, now: u64) -> Vec<Entry> {
        self.lock().windows.entries(now)
    }
}

/// Takes a claim out of the queue, however its wait ends.
struct Waiting<'a> {
    shared: &'a Shared,
    place: (u64, u64),
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.lock().queue.remove(&self.place);
        self.shared.changed.notify_waiters();
    }
}

impl Budget {
    /// Goes on with a ledger and what it holds.
    pub fn new(ledger: Box<dyn Ledger>, loaded: Loaded, limits: Limits, wall: WallClock) -> Self {
        let base = loaded.now;
        let noted = Stamp {
            time: base,
            wall: wall(),
        };
        let state = State {
            windows: Windows::new(limits, loaded),
            queue: BTreeSet::new(),
            arrivals: 0,
            throttled: 0,
            held: false,
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            ledger,
            recording: AtomicBool::new(true),
            changed: Notify::new(),
            wall,
            start: Instant::now(),
            base,
            noted: Mutex::new(noted),
        }))
    }

    /// Waits for its turn and for room in all windows, puts the request on disk, and gives leave to send it.
    ///
    /// # Errors
    /// When room is farther away than the claim has patience, or the request can't be recorded.
    pub async fn permit(&self, claim: Claim) -> Result<Permit, Refused> {
        let shared = &self.0;
        let place = {
            let mut state = shared.lock();
            state.arrivals += 1;
            // Non-negative floats are in the order of their bits.
            let place = (claim.priority.max(0.0).to_bits(), state.arrivals);
            state.queue.insert(place);
            place
        };
        let waiting = Waiting { shared, place };
        loop {
            let changed = shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let wait = {
                let now = shared.now();
                let mut state = shared.lock();
                state.windows.retire(now);
                let at = state.windows.earliest(now);
                let wait = Duration::from_millis(at.saturating_sub(now));
                if claim.give_up_after.is_some_and(|patience| wait > patience) {
                    return Err(if state.windows.is_paused_until(at) {
                        Refused::Paused(wait)
                    } else {
                        Refused::Later(wait)
                    });
                }
                let first = state.queue.first() == Some(&place);
                if !first || state.held || state.windows.is_occupied() {
                    None
                } else if at <= now {
                    state.windows.occupy();
                    break;
                } else {
                    Some(wait)
                }
            };
            match wait {
                Some(wait) => tokio::select! { () = sleep(wait) => {}, () = changed => {} },
                None => changed.await,
            }
        }
        // From here on it counts, whatever becomes of this future.
        let mut permit = Permit {
            budget: Arc::clone(shared),
            void: false,
        };
        drop(waiting);
        let previous_ended = shared.lock().windows.newest();
        match shared.record(Mark::Request { previous_ended }).await {
            Ok(()) => Ok(permit),
            Err(error) => {
                permit.void = true;
                Err(Refused::Unrecorded(error))
            }
        }
    }

    /// The API answered 429: the whole account pauses. Several in a row mean that the day's quota is spent.
    pub async fn throttled(&self, retry_after: Option<Duration>) {
        let shared = &self.0;
        let pause = retry_after
            .unwrap_or(PAUSE)
            .clamp(Duration::from_secs(1), LONGEST_PAUSE);
        let pause = pause + Duration::from_secs_f64(fastrand::f64() * JITTER);
        let mark = {
            let now = shared.now();
            let mut state = shared.lock();
            state.throttled += 1;
            let mark = if state.throttled >= PERSISTENT {
                // Its window began with the first of its requests, of which the oldest here is one.
                let back = state.windows.oldest(now).map_or(now + DAY, |oldest| oldest + DAY);
                Mark::SpentUntil(back.clamp(now + SPENT_AT_LEAST, now + DAY))
            } else {
                Mark::PausedUntil(now + pause.as_millis() as u64)
            };
            state.windows.mark(mark);
            mark
        };
        shared.changed.notify_waiters();
        if let Err(error) = shared.record(mark).await {
            tracing::warn!("the API's pause can't be recorded and would not survive a restart: {error}");
        }
    }

    /// Puts a step of the wall clock on disk, if there was one since the last record: at the next start it would pass
    /// for time, and free what isn't free.
    pub async fn note_clock(&self) {
        let shared = &self.0;
        let Stamp { time, wall } = *shared.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let (ours, theirs) = (
            shared.now().saturating_sub(time),
            shared.wall().saturating_sub(wall),
        );
        if shared.wall() < wall || ours.abs_diff(theirs) > CLOCK_STEP {
            // Tried again at the next tick, and at the next request.
            let _ = shared.record(Mark::Clock).await;
        }
    }

    /// Changes the limits; what was sent stays sent.
    pub fn set_limits(&self, limits: Limits) {
        self.0.lock().windows.set_limits(limits);
        self.0.changed.notify_waiters();
    }

    /// The API refused the key: nobody else may try it meanwhile. Asked for while a permit is out, so that there is
    /// one at a time.
    pub fn hold(&self) -> Hold {
        self.0.lock().held = true;
        Hold(Arc::clone(&self.0))
    }

    /// A request was answered: the API isn't throttling.
    pub fn succeeded(&self) {
        self.0.lock().throttled = 0;
    }

    /// How long until a request could be sent, if nobody else sent one.
    pub fn wait(&self) -> Duration {
        let now = self.0.now();
        Duration::from_millis(self.0.lock().windows.earliest(now).saturating_sub(now))
    }

    /// How long the API has asked to be left alone.
    pub fn paused(&self) -> Duration {
        let now = self.0.now();
        Duration::from_millis(self.0.lock().windows.resumes(now) - now)
    }

    /// Requests that the 24 hours have room for now.
    pub fn room(&self) -> u64 {
        let now = self.0.now();
        self.0.lock().windows.room(now)
    }

    /// How long until the 24 hours have room for `requests`, if nothing else is sent; a day for what never fits.
    pub fn next_room(&self, requests: u64) -> Duration {
        let now = self.0.now();
        let at = self.0.lock().windows.next_room(requests, now);
        Duration::from_millis(at.saturating_sub(now)).min(LONGEST_PAUSE)
    }

    /// Whether the last record could be made: while it can't, nothing is sent.
    pub fn is_recording(&self) -> bool {
        self.0.recording.load(Ordering::Relaxed)
    }

    /// Limits and use now.
    pub fn state(&self) -> BudgetState {
        let now = self.0.now();
        self.0.lock().windows.state(now)
    }
}

#[cfg(test)]
mod tests;
