//! How old the data is, beside the oldest that the budget's arithmetic allows: the real poller, budget, ledger and api
//! under paused time, against listings of so many pages.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::allow_attributes,
    clippy::print_stderr,
    reason = "a test panics when it fails, and says what it measured"
)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use knowbe4_exporter::{
    AccountConfig, AccountInstruments, Answer, ApiKey, Call, Clock, FileStorage, Headers, KeySource, Poller,
    Published, Sending, Storage as _, Tools, Transport,
    model::{AccountName, Collector, Endpoint},
};
use quota::{Limits, Permit};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

const DAY: f64 = 86_400.0;

/// How long an answer takes.
const LATENCY: Duration = Duration::from_millis(300);

/// An account, and the life it has.
#[derive(Clone, Copy)]
struct Life {
    users: u64,
    enrollments: u64,
    per_day: u64,
    /// Judged after the first, in which everything is read for the first time.
    days: u64,
    restarts_per_day: f64,
    /// Part of the requests that are answered with 500.
    errors: f64,
    /// The API answers 500 from and to these days.
    outage: Option<(f64, f64)>,
}

const TYPICAL: Life = Life {
    users: 5_000,
    enrollments: 20_000,
    per_day: 1_000,
    days: 6,
    restarts_per_day: 0.0,
    errors: 0.0,
    outage: None,
};

/// Collector, weight; all others are off.
const WEIGHTS: [(Collector, f64); 6] = [
    (Collector::Account, 1.0),
    (Collector::Groups, 1.0),
    (Collector::PhishingTests, 4.0),
    (Collector::PhishingCampaigns, 2.0),
    (Collector::Users, 2.0),
    (Collector::Enrollments, 2.0),
];

impl Life {
    fn pages(&self, collector: Collector) -> u64 {
        match collector {
            Collector::Users => self.users.div_ceil(500),
            Collector::Enrollments => self.enrollments.div_ceil(500),
            _ => 1,
        }
    }

    fn config(&self) -> AccountConfig {
        let key = KeySource::Fixed(ApiKey::new("key").unwrap());
        let url = "https://simulated.example".parse().unwrap();
        let mut config = AccountConfig::new("acme".parse().unwrap(), url, key);
        config.budget.requests_per_day = self.per_day;
        config.budget.share = 1.0;
        config.budget.requests_per_minute = 50;
        for collector in Collector::ALL {
            let weight = WEIGHTS.iter().find(|(known, _)| *known == collector);
            let settings = &mut config.collectors[collector];
            settings.enabled = weight.is_some();
            settings.weight = weight.map_or(1.0, |(_, weight)| *weight);
            settings.min_interval = Duration::from_secs(10);
            settings.max_interval = Duration::from_secs(2 * 86_400);
        }
        config
    }

    /// The least weighted mean age that any schedule can have: the continuous optimum and the time that reading takes,
    /// or whole numbers of refreshes a day, whichever is older. In seconds.
    fn reference(&self) -> f64 {
        let budget = self.per_day as f64;
        let all: Vec<_> = WEIGHTS.iter().map(|(c, w)| (self.pages(*c) as f64, *w)).collect();
        let weights: f64 = all.iter().map(|(_, weight)| weight).sum();
        let roots: f64 = all.iter().map(|(cost, weight)| (cost * weight).sqrt()).sum();
        // Four at once, then one more a second; beyond fifty the minute.
        let reading = |cost: f64| (cost * LATENCY.as_secs_f64()).max((cost / 50.0).floor() * 60.0);
        let read: f64 = all.iter().map(|(cost, weight)| weight * reading(*cost)).sum();
        let continuous = DAY * roots * roots / (2.0 * budget * weights) + read / weights;
        let mut times = vec![1.0; all.len()];
        let spent = |times: &[f64]| all.iter().zip(times).map(|((cost, _), n)| cost * n).sum::<f64>();
        loop {
            let gain = |i: usize| all[i].1 / (times[i] * (times[i] + 1.0) * all[i].0);
            let room = budget - spent(&times);
            let best = (0..all.len())
                .filter(|i| all[*i].0 <= room)
                .max_by(|a, b| gain(*a).total_cmp(&gain(*b)));
            let Some(best) = best else { break };
            times[best] += 1.0;
        }
        let whole = all
            .iter()
            .zip(&times)
            .map(|((_, weight), n)| weight * DAY / (2.0 * n))
            .sum::<f64>()
            / weights;
        if spent(&times) <= budget {
            continuous.max(whole)
        } else {
            continuous
        }
    }
}

