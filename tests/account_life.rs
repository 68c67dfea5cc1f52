//! An account's life with the real binary: failing endpoints, refused keys, last good values.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use support::{COLLECTORS, Samples, Site, asked, simulate};

fn failures(samples: &Samples, reason: &str) -> f64 {
    samples.sum(
        "knowbe4_exporter_collector_failures_total",
        &[&format!("reason=\"{reason}\"")],
    )
}

#[test]
fn one_collectors_failure_stops_no_other() {
    let simulator = simulate(&[
        "--fault",
        "403:endpoint=training/policies,500:endpoint=groups,404:endpoint=training/store_purchases",
    ]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    let samples = exporter.until("the rest succeeds", |samples| {
        let success = samples.of("knowbe4_exporter_collector_success", &[]);
        success.len() == COLLECTORS && success.iter().filter(|value| **value == 1.0).count() == COLLECTORS - 3
    });
    for reason in ["forbidden", "server_error", "not_found"] {
        assert_eq!(failures(&samples, reason), 1.0, "{reason}");
    }
    assert!(samples.get("knowbe4_users", &[]).is_some());
    assert!(samples.of("knowbe4_group_info", &[]).is_empty());
    let next = |collector: &str| {
        let label = format!("collector=\"{collector}\"");
        samples
            .get("knowbe4_exporter_collector_next_run_timestamp_seconds", &[&label])
            .unwrap()
            - samples
                .get(
                    "knowbe4_exporter_collector_last_attempt_timestamp_seconds",
                    &[&label],
                )
                .unwrap()
    };
    assert!(
        next("policies") > 86_000.0 && next("store_purchases") > 86_000.0,
        "asked again too soon"
    );
    assert!(next("groups") < 120.0, "asked again too late");
}

#[test]
fn the_last_good_values_outlive_a_failure() {
    let simulator = simulate(&["--fault", "500:endpoint=account:after=1"]);
    let site = Site::new();
    site.configure(
        &simulator.url(),
        "    collectors: { account: { interval: 2s } }\n",
    );
    let mut exporter = site.serve();
    let before = exporter.until_complete();
    let after = exporter.until("the account fails", |samples| {
        failures(samples, "server_error") > 0.0
    });
    let labels = ["collector=\"account\""];
    let stamp = "knowbe4_exporter_collector_last_success_timestamp_seconds";
    assert_eq!(before.get(stamp, &labels), after.get(stamp, &labels));
    assert_eq!(
        after.get("knowbe4_exporter_collector_success", &labels),
        Some(0.0)
    );
    assert_eq!(
        before.get("knowbe4_account_risk_score", &[]),
        after.get("knowbe4_account_risk_score", &[])
    );
}

#[test]
fn a_refused_key_stops_the_account_until_it_changes() {
    let simulator = simulate(&["--fault", "401:count=1"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    exporter.until("the key is refused", |samples| {
        failures(samples, "unauthorized") >= 1.0
    });
    std::thread::sleep(std::time::Duration::from_secs(2));
    let refused = asked(&simulator).len();
    assert!(refused == 1, "{refused} requests with a refused key");
    assert_eq!(exporter.scrape().get("knowbe4_up", &[]), Some(0.0));
    let status = exporter.get("/status").text();
    assert!(status.contains("key"), "{status}");
    site.write("key", "another-key");
    exporter.until_complete();
    assert_eq!(exporter.scrape().get("knowbe4_up", &[]), Some(1.0));
}

#[test]
fn one_account_on_fire_leaves_the_others_alone() {
    let good = simulate(&[]);
    let bad = simulate(&["--fault", "429"]);
    let site = Site::new();
    site.configure(&good.url(), "");
    let one = std::fs::read_to_string(site.path("config.yml")).unwrap();
    let two: String = one
        .lines()
        .skip(1)
        .map(|line| {
            format!(
                "{}\n",
                line.replace("acme", "burning").replace(&good.url(), &bad.url())
            )
        })
        .collect();
    site.write("config.yml", &(one + &two));
    let mut exporter = site.serve();
    let samples = exporter.until("one account is complete, the other was asked", |samples| {
        let acme = samples.of("knowbe4_exporter_collector_success", &["account=\"acme\""]);
        let burning = samples.sum("knowbe4_exporter_api_throttled_total", &["account=\"burning\""]);
        acme.iter().filter(|value| **value == 1.0).count() == COLLECTORS && burning >= 1.0
    });
    assert_eq!(
        samples.get("knowbe4_exporter_api_throttled_total", &["account=\"burning\""]),
        Some(1.0)
    );
    assert!(samples.of("knowbe4_users", &["account=\"burning\""]).is_empty());
    assert_eq!(asked(&bad).len(), 1, "a 429 pauses the whole account");
}

#[test]
fn an_empty_user_list_is_no_number_of_users() {
    let simulator = simulate(&["--fault", "quirk=anonymised,quirk=trial,quirk=array-of-one"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    let samples = exporter.until_complete();
    assert_eq!(samples.get("knowbe4_users", &[]), None);
    assert_eq!(samples.get("knowbe4_account_seats", &[]), None);
    assert!(samples.get("knowbe4_account_risk_score", &[]).is_some());
    assert!(exporter.get("/status").text().contains("anonymised"));
}

#[test]
fn an_account_beyond_its_budget_gets_what_it_can() {
    let simulator = simulate(&["--users", "400", "--enrollments", "60000"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let file = std::fs::read_to_string(site.path("config.yml")).unwrap();
    // The whole listing needs 121 requests; the running campaigns' some 60.
    site.write(
        "config.yml",
        &file
            .replace("requests_per_day: 100000", "requests_per_day: 200")
            .replace("share: 1,", "share: 0.5,"),
    );
    let mut exporter = site.serve();
    let samples = exporter.until("all but enrollments succeed", |samples| {
        samples
            .of("knowbe4_exporter_collector_success", &[])
            .iter()
            .filter(|value| **value == 1.0)
            .count()
            >= 8
    });
    assert!(samples.get("knowbe4_users", &[]).is_some());
    exporter.until("what can't be had is said", |samples| {
        failures(samples, "budget") >= 1.0
    });
    assert!(asked(&simulator).len() <= 100);
}

#[test]
fn a_refresh_that_a_restart_cut_short_is_due_again_at_once() {
    for kill in [false, true] {
        let simulator = simulate(&["--fault", "hang:endpoint=users:count=1"]);
        let site = Site::new();
        site.configure(&simulator.url(), "");
        let mut exporter = site.serve();
        exporter.until("the account is read", |samples| {
            samples.get("knowbe4_account_risk_score", &[]).is_some()
        });
        while !asked(&simulator)
            .iter()
            .any(|(path, _)| path.starts_with("/v1/users"))
        {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        if kill {
            exporter.kill();
        } else {
            exporter.terminate();
        }
        site.serve().until_complete();
    }
}

#[test]
fn a_new_key_after_a_restart_resumes_everything() {
    // More refusals than requests that can be under way when the first one comes.
    let simulator = simulate(&["--fault", "401:after=4:count=12"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    exporter.until("the key is refused", |samples| {
        failures(samples, "unauthorized") >= 1.0
    });
    exporter.terminate();
    // Each restart may try the key once: it may be another one.
    let mut tried = 0;
    loop {
        let before = asked(&simulator).len();
        let mut exporter = site.serve();
        let samples = exporter.until("the key is tried", |samples| {
            failures(samples, "unauthorized") >= 1.0
                || samples.sum("knowbe4_exporter_api_requests_total", &["code=\"200\""]) >= 1.0
        });
        if failures(&samples, "unauthorized") == 0.0 {
            exporter.until_complete();
            break;
        }
        assert_eq!(asked(&simulator).len(), before + 1);
        exporter.kill();
        tried += 1;
    }
    assert!(tried > 0, "all refusals came at once");
}

#[test]
fn what_was_seen_in_metrics_outlives_a_kill() {
    let stamp = "knowbe4_exporter_collector_last_success_timestamp_seconds";
    for after in [0_usize, 1, 3, 6] {
        let simulator = simulate(&[]);
        let site = Site::new();
        site.configure(&simulator.url(), "");
        let mut exporter = site.serve();
        let seen = exporter.until("some are there", |samples| samples.of(stamp, &[]).len() > after);
        exporter.kill();
        drop(simulator);
        let restored = site.serve().scrape();
        for (series, value) in seen.0.iter().filter(|(series, _)| series.starts_with(stamp)) {
            assert!(
                restored.0.get(series).is_some_and(|again| again >= value),
                "{series} is lost"
            );
        }
        for series in seen.data().keys() {
            assert!(restored.0.contains_key(series), "{series} is lost");
        }
    }
}

#[test]
fn once_sends_nothing_that_the_budget_has_no_room_for() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let config = std::fs::read_to_string(site.path("config.yml")).unwrap();
    site.write(
        "config.yml",
        &config.replace("requests_per_day: 100000", "requests_per_day: 30"),
    );
    let enrollments = || {
        let asked = asked(&simulator);
        let of = asked
            .iter()
            .filter(|(path, _)| path.starts_with("/v1/training/enrollments"));
        of.count()
    };
    assert_eq!(site.run(&["once"]).status.code(), Some(0));
    let whole = enrollments();
    assert!(whole > 1);
    for _ in 0..3 {
        let run = site.run(&["once"]);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert_eq!(run.status.code(), Some(1), "{said}");
        assert!(said.contains("the budget has room again in"), "{said}");
        assert_eq!(enrollments(), whole, "a refresh was begun that could not end");
    }
    assert!(asked(&simulator).len() <= 30);
}

#[test]
fn an_estimate_beyond_the_budget_keeps_nothing_from_being_tried() {
    let simulator = simulate(&["--users", "2000", "--enrollments", "100"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let config = std::fs::read_to_string(site.path("config.yml")).unwrap();
    site.write(
        "config.yml",
        &config.replace("requests_per_day: 100000", "requests_per_day: 38"),
    );
    site.serve().until_all_succeed();
}
