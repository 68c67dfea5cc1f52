//! Accounts move from the embedded storage into the database and back, with all that they have spent.

use std::path::Path;
use std::time::Duration;

use crate::postgres::Postgres;
use crate::support::*;
use crate::{SPREAD, site, until};

const SMALL: [&str; 3] = ["--users=50", "--enrollments=100", "--groups=2"];

/// What `--storage.path` and `--storage.url` are.
fn flags(site: &Site, storage: &[String]) -> Vec<String> {
    let mut all = vec![format!("--config.file={}", site.path("config.yml").display())];
    all.extend_from_slice(storage);
    all
}

fn path(path: &Path) -> String {
    format!("--storage.path={}", path.display())
}

fn serve(site: &Site, storage: &[String]) -> Program {
    let mut all = flags(site, storage);
    all.push("--web.listen-address=127.0.0.1:0".to_owned());
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    Program::start(&all, &[])
}

/// Exit code and everything that was said.
fn copy(site: &Site, storage: &[String], more: &[&str]) -> (Option<i32>, String) {
    let mut all = vec!["storage".to_owned(), "copy".to_owned()];
    all.extend(flags(site, storage));
    let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
    all.extend_from_slice(more);
    let output = run(&all, &[]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

fn used(program: &Program) -> f64 {
    let samples = program.scrape();
    samples.sum("knowbe4_exporter_budget_used", &["window=\"24h\""])
}

/// Polls both accounts, and says what they have spent.
fn polled(mut exporter: Program) -> f64 {
    exporter.until_complete();
    std::thread::sleep(Duration::from_secs(2));
    let spent = used(&exporter);
    assert_eq!(exporter.terminate(), Some(0));
    spent
}

fn serves_what_was_kept(exporter: &Program, spent: f64) {
    until("it serves what was kept", SPREAD, || {
        let samples = exporter.scrape();
        let restored = samples.sum("knowbe4_exporter_snapshot_restored", &[]);
        let read = samples.of("knowbe4_phishing_tests_unread", &[]);
        (restored, read.as_slice()) == (2.0, &[0.0, 0.0]) && used(exporter) >= spent
    });
}

#[test]
fn accounts_are_copied_into_the_database_and_back() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&SMALL);
    let often = "    budget: { requests_per_day: 100000, share: 1, requests_per_minute: 6000, requests_per_second: 100 }\n";
    let site = site(&simulator, 2, often);
    let (first, second) = (site.path("data"), site.path("back"));
    let spent = polled(serve(&site, &[path(&first)]));
    let url = postgres.url();
    let database = [format!("--storage.url={url}")];
    let from = format!("--from={}", first.display());

    // In use: nothing is copied.
    let running = serve(&site, &[path(&first)]);
    let (code, said) = copy(&site, &database, &[&from]);
    assert!(
        code == Some(1) && said.contains("another process uses this storage"),
        "{said}"
    );
    assert_eq!(running.terminate(), Some(0));

    let asked_before = asked(&simulator).len();
    let (code, said) = copy(&site, &database, &[&from]);
    assert!(code == Some(0) && said.contains("account a1: copied"), "{said}");
    let (code, said) = copy(&site, &database, &[&from]);
    assert!(
        code == Some(0) && said.contains("account a0: is there already"),
        "{said}"
    );
    let exporter = serve(&site, &database);
    serves_what_was_kept(&exporter, spent);
    assert!(
        asked(&simulator).len() < asked_before + 8,
        "what was read is not read again"
    );
    let (code, said) = copy(&site, &database, &[&format!("--to={}", second.display())]);
    assert!(code == Some(1) && said.contains("another process uses"), "{said}");
    let spent = used(&exporter);
    assert_eq!(exporter.terminate(), Some(0));

    let (code, said) = copy(&site, &database, &[&format!("--to={}", second.display())]);
    assert!(code == Some(0) && said.contains("account a1: copied"), "{said}");
    serves_what_was_kept(&serve(&site, &[path(&second)]), spent);

    // Gone on in both: neither overwrites the other.
    polled(serve(&site, &[path(&first)]));
    let (code, said) = copy(&site, &database, &[&from]);
    let cure = "remove it there before it is copied";
    assert!(
        code == Some(1) && said.contains("with other data") && said.contains(cure),
        "{said}"
    );
    let (code, said) = copy(&site, &database, &[&format!("--from={url}")]);
    assert!(
        code == Some(64) && said.contains("the same storage twice"),
        "{said}"
    );
}

/// Whatever sends requests takes over first: nothing spent is forgotten.
#[test]
fn a_single_run_with_both_takes_the_path_over() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&SMALL);
    let often = "    budget: { requests_per_day: 100000, share: 1, requests_per_minute: 6000, requests_per_second: 100 }\n";
    let site = site(&simulator, 2, often);
    let data = site.path("data");
    let spent = polled(serve(&site, &[path(&data)]));
    let mut all = vec!["once".to_owned()];
    all.extend(flags(
        &site,
        &[path(&data), format!("--storage.url={}", postgres.url())],
    ));
    let output = run(&all.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.code() == Some(0) && said.contains("taken over"),
        "{said}"
    );
    let known = postgres.ask("SELECT count(*) FROM knowbe4_exporter.request WHERE fence = 0");
    assert!(known[0].parse::<f64>().unwrap() >= spent, "{known:?} of {spent}");
}

#[test]
fn a_first_start_with_both_takes_the_path_over() {
    let Some(postgres) = Postgres::start() else { return };
    let simulator = simulate(&SMALL);
    let site = site(
        &simulator,
        2,
        "    budget: { requests_per_day: 100000, share: 1, requests_per_minute: 6000, requests_per_second: 100 }\n",
    );
    let data = site.path("data");
    let spent = polled(serve(&site, &[path(&data)]));
    let both = [path(&data), format!("--storage.url={}", postgres.url())];
    let running = serve(&site, &[path(&data)]);
    let mut all = flags(&site, &both);
    all.push("--web.listen-address=127.0.0.1:0".to_owned());
    let refused = run(&all.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        refused.status.code() == Some(1) && said.contains("another process uses"),
        "{said}"
    );
    assert_eq!(running.terminate(), Some(0));

    let mut exporter = serve(&site, &both);
    exporter.until_logged("taken over");
    serves_what_was_kept(&exporter, spent);
    // Whoever comes later finds them there, and begins all the same.
    let another = serve(&site, &both);
    serves_what_was_kept(&another, spent);
}
