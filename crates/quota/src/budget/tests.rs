//! No window is ever exceeded, whatever happens.

use proptest::prelude::*;

use super::*;
use crate::FileLedger;

const LIMITS: Limits = Limits {
    per_second: 4,
    per_minute: 20,
    per_day: 60,
};

struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a folder"),
        }
    }

    fn open(&self, limits: Limits, wall: f64) -> Budget {
        let start = Instant::now();
        let clock = move || (wall * 1000.0) as u64 + start.elapsed().as_millis() as u64;
        let (ledger, loaded) = FileLedger::open(self.dir.path(), false, clock()).expect("opened");
        Budget::new(Box::new(ledger), loaded, limits, Box::new(clock))
    }
}

fn claim(priority: f64) -> Claim {
    Claim {
        priority,
        give_up_after: None,
    }
}

const WALL: f64 = 1_700_000_000.0;

#[tokio::test(start_paused = true)]
async fn each_window_holds_back_the_request_that_would_exceed_it() {
    let home = Home::new();
    let budget = home.open(LIMITS, WALL);
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..61 {
        drop(budget.permit(claim(0.0)).await.expect("in time"));
        times.push(start.elapsed().as_secs_f64());
    }
    assert!(times[3] < 0.1 && times[4] >= 1.0, "{times:?}");
    assert!(times[19] < 6.0 && times[20] >= 60.0, "{times:?}");
    assert!(times[59] < 200.0 && times[60] >= 86_400.0, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_request_counts_until_it_has_ended() {
    let home = Home::new();
    let budget = home.open(
        Limits {
            per_second: 1,
            ..LIMITS
        },
        WALL,
    );
    let permit = budget.permit(claim(0.0)).await.expect("free");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(budget.state().used, [1, 1, 1]);
    drop(permit);
    let ended = Instant::now();
    let _second = budget.permit(claim(0.0)).await.expect("in time");
    assert!(ended.elapsed() >= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn one_request_at_a_time_and_the_urgent_first() {
    let home = Home::new();
    let budget = Arc::new(home.open(LIMITS, WALL));
    let first = budget.permit(claim(5.0)).await.expect("free");
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut waiting = tokio::task::JoinSet::new();
    for priority in [3.0, 1.0, 2.0] {
        let (budget, order) = (Arc::clone(&budget), Arc::clone(&order));
        waiting.spawn(async move {
            let permit = budget.permit(claim(priority)).await.expect("in time");
            order.lock().expect("unpoisoned").push(priority);
            drop(permit);
        });
    }
    sleep(Duration::from_millis(50)).await;
    assert!(order.lock().expect("unpoisoned").is_empty());
    drop(first);
    while waiting.join_next().await.is_some() {}
    assert_eq!(*order.lock().expect("unpoisoned"), [1.0, 2.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_dropped_holds_up_nobody() {
    let home = Home::new();
    let budget = home.open(LIMITS, WALL);
    let held = budget.permit(claim(0.0)).await.expect("free");
    let impatient = tokio::time::timeout(Duration::from_secs(5), budget.permit(claim(0.0))).await;
    assert!(impatient.is_err());
    drop(held);
    assert!(
        tokio::time::timeout(Duration::from_secs(5), budget.permit(claim(9.0)))
            .await
            .is_ok()
    );
}

#[tokio::test(start_paused = true)]
async fn a_day_without_room_is_said_at_once() {
    let home = Home::new();
    let budget = home.open(Limits { per_day: 2, ..LIMITS }, WALL);
    for _ in 0..2 {
        drop(budget.permit(claim(0.0)).await.expect("free"));
    }
    let patience = Some(Duration::from_secs(60));
    let refused = budget
        .permit(Claim {
            priority: 0.0,
            give_up_after: patience,
        })
        .await;
    assert!(
        matches!(refused, Err(Refused::Later(wait)) if wait > Duration::from_secs(86_000)),
        "{refused:?}"
    );
    assert_eq!((budget.room(), budget.state().used[2]), (0, 2));
    assert!(budget.next_room(2) > Duration::from_secs(86_000));
    let none = Home::new();
    let nothing = none.open(Limits { per_day: 0, ..LIMITS }, WALL);
    assert!(
        nothing
            .permit(Claim {
                priority: 0.0,
                give_up_after: patience
            })
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_429_pauses_the_account_and_survives_a_restart() {
    for (after, least, most) in [(None, 60.0, 65.1), (Some(7), 7.0, 12.1), (Some(0), 1.0, 6.1)] {
        let home = Home::new();
        let budget = home.open(LIMITS, WALL);
        drop(budget.permit(claim(0.0)).await.expect("free"));
        budget.throttled(after.map(Duration::from_secs)).await;
        let wait = budget.wait().as_secs_f64();
        assert!((least..=most).contains(&wait), "{after:?}: {wait}");
        drop(budget);
        let again = home.open(LIMITS, WALL).wait().as_secs_f64();
        assert!((wait - again).abs() < 1.1, "{wait} {again}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_that_persists_is_the_day_spent() {
    let home = Home::new();
    let budget = home.open(LIMITS, WALL);
    for _ in 0..3 {
        drop(budget.permit(claim(0.0)).await.expect("in time"));
        budget.throttled(Some(Duration::from_secs(1))).await;
    }
    assert_eq!(budget.state().used[2], LIMITS.per_day);
    assert!(
        budget.wait() > Duration::from_secs(23 * 3600),
        "{:?}",
        budget.wait()
    );
    drop(budget);
    let budget = home.open(LIMITS, WALL + 60.0);
    assert!(budget.wait() > Duration::from_secs(23 * 3600));
    drop(budget);
    let budget = home.open(LIMITS, WALL + 90_000.0);
    assert_eq!(budget.wait(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn successes_between_refusals_make_no_row() {
    let home = Home::new();
    let budget = home.open(LIMITS, WALL);
    for _ in 0..6 {
        budget.throttled(Some(Duration::from_secs(1))).await;
        budget.succeeded();
    }
    assert!(budget.wait() < Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_recorded_is_not_sent_and_not_counted() {
    let home = Home::new();
    let budget = home.open(LIMITS, WALL);
    assert!(budget.is_recording());
    let aside = home.dir.path().with_extension("aside");
    std::fs::rename(home.dir.path(), &aside).expect("moved");
    assert!(matches!(
        budget.permit(claim(0.0)).await,
        Err(Refused::Unrecorded(_))
    ));
    assert!(!budget.is_recording());
    assert_eq!(budget.state().used, [0, 0, 0]);
    std::fs::rename(&aside, home.dir.path()).expect("moved back");
    assert!(budget.permit(claim(0.0)).await.is_ok());
    assert!(budget.is_recording());
}

#[tokio::test(start_paused = true)]
async fn a_ledger_written_anew_holds_the_request_under_way() {
    let home = Home::new();
    let budget = home.open(LIMITS, WALL);
    let _under_way = budget.permit(claim(0.0)).await.expect("free");
    std::fs::remove_file(home.dir.path().join("ledger")).expect("removed");
    budget.throttled(None).await;
    // As after a kill: the permit never comes back to this one.
    assert_eq!(home.open(LIMITS, WALL).state().used[2], 1);
}

#[tokio::test(start_paused = true)]
async fn a_long_pause_is_told_from_a_spent_budget() {
    let home = Home::new();
    let budget = home.open(LIMITS, WALL);
    budget.throttled(Some(Duration::from_secs(7200))).await;
    assert!(budget.paused() > Duration::from_secs(7199));
    let patience = Claim {
        priority: 0.0,
        give_up_after: Some(Duration::from_secs(60)),
    };
    assert!(matches!(budget.permit(patience).await, Err(Refused::Paused(_))));
}

/// One step of a hard life.
#[derive(Debug, Clone)]
enum Step {
    /// A request that takes so long, and arrives at the server after this share of it.
    Request { milliseconds: u64, arrives: f64 },
    /// Killed between record and send, or in the middle, and started again so much later by the wall clock.
    Kill { in_flight: bool, down: u64 },
    /// The wall clock is stepped while the process runs.
    Clock(i64),
    /// Nothing happens for so long.
    Idle(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0_u64..5_000, 0.0..1.0).prop_map(|(milliseconds, arrives)| Step::Request { milliseconds, arrives }),
        1 => (any::<bool>(), 0_u64..30_000_000).prop_map(|(in_flight, down)| Step::Kill { in_flight, down }),
        1 => (-100_000_000_i64..100_000_000).prop_map(Step::Clock),
        1 => (0_u64..20_000_000).prop_map(Step::Idle),
    ];
    prop::collection::vec(step, 1..200)
}

/// True time runs beside the process's clocks; the server judges by true time.
struct World {
    truth: u64,
    /// Wall clock minus truth.
    offset: i64,
    arrivals: Vec<u64>,
}

impl World {
    fn wall(&self) -> u64 {
        self.truth.saturating_add_signed(self.offset)
    }
}

/// The ledger as its records tell it, without a disk.
#[derive(Debug, Clone, Default)]
struct Disk {
    entries: Vec<u64>,
    last_wall: u64,
    last_time: u64,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Requests, latencies, kills between record and send, clock steps: no window is ever exceeded.
    #[test]
    fn no_window_is_ever_exceeded(steps in steps()) {
        let limits = Limits { per_second: 3, per_minute: 10, per_day: 40 };
        let mut world = World { truth: 1_000_000_000, offset: 500_000_000, arrivals: Vec::new() };
        let mut disk = Disk { last_wall: world.wall(), last_time: world.wall(), ..Disk::default() };
        // Monotonic time: truth when the process began, and the ledger's time then.
        let (mut began, mut base) = (world.truth, world.wall());
        let mut windows = Windows::new(limits, Loaded::default());
        for step in steps {
            match step {
                Step::Idle(milliseconds) => world.truth += milliseconds,
                Step::Clock(by) => world.offset += by,
                Step::Request { milliseconds, arrives } => {
                    let now = base + (world.truth - began);
                    let at = windows.earliest(now);
                    world.truth += at - now;
                    windows.occupy();
                    if let Some(previous) = disk.entries.last_mut() {
                        *previous = windows.newest().max(*previous);
                    }
                    disk.entries.push(at);
                    (disk.last_time, disk.last_wall) = (at, world.wall());
                    world.arrivals.push(world.truth + (milliseconds as f64 * arrives) as u64);
                    world.truth += milliseconds;
                    windows.settle(base + (world.truth - began), false);
                }
                Step::Kill { in_flight, down } => {
                    if in_flight {
                        let now = base + (world.truth - began);
                        let at = windows.earliest(now);
                        world.truth += at - now;
                        if let Some(previous) = disk.entries.last_mut() {
                            *previous = windows.newest().max(*previous);
                        }
                        disk.entries.push(at);
                        (disk.last_time, disk.last_wall) = (at, world.wall());
                        world.arrivals.push(world.truth);
                    }
                    world.truth += down;
                    base = disk.last_time + world.wall().saturating_sub(disk.last_wall);
                    began = world.truth;
                    if let Some(last) = disk.entries.last_mut() {
                        *last = base;
                    }
                    (disk.last_time, disk.last_wall) = (base, world.wall());
                    let loaded = Loaded {
                        now: base,
                        requests: disk.entries.clone(),
                        ..Loaded::default()
                    };
                    windows = Windows::new(limits, loaded);
                }
            }
            // As note_clock does within seconds of a step.
            (disk.last_time, disk.last_wall) = (base + (world.truth - began), world.wall());
        }
        for (index, arrival) in world.arrivals.iter().enumerate() {
            for (length, limit) in [(1_000, 3), (60_000, 10), (DAY_IN_MS, 40)] {
                let within = world.arrivals[..=index].iter().filter(|other| arrival - **other < length).count();
                prop_assert!(within <= limit, "{within} in {length} ms");
            }
        }
    }
}

const DAY_IN_MS: u64 = 86_400_000;
