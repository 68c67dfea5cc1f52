//! The main job over real HTTP: the real binary against the simulated API in every dialect.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::allow_attributes,
    reason = "a test panics when it fails, waits in real time, and says what it skips"
)]

mod support;

use std::time::{Duration, Instant};

use knowbe4_exporter::model::Collector;
use support::{Samples, Site, ask, asked, files_below, has, run, simulate};

const DIALECTS: [&str; 3] = ["brief", "recorded", "cursor"];

#[test]
fn every_dialect_yields_the_same_families() {
    let mut families = Vec::new();
    for dialect in DIALECTS {
        let simulator = simulate(&["--dialect", dialect, "--users", "1200", "--enrollments", "6000"]);
        let site = Site::new();
        site.configure(&simulator.url(), "    segments: [department]\n");
        let mut exporter = site.serve();
        let samples = exporter.until_complete();
        let mut names: Vec<String> = samples
            .data()
            .keys()
            .map(|series| series.split('{').next().unwrap().to_owned())
            .collect();
        names.dedup();
        names.sort();
        names.dedup();
        families.push(names);
        assert_eq!(samples.get("knowbe4_up", &[]), Some(1.0));
        assert!(
            samples.get("knowbe4_users", &[]).unwrap() > 1000.0,
            "{dialect}: pages are missing"
        );
        let refused = asked(&simulator)
            .into_iter()
            .filter(|(_, status)| *status != 200)
            .count();
        assert_eq!(refused, 0, "{dialect}");
    }
    assert_eq!(families[0], families[1]);
    assert_eq!(families[1], families[2]);
    assert!(families[0].len() > 30, "{:?}", families[0]);
}

#[test]
fn a_restart_serves_the_same_at_once_and_asks_nothing() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    exporter.until_complete();
    // Data is seen a moment before the success that it comes from, and kept by then.
    std::thread::sleep(Duration::from_secs(2));
    let before = exporter.scrape();
    let requests = asked(&simulator).len();
    exporter.kill();

    let mut exporter = site.serve();
    let after = exporter.scrape();
    assert_eq!(before.data(), after.data());
    assert_eq!(after.get("knowbe4_exporter_snapshot_restored", &[]), Some(1.0));
    // What there is to read of recipients is looked at anew, which asks nothing.
    let others = Collector::ALL
        .into_iter()
        .filter(|collector| *collector != Collector::Recipients);
    for collector in others {
        let label = format!("collector=\"{collector}\"");
        let family = "knowbe4_exporter_collector_last_success_timestamp_seconds";
        assert_eq!(
            before.get(family, &[&label]),
            after.get(family, &[&label]),
            "{collector}"
        );
    }
    let used = after
        .get("knowbe4_exporter_budget_used", &["window=\"24h\""])
        .unwrap();
    assert!(used >= requests as f64, "the ledger forgot: {used} of {requests}");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(asked(&simulator).len(), requests, "{}", exporter.log());
}

