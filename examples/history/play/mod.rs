//! Plays organisations on a virtual clock, and writes what would have been scraped.
//!
//! The real poller, budget, ledger and exposition run against the simulator's plain door: one thread an account, with a
//! runtime whose clock is paused and jumps from one event to the next.

mod chunk;
mod organisations;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use knowbe4_exporter::{
    AccountConfig, Answer, ApiError, ApiKey, Call, Clock, Exposition, FileStorage, Format, Headers,
    Instruments, KeySource, Poller, Published, SegmentAttribute, Sending, Storage as _, Tools, Transport,
    model::AccountName,
};
use knowbe4_simulator::{Delivery, Request, Settings, Simulator};
use quota::{Limits, Permit};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use self::chunk::{Chunk, about_the_target};
pub use self::organisations::{Organisation, organisations};

pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 60 * MINUTE;
pub const DAY: u64 = 24 * HOUR;

/// What is written in one file, and made one block of: a range of Prometheus's own, 2 h * 3^5.
const BLOCK: u64 = 486 * HOUR;

/// A file is closed when it holds this much, so that promtool and this program need little memory.
const MOST_BYTES: usize = 256 << 20;

/// When samples are taken, in unix seconds: an hour apart, those about the exporter itself maybe more often, and at the end
/// all a minute.
#[derive(Clone)]
pub struct Span {
    pub begin: u64,
    /// From here on a minute apart.
    pub dense: u64,
    pub end: u64,
    /// Seconds between samples about the exporter itself; a divisor of an hour.
    pub own: u64,
    /// Only these families are written.
    pub families: Option<BTreeSet<String>>,
    /// A folder for files.
    pub out: PathBuf,
}

/// Plays all of `organisations` at once, into `NAME-000.om` and so on.
pub fn play(organisations: Vec<Organisation>, span: &Span) {
    fs::create_dir_all(&span.out).unwrap();
    let threads: Vec<_> = organisations
        .into_iter()
        .enumerate()
        .map(|(index, organisation)| {
            let span = span.clone();
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .start_paused(true)
                    .build()
                    .unwrap();
                runtime.block_on(one(organisation, span, index == 0));
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
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
                path: call.path(),
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

async fn one(organisation: Organisation, span: Span, leads: bool) {
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
    let folder = tempfile::tempdir_in(&span.out).unwrap();
    let storage = FileStorage::at(folder.path());
    let instruments = Arc::new(Instruments::new(clock.now()));
    let published = Arc::<Published>::default();
    let exposition = Exposition::new(
        Arc::clone(&published),
        Arc::clone(&instruments),
        clock.clone(),
        Duration::from_secs(3 * DAY),
    );
    let lease = storage.lease(&account).await.unwrap();
    let limits = Limits {
        per_second: config.budget.requests_per_second,
        per_minute: config.budget.requests_per_minute,
        per_day: config.budget.per_day_limit(),
    };
    let own = instruments.account(&account);
    let budget = Arc::new(lease.budget(limits, clock.clone()).await.unwrap());
    own.spends_from(Some(Arc::clone(&budget)));
    let read_key = key.clone();
    let poller = Poller::restore(Tools {
        config: Arc::new(config),
        transport: Arc::new(Direct { simulator, start }),
        budget,
        lease,
        instruments: own,
        published,
        clock,
        key,
        read_key: Arc::new(move || Ok(read_key.clone())),
        heartbeat: Arc::default(),
        nudge: Arc::default(),
    })
    .await;
    let stop = CancellationToken::new();
    let sampling = async {
        let mut chunk = Chunk::default();
        let mut files = 0;
        let mut at = span.begin;
        while at <= span.end {
            sleep_until(start + Duration::from_secs(at - span.begin)).await;
            let whole = exposition.body(None, Format::OpenMetrics, false).unwrap();
            let whole = std::str::from_utf8(&whole).unwrap();
            // Those without an account are the same for all of them: the first account's thread writes them.
            let shared = |family: &str| {
                family.starts_with("knowbe4_exporter_build") || family.starts_with("knowbe4_exporter_config")
            };
            let named = |family: &str| {
                span.families
                    .as_ref()
                    .is_none_or(|families| families.contains(family))
            };
            let all = at >= span.dense || (at - span.begin).is_multiple_of(HOUR);
            let due = |family: &str| all || family == "knowbe4_up" || family.starts_with("knowbe4_exporter_");
            chunk.add(whole, at, |family| {
                !family.starts_with("process_") && (leads || !shared(family)) && named(family) && due(family)
            });
            if leads {
                let about = about_the_target(span.begin, at, whole.lines().count());
                chunk.add(&about, at, named);
            }
            let next = at + if at < span.dense { span.own } else { MINUTE };
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
