//! Several replicas on one PostgreSQL: the real program, a real database, and the simulated API as the judge of what
//! arrives.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    clippy::print_stderr,
    reason = "a test panics when it fails, and waits in real time"
)]

mod answers;
mod copies;
mod counters;
mod failover;
mod gates;
mod mistakes;
mod postgres;
mod replica;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod versions;

use std::thread::sleep;
use std::time::{Duration, Instant};

use postgres::Postgres;
use replica::{replica, site};
use support::*;

/// Long enough for a replica to be found dead and its accounts to be spread anew.
const SPREAD: Duration = Duration::from_secs(60);

/// Within this the accounts of a dead replica are polled by others.
const TAKEOVER: Duration = Duration::from_secs(20);

/// Accounts and the replicas that hold them: those that live.
const HOLDERS: &str = "SELECT a.name || ' ' || r.name FROM knowbe4_exporter.account a \
    JOIN knowbe4_exporter.replica r ON r.id = a.holder WHERE r.expires > clock_timestamp() ORDER BY 1";

fn until(what: &str, patience: Duration, ready: impl Fn() -> bool) {
    let deadline = Instant::now() + patience;
    while !ready() {
        assert!(Instant::now() < deadline, "never within {patience:?}: {what}");
        sleep(Duration::from_millis(100));
    }
}

/// Accounts and the living replicas that hold them.
fn holders(postgres: &Postgres) -> Vec<String> {
    postgres.ask(HOLDERS)
}

/// How many accounts the replica holds.
fn held(postgres: &Postgres, replica: &Program) -> usize {
    let holders = holders(postgres);
    let name = format!(":{}", replica.pid());
    holders.iter().filter(|line| line.ends_with(&name)).count()
}

fn accounts_served(replica: &Program) -> usize {
    replica.scrape().of("knowbe4_account_seats", &[]).len()
}

#[test]
fn accounts_spread_evenly_and_every_replica_answers_for_all_of_them() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    let site = site(&simulator, 6, "");
    let first = replica(&site, &postgres);
    until("the first holds all", SPREAD, || held(&postgres, &first) == 6);
    let second = replica(&site, &postgres);
    let third = replica(&site, &postgres);
    let even = |replicas: &[&Program], each: usize| replicas.iter().all(|one| held(&postgres, one) == each);
    until("two each", SPREAD, || even(&[&first, &second, &third], 2));
    for (which, replica) in [&first, &second, &third].into_iter().enumerate() {
        until(&format!("replica {which} serves all"), SPREAD, || {
            accounts_served(replica) == 6
        });
        until(&format!("replica {which} says what it holds"), SPREAD, || {
            let samples = replica.scrape();
            let held = samples.of("knowbe4_exporter_account_held", &[]);
            let here = held.iter().filter(|held| **held == 1.0).count();
            let counted = samples.get("knowbe4_exporter_replica_accounts", &[]);
            (held.len(), here, counted) == (6, 2, Some(2.0))
        });
    }
    let status = third.get("/api/v1/status").json();
    let accounts = status["accounts"].as_array().unwrap();
    let named: Vec<_> = accounts.iter().map(|one| &one["holder"]).collect();
    assert_eq!(named.iter().filter(|holder| holder["here"] == true).count(), 2);
    for holder in named {
        assert!(
            holder["replica"].is_string() && holder["since"]["unix"].is_number(),
            "{holder}"
        );
    }
    assert!(third.get("/status?account=a0").text().contains("polls it since"));

    first.kill();
    until("the dead one's accounts are held", TAKEOVER, || {
        holders(&postgres).len() == 6
    });
    until("three each", SPREAD, || even(&[&second, &third], 3));
    assert_eq!((accounts_served(&second), accounts_served(&third)), (6, 6));

    // Who ends hands over at once: no lease has to run out.
    assert_eq!(second.terminate(), Some(0));
    until("the last holds all", Duration::from_secs(8), || {
        held(&postgres, &third) == 6
    });
    assert_eq!(accounts_served(&third), 6);

    // A single run beside it takes what it asks for, and has no share of the rest.
    postgres.ask(
        "INSERT INTO knowbe4_exporter.replica (id, name, expires, version) \
         VALUES ('once', 'once:1', clock_timestamp() + interval '1 hour', '1')",
    );
    sleep(Duration::from_secs(6));
    assert_eq!(held(&postgres, &third), 6);
    until("only replicas are counted", SPREAD, || {
        third.scrape().get("knowbe4_exporter_replicas", &[]) == Some(1.0)
    });
}

/// When each request arrived, in seconds.
fn arrivals(simulator: &Program) -> Vec<f64> {
    let log = simulator.get("/_simulator/requests").json();
    let requests = log["requests"].as_array().unwrap();
    requests
        .iter()
        .map(|request| request["elapsed_seconds"].as_f64().unwrap())
        .collect()
}