#[test]
fn the_servers_own_limits_are_never_hit() {
    let simulator = simulate(&["--users", "3000", "--enrollments", "12000"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let file = std::fs::read_to_string(site.path("config.yml")).unwrap();
    let limited = file.replace(
        "requests_per_minute: 6000, requests_per_second: 100",
        "requests_per_minute: 40, requests_per_second: 4",
    );
    site.write("config.yml", &limited);
    let mut exporter = site.serve();
    exporter.until("requests are sent", |samples| {
        samples.sum("knowbe4_exporter_api_requests_total", &[]) >= 20.0
    });
    let log = simulator.get("/_simulator/requests").json();
    let times: Vec<f64> = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["elapsed_seconds"].as_f64().unwrap())
        .collect();
    for (index, time) in times.iter().enumerate() {
        let within = |window: f64| times[..=index].iter().filter(|t| *time - **t < window).count();
        assert!(within(1.0) <= 4, "{times:?}");
        assert!(within(60.0) <= 40, "{times:?}");
    }
}

#[test]
fn the_day_is_kept_over_kills_and_restarts() {
    let simulator = simulate(&["--users", "3000", "--enrollments", "12000"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let file = std::fs::read_to_string(site.path("config.yml")).unwrap();
    site.write(
        "config.yml",
        &file.replace(
            "requests_per_day: 100000, share: 1,",
            "requests_per_day: 25, share: 0.8,",
        ),
    );
    for _ in 0..6 {
        let mut exporter = site.serve();
        exporter.until_logged("listening");
        std::thread::sleep(Duration::from_millis(400));
        exporter.kill();
    }
    let sent = asked(&simulator).len();
    assert!((1..=20).contains(&sent), "{sent} of 20");
}

#[test]
fn demo_shows_a_populated_page_within_ten_seconds() {
    let started = Instant::now();
    let mut demo = support::Program::start(&["demo", "--web.listen-address=127.0.0.1:0"], &[]);
    let samples = demo.until_complete();
    assert!(
        started.elapsed() < Duration::from_secs(10),
        "{:?}",
        started.elapsed()
    );
    assert!(samples.get("knowbe4_account_risk_score", &[]).unwrap() > 0.0);
    assert!(samples.data().len() > 100);
    let status = demo.get("/status");
    assert_eq!(status.status, 200);
    assert!(status.text().contains("enrollments"));
    assert_eq!(demo.terminate(), Some(0));
}

#[test]
fn once_prints_the_exposition_and_writes_files_whole() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let printed = site.run(&["once"]);
    assert_eq!(
        printed.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&printed.stderr)
    );
    let samples = Samples::parse(&String::from_utf8(printed.stdout).unwrap());
    assert!(samples.get("knowbe4_account_seats", &[]).is_some());
    let file = site.path("knowbe4.prom");
    let written = site.run(&["once", "--output", file.to_str().unwrap()]);
    assert_eq!(written.status.code(), Some(0));
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains("# TYPE knowbe4_account_seats gauge")
    );
}

#[test]
fn once_exits_1_when_a_collector_failed() {
    let simulator = simulate(&["--fault", "403:endpoint=training/policies"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let printed = site.run(&["once"]);
    assert_eq!(printed.status.code(), Some(1));
    let samples = Samples::parse(&String::from_utf8(printed.stdout).unwrap());
    assert_eq!(
        samples.get("knowbe4_exporter_collector_success", &["collector=\"policies\""]),
        Some(0.0)
    );
    assert_eq!(
        samples.get("knowbe4_exporter_collector_success", &["collector=\"users\""]),
        Some(1.0)
    );
}

#[test]
fn no_name_address_or_key_leaks_anywhere() {
    let simulator = simulate(&["--users", "300"]);
    let site = Site::new();
    site.configure(&simulator.url(), "    segments: [department]\n");
    let mut exporter = site.serve_with(&["--log.level=trace"]);
    exporter.until_complete();
    // Every name of the simulated organisation begins with "Zq".
    let mut texts = vec![("the log".to_owned(), exporter.log())];
    for page in ["/metrics", "/status", "/api/v1/status", "/sd", "/"] {
        texts.push((page.to_owned(), exporter.get(page).text()));
    }
    for (place, text) in texts {
        for secret in ["@example", "Zq"] {
            assert!(!text.contains(secret), "{secret} in {place}");
        }
    }
    // Two letters stand anywhere in binary data by chance: files are searched for whole words.
    let words = ["test-key-Zq", "@example", "Zqtitle", "Zqmanager", "Zqcomment"];
    for file in files_below(&site.path("data")) {
        let bytes = std::fs::read(&file).unwrap();
        for word in words.into_iter().chain(knowbe4_simulator::names()) {
            let found = bytes.windows(word.len()).any(|part| part == word.as_bytes());
            assert!(!found, "{word} in {}", file.display());
        }
    }
}

#[test]
fn both_encodings_satisfy_parsers_that_are_not_ours() {
    if !has("python3", "install Python 3 and `pip install prometheus_client`")
        || !has("promtool", "apt-get install prometheus")
    {
        return;
    }
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "    segments: [department, location]\n");
    let mut exporter = site.serve();
    exporter.until_complete();
    let open_metrics = ask(
        exporter.address,
        "GET",
        "/metrics",
        &[("Accept", "application/openmetrics-text;version=1.0.0")],
    )
    .unwrap();
    assert_eq!(
        open_metrics.headers["content-type"],
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    );
    let text = exporter.get("/metrics");
    assert_eq!(
        text.headers["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let (om, prom) = (site.path("om"), site.path("prom"));
    std::fs::write(&om, &open_metrics.body).unwrap();
    std::fs::write(&prom, &text.body).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/parse_exposition.py");
    let judged = std::process::Command::new("python3")
        .arg(script)
        .arg(&om)
        .arg(&prom)
        .output()
        .unwrap();
    // The script's way to say that the package is missing.
    if judged.status.code() == Some(77) && std::env::var_os("REQUIRE_OUTSIDE_COMPONENTS").is_none() {
        eprintln!("skipped: {}", String::from_utf8_lossy(&judged.stdout));
        return;
    }
    assert!(
        judged.status.success(),
        "{}{}",
        String::from_utf8_lossy(&judged.stdout),
        String::from_utf8_lossy(&judged.stderr)
    );
    let promtool = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("promtool check metrics < {}", prom.display()))
        .output()
        .unwrap();
    // Exit 3 is advice on style: group by le on gauges is what the contract asks for.
    assert!(
        matches!(promtool.status.code(), Some(0 | 3)),
        "{}",
        String::from_utf8_lossy(&promtool.stderr)
    );
}

#[test]
fn the_pages_answer_as_promised() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    exporter.until_complete();
    for (method, path, status) in [
        ("GET", "/", 200),
        ("GET", "/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/metrics?account=acme", 200),
        ("GET", "/metrics?account=nobody", 404),
        ("GET", "/status", 200),
        ("GET", "/api/v1/status", 200),
        ("GET", "/sd", 200),
        ("GET", "/-/healthy", 200),
        ("GET", "/-/ready", 200),
        ("POST", "/metrics", 405),
        ("GET", "/-/reload", 405),
        ("GET", "/nowhere", 404),
    ] {
        let answer = ask(exporter.address, method, path, &[]).unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(
            status == 405,
            answer.headers.contains_key("allow"),
            "{method} {path}"
        );
        assert!(method != "HEAD" || answer.body.is_empty());
    }
    let sd = exporter.get("/sd").json();
    assert_eq!(sd[0]["labels"]["__param_account"], "acme");
}

#[test]
fn health_finds_the_exporter_where_serve_listens() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let exporter = site.serve();
    let address = format!("--web.listen-address={}", exporter.address);
    assert_eq!(run(&["health", &address], &[]).status.code(), Some(0));
    exporter.kill();
    assert_eq!(run(&["health", &address], &[]).status.code(), Some(1));
}

