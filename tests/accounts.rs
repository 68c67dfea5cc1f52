//! Many accounts in one process with the real binary: none touches another, and a reload touches what has changed.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use support::{COLLECTORS, Program, Samples, Site, ask, asked, files_below, simulate};

const BUDGET: &str =
    "{ requests_per_day: 100000, share: 1, requests_per_minute: 6000, requests_per_second: 100 }";

/// A configuration of accounts, each with its base URL and more YAML of its own.
fn configuration(accounts: &[(&str, String, &str)]) -> String {
    let entries = accounts.iter().map(|(name, url, more)| {
        format!("  - name: {name}\n    base_url: {url}\n    api_key_file: key-{name}\n{more}")
    });
    format!(
        "accounts:\n{}defaults: {{ budget: {BUDGET} }}\n",
        entries.collect::<String>()
    )
}

fn configure(site: &Site, accounts: &[(&str, String, &str)]) {
    for (name, _, _) in accounts {
        let key = site.path(&format!("key-{name}"));
        if !key.exists() {
            std::fs::write(&key, format!("test-key-Zq-{name}")).unwrap();
            std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
    }
    site.write("config.yml", &configuration(accounts));
}

fn label(account: &str) -> String {
    format!("account=\"{account}\"")
}

fn requests(samples: &Samples, account: &str) -> f64 {
    samples.sum("knowbe4_exporter_api_requests_total", &[&label(account)])
}

fn succeeded(samples: &Samples, account: &str) -> usize {
    let success = samples.of("knowbe4_exporter_collector_success", &[&label(account)]);
    success.iter().filter(|value| **value == 1.0).count()
}

fn until_complete(exporter: &mut Program, accounts: &[&str]) -> Samples {
    exporter.until("these accounts are complete", |samples| {
        let unread = |account: &&str| samples.get("knowbe4_phishing_tests_unread", &[&label(account)]);
        accounts
            .iter()
            .all(|account| succeeded(samples, account) == COLLECTORS && unread(account) == Some(0.0))
    })
}

/// Everything was read once; more recipients may follow.
fn until_read(exporter: &mut Program, accounts: &[&str]) -> Samples {
    exporter.until("these accounts were read", |samples| {
        accounts
            .iter()
            .all(|account| succeeded(samples, account) == COLLECTORS)
    })
}

fn of_account(samples: &Samples, account: &str) -> BTreeMap<String, f64> {
    let mut data = samples.data();
    // The score moves all the time, and two exporters never read it at the same moment.
    let moves = |series: &str| series.starts_with("knowbe4_account_risk_score");
    data.retain(|series, _| series.contains(&label(account)) && !moves(series));
    data
}

fn reload(address: std::net::SocketAddr) -> (u16, String) {
    let answer = ask(address, "POST", "/-/reload", &[]).unwrap();
    (answer.status, answer.text())
}

#[test]
fn bad_accounts_change_nothing_at_the_good_ones() {
    const GOOD: [&str; 9] = ["g1", "g2", "g3", "g4", "g5", "g6", "g7", "g8", "g9"];
    let often = "    collectors: { account: { interval: 2s } }\n";
    let good = simulate(&[]);
    let (refusing, throttling, hanging) = (
        simulate(&["--fault", "401"]),
        simulate(&["--fault", "429:retry-after=1"]),
        simulate(&["--fault", "hang"]),
    );
    let mut accounts: Vec<_> = GOOD.map(|name| (name, good.url(), often)).into();
    let alone = Site::new();
    configure(&alone, &accounts);
    // Among the good ones in every order of names.
    accounts.insert(0, ("a-refused", refusing.url(), often));
    accounts.insert(5, ("g4-throttled", throttling.url(), often));
    accounts.push(("z-hanging", hanging.url(), often));
    let together = Site::new();
    configure(&together, &accounts);
    let mut alone = alone.serve();
    let mut together = together.serve();

    until_complete(&mut alone, &GOOD);
    until_complete(&mut together, &GOOD);
    let (before_alone, before) = (alone.scrape(), together.scrape());
    sleep(Duration::from_secs(8));
    let (after_alone, after) = (alone.scrape(), together.scrape());
    for account in GOOD {
        assert_eq!(of_account(&after_alone, account), of_account(&after, account));
        assert_eq!(after.get("knowbe4_up", &[&label(account)]), Some(1.0));
        let since = |after: &Samples, before: &Samples| requests(after, account) - requests(before, account);
        // Four times in eight seconds, give or take one at each end, with or without the bad ones.
        for (times, who) in [
            (since(&after, &before), "together"),
            (since(&after_alone, &before_alone), "alone"),
        ] {
            assert!((3.0..=5.0).contains(&times), "{account} {who}: {times} refreshes");
        }
        let failures = after.sum("knowbe4_exporter_collector_failures_total", &[&label(account)]);
        assert_eq!(failures, 0.0, "{account}");
    }
    for account in ["a-refused", "g4-throttled", "z-hanging"] {
        assert_eq!(of_account(&after, account), BTreeMap::new());
    }
    assert!(asked(&refusing).len() <= 2, "{:?}", asked(&refusing));
    assert!(asked(&hanging).len() == 1, "{:?}", asked(&hanging));
    assert!(asked(&throttling).len() <= 3, "{:?}", asked(&throttling));
    assert_eq!(together.get("/-/healthy").status, 200);
    let started = Instant::now();
    assert_eq!(together.terminate(), Some(0));
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn a_hundred_accounts_begin_one_after_the_other_and_share_connections() {
    let names: Vec<String> = (0..100).map(|i| format!("customer-{i:02}")).collect();
    // Lengths that no server is known to cut pages at: those cost a request more.
    let simulator = simulate(&["--users", "36", "--enrollments", "60", "--groups", "2"]);
    let site = Site::new();
    let without = "    collectors: { recipients: { enabled: false } }\n";
    let accounts: Vec<_> = names
        .iter()
        .map(|name| (&**name, simulator.url(), without))
        .collect();
    configure(&site, &accounts);
    let mut exporter = site.serve();
    exporter.until("all are complete", |samples| {
        names
            .iter()
            .all(|name| succeeded(samples, name) == COLLECTORS - 1)
    });
    let log = simulator.get("/_simulator/requests").json();
    let mut times: Vec<f64> = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|request| request["elapsed_seconds"].as_f64().unwrap())
        .collect();
    times.sort_by(f64::total_cmp);
    assert_eq!(times.len(), 1000, "ten requests each, and no more");
    let first_second = times.iter().filter(|time| **time < times[0] + 1.0).count();
    assert!(
        first_second <= 500,
        "{first_second} of 1000 within the first second"
    );
    // One ledger each; connections are shared.
    let open = exporter.scrape().get("process_open_fds", &[]).unwrap();
    assert!(open < 100.0 + 60.0, "{open} open files for 100 accounts");
    let sd = exporter.get("/sd").json();
    assert_eq!(sd.as_array().unwrap().len(), 100);
    let one = Samples::parse(&exporter.get("/metrics?account=customer-42").text());
    assert!(
        one.0
            .keys()
            .all(|series| series.contains("account=\"customer-42\""))
    );
    assert_eq!(exporter.terminate(), Some(0));
}

#[test]
fn shards_part_the_accounts() {
    let simulator = simulate(&[]);
    let names: Vec<String> = (0..20).map(|i| format!("c{i}")).collect();
    let site = Site::new();
    let accounts: Vec<_> = names.iter().map(|name| (&**name, simulator.url(), "")).collect();
    configure(&site, &accounts);
    let of = |shard: &str, total: &str| -> Vec<String> {
        let plan = site.run(&["plan", "--format=json", "--shard", shard, "--total-shards", total]);
        let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
        let accounts = plan["accounts"].as_array().unwrap();
        accounts
            .iter()
            .map(|a| a["account"].as_str().unwrap().to_owned())
            .collect()
    };
    let parts: Vec<_> = ["0", "1", "2"].iter().map(|shard| of(shard, "3")).collect();
    let mut all = parts.concat();
    all.sort();
    let mut expected = names.clone();
    expected.sort();
    assert_eq!(all, expected);
    // A fourth shard takes from the others, and moves nothing between them.
    for (shard, part) in ["0", "1", "2"].iter().zip(&parts) {
        assert!(of(shard, "4").iter().all(|name| part.contains(name)));
    }
    // A shard without an account serves all the same.
    configure(&site, &accounts[..1]);
    let empty = (0..3)
        .find(|shard| of(&shard.to_string(), "3").is_empty())
        .unwrap();
    let exporter = site.serve_with(&["--shard", &empty.to_string(), "--total-shards=3"]);
    assert_eq!(exporter.get("/sd").text().trim(), "[]");
    assert_eq!(exporter.get("/-/ready").status, 200);
    assert!(
        exporter
            .scrape()
            .get("knowbe4_exporter_build_info", &[])
            .is_some()
    );
}

#[test]
fn a_change_leaves_the_others_alone_and_keeps_the_ledger() {
    let simulator = simulate(&[]);
    let url = || simulator.url();
    let site = Site::new();
    configure(
        &site,
        &[("acme", url(), ""), ("globex", url(), ""), ("initech", url(), "")],
    );
    let mut exporter = site.serve_with(&["--web.enable-lifecycle"]);
    let before = until_complete(&mut exporter, &["acme", "globex", "initech"]);
    let sent = asked(&simulator).len();

    // One is changed, one removed, one renamed; one is as it was.
    let small = "    budget: { requests_per_day: 5000 }\n    groups: { min_size: 100000 }\n    segments: [department]\n";
    configure(&site, &[("acme", url(), small), ("globex", url(), "")]);
    assert_eq!(reload(exporter.address).0, 200);
    let after = exporter.scrape();
    let limit = |samples: &Samples, account: &str| {
        samples.get(
            "knowbe4_exporter_budget_limit",
            &[&label(account), "window=\"24h\""],
        )
    };
    assert_eq!(limit(&after, "acme"), Some(5000.0));
    assert_eq!(limit(&after, "globex"), Some(100_000.0));
    assert!(
        after.0.keys().all(|series| !series.contains("initech")),
        "the removed account is still there"
    );
    assert_eq!(exporter.get("/metrics?account=initech").status, 404);
    // What became stricter hides at once, what was known stays, and none of it cost a request.
    let family = |samples: &Samples, name: &str| samples.of(name, &[&label("acme")]).len();
    assert!(family(&before, "knowbe4_group_risk_score") > 0);
    assert_eq!(family(&after, "knowbe4_group_risk_score"), 0);
    assert_eq!(
        family(&before, "knowbe4_group_info"),
        family(&after, "knowbe4_group_info")
    );
    assert_eq!(of_account(&before, "globex"), of_account(&after, "globex"));
    let used = after.get(
        "knowbe4_exporter_budget_used",
        &[&label("acme"), "window=\"24h\""],
    );
    assert_eq!(used, Some(requests(&before, "acme")));
    assert_eq!(requests(&after, "acme"), requests(&before, "acme"));
    let last = |samples: &Samples, account: &str| {
        samples.of(
            "knowbe4_exporter_collector_last_success_timestamp_seconds",
            &[&label(account)],
        )
    };
    assert_eq!(last(&before, "acme"), last(&after, "acme"));
    let next = |samples: &Samples| {
        samples.of(
            "knowbe4_exporter_collector_next_run_timestamp_seconds",
            &[&label("globex")],
        )
    };
    for (was, is) in next(&before).iter().zip(next(&after)) {
        assert!(
            (was - is).abs() < 1.0,
            "the phase of globex moved from {was} to {is}"
        );
    }
    sleep(Duration::from_secs(2));
    assert_eq!(asked(&simulator).len(), sent);

    // The one that comes back under a new name is another account.
    configure(
        &site,
        &[
            ("acme", url(), small),
            ("globex", url(), ""),
            ("hooli", url(), ""),
        ],
    );
    exporter.signal("HUP");
    until_complete(&mut exporter, &["hooli"]);
    assert_eq!(
        requests(&exporter.scrape(), "globex"),
        requests(&before, "globex")
    );
}

#[test]
fn accounts_that_a_reload_removes_leave_nothing_open() {
    let simulator = simulate(&["--users", "36", "--enrollments", "60", "--groups", "2"]);
    let names: Vec<String> = (0..20).map(|i| format!("customer-{i:02}")).collect();
    let site = Site::new();
    let accounts: Vec<_> = names.iter().map(|name| (&**name, simulator.url(), "")).collect();
    configure(&site, &accounts);
    let mut exporter = site.serve_with(&["--web.enable-lifecycle"]);
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    until_complete(&mut exporter, &all);
    let folder = site.path("data");
    let ledgers = |exporter: &Program| {
        let open = std::fs::read_dir(format!("/proc/{}/fd", exporter.pid())).unwrap();
        let targets = open.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
        targets
            .filter(|target| target.starts_with(&folder) && target.ends_with("ledger"))
            .count()
    };
    assert_eq!(ledgers(&exporter), 20);
    // Removed and added again and again: one open file for each account that is there.
    for _ in 0..3 {
        configure(&site, &accounts[..1]);
        assert_eq!(reload(exporter.address).0, 200);
        assert_eq!(ledgers(&exporter), 1);
        configure(&site, &accounts[..5]);
        assert_eq!(reload(exporter.address).0, 200);
        assert_eq!(ledgers(&exporter), 5);
    }
    assert_eq!(exporter.terminate(), Some(0));
}

#[test]
fn a_reload_that_fails_changes_nothing_at_all() {
    let simulator = simulate(&[]);
    let site = Site::new();
    configure(&site, &[("acme", simulator.url(), "")]);
    let mut exporter = site.serve_with(&["--web.enable-lifecycle"]);
    let before = until_complete(&mut exporter, &["acme"]);
    let sent = asked(&simulator).len();
    // A folder of the new account can't be made: a file is in its place.
    site.write("data/accounts/globex", "");
    let changed = "    budget: { requests_per_day: 5000 }\n    groups: { min_size: 100000 }\n";
    configure(
        &site,
        &[
            ("acme", simulator.url(), changed),
            ("globex", simulator.url(), ""),
        ],
    );
    let (status, said) = reload(exporter.address);
    assert_eq!(status, 500);
    assert!(
        said.contains("account globex") && said.contains("storage path"),
        "{said}"
    );
    let after = exporter.scrape();
    assert_eq!(before.data(), after.data());
    assert!(after.0.keys().all(|series| !series.contains("globex")));
    assert_eq!(
        after.get("knowbe4_exporter_budget_limit", &["window=\"24h\""]),
        Some(100_000.0)
    );
    let successful = "knowbe4_exporter_config_last_reload_successful";
    exporter.until("the failure shows", |samples| {
        samples.get(successful, &[]) == Some(0.0)
    });
    assert_eq!(exporter.get("/-/healthy").status, 200);
    exporter.until_logged("the last good one stays");
    // The same for a mistake, whose place is in the answer.
    site.write(
        "config.yml",
        &configuration(&[("acme", simulator.url(), "    regoin: EU\n")]),
    );
    let (status, said) = reload(exporter.address);
    assert!(
        status == 500 && said.contains("config.yml:5:5") && said.contains("region"),
        "{said}"
    );
    // And with the obstacle gone it is taken.
    std::fs::remove_file(site.path("data/accounts/globex")).unwrap();
    configure(
        &site,
        &[
            ("acme", simulator.url(), changed),
            ("globex", simulator.url(), ""),
        ],
    );
    assert_eq!(reload(exporter.address).0, 200);
    until_complete(&mut exporter, &["globex"]);
    let end = exporter.until("the success shows", |samples| {
        samples.get(successful, &[]) == Some(1.0)
    });
    assert_eq!(requests(&end, "acme"), sent as f64);
}

#[test]
fn stale_after_takes_effect_and_the_storage_path_says_that_it_cannot() {
    let simulator = simulate(&[]);
    let site = Site::new();
    let with = |more: &str| {
        configure(&site, &[("acme", simulator.url(), "")]);
        let file = std::fs::read_to_string(site.path("config.yml")).unwrap();
        site.write("config.yml", &format!("{file}{more}"));
    };
    with("storage: { path: data }\n");
    let file = format!("--config.file={}", site.path("config.yml").display());
    let mut exporter = Program::start(
        &[
            &file,
            "--web.listen-address=127.0.0.1:0",
            "--web.enable-lifecycle",
        ],
        &[],
    );
    let before = until_complete(&mut exporter, &["acme"]);
    sleep(Duration::from_secs(1));
    with("storage: { path: data }\nstale_after: 1s\n");
    assert_eq!(reload(exporter.address).0, 200);
    assert_eq!(exporter.scrape().data(), BTreeMap::new());
    with("storage: { path: elsewhere }\n");
    let (status, said) = reload(exporter.address);
    assert!(
        status == 500 && said.contains("elsewhere") && said.contains("restart"),
        "{said}"
    );
    assert_eq!(exporter.scrape().data(), BTreeMap::new(), "half of it was taken");
    with("storage: { path: data }\n");
    assert_eq!(reload(exporter.address).0, 200);
    assert_eq!(exporter.scrape().data(), before.data());
}

#[test]
fn reloads_at_once_during_refreshes_and_during_the_end_are_safe() {
    let simulator = simulate(&["--fault", "slow=0.3s"]);
    let site = Site::new();
    // Nothing is read for long: what is in the ledger and what has arrived are compared when all is quiet.
    let quiet = "    collectors: { recipients: { enabled: false } }\n";
    let budget = |n: usize| format!("{quiet}    budget: {{ requests_per_day: {n} }}\n");
    configure(
        &site,
        &[
            ("acme", simulator.url(), &budget(20_000)),
            ("globex", simulator.url(), quiet),
        ],
    );
    let mut exporter = site.serve_with(&["--web.enable-lifecycle"]);
    exporter.until("requests are on their way", |samples| {
        requests(samples, "acme") >= 2.0
    });
    configure(
        &site,
        &[
            ("acme", simulator.url(), &budget(30_000)),
            ("globex", simulator.url(), quiet),
        ],
    );
    let address = exporter.address;
    scope(|scope| {
        for _ in 0..20 {
            scope.spawn(move || assert_eq!(reload(address).0, 200));
        }
    });
    let samples = exporter.until("these accounts were read", |samples| {
        ["acme", "globex"]
            .iter()
            .all(|account| succeeded(samples, account) == COLLECTORS - 1)
    });
    let window = "window=\"24h\"";
    let of_acme = |family: &str| samples.get(family, &[&label("acme"), window]).unwrap();
    assert_eq!(of_acme("knowbe4_exporter_budget_limit"), 30_000.0);
    // The refresh that was cut off is in the ledger as well, and what it had recorded and not sent yet counts.
    let used = samples.sum("knowbe4_exporter_budget_used", &[window]);
    let arrived = asked(&simulator).len() as f64;
    assert!(
        (arrived..=arrived + 1.0).contains(&used),
        "{used} used, {arrived} arrived"
    );

    let ended = scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || while ask(address, "POST", "/-/reload", &[]).is_ok() {});
        }
        sleep(Duration::from_millis(200));
        exporter.terminate()
    });
    assert_eq!(ended, Some(0));
}