/// As a server judges: no window holds more than its limit.
fn judge(arrivals: &[f64]) {
    for (window, limit) in [(1.0, 10), (60.0, 50)] {
        for (index, at) in arrivals.iter().enumerate() {
            let within = arrivals[..=index]
                .iter()
                .filter(|other| **other > at - window)
                .count();
            assert!(within <= limit, "{within} requests within {window} s at {at}");
        }
    }
}

#[test]
fn no_window_is_exceeded_by_kills_pauses_and_a_database_that_goes_away() {
    let Some(mut postgres) = Postgres::start() else {
        return;
    };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    // More than a minute holds is due.
    let budget = "    budget: { requests_per_day: 200000, share: 1, requests_per_minute: 50, requests_per_second: 10 }\n    \
                  collectors: { account: { interval: 1s }, groups: { interval: 5s }, recipients: { enabled: false } }\n";
    let site = site(&simulator, 1, budget);
    let mut replicas: Vec<_> = (0..3).map(|_| replica(&site, &postgres)).collect();
    let holder = |postgres: &Postgres, replicas: &[Program]| {
        replicas.iter().position(|replica| held(postgres, replica) == 1)
    };
    let polls_within = |patience, postgres: &Postgres, replicas: &[Program], than: Option<u32>| {
        let before = arrivals(&simulator).len();
        until("another polls", patience, || {
            let holder = holder(postgres, replicas).map(|place| replicas[place].pid());
            holder.is_some() && holder != than && arrivals(&simulator).len() > before
        });
        // For long enough to fill a minute.
        until("it goes on", SPREAD, || arrivals(&simulator).len() > before + 12);
    };
    let another_polls = |postgres: &_, replicas: &_, than| polls_within(TAKEOVER, postgres, replicas, than);
    another_polls(&postgres, &replicas, None);

    // Stopped for longer than a lease: what it does afterwards is nothing.
    let stopped = holder(&postgres, &replicas).unwrap();
    let pid = replicas[stopped].pid();
    replicas[stopped].signal("STOP");
    another_polls(&postgres, &replicas, Some(pid));
    replicas[stopped].signal("CONT");
    replicas[stopped].until_logged("lost=true");

    let killed = holder(&postgres, &replicas).unwrap();
    let pid = replicas[killed].pid();
    replicas.remove(killed).kill();
    replicas.push(replica(&site, &postgres));
    another_polls(&postgres, &replicas, Some(pid));

    // Without the database nothing is sent, and everything goes on being served.
    postgres.down();
    sleep(Duration::from_secs(1));
    let before = arrivals(&simulator).len();
    let polling = &replicas[0];
    until("it is seen", TAKEOVER, || {
        let writable = |replica: &Program| replica.scrape().get("knowbe4_exporter_ledger_writable", &[]);
        replicas.iter().any(|replica| writable(replica) == Some(0.0))
    });
    assert_eq!(arrivals(&simulator).len(), before, "sent without a record");
    for path in ["/-/healthy", "/-/ready"] {
        assert_eq!(polling.get(path).status, 200, "{path}");
    }
    assert_eq!(accounts_served(polling), 1);
    postgres.up();
    polls_within(SPREAD, &postgres, &replicas, None);

    let arrivals = arrivals(&simulator);
    assert!(arrivals.len() > 30, "{}", arrivals.len());
    judge(&arrivals);
}

#[test]
fn a_database_that_went_back_in_time_frees_nothing() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&["--users", "50", "--enrollments", "100", "--groups", "2"]);
    let site = site(
        &simulator,
        1,
        "    collectors: { recipients: { enabled: false } }\n",
    );
    let mut replica = replica(&site, &postgres);
    let used = |samples: &Samples| samples.get("knowbe4_exporter_budget_used", &["window=\"24h\""]);
    let before = replica.until("it has polled", |samples| {
        let success = samples.of("knowbe4_exporter_collector_success", &[]);
        success.iter().filter(|value| **value == 1.0).count() == COLLECTORS - 1
    });
    // Another one takes the account over, and knows nothing of what was asked.
    let second = crate::replica(&site, &postgres);
    until("both live", SPREAD, || {
        postgres
            .ask("SELECT 1 FROM knowbe4_exporter.replica WHERE expires > clock_timestamp()")
            .len()
            == 2
    });
    // As it was before anything was asked.
    postgres.ask(
        "DELETE FROM knowbe4_exporter.request; UPDATE knowbe4_exporter.account SET holder = NULL, fence = 0",
    );
    replica.until_logged("another process polls it");
    until("it is polled again", TAKEOVER, || {
        held(&postgres, &replica) + held(&postgres, &second) == 1
    });
    let spent = || postgres.ask("SELECT 1 FROM knowbe4_exporter.request").len() as f64;
    until("what was spent is written back", TAKEOVER, || {
        Some(spent()) >= used(&before)
    });
    let holder = if held(&postgres, &second) == 1 {
        second
    } else {
        replica
    };
    until("the budget is the holder's", TAKEOVER, || {
        used(&holder.scrape()) >= used(&before)
    });
    assert!(used(&before) >= Some(9.0));
}
