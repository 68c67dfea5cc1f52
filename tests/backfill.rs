//! `backfill`: years of history out of the same budget, as Prometheus takes it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and tells the time"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Output};
use std::time::SystemTime;

use support::{Program, Site, asked, has, simulate};

fn backfill(site: &Site, more: &[&str]) -> Output {
    let output = format!("--output={}", site.path("history.om").display());
    let mut arguments = vec!["backfill", &output];
    arguments.extend(more);
    site.run(&arguments)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Samples by series, with the time of each.
fn history(site: &Site) -> BTreeMap<String, Vec<(i64, f64)>> {
    let text = fs::read_to_string(site.path("history.om")).expect("written");
    assert!(text.ends_with("# EOF\n"));
    let mut series: BTreeMap<String, Vec<(i64, f64)>> = BTreeMap::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (rest, at) = line.rsplit_once(' ').unwrap();
        let (name, value) = rest.rsplit_once(' ').unwrap();
        assert!(
            name == last || !series.contains_key(name),
            "samples of a series stand together"
        );
        name.clone_into(&mut last);
        let samples = series.entry(name.to_owned()).or_default();
        let at = at.parse().unwrap();
        assert!(samples.last().is_none_or(|(before, _)| *before < at), "{line}");
        samples.push((at, value.parse().unwrap()));
    }
    series
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    now.as_secs() as i64
}

/// What the API itself says.
fn api(simulator: &Program, path: &str) -> serde_json::Value {
    let key = [("Authorization", "Bearer test-key-Zq")];
    support::ask(simulator.address, "GET", path, &key).unwrap().json()
}

