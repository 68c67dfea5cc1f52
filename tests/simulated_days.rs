//! Days of an account under paused time: the real poller, budget, ledger and api against the simulator's plain door.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::allow_attributes,
    reason = "a test panics when it fails"
)]

use std::sync::Arc;
use std::time::Duration;

use knowbe4_exporter::{
    AccountConfig, AccountInstruments, Answer, ApiError, ApiKey, Call, Clock, FileStorage, Headers,
    KeySource, Poller, Published, Sending, Storage as _, Tools, Transport,
    model::{AccountName, Collector},
};
use knowbe4_simulator::{Delivery, Request, Settings, Simulator};
use quota::{Limits, Permit};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const DAY: u64 = 86_400;

/// How long the simulated API takes for an answer.
const LATENCY: Duration = Duration::from_millis(300);

/// The simulator without a socket.
struct Direct {
    simulator: Arc<Simulator>,
    start: Instant,
}

impl Transport for Direct {
    fn send<'a>(&'a self, call: &'a Call, permit: Permit) -> Sending<'a> {
        Box::pin(async move {
            let query: Vec<_> = call
                .query
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let request = Request {
                method: "GET".to_owned(),
                path: call.path(),
                query: query.join("&"),
                authorization: Some("Bearer key".to_owned()),
            };
            let answer = self.simulator.answer(&request, self.start.elapsed());
            sleep(LATENCY).await;
            if answer.delivery == Delivery::Hang {
                return Err(ApiError::Timeout(LATENCY));
            }
            Ok(Answer {
                status: answer.status,
                headers: Headers::new(answer.headers),
                body: answer.body,
                permit,
            })
        })
    }

    fn host(&self) -> &str {
        "simulated"
    }

    fn set_key(&self, _: ApiKey) {}
}

/// What can be seen of an account's days.
struct Days {
    /// When requests arrived, in seconds.
    arrivals: Vec<f64>,
    /// Weighted mean age of the data over the time since the first day, in seconds.
    age: f64,
    /// What the plan promised over the same time: the weighted mean of half the intervals.
    promised: f64,
    /// Requests a day that the plan forecast.
    forecast: f64,
}

async fn live(days: u64, faults: &str, restart_every: Option<Duration>) -> Days {
    let start = Instant::now();
    let settings = Settings {
        users: 1000,
        enrollments: 20_000,
        faults: faults
            .split(',')
            .filter(|fault| !fault.is_empty())
            .map(|fault| fault.parse().unwrap())
            .collect(),
        ..Settings::default()
    };
    let simulator = Arc::new(Simulator::new(settings));
    let dir = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(dir.path());
    let account: AccountName = "acme".parse().unwrap();
    let key = ApiKey::new("key").unwrap();
    let config = AccountConfig::new(
        account.clone(),
        "https://simulated.example".parse().unwrap(),
        KeySource::Fixed(key.clone()),
    );
    let config = Arc::new(config);
    let clock = Clock::anchored(1_780_000_000.0);
    let limits = Limits {
        per_second: config.budget.requests_per_second,
        per_minute: config.budget.requests_per_minute,
        per_day: config.budget.per_day_limit(),
    };
    let (mut ages, mut promises, mut samples) = (0.0, 0.0, 0.0);
    let mut instruments = Arc::<AccountInstruments>::default();
    // What is read object by object has no interval that could be promised, and takes nothing from the others.
    let polled: Vec<Collector> = Collector::ALL
        .into_iter()
        .filter(|collector| collector.resource().each_of.is_none())
        .collect();
    let weights: f64 = polled
        .iter()
        .map(|collector| config.collectors[*collector].weight)
        .sum();
    let end = start + Duration::from_secs(days * DAY);
    while Instant::now() < end {
        instruments = Arc::default();
        let lease = storage.lease(&account).await.unwrap();
        let budget = Arc::new(lease.budget(limits, clock.clone()).await.unwrap());
        instruments.spends_from(Some(Arc::clone(&budget)));
        let read_key = key.clone();
        let poller = Poller::restore(Tools {
            config: Arc::clone(&config),
            transport: Arc::new(Direct {
                simulator: Arc::clone(&simulator),
                start,
            }),
            budget,
            lease,
            instruments: Arc::clone(&instruments),
            published: Arc::<Published>::default(),
            clock: clock.clone(),
            key: key.clone(),
            read_key: Arc::new(move || Ok(read_key.clone())),
            heartbeat: Arc::default(),
            nudge: Arc::default(),
        })
        .await;
        let mut task = JoinSet::new();
        task.spawn(poller.run(CancellationToken::new()));
        let until = restart_every.map_or(end, |every| (Instant::now() + every).min(end));
        while Instant::now() < until {
            sleep(Duration::from_secs(60)).await;
            if start.elapsed().as_secs() > DAY {
                let now = clock.now();
                let state = instruments.read();
                let mean = |of: &dyn Fn(Collector) -> f64| {
                    let weighted = polled.iter().map(|c| config.collectors[*c].weight * of(*c));
                    weighted.sum::<f64>() / weights
                };
                ages += mean(&|c| now - state.collectors[c].last_success.unwrap_or(0.0));
                promises += mean(&|c| state.collectors[c].interval.unwrap() / 2.0);
                samples += 1.0;
            }
        }
        // As a kill does: nothing is said goodbye to.
        task.shutdown().await;
    }
    let state = instruments.read();
    Days {
        arrivals: simulator
            .log()
            .iter()
            .map(|logged| logged.elapsed.as_secs_f64())
            .collect(),
        age: ages / samples,
        promised: promises / samples,
        forecast: state.plan_requests_per_day.unwrap(),
    }
}

/// As a server judges: no window of any length holds more than its limit.
fn judge(arrivals: &[f64]) {
    for (window, limit) in [(1.0, 4), (60.0, 45), (DAY as f64, 800)] {
        let mut first = 0;
        for (index, at) in arrivals.iter().enumerate() {
            while arrivals[first] <= at - window {
                first += 1;
            }
            assert!(
                index - first < limit,
                "{} requests within {window} s at {at}",
                index - first + 1
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_forecast_is_what_a_day_costs() {
    let days = live(3, "", None).await;
    judge(&days.arrivals);
    let last_day = days.arrivals.iter().filter(|at| **at > (2 * DAY) as f64).count() as f64;
    assert!(
        (last_day / days.forecast - 1.0).abs() < 0.03,
        "{last_day} of {}",
        days.forecast
    );
    assert!(last_day > 0.95 * 800.0, "the budget lies idle: {last_day}");
    assert!(
        days.age < 1.03 * days.promised,
        "{} s old, {} s promised",
        days.age,
        days.promised
    );
}

#[tokio::test(start_paused = true)]
async fn kills_and_errors_exceed_nothing_and_cost_little_freshness() {
    let faults = "500:endpoint=users:after=3:count=2,429:after=700:count=1:retry-after=30,hang:endpoint=groups:after=20:count=1";
    let days = live(3, faults, Some(Duration::from_secs(8 * 3600 + 777))).await;
    judge(&days.arrivals);
    assert!(
        days.age < 1.10 * days.promised,
        "{} s old, {} s promised",
        days.age,
        days.promised
    );
}