#[test]
fn a_refresh_that_the_end_cut_off_is_the_next_runs_first() {
    let simulator = simulate(&["--fault", "slow=0.3s"]);
    let site = Site::new();
    configure(&site, &[("acme", simulator.url(), "")]);
    let mut exporter = site.serve();
    exporter.until("requests are on their way", |samples| {
        requests(samples, "acme") >= 2.0
    });
    assert_eq!(exporter.terminate(), Some(0));
    let mut exporter = site.serve();
    exporter.until("requests are on their way", |samples| {
        requests(samples, "acme") >= 2.0
    });
    exporter.kill();
    until_read(&mut site.serve(), &["acme"]);
}

#[test]
fn another_server_is_asked_at_once_for_what_the_last_one_lacked() {
    let (wrong, right) = (simulate(&["--fault", "404"]), simulate(&[]));
    let site = Site::new();
    configure(&site, &[("acme", wrong.url(), "")]);
    let mut exporter = site.serve_with(&["--web.enable-lifecycle"]);
    let failures = "knowbe4_exporter_collector_failures_total";
    exporter.until("nothing is found", |samples| {
        samples.sum(failures, &[]) >= (COLLECTORS - 1) as f64
    });
    configure(&site, &[("acme", right.url(), "")]);
    assert_eq!(reload(exporter.address).0, 200);
    until_complete(&mut exporter, &["acme"]);
    drop(exporter);
    // The same over a restart.
    let site = Site::new();
    configure(&site, &[("acme", wrong.url(), "")]);
    let mut exporter = site.serve();
    exporter.until("nothing is found", |samples| {
        samples.sum(failures, &[]) >= (COLLECTORS - 1) as f64
    });
    assert_eq!(exporter.terminate(), Some(0));
    configure(&site, &[("acme", right.url(), "")]);
    until_complete(&mut site.serve(), &["acme"]);
}

