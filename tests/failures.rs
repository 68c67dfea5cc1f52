//! Every failure of the API over real sockets: its reason, what it costs, and that it is explained.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use knowbe4_exporter::{
    AccountInstruments, ApiError, ApiKey, Client, Clients, Clock, FileStorage, GroupRow, Https, Refresh, Row,
    Storage as _, Timeouts, UserRow,
    model::{AccountName, Collector, Endpoint, Reason},
};
use knowbe4_simulator::{Fault, Settings, Simulator};
use quota::{Budget, Limits};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const LIMITS: Limits = Limits {
    per_second: 1000,
    per_minute: 10_000,
    per_day: 100_000,
};

const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_millis(500),
    total: Duration::from_millis(500),
    slow_total: Duration::from_millis(500),
};

/// A client and the API that it asks.
struct Bench {
    client: Client,
    instruments: Arc<AccountInstruments>,
    budget: Arc<Budget>,
    simulator: Arc<Simulator>,
    _server: JoinSet<()>,
    _dir: tempfile::TempDir,
}

impl Bench {
    async fn new(faults: &str) -> Self {
        let faults: Vec<Fault> = faults
            .split(',')
            .filter(|f| !f.is_empty())
            .map(|f| f.parse().unwrap())
            .collect();
        let simulator = Arc::new(Simulator::new(Settings {
            faults,
            ..Settings::default()
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        let served = Arc::clone(&simulator);
        server.spawn(async move {
            knowbe4_simulator::serve(served, listener, std::future::pending())
                .await
                .unwrap()
        });
        Self::at(&base, simulator, server).await
    }

    async fn at(base: &str, simulator: Arc<Simulator>, server: JoinSet<()>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let account: AccountName = "acme".parse().unwrap();
        let lease = FileStorage::at(dir.path()).lease(&account).await.unwrap();
        let instruments = Arc::<AccountInstruments>::default();
        let clock = Clock::system();
        let budget = Arc::new(lease.budget(LIMITS, clock.clone()).await.unwrap());
        instruments.spends_from(Some(Arc::clone(&budget)));
        let transport = Https::new(
            &base.parse().unwrap(),
            ApiKey::new("key").unwrap(),
            &Clients::new(TIMEOUTS),
        )
        .unwrap();
        let client = Client::new(
            Arc::new(transport),
            Arc::clone(&budget),
            Arc::clone(&instruments),
            clock,
        );
        Self {
            client,
            instruments,
            budget,
            simulator,
            _server: server,
            _dir: dir,
        }
    }

    /// Reads all groups; their ids.
    async fn groups(&self) -> (Result<Vec<i64>, ApiError>, u64) {
        let mut refresh = Refresh::new(1.0, None);
        let mut ids = Vec::new();
        let mut fold = |row: GroupRow, _: &mut _| {
            ids.extend(row.id());
            Ok(())
        };
        let result = self
            .client
            .list(&mut refresh, Endpoint::Of(Collector::Groups), &[], &mut fold)
            .await;
        (result.map(|()| ids), refresh.requests())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_failure_has_its_reason_and_its_price() {
    let table = [
        ("400", Reason::BadRequest, 1),
        ("401", Reason::Unauthorized, 1),
        ("403", Reason::Forbidden, 1),
        ("404", Reason::NotFound, 1),
        ("302", Reason::BadRequest, 1),
        ("500", Reason::ServerError, 3),
        ("502-html", Reason::ServerError, 3),
        ("503", Reason::ServerError, 3),
        ("hang", Reason::Timeout, 3),
        ("slow=2s", Reason::Timeout, 3),
        ("endless", Reason::Timeout, 3),
        ("reset", Reason::Transport, 3),
        ("truncated", Reason::Decode, 1),
        ("not-json", Reason::Decode, 1),
        ("wrong-type", Reason::Decode, 1),
        ("429:retry-after=1", Reason::RateLimited, 3),
    ];
    let mut cases = JoinSet::new();
    for (fault, reason, requests) in table {
        cases.spawn(async move {
            let bench = Bench::new(fault).await;
            let (result, spent) = bench.groups().await;
            let error = result.expect_err(fault);
            // A body without end is cut by its size or by the time, whichever comes first.
            let expected = if fault == "endless" && error.reason() == Reason::Decode {
                (Reason::Decode, 1)
            } else {
                (reason, requests)
            };
            assert_eq!((error.reason(), spent), expected, "{fault}: {error}");
            assert_eq!(
                bench.simulator.log().len() as u64,
                spent,
                "{fault}: requests that nobody counted"
            );
            let counted: u64 = bench.instruments.read().requests.values().sum();
            assert_eq!(counted, spent, "{fault}");
            let failure = bench.client.explain(&error, Endpoint::Of(Collector::Groups));
            assert!(
                failure.cause.contains("/v1/groups") && failure.cure.len() > 10,
                "{fault}: {failure:?}"
            );
            assert_eq!(bench.instruments.read().up, Some(false), "{fault}");
        });
    }
    while let Some(case) = cases.join_next().await {
        case.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_holds_up_the_account_as_long_as_somebody_sees_to_it() {
    let bench = Bench::new("401:endpoint=groups").await;
    let mut refused = Refresh::new(1.0, None);
    let result = bench
        .client
        .list(
            &mut refused,
            Endpoint::Of(Collector::Groups),
            &[],
            &mut |_: GroupRow, _| Ok(()),
        )
        .await;
    assert_eq!(result.unwrap_err().reason(), Reason::Unauthorized);
    let mut other = Refresh::new(1.0, None);
    let mut fold = |_: UserRow, _: &mut _| Ok(());
    let users = bench
        .client
        .list(&mut other, Endpoint::Of(Collector::Users), &[], &mut fold);
    tokio::pin!(users);
    let meanwhile = tokio::time::timeout(Duration::from_millis(300), &mut users).await;
    assert!(
        meanwhile.is_err(),
        "nobody goes until it is known whose refusal it is"
    );
    // As it is when the poller that was to see to it is stopped.
    drop(refused);
    tokio::time::timeout(Duration::from_secs(10), users)
        .await
        .expect("held for ever")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_tried_again_and_yields_the_whole() {
    let (whole, _) = Bench::new("").await.groups().await;
    let whole = whole.unwrap();
    assert!(whole.len() > 20);
    for (fault, retries) in [
        ("500:count=2", 2),
        ("reset:count=1", 1),
        ("hang:count=1", 1),
        ("502-html:count=2", 2),
    ] {
        let bench = Bench::new(fault).await;
        let (result, _) = bench.groups().await;
        assert_eq!(result.unwrap(), whole, "{fault}");
        assert_eq!(
            bench.instruments.read().retries[&Endpoint::Of(Collector::Groups)],
            retries,
            "{fault}"
        );
        assert_eq!(bench.instruments.read().up, Some(true), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_pauses_for_as_long_as_it_says() {
    for (fault, least, most) in [
        ("429:retry-after=1:count=1", 1.0, 7.5),
        ("429:retry-after=date:count=1", 1.0, 9.0),
    ] {
        let bench = Bench::new(fault).await;
        let begun = Instant::now();
        bench.groups().await.0.unwrap();
        let waited = begun.elapsed().as_secs_f64();
        assert!((least..=most).contains(&waited), "{fault}: {waited}");
        assert_eq!(bench.instruments.read().throttled, 1, "{fault}");
    }
    let silent = Bench::new("429:retry-after=none").await;
    let refused = tokio::time::timeout(Duration::from_millis(300), silent.groups()).await;
    assert!(refused.is_err(), "it went on at once");
    let wait = silent.budget.wait().as_secs_f64();
    assert!((59.0..=65.1).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_429_that_persists_spends_the_day() {
    let bench = Bench::new("429:retry-after=1").await;
    assert!(bench.groups().await.0.is_err());
    assert_eq!(bench.budget.state().used[2], LIMITS.per_day);
    let (result, spent) = bench.groups().await;
    assert_eq!((result.expect_err("spent").reason(), spent), (Reason::Budget, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_a_transport_error_with_a_cure() {
    let simulator = || Arc::new(Simulator::new(Settings::default()));
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let nobody = Bench::at(&format!("http://127.0.0.1:{port}"), simulator(), JoinSet::new()).await;
    let error = nobody.groups().await.0.expect_err("nobody listens");
    assert_eq!(error.reason(), Reason::Transport);
    let unknown = Bench::at("https://knowbe4.invalid", simulator(), JoinSet::new()).await;
    let error = unknown.groups().await.0.expect_err("no such name");
    assert!(
        matches!(error.reason(), Reason::Transport | Reason::Timeout),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_no_tls_is_named_as_that() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let simulator = Arc::new(Simulator::new(Settings::default()));
    let mut server = JoinSet::new();
    let served = Arc::clone(&simulator);
    server.spawn(async move {
        knowbe4_simulator::serve(served, listener, std::future::pending())
            .await
            .unwrap()
    });
    let bench = Bench::at(&base, simulator, server).await;
    let error = bench.groups().await.0.expect_err("no TLS");
    assert_eq!(error.reason(), Reason::Transport);
    let failure = bench.client.explain(&error, Endpoint::Of(Collector::Groups));
    assert!(failure.cure.contains("without TLS"), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_rows_are_counted_and_fail_nothing() {
    let (whole, _) = Bench::new("").await.groups().await;
    let whole = whole.unwrap();
    for (quirk, kind) in [
        ("quirk=null-row", "null_row"),
        ("quirk=bad-row", "bad_row"),
        ("quirk=text-numbers", "number_as_text"),
        ("quirk=null-fields", "missing_field"),
        ("quirk=unknown-values", "unknown_value"),
    ] {
        let bench = Bench::new(quirk).await;
        let (result, _) = bench.groups().await;
        assert_eq!(result.unwrap(), whole, "{quirk}");
        let drift = bench.instruments.read().drift;
        assert!(
            drift
                .get(&(Endpoint::Of(Collector::Groups), kind.to_owned()))
                .is_some_and(|times| *times > 0),
            "{quirk}: {drift:?}"
        );
    }
}
