//! What the dashboards cost a Prometheus, as it counts that itself: samples, not seconds.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::support::{Program, ask, free_port, has, optional};

/// A seventh of the provider's size, with a seventh of what is wanted there.
const ACCOUNTS: &str = "--accounts=12";
const SAMPLES: &str = "--samples=3000000";

const INSTALL: &str = "apt-get install prometheus python3";

#[test]
fn dashboards_cost_an_account_and_not_its_tests() {
    if has("prometheus", INSTALL) {
        asked_by("prometheus");
    }
}

#[test]
fn a_newer_prometheus_answers_every_query_at_no_greater_cost() {
    let newer = "prometheus3";
    if optional(newer, "a Prometheus 3 under this name") {
        asked_by(newer);
    }
}

fn asked_by(prometheus: &str) {
    if !(has("promtool", INSTALL) && has("python3", INSTALL)) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let listen = format!("--web.listen-address=127.0.0.1:{}", free_port());
    let demo = Program::start(&["demo", &listen], &[]);
    let deadline = Instant::now() + Duration::from_secs(60);
    let exposition = loop {
        let text = ask(demo.address, "GET", "/metrics", &[]).unwrap().text();
        // The slowest listing is the last to be there.
        if text.contains("\nknowbe4_training_campaign_enrollments{")
            && text.contains("\nknowbe4_phishing_test_info{")
        {
            break text;
        }
        assert!(Instant::now() < deadline, "the demo has no data");
        sleep(Duration::from_millis(200));
    };
    let file = folder.path().join("metrics.txt");
    fs::write(&file, exposition).unwrap();
    let output = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/cost"))
        .arg(&file)
        // What a query holds at once hardly depends on how often was scraped; the size of the past does.
        .args([ACCOUNTS, SAMPLES, "--every=300", "--prometheus", prometheus])
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