#[test]
fn a_key_that_kubernetes_swaps_is_taken_up() {
    let simulator = simulate(&[]);
    let site = Site::new();
    let mount = |version: &str, key: &str| {
        let data = site.path(&format!("mount/..{version}"));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::write(data.join("acme"), key).unwrap();
        symlink(format!("..{version}"), site.path("mount/..data_tmp")).unwrap();
        std::fs::rename(site.path("mount/..data_tmp"), site.path("mount/..data")).unwrap();
    };
    mount("1", "test-key-Zq-1\n");
    symlink("..data/acme", site.path("mount/acme")).unwrap();
    site.write(
        "config.yml",
        &format!(
            "accounts:\n  - name: acme\n    base_url: {}\n    api_key_file: mount/acme\n",
            simulator.url()
        ),
    );
    let mut exporter = site.serve();
    exporter.until("requests are sent", |samples| requests(samples, "acme") >= 2.0);
    assert!(
        !exporter.log().contains("everybody may read"),
        "{}",
        exporter.log()
    );
    mount("2", "\u{feff}test-key-Zq-2\r\n");
    std::fs::remove_dir_all(site.path("mount/..1")).unwrap();
    exporter.until_logged("the key has changed");
    // A mount that is gone for a moment is no reason to forget the key.
    std::fs::rename(site.path("mount/..data"), site.path("mount/..gone")).unwrap();
    exporter.until_logged("the key can't be read again, the one in use stays");
    assert!(!exporter.log().contains("test-key-Zq"));
}

