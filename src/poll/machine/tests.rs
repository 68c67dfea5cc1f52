//! An account's months as a loop over a value: no network, no files, no clock.

use std::collections::BTreeMap;

use super::*;
use crate::api::error::ApiError;
use crate::collect::Yield;
use crate::config::KeySource;
use crate::model::{
    Account, CollectorStatus, Enrollments, Groups, PhishingCampaigns, PhishingRecipients, PhishingTests,
    Policies, StorePurchases, TrainingCampaigns, Users,
};
use crate::snapshot::Collection;

const DAY: u64 = 86_400;

/// How long every refresh takes.
const TAKES: Duration = Duration::from_secs(2);

/// Every request of the last day, by when it was sent.
struct Ledger {
    now: Instant,
    limit: u64,
    sent: Vec<(Instant, u64)>,
}

impl Ledger {
    fn living(&self, at: Instant) -> u64 {
        let day = Duration::from_secs(DAY);
        let living = self.sent.iter().filter(|(sent, _)| *sent + day > at);
        living.map(|(_, requests)| requests).sum()
    }
}

impl Room for Ledger {
    fn paused(&self) -> Duration {
        Duration::ZERO
    }

    fn wait(&self) -> Duration {
        Duration::ZERO
    }

    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.living(self.now))
    }

    fn until(&self, requests: u64) -> Duration {
        let ends = self.sent.iter().map(|(at, _)| *at + Duration::from_secs(DAY));
        let free = ends
            .filter(|end| self.living(*end) + requests <= self.limit)
            .min();
        free.map_or(Duration::from_secs(DAY), |at| {
            at.saturating_duration_since(self.now)
        })
    }
}

/// What the API says to a refresh that begins at a second of the account's life.
type Api = fn(Collector, u64) -> Result<(), ApiError>;

/// An account, what it sends to, and what is under way.
struct World {
    machine: Machine,
    start: Instant,
    ledger: Ledger,
    api: Api,
    key: &'static str,
    under_way: Vec<(Instant, Order)>,
    /// When each collector was begun, in seconds.
    begun: Vec<(Collector, u64)>,
    saved: Option<Saved>,
    published: usize,
    most_in_a_day: u64,
}

impl World {
    fn new(api: Api) -> Self {
        let start = Instant::now() + Duration::from_secs(1000 * DAY);
        let now = Now {
            instant: start,
            wall: 1_780_000_000.0,
        };
        let ledger = Ledger {
            now: start,
            limit: 800,
            sent: Vec::new(),
        };
        Self {
            machine: machine(&Saved::default(), now),
            start,
            ledger,
            api,
            key: "first",
            under_way: Vec::new(),
            begun: Vec::new(),
            saved: None,
            published: 0,
            most_in_a_day: 0,
        }
    }

    fn now(&self) -> Now {
        let since = self.ledger.now - self.start;
        Now {
            instant: self.ledger.now,
            wall: 1_780_000_000.0 + since.as_secs_f64(),
        }
    }

    fn seconds(&self) -> u64 {
        (self.ledger.now - self.start).as_secs()
    }

    fn live(&mut self, days: f64) {
        let end = self.ledger.now + Duration::from_secs_f64(days * DAY as f64);
        while self.ledger.now < end {
            self.step();
        }
    }

    /// Until something happens next.
    fn step(&mut self) {
        let now = self.now();
        while let Some(place) = self.under_way.iter().position(|(ends, _)| *ends <= now.instant) {
            let (_, order) = self.under_way.remove(place);
            let ended = self.end(order);
            self.machine.on(Event::Ended(Box::new(ended)), now, &self.ledger);
            self.perform();
        }
        self.machine.begin_due(now, &self.ledger);
        self.perform();
        let ends = self.under_way.iter().map(|(ends, _)| *ends).min();
        let wake = self.machine.wake(now);
        self.ledger.now = ends.map_or(wake, |ends| ends.min(wake));
    }

