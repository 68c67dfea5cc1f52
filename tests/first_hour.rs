//! The first hour with the real binary: what `check`, `check --connect` and `plan` say before and while it runs.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;

use serde_json::Value;
use support::certificates::{Says, self_signed};
use support::{COLLECTORS, Program, Site, ask, asked, command, free_port, simulate};

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Runs a command in a folder of its own, with nothing but `env`.
fn first(arguments: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = command(arguments, env);
    let output = command.current_dir(dir.path()).output().unwrap();
    assert_eq!(
        dir.path().read_dir().unwrap().count(),
        0,
        "{arguments:?} left something behind"
    );
    (output.status.code(), said(&output))
}

fn plan(arguments: &[&str]) -> (Option<i32>, Value) {
    let all = [&["plan", "--format=json"], arguments].concat();
    let (code, text) = first(&all, &[]);
    (
        code,
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}")),
    )
}

#[test]
fn a_plan_needs_no_key_and_no_file() {
    let sizes = ["--users=5000", "--enrollments=20000", "--groups=50"];
    let (code, plan) = plan(&sizes);
    assert_eq!(code, Some(0));
    let account = &plan["accounts"][0];
    assert_eq!(account["account"], "default");
    assert_eq!(
        (account["limit"].as_u64(), account["fits"].as_bool()),
        (Some(800), Some(true))
    );
    let collectors = account["collectors"].as_array().unwrap();
    assert_eq!(collectors.len(), COLLECTORS);
    let mut sum = 0.0;
    for collector in collectors {
        let number = |key: &str| {
            collector[key]
                .as_f64()
                .unwrap_or_else(|| panic!("{key} of {collector}"))
        };
        assert!(collector["collector"].is_string());
        let (cost, interval, day) = (
            number("requests_per_refresh"),
            number("interval_seconds"),
            number("requests_per_day"),
        );
        assert!((cost * 86_400.0 / interval - day).abs() < 1e-6, "{collector}");
        assert_eq!(number("requests_per_day_if_hourly"), 24.0 * cost);
        assert_eq!(number("mean_age_seconds"), interval / 2.0);
        sum += day;
    }
    assert!((account["requests_per_day"].as_f64().unwrap() - sum).abs() < 1e-6 && sum <= 800.0);
    let cost = |name: &str| {
        let found = collectors
            .iter()
            .find(|collector| collector["collector"] == name)
            .unwrap();
        found["requests_per_refresh"].as_u64().unwrap()
    };
    assert_eq!((cost("users"), cost("enrollments"), cost("groups")), (10, 40, 1));
    // The more requests there are, the shorter the intervals.
    let interval = |collectors: &Value, name: &str| {
        let collectors = collectors.as_array().unwrap();
        let found = collectors
            .iter()
            .find(|collector| collector["collector"] == name)
            .unwrap();
        found["interval_seconds"].as_f64().unwrap()
    };
    let what_if = account["what_if"].as_array().unwrap();
    let quotas: Vec<_> = what_if
        .iter()
        .map(|other| other["quota"].as_u64().unwrap())
        .collect();
    assert_eq!(quotas, [500, 2000]);
    let here = interval(&account["collectors"], "enrollments");
    assert!(interval(&what_if[0]["collectors"], "enrollments") > here);
    assert!(interval(&what_if[1]["collectors"], "enrollments") < here);
    // What another quota promises is what a plan with it says.
    let (_, twice) = self::plan(&[&sizes[..], &["--requests-per-day=2000"]].concat());
    assert_eq!(
        interval(&twice["accounts"][0]["collectors"], "users"),
        interval(&what_if[1]["collectors"], "users")
    );
    let (code, table) = first(&["plan", "--users=5000"], &[]);
    assert_eq!(code, Some(0));
    for words in [
        "enrollments",
        "10 (given)",
        "(estimated)",
        "every hour would be",
        "were the quota 2000",
        "at most as old",
    ] {
        assert!(table.contains(words), "{words} not in\n{table}");
    }
}