#[test]
fn a_key_that_becomes_another_accounts_is_not_taken_up() {
    let simulator = simulate(&[]);
    let site = Site::new();
    let accounts = [("acme", simulator.url(), ""), ("globex", simulator.url(), "")];
    configure(&site, &accounts);
    let mut exporter = site.serve();
    exporter.until("both are polled", |samples| {
        requests(samples, "acme") >= 2.0 && requests(samples, "globex") >= 2.0
    });
    std::fs::copy(site.path("key-acme"), site.path("key-globex")).unwrap();
    exporter.until_logged("the key is that of account acme as well");
    exporter.until_logged("the one in use stays");
}

#[test]
fn no_key_is_in_what_a_failing_account_says() {
    let refusing = simulate(&["--fault", "401"]);
    let plain = simulate(&[]);
    let site = Site::new();
    let not_tls = plain.url().replace("http://", "https://");
    let nobody = format!("https://127.0.0.1:{}", support::free_port());
    configure(
        &site,
        &[
            ("refused", refusing.url(), ""),
            ("not-tls", not_tls, ""),
            ("nobody", nobody, ""),
        ],
    );
    let mut exporter = site.serve_with(&["--log.level=trace"]);
    let failures = |samples: &Samples, account: &str| {
        samples.sum("knowbe4_exporter_collector_failures_total", &[&label(account)])
    };
    exporter.until("all fail", |samples| {
        ["refused", "not-tls", "nobody"]
            .iter()
            .all(|account| failures(samples, account) >= 1.0)
    });
    let mut texts = vec![("the log".to_owned(), exporter.log())];
    for page in ["/metrics", "/status", "/api/v1/status", "/sd"] {
        texts.push((page.to_owned(), exporter.get(page).text()));
    }
    for file in files_below(&site.path("data")) {
        let bytes = std::fs::read(&file).unwrap();
        texts.push((
            file.display().to_string(),
            String::from_utf8_lossy(&bytes).into_owned(),
        ));
    }
    for (place, text) in texts {
        assert!(!text.contains("test-key-Zq"), "the key is in {place}");
        assert!(!text.contains("Bearer"), "the key's header is in {place}");
    }
}