/// An API of listings of so many pages of one row each.
struct Pages {
    life: Life,
    start: Instant,
    random: Mutex<fastrand::Rng>,
    arrivals: Mutex<Vec<f64>>,
}

impl Pages {
    fn fails(&self) -> bool {
        let day = self.start.elapsed().as_secs_f64() / DAY;
        let down = self.life.outage.is_some_and(|(from, to)| day >= from && day < to);
        down || self.random.lock().unwrap().f64() < self.life.errors
    }

    fn page(&self, call: &Call) -> (Vec<(String, String)>, Vec<u8>) {
        let collector = WEIGHTS
            .iter()
            .map(|(collector, _)| *collector)
            .find(|collector| Endpoint::Of(*collector) == call.endpoint)
            .unwrap();
        if collector == Collector::Account {
            return (Vec::new(), br#"{"name":"Acme","type":"paid"}"#.to_vec());
        }
        let cursor = call.query.iter().find(|(name, _)| *name == "cursor");
        let page: u64 = cursor.and_then(|(_, cursor)| cursor.parse().ok()).unwrap_or(1);
        let next =
            (page < self.life.pages(collector)).then(|| ("X-Next-Cursor".to_owned(), (page + 1).to_string()));
        let id = match collector {
            Collector::PhishingTests => "pst_id",
            Collector::PhishingCampaigns => "campaign_id",
            Collector::Enrollments => "enrollment_id",
            _ => "id",
        };
        (
            next.into_iter().collect(),
            format!(r#"[{{"{id}":{page},"status":"active"}}]"#).into_bytes(),
        )
    }
}

impl Transport for Pages {
    fn send<'a>(&'a self, call: &'a Call, permit: Permit) -> Sending<'a> {
        Box::pin(async move {
            self.arrivals
                .lock()
                .unwrap()
                .push(self.start.elapsed().as_secs_f64());
            sleep(LATENCY).await;
            let (status, (headers, body)) = if self.fails() {
                (500, Default::default())
            } else {
                (200, self.page(call))
            };
            Ok(Answer {
                status,
                headers: Headers::new(headers),
                body,
                permit,
            })
        })
    }

    fn host(&self) -> &str {
        "simulated"
    }

    fn set_key(&self, _: ApiKey) {}
}

/// Lives a life. The weighted mean age of its data from `judged` (in days) on, over the reference; requests a day.
async fn live(life: Life, judged: f64) -> (f64, f64) {
    let start = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let storage = FileStorage::at(dir.path());
    let account: AccountName = "acme".parse().unwrap();
    let config = Arc::new(life.config());
    let clock = Clock::anchored(1_780_000_000.0);
    let limits = Limits {
        per_second: 4,
        per_minute: 50,
        per_day: life.per_day,
    };
    let api = Arc::new(Pages {
        life,
        start,
        random: Mutex::new(fastrand::Rng::with_seed(7)),
        arrivals: Mutex::default(),
    });
    let mut restarts = fastrand::Rng::with_seed(11);
    let end = start + Duration::from_secs_f64((judged + life.days as f64) * DAY);
    let (mut ages, mut samples) = ([0.0; WEIGHTS.len()], 0.0);
    let mut read = [0.0; WEIGHTS.len()];
    while Instant::now() < end {
        let instruments = Arc::<AccountInstruments>::default();
        let lease = storage.lease(&account).await.unwrap();
        let budget = Arc::new(lease.budget(limits, clock.clone()).await.unwrap());
        instruments.spends_from(Some(Arc::clone(&budget)));
        let poller = Poller::restore(Tools {
            config: Arc::clone(&config),
            transport: Arc::clone(&api) as Arc<dyn Transport>,
            budget,
            lease,
            instruments: Arc::clone(&instruments),
            published: Arc::<Published>::default(),
            clock: clock.clone(),
            key: ApiKey::new("key").unwrap(),
            read_key: Arc::new(|| Ok(ApiKey::new("key").unwrap())),
            heartbeat: Arc::default(),
            nudge: Arc::default(),
        })
        .await;
        let mut task = JoinSet::new();
        task.spawn(poller.run(CancellationToken::new()));
        let span = if life.restarts_per_day > 0.0 {
            -restarts.f64().max(1e-9).ln() * DAY / life.restarts_per_day
        } else {
            1e9
        };
        let until = end.min(Instant::now() + Duration::from_secs_f64(span));
        while Instant::now() < until {
            sleep_until(until.min(Instant::now() + Duration::from_secs(20))).await;
            let (now, state) = (clock.now(), instruments.read());
            for (index, (collector, _)) in WEIGHTS.iter().enumerate() {
                let status = &state.collectors[*collector];
                // Data is as old as the beginning of its reading.
                read[index] = status.last_success.unwrap_or(0.0) - status.duration.unwrap_or(0.0);
                if start.elapsed().as_secs_f64() > judged * DAY {
                    ages[index] += now - read[index];
                }
            }
            samples += f64::from(u8::from(start.elapsed().as_secs_f64() > judged * DAY));
        }
        // As a kill does: nothing is said goodbye to.
        task.shutdown().await;
    }
    let arrivals = api.arrivals.lock().unwrap().clone();
    judge(&arrivals, limits);
    let weights: f64 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
    let age = WEIGHTS
        .iter()
        .zip(ages)
        .map(|((_, weight), age)| weight * age / samples)
        .sum::<f64>()
        / weights;
    let late = arrivals.iter().filter(|at| **at > judged * DAY).count() as f64 / life.days as f64;
    let each: Vec<_> = WEIGHTS
        .iter()
        .zip(ages)
        .map(|((c, _), age)| format!("{c} {:.1}", age / samples / 60.0))
        .collect();
    eprintln!(
        "{}/{} at {}: {:.4} of the reference {:.3} h, {late:.0} requests a day; minutes: {}",
        life.users,
        life.enrollments,
        life.per_day,
        age / life.reference(),
        life.reference() / 3600.0,
        each.join(", ")
    );
    (age / life.reference(), late)
}

/// As a server judges: no window of any length holds more than its limit.
fn judge(arrivals: &[f64], limits: Limits) {
    for (window, limit) in [
        (1.0, limits.per_second),
        (60.0, limits.per_minute),
        (DAY, limits.per_day),
    ] {
        let mut first = 0;
        for (index, at) in arrivals.iter().enumerate() {
            while arrivals[first] <= at - window {
                first += 1;
            }
            assert!(
                (index - first) < limit as usize,
                "more than {limit} requests within {window} s at {at}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_life_is_within_two_percent_of_the_optimum() {
    let (ratio, _) = live(TYPICAL, 1.0).await;
    assert!(ratio <= 1.02, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn restarts_and_errors_cost_less_than_five_percent() {
    let (ratio, _) = live(
        Life {
            restarts_per_day: 3.0,
            errors: 0.02,
            ..TYPICAL
        },
        1.0,
    )
    .await;
    assert!(ratio <= 1.05, "{ratio}");
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_less_than_a_day_that_works() {
    let outage = Some((1.0, 2.0));
    let (_, requests) = live(
        Life {
            outage,
            days: 1,
            ..TYPICAL
        },
        1.0,
    )
    .await;
    assert!(requests < 450.0, "{requests} requests in vain");
    let (ratio, _) = live(
        Life {
            outage,
            days: 1,
            ..TYPICAL
        },
        2.1,
    )
    .await;
    assert!(ratio <= 1.1, "{ratio} two hours after the outage");
}

/// Larger accounts and quotas, for `cargo test --test freshness -- --ignored --nocapture`. With restarts and errors only
/// where a refresh is small beside the day: what is cut off at two fifths of the day's budget is that much lost.
#[tokio::test(start_paused = true)]
#[ignore = "takes ten minutes"]
async fn every_size_of_account() {
    for (users, enrollments, per_day, quiet, hard) in [
        (5_000, 20_000, 1_000, 1.02, Some(1.05)),
        (5_000, 20_000, 7_000, 1.02, Some(1.05)),
        (5_000, 60_000, 1_000, 1.02, Some(1.05)),
        (20_000, 200_000, 1_000, 1.15, None),
        (20_000, 200_000, 22_000, 1.02, Some(1.05)),
    ] {
        let life = Life {
            users,
            enrollments,
            per_day,
            days: 13,
            ..TYPICAL
        };
        let (ratio, _) = live(life, 1.0).await;
        assert!(ratio <= quiet, "{users}/{enrollments} at {per_day}: {ratio}");
        let Some(most) = hard else { continue };
        let life = Life {
            restarts_per_day: 3.0,
            errors: 0.02,
            ..life
        };
        let (ratio, _) = live(life, 1.0).await;
        assert!(
            ratio <= most,
            "{users}/{enrollments} at {per_day}, with restarts: {ratio}"
        );
    }
}
