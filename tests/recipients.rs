//! Who fails and who reports, from outside: numbers against raw rows, restarts, keys, broken tests, and nobody's name.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use support::*;

/// All rows of a listing, in whichever way it is paged.
fn rows(simulator: &Program, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut more = "cursor=true".to_owned();
    for page in 2.. {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("/v1/{path}{mark}per_page=500&{more}");
        let key = ("Authorization", "Bearer test-key-Zq");
        let answer = ask(simulator.address, "GET", &path, &[key]).unwrap();
        let rows = answer.json().as_array().unwrap().clone();
        let full = rows.len() == 500;
        all.extend(rows);
        match answer.headers.get("x-next-cursor") {
            Some(cursor) => more = format!("cursor={cursor}"),
            None if full && (page == 2 || !more.starts_with("cursor=")) => more = format!("page={page}"),
            None => break,
        }
    }
    all
}

/// An id, also in quotes.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn seconds(row: &Value, field: &str) -> Option<f64> {
    let time: jiff::Timestamp = row[field].as_str()?.parse().unwrap();
    Some(time.as_second() as f64)
}

const FAILURES: [&str; 6] = [
    "clicked_at",
    "replied_at",
    "attachment_opened_at",
    "macro_enabled_at",
    "data_entered_at",
    "qr_code_scanned",
];

fn failed(row: &Value) -> Option<f64> {
    let times = FAILURES.iter().filter_map(|field| seconds(row, field));
    times.min_by(f64::total_cmp)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (n > 0).then(|| f64::midpoint(values[(n - 1) / 2], values[n / 2]))
}

fn until_read(exporter: &mut Program) -> Samples {
    exporter.until_complete();
    exporter.until("all recipients are read", |samples| {
        samples.get("knowbe4_phishing_tests_unread", &[]) == Some(0.0)
            && samples
                .get("knowbe4_users_tested", &["window=\"365d\""])
                .is_some()
    })
}

fn recipients_asked(simulator: &Program) -> Vec<String> {
    let asked = asked(simulator);
    asked
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| path.contains("/recipients"))
        .collect()
}