#[test]
fn a_plan_that_does_not_fit_is_exit_3_and_shows_what_would() {
    let site = Site::new();
    // The key isn't there yet, and a plan doesn't miss it.
    site.write(
        "config.yml",
        "accounts: [{ name: acme, api_key_file: /no/such/key }]\ndefaults: { collectors: { enrollments: { interval: 1h } } }\n",
    );
    let sizes = ["plan", "--users=5000", "--enrollments=50000"];
    let output = site.run(&sizes);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("does not fit"), "{}", said(&output));
    let more = site.run(&[&sizes[..], &["--requests-per-day=7000"]].concat());
    assert_eq!(more.status.code(), Some(0), "{}", said(&more));
    let less = site.run(&[&sizes[..], &["--requests-per-day=7000", "--share=0.1"]].concat());
    assert_eq!(less.status.code(), Some(3), "{}", said(&less));
    for wrong in ["--share=0", "--share=1.5", "--share=0.0001"] {
        assert_eq!(site.run(&["plan", wrong]).status.code(), Some(64), "{wrong}");
    }
    assert_eq!(
        site.run(&["check"]).status.code(),
        Some(64),
        "check does miss the key"
    );
    assert!(!site.path("data").exists());
}

#[test]
fn after_polling_the_plan_is_the_exporters_own() {
    let simulator = simulate(&["--users", "1200", "--enrollments", "6000"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    let samples = exporter.until_complete();
    let planned = samples
        .get("knowbe4_exporter_plan_requests_per_day", &[])
        .unwrap();
    let sent = asked(&simulator).len();
    let output = site.run(&["plan", "--format=json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    let account = &plan["accounts"][0];
    assert!((account["requests_per_day"].as_f64().unwrap() - planned).abs() < 1e-6);
    for collector in account["collectors"].as_array().unwrap() {
        assert_eq!(collector["cost_is"], "learned");
        let label = format!("collector=\"{}\"", collector["collector"].as_str().unwrap());
        let promised = samples.get("knowbe4_exporter_collector_interval_seconds", &[&label]);
        assert_eq!(promised, collector["interval_seconds"].as_f64(), "{label}");
        let cost = samples.get("knowbe4_exporter_collector_refresh_requests", &[&label]);
        // Each refresh of recipients reads other tests.
        if collector["collector"] == "recipients" {
            continue;
        }
        assert_eq!(cost, collector["requests_per_refresh"].as_f64(), "{label}");
    }
    assert_eq!(asked(&simulator).len(), sent, "a plan sends nothing");
}

#[test]
fn check_connect_goes_on_past_an_account_that_cannot_be_opened() {
    let simulator = simulate(&[]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let file = std::fs::read_to_string(site.path("config.yml")).unwrap();
    let second = file
        .replace("accounts:\n", "")
        .replace("name: acme", "name: globex")
        .replace("api_key_file: key", "api_key_file: other");
    site.write("config.yml", &(file + &second));
    site.write("other", "test-key-Zq-of-globex");
    std::fs::create_dir_all(site.path("data/accounts")).unwrap();
    site.write("data/accounts/acme", "");
    let output = site.run(&["check", "--connect"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("FAILED: account acme") && text.contains("account globex"),
        "{text}"
    );
    assert!(
        text.contains("this cost 10 requests; 10 of 100000 used"),
        "{text}"
    );
}

#[test]
fn what_all_endpoints_say_is_concluded_and_a_base_url_is_never_left() {
    for (faults, code, expected, requests) in [
        ("401", 1, "the key is refused everywhere", 9),
        ("403", 1, "may read nothing", 9),
        ("404", 1, "nothing is found", 9),
        (
            "403:endpoint=training/policies",
            1,
            "the key works, and may not read everything",
            COLLECTORS,
        ),
        ("429", 1, "not tried: the API asks to pause", 1),
        (
            "wrong-type:endpoint=users",
            1,
            "a proxy or login page in between?",
            COLLECTORS,
        ),
        ("quirk=anonymised", 0, "anonymised accounts answer", COLLECTORS),
        ("quirk=trial", 0, "policies: ok", COLLECTORS),
    ] {
        let simulator = simulate(&["--fault", faults]);
        let site = Site::new();
        site.configure(&simulator.url(), "");
        let output = site.run(&["check", "--connect"]);
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{faults}: {text}");
        assert!(text.contains(expected), "{faults}: {text}");
        assert!(
            !text.contains("region knows") && !text.contains("no other region"),
            "{faults}: {text}"
        );
        assert_eq!(asked(&simulator).len(), requests, "{faults}: {text}");
        assert!(
            text.contains(&format!("this cost {requests} requests")),
            "{faults}: {text}"
        );
        assert!(!text.contains("test-key-Zq"));
    }
}

/// What `check --connect` says of a server that doesn't get as far as an answer.
fn cut_off(base_url: &str, env: &[(&str, &str)]) -> String {
    let site = Site::new();
    site.configure(base_url, "");
    let arguments = site.arguments();
    let mut all = vec!["check", "--connect"];
    all.extend(arguments.iter().map(String::as_str));
    let output = command(&all, env).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("account: FAILED (transport)") && text.contains("the other endpoints were not tried"),
        "{text}"
    );
    assert!(text.contains("this cost 1 requests"), "{text}");
    assert!(!text.contains("test-key-Zq"), "{text}");
    text
}

#[test]
fn a_network_that_fails_is_told_apart_at_the_cost_of_one_request() {
    let nobody = format!("127.0.0.1:{}", free_port());
    let text = cut_off(&format!("http://{nobody}"), &[]);
    assert!(text.contains("is 127.0.0.1 reachable from here?"), "{text}");
    let plain = simulate(&[]);
    let text = cut_off(&plain.url().replace("http:", "https:"), &[]);
    assert!(text.contains("answers there without TLS"), "{text}");

    // A proxy that refuses: nothing but its CONNECT ever arrives there.
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = proxy.accept().unwrap();
        let mut head = [0; 2048];
        let length = stream.read(&mut head).unwrap();
        stream
            .write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            .unwrap();
        String::from_utf8_lossy(&head[..length]).into_owned()
    });
    let text = cut_off("https://kb4.invalid", &[("HTTPS_PROXY", &address)]);
    assert!(
        text.contains(&format!("the proxy {address} (HTTPS_PROXY)"))
            && text.contains("give the proxy a user name"),
        "{text}"
    );
    let heard = heard.join().unwrap();
    assert!(
        heard.starts_with("CONNECT kb4.invalid:443") && !heard.contains("Zq"),
        "{heard}"
    );
}

#[test]
fn a_certificate_that_is_not_to_be_trusted_is_told_apart() {
    let site = Site::new();
    let certificate = |name: &str, host: &str| {
        let says = Says {
            name,
            of: &[&format!("DNS:{host}")],
            ..Says::default()
        };
        self_signed(site.dir.path(), &says);
        site.write(
            &format!("{name}.yml"),
            &format!("tls_server_config: {{ cert_file: {name}.crt, key_file: {name}.key }}\n"),
        );
        let web = format!(
            "--web.config.file={}",
            site.path(&format!("{name}.yml")).display()
        );
        let server = Program::start(&["demo", "--web.listen-address=127.0.0.1:0", &web], &[]);
        let trusted = site.path(&format!("{name}.crt")).display().to_string();
        (
            format!("https://localhost:{}", server.address.port()),
            trusted,
            server,
        )
    };
    let (url, trusted, _server) = certificate("right", "localhost");
    let text = cut_off(&url, &[]);
    assert!(
        text.contains("is self-signed, and not among the trusted ones of") && text.contains("SSL_CERT_FILE"),
        "{text}"
    );
    let (other, other_trusted, _server) = certificate("other", "elsewhere.example");
    let text = cut_off(&other, &[("SSL_CERT_FILE", &other_trusted)]);
    assert!(text.contains("the certificate is another host's"), "{text}");
    // With the right one the way is free; what answers there isn't KnowBe4.
    site.configure(&url, "");
    let arguments = site.arguments();
    let mut all = vec!["check", "--connect"];
    all.extend(arguments.iter().map(String::as_str));
    let output = command(&all, &[("SSL_CERT_FILE", &trusted)]).output().unwrap();
    assert!(said(&output).contains("nothing is found"), "{}", said(&output));
}

/// Every text and number in an answer, as it would be printed, and the names of its fields.
fn values(value: &Value, into: &mut Vec<String>, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| values(element, into, names)),
        Value::Object(fields) => fields.iter().for_each(|(name, field)| {
            names.insert(name.clone());
            values(field, into, names);
        }),
        Value::String(text) => into.push(text.clone()),
        Value::Number(number) => into.push(number.to_string()),
        Value::Bool(_) | Value::Null => {}
    }
}

#[test]
fn shapes_hold_no_value_of_what_was_answered() {
    let simulator = simulate(&["--users", "60"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let output = site.run(&["check", "--shapes"]);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for expected in [
        "headers: ",
        "[].id: number",
        "[].email: text",
        "x-request-id",
        ".type: text",
    ] {
        assert!(text.contains(expected), "{expected} not in\n{text}");
    }
    // What stands beside the shapes is said on lines of its own.
    let shapes: Vec<&str> = text.lines().filter(|line| line.starts_with("    ")).collect();
    assert!(shapes.len() > 100, "{}", shapes.len());
    let words: Vec<&str> = shapes
        .iter()
        .flat_map(|line| line.split([' ', ':', ',', '.', '|', '[', ']', '(', ')']))
        .collect();
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for path in [
        "account",
        "groups",
        "users",
        "phishing/campaigns",
        "phishing/security_tests",
        "training/campaigns",
        "training/enrollments",
        "training/store_purchases",
        "training/policies",
    ] {
        let headers = [("Authorization", "Bearer test-key-Zq")];
        let path = format!("/v1/{path}?per_page=500");
        let answer = ask(simulator.address, "GET", &path, &headers).unwrap();
        values(&answer.json(), &mut found, &mut names);
        found.extend(answer.headers.get("x-request-id").cloned());
    }
    // A policy may have the status "published", and a field of that name.
    found.retain(|value| value.len() > 1 && !names.contains(value));
    for value in &found {
        let leaks = if value.contains(' ') {
            text.contains(value.as_str())
        } else {
            words.contains(&value.as_str())
        };
        assert!(!leaks, "{value:?} is in the shapes");
    }
    assert!(found.len() > 2000, "{}", found.len());
    assert!(!text.contains("test-key-Zq") && !text.contains('@'));
}

#[test]
fn what_the_api_announces_is_planned_with_and_read_at_once() {
    // 25 pages of enrollments: more than half the day, which is what an unknown cost may take.
    let simulator = simulate(&["--dialect", "brief", "--users", "30", "--enrollments", "12100"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let file = std::fs::read_to_string(site.path("config.yml")).unwrap();
    site.write(
        "config.yml",
        &file.replace("requests_per_day: 100000", "requests_per_day: 40"),
    );
    let mut exporter = site.serve();
    let samples = exporter.until_all_succeed();
    let cost = samples.get(
        "knowbe4_exporter_collector_refresh_requests",
        &["collector=\"enrollments\""],
    );
    assert!(cost.is_some_and(|cost| cost > 20.0), "{cost:?}");
    assert!(asked(&simulator).len() <= 40);
}