    fn end(&mut self, order: Order) -> Ended {
        let now = self.now();
        // What looks at each object by itself asks for room by itself, and here it has nothing to read.
        let sends = order.collector.resource().each_of.is_none();
        let requests = if sends {
            self.machine.cost(order.collector)
        } else {
            0
        };
        self.ledger.sent.push((now.instant, requests));
        let day = Duration::from_secs(DAY);
        self.ledger.sent.retain(|(at, _)| *at + day > now.instant);
        self.most_in_a_day = self.most_in_a_day.max(self.ledger.living(now.instant));
        let result = (self.api)(order.collector, self.seconds());
        Ended {
            collector: order.collector,
            started: now.instant - TAKES,
            started_at: now.wall - TAKES.as_secs_f64(),
            requests,
            retries: 0,
            scope: order.scope,
            result: result.map(|()| Yield::from(nothing(order.collector))),
            hold: None,
        }
    }

    fn perform(&mut self) {
        for effect in self.machine.take_effects() {
            match effect {
                Effect::Begin(order) => {
                    self.begun.push((order.collector, self.seconds()));
                    self.under_way.push((self.ledger.now + TAKES, order));
                }
                Effect::CutOff => self.under_way.clear(),
                Effect::ReadKey => {
                    let key = Ok(ApiKey::new(self.key).expect("a key"));
                    self.machine.on(Event::KeyRead(key), self.now(), &self.ledger);
                    self.perform();
                }
                Effect::Save => self.saved = Some(self.machine.saved(None)),
                Effect::Publish => self.published += 1,
                Effect::UseKey(_) | Effect::Count(..) | Effect::Say(_) => {}
            }
        }
    }

    /// As a kill and a start do: nothing is taken over but what was kept, and the ledger.
    fn restart(&mut self) {
        self.under_way.clear();
        self.machine = machine(&self.saved.clone().unwrap_or_default(), self.now());
    }

    fn runs(&self, since: u64) -> BTreeMap<Collector, usize> {
        let mut runs = BTreeMap::new();
        for (collector, _) in self.begun.iter().filter(|(_, at)| *at >= since) {
            *runs.entry(*collector).or_default() += 1;
        }
        runs
    }
}

fn machine(saved: &Saved, now: Now) -> Machine {
    let key = ApiKey::new("first").expect("a key");
    let config = AccountConfig::new(
        "acme".parse().expect("a name"),
        "https://simulated.example".parse().expect("a URL"),
        KeySource::Fixed(key.clone()),
    );
    Machine::restore(
        Arc::new(config),
        "simulated.example",
        key,
        saved,
        saved.snapshot.clone(),
        now,
    )
}

fn nothing(collector: Collector) -> Collection {
    match collector {
        Collector::Account => Collection::Account(Account::default()),
        Collector::Groups => Collection::Groups(Groups::default()),
        Collector::Users => Collection::Users(Users::default()),
        Collector::PhishingCampaigns => Collection::PhishingCampaigns(PhishingCampaigns::default()),
        Collector::PhishingTests => Collection::PhishingTests(PhishingTests::default()),
        Collector::TrainingCampaigns => Collection::TrainingCampaigns(TrainingCampaigns::default()),
        Collector::Enrollments => Collection::Enrollments(Enrollments::default()),
        Collector::StorePurchases => Collection::StorePurchases(StorePurchases::default()),
        Collector::Policies => Collection::Policies(Policies::default()),
        Collector::Recipients => Collection::Recipients(PhishingRecipients::default()),
    }
}

fn answer(status: u16) -> ApiError {
    ApiError::Status {
        status,
        retry_after: None,
        request_id: Some("one".to_owned()),
        own: true,
    }
}

#[test]
fn months_run_as_planned_within_the_budget() {
    let mut world = World::new(|_, _| Ok(()));
    world.live(3.0);
    let since = world.seconds();
    world.live(60.0);
    assert!(world.most_in_a_day <= 800, "{}", world.most_in_a_day);
    for (collector, runs) in world.runs(since) {
        let interval = world.machine.agenda[collector]
            .interval
            .expect("it is planned")
            .as_secs_f64();
        let planned = (world.seconds() - since) as f64 / interval;
        let ratio = runs as f64 / planned;
        assert!((0.97..1.01).contains(&ratio), "{collector}: {runs} of {planned}");
    }
}

