//! Months of simulated organisations as Prometheus would have scraped them: OpenMetrics with timestamps.
//!
//! The real poller, budget, ledger and exposition run on a virtual clock against the simulator's plain door, one thread
//! an account. What the exposition says at each sample time is written with that time, so that
//! `promtool tsdb create-blocks-from openmetrics` makes the blocks of a Prometheus that has been there all along:
//!
//! ```text
//! cargo run --release --example history -- --days 400 OUTDIR
//! for file in OUTDIR/*.om; do promtool tsdb create-blocks-from --max-block-duration=486h openmetrics "$file" DATA; done
//! prometheus --storage.tsdb.path=DATA --storage.tsdb.retention.time=10y --query.lookback-delta=65m ...
//! ```
//!
//! Samples are an hour apart, and a minute apart at the end (`--dense`): with a minute all along the data would be
//! sixty times as much and show the same, as KnowBe4's numbers change a few times a day. Hence the lookback.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a tool for development, which panics when it fails"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use knowbe4_exporter::api::error::ApiError;
use knowbe4_exporter::api::headers::Headers;
use knowbe4_exporter::api::transport::{Answer, Call, Sending, Transport};
use knowbe4_exporter::budget::{AccountBudget, Limits, Permit};
use knowbe4_exporter::clock::Clock;
use knowbe4_exporter::config::{AccountConfig, KeySource, SegmentAttribute};
use knowbe4_exporter::exposition::{Encoding, Exposition};
use knowbe4_exporter::instrument::Instruments;
use knowbe4_exporter::model::AccountName;
use knowbe4_exporter::poll::{Heartbeat, Poller, Tools};
use knowbe4_exporter::secret::ApiKey;
use knowbe4_exporter::simulator::{Delivery, Dialect, Request, Scenario, Settings, Simulator};
use knowbe4_exporter::snapshot::Published;
use knowbe4_exporter::store::Storage;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// What is written in one file, and made one block of: a range of Prometheus's own, 2 h * 3^5.
const BLOCK: u64 = 486 * HOUR;

/// A file is closed when it holds this much, so that promtool and this program need little memory.
const MOST_BYTES: usize = 256 << 20;

/// Where the samples say that they come from.
const TARGET: &str = "instance=\"knowbe4-exporter:10524\",job=\"knowbe4\"";

/// An organisation, and what its account looks like.
#[derive(Clone)]
struct Organisation {
    name: &'static str,
    settings: Settings,
    /// Days before the end at which its scenario begins.
    origin: u64,
    /// Of a thousand requests a day, how many the exporter may have.
    share: f64,
    max_tests: usize,
}

fn organisations() -> Vec<Organisation> {
    // What goes wrong now and then: some refreshes fail, some answers say what nobody documented.
    let storms = (1..40).flat_map(|month| {
        let after = month * 7000;
        [
            format!("503:endpoint=users:after={}:count=12", month * 450),
            format!("429:after={after}:count=2:retry-after=60"),
            format!(
                "quirk=unknown-values:endpoint=training/enrollments:after={}:count=3",
                month * 900
            ),
        ]
    });
    let settings = |users: usize, seed, scenario| Settings {
        seed,
        users,
        enrollments: users * 10,
        scenario,
        ..Settings::default()
    };
    vec![
        Organisation {
            name: "acme",
            settings: Settings {
                faults: storms.map(|fault| fault.parse().unwrap()).collect(),
                ..settings(600, 1, Scenario::Normal)
            },
            origin: 1,
            share: 0.3,
            max_tests: 100,
        },
        Organisation {
            name: "globex",
            settings: Settings {
                groups: 12,
                ..settings(300, 2, Scenario::RisingRisk)
            },
            origin: 21,
            share: 0.25,
            max_tests: 60,
        },
        Organisation {
            name: "initech",
            settings: Settings {
                dialect: Dialect::Cursor,
                groups: 8,
                ..settings(120, 3, Scenario::Quiet)
            },
            origin: 1,
            share: 0.2,
            max_tests: 60,
        },
        Organisation {
            name: "umbrella",
            settings: Settings {
                groups: 6,
                faults: vec!["quirk=trial".parse().unwrap()],
                ..settings(60, 4, Scenario::FailedCampaign)
            },
            origin: 2,
            share: 0.2,
            max_tests: 60,
        },
    ]
}