fn numbers_are_those_of_the_rows(arguments: &[&str]) {
    let simulator = simulate(arguments);
    let site = Site::new();
    site.configure(&simulator.url(), "    segments: [department]\n");
    let mut exporter = site.serve();
    let samples = until_read(&mut exporter);
    let mut users = rows(&simulator, "users?status=active");
    users.retain(|user| user["status"] == "active");
    let active: BTreeSet<i64> = users.iter().filter_map(|user| number(&user["id"])).collect();
    let year = jiff::Timestamp::now().as_second() as f64 - 365.0 * 86_400.0;
    let mut delivered = 0_u64;
    let mut failed_tests = BTreeMap::<i64, u64>::new();
    let mut reported = BTreeSet::new();
    let mut of_department = BTreeMap::<String, u64>::new();
    let department: BTreeMap<i64, String> = users
        .iter()
        .filter_map(|user| Some((number(&user["id"])?, user["department"].as_str()?.to_owned())))
        .collect();
    let mut compared = 0;
    for test in rows(&simulator, "phishing/security_tests") {
        if seconds(&test, "started_at").is_none_or(|start| start < year) {
            continue;
        }
        let id = number(&test["pst_id"]).unwrap();
        let rows = rows(&simulator, &format!("phishing/security_tests/{id}/recipients"));
        for row in &rows {
            let user = number(&row["user"]["id"]).filter(|user| active.contains(user));
            delivered += u64::from(seconds(row, "delivered_at").is_some());
            if let Some(user) = user.filter(|_| seconds(row, "delivered_at").is_some()) {
                *failed_tests.entry(user).or_default() += u64::from(failed(row).is_some());
                if let Some(department) = department.get(&user) {
                    *of_department.entry(department.clone()).or_default() += 1;
                }
                if seconds(row, "reported_at").is_some() {
                    reported.insert(user);
                }
            }
        }
        // A running test goes on while it is looked at.
        if test["status"] != "Closed" {
            continue;
        }
        compared += 1;
        let label = format!("test_id=\"{id}\"");
        let value = |family: &str| samples.get(&format!("knowbe4_phishing_test_{family}"), &[&label]);
        let first = |of: &dyn Fn(&Value) -> Option<f64>| rows.iter().filter_map(of).min_by(f64::total_cmp);
        let sent = first(&|row| seconds(row, "delivered_at"));
        let report = |row: &Value| seconds(row, "reported_at");
        let delays = |of: &dyn Fn(&Value) -> Option<f64>| {
            let delay = |row: &Value| Some((of(row)? - seconds(row, "delivered_at")?).max(0.0));
            rows.iter().filter_map(delay).collect::<Vec<_>>()
        };
        let count = |of: &dyn Fn(&Value) -> bool| Some(rows.iter().filter(|row| of(row)).count() as f64);
        assert_eq!(
            value("recipients_failed"),
            count(&|row| failed(row).is_some()),
            "{id}"
        );
        let both = count(&|row| failed(row).is_some() && report(row).is_some());
        assert_eq!(value("recipients_failed_and_reported"), both, "{id}");
        let since = |time: Option<f64>| Some((time? - sent?).max(0.0));
        assert_eq!(value("first_failure_seconds"), since(first(&failed)), "{id}");
        assert_eq!(value("first_report_seconds"), since(first(&report)), "{id}");
        assert_eq!(value("median_failure_seconds"), median(delays(&failed)), "{id}");
        assert_eq!(value("median_report_seconds"), median(delays(&report)), "{id}");
    }
    assert!(compared > 5, "{compared} tests were compared");
    let year = |family: &str, more: &str| {
        let labels = ["window=\"365d\"", more];
        samples
            .get(family, &labels[..if more.is_empty() { 1 } else { 2 }])
            .unwrap()
    };
    // Running tests may have gone on by a few mails since.
    let near =
        |shown: f64, counted: u64| assert!((shown - counted as f64).abs() <= 3.0, "{shown} for {counted}");
    near(
        year("knowbe4_phishing_recipients", "outcome=\"delivered\""),
        delivered,
    );
    near(year("knowbe4_users_tested", ""), failed_tests.len() as u64);
    near(year("knowbe4_users_reported", ""), reported.len() as u64);
    for (tests, label) in ["0", "1", "2", "3", "4", "5+"].into_iter().enumerate() {
        let those = failed_tests
            .values()
            .filter(|failed| (**failed as usize).min(5) == tests);
        near(
            year("knowbe4_users_by_failed_tests", &format!("tests=\"{label}\"")),
            those.count() as u64,
        );
    }
    let tested = samples.sum("knowbe4_users_by_failed_tests", &["window=\"365d\""]);
    assert_eq!(tested, year("knowbe4_users_tested", ""));
    let mut departments = 0;
    for (department, mails) in of_department {
        let labels = [
            "window=\"365d\"",
            "outcome=\"delivered\"",
            &format!("segment=\"{department}\""),
        ];
        // A department of fewer than five is left out.
        if let Some(shown) = samples.get("knowbe4_segment_phishing_recipients", &labels) {
            near(shown, mails);
            departments += 1;
        }
    }
    assert!(departments > 0);
    assert!(
        !samples
            .of("knowbe4_group_phishing_recipients", &["window=\"30d\""])
            .is_empty()
    );
}

#[test]
fn numbers_are_those_of_the_rows_where_pages_are_numbered() {
    numbers_are_those_of_the_rows(&["--dialect=brief", "--users=700"]);
}

#[test]
fn numbers_are_those_of_the_rows_where_nothing_tells_of_pages() {
    numbers_are_those_of_the_rows(&["--dialect=recorded", "--users=120", "--fault=quirk=text-numbers"]);
}

#[test]
fn numbers_are_those_of_the_rows_where_pages_have_cursors() {
    numbers_are_those_of_the_rows(&["--dialect=cursor", "--users=600"]);
}