#[test]
fn check_connect_explains_and_counts() {
    let simulator = simulate(&["--fault", "403:endpoint=training/policies"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let checked = site.run(&["check", "--connect"]);
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(
        said.contains("policies: FAILED (forbidden)") && said.contains("cure:") && said.contains("users: ok"),
        "{said}"
    );
    assert_eq!(asked(&simulator).len(), 10);
    assert!(said.contains("10 of 100000 used"), "{said}");
    assert_eq!(site.run(&["check"]).status.code(), Some(0));
}

#[test]
fn reload_swaps_whole_or_not_at_all() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve_with(&["--web.enable-lifecycle"]);
    let before = exporter.until_complete();
    let good = std::fs::read_to_string(site.path("config.yml")).unwrap();
    site.write("config.yml", "accounts: [oops]\n");
    let refused = ask(exporter.address, "POST", "/-/reload", &[]).unwrap();
    assert_eq!(refused.status, 500);
    assert_eq!(exporter.scrape().data(), before.data());
    exporter.until("the failure shows", |samples| {
        samples.get("knowbe4_exporter_config_last_reload_successful", &[]) == Some(0.0)
    });
    site.write("other", "another-key");
    let second = good.clone()
        + &good
            .lines()
            .skip(1)
            .map(|line| line.replace("name: acme", "name: globex"))
            .map(|line| format!("{}\n", line.replace("api_key_file: key", "api_key_file: other")))
            .collect::<String>();
    site.write("config.yml", &second);
    assert_eq!(
        ask(exporter.address, "POST", "/-/reload", &[]).unwrap().status,
        200
    );
    exporter.until("the new account succeeds", |samples| {
        samples
            .get("knowbe4_account_seats", &["account=\"globex\""])
            .is_some()
    });
    site.write("config.yml", &good);
    exporter.signal("HUP");
    exporter.until("the removed account is gone", |samples| {
        samples
            .of("knowbe4_exporter_collector_success", &["globex"])
            .is_empty()
    });
    let after = exporter.scrape();
    let requests =
        |samples: &Samples| samples.sum("knowbe4_exporter_api_requests_total", &["account=\"acme\""]);
    assert_eq!(
        requests(&before),
        requests(&after),
        "the unchanged account was disturbed"
    );
}