/// The simulator without a socket.
struct Direct {
    simulator: Simulator,
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
                path: call.endpoint.path().to_owned(),
                query: query.join("&"),
                authorization: Some("Bearer key".to_owned()),
            };
            let answer = self.simulator.answer(&request, self.start.elapsed());
            // As slow as large answers are.
            sleep(Duration::from_millis(150 + answer.body.len() as u64 / 200)).await;
            if answer.delivery == Delivery::Hang {
                return Err(ApiError::Timeout(Duration::from_secs(30)));
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

/// The samples of one file, by family.
#[derive(Default)]
struct Chunk {
    families: BTreeMap<String, (String, String)>,
    order: Vec<String>,
    bytes: usize,
}

impl Chunk {
    /// Takes in an exposition at a time. Only families that `wanted` says are taken.
    fn add(&mut self, exposition: &str, at: u64, wanted: impl Fn(&str) -> bool) {
        let mut family: Option<&mut (String, String)> = None;
        let (mut name, mut fresh) = ("", false);
        for line in exposition.lines() {
            if let Some(header) = line.strip_prefix("# ") {
                let Some(of) = header.split(' ').nth(1) else {
                    continue;
                };
                if of != name {
                    name = of;
                    fresh = !self.families.contains_key(of);
                    if fresh && wanted(of) {
                        self.order.push(of.to_owned());
                    }
                    family = wanted(of).then(|| self.families.entry(of.to_owned()).or_default());
                }
                if let Some((headers, _)) = family.as_mut().filter(|_| fresh) {
                    headers.push_str(line);
                    headers.push('\n');
                }
            } else if let Some((_, samples)) = family.as_mut() {
                let before = samples.len();
                sample(samples, line, at);
                self.bytes += samples.len() - before;
            }
        }
    }

    fn write(&mut self, path: &Path) {
        let mut file = BufWriter::new(File::create(path).unwrap());
        for name in &self.order {
            let (headers, samples) = &self.families[name];
            file.write_all(headers.as_bytes()).unwrap();
            file.write_all(samples.as_bytes()).unwrap();
        }
        file.write_all(b"# EOF\n").unwrap();
        file.flush().unwrap();
        *self = Self::default();
    }
}

/// One line with the labels and the time that a scrape gives it.
fn sample(into: &mut String, line: &str, at: u64) {
    match line.split_once('{') {
        Some((name, rest)) => {
            into.push_str(name);
            into.push('{');
            into.push_str(TARGET);
            into.push(',');
            into.push_str(rest);
        }
        None => {
            let (name, value) = line.split_once(' ').unwrap();
            into.push_str(&format!("{name}{{{TARGET}}} {value}"));
        }
    }
    into.push_str(&format!(" {at}\n"));
}

/// What Prometheus itself says of a scrape, and a process that lives on the virtual clock.
fn about_the_target(begin: u64, at: u64, series: usize) -> String {
    let age = (at - begin) as f64;
    // A working set that breathes with the hour.
    let resident = 14e6 + 2e6 * (at as f64 / 5000.0).sin();
    format!(
        "# TYPE up gauge\nup 1\n# TYPE scrape_duration_seconds gauge\nscrape_duration_seconds 0.004\n\
         # TYPE scrape_samples_scraped gauge\nscrape_samples_scraped {series}\n\
         # TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {begin}\n\
         # TYPE process_cpu_seconds counter\nprocess_cpu_seconds_total {}\n\
         # TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {}\n\
         # TYPE process_virtual_memory_bytes gauge\nprocess_virtual_memory_bytes 150000000\n\
         # TYPE process_open_fds gauge\nprocess_open_fds 17\n# TYPE process_max_fds gauge\nprocess_max_fds 1024\n",
        age * 0.003,
        resident.round(),
    )
}

/// When samples are taken, and where they go.
#[derive(Clone)]
struct Span {
    begin: u64,
    /// From here on a minute apart.
    dense: u64,
    end: u64,
    out: PathBuf,
    storage: PathBuf,
}

async fn play(organisation: Organisation, span: Span, leads: bool) {
    let start = Instant::now();
    let clock = Clock::anchored(span.begin as f64);
    let simulator = Simulator::new(Settings {
        epoch: span.begin as i64,
        origin: Some((span.end - organisation.origin * DAY) as i64),
        ..organisation.settings
    });
    let account: AccountName = organisation.name.parse().unwrap();
    let key = ApiKey::new("key").unwrap();
    let mut config = AccountConfig::new(
        account.clone(),
        "https://simulated.example".parse().unwrap(),
        KeySource::Fixed(key.clone()),
    );
    config.budget.share = organisation.share;
    config.phishing.max_tests = organisation.max_tests;
    config.segments = vec![SegmentAttribute::Department, SegmentAttribute::Location];
    let storage = Storage::open(&span.storage.join(organisation.name)).unwrap();
    let instruments = Arc::new(Instruments::new(clock.now()));
    let published = Arc::<Published>::default();
    let exposition = Exposition::new(
        Arc::clone(&published),
        Arc::clone(&instruments),
        clock.clone(),
        Duration::from_secs(3 * DAY),
    );
    let store = Arc::new(storage.account(&account).unwrap());
    let limits = Limits {
        per_second: config.budget.requests_per_second,
        per_minute: config.budget.requests_per_minute,
        per_day: config.budget.per_day_limit(),
    };
    let own = instruments.account(&account);
    let budget = AccountBudget::open(&store, limits, clock.clone(), Arc::clone(&own)).unwrap();
    let read_key = key.clone();
    let poller = Poller::restore(Tools {
        config: Arc::new(config),
        transport: Arc::new(Direct { simulator, start }),
        budget: Arc::new(budget),
        store,
        instruments: own,
        published,
        clock,
        key,
        read_key: Arc::new(move || Ok(read_key.clone())),
        heartbeat: Arc::new(Heartbeat::default()),
    });
    let stop = CancellationToken::new();
    let sampling = async {
        let mut chunk = Chunk::default();
        let mut files = 0;
        let mut at = span.begin;
        while at <= span.end {
            sleep_until(start + Duration::from_secs(at - span.begin)).await;
            let whole = exposition.body(None, Encoding::OpenMetrics, false).unwrap();
            let whole = std::str::from_utf8(&whole).unwrap();
            // Those without an account are the same for all of them: the first account's thread writes them.
            let shared = |family: &str| {
                family.starts_with("knowbe4_exporter_build") || family.starts_with("knowbe4_exporter_config")
            };
            chunk.add(whole, at, |family| {
                !family.starts_with("process_") && (leads || !shared(family))
            });
            if leads {
                let about = about_the_target(span.begin, at, whole.lines().count());
                chunk.add(&about, at, |_| true);
            }
            let next = at + if at < span.dense { HOUR } else { 60 };
            if next / BLOCK != at / BLOCK || next > span.end || chunk.bytes > MOST_BYTES {
                chunk.write(&span.out.join(format!("{}-{files:03}.om", organisation.name)));
                files += 1;
                eprintln!("{}: {} days", organisation.name, (at - span.begin) / DAY);
            }
            at = next;
        }
        stop.cancel();
    };
    tokio::join!(poller.run(stop.clone()), sampling);
}

fn main() {
    let usage = "usage: history [--days N] [--dense HOURS] [--end UNIX_SECONDS] [--accounts A,B] OUTDIR";
    let mut options = BTreeMap::new();
    let mut out = None;
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.strip_prefix("--") {
            Some(name) => drop(options.insert(name.to_owned(), words.next().expect(usage))),
            None => out = Some(PathBuf::from(word)),
        }
    }
    let number = |name: &str, default: u64| {
        options
            .get(name)
            .map_or(default, |text| text.parse().expect(usage))
    };
    let out = out.expect(usage);
    fs::create_dir_all(&out).unwrap();
    let storage = tempfile::tempdir_in(&out).unwrap();
    let end = number("end", Clock::system().now() as u64) / HOUR * HOUR;
    let span = Span {
        begin: end - number("days", 400) * DAY,
        dense: end - number("dense", 48) * HOUR,
        end,
        out,
        storage: storage.path().to_owned(),
    };
    let wanted = |name: &str| {
        options
            .get("accounts")
            .is_none_or(|accounts| accounts.split(',').any(|account| account == name))
    };
    let threads: Vec<_> = organisations()
        .into_iter()
        .filter(|organisation| wanted(organisation.name))
        .enumerate()
        .map(|(index, organisation)| {
            let span = span.clone();
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .start_paused(true)
                    .build()
                    .unwrap();
                runtime.block_on(play(organisation, span, index == 0));
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