#[test]
fn a_refused_key_costs_a_few_probes_a_day_and_another_key_goes_on_at_once() {
    let mut world = World::new(|_, _| Err(answer(401)));
    world.live(1.0);
    // Those that were under way when the first was refused, and a dozen probes.
    let began = Collector::COUNT + 12;
    assert!((10..=began).contains(&world.begun.len()), "{:?}", world.begun);
    let since = world.seconds();
    world.live(7.0);
    let week = world.runs(since).values().sum::<usize>();
    assert!((7..=7 * 6).contains(&week), "{week}");
    world.api = |_, _| Ok(());
    let since = world.seconds();
    let key = Ok(ApiKey::new("second").expect("a key"));
    world.machine.on(Event::KeyRead(key), world.now(), &world.ledger);
    world.live(0.01);
    assert_eq!(world.runs(since).len(), Collector::COUNT);
}

#[test]
fn what_is_refused_while_the_key_is_being_replaced_is_asked_again_with_the_new_one() {
    let mut world = World::new(|_, second| if second < 3 { Err(answer(401)) } else { Ok(()) });
    world.key = "second";
    world.live(0.0005);
    assert!(!world.machine.is_stopped() && !world.machine.awaits_key());
}

#[test]
fn one_collectors_failures_are_its_own() {
    let healthy = |_: Collector, _: u64| Ok(());
    let broken: Api = |collector, _| match collector {
        Collector::Users => Err(answer(500)),
        Collector::Policies => Err(answer(403)),
        _ => Ok(()),
    };
    let runs = |api: Api| {
        let mut world = World::new(api);
        world.live(10.0);
        assert!(world.most_in_a_day <= 800);
        world.runs(2 * DAY)
    };
    let (all, some) = (runs(healthy), runs(broken));
    for (collector, runs) in &some {
        match collector {
            // Down: no oftener than if it worked. Never worked and refused: once a day.
            Collector::Users => assert!(*runs <= all[collector], "{runs}"),
            Collector::Policies => assert!((7..=9).contains(runs), "{runs}"),
            // What the failures cost is kept back from everybody.
            _ => assert!(
                *runs as f64 > 0.85 * all[collector] as f64,
                "{collector}: {runs} of {}",
                all[collector]
            ),
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_no_phase() {
    let mut world = World::new(|_, _| Ok(()));
    world.live(2.0);
    let since = world.seconds();
    for _ in 0..2000 {
        for _ in 0..7 {
            world.step();
        }
        world.restart();
    }
    let days = (world.seconds() - since) as f64 / DAY as f64;
    assert!(world.most_in_a_day <= 800, "{}", world.most_in_a_day);
    for (collector, runs) in world.runs(since) {
        // What looks at each object by itself may look at each start: that costs nothing.
        if collector.resource().each_of.is_some() {
            continue;
        }
        let interval = world.machine.agenda[collector]
            .interval
            .expect("it is planned")
            .as_secs_f64();
        let planned = days * DAY as f64 / interval;
        // One that was cut off is begun again.
        assert!(
            (runs as f64) < 1.5 * planned + 3.0,
            "{collector}: {runs} of {planned} in {days} days"
        );
    }
}

#[test]
fn what_does_not_change_does_not_jitter() {
    let mut world = World::new(|_, _| Ok(()));
    world.live(1.0);
    while !world.under_way.is_empty() {
        world.step();
    }
    let planned = |world: &World| -> Vec<CollectorStatus> {
        let statuses = world.machine.statuses(true);
        statuses.iter().map(|(_, status)| status.clone()).collect()
    };
    let before = planned(&world);
    for drift in 1..10 {
        // A clock that is slewed goes on a little slower than the other.
        let now = Now {
            instant: world.ledger.now,
            wall: world.now().wall - f64::from(drift) / 10.0,
        };
        world.machine.wake(now);
        assert_eq!(planned(&world), before);
    }
}