#[test]
fn series_have_the_labels_of_the_scrape_and_the_values_of_the_api() {
    let simulator = simulate(&["--users", "60", "--groups", "5", "--enrollments", "50"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    let scraped: BTreeSet<String> = exporter.until_complete().0.into_keys().collect();
    assert_eq!(exporter.terminate(), Some(0));

    let output = backfill(&site, &["--since=60d", "--step=1h"]);
    assert!(output.status.success(), "{}", said(&output));
    let history = history(&site);
    let (newest, oldest) = (now() - 3 * 3600, now() - 60 * 86_400);
    for (series, samples) in &history {
        assert!(scraped.contains(series), "{series}");
        assert!(
            samples
                .iter()
                .all(|(at, _)| (oldest..=newest).contains(at) && at % 3600 == 0)
        );
    }
    let names: BTreeSet<_> = history.keys().map(|s| s.split('{').next().unwrap()).collect();
    for name in [
        "knowbe4_account_risk_score",
        "knowbe4_group_risk_score",
        "knowbe4_phishing_test_info",
        "knowbe4_phishing_test_phish_prone_ratio",
        "knowbe4_phishing_test_start_timestamp_seconds",
        "knowbe4_phishing_test_recipients_delivered",
        "knowbe4_phishing_test_failures",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    // The score of a day holds until the next one.
    let rows = api(
        &simulator,
        "/v1/account/risk_score_history?full=true&per_page=500&page=2",
    );
    let scores: BTreeMap<String, f64> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["date"].as_str().unwrap()[..10].to_owned(),
                row["risk_score"].as_f64().unwrap(),
            )
        })
        .collect();
    let account = &history[r#"knowbe4_account_risk_score{account="acme"}"#];
    assert!(account.len() > 57 * 24, "{}", account.len());
    let mut compared = 0;
    for (at, value) in account {
        let day = jiff::Timestamp::from_second(*at)
            .unwrap()
            .strftime("%F")
            .to_string();
        if let Some(score) = scores.get(&day) {
            assert!((score - value).abs() < 1e-9, "{day}: {score} {value}");
            compared += 1;
        }
    }
    assert!(compared > 1000, "{compared}");
}

#[test]
fn what_the_day_does_not_give_is_read_on_the_next() {
    let simulator = simulate(&["--users", "40", "--groups", "12", "--enrollments", "50"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let file = fs::read_to_string(site.path("config.yml")).unwrap();
    let small = file.replace("requests_per_day: 100000", "requests_per_day: 10");
    site.write("config.yml", &small);
    let output = backfill(&site, &["--since=30d", "--step=1h"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("run the same command again in"),
        "{}",
        said(&output)
    );
    assert!(!site.path("history.om").exists());
    assert_eq!(asked(&simulator).len(), 10);

    site.write("config.yml", &file);
    let output = backfill(&site, &["--since=30d", "--step=1h"]);
    assert!(output.status.success(), "{}", said(&output));
    let paths = asked(&simulator).into_iter().map(|(path, _)| path);
    let histories: Vec<_> = paths.filter(|path| path.contains("risk_score_history")).collect();
    let once: BTreeSet<_> = histories.iter().collect();
    assert!(
        histories.len() <= once.len() + 1,
        "only the history that the day's end cut is begun again: {histories:?}"
    );
    let groups: BTreeSet<_> = histories
        .iter()
        .filter_map(|path| path.strip_prefix("/v1/groups/")?.split('/').next())
        .collect();
    let found = history(&site);
    assert_eq!(
        found
            .keys()
            .filter(|s| s.starts_with("knowbe4_group_risk_score{"))
            .count(),
        groups.len()
    );
    let left: Vec<_> = support::files_below(&site.path("data"))
        .into_iter()
        .filter(|path| path.ends_with("backfill"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn one_history_that_fails_costs_no_other() {
    let simulator = simulate(&[
        "--users",
        "40",
        "--groups",
        "4",
        "--enrollments",
        "50",
        "--fault",
        "500:endpoint=/v1/groups/3001/risk_score_history",
    ]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let output = backfill(&site, &["--since=30d", "--step=1h"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("1 of the histories could not be read") && said.contains("id=3001"),
        "{said}"
    );
    let found = history(&site);
    let has = |group: &str| {
        found
            .keys()
            .any(|s| s.starts_with("knowbe4_group_risk_score{") && s.contains(group))
    };
    assert!(!has("3001") && has("3002") && has("3003"));
}

#[test]
fn wrong_words_are_refused_before_anything_is_asked() {
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    for (more, expected) in [
        (&["--account=nobody"][..], "expected one of acme"),
        (&["--since=soon"], "--since"),
        (&["--step=0"], "--step"),
        (&["--label=account=x"], "--label"),
    ] {
        let output = backfill(&site, more);
        assert_eq!(output.status.code(), Some(64), "{more:?}");
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
}

#[test]
fn prometheus_takes_it() {
    if !has("promtool", "apt-get install prometheus") {
        return;
    }
    let simulator = simulate(&["--users", "40", "--groups", "3", "--enrollments", "50"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let output = backfill(
        &site,
        &["--since=3d", "--label=job=knowbe4", "--label=instance=a:1"],
    );
    assert!(output.status.success(), "{}", said(&output));
    let file = fs::read_to_string(site.path("history.om")).unwrap();
    assert!(file.contains(r#"knowbe4_account_risk_score{job="knowbe4",instance="a:1",account="acme"} "#));
    let imported = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .arg(site.path("history.om"))
        .arg(site.path("blocks"))
        .output()
        .unwrap();
    assert!(imported.status.success(), "{}", said(&imported));
    assert!(
        fs::read_dir(site.path("blocks")).unwrap().count() > 20,
        "a block for each two hours"
    );
}

#[test]
fn the_demo_writes_its_own_year() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.om");
    let listen = format!("--web.listen-address=127.0.0.1:{}", support::free_port());
    let history = format!("--history={}", file.display());
    let small = ["--users=40", "--groups=3", "--enrollments=60"];
    let arguments = [&["demo", &listen, &history][..], &small[..]].concat();
    let demo = Program::start(&arguments, &[]);
    let text = fs::read_to_string(&file).expect("written before anything is served");
    assert!(text.ends_with("# EOF\n"));
    let risk = r#"knowbe4_account_risk_score{job="knowbe4",instance="localhost:10524",account="demo"} "#;
    let at = |line: &str| line.rsplit(' ').next().and_then(|at| at.parse::<i64>().ok());
    let times: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with(risk))
        .filter_map(at)
        .collect();
    let (first, last) = (times[0], times[times.len() - 1]);
    assert!(now() - first > 360 * 86_400, "a year");
    assert!(now() - last < 86_400, "until today");
    // What is served goes on where the file ends.
    let served = support::ask(demo.address, "GET", "/metrics", &[]).unwrap();
    assert_eq!(served.status, 200);
}