#[test]
fn a_restart_reads_nothing_again_and_another_key_all_of_it() {
    let simulator = simulate(&["--users=120"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    let before = until_read(&mut exporter);
    let read: BTreeSet<_> = recipients_asked(&simulator).into_iter().collect();
    assert_eq!(exporter.terminate(), Some(0));
    let parts = || {
        let files = files_below(&site.path("data"));
        files
            .into_iter()
            .filter(|path| path.to_string_lossy().contains("parts"))
            .count()
    };
    let kept = parts();
    assert!(kept > 5, "{kept} records");

    let mut exporter = site.serve();
    let after = until_read(&mut exporter);
    let tested = |samples: &Samples| samples.get("knowbe4_users_tested", &["window=\"365d\""]);
    assert_eq!(tested(&after), tested(&before));
    exporter.until("recipients were looked at", |samples| {
        let at = |samples: &Samples| {
            let labels = ["collector=\"recipients\""];
            samples.get(
                "knowbe4_exporter_collector_last_success_timestamp_seconds",
                &labels,
            )
        };
        at(samples) > at(&before)
    });
    let again = recipients_asked(&simulator).len() - read.len();
    assert!(
        again <= 3,
        "{again} readings after a restart: none but of running tests"
    );
    assert_eq!(exporter.terminate(), Some(0));

    site.write("key", "another-key-Zq");
    let mut exporter = site.serve();
    exporter.until_logged("another API key");
    exporter.until("all of it is read again", |samples| {
        samples.get("knowbe4_phishing_tests_unread", &[]) == Some(0.0)
            && recipients_asked(&simulator).len() >= 2 * read.len()
    });
    assert!(parts() >= 2 * kept, "what was set aside is still there");
}

#[test]
fn callback_tests_are_asked_for_by_their_own_name() {
    let simulator = simulate(&["--users=120"]);
    let site = Site::new();
    site.configure(&simulator.url(), "    phishing: { callback: true }\n");
    let mut exporter = site.serve();
    let samples = until_read(&mut exporter);
    let test = "test_id=\"9000000\"";
    let of = |family: &str| samples.get(&format!("knowbe4_phishing_test_{family}"), &[test]);
    // Five called, and one of them told something: five people. None of them reported.
    assert_eq!(of("recipients_failed"), Some(5.0));
    assert_eq!(of("recipients_failed_and_reported"), Some(0.0));
    assert_eq!(of("median_failure_seconds"), Some(180.0));
    assert_eq!(of("median_report_seconds"), Some(120.0));
}

/// What the share has spent is on disk before it is spent: whoever kills the process again and again gets no more.
#[test]
fn a_kill_in_the_middle_of_a_test_gives_nothing_of_the_share_back() {
    // Ten requests a day for what has ended, and each of them takes a while.
    let fault = "--fault=slow=1s:endpoint=phishing/security_tests";
    let simulator = simulate(&["--users=120", "--dialect=cursor", fault]);
    let site = Site::new();
    let share = "    phishing: { recipients_share: 0.0001 }\n";
    site.configure(&simulator.url(), share);
    let ended: Vec<_> = rows(&simulator, "phishing/security_tests")
        .into_iter()
        .filter(|test| test["status"] == "Closed")
        .map(|test| format!("/{}/recipients", test["pst_id"]))
        .collect();
    let of_ended = || {
        let asked = recipients_asked(&simulator);
        let of = |path: &&String| ended.iter().any(|test| path.contains(test));
        asked.iter().filter(of).count()
    };
    for _ in 0..3 {
        let before = of_ended();
        let mut exporter = site.serve();
        exporter.until("a test is being read", |_| of_ended() > before);
        exporter.kill();
    }
    let mut exporter = site.serve();
    exporter.until("the share is spent", |_| of_ended() >= 10);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert_eq!(of_ended(), 10);
}

#[test]
fn a_broken_test_delays_no_other() {
    let probe = simulate(&["--users=120", "--seed=7"]);
    let newest = rows(&probe, "phishing/security_tests")
        .into_iter()
        .filter(|test| test["status"] == "Closed")
        .max_by(|a, b| {
            seconds(a, "started_at")
                .unwrap()
                .total_cmp(&seconds(b, "started_at").unwrap())
        })
        .unwrap()["pst_id"]
        .as_i64()
        .unwrap();
    let fault = format!("--fault=404:endpoint=phishing/security_tests/{newest}/recipients");
    let simulator = simulate(&["--users=120", "--seed=7", &fault]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    let samples = exporter.until("all others are read", |samples| {
        samples.get("knowbe4_phishing_tests_unread", &[]) == Some(1.0)
    });
    assert!(samples.of("knowbe4_phishing_test_recipients_failed", &[]).len() > 5);
    assert!(
        samples
            .of("knowbe4_users_tested", &["window=\"365d\""])
            .is_empty(),
        "a window lacks a test"
    );
    let success = samples.get(
        "knowbe4_exporter_collector_success",
        &["collector=\"recipients\""],
    );
    assert_eq!(success, Some(1.0));
    let labels = ["collector=\"recipients\"", "reason=\"not_found\""];
    assert_eq!(
        samples.get("knowbe4_exporter_collector_failures_total", &labels),
        Some(1.0)
    );
    let status = exporter.get("/api/v1/status").text();
    assert!(
        status.contains(&format!("test {newest} can't be read")),
        "{status}"
    );
    assert!(status.contains("365d lacks 1"), "{status}");
}

#[test]
fn the_backlog_gets_its_share_of_the_day_and_the_newest_first() {
    let simulator = simulate(&["--users=120"]);
    let site = Site::new();
    site.configure(&simulator.url(), "    phishing: { recipients_share: 0.00005 }\n");
    let mut exporter = site.serve();
    exporter.until_all_succeed();
    // Five requests a day of 100,000.
    let asked = recipients_asked(&simulator);
    let tests = rows(&simulator, "phishing/security_tests");
    let now = jiff::Timestamp::now().as_second() as f64;
    let running = tests.iter().filter(|test| test["status"] != "Closed").count();
    assert!((5..=5 + running).contains(&asked.len()), "{asked:?}");
    let mut starts: Vec<_> = tests
        .iter()
        .filter_map(|test| Some((seconds(test, "started_at")?, test["pst_id"].as_i64()?)))
        .filter(|(start, _)| *start <= now)
        .collect();
    starts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let newest: BTreeSet<_> = starts
        .iter()
        .take(asked.len())
        .map(|(_, id)| id.to_string())
        .collect();
    let read: BTreeSet<_> = asked
        .iter()
        .filter_map(|path| Some(path.split('/').nth(4)?.to_owned()))
        .collect();
    assert_eq!(read, newest);
    let unread = exporter
        .scrape()
        .get("knowbe4_phishing_tests_unread", &[])
        .unwrap();
    assert!(unread > 5.0, "{unread}");
    let plan = String::from_utf8(site.run(&["plan"]).stdout).unwrap();
    assert!(plan.contains("phishing tests are still to be read"), "{plan}");
}

#[test]
fn nothing_of_a_person_is_on_disk_in_the_log_on_a_page_or_in_a_metric() {
    let simulator = simulate(&["--users=150"]);
    let site = Site::new();
    site.configure(&simulator.url(), "    segments: [department, location]\n");
    let mut exporter = site.serve_with(&["--log.level=trace"]);
    until_read(&mut exporter);
    let pages = ["/", "/status", "/metrics", "/api/v1/status", "/sd"].map(|path| exporter.get(path).text());
    let log = exporter.log();
    assert_eq!(exporter.terminate(), Some(0));
    let mut persons = BTreeSet::new();
    for user in rows(&simulator, "users") {
        persons.insert(user["id"].to_string());
        for field in ["first_name", "last_name", "email"] {
            persons.extend(
                user[field]
                    .as_str()
                    .filter(|text| text.len() > 3)
                    .map(str::to_owned),
            );
        }
    }
    assert!(persons.len() > 150);
    let found = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        persons.iter().find(|person| holds(&text, person)).cloned()
    };
    for (place, text) in ["/", "/status", "/metrics", "/api/v1/status", "/sd"]
        .iter()
        .zip(&pages)
    {
        assert_eq!(found(text.as_bytes()), None, "{place}");
    }
    assert_eq!(found(log.as_bytes()), None, "the log");
    let files = files_below(&site.path("data"));
    assert!(files.len() > 5);
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(found(&bytes), None, "{}", file.display());
        // Nor as a number in binary.
        for person in persons.iter().filter_map(|person| person.parse::<u64>().ok()) {
            let number = person.to_le_bytes();
            assert!(
                !bytes.windows(8).any(|window| window == number),
                "{}",
                file.display()
            );
        }
    }
}

/// Whether `text` holds `word`; a number only where no other digits stand around it.
fn holds(text: &str, word: &str) -> bool {
    let digits = word.bytes().all(|byte| byte.is_ascii_digit());
    text.match_indices(word).any(|(at, _)| {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit() || c == '.');
        let before = digit(text[..at].chars().next_back());
        let after = digit(text[at + word.len()..].chars().next());
        !digits || !(before || after)
    })
}
